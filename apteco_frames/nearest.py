"""The keys nearest to one that was not found, for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import pyarrow as pa

_MOST_COMPARED = 2_000


def nearest(key: str, columns: Iterable[pa.Array], most: int = 3) -> list[str]:
    """Up to ``most`` strings of the columns that look like the key, the nearest first.

    Only the 2,000 strings nearest in length that begin alike are compared closely, so
    that a typing error costs milliseconds in a catalogue of any size.

    >>> nearest("Pepole", [pa.array(["Bookings", "People"])])
    ['People']
    """
    import polars as pl

    folded = key[:100].lower().encode("utf-8", "replace").decode()
    keys = (
        pl.concat([pl.Series("key", column, dtype=pl.String) for column in columns])
        .unique(maintain_order=True)
        .to_frame()
        .with_columns(folded=pl.col("key").str.slice(0, 100).str.to_lowercase())
        .sort(
            pl.col("folded") != folded,
            pl.col("folded").str.slice(0, 1) != folded[:1],
            (pl.col("folded").str.len_chars().cast(pl.Int32) - len(folded)).abs(),
            maintain_order=True,
        )
        .head(_MOST_COMPARED)
    )
    by_folded: dict[str, str] = {}
    for original, text in keys.iter_rows():
        by_folded.setdefault(text, original)
    return [by_folded[t] for t in difflib.get_close_matches(folded, by_folded, most, 0.6)]
