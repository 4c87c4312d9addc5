"""Turn the API's answers into Arrow tables, or raise an error that says what is wrong where.

Arrow's own JSON reader does the work: it is strict about types, needs no Python object
per item and lets other threads run. (polars' is quicker, but silently turns numbers into
strings and the like.) It does not say where in a page something is
wrong, so a page that it refuses is read once more, slowly, to find where; or to
replace by null what .NET writes for numbers that are not finite.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as arrow_json

from apteco_frames.orbit.json_text import bare, load, results_error, show
from apteco_frames.schema.column import BOOL, DOUBLE, INT, STRING, TIMESTAMP, Column, api_schema
from apteco_frames.support.text import is_unicode
from apteco_frames.support.times import TIME_GROUPS, TIME_PATTERN, decode_time

# Arrow's own pool keeps for each thread what a page took while it was read.
_SYSTEM_POOL = pa.system_memory_pool()

_PAGE_NUMBERS = ("offset", "count", "totalCount")

_KINDS = {
    STRING: "a string",
    BOOL: "a boolean",
    INT: "an integer",
    DOUBLE: "a number",
    TIMESTAMP: "a date and time",
}
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")


@dataclass(frozen=True, slots=True)
class Page:
    """One decoded page of a list of the API.

    Attributes:
        offset: how many items of the list come before this page.
        count: the API's count of this page; on the last page it may exceed the rows.
        total: the number of items in the whole list.
        rows: the items of the page, one row each.
        not_finite: where the API gave ``NaN`` or an infinity for a number, in words; those
            are null in the rows.
    """

    offset: int
    count: int
    total: int
    rows: pa.Table
    not_finite: tuple[str, ...] = ()


def decode_page(body: bytes, columns: tuple[Column, ...], source: str) -> Page:
    """Decode one ``PagedResults`` answer.

    Args:
        body: the answer's body, UTF-8 JSON.
        columns: what each item must have; derived columns are passed over, fields of
            the API that no column names are ignored.
        source: the URL the body came from, for error messages.

    Returns:
        the page, its rows under the declared types of ``columns``.

    Raises:
        GatewayError: the body is empty or HTML: it does not come from the API.
        ApiResultsError: the body is not such a page; the message says where, as
            ``$.list[17].tableName``.

    >>> from apteco_frames.schema.column import Column, STRING
    >>> name = Column("name", STRING, False, "name", "")
    >>> body = b'{"offset": 0, "count": 1, "totalCount": 1, "list": [{"name": "People"}]}'
    >>> decode_page(body, (name,), "http://localhost").rows.to_pylist()
    [{'name': 'People'}]
    """
    return _read(body, columns) or _read_slowly(body, columns, source)


def decode_object(body: bytes, shape: pa.StructType, source: str) -> dict[str, Any]:
    """Decode a single JSON object, checked against its declared shape.

    Args:
        body: the answer's body, UTF-8 JSON.
        shape: the fields to check; a field that is not nullable must be there.
        source: the URL the body came from, for error messages.

    Returns:
        the object as it was sent, fields beyond ``shape`` included.

    Raises:
        GatewayError: the body is empty or HTML: it does not come from the API.
        ApiResultsError: the body is not such an object; the message says where.

    >>> shape = pa.struct([pa.field("name", pa.string(), nullable=False)])
    >>> decode_object(b'{"name": "holidays", "size": 5}', shape, "http://localhost")
    {'name': 'holidays', 'size': 5}
    """
    value = load(body, source)
    fault = find_fault(value, shape)
    if fault:
        raise results_error(fault, source, body)
    return value  # type: ignore[no-any-return]


# Most pages of codes are small, and this takes as long as to read one.
@cache
def _parse_options(columns: tuple[Column, ...]) -> arrow_json.ParseOptions:
    return arrow_json.ParseOptions(
        explicit_schema=pa.schema(list(_json_type(_page_shape(columns)))),
        newlines_in_values=True,
        unexpected_field_behavior="ignore",
    )


def _json_type(shape: pa.DataType) -> pa.DataType:
    """What Arrow's reader is told to expect: nulls anywhere, and times as text."""
    if isinstance(shape, pa.StructType):
        return pa.struct([pa.field(field.name, _json_type(field.type)) for field in shape])
    if isinstance(shape, pa.ListType):
        return pa.list_(_json_type(shape.value_type))
    return STRING if shape == TIMESTAMP else shape


