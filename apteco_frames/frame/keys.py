"""Looking keys up: where they stand, and which are nearest to one that does not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.support.arrays import integers, strings

_MOST_COMPARED = 2_000


class KeyIndex:
    """Positions by key: built whole in one pass, then a dictionary look-up each."""

    def __init__(self, keys: list[str]) -> None:
        self.last = dict(zip(keys, range(len(keys)), strict=True))
        self.repeated: dict[str, list[int]] = {}
        if len(self.last) < len(keys):
            for position, key in enumerate(keys):
                if self.last[key] != position or key in self.repeated:
                    self.repeated.setdefault(key, []).append(position)

    def positions(self, key: str) -> list[int]:
        """All positions of the key, in order; empty if there is none."""
        if key in self.repeated:
            return self.repeated[key]
        position = self.last.get(key)
        return [] if position is None else [position]


def search(keys: pa.Array, key: str) -> list[int]:
    """All positions of the key, in order: far less work than an index for one look-up."""
    try:
        found = pc.indices_nonzero(pc.equal(keys, strings([key])[0]))
    except UnicodeEncodeError:  # half of a surrogate pair is in no catalogue
        return []
    return found.to_pylist()  # type: ignore[no-any-return]


def nearest(key: str, columns: Iterable[pa.Array], most: int = 3) -> list[str]:
    """Up to ``most`` strings of the columns that look like the key, the nearest first.

    Only the 2,000 strings nearest in length that begin alike are compared closely, so
    that a typing error costs milliseconds in a catalogue of any size.

    >>> nearest("Pepole", [pa.array(["Bookings", "People"])])
    ['People']
    """
    folded = key[:100].lower().encode("utf-8", "replace").decode()
    keys = pc.unique(pa.concat_arrays(list(columns)))
    texts = pc.utf8_lower(pc.utf8_slice_codeunits(keys, 0, 100))
    unlike = pa.table(
        {
            "text": pc.not_equal(texts, strings([folded])[0]),
            "initial": pc.not_equal(pc.utf8_slice_codeunits(texts, 0, 1), strings([folded[:1]])[0]),
            "length": pc.abs(pc.subtract(pc.utf8_length(texts), integers([len(folded)])[0])),
        }
    )
    order = pc.sort_indices(unlike, [(name, "ascending") for name in unlike.column_names])
    chosen = order.slice(0, _MOST_COMPARED)
    by_text: dict[str, str] = {}
    for text, original in zip(
        texts.take(chosen).to_pylist(), keys.take(chosen).to_pylist(), strict=True
    ):
        by_text.setdefault(text, original)
    return [by_text[text] for text in difflib.get_close_matches(folded, by_text, most, 0.6)]
