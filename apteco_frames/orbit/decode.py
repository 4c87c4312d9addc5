"""Bytes of the API's answers become Arrow tables, or an error that names the place.

Arrow's own JSON reader does the work: it is strict about types, needs no Python object
per item and lets other threads run. (polars' is quicker, but turns a number into a
string, or the like, without a word.) It does not say where in a page something is
wrong, so a page that it refuses is read once more, slowly, to find the place.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as arrow_json

from apteco_frames.errors import ApiResultsError, GatewayError
from apteco_frames.orbit.schema import BOOL, DOUBLE, INT, STRING, TIMESTAMP, Column

# A FastStats local time. A zone, should a server ever add one, is not part of it;
# .NET writes up to seven digits of a second, of which Arrow keeps six.
_YEAR = r"(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])"
_TIME = re.compile(
    rf"({_YEAR}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:(\.\d{{1,6}})\d*)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_TIME_COLUMN = rf"^{_TIME.pattern}$"

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


@dataclass(frozen=True, slots=True)
class Page:
    """One decoded page of a list of the API.

    Attributes:
        offset: how many items of the list come before this page.
        count: the API's count of this page; on the last page it may exceed the rows.
        total: the number of items in the whole list.
        rows: the items of the page, one row each.
    """

    offset: int
    count: int
    total: int
    rows: pa.Table


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
        ApiResultsError: the body is no such page; the message names the place, as
            ``$.list[17].tableName``.

    >>> from apteco_frames.orbit.schema import Column, STRING
    >>> name = Column("name", STRING, False, "name", "")
    >>> body = b'{"offset": 0, "count": 1, "totalCount": 1, "list": [{"name": "People"}]}'
    >>> decode_page(body, (name,), "http://localhost").rows.to_pylist()
    [{'name': 'People'}]
    """
    page = _read(body, columns)
    if page is None:
        raise _explain(body, _page_shape(columns), source)
    return page


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
        ApiResultsError: the body is no such object; the message names the place.

    >>> shape = pa.struct([pa.field("name", pa.string(), nullable=False)])
    >>> decode_object(b'{"name": "holidays", "size": 5}', shape, "http://localhost")
    {'name': 'holidays', 'size': 5}
    """
    value = _load(body, source)
    fault = _find_fault(value, shape, "$")
    if fault:
        raise _results_error(fault, source)
    return value  # type: ignore[no-any-return]


def decode_time(text: str) -> datetime:
    """Decode a local time of the API, such as ``2019-11-27T15:57:24``.

    Returns:
        a naive ``datetime``: FastStats times have no zone.

    Raises:
        ValueError: the text is no such time.

    >>> decode_time("2019-11-27T15:57:24")
    datetime.datetime(2019, 11, 27, 15, 57, 24)
    """
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:40]!r} is not a date and time")
    return datetime.fromisoformat(match[1] + (match[2] or ""))


def decode_error(body: bytes) -> tuple[int | None, int | None, str | None]:
    """The code, id and message of an ``ErrorMessage``; Nones for whatever is not there.

    >>> decode_error(b'{"code": 5, "id": 17, "message": "No such table"}')
    (5, 17, 'No such table')
    >>> decode_error(b"<html>")
    (None, None, None)
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None, None, None
    if not isinstance(value, dict):
        return None, None, None
    code, error_id, message = (value.get(key) for key in ("code", "id", "message"))
    return (
        code if type(code) is int else None,
        error_id if type(error_id) is int else None,
        message if isinstance(message, str) else None,
    )


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


@cache
def _json_schema(shape: pa.StructType) -> pa.Schema:
    return pa.schema(list(_json_type(shape)))


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
    text = body.removeprefix(codecs.BOM_UTF8).strip(b" \t\r\n")
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return None
    try:
        if not text.isascii():
            text.decode()  # what is no UTF-8 goes through the reader unseen
        page = arrow_json.read_json(
            pa.BufferReader(text),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=_json_schema(_page_shape(columns)),
                newlines_in_values=True,
                unexpected_field_behavior="ignore",
            ),
            memory_pool=_SYSTEM_POOL,
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    if page.num_rows != 1 or any(column.null_count for column in page.columns):
        return None
    items = page["list"].chunk(0).flatten()
    if items.null_count:
        return None
    arrays = [_declared(_field_of(items, column), column) for column in columns if column.api_field]
    if any(array is None for array in arrays):
        return None
    offset, count, total = (page[name][0].as_py() for name in _PAGE_NUMBERS)
    return Page(offset, count, total, _rows(arrays, columns))


