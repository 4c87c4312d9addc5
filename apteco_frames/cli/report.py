"""Changes as text: for people, for programs, for Markdown, and for GitHub Actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from typing import TYPE_CHECKING

from apteco_frames.cli.output import (
    is_terminal,
    print_lines,
    print_rows,
    styled,
    width,
    write_for_programs,
)
from apteco_frames.support.text import clipped, shown

if TYPE_CHECKING:
    from apteco_frames.changes import Changes

FORMATS = ("text", "json", "csv", "markdown", "github")

_STYLES = {"breaking": {"fg": "red"}, "notable": {"fg": "yellow"}, "routine": {}}
_COMMANDS = {"breaking": "error", "notable": "warning", "routine": "notice"}
# What Markdown would take for more than text; HTML is escaped besides.
_MARKED = re.compile(r"([\\`*_{}\[\]|~$])")


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
    yield styled(changes.title, bold=True)
    for change in changes:
        line = f"{change.severity:<8}  {change.summary}"
        line = clipped(line, width()) if is_terminal() else shown(line)
        yield styled(line, **_STYLES[change.severity])


def _markdown(changes: Changes) -> Iterator[str]:
    yield f"### {_marked(changes.title)}"
    yield ""
    if len(changes):
        yield "| severity | change | what | name | column | old | new |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
    for change in changes:
        old, new = change.told
        cells = (change.severity, change.change, change.noun, change.name, change.column, old, new)
        yield f"| {' | '.join(map(_marked, cells))} |"
    if len(changes):
        yield ""


def _marked(text: str | None) -> str:
    """A text that is nothing but text in Markdown, in a table, too."""
    return escape(_MARKED.sub(r"\\\1", shown(text)), quote=False)


def _github(changes: Changes) -> Iterator[str]:
    """Workflow commands, which GitHub Actions shows as annotations."""
    for change in changes:
        title = f"{change.severity}: {changes.newer.name}"
        yield f"::{_COMMANDS[change.severity]} title={_property(title)}::{_data(change.summary)}"


def _data(text: str) -> str:
    return shown(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
