"""Rendering is the inverse of decoding."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import holidays, render
from apteco_frames.orbit.decode import decode_page
from apteco_frames.schema import CODES, TABLES, VARIABLES
from apteco_frames.schema.column import BOOL, DOUBLE, INT, STRING, TIMESTAMP, Column
from apteco_frames.system import FastStatsSystem

VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    STRING: st.text(st.characters(exclude_categories=["Cs"])),
    BOOL: st.booleans(),
    INT: st.integers(-(2**63), 2**63 - 1),
    DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    TIMESTAMP: st.datetimes(),
}
API_COLUMNS = [column for column in VARIABLES if column.api_field]


def cell(column: Column) -> st.SearchStrategy[Any]:
    """Any value that a column may hold."""
    if column.name == "api_type":
        return st.sampled_from([*render.INFOS, "Polygon"])
    value = VALUES[column.type]
    return st.none() | value if column.nullable else value


def arrow(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows of variables as the Arrow table of a catalogue, without the derived column."""
    fields = [pa.field(c.name, c.type, c.nullable) for c in API_COLUMNS]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def decoded(items: list[bytes], columns: tuple[Column, ...]) -> pa.Table:
    """What the client makes of the items."""
    return decode_page(render.encode_page(items, 0, len(items)), columns, "test").rows


VARIABLE_ROWS = st.lists(st.fixed_dictionaries({c.name: cell(c) for c in API_COLUMNS}))


@given(VARIABLE_ROWS)
def test_decoding_gives_the_variables_back(rows: list[dict[str, Any]]) -> None:
    """Any variables are the same after rendering and decoding."""
    table = arrow(rows)
    assert decoded(render.encode_all(render.variable_items(table)), VARIABLES).equals(table)


def test_decoding_gives_holidays_back() -> None:
    """The demo system is the same after rendering and decoding."""
    tables, variables = holidays().tables.arrow, holidays().variables.arrow
    codes = holidays().codes.arrow
    own = decoded(render.encode_all(render.code_items(codes)), CODES)
    decoded_codes = own.append_column("variable_name", codes["variable_name"])
    again = Catalogue(
        holidays().system_info,
        decoded(render.encode_all(render.table_items(tables)), TABLES),
        decoded(render.encode_all(render.variable_items(variables)), VARIABLES),
        decoded_codes,
        holidays().folders,
    )
    assert again == holidays()


def variable(**values: Any) -> dict[str, Any]:
    """A variable's row with these values and nothing else."""
    blank = {c.name: None if c.nullable else {STRING: "", BOOL: False}[c.type] for c in API_COLUMNS}
    return {**blank, **values}


def rendered(**values: Any) -> dict[str, Any]:
    """The item of one variable, as JSON gives it back."""
    (item,) = render.encode_all(render.variable_items(arrow([variable(**values)])))
    parsed: dict[str, Any] = json.loads(item)
    return parsed


@pytest.mark.parametrize("api_type", [*render.INFOS, "Polygon"])
def test_only_the_info_of_its_type(api_type: str) -> None:
    """A variable has the info object of its type, and null for the other three."""
    item = rendered(api_type=api_type)
    present = [info for info in render.INFOS.values() if item[info] is not None]
    assert present == ([render.INFOS[api_type]] if api_type in render.INFOS else [])


@pytest.mark.parametrize(
    ("api_type", "values", "place", "newer"),
    [
        ("Text", {"path": "A/B", "notes": ""}, None, {"path": "A/B", "notes": ""}),
        ("Selector", {"unclassified_code": " !"}, "selectorInfo", {"unclassifiedCode": " !"}),
        ("Numeric", {"decimal_places": 0}, "numericInfo", {"decimalPlaces": 0}),
        (
            "Reference",
            {"reference_type": "Numeric", "reference_length": 8, "decimal_places": 0},
            "referenceInfo",
            {"referenceType": "Numeric", "length": 8, "decimalPlaces": 0},
        ),
    ],
)
def test_newer_fields_are_there_with_a_value_only(
    api_type: str, values: dict[str, Any], place: str | None, newer: dict[str, Any]
) -> None:
    """What older servers don't know is left out where there is none; all else may be null."""
    older, item = rendered(api_type=api_type), rendered(api_type=api_type, **values)
    if place:
        item[place] = {k: v for k, v in item[place].items() if k not in newer or newer.pop(k) != v}
    else:
        item = {k: v for k, v in item.items() if k not in newer or newer.pop(k) != v}
    assert (item, newer) == (older, {})


def test_info_of_unknown_type_is_kept() -> None:
    """What an unknown type has in an info object is not lost."""
    assert rendered(api_type="Polygon", num_codes=3)["selectorInfo"]["numberOfCodes"] == 3


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_becomes_null(value: float) -> None:
    """JSON has no NaN and no infinity: they are rendered as null."""
    assert rendered(api_type="Numeric", min_value=value)["numericInfo"]["minimum"] is None


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime(2019, 11, 27, 15, 57, 24), "2019-11-27T15:57:24"),
        (datetime(2019, 11, 27), "2019-11-27T00:00:00"),
        (datetime(2019, 11, 27, 15, 57, 20, 500), "2019-11-27T15:57:20.000500"),
        (datetime.min, "0001-01-01T00:00:00"),
        (datetime.max, "9999-12-31T23:59:59.999999"),
    ],
)
def test_times(time: datetime, text: str) -> None:
    """Times have no zone, and a fraction of a second only if there is one."""
    item = rendered(api_type="Selector", min_date=time)
    assert item["selectorInfo"]["minimumDate"] == text


def test_long_and_odd_names() -> None:
    """Names of any length and any characters come out to the letter."""
    name = '£😀\0\n"\\\u202e</script>' * 500
    assert rendered(api_type="Text", name=name)["name"] == name


def test_system_detail() -> None:
    """A system is rendered as the API describes it, with or without a build date."""
    info = FastStatsSystem("s", "d", None, "v")
    assert render.system_detail(info, {"useIso8601WeekOfYear": False}) == {
        "dateSettings": {"useIso8601WeekOfYear": False},
        "name": "s",
        "viewName": "v",
        "description": "d",
        "fastStatsBuildDate": None,
    }


def test_many_variables() -> None:
    """A hundred thousand variables are rendered in seconds."""
    table = arrow([variable(name="x", api_type="Selector", min_date=datetime(2020, 1, 1))])
    many = pa.concat_tables([table] * 100_000).combine_chunks()
    assert len(render.encode_all(render.variable_items(many))) == 100_000