def _field_of(items: pa.Array, column: Column) -> pa.Array:
    # struct_field, unlike StructArray.field, hides what stands below a null object.
    found = [pc.struct_field(items, field.split(".")) for field in column.api_fields]
    return found[0] if len(found) == 1 else pc.coalesce(*found)


def _declared(array: pa.Array, column: Column) -> pa.Array | None:
    """The values under the column's declared type; None if one does not fit."""
    if not column.nullable and array.null_count:
        return None
    if column.type != TIMESTAMP:
        return array
    if array.null_count == len(array):
        return pa.nulls(len(array), TIMESTAMP)
    if pc.all(pc.match_substring_regex(array.drop_null(), _TIME_COLUMN)).as_py() is False:
        return None
    try:
        return pc.replace_substring_regex(array, _TIME_COLUMN, r"\1\2").cast(TIMESTAMP)
    except pa.ArrowInvalid:  # the 31st of February
        return None


def _rows(arrays: list[pa.Array], columns: tuple[Column, ...]) -> pa.Table:
    fields = [pa.field(c.name, c.type, c.nullable) for c in columns if c.api_field]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _explain(body: bytes, shape: pa.StructType, source: str) -> ApiResultsError | GatewayError:
    """The error for a body that the strict reader refused: what is wrong, and where."""
    try:
        value = _load(body, source)
    except (ApiResultsError, GatewayError) as error:
        return error
    fault = _find_fault(value, shape, "$")
    if fault is None:
        fault = _repeated_field(body) or "Arrow's JSON reader refuses what another takes"
    return _results_error(fault, source)


def _repeated_field(body: bytes) -> str | None:
    """Which field stands twice in one object, in words; None if none does."""
    repeated: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        repeated.extend(name for name in set(names) if names.count(name) > 1)
        return dict(pairs)

    json.loads(body.removeprefix(codecs.BOM_UTF8), object_pairs_hook=note)
    return f"a field stands twice in one object: {_show(repeated[0])}" if repeated else None


def _load(body: bytes, source: str) -> Any:
    text = body.removeprefix(codecs.BOM_UTF8).strip()
    if not text:
        raise GatewayError(
            f"The answer of {source} is empty: a gateway or proxy answered, not the API. "
            "Try again, and check the base URL with your administrator if it stays so."
        )
    if text.startswith(b"<"):
        raise GatewayError(
            f"The answer of {source} is a web page: a gateway, a proxy or a login page "
            "answered, not the API. Check the base URL, your VPN and your proxy."
        )
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        what = str(error)
    except (ValueError, RecursionError) as error:
        what = type(error).__name__
    # Raised out here, since the errors above hold the body, which may hold a token.
    raise _results_error(f"it is not JSON ({what})", source)


def _results_error(fault: str, source: str) -> ApiResultsError:
    return ApiResultsError(
        f"The answer of {source} is not what the Orbit API describes: {fault}. "
        "Nothing of it was used. Try again; if it stays so, show this message to the "
        "administrator of your Orbit installation."
    )


def _find_fault(value: Any, shape: pa.DataType, place: str) -> str | None:
    """What does not fit its declared shape first, in words; None if all fits."""
    if isinstance(shape, pa.StructType):
        if not isinstance(value, dict):
            return f"{place} should be an object, but is {_show(value)}"
        for field in shape:
            at = f"{place}.{field.name}"
            if value.get(field.name) is None:
                if not field.nullable:
                    return f"{at} is {'null' if field.name in value else 'missing'}"
                continue
            fault = _find_fault(value[field.name], field.type, at)
            if fault:
                return fault
        return None
    if isinstance(shape, pa.ListType):
        if not isinstance(value, list):
            return f"{place} should be a list, but is {_show(value)}"
        faults = (_find_fault(v, shape.value_type, f"{place}[{i}]") for i, v in enumerate(value))
        return next(filter(None, faults), None)
    return (
        None if _fits(value, shape) else f"{place} should be {_KINDS[shape]}, but is {_show(value)}"
    )


def _fits(value: Any, shape: pa.DataType) -> bool:
    if shape == BOOL:
        return isinstance(value, bool)
    if shape == INT:
        return type(value) is int and -(2**63) <= value < 2**63
    if shape == DOUBLE:
        return type(value) in (int, float)
    if not isinstance(value, str) or not _is_unicode(value):
        return False
    return shape != TIMESTAMP or _is_time(value)


def _is_time(text: str) -> bool:
    try:
        decode_time(text)
    except ValueError:
        return False
    return True


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _show(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
