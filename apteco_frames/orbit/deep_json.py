"""JSON of any depth: queries nest, and Python 3.11's own reader ends at 1,000 levels."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
    (?P<mark>[][{}:,]) | (?P<text>") |
    (?P<number>-?(?:0|[1-9][0-9]*)(?P<double>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)) |
    (?P<word>null|true|false|NaN|-?Infinity) | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_WORDS = {"null": None, "true": True, "false": False}


def loads(
    text: str,
    *,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any],
    parse_int: Callable[[str], Any],
    parse_float: Callable[[str], Any],
    parse_constant: Callable[[str], Any],
) -> Any:
    """The value that a text holds, as ``json.loads`` reads it, without its limit of depth.

    It takes some ten times as long.

    Raises:
        JSONDecodeError: it is no JSON.

    >>> loads("[" * 5000 + "]" * 5000, object_pairs_hook=dict, parse_int=int, parse_float=float,
    ...     parse_constant=str)[0] is not None
    True
    """
    # What is open: lists of values, and of pairs with the name that waits for its value.
    open_values: list[tuple[str, list[Any]]] = []
    names: list[str] = []
    expected = "value"  # "value", "value or ]", "name", "name or }", ":" or ", or end"
    position = 0
    result: Any = None
    while True:
        match = _TOKEN.match(text, position)
        if match is None:
            raise json.JSONDecodeError("Expecting value", text, position)
        position = match.end()
        kind, token = match.lastgroup, match[0].lstrip(" \t\r\n")
        if kind == "double":
            kind = "number"
        value: Any = None
        if kind == "end":
            if expected == ", or end" and not open_values:
                return result
            raise json.JSONDecodeError("Expecting value", text, position)
        if kind == "mark":
            if token in "[{" and expected.startswith("value"):
                open_values.append((token, []))
                expected = "value or ]" if token == "[" else "name or }"
                continue
            if token == ":" and expected == ":":
                expected = "value"
                continue
            if token == "," and expected == ", or end" and open_values:
                expected = "value" if open_values[-1][0] == "[" else "name"
                continue
            closes = open_values and token == ("]" if open_values[-1][0] == "[" else "}")
            if not (closes and (expected == ", or end" or expected.endswith(token))):
                raise json.JSONDecodeError("Expecting value", text, position - 1)
            opened, value = open_values.pop()
            if opened == "{":
                value = object_pairs_hook(value)
        elif kind == "text":
            value, position = scanstring(text, position, True)
            if expected.startswith("name"):
                names.append(value)
                expected = ":"
                continue
            if not expected.startswith("value"):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, position)
        elif not expected.startswith("value"):
            raise json.JSONDecodeError("Expecting property name", text, match.start())
        elif kind == "number":
            value = parse_float(token) if match["double"] else parse_int(token)
        else:
            value = _WORDS[token] if token in _WORDS else parse_constant(token)
        if not open_values:
            result = value
        elif open_values[-1][0] == "[":
            open_values[-1][1].append(value)
        else:
            open_values[-1][1].append((names.pop(), value))
        expected = ", or end"
