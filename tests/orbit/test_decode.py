"""Bytes of the API become Arrow tables with the same values, or an error names the place."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lanes import up_to
from strategies import (
    Item,
    floats,
    int64s,
    page,
    table_item,
    table_trees,
    texts,
    variable_item,
    variable_lists,
)

from apteco_frames import schema
from apteco_frames.errors import ApiResultsError, GatewayError
from apteco_frames.orbit.decode import decode_object, decode_page
from apteco_frames.orbit.json_text import Said, said
from apteco_frames.schema.column import BOOL, DOUBLE, INT, STRING, TIMESTAMP, Column
from apteco_frames.support.times import decode_time

SOURCE = "https://orbit.my-site.com/OrbitAPI/Holidays/FastStatsSystems/holidays/Variables"

# One column of each type and depth, so that a property need not know tables and variables.
COLUMNS = (
    Column("text", STRING, False, "text", ""),
    Column("flag", BOOL, True, "flag", ""),
    Column("number", INT, True, "number", ""),
    Column("double", DOUBLE, True, "info.double", ""),
    Column("time", TIMESTAMP, True, "info.time", ""),
    Column("derived", INT, False, "", ""),
)
ITEM: Item = {"text": "a", "flag": True, "number": 1, "info": {"double": 1.5, "time": None}}
SHAPE = pa.struct(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("date", pa.timestamp("us")),
        pa.field("user", pa.struct([pa.field("id", pa.string(), nullable=False)])),
    ]
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
    max_leaves=5,
)


def decode(items: list[Any], columns: tuple[Column, ...] = COLUMNS) -> list[dict[str, Any]]:
    """The rows of a page with these items."""
    return decode_page(page(items), columns, SOURCE).rows.to_pylist()  # type: ignore[no-any-return]


def fault(body: bytes, columns: tuple[Column, ...] = COLUMNS) -> str:
    """What the error for a bad page says is wrong."""
    with pytest.raises(ApiResultsError) as caught:
        decode_page(body, columns, SOURCE)
    return fault_of(caught.value)


def fault_of(error: BaseException) -> str:
    """What the error says is wrong; that it names the URL and what to do is checked."""
    match = re.fullmatch(
        r"The answer of (\S+) is not what the Orbit API describes: (.*)\. Nothing of it was used\. "
        r"Try again; .*",
        str(error),
        re.DOTALL,
    )
    assert match, str(error)
    assert match[1] == SOURCE
    return match[2]


def expected(items: list[Item], columns: tuple[Column, ...]) -> list[dict[str, Any]]:
    """The rows that items stand for, worked out one value at a time."""

    def at(item: Item, field: str) -> Any:
        found: Any = item
        for name in field.split("."):
            found = None if found is None else found.get(name)
        return found

    def value(item: Item, column: Column) -> Any:
        values = (at(item, field) for field in column.api_fields)
        found: Any = next((value for value in values if value is not None), None)
        is_time = column.type == TIMESTAMP and found is not None
        return datetime.fromisoformat(found) if is_time else found

    return [{c.name: value(item, c) for c in columns if c.api_field} for item in items]


# Values that fit


@given(table_trees(max_tables=12))
@settings(max_examples=up_to(30))
def test_tables_keep_their_values(items: list[Item]) -> None:
    """Whatever tables the API lists, the same values are in the rows, in the same order."""
    rows = decode_page(page(items), schema.TABLES, SOURCE).rows
    assert rows.to_pylist() == expected(items, schema.TABLES)


@given(st.data())
@settings(max_examples=up_to(40))
def test_variables_keep_their_values(data: st.DataObject) -> None:
    """Whatever variables of whatever kind the API lists, the rows hold the same values."""
    items = data.draw(variable_lists([table_item("People"), table_item("Bookings")], 12))
    rows = decode_page(page(items), schema.VARIABLES, SOURCE).rows
    assert rows.to_pylist() == expected(items, schema.VARIABLES)


@given(texts(), int64s(), floats(), st.booleans())
@example("", -(2**63), -0.0, True)
@example("\x00", 2**63 - 1, 5e-324, False)
@settings(max_examples=up_to(100))
def test_values_keep_every_bit(text: str, number: int, double: float, flag: bool) -> None:
    """Texts, integers of 64 bits, floats and booleans come through to the last bit."""
    item = {"text": text, "flag": flag, "number": number, "info": {"double": double}}
    (row,) = decode([item])
    assert (row["text"], row["flag"], row["number"], row["time"]) == (text, flag, number, None)
    assert row["double"].hex() == float(double).hex()


@given(
    st.datetimes(),
    st.sampled_from(range(8)),
    st.sampled_from(["", "Z", "+00:00", "-05:30", "+1400"]),
)
@example(datetime.min, 0, "")
@example(datetime.max, 7, "Z")
@example(datetime(1677, 9, 21), 3, "+01:00")
@settings(max_examples=up_to(100))
def test_times_keep_their_wall_time(time: datetime, digits: int, zone: str) -> None:
    """Times of the years 1 to 9999 stay as they stand, without a zone, to the microsecond."""
    fraction = f"{time.microsecond:06}7"[:digits]
    text = time.strftime(f"{time.year:04}-%m-%dT%H:%M:%S") + ("." + fraction if digits else "")
    kept = time.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    assert decode([{**ITEM, "info": {"time": text + zone}}])[0]["time"] == kept
    assert decode_time(text + zone) == kept


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2019-11-27", datetime(2019, 11, 27)),
        ("0001-01-01", datetime(1, 1, 1)),
        ("2019-11-27T15:57", datetime(2019, 11, 27, 15, 57)),
        ("2019-11-27T15:57Z", datetime(2019, 11, 27, 15, 57)),
        ("2019-11-27 15:57-05:30", datetime(2019, 11, 27, 15, 57)),
        ("2019-11-27 15:57:24", datetime(2019, 11, 27, 15, 57, 24)),
        ("2019-11-27 15:57:24.1234567+01:00", datetime(2019, 11, 27, 15, 57, 24, 123456)),
    ],
)
def test_short_times(text: str, time: datetime) -> None:
    """A date alone, a time without seconds and a blank for the T are taken, as apteco does."""
    assert decode([{**ITEM, "info": {"time": text}}, ITEM])[0]["time"] == time
    assert decode_time(text) == time
    shape = pa.struct([pa.field("time", TIMESTAMP)])
    assert decode_object(json.dumps({"time": text}).encode(), shape, SOURCE) == {"time": text}


@given(st.dictionaries(texts().filter(lambda key: key not in {*ITEM, "time"}), json_values))
@settings(max_examples=up_to(50))
def test_unknown_fields_are_ignored(new: dict[str, Any]) -> None:
    """Fields that no column names change nothing, at any depth."""
    info = {**new, **ITEM["info"]}
    body = page([{**new, **ITEM, "info": info}, ITEM])
    whole = {**new, **json.loads(body)}
    page_of_new = decode_page(json.dumps(whole).encode(), COLUMNS, SOURCE)
    assert page_of_new.rows.to_pylist() == decode([ITEM, ITEM])


@pytest.mark.parametrize(
    "item",
    [
        {"text": "a", "flag": None, "number": None, "info": {"double": None, "time": None}},
        {"text": "a", "info": None},
        {"text": "a", "info": {}},
        {"text": "a"},
    ],
)
def test_optional_fields_may_be_null_or_missing(item: Item) -> None:
    """A nullable field may be null or missing, and so may the object it is in."""
    (row,) = decode([item])
    assert row == {"text": "a", "flag": None, "number": None, "double": None, "time": None}


def test_order_of_fields_does_not_matter() -> None:
    """The columns have the declared order, whatever that of the fields."""
    item = dict(reversed(ITEM.items()))
    assert list(decode([item])[0]) == ["text", "flag", "number", "double", "time"]


@pytest.mark.parametrize("columns", [schema.TABLES, schema.VARIABLES, COLUMNS])
@pytest.mark.parametrize("filled", [False, True])
def test_rows_have_the_declared_types(columns: tuple[Column, ...], filled: bool) -> None:
    """The types are those declared, also where there are no items or only nulls."""
    full = {schema.TABLES: table_item(), schema.VARIABLES: variable_item(kind="Unknown")}
    body = page([full.get(columns, {"text": "a"})] if filled else [])
    rows = decode_page(body, columns, SOURCE).rows
    declared = [pa.field(c.name, c.type, c.nullable) for c in columns if c.api_field]
    assert rows.schema == pa.schema(declared)
    assert rows.num_rows == filled
    rows.validate(full=True)


def test_page_tells_where_it_belongs() -> None:
    """A page has the offset, count and total that the API gave, whatever its items."""
    body = b'{"list": [], "totalCount": 94, "count": 10, "offset": 90}'
    decoded = decode_page(body, COLUMNS, SOURCE)
    assert (decoded.offset, decoded.count, decoded.total) == (90, 10, 94)


@given(st.integers(0, 300))
@settings(max_examples=up_to(15))
def test_number_of_rows(count: int) -> None:
    """There are as many rows as items, also where the page is larger than a block."""
    items = [{**ITEM, "text": "x" * 5000 + str(i)} for i in range(count)]
    assert [row["text"][5000:] for row in decode(items)] == [str(i) for i in range(count)]


@pytest.mark.parametrize("around", [b"\n", b" \t\r\n "])
def test_white_space_around(around: bytes) -> None:
    """White space before and after the JSON is no fault, nor are line ends within."""
    body = json.dumps(json.loads(page([ITEM])), indent=2).replace("\n", "\r\n").encode()
    assert decode_page(around + body + around, COLUMNS, SOURCE).rows.num_rows == 1


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_unknown_field_may_be_deep(depth: int) -> None:
    """An unknown field may nest deeper than any stack."""
    body = page([ITEM]).replace(b'"text"', b'"deep": ' + b"[" * depth + b"]" * depth + b', "text"')
    assert decode_page(body, COLUMNS, SOURCE).rows.num_rows == 1


# Values that do not fit


def broken(path: str, value: Any) -> Callable[[Item], Item]:
    """A copy of an item with one field changed, or without it if the value is ``...``."""

    def change(item: Item) -> Item:
        copy: Item = json.loads(json.dumps(item))
        *groups, name = path.split(".")
        place = copy
        for group in groups:
            place = place[group]
        place[name] = value
        if value is ...:
            del place[name]
        return copy

    return change


@pytest.mark.parametrize("position", [0, 17])
@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("tableName", ..., "is missing"),
        ("tableName", None, "is null"),
        ("tableName", 5, "should be a string, but is 5"),
        ("tableName", ["People"], "should be a string, but is ['People']"),
        ("isVirtual", ..., "is missing"),
        ("isVirtual", "true", "should be a boolean, but is 'true'"),
        ("isVirtual", 1, "should be a boolean, but is 1"),
        ("folderName", 5, "should be a string, but is 5"),
        ("numericInfo.minimum", "5", "should be a number, but is '5'"),
        ("numericInfo.minimum", [], "should be a number, but is []"),
        ("numericInfo.isCurrency", 0, "should be a boolean, but is 0"),
        ("numericInfo", [], "should be an object, but is []"),
        ("textInfo", "text", "should be an object, but is 'text'"),
        ("textInfo", {"maximumTextLength": 1.5}, ".maximumTextLength should be an integer"),
        ("textInfo", {"maximumTextLength": 2**63}, f"should be an integer, but is {2**63}"),
        ("textInfo", {"maximumTextLength": -(2**63) - 1}, "should be an integer, but is -"),
        ("selectorInfo", {"minimumDate": "yesterday"}, ".minimumDate should be a date and time"),
        ("selectorInfo", {"minimumDate": 5}, ".minimumDate should be a date and time, but is 5"),
    ],
)
def test_wrong_field_of_a_variable(position: int, path: str, value: Any, what: str) -> None:
    """A field that is missing, null or of a wrong type is an error that names the place."""
    items = [variable_item(f"v{i}", kind="Numeric") for i in range(20)]
    items[position] = broken(path, value)(items[position])
    said = fault(page(items), schema.VARIABLES)
    assert said.startswith(f"$.list[{position}].{path}")
    assert what in said


@given(st.data())
@settings(max_examples=up_to(50))
def test_any_wrong_value_is_found(data: st.DataObject) -> None:
    """Whichever field of whichever table holds a value of a wrong type, it is named."""
    items = data.draw(table_trees(max_tables=5))
    position = data.draw(st.integers(0, len(items) - 1))
    column = data.draw(st.sampled_from([c for c in schema.TABLES if c.api_field]))
    value = data.draw(json_values.filter(lambda v: not fits(v, column.type)))
    items[position] = broken(column.api_field, value)(items[position])
    assert fault(page(items), schema.TABLES).startswith(f"$.list[{position}].{column.api_field} ")


def fits(value: Any, arrow_type: pa.DataType) -> bool:
    """Whether a JSON value is one of a type of column that tables have."""
    if arrow_type == INT:
        return type(value) is int and -(2**63) <= value < 2**63
    return isinstance(value, bool if arrow_type == BOOL else str)


@pytest.mark.parametrize(
    "text",
    [
        *("", "2019", "2019-11", "2019-11-27T", "2019-11-27 ", "2019-11-27T15", "2019-11-27Z"),
        *("2019-11-27  15:57:24", "2019-11-27t15:57:24", "2019-11-27T15:57:", "20191127"),
        *("2019-11-27T15:57.5", "2019-11-31", "2019-11-27 25:00", "27/11/2019"),
        *("2019-02-29T00:00:00", "2019-13-01T00:00:00", "2019-11-27T24:00:00"),
        *("2019-11-27T15:60:00", "10000-01-01T00:00:00", "-001-01-01T00:00:00"),
        *("2019-11-27T15:57:24.", "2019-11-27T15:57:24 ", "2019-11-27T15:57:24\n"),
        *("x2019-11-27T15:57:24", "2019-11-27T15:57:24zz", "2019-11-27T15:57:24+1"),
        "\uff12\uff10\uff11\uff19-11-27T15:57:24",  # digits, but not those of ASCII
        "0000-01-01T00:00:00",
        "2016-12-31T23:59:60",
        "2019-11-27T15:57:2455",
    ],
)
def test_what_is_no_time(text: str) -> None:
    """What is no time of the calendar is refused, in a page and alone."""
    said = fault(page([ITEM, {**ITEM, "info": {"time": text}}]))
    assert said == f"$.list[1].info.time should be a date and time, but is {text!a}"
    with pytest.raises(ValueError, match=r"date and time|must be in|out of range|isoformat"):
        decode_time(text)


def test_the_hour_24() -> None:
    """The same on every Python: from 3.14 on it takes 24:00:00 for the next day, Arrow never."""
    with pytest.raises(ValueError, match="'2019-11-27T24:00:00' is not a date and time"):
        decode_time("2019-11-27T24:00:00")


def test_half_a_surrogate_pair() -> None:
    """Half of a surrogate pair is no text that could be kept."""
    body = page([ITEM, {**ITEM, "text": "@"}]).replace(b"@", b"a\\ud83d")
    assert fault(body) == r"$.list[1].text should be a string, but is 'a\ud83d'"


NO_NUMBERS = ["NaN", "Infinity", "-Infinity"]


def with_double(*literals: str) -> bytes:
    """A page with these literals as floats."""
    marks = [f"double {position}" for position in range(len(literals))]
    body = page([{**ITEM, "text": f"v{i}", "info": {"double": m}} for i, m in enumerate(marks)])
    for mark, literal in zip(marks, literals, strict=True):
        body = body.replace(f'"{mark}"'.encode(), literal.encode())
    return body


@pytest.mark.parametrize("written", [*NO_NUMBERS, *(f'"{text}"' for text in NO_NUMBERS)])
def test_no_numbers_are_nulls(written: str) -> None:
    """What .NET writes for a double that is not finite is null, and its place is told."""
    body = with_double("1.5", written, "-0.0", str(2**53 + 1), "null", "5", str(10**300))
    decoded = decode_page(body, COLUMNS, SOURCE)
    floats = decoded.rows["double"].to_pylist()
    assert floats == [1.5, None, 0.0, float(2**53 + 1), None, 5.0, 1e300]
    assert str(floats[2]) == "-0.0"
    literal = written.strip('"')
    assert decoded.not_finite == (f"info.double of item 1 is {literal}",)
    assert decoded.rows.schema == decode_page(with_double("1.5"), COLUMNS, SOURCE).rows.schema
    plain = [{**row, "double": None} for row in decoded.rows.to_pylist()]
    assert plain == [
        {**row, "double": None} for row in decode([ITEM | {"text": f"v{i}"} for i in range(7)])
    ]


def test_no_numbers_among_everything_else() -> None:
    """A page with one such number has the values that it has without it."""
    items = [
        *(variable_item(f"v{i}", kind=kind) for i, kind in enumerate(["Numeric", "Date", "Text"])),
        variable_item("\u20ac", kind="Numeric"),
    ]
    expected_rows = decode(items, schema.VARIABLES)
    items[3]["numericInfo"]["minimum"] = "-Infinity"
    items[3]["numericInfo"]["maximum"] = "NaN"
    decoded = decode_page(page(items), schema.VARIABLES, SOURCE)
    assert decoded.rows.to_pylist() == [
        *expected_rows[:3],
        {**expected_rows[3], "min_value": None, "max_value": None},
    ]
    assert decoded.not_finite == (
        r"numericInfo.minimum of '\u20ac' is -Infinity",
        r"numericInfo.maximum of '\u20ac' is NaN",
    )


@pytest.mark.parametrize("digits", [309, 4_000])
def test_integers_that_no_double_holds(digits: int) -> None:
    """An integer beyond every double is refused with its place, never taken for an infinity."""
    said = fault(with_double("1", "9" * digits))
    assert said.startswith("$.list[1].info.double should be a number, but is 999")
    assert len(said) < 150


@pytest.mark.parametrize(
    "written",
    [
        *("1e400", "-1.8e308", '"nan"', '"INF"', '"1.5"', '"+Infinity"', '"NaN "', '""', "true"),
    ],
)
def test_other_odd_numbers(written: str) -> None:
    """Other numbers and texts in place of a double are refused with their place."""
    said = fault(with_double("NaN", "1", written))
    shown = repr(json.loads(written))
    assert said == f"$.list[2].info.double should be a number, but is {shown}"


@pytest.mark.parametrize("literal", ["-NaN", "Inf", "-Inf", "+Infinity", "nan", "infinity"])
def test_literals_of_nobody(literal: str) -> None:
    """A literal that neither JSON has nor .NET writes is refused, with its character."""
    assert re.fullmatch(
        r"it is not JSON \(.*line 1 column \d+ .*\)", fault(with_double("1", literal))
    )


@pytest.mark.parametrize("literal", NO_NUMBERS)
@pytest.mark.parametrize("name", ["text", "flag", "number", "info"])
def test_no_numbers_elsewhere(name: str, literal: str) -> None:
    """Such a literal in another column is refused."""
    body = page([ITEM, {**ITEM, name: "HERE"}]).replace(b'"HERE"', literal.encode())
    assert fault(body).startswith(f"$.list[1].{name} should be " if name != "text" else "a field")


def test_no_number_where_null_may_not_be() -> None:
    """Where a double must be there, what .NET writes for none is refused."""
    column = Column("double", DOUBLE, False, "info.double", "")
    said = fault(with_double("1", "NaN"), (column,))
    assert said == "$.list[1].info.double should be a number, but is 'NaN'"


def test_objects_with_no_numbers() -> None:
    """An object whose unknown fields hold such literals equals itself, read again."""
    body = b'{"name": "a", "new": [NaN, 1e400]}'
    assert decode_object(body, SHAPE, SOURCE) == decode_object(body, SHAPE, SOURCE)


def test_surrogate_pairs_are_one_character() -> None:
    """Two halves written as escapes are one character."""
    body = page([{**ITEM, "text": "@"}]).replace(b"@", b"\\ud83c\\udfd6")
    assert decode_page(body, COLUMNS, SOURCE).rows["text"][0].as_py() == "\U0001f3d6"


@pytest.mark.parametrize("odd", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"caf\xe9"])
def test_invalid_utf8(odd: bytes) -> None:
    """Bytes that are no UTF-8 are refused, never replaced."""
    said = fault(page([{**ITEM, "text": "@"}]).replace(b"@", odd))
    assert said.startswith("it is not JSON ('utf-8' codec can't decode")


@pytest.mark.parametrize("twice", ["text", "info", "list", "count"])
def test_field_twice_in_one_object(twice: str) -> None:
    """A field that occurs twice in one object is refused: which one would be meant?"""
    body = page([ITEM])
    again = f'"{twice}": {json.dumps({**ITEM, **json.loads(body)}[twice])}, "{twice}"'
    said = fault(body.replace(f'"{twice}"'.encode(), again.encode()))
    assert said.startswith("a field occurs twice in one object, or ")


@pytest.mark.parametrize("depth", [500, 990, 100_000])
@pytest.mark.parametrize("place", ["list", "offset", "text"])
def test_deep_nesting(depth: int, place: str) -> None:
    """However deep a page nests: our errors, nothing else."""
    deep = b"[" * depth + b"]" * depth
    body = page([ITEM]).replace(
        f'"{place}": '.encode(), f'"{place}": '.encode() + deep + b', "x": '
    )
    assert fault(body).startswith(("$.", "it nests too deeply"))
    assert (said(body).code, said(body).id) == (None, None)
    with pytest.raises(ApiResultsError):
        decode_object(body, SHAPE, SOURCE)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"null", "$ should be an object, but is "),
        (b"[]", "$ should be an object, but is []"),
        (b'"text"', "$ should be an object, but is 'text'"),
        (b"5", "$ should be an object, but is 5"),
        (b"{}", "$.offset is missing"),
        (b'{"offset": 0, "count": 0, "totalCount": 0}', "$.list is missing"),
        (b'{"offset": 0, "count": 0, "totalCount": 0, "list": null}', "$.list is null"),
        (b'{"offset": 0, "count": 0, "totalCount": 0, "list": {}}', "$.list should be a list"),
        (b'{"offset": null, "count": 0, "totalCount": 0, "list": []}', "$.offset is null"),
        (b'{"offset": 0, "count": 0, "totalCount": "0", "list": []}', "$.totalCount should be an"),
        (b'{"offset": 0, "count": 0.5, "totalCount": 0, "list": []}', "$.count should be an"),
        (b'{"offset": 0, "count": 1, "totalCount": 1, "list": [null]}', "$.list[0] should be an"),
        (b'{"offset": 0, "count": 1, "totalCount": 1, "list": [[]]}', "$.list[0] should be an"),
        (b'{"code": 1, "id": 2, "message": "No", "parameters": []}', "$.offset is missing"),
        (page([ITEM]) * 2, "it is not JSON (Extra data"),
        (page([ITEM]) + b"\n" + page([ITEM]), "it is not JSON (Extra data"),
        (page([ITEM])[:-1], "it is not JSON ("),
        (page([ITEM])[1:], "it is not JSON ("),
        *(
            (before + page([ITEM]) + after, "it is not JSON (")
            for odd in (b"\x0c", b"\x0b", b"\x00", b"\x1c", b"\xc2\xa0", b"\xe2\x80\xa8", b"\x1a")
            for before, after in ((odd, b""), (b"", odd), (b" " + odd, odd + b"\n"))
        ),
        (codecs.BOM_UTF8 * 2 + page([ITEM]), "it is not JSON ("),
        (b" " + codecs.BOM_UTF8 + page([ITEM]), "it is not JSON ("),
        (page([ITEM]) + codecs.BOM_UTF8, "it is not JSON ("),
        (page([ITEM]).decode().encode("utf-16"), "it is not JSON ("),
        (page([ITEM]).decode().encode("utf-16-le"), "it is not JSON ("),
        (page([ITEM]).decode().encode("utf-32"), "it is not JSON ("),
        (page([ITEM]).replace(b"]}", b",]}"), "it is not JSON ("),
        (page([ITEM]).replace(b'"a"', b"'a'"), "it is not JSON ("),
        (page([ITEM]).replace(b"a", b"\n"), "it is not JSON ("),
        (b"Service Unavailable", "it is not JSON ("),
        (b"{", "it is not JSON ("),
        (b"}", "it is not JSON ("),
        (b"{}}", "it is not JSON ("),
        (b'{"list": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "it nests too deeply"),
    ],
)
def test_no_page(body: bytes, what: str) -> None:
    """What is not one JSON object of a page's shape is an error that says what it is."""
    assert fault(body).startswith(what)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"<!DOCTYPE html><title>Log in</title>", "is a web page"),
        (b"\n\n <html><body>502 Bad Gateway</body></html>", "is a web page"),
        (b"<HTML>", "is a web page"),
        (b'<?xml version="1.0"?><error/>', "is a web page"),
    ],
)
def test_not_from_the_api(body: bytes, what: str) -> None:
    """An empty answer or a web page is named for what it is: not of the API."""
    with pytest.raises(GatewayError, match=f"{what}.*, not the API") as caught:
        decode_page(body, COLUMNS, SOURCE)
    assert SOURCE in str(caught.value)
    with pytest.raises(GatewayError, match=what):
        decode_object(body, SHAPE, SOURCE)


