"""Changes between two catalogues: the frame and the row."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.analysis import rules
from apteco_frames.analysis.diff import LeftOut
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner, links_of
from apteco_frames.render import report
from apteco_frames.schema.column import DOUBLE, INT
from apteco_frames.support import display, files
from apteco_frames.support.arguments import require_path
from apteco_frames.support.arrays import scalar
from apteco_frames.support.text import truncate
from apteco_frames.system import FastStatsSystem

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_HEADER = ("column", "old", "new", "severity")
# The column that tells people what was added or removed.
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
    """One change: something added or removed, or a new value in one column."""

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
        """The number of audiences and so on that use it, by kind; None if none is known."""
        text: str | None = self._block["used_by"][self._position]
        return None if text is None else json.loads(text)

    @property
    def told(self) -> tuple[str | None, str | None]:
        """The older and the newer text, to read.

        They are the values of a column; for a whole row, the part that describes it, such as
        the description of a variable.
        """
        if self.column is not None:
            return self.old, self.new
        old, new = (text and json.loads(text)[_TELLING[self.noun]] for text in (self.old, self.new))
        return old, new

    @property
    def summary(self) -> str:
        """The change without its severity, as one text of any length, unescaped.

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
        """The numbers of its users, to end a text."""
        numbers = [f"{n:,} {kind}{'s' * (n != 1)}" for kind, n in (self.used_by or {}).items()]
        return f" (used by {', '.join(numbers)})" if numbers else ""

    @property
    def values(self) -> str:
        """Both values of a column, to read; numbers with their difference.

        >>> from apteco_frames.demo import holidays
        >>> from apteco_frames import Catalogue
        >>> whole = holidays()
        >>> tables = whole.tables.frame.with_columns(total_records=213_008)
        >>> few = Catalogue(whole.system_info, tables, whole.variables)
        >>> few.diff(whole)["Bookings"].values
        '2,130,081 → 213,008 (−90 %)'
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


class Changes(CatalogueFrame[Change], columns=schema.CHANGES):  # noqa: D101 - see __doc__
    __doc__ = f"""What changed from an older catalogue to a newer one.

    Each table, variable, folder and code that was added or removed has a row, and each column
    that changed. Tables come first, then variables, folders and codes; first those of the newer
    catalogue, in its order, then those that were removed. If the codes of a variable are in a
    new order, the variable has a row with the column ``codes``. The columns:

    [columns]

    Values are written as in JSON, but single texts without quotes; times in ISO 8601. The first
    rule below that applies decides the severity. Columns in no rule follow from others and are
    not compared::

        {rules.describe().replace(chr(10), chr(10) + " " * 8)}

    Args:
        arrow: the changes, under :attr:`schema`.
        catalogue: the newer catalogue.
        older: the system in the older catalogue.
        left_out: what was not compared.
    """

    _noun = "change"
    _row_type = Change
    _preview = ("name", *_HEADER)
    _when_several = "Use .filter(name=...) to get them all."

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
        """The highest severity: ``breaking``, ``notable``, ``routine`` or None."""
        return next((level for level, number in self._counts().items() if number), None)

    def at_least(self, least: str) -> Changes:
        """The changes of a severity and above, the most severe first, otherwise in order.

        Args:
            least: ``breaking``, ``notable`` or ``routine``.
        """
        levels = self._arrays["severity"].indices
        lowest = scalar(schema.SEVERITIES.index(least))
        chosen = pc.indices_nonzero(pc.greater_equal(levels, lowest))
        order = pc.array_sort_indices(levels.take(chosen), order="descending")
        return self._part(self.arrow.take(chosen.take(order)))

    @property
    def totals(self) -> str:
        """The number of changes of each severity, as ``2 breaking, 1 routine``."""
        return _listed(self._counts())

    def write_html(self, path: str | Path) -> Path:
        """Write a page to mail: the most severe changes, in tables that mail programs display.

        It has no script and inline styles, and is always smaller than 300 kB: changes that are
        left out are counted.

        Args:
            path: the file; an existing file is replaced, whole or not at all.

        Returns:
            the path written.

        Raises:
            TypeError: ``path`` is not a path.
            ValueError: ``path`` is empty.
            OSError: the file cannot be written.
        """
        target = require_path(path, "write_html()")
        text = html_page([self]).encode()
        files.replace(target, lambda part: part.write_bytes(text))
        return target

    @property
    def newer(self) -> FastStatsSystem:
        """The system in the newer catalogue."""
        newer: FastStatsSystem = links_of(self).catalogue.system_info
        return newer

    @property
    def title(self) -> str:
        """What was compared, with the number of changes of each severity."""
        return self._title

    @property
    def not_compared(self) -> tuple[str, ...]:
        """What was not compared because a catalogue lacks it, in a sentence each."""
        return tuple(left_out.sentence for left_out in self._left_out)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What was not compared: the noun, whether all of that noun, and a sentence."""
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

    def _counts(self) -> dict[str, int]:
        """The number of changes of each severity, the most severe first."""
        found = Counter(self._arrays["severity"].indices.to_pylist())
        return {schema.SEVERITIES[level]: found[level] for level in (2, 1, 0)}

    def _sections(self) -> Iterator[_Section]:
        """The changes of each noun, the most severe first, as they are shown."""
        nouns = self._arrays["noun"].indices
        for number, noun in enumerate(schema.CHANGED_NOUNS):
            changes = self._part(self.arrow.filter(pc.equal(nouns, scalar(number))))
            if not len(changes):
                continue
            names: dict[str, set[str]] = {kind: set() for kind in schema.CHANGE_KINDS}
            for row in changes.arrow.select(["name", "change"]).to_pylist():
                names[row["change"]].add(row["name"])
            told = ", ".join(f"{len(of):,} {kind}" for kind, of in names.items() if of)
            by_severity = changes.at_least("routine")
            rest = by_severity[display.PREVIEW_ROWS :]
            yield _Section(
                title=f"{noun}s: {told}",
                header=("", noun, *_HEADER),
                rows=[_cells(change) for change in by_severity[: display.PREVIEW_ROWS]],
                rest=f"… and {len(rest):,} more: {rest.totals}" if len(rest) else "",
            )


