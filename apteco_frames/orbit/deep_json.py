"""JSON of any depth: queries nest, and Python 3.11's own reader ends at 1,000 levels."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

_LEVELS = 200
"""Levels that are read in one go."""

_MOST_LEVELS = 200_000

# A text without its end goes on to the end: what is read of it then is an error.
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[][{}]', re.DOTALL)


def loads(
    text: str,
    *,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    **hooks: Any,
) -> Any:
    """The value that a text holds, as ``json.loads`` reads it, without its limit of depth.

    Where that ends, what stands 200 levels deep is read by itself, the innermost first, and leaves
    an object behind that stands for it.

    Args:
        text: the JSON.
        object_pairs_hook: as of ``json.loads``; so are the others.
        hooks: the others.

    Raises:
        JSONDecodeError: it is no JSON.
        RecursionError: it has more than 200,000 levels.

    >>> value = loads("[" * 5000 + "{}" + "]" * 5000, object_pairs_hook=dict)
    >>> while value:
    ...     (value,) = value
    >>> value
    {}
    """
    try:
        return json.loads(text, object_pairs_hook=object_pairs_hook, **hooks)
    except RecursionError:
        return _in_parts(text, object_pairs_hook or dict, hooks)


def _in_parts(
    text: str, hook: Callable[[list[tuple[str, Any]]], Any], hooks: Mapping[str, Any]
) -> Any:
    mark = uuid4().hex
    read: list[Any] = []  # what was 200 levels deep

    def made(pairs: list[tuple[str, Any]]) -> Any:
        return read[pairs[0][1]] if pairs and pairs[0][0] == mark else hook(pairs)

    def decoded(pieces: list[str]) -> Any:
        return json.loads("".join(pieces), object_pairs_hook=made, **hooks)

    pieces: list[list[str]] = [[]]  # of the text, and of each part of it that is open
    depth = start = 0
    for token in _TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > _MOST_LEVELS:  # or one of 256 MiB would take minutes
                raise RecursionError
            if depth % _LEVELS == 0:
                pieces[-1].append(text[start : token.start()])
                pieces.append([])
                start = token.start()
        elif token[0] in "]}":
            if depth and depth % _LEVELS == 0:
                inner = [*pieces.pop(), text[start : token.end()]]
                read.append(decoded(inner))
                pieces[-1].append(f'{{"{mark}": {len(read) - 1}}}')
                start = token.end()
            depth -= 1
    if len(pieces) > 1:
        raise json.JSONDecodeError("Expecting an end", text, len(text))
    return decoded([*pieces[0], text[start:]])
