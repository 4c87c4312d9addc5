"""Arrow arrays of Python values.

``pa.array`` and ``pa.scalar`` look whether they were given something of pandas, and
import pandas for that if it is installed: most of a second that nobody asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.schema.column import Column, arrow_schema

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_TYPE_CODES = {pa.uint8(): "B", pa.int32(): "i", pa.int64(): "q", pa.float64(): "d"}


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


def floats(values: Iterable[float]) -> pa.Array:
    """An array of floating-point numbers without nulls.

    >>> floats([0.5, 2]).to_pylist()
    [0.5, 2.0]
    """
    numbers = array("d", values)
    return pa.Array.from_buffers(pa.float64(), len(numbers), [None, pa.py_buffer(numbers)])


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


def booleans(values: Iterable[bool]) -> pa.Array:
    """An array of booleans without nulls.

    >>> booleans([True, False]).to_pylist()
    [True, False]
    """
    return pc.equal(integers(values, pa.uint8()), integers([1], pa.uint8())[0])


def array_of(values: Iterable[Any], arrow_type: pa.DataType) -> pa.Array:
    """An array of values and nulls.

    Args:
        values: what Arrow would take for the type.
        arrow_type: boolean, ``uint8``, ``int64``, ``double``, text, ``timestamp[us]``, or a list
            or a dictionary of such.

    >>> array_of(["People", None], pa.string()).to_pylist()
    ['People', None]
    """
    listed = list(values)
    filled: Any
    if pa.types.is_list(arrow_type):
        inner = array_of(
            chain.from_iterable(value or () for value in listed), arrow_type.value_type
        )
        offsets = integers(accumulate((len(v or ()) for v in listed), initial=0), pa.int32())
        filled = pa.ListArray.from_arrays(offsets, inner, type=arrow_type)
    elif pa.types.is_dictionary(arrow_type):
        words = list(dict.fromkeys(value for value in listed if value is not None))
        numbers = {None: None} | {word: number for number, word in enumerate(words)}
        indices = array_of((numbers[value] for value in listed), arrow_type.index_type)
        return pa.DictionaryArray.from_arrays(indices, strings(words))
    elif pa.types.is_boolean(arrow_type):
        filled = booleans(map(bool, listed))
    elif pa.types.is_string(arrow_type):
        filled = strings(value or "" for value in listed)
    elif pa.types.is_timestamp(arrow_type):
        since = (value and value - _EPOCH for value in listed)
        filled = integers(t // _MICROSECOND if t is not None else 0 for t in since).cast(arrow_type)
    elif pa.types.is_float64(arrow_type):
        filled = floats(value or 0.0 for value in listed)
    else:
        filled = integers((value or 0 for value in listed), arrow_type)
    if None not in listed:
        return filled
    valid = booleans(value is not None for value in listed)
    return pc.if_else(valid, filled, pa.nulls(1, arrow_type)[0])


def scalar(value: bool | int | float | str) -> pa.Scalar:
    """One value for Arrow to calculate with; a plain one would make it import pandas.

    >>> scalar(3), scalar("Café")
    (<pyarrow.Int64Scalar: 3>, <pyarrow.StringScalar: 'Café'>)
    """
    if isinstance(value, str):
        return strings([value])[0]
    if isinstance(value, bool):
        return booleans([value])[0]
    return (integers([value]) if isinstance(value, int) else floats([value]))[0]


def same(value: int, number: int) -> pa.Array:
    """One small integer, repeated."""
    return pa.repeat(integers([value], pa.uint8())[0], number)


def table_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """A table of rows, each with values by the names of columns; what is missing is null.

    >>> table_of([{"name": "People"}], pa.schema([("name", pa.string())])).to_pylist()
    [{'name': 'People'}]
    """
    columns = [array_of((row.get(field.name) for row in rows), field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def declared(columns: Iterable[Column], arrays: Mapping[str, pa.Array]) -> pa.Table:
    """A table with declared columns.

    Args:
        columns: the columns.
        arrays: their values by name; those of enums as texts, or as positions in their values.

    >>> from apteco_frames.schema import FINDINGS
    >>> declared(FINDINGS[1:2], {"severity": strings(["breaking"])}).to_pylist()
    [{'severity': 'breaking'}]
    """

    def enum(values: pa.Array, known: pa.Array) -> pa.Array:
        if pa.types.is_string(values.type):
            values = pc.index_in(values, value_set=known).cast(pa.uint8())
        return pa.DictionaryArray.from_arrays(values, known)

    listed = tuple(columns)
    return pa.table(
        [enum(arrays[c.name], strings(c.values)) if c.values else arrays[c.name] for c in listed],
        schema=arrow_schema(listed),
    )


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array; without rows, too.

    >>> whole(pa.chunked_array([["People"], ["Bookings"]])).to_pylist()
    ['People', 'Bookings']
    """
    if not column.num_chunks:
        return pa.nulls(0, column.type)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def spans_of(names: pa.Array) -> dict[str, tuple[int, int]]:
    """Where the rows of each name stand, if those of a name stand together.

    >>> spans_of(strings(["a", "a", "b"]))
    {'a': (0, 2), 'b': (2, 3)}
    """
    counts = pc.value_counts(names).to_pylist()  # in the order in which the names come
    stops = accumulate(count["counts"] for count in counts)
    return {c["values"]: (stop - c["counts"], stop) for c, stop in zip(counts, stops, strict=True)}