def html_page(found: Sequence[Changes]) -> str:
    """The changes of several systems as one page to mail; see :meth:`Changes.write_html`."""
    sections = []
    for changes in found:
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
        counts = changes._counts()
        sections.append(report.Section(changes.title, counts, lines, changes.not_compared))
    return report.page(sections)


class _Section(NamedTuple):
    """The changes of one noun, as they are shown."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    rest: str


def _cells(change: Change) -> tuple[Any, ...]:
    severity = f"{change.severity} (virtual)" if change.is_virtual else change.severity
    return _SIGNS[change.change], change.name, change.column, *change.told, severity


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {level}" for level, number in counts.items() if number)


def _number(text: str) -> str:
    """A number with commas between thousands."""
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}{point}{rest}" if whole.lstrip("-").isdigit() else text


def _by(old: float | None, new: float | None) -> str:
    """The difference in percent, in brackets; empty if it has no percentage.

    >>> _by(100, 225), _by(0, 5)
    (' (+125 %)', '')
    """
    if old is None or new is None or not math.isfinite(old) or not math.isfinite(new) or not old:
        return ""
    part = (new - old) / abs(old)
    return f" ({'−' if part < 0 else '+'}{_percent(abs(part))})"  # noqa: RUF001 - a minus


def _percent(share: float) -> str:
    """A share in percent, with enough digits that a part never reads as 0 or 100.

    >>> _percent(0.9685), _percent(0.0315), _percent(0.99996), _percent(1)
    ('97 %', '3.1 %', '99.996 %', '100 %')
    """
    text = "0"
    for digits in range(0 if share in (0, 1) or share >= 0.1 else 1, 6):
        text = f"{100 * share:,.{digits}f}"
        if float(text.replace(",", "")) not in (0, 100) or share in (0, 1):
            break
    return f"{text} %"
