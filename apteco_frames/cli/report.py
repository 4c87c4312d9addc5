"""Changes as text: for people, for programs, for Markdown, and for GitHub Actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from apteco_frames.cli.output import (
    is_terminal,
    print_lines,
    print_rows,
    styled,
    width,
    write_for_programs,
)
from apteco_frames.support.text import escape_controls, truncate, without_commands

if TYPE_CHECKING:
    from apteco_frames.changes import Changes

FORMATS = ("text", "json", "csv", "markdown", "github")

_STYLES = {"breaking": {"fg": "red"}, "notable": {"fg": "yellow"}, "routine": {}}
_COMMANDS = {"breaking": "error", "notable": "warning", "routine": "notice"}
# What ends a cell, even within code; and the start of a command to a build server's log.
_ALIVE_IN_CODE = re.compile(r"(\||#(?=#\w*\[))")


def print_changes(found: list[Changes], form: str) -> None:
    """Print changes on standard output.

    Args:
        found: the changes of each system.
        form: one of :data:`FORMATS`.
    """
    if form in ("json", "csv"):
        import pyarrow as pa

        from apteco_frames.schema import CHANGES_SCHEMA
        from apteco_frames.support.arrays import strings

        nothing = pa.Table.from_batches([], CHANGES_SCHEMA).add_column(0, "system", strings([]))
        parts = [nothing] + [
            changes.arrow.add_column(0, "system", strings([changes.newer.name] * len(changes)))
            for changes in found
        ]
        print_rows(pa.concat_tables(parts), form)
    else:
        lines: dict[str, Callable[[Changes], Iterator[str]]] = {
            "text": _text,
            "markdown": _markdown,
            "github": _github,
        }
        if form != "text":
            write_for_programs()
        for changes in found:
            print_lines(lines[form](changes))


def _text(changes: Changes) -> Iterator[str]:
    """A line for each change; on a terminal no longer than it is wide."""
    title = changes.title
    yield styled(title if is_terminal() else without_commands(title), bold=True)
    for change in changes:
        line = f"{change.severity:<8}  {change.summary}"
        line = truncate(line, width()) if is_terminal() else without_commands(escape_controls(line))
        yield styled(line, **_STYLES[change.severity])


def _markdown(changes: Changes) -> Iterator[str]:
    yield f"### {_code(changes.title)}"
    yield ""
    if len(changes):
        yield "| severity | change | what | name | column | old | new |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
    for change in changes:
        old, new = change.told
        texts = map(_code, (change.name, change.column, old, new))
        yield f"| {' | '.join((change.severity, change.change, change.noun, *texts))} |"
    if len(changes):
        yield ""


def _code(text: str | None) -> str:
    """A text as code in Markdown, where nothing is alive: no mention, no issue, no address.

    Escapes would not do: what they leave of ``@team`` or ``#1`` still notifies and links.
    """
    parts = _ALIVE_IN_CODE.split(escape_controls(text))
    return "".join(
        f"&#{ord(part)};" if number % 2 else _span(part) for number, part in enumerate(parts)
    )


def _span(text: str) -> str:
    """Code on one line: between more backticks than it has itself."""
    if not text:
        return ""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    # Of a blank at both ends one each is taken off.
    ends = text[0] + text[-1]
    apart = " " if "`" in ends or (ends == "  " and text.strip(" ")) else ""
    return f"{fence}{apart}{text}{apart}{fence}"


def _github(changes: Changes) -> Iterator[str]:
    """Workflow commands, which GitHub Actions shows as annotations."""
    for change in changes:
        title = f"{change.severity}: {changes.newer.name}"
        yield f"::{_COMMANDS[change.severity]} title={_property(title)}::{_data(change.summary)}"


def _data(text: str) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return without_commands(escape_controls(text))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
