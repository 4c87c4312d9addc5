"""What an answer says, read slowly and plainly: the judge of the fast readers."""

from __future__ import annotations

import json
import math
from typing import Any

from apteco_frames.schema.column import BOOL, DOUBLE, INT, STRING, Column
from apteco_frames.support.times import decode_time


class NotAPageError(Exception):
    """The bytes are no page under the columns."""


class Literal:
    """``NaN`` or an infinity, as JSON does not have it."""

    def __init__(self, text: str) -> None:
        self.text = text


class AmbiguousError(Exception):
    """A field stands twice in one object."""


def read_page(body: bytes, columns: tuple[Column, ...]) -> tuple[list[int], list[dict[str, Any]]]:
    """Offset, count and total, and the rows by column name.

    Raises:
        NotAPageError: the bytes are no page.
        AmbiguousError: they say something twice.
    """
    try:
        page = json.loads(
            body.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=Literal
        )
    except (ValueError, RecursionError) as error:
        raise NotAPageError from error
    if not isinstance(page, dict) or not isinstance(page.get("list"), list):
        raise NotAPageError
    numbers = [_value(page.get(name), INT, False) for name in ("offset", "count", "totalCount")]
    return numbers, [_row(item, columns) for item in page["list"]]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise AmbiguousError
    return dict(pairs)


def _row(item: Any, columns: tuple[Column, ...]) -> dict[str, Any]:
    row = {}
    for column in columns:
        if column.api_field:
            value = item
            for name in column.api_field.split("."):
                if value is None and value is not item:
                    break
                if not isinstance(value, dict):
                    raise NotAPageError
                value = value.get(name)
            row[column.name] = _value(value, column.type, column.nullable)
    return row


def _value(value: Any, kind: Any, nullable: bool) -> Any:
    if kind == DOUBLE and nullable:
        # What .NET writes for a double that is not finite stands for null.
        text = value.text if isinstance(value, Literal) else value
        value = None if text in ("NaN", "Infinity", "-Infinity") else value
    if value is None:
        if nullable:
            return None
        raise NotAPageError
    if kind == BOOL:
        fits = isinstance(value, bool)
    elif kind == INT:
        fits = type(value) is int and -(2**63) <= value < 2**63
    elif kind == DOUBLE:
        fits = type(value) in (int, float)
    else:
        fits = isinstance(value, str)
    if not fits:
        raise NotAPageError
    try:
        if kind == DOUBLE:
            if not math.isfinite(value):
                raise NotAPageError
            return float(value)
        if isinstance(value, str):
            value.encode()
        return value if kind in (BOOL, INT, STRING) else decode_time(value)
    except (ValueError, OverflowError) as error:
        raise NotAPageError from error


def same(left: Any, right: Any) -> bool:
    """Whether two values are the same, to the sign of a zero."""
    if isinstance(left, float) and isinstance(right, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return type(left) is type(right) and bool(left == right)
