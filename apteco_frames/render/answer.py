"""An answer for a program that reads a limited number of characters: whole rows, as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

LEAST_BUDGET = 1_000
"""No answer is shorter than what tells of it."""

_MARK = "… [cut: {kept:,} of {whole:,} characters]"
_REST = "… and {hidden:,} more"
_LEAST_ROOM = 500
# Of a list that is cut stay so many items for as many characters of a text.
_CHARACTERS_PER_ITEM = 20
_CUT = "Some texts or lists are too long for an answer; where they end says how long they are."


def answer(
    rows: Iterable[Mapping[str, Any]],
    *,
    budget: int,
    offset: int = 0,
    total: int | None = None,
    notes: Iterable[str] = (),
    **head: Any,
) -> str:
    """Rows as JSON, as many whole ones as fit into a number of characters.

    ``total`` says how many there are, ``next_offset`` where to go on if there are more. A row
    that does not fit alone has its longest texts and lists cut, which end in how long they are.

    Args:
        rows: the rows from ``offset`` on; no more of them are read than fit.
        budget: the number of characters, at least 1,000.
        offset: how many rows come before them.
        total: how many there are with those; None if nobody knows, and ``rows`` are all.
        notes: sentences that belong to the answer.
        head: what else to say, before the rows.

    >>> people = [{"name": "Ada"}, {"name": "Byron"}]
    >>> print(answer(people, budget=1_000, total=2, system="family"))
    {"system":"family","total":2,"rows":[
    {"name":"Ada"},
    {"name":"Byron"}
    ]}
    >>> print(answer(people[1:], budget=1_000, offset=1, total=9, system="family"))
    {"system":"family","total":9,"offset":1,"rows":[
    {"name":"Byron"}
    ],"next_offset":2}
    """
    counted = {} if total is None else {"total": total}
    notes = list(notes)
    before = {**head, **counted, **({"offset": offset} if offset else {})}
    if total is not None and offset and offset >= total:
        notes.append(f"There are {total:,}: the last has the offset {max(0, total - 1):,}.")
    room = budget - len(_text({**before, "rows": [], "next_offset": 10**12})) - 10
    if len(_text([*notes, _CUT])) > room // 2:  # leave room for rows
        most = room // _LEAST_ROOM
        rest = [_REST.format(hidden=len(notes) - most)] if len(notes) > most else []
        notes = [_cut(note, room // (8 * most)) for note in notes[:most]] + rest
    room -= len(_text([*notes, _CUT])) + 20
    lines: list[str] = []
    is_whole = True
    for row in rows:
        line = _text(row)
        if len(line) + 2 > room:
            if lines:
                break
            line, is_whole = _fitting(row, room - 2), False
        room -= len(line) + 2
        lines.append(line)
    after: dict[str, Any] = {}
    if total is not None and lines and offset + len(lines) < total:
        after["next_offset"] = offset + len(lines)
    if not is_whole:
        notes.append(_CUT)
    if notes:
        after["notes"] = notes
    inner = "\n" + ",\n".join(lines) + "\n" if lines else ""
    return _opened(before) + f'"rows":[{inner}]' + _closed(after)


def _opened(values: Mapping[str, Any]) -> str:
    return _text(values)[:-1] + ("," if values else "")


def _closed(values: Mapping[str, Any]) -> str:
    return ("," + _text(values)[1:]) if values else "}"


def _text(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value.total_seconds()) if isinstance(value, timedelta) else str(value)


def _fitting(row: Mapping[str, Any], room: int) -> str:
    """A row with its longest texts and lists cut, so that it fits."""
    plain, longest = _plain(row), room
    while longest:
        line = _text(_cut(plain, longest))
        if len(line) <= room:
            return line
        longest //= 2
    return _text({"cut": f"This row is too long for an answer; values: {len(plain):,}."})


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, str) and len(value) > longest:
        return value[:longest] + _MARK.format(kept=longest, whole=len(value))
    if isinstance(value, dict):
        return {key: _cut(each, longest) for key, each in value.items()}
    if isinstance(value, list):
        most = max(1, longest // _CHARACTERS_PER_ITEM)
        rest = [_REST.format(hidden=len(value) - most)] if len(value) > most else []
        return [_cut(each, longest) for each in value[:most]] + rest
    return value