@given(st.binary(max_size=40) | st.binary(max_size=6).map(lambda noise: b"{" + noise + b"}"))
@settings(max_examples=up_to(100))
def test_no_bytes_are_a_page_by_chance(body: bytes) -> None:
    """Whatever bytes come, only errors of the package come out."""
    with pytest.raises((ApiResultsError, GatewayError)):
        decode_page(body, COLUMNS, SOURCE)
    with pytest.raises((ApiResultsError, GatewayError)):
        decode_object(body, SHAPE, SOURCE)


@given(st.data())
@settings(max_examples=up_to(100))
def test_a_page_cut_anywhere(data: st.DataObject) -> None:
    """A page that is cut off anywhere is refused."""
    body = page([variable_item("name\u20ac"), variable_item("other", kind="Date")])
    end = data.draw(st.integers(1, len(body) - 1))
    assert fault(body[:end], schema.VARIABLES).startswith("it is not JSON")


def test_long_values_are_cut_in_messages() -> None:
    """A message shows the beginning of a long value, in ASCII."""
    said = fault(page([{**ITEM, "number": "\x1b[31m\u202e" * 1000}]))
    assert said.isascii()
    assert len(said) < 150


@pytest.mark.parametrize(
    "body",
    [
        page([ITEM]).decode().encode("utf-16"),
        page([ITEM]).replace(b"1.5", b"1e999"),
    ],
    ids=["UTF-16", "too large for a double"],
)
def test_what_is_refused_is_named_for_what_it_is(body: bytes) -> None:
    """What Arrow's reader refuses and Python's takes is not taken for a field twice."""
    assert "twice" not in fault(body)


