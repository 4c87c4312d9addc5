"""A catalogue as the Orbit API writes it: the inverse of ``orbit/decode.py``.

What decoding keeps comes back to the letter; what it passes over (fields that no
column holds) is gone. JSON has no NaN and no infinity: both become null.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.schema import CODES, FOLDERS, TABLES, VARIABLES
from apteco_frames.schema.column import Column
from apteco_frames.system import FastStatsSystem

INFOS = {
    "Selector": "selectorInfo",
    "Numeric": "numericInfo",
    "Text": "textInfo",
    "Reference": "referenceInfo",
}
"""The object that the API adds to a variable of each of its types; null on the others."""

# Servers of before 1.10.25 know nothing of these: without a value they are left out.
_NEWER = frozenset(
    {
        "path",
        "notes",
        "unclassifiedCode",
        "unclassifiedDescription",
        "decimalPlaces",
        "referenceType",
        "length",
    }
)


class Items(Protocol):
    """A list of encoded items, of which slices are taken."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> list[bytes]: ...


def table_items(tables: pa.Table) -> Iterator[dict[str, Any]]:
    """The tables of a catalogue as items of the API.

    Args:
        tables: the Arrow table of a catalogue's tables.

    >>> from apteco_frames.demo import holidays
    >>> next(table_items(holidays().tables.arrow))["totalRecords"]
    742565
    """
    return _objects(_values(tables, TABLES))


def variable_items(variables: pa.Table) -> Iterator[dict[str, Any]]:
    """The variables of a catalogue as items of the API.

    ``selectorInfo`` and its like are there where the variable is of that type, or
    has a value that belongs in it. Fields that only newer servers know are there where
    they have a value, the others are null without one.

    Args:
        variables: the Arrow table of a catalogue's variables.

    >>> from apteco_frames.demo import holidays
    >>> next(variable_items(holidays().variables.arrow))["referenceInfo"]
    {}
    """
    flat: dict[str, list[Any]] = {}
    groups: dict[str, dict[str, list[Any]]] = {info: {} for info in INFOS.values()}
    for api_field, values in _values(variables, VARIABLES).items():
        group, dot, name = api_field.rpartition(".")
        (groups[group] if dot else flat)[name] = values
    api_types = flat["type"]
    both = list(zip(groups["numericInfo"]["decimalPlaces"], api_types, strict=True))
    groups["numericInfo"]["decimalPlaces"] = [n if t != "Reference" else None for n, t in both]
    groups["referenceInfo"]["decimalPlaces"] = [n if t == "Reference" else None for n, t in both]
    for api_type, info in INFOS.items():
        flat[info] = _infos(groups[info], [value == api_type for value in api_types])
    return _objects(flat)


def code_items(codes: pa.Table, *, with_counts: bool = True) -> Iterator[dict[str, Any]]:
    """Codes of a catalogue as items of the API.

    Args:
        codes: an Arrow table of codes.
        with_counts: whether they have their counts; null without.

    >>> from apteco_frames.demo import holidays
    >>> next(code_items(holidays().codes.arrow.slice(5)))
    {'code': '05', 'description': 'East Midlands', 'count': 44903}
    """
    values = _values(codes, CODES)
    if not with_counts:
        values["count"] = [None] * len(codes)
    return _objects(values)


def folder_items(folders: pa.Table) -> Iterator[dict[str, Any]]:
    """The folders of a catalogue as items of the API.

    Args:
        folders: an Arrow table of folders.

    >>> from apteco_frames.demo import holidays
    >>> next(folder_items(holidays().folders.arrow))["path"]
    'Household'
    """
    return _objects(_values(folders, FOLDERS))


def short_table_items(tables: pa.Table) -> Iterator[dict[str, Any]]:
    """The tables of a catalogue as the list of all items has them.

    Args:
        tables: the Arrow table of a catalogue's tables.

    >>> from apteco_frames.demo import holidays
    >>> next(short_table_items(holidays().tables.arrow))
    {'name': 'Households', 'pluralDisplayName': 'Households'}
    """
    values = _values(tables, TABLES)
    return _objects({name: values[name] for name in ("name", "pluralDisplayName")})


def system(info: FastStatsSystem) -> dict[str, Any]:
    """A system as the API's ``FastStatsSystemSummary``."""
    return {
        "name": info.name,
        "viewName": info.view_name,
        "description": info.description,
        "fastStatsBuildDate": info.build_date.isoformat() if info.build_date else None,
    }


def system_detail(info: FastStatsSystem, date_settings: Mapping[str, Any]) -> dict[str, Any]:
    """A system as the API's ``FastStatsSystemDetail``.

    >>> from apteco_frames.demo import holidays
    >>> system_detail(holidays().system_info, {})["fastStatsBuildDate"]
    '2019-11-27T15:57:24'
    """
    return {"dateSettings": dict(date_settings), **system(info)}


def encode(value: Any) -> bytes:
    """A value as compact UTF-8 JSON.

    Raises:
        ValueError: it holds a NaN or an infinity.

    >>> encode({"currencySymbol": "£"}).decode()
    '{"currencySymbol":"£"}'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def encode_all(items: Iterable[Any]) -> list[bytes]:
    """Each item on its own as compact UTF-8 JSON.

    >>> encode_all([1, "a"])
    [b'1', b'"a"']
    """
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return [encoder.encode(item).encode() for item in items]


def encode_page(items: Items, offset: int, count: int) -> bytes:
    """One page of a list, as the API's pager makes it.

    Args:
        items: the whole list, each item encoded.
        offset: how many items to pass over, not negative.
        count: how many items are asked for, not negative; with 0 the page is empty.

    Returns:
        a ``PagedResults`` whose ``count`` is the smaller of the count asked for and
        the length of the whole list, as the real pager sets it. So on the last page it
        may exceed the length of ``list``.

    >>> encode_page([b"1", b"2", b"3"], 2, 2)
    b'{"offset":2,"count":2,"totalCount":3,"list":[3]}'
    """
    total = len(items)
    head = b'{"offset":%d,"count":%d,"totalCount":%d,"list":[' % (offset, min(count, total), total)
    return head + b",".join(items[offset : offset + count]) + b"]}"


def _values(table: pa.Table, columns: tuple[Column, ...]) -> dict[str, list[Any]]:
    """The values of each column under its API field; a column at a time, for speed."""
    return {
        column.api_field: _json_values(table[column.name]) for column in columns if column.api_field
    }


def _json_values(column: Any) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        times = pc.replace_substring(column.cast(pa.string()), " ", "T")
        column = pc.replace_substring_regex(times, r"\.0+$", "")
    elif pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    values: list[Any] = column.to_pylist()
    return values


def _infos(columns: dict[str, list[Any]], wanted: list[bool]) -> list[dict[str, Any] | None]:
    return [
        info if is_wanted or any(value is not None for value in info.values()) else None
        for info, is_wanted in zip(_objects(columns), wanted, strict=True)
    ]


def _objects(columns: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    names = tuple(columns)
    newer = _NEWER.intersection(names)
    for row in zip(*columns.values(), strict=True):
        item = dict(zip(names, row, strict=True))
        for name in newer:
            if item[name] is None:
                del item[name]
        yield item
