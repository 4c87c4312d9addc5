"""Arrow arrays of Python values.

``pa.array`` and ``pa.scalar`` look whether they were given something of pandas, and
import pandas for that if it is installed: most of a second that nobody asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

_TYPE_CODES = {pa.uint8(): "B", pa.int32(): "i", pa.int64(): "q"}


def integers(values: Iterable[int], arrow_type: pa.DataType = pa.int64()) -> pa.Array:  # noqa: B008
    """An array of integers without nulls.

    Args:
        values: the integers.
        arrow_type: ``uint8``, ``int32`` or ``int64``.

    Raises:
        OverflowError: a value does not fit the type.

    >>> integers([3, 4]).to_pylist()
    [3, 4]
    """
    numbers = array(_TYPE_CODES[arrow_type], values)
    return pa.Array.from_buffers(arrow_type, len(numbers), [None, pa.py_buffer(numbers)])


def strings(texts: Iterable[str]) -> pa.Array:
    """An array of strings without nulls.

    Raises:
        UnicodeEncodeError: a text holds half of a surrogate pair.

    >>> strings(["People", "Café"]).to_pylist()
    ['People', 'Café']
    """
    encoded = [text.encode() for text in texts]
    offsets = integers(accumulate(map(len, encoded), initial=0), pa.int32())
    buffers = [None, offsets.buffers()[1], pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def doubles(values: Iterable[float]) -> pa.Array:
    """An array of floating-point numbers without nulls.

    >>> doubles([0.5, 1]).to_pylist()
    [0.5, 1.0]
    """
    numbers = array("d", values)
    return pa.Array.from_buffers(pa.float64(), len(numbers), [None, pa.py_buffer(numbers)])


def booleans(values: Iterable[bool]) -> pa.Array:
    """An array of booleans without nulls.

    >>> booleans([True, False]).to_pylist()
    [True, False]
    """
    return pc.equal(integers(values, pa.uint8()), integers([1], pa.uint8())[0])


def spans_of(names: pa.Array) -> dict[str, tuple[int, int]]:
    """Where the rows of each name stand, if those of a name stand together.

    >>> spans_of(strings(["a", "a", "b"]))
    {'a': (0, 2), 'b': (2, 3)}
    """
    counts = pc.value_counts(names).to_pylist()  # in the order in which the names come
    stops = accumulate(count["counts"] for count in counts)
    return {c["values"]: (stop - c["counts"], stop) for c, stop in zip(counts, stops, strict=True)}