def test_byte_order_mark() -> None:
    """A byte order mark before a page is passed over."""
    body = page([ITEM])
    marked = decode_page(codecs.BOM_UTF8 + body, COLUMNS, SOURCE)
    assert marked.rows == decode_page(body, COLUMNS, SOURCE).rows


# Single objects, errors and times


@pytest.mark.parametrize(
    "value",
    [
        {"name": "holidays"},
        {"name": "", "size": None, "date": None, "user": None, "more": [{"a": 1}]},
        {"name": "x", "size": -(2**63), "date": "2019-11-27T15:57:24Z", "user": {"id": "1"}},
    ],
)
def test_object_comes_as_it_was_sent(value: dict[str, Any]) -> None:
    """A single object that has the declared shape is given back whole."""
    assert decode_object(json.dumps(value).encode(), SHAPE, SOURCE) == value


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"{}", "$.name is missing"),
        (b'{"name": null}', "$.name is null"),
        (b'{"name": 5}', "$.name should be a string, but is 5"),
        (b'{"name": "\\ud800"}', "$.name should be a string, but is '\\ud800'"),
        (b'{"name": "x", "size": true}', "$.size should be an integer, but is "),
        (b'{"name": "x", "date": "soon"}', "$.date should be a date and time, but is 'soon'"),
        (b'{"name": "x", "user": {}}', "$.user.id is missing"),
        (b'{"name": "x", "user": {"id": 1}}', "$.user.id should be a string, but is 1"),
        (b'{"name": "x", "user": []}', "$.user should be an object, but is []"),
        (b"[]", "$ should be an object, but is []"),
        (b"null", "$ should be an object, but is "),
        (b'{"name": "x"}{}', "it is not JSON (Extra data"),
        (b'{"name": "\xff"}', "it is not JSON ('utf-8' codec can't decode"),
        (b'{"name":' * 100_000, "it nests too deeply"),
    ],
)
def test_object_of_another_shape(body: bytes, what: str) -> None:
    """A single object that is not of the declared shape is an error that names the place."""
    with pytest.raises(ApiResultsError) as caught:
        decode_object(body, SHAPE, SOURCE)
    assert fault_of(caught.value).startswith(what)


