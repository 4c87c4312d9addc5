"""Changes: what is different between two catalogues, the frame and the row."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.analysis import rules
from apteco_frames.analysis.diff import LeftOut
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner, links_of
from apteco_frames.render import report
from apteco_frames.schema.column import DOUBLE, INT, describe, enums
from apteco_frames.support import display, files
from apteco_frames.support.arguments import require_path
from apteco_frames.support.arrays import strings
from apteco_frames.support.text import truncate
from apteco_frames.system import FastStatsSystem

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_HEADER = ("column", "old", "new", "severity")
# What of a row that came or went tells a person what it is.
_TELLING = {"table": "plural", "variable": "description", "folder": "name", "code": "description"}


_NUMBERS = {
    noun: {column.name for column in columns if column.type in (INT, DOUBLE)}
    for noun, columns in zip(
        schema.CHANGED_NOUNS,
        (schema.TABLES, schema.VARIABLES, schema.FOLDERS, schema.CODES),
        strict=True,
    )
}


class Change(Row):
    """One change: something added or removed, or another value in one column."""

    __slots__ = ()

    noun: str = attribute(schema.CHANGES, "noun")
    name: str = attribute(schema.CHANGES, "name")
    change: str = attribute(schema.CHANGES, "change")
    column: str | None = attribute(schema.CHANGES, "column")
    old: str | None = attribute(schema.CHANGES, "old")
    new: str | None = attribute(schema.CHANGES, "new")
    severity: str = attribute(schema.CHANGES, "severity")
    is_virtual: bool = attribute(schema.CHANGES, "is_virtual")

    @property
    def used_by(self) -> dict[str, int] | None:
        """How many audiences and the like use what changed, by kind; None if none is known to."""
        text: str | None = self._block["used_by"][self._position]
        return None if text is None else json.loads(text)

    @property
    def told(self) -> tuple[str | None, str | None]:
        """What was there, and what is there now, for a person to read.

        Of a column its values; of a whole row the part that tells what it is, such as the
        description of a variable.
        """
        if self.column is not None:
            return self.old, self.new
        old, new = (text and json.loads(text)[_TELLING[self.noun]] for text in (self.old, self.new))
        return old, new

    @property
    def summary(self) -> str:
        """The change, without its severity, as one text of any length; nothing is escaped.

        >>> from apteco_frames.demo import holidays
        >>> from apteco_frames import Catalogue
        >>> whole = holidays()
        >>> fewer = Catalogue(whole.system_info, whole.tables, whole.variables[1:])
        >>> fewer.diff(whole)["hoURN"].summary
        '- variable hoURN: Household URN'
        """
        what = f"{_SIGNS[self.change]} {self.noun} {self.name}"
        old, new = self.told
        if self.column is None:
            return f"{what}: {new if old is None else old}{self._users}"
        return f"{what}, {self.column}: {self.values}{self._users}"

    @property
    def _users(self) -> str:
        """By how many it is used, as the end of a text."""
        numbers = [f"{n:,} {kind}{'s' * (n != 1)}" for kind, n in (self.used_by or {}).items()]
        return f" (used by {', '.join(numbers)})" if numbers else ""

    @property
    def values(self) -> str:
        """Both values of a column as people write them, numbers with their difference.

        >>> from apteco_frames.demo import holidays
        >>> from apteco_frames import Catalogue
        >>> whole = holidays()
        >>> tables = whole.tables.frame.with_columns(total_records=213_008)
        >>> few = Catalogue(whole.system_info, tables, whole.variables)
        >>> few.diff(whole)["Bookings"].values
        '2,130,081 → 213,008 (−90%)'
        """  # noqa: RUF002 - a minus
        return " → ".join(self._texts)

    @property
    def _texts(self) -> list[str]:
        old, new = self.told
        if self.column in (rules.MOVED, rules.UNCLASSIFIED):
            return [_percent(float(text)) for text in (old, new) if text is not None]
        if self.column is None:
            return [(new if old is None else old) or ""]
        if self.column not in _NUMBERS[self.noun]:
            return ["null" if text is None else text for text in (old, new)]
        numbers = [None if text is None else float(text) for text in (old, new)]
        before, after = ("null" if text is None else _number(text) for text in (old, new))
        return [before, f"{after}{_by(*numbers)}"]

    def _describe(self) -> str:
        what = f"{_SIGNS[self.change]} {self.noun} {truncate(self.name)!r}"
        if self.column is None:
            return f"{what}, {self.severity}"
        old, new = (
            "null" if text is None else repr(truncate(text)) for text in (self.old, self.new)
        )
        return f"{what}, {self.column}: {old} → {new}, {self.severity}"

    def __repr__(self) -> str:
        return f"<Change {self._describe()}>"


class Changes(CatalogueFrame[Change]):  # noqa: D101 - it has one, with the columns and rules
    __doc__ = f"""What changed from an older catalogue to a newer one.

    A row for each table, variable, folder and code that was added or removed, and for
    each column of one that changed. Tables come first, then variables, folders and
    codes; of each what is in the newer catalogue, in its order, then what was removed.
    Where the codes of a variable were put in another order, the variable has a row with
    the column ``codes``. The columns:

    {describe(schema.CHANGES).replace(chr(10), chr(10) + " " * 4)}

    Texts are as JSON has them, but without quotes around a text alone; times are in ISO
    8601. Severities, from the rules below of which the first that fits decides. Columns
    that no rule names follow from others and are not compared::

        {rules.describe().replace(chr(10), chr(10) + " " * 8)}

    Args:
        arrow: the changes, under :attr:`schema`.
        catalogue: the newer catalogue.
        older: the system as the older catalogue has it.
        left_out: what was not compared.
    """

    _enums: ClassVar = enums(schema.CHANGES)
    schema: ClassVar[pa.Schema] = schema.CHANGES_SCHEMA
    _noun = "change"
    _row_type = Change
    _preview = ("name", *_HEADER)
    _when_several = "Have them all with .filter(name=...)."

    def __init__(
        self,
        arrow: pa.Table,
        catalogue: Owner,
        older: FastStatsSystem | None = None,
        left_out: tuple[LeftOut, ...] = (),
    ) -> None:
        super().__init__(arrow, catalogue)
        self._older = older
        self._left_out = left_out

    @property
    def worst(self) -> str | None:
        """The highest severity among them: ``breaking``, ``notable``, ``routine`` or None."""
        counts = _counts(self._arrays["severity"], schema.SEVERITIES)
        return next((level for level in reversed(schema.SEVERITIES) if counts[level]), None)

    def at_least(self, least: str) -> Changes:
        """Those of a severity and above, the most severe first, otherwise in their order.

        Args:
            least: ``breaking``, ``notable`` or ``routine``.
        """
        levels = _decoded(self._arrays["severity"])
        wanted = reversed(schema.SEVERITIES[schema.SEVERITIES.index(least) :])
        at = [pc.indices_nonzero(pc.equal(levels, strings([level])[0])) for level in wanted]
        return self._part(self.arrow.take(pa.concat_arrays(at)))

    @property
    def totals(self) -> str:
        """How many there are of each severity, as ``2 breaking, 1 routine``."""
        return _totals(_counts(self._arrays["severity"], schema.SEVERITIES))

    def write_html(self, path: str | Path) -> Path:
        """Write a page to mail: the most severe changes, in tables that mail programs show.

        It has no script, its styles are inline, and it is smaller than 300 kB whatever
        changed: what is left out is counted.

        Args:
            path: the file; an existing file is replaced, whole or not at all.

        Returns:
            the path written.

        Raises:
            TypeError: ``path`` is no path.
            ValueError: ``path`` is empty.
            OSError: the file cannot be written.
        """
        target = require_path(path, "write_html()")
        text = html_page([self]).encode()
        files.replace(target, lambda part: part.write_bytes(text))
        return target

    @property
    def newer(self) -> FastStatsSystem:
        """The system as the newer catalogue has it."""
        newer: FastStatsSystem = links_of(self).catalogue.system_info
        return newer

    @property
    def title(self) -> str:
        """What it is, with how many there are of each severity."""
        return self._title

    @property
    def not_compared(self) -> tuple[str, ...]:
        """What was left out since a catalogue lacks it, in a sentence each."""
        return tuple(left_out.sentence for left_out in self._left_out)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What was not compared: noun, whether it is all of that noun, and the sentence."""
        return self._left_out

    @property
    def _further(self) -> tuple[Any, ...]:
        return self._older, self._left_out

    def __repr__(self) -> str:
        blocks = [self._title]
        for section in self._sections():
            blocks += [section.title, display.text_table(section.header, section.rows)]
            blocks += [section.rest] if section.rest else []
        return "\n".join([*blocks, *self.not_compared])

    def _repr_html_(self) -> str:
        blocks = [f"<p>{escape(self._title)}</p>"]
        for section in self._sections():
            blocks += [f"<p>{escape(section.title)}</p>"]
            blocks += [display.html_table(section.header, section.rows)]
            blocks += [f"<p>{escape(section.rest)}</p>"] if section.rest else []
        blocks += [f"<p>{escape(sentence)}</p>" for sentence in self.not_compared]
        return f"<div {display.NO_MATHS}>{''.join(blocks)}</div>"

    @property
    def _title(self) -> str:
        title = super()._title
        newer = self.newer
        if self._older is not None:
            same = self._older.name == newer.name
            other = "" if same else f"system {truncate(self._older.name)!r}, built "
            title += f", built {newer.build_date}, since {other}{self._older.build_date}"
        return f"{title}: {self.totals}" if self.totals else title

    def _sections(self) -> Iterator[_Section]:
        for noun in schema.CHANGED_NOUNS:
            is_noun = pc.equal(_decoded(self._arrays["noun"]), strings([noun])[0])
            arrow = self.arrow.filter(is_noun)
            if len(arrow):
                yield _section(noun, self._part(arrow))


