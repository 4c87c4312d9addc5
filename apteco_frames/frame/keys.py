"""Look-ups by key, and the nearest keys to one that is missing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.support.arrays import scalar

_MOST_COMPARED = 2_000
_LEAST_START = 3


def index_of(column: pa.Array) -> dict[str, int]:
    """The position of each key; -1 where several rows have it.

    >>> index_of(pa.array(["a", "b", "a"]))
    {'a': -1, 'b': 1}
    """
    keys = column.to_pylist()
    index = dict(zip(keys, range(len(keys)), strict=True))
    if len(index) < len(keys):
        index |= {key: -1 for position, key in enumerate(keys) if index[key] != position}
    return index


def search(columns: Iterable[pa.Array], key: str) -> list[int]:
    """All positions of the key, column by column: far faster than an index for one look-up."""
    found: dict[int, None] = {}
    with suppress(UnicodeEncodeError):  # half of a surrogate pair is in no catalogue
        for column in columns:
            found |= dict.fromkeys(pc.indices_nonzero(pc.equal(column, scalar(key))).to_pylist())
    return list(found)


def nearest(key: str, columns: Iterable[pa.Array], most: int = 3) -> list[str]:
    """Up to ``most`` strings of the columns that look like the key, the nearest first.

    Strings that begin with a key of three characters or more come before all others, the
    shortest first. Only the 2,000 strings nearest in length that begin alike are compared
    closely, so that a typing error costs milliseconds in a catalogue of any size.

    >>> tables = pa.array(["Bookings", "Households", "People"])
    >>> nearest("Pepole", [tables]), nearest("hous", [tables])
    (['People'], ['Households'])
    """
    folded = key[:100].lower().encode("utf-8", "replace").decode()
    keys = pc.unique(pa.concat_arrays(list(columns)))
    texts = pc.utf8_lower(pc.utf8_slice_codeunits(keys, 0, 100))
    unlike = pa.table(
        {
            "text": pc.not_equal(texts, scalar(folded)),
            "start": pc.invert(pc.starts_with(texts, folded)),
            "initial": pc.not_equal(pc.utf8_slice_codeunits(texts, 0, 1), scalar(folded[:1])),
            "length": pc.abs(pc.subtract(pc.utf8_length(texts), scalar(len(folded)))),
        }
    )
    order = pc.sort_indices(unlike, [(name, "ascending") for name in unlike.column_names])
    chosen = order.slice(0, _MOST_COMPARED)
    by_text: dict[str, str] = {}
    for text, original in zip(
        texts.take(chosen).to_pylist(), keys.take(chosen).to_pylist(), strict=True
    ):
        by_text.setdefault(text, original)
    starting = [by_text[text] for text in by_text if text.startswith(folded)]
    alike = [by_text[text] for text in difflib.get_close_matches(folded, by_text, most, 0.6)]
    is_part = len(folded) >= _LEAST_START
    return list(dict.fromkeys([*(starting if is_part else ()), *alike]))[:most]
