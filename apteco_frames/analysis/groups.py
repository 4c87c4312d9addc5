"""Rows that stand together by a key, and what their numbers come to.

Arrow's own grouping would import pandas, and threads that no forked process has.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.schema.column import DOUBLE
from apteco_frames.support.arrays import booleans, floats, integers, scalar

# Sums of fractions are those of whole parts of so many, which are exact in any order.
_PARTS = scalar(2.0**48)
_NOTHING = integers([0])


class Groups:
    """Rows with equal keys, which stand together.

    Args:
        keys: of each row a whole number below ``number``; null for rows that do not count.
        number: how many keys there are.

    >>> groups = Groups(integers([2, 2, 0]), 3)
    >>> groups.sizes.to_pylist()
    [1, 0, 2]
    >>> groups.largest(floats([0.5, 0.25, 4])).to_pylist()
    [4.0, 0.0, 0.5]
    """

    def __init__(self, keys: pa.Array, number: int) -> None:
        starts = pc.indices_nonzero(begins(keys)).cast(pa.int64())
        stops = pa.concat_arrays([starts[1:], integers([len(keys)])])[: len(starts)]
        counts = pc.is_valid(keys.take(starts))
        self._starts, self._stops = starts.filter(counts), stops.filter(counts)
        self._keys = keys.take(self._starts).cast(pa.int64())
        self._places = pc.index_in(pa.arange(0, number), value_set=self._keys)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Each key that some rows have, where these begin, and where they end."""
        columns = (array.to_pylist() for array in (self._keys, self._starts, self._stops))
        return zip(*columns, strict=True)

    @property
    def sizes(self) -> pa.Array:
        """How many rows each key has (int64)."""
        return self._of_keys(pc.subtract(self._stops, self._starts))

    def total(self, values: pa.Array) -> pa.Array:
        """The sum of the whole numbers of each key (int64); 0 if no row has it."""
        sums = pa.concat_arrays([_NOTHING, pc.cumulative_sum(values.cast(pa.int64()))])
        # Where the sum of all is too large for 64 bits, the difference is right all the same.
        return self._of_keys(pc.subtract(sums.take(self._stops), sums.take(self._starts)))

    def total_share(self, values: pa.Array) -> pa.Array:
        """The sum of the fractions of each key (float64), which is right to twelve digits.

        What is no number counts as 0.
        """
        known = pc.if_else(pc.is_finite(values), values, scalar(0.0))
        parts = pc.round(pc.multiply(known, _PARTS)).cast(pa.int64(), safe=False)
        return pc.divide(self.total(parts).cast(DOUBLE, safe=False), _PARTS)

    def largest(self, values: pa.Array) -> pa.Array:
        """The largest number of each key (float64); 0 if no row has it."""
        numbers = values.to_pylist()
        found = floats(max(numbers[start:stop]) for _, start, stop in self)
        return pc.fill_null(found.take(self._places), scalar(0.0))

    def _of_keys(self, values: pa.Array) -> pa.Array:
        return pc.fill_null(values.take(self._places), _NOTHING[0])


def begins(keys: pa.Array) -> pa.Array:
    """Whether each key is another than the one before it."""
    differs = pc.fill_null(pc.not_equal(keys[1:], keys[:-1]), scalar(True))
    return pa.concat_arrays([booleans([True]), differs])[: len(keys)]