def html_page(found: Sequence[Changes]) -> str:
    """The changes of some systems as one page to mail; see :meth:`Changes.write_html`."""
    sections = []
    for changes in found:
        counts = _counts(changes._arrays["severity"], schema.SEVERITIES)
        lines = [
            report.Line(
                change.severity,
                f"{change.noun} {change.name}"
                + (f" {change.change}" if change.column is None else f", {change.column}")
                + change._users,
                change._texts,
            )
            for change in changes.at_least("routine")[: report.MOST_ROWS]
        ]
        by_level = {level: counts[level] for level in reversed(schema.SEVERITIES)}
        sections.append(report.Section(changes.title, by_level, lines, changes.not_compared))
    return report.page(sections)


class _Section(NamedTuple):
    """The changes of one noun, as they are shown."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    rest: str


def _section(noun: str, changes: Changes) -> _Section:
    names, kinds, levels = (changes._arrays[name] for name in ("name", "change", "severity"))
    happened = {
        kind: pc.count_distinct(names.filter(pc.equal(_decoded(kinds), strings([kind])[0]))).as_py()
        for kind in schema.CHANGE_KINDS
    }
    counts = ", ".join(f"{number:,} {kind}" for kind, number in happened.items() if number)
    most_severe: list[int] = []
    for level in reversed(schema.SEVERITIES):
        is_level = pc.equal(_decoded(levels), strings([level])[0])
        most_severe += pc.indices_nonzero(is_level)[: display.PREVIEW_ROWS].to_pylist()
    shown = [changes._row(position) for position in most_severe[: display.PREVIEW_ROWS]]
    left = _counts(levels, schema.SEVERITIES)
    for change in shown:
        left[change.severity] -= 1
    hidden = len(changes) - len(shown)
    return _Section(
        title=f"{noun}s: {counts}",
        header=("", noun, *_HEADER),
        rows=[_cells(change) for change in shown],
        rest=f"… and {hidden:,} more: {_totals(left)}" if hidden else "",
    )


def _cells(change: Change) -> tuple[Any, ...]:
    severity = f"{change.severity} (virtual)" if change.is_virtual else change.severity
    return _SIGNS[change.change], change.name, change.column, *change.told, severity


def _totals(counts: dict[str, int]) -> str:
    """How many of each severity there are, the most severe first."""
    return ", ".join(
        f"{counts[level]:,} {level}" for level in reversed(schema.SEVERITIES) if counts[level]
    )


def _counts(values: pa.Array, of: tuple[str, ...]) -> dict[str, int]:
    found = {
        pair["values"]: pair["counts"] for pair in pc.value_counts(_decoded(values)).to_pylist()
    }
    return {value: found.get(value, 0) for value in of}


def _number(text: str) -> str:
    """A number as it was, with commas between thousands."""
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}{point}{rest}" if whole.lstrip("-").isdigit() else text


def _by(old: float | None, new: float | None) -> str:
    """The difference in percent, in brackets; nothing where there is none to tell.

    >>> _by(100, 225), _by(0, 5)
    (' (+125%)', '')
    """
    if old is None or new is None or not math.isfinite(old) or not math.isfinite(new) or not old:
        return ""
    part = (new - old) / abs(old)
    return f" ({'−' if part < 0 else '+'}{_percent(abs(part))})"  # noqa: RUF001 - a minus


def _percent(share: float) -> str:
    """A share in percent, with so many digits that a part is neither none nor all.

    >>> _percent(0.9685), _percent(0.0315), _percent(0.99996), _percent(1)
    ('97%', '3.1%', '99.996%', '100%')
    """
    text = "0"
    for digits in range(0 if share in (0, 1) or share >= 0.1 else 1, 6):
        text = f"{100 * share:,.{digits}f}"
        if float(text.replace(",", "")) not in (0, 100) or share in (0, 1):
            break
    return f"{text}%"


def _decoded(values: pa.Array) -> pa.Array:
    return values.dictionary_decode()