SAYINGS: dict[bytes, Said] = {
    b'{"code": 40, "id": 17, "message": "Kein Zugriff \xe2\x80\x93", "parameters": null}': Said(
        "Kein Zugriff \u2013", (), 40, 17
    ),
    b'{"message": "No", "parameters": [{"key": "a", "value": "b"}, {"key": "c"}]}': Said(
        "No", ("a: b", "c")
    ),
    b'{"parameters": {"a": 5, "b": null}}': Said("", ("a: 5", "b")),
    b'{"parameters": ["a", "", null]}': Said("", ("a",)),
    b'{"Message": "No", "Id": 3}': Said("No", (), None, 3),
    b'{"Message": "No", "ExceptionMessage": "Why", "StackTrace": "at X"}': Said("No; Why"),
    b'{"Message": "Bad", "ModelState": {"UserLogin": ["too long", "odd"]}}': Said(
        "Bad; UserLogin: too long; UserLogin: odd"
    ),
    b'{"InnerException": {"Message": "In"}, "Message": "Out"}': Said("Out; In"),
    b'{"type": "about:blank", "title": "No", "status": 403, "detail": "Why"}': Said("No; Why"),
    b'{"title": "No", "errors": {"a": ["x"], "b": "y"}}': Said("No; a: x; b: y"),
    b'{"errors": [{"message": "x"}, "y"]}': Said("x; y"),
    b'{"error": "invalid_grant", "error_description": "locked"}': Said("invalid_grant; locked"),
    b'{"error": {"code": 5, "message": "No"}}': Said("No"),
    b'{"text": "Hello"}': Said("Hello"),
    b'{"message": "No", "title": "No"}': Said("No"),
    b'{"mfaToken": "x", "other": {"message": "y"}}': Said(""),
    b'"locked out until 10:00"': Said("locked out until 10:00"),
    b'["one", {"message": "two"}]': Said("one; two"),
    b'{"code": "5", "id": 1.5, "message": 5}': Said(""),
    b'{"code": true, "id": null}': Said(""),
    b'{"message": "\xe4"}': Said("\xe4"),
    b"null": Said(""),
    b"[1]": Said(""),
    b"5": Said(""),
}
"""What JSON says."""


