"""Arrays of Python values are those that Arrow makes itself, which would import pandas for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from apteco_frames.support.arrays import array_of, table_of, whole

NAMES = pa.list_(pa.field("item", pa.string(), nullable=False))
VALUES: list[tuple[pa.DataType, list[Any]]] = [
    (pa.string(), ["People", "", "Café"]),
    (pa.int64(), [0, -5, 2**62]),
    (pa.bool_(), [True, False, True]),
    (pa.timestamp("us"), [datetime(1, 1, 1), datetime(1970, 1, 1), datetime(2019, 11, 27, 15, 1)]),
    (pa.float64(), [0.5, -1e300, 0.0]),
    (NAMES, [["boDest", "boCost"], [], ["peOccu"]]),
]


@pytest.mark.parametrize(("arrow_type", "values"), VALUES, ids=[str(t) for t, _ in VALUES])
@pytest.mark.parametrize("nulls", [[], [None], [None, None]])
def test_arrays_of_values(arrow_type: pa.DataType, values: list[Any], nulls: list[None]) -> None:
    """Values of each type, with nulls and without, and none at all."""
    for listed in (values, nulls, values + nulls, [*nulls, *values]):
        made = array_of(iter(listed), arrow_type)
        made.validate(full=True)
        assert made.equals(pa.array(listed, arrow_type))
    schema = pa.schema([("value", arrow_type), ("missing", pa.int64())])
    assert table_of([{"value": v} for v in values], schema)["value"].to_pylist() == values


def test_arrays_of_kinds() -> None:
    """Values of a closed set are kept once each, with nulls and without."""
    kinds = pa.dictionary(pa.uint8(), pa.string())
    for listed in ([], ["Text", "Date", "Text"], ["Text", None], [None]):
        made = array_of(listed, kinds)
        made.validate(full=True)
        assert (made.type, made.to_pylist()) == (kinds, listed)


@pytest.mark.parametrize("chunks", [[], [["a"]], [["a"], ["b", "c"]]])
def test_a_column_as_one_array(chunks: list[list[str]]) -> None:
    """Columns of no part, of one and of several become one array of the same type."""
    kinds = pa.dictionary(pa.uint8(), pa.string())
    column = pa.chunked_array([array_of(chunk, kinds) for chunk in chunks], kinds)
    made = whole(column)
    assert made.type == column.type
    assert made.to_pylist() == [value for chunk in chunks for value in chunk]
