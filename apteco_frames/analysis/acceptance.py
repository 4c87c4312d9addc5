"""Accepted changes: expected, for a reason, as far as they went at the time."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from apteco_frames.errors import ConfigurationError
from apteco_frames.support.text import truncate

_REQUIRED = ("system", "noun", "name", "change", "reason")


class Accepted(NamedTuple):
    """One change that is expected.

    Attributes:
        system: name of the system.
        noun: what it happened to, as in a row of changes; and so on.
        name: its name.
        change: what happened.
        column: the column; empty for whole rows.
        old: the older value of the column; empty for null, and for whole rows.
        new: the newer value, likewise.
        reason: why it is expected.
    """

    system: str
    noun: str
    name: str
    change: str
    column: str
    old: str
    new: str
    reason: str

    @property
    def told(self) -> str:
        """The change, in short."""
        what = f"{self.noun} {truncate(self.name)} {self.change}"
        return f"{what}: {self.column}" if self.column else what

    def fits(self, change: Mapping[str, Any]) -> bool:
        """Whether a change of the system is this one, or a smaller one in the same direction."""
        if any(change[key] != getattr(self, key) for key in ("noun", "name", "change")):
            return False
        if (change["column"] or "") != self.column:
            return False
        if not self.column or (change["new"] or "") == self.new:
            return True
        numbers = [_number(text) for text in (self.old or "0", self.new, change["new"])]
        if None in numbers:
            return False
        old, limit, new = (number or 0.0 for number in numbers)
        return limit <= new <= old or old <= new <= limit


def accepted(system: str, change: Mapping[str, Any], reason: str) -> Accepted:
    """Accept a change.

    Args:
        system: name of the system.
        change: a row of changes.
        reason: why it is expected.
    """
    column = change["column"] or ""
    old, new = (change[key] or "" for key in ("old", "new")) if column else ("", "")
    noun, name, happened = (change[key] for key in ("noun", "name", "change"))
    return Accepted(system, noun, name, happened, column, old, new, reason)


def read(text: str, path: str) -> list[Accepted]:
    """The accepted changes in the text of a file.

    Args:
        text: the file, as TOML.
        path: its path, for errors.

    Raises:
        ConfigurationError: it is not TOML, or not what :func:`write` writes.
    """
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}.") from None
    rows = found.get("accepted", [])
    if found.keys() - {"accepted"} or not isinstance(rows, list):
        raise ConfigurationError(
            f"{path} should have [[accepted]] for each change, and nothing else."
        )
    usual = dict.fromkeys(Accepted._fields, "")
    for row in rows:
        if (
            not isinstance(row, dict)
            or row.keys() - usual.keys()
            or not all(isinstance(value, str) for value in row.values())
            or not all(row.get(key, "").strip() for key in _REQUIRED)
        ):
            raise ConfigurationError(
                f"An accepted change in {path} should have {', '.join(_REQUIRED)} as texts, and "
                "for a column also column, old and new."
            )
    return [Accepted(**usual | row) for row in rows]


def write(changes: Iterable[Accepted]) -> str:
    """Accepted changes as the text of a file, in TOML.

    >>> row = Accepted("holidays", "variable", "hoURN", "removed", "", "", "", "Not needed.")
    >>> read(write([row]), "accepted.toml") == [row]
    True
    """
    blocks = []
    for each in changes:
        lines = [f"{key} = {_quoted(value)}" for key, value in each._asdict().items() if value]
        blocks.append("\n".join(["[[accepted]]", *lines, ""]))
    return "\n".join(blocks)


def _quoted(text: str) -> str:
    """A text in TOML, which escapes like JSON, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
