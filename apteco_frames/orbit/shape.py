"""What an answer must look like, as Arrow types, and what does not fit first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from apteco_frames.orbit.json_text import NotFinite, show
from apteco_frames.schema.column import BOOL, DOUBLE, INT, STRING, TIMESTAMP, Column
from apteco_frames.support.times import decode_time

_KINDS = {
    STRING: "a string",
    BOOL: "a boolean",
    INT: "an integer",
    DOUBLE: "a number",
    TIMESTAMP: "a date and time",
}
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")


def item_shape(columns: Sequence[Column]) -> pa.StructType:
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
def page_shape(columns: tuple[Column, ...]) -> pa.StructType:
    """The JSON shape of a page of items."""
    return pa.struct(
        [
            pa.field("offset", INT, nullable=False),
            pa.field("count", INT, nullable=False),
            pa.field("totalCount", INT, nullable=False),
            pa.field(
                "list",
                pa.list_(pa.field("item", item_shape(columns), nullable=False)),
                nullable=False,
            ),
        ]
    )


def is_no_number(value: Any) -> bool:
    """Whether a value is what .NET writes for a double that is not finite.

    Newtonsoft.Json writes a literal or a string, as it is told; ``System.Text.Json`` a string.

    >>> is_no_number(NotFinite("NaN")), is_no_number("-Infinity"), is_no_number(NotFinite("1e400"))
    (True, True, False)
    """
    return (value.text if isinstance(value, NotFinite) else value) in _NO_NUMBERS


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
            if inner is None or (field.type == DOUBLE and field.nullable and is_no_number(inner)):
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
        return type(value) is float or (type(value) is int and _is_double(value))
    if not isinstance(value, str) or not _is_unicode(value):
        return False
    return shape != TIMESTAMP or _is_time(value)


def _is_double(number: int) -> bool:
    try:
        float(number)
    except OverflowError:
        return False
    return True


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