def _read(body: bytes, columns: tuple[Column, ...]) -> Page | None:
    """The page, if it is of the declared shape."""
    # Arrow's reader takes a sequence of objects; and a body "null" ends the process.
    text = bare(body)
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return None
    try:
        if not text.isascii():
            text.decode()  # what is no UTF-8 goes through the reader unseen
        page = arrow_json.read_json(
            pa.BufferReader(text),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=_parse_options(columns),
            memory_pool=_SYSTEM_POOL,
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    if page.num_rows != 1 or any(column.null_count for column in page.columns):
        return None
    items = page["list"].chunk(0).flatten()
    if items.null_count:
        return None
    rows = _rows([_field_of(items, column) for column in columns if column.api_field], columns)
    offset, count, total = (page[name][0].as_py() for name in _PAGE_NUMBERS)
    return None if rows is None else Page(offset, count, total, rows)


def _read_slowly(body: bytes, columns: tuple[Column, ...], source: str) -> Page:
    """The page with nulls for what .NET writes where a double is not finite.

    Raises:
        GatewayError: the body does not come from the API.
        ApiResultsError: it is not a page; the message says where.
    """
    page = load(body, source)
    fault = find_fault(page, _page_shape(columns))
    if fault:
        raise results_error(fault, source, body)
    not_finite = tuple(
        line
        for position, item in enumerate(page["list"])
        for column in columns
        if column.type == DOUBLE
        for line in _without_not_finite(item, column, position)
    )
    with suppress(RecursionError):
        decoded = _read(json.dumps(page).encode(), columns) if not_finite else None
        if decoded:
            return replace(decoded, not_finite=not_finite)
    raise results_error(
        "a field occurs twice in one object, or Arrow's JSON reader refuses what Python's reads",
        source,
    )


def _without_not_finite(item: dict[str, Any], column: Column, position: int) -> Iterator[str]:
    """Put nulls in place of a column's numbers that are not finite; say where they were."""
    for field in column.api_fields:
        *groups, name = field.split(".")
        holder: dict[str, Any] = item
        for group in groups:
            holder = holder.get(group) or {}
        if _is_not_finite(holder.get(name)):
            named = item.get("name")
            which = show(named) if isinstance(named, str) else f"item {position}"
            yield f"{field} of {which} is {holder[name]}"
            holder[name] = None


def _field_of(items: pa.Array, column: Column) -> pa.Array:
    # struct_field, unlike StructArray.field, hides what stands below a null object.
    found = [
        pc.struct_field(items, field.split(".")) if "." in field else items.field(field)
        for field in column.api_fields
    ]
    return found[0] if len(found) == 1 else pc.coalesce(*found)


def _rows(arrays: list[pa.Array], columns: tuple[Column, ...]) -> pa.Table | None:
    """The values under the columns' declared types; None if one does not fit."""
    declared = [column for column in columns if column.api_field]
    fitting = [_declared(array, c) for array, c in zip(arrays, declared, strict=True)]
    if any(array is None for array in fitting):
        return None
    return pa.Table.from_arrays(fitting, schema=api_schema(columns))


def _declared(array: pa.Array, column: Column) -> pa.Array | None:
    if not column.nullable and array.null_count:
        return None
    # Arrow takes NaN and Infinity, and an integer of 400 digits for an infinity.
    if column.type == DOUBLE and pc.all(pc.is_finite(array)).as_py() is False:
        return None
    if column.type != TIMESTAMP:
        return array
    if array.null_count == len(array):
        return pa.nulls(len(array), TIMESTAMP)
    if pc.all(pc.match_substring_regex(array.drop_null(), TIME_PATTERN)).as_py() is False:
        return None
    try:
        return pc.replace_substring_regex(array, TIME_PATTERN, TIME_GROUPS).cast(TIMESTAMP)
    except pa.ArrowInvalid:  # the 31st of February
        return None


def _item_shape(columns: Sequence[Column]) -> pa.StructType:
    """The JSON shape of an item: objects nest where ``api_field`` has a dot."""
    fields: list[pa.Field] = []
    groups: dict[str, list[pa.Field]] = {}
    for column in columns:
        for api_field in column.api_fields:
            group, dot, name = api_field.rpartition(".")
            siblings = groups.setdefault(group, []) if dot else fields
            siblings.append(pa.field(name, column.type, column.nullable))
    return pa.struct([*fields, *(pa.field(name, pa.struct(g)) for name, g in groups.items())])


@cache
def _page_shape(columns: tuple[Column, ...]) -> pa.StructType:
    """The JSON shape of a page of items."""
    return pa.struct(
        [
            pa.field("offset", INT, nullable=False),
            pa.field("count", INT, nullable=False),
            pa.field("totalCount", INT, nullable=False),
            pa.field(
                "list",
                pa.list_(pa.field("item", _item_shape(columns), nullable=False)),
                nullable=False,
            ),
        ]
    )


def _is_not_finite(value: Any) -> bool:
    """Whether a value is what .NET writes for a double that is not finite.

    Newtonsoft.Json writes a literal or a string, as it is told; ``System.Text.Json`` a string.
    """
    return value in _NOT_FINITE


def find_fault(
    value: Any, shape: pa.DataType, json_path: str = "$", *, quoting: bool = True
) -> str | None:
    """What does not fit its declared shape first, in words; None if all fits.

    Doubles that may be null may be what .NET writes for those that are not finite.

    Args:
        value: the value.
        shape: what it should be.
        json_path: where it stands.
        quoting: whether to say what it is instead, which may be a secret.

    >>> find_fault({"name": 5}, pa.struct([pa.field("name", STRING)]))
    '$.name should be a string, but is 5'
    """

    def should_be(kind: str) -> str:
        return f"{json_path} should be {kind}" + (f", but is {show(value)}" if quoting else "")

    if isinstance(shape, pa.StructType):
        if not isinstance(value, dict):
            return should_be("an object")
        for field in shape:
            at = f"{json_path}.{field.name}"
            inner = value.get(field.name)
            if inner is None and not field.nullable:
                return f"{at} is {'null' if field.name in value else 'missing'}"
            if inner is None or (field.type == DOUBLE and field.nullable and _is_not_finite(inner)):
                continue
            fault = find_fault(inner, field.type, at, quoting=quoting)
            if fault:
                return fault
        return None
    if isinstance(shape, pa.ListType):
        if not isinstance(value, list):
            return should_be("a list")
        kind = shape.value_type
        faults = (
            find_fault(v, kind, f"{json_path}[{i}]", quoting=quoting) for i, v in enumerate(value)
        )
        return next(filter(None, faults), None)
    return None if _fits(value, shape) else should_be(_KINDS[shape])


def _fits(value: Any, shape: pa.DataType) -> bool:
    if shape == BOOL:
        return isinstance(value, bool)
    if shape == INT:
        return type(value) is int and -(2**63) <= value < 2**63
    if shape == DOUBLE:
        return type(value) in (int, float) and abs(value) <= sys.float_info.max
    if not isinstance(value, str) or not is_unicode(value):
        return False
    if shape == TIMESTAMP:
        try:
            decode_time(value)
        except ValueError:
            return False
    return True