@pytest.mark.parametrize(("body", "words"), SAYINGS.items())
def test_messages(body: bytes, words: Said) -> None:
    """The messages of an answer are read wherever servers put them, and nothing else is."""
    assert said(body) == words._replace(is_json=True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", Said("")),
        (b" \n", Said("")),
        (b"Sorry, \xe4\n", Said("Sorry, \xe4")),
        (b"\xef\xbb\xbfBusy", Said("Busy")),
        (b"<html>", Said("", is_page=True)),
        (b"<HTML><TITLE>404 &ndash; No</TITLE>", Said("404 \u2013 No", is_page=True)),
        (b"\x1f\x8b\x08\x00 No token", Said("")),
        (b"<html><body><h1 class='a'>No</h1>", Said("No", is_page=True)),
        (b"<Error><Code>5</Code></Error>", Said("", is_page=True)),
    ],
)
def test_messages_that_are_no_json(body: bytes, words: Said) -> None:
    """Plain text is what it says, and of a page the title is."""
    assert said(body) == words


@given(st.binary(max_size=30))
def test_any_bytes_as_an_error_message(body: bytes) -> None:
    """No body of an error answer makes reading it fail."""
    assert isinstance(said(body).shown, str)


def test_long_messages_are_truncated() -> None:
    """What an answer says is shown up to some hundred characters."""
    words = said(json.dumps({"message": "x" * 9_000, "parameters": ["y" * 9_000]}).encode())
    assert words.shown == f"'{'x' * 500}...' ('{'y' * 500}...')"


def test_decoded_times_are_naive() -> None:
    """A decoded time has no zone, also where the API wrote one."""
    assert decode_time("2019-11-27T15:57:24Z").tzinfo is None
