"""Changes as text: for people, for programs, for Markdown, and for GitHub Actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from apteco_frames.cli.messages import say
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

FORMATS = ("text", "json", "csv", "markdown", "github", "html")

_STYLES = {"breaking": {"fg": "red"}, "notable": {"fg": "yellow"}, "routine": {}}
_COMMANDS = {"breaking": "error", "notable": "warning", "routine": "notice"}
# What ends a cell, even within code; and the start of a command to a build server's log.
_ALIVE_IN_CODE = re.compile(r"(\||#(?=#\w*\[))")


class Told(NamedTuple):
    """What is printed of the changes of a system.

    Attributes:
        changes: all of them.
        least: the least severity that is printed, the most severe first, while others are
            counted; None to print all in their order.
    """

    changes: Changes
    least: str | None = None

    @property
    def shown(self) -> Changes:
        """Those that are printed."""
        return self.changes if self.least is None else self.changes.at_least(self.least)

    @property
    def rest(self) -> str:
        """How many others there are; empty if there are none."""
        if self.least is None:
            return ""
        from apteco_frames.support.fork import import_polars

        rest = self.changes.filter(import_polars().col("severity") < self.least)
        return f"… and {len(rest):,} more: {rest.totals}" if len(rest) else ""


def print_changes(found: list[Told], form: str) -> None:
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
        parts = [nothing]
        for told in found:
            names = strings([told.changes.newer.name] * len(told.shown))
            parts.append(told.shown.arrow.add_column(0, "system", names))
        print_rows(pa.concat_tables(parts), form)
    elif form == "html":
        from apteco_frames.changes import html_page

        write_for_programs()
        print_lines([html_page([told.changes for told in found])])
    else:
        lines: dict[str, Callable[[Told], Iterator[str]]] = {
            "text": _text,
            "markdown": _markdown,
            "github": _github,
        }
        if form != "text":
            write_for_programs()
        for told in found:
            print_lines(lines[form](told))
    if form in ("json", "csv", "github"):
        for told in found:
            if told.rest:
                say(f"{truncate(told.changes.newer.name)}: {told.rest}")


def _text(told: Told) -> Iterator[str]:
    """A line for each change; on a terminal no longer than it is wide."""
    title = told.changes.title
    yield styled(title if is_terminal() else without_commands(title), bold=True)
    for change in told.shown:
        line = f"{change.severity:<8}  {change.summary}"
        line = truncate(line, width()) if is_terminal() else without_commands(escape_controls(line))
        yield styled(line, **_STYLES[change.severity])
    if told.rest:
        yield told.rest


def _markdown(told: Told) -> Iterator[str]:
    changes = told.shown
    yield f"### {_code(told.changes.title)}"
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
    if told.rest:
        yield told.rest
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


def _github(told: Told) -> Iterator[str]:
    """Workflow commands, which GitHub Actions shows as annotations."""
    for change in told.shown:
        title = f"{change.severity}: {told.changes.newer.name}"
        yield f"::{_COMMANDS[change.severity]} title={_property(title)}::{_data(change.summary)}"


def _data(text: str) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return without_commands(escape_controls(text))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
