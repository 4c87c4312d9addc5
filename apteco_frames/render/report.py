"""Changes as a page that mail programs show: tables, styles inline, no script.

What is left out is counted, so that no mail is too large.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from textwrap import wrap
from typing import NamedTuple

from apteco_frames.support.text import escape_controls

MOST_ROWS = 250
_MOST_BYTES = 140_000
_MOST_SECTIONS = 30
_LONGEST = 160
# With all characters escaped it is no longer than a line of a mail may be: 998 bytes.
_LINE = 150

_COLOURS = {"breaking": "#b3261e", "notable": "#8a5300", "routine": "#5f6368"}
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_CELL = "padding:6px 8px;border-bottom:1px solid #e0e0e0;vertical-align:top;text-align:left"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class Line(NamedTuple):
    """One change.

    Attributes:
        severity: how much it matters.
        what: what happened to what, as ``variable boDest``.
        values: the value, or that before and that after, as people write them.
    """

    severity: str
    what: str
    values: Sequence[str]


class Section(NamedTuple):
    """The changes of one system.

    Attributes:
        title: what it is.
        counts: how many there are of each severity, the most severe first.
        lines: the most severe of them, in this order; none beyond ``MOST_ROWS``.
        remarks: what else is to be said, such as what was not compared.
    """

    title: str
    counts: dict[str, int]
    lines: Sequence[Line]
    remarks: Sequence[str]


def page(sections: Sequence[Section]) -> str:
    """A page about some systems: those with the most severe changes first, then those with most."""
    ordered = sorted(sections, key=lambda section: list(section.counts.values()), reverse=True)
    heading = _heading(ordered)
    chosen = _chosen(ordered)
    shown = ordered[:_MOST_SECTIONS]
    blocks = [
        "".join(_section(section, rows)) for section, rows in zip(shown, chosen, strict=False)
    ]
    if len(ordered) > len(shown):
        blocks.append(_paragraph(f"… and {len(ordered) - len(shown):,} more systems."))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(heading)}</title></head>\n"
        f'<body style="margin:0;padding:12px;background:#ffffff;color:#202124;{_FONT};'
        'font-size:14px;line-height:1.4">'
        f'\n<h1 style="font-size:20px;margin:4px 0 12px">{escape(heading)}</h1>\n'
        f"{''.join(blocks)}</body></html>\n"
    )


def _heading(sections: Sequence[Section]) -> str:
    totals: dict[str, int] = {}
    for section in sections:
        for level, number in section.counts.items():
            totals[level] = totals.get(level, 0) + number
    told = _totals(totals)
    if not told:
        return "FastStats builds: no changes"
    return f"FastStats builds: {told}"


def _chosen(sections: Sequence[Section]) -> list[list[str]]:
    """The rows of each section: of all systems together the most severe, as many as fit."""
    rows: list[list[str]] = [[] for _ in sections]
    left, number = _MOST_BYTES, MOST_ROWS
    for level in _COLOURS:
        for section, of in zip(sections[:_MOST_SECTIONS], rows, strict=False):
            for line in section.lines:
                if line.severity != level or number <= 0:
                    continue
                row = _row(line)
                left, number = left - len(row.encode()), number - 1
                if left < 0:
                    return rows
                of.append(row)
    return rows


def _section(section: Section, rows: Sequence[str]) -> Iterator[str]:
    yield f'<h2 style="font-size:16px;margin:16px 0 6px">\n{_text(section.title)}</h2>\n'
    if rows:
        yield '<table role="presentation" cellspacing="0" cellpadding="0" '
        yield 'style="width:100%;border-collapse:collapse">\n'
        yield from rows
        yield "</table>\n"
    total = sum(section.counts.values())
    if total > len(rows):
        # The rows are the most severe of them.
        rest, hidden = {}, len(rows)
        for level, count in section.counts.items():
            rest[level] = count - min(hidden, count)
            hidden -= min(hidden, count)
        yield _paragraph(f"… and {total - len(rows):,} more: {_totals(rest)}.")
    elif not total:
        yield _paragraph("No changes.")
    yield from map(_paragraph, section.remarks)


def _row(line: Line) -> str:
    badge = f"color:{_COLOURS[line.severity]};font-weight:600;white-space:nowrap"
    told = " → ".join(_cut(each, _LONGEST // len(line.values)) for each in line.values)
    values = f'<br><span style="color:#3c4043">\n{_lines(told)}</span>' if told else ""
    return (
        f'<tr><td style="{_CELL};width:72px"><span style="{badge}">{line.severity}</span></td>'
        f'\n<td style="{_CELL};word-break:break-word;overflow-wrap:anywhere">'
        f"\n{_text(line.what)}\n{values}</td></tr>\n"
    )


def _paragraph(text: str) -> str:
    return f'<p style="margin:6px 0;color:#3c4043">\n{_text(text, 400)}</p>\n'


def _text(text: str, longest: int = _LONGEST) -> str:
    """A text of a system as text: nothing in it is markup, and no end of it is long."""
    return _lines(_cut(text, longest))


def _cut(text: str, longest: int) -> str:
    """The beginning of a text, without what would be done rather than shown."""
    told = escape_controls(text[: longest + 1])
    return f"{told[:longest]}…" if len(told) > longest else told


def _lines(text: str) -> str:
    """A text as lines of HTML, which are shown as one."""
    return "\n".join(map(escape, wrap(text, _LINE, break_on_hyphens=False)))


def _totals(counts: dict[str, int]) -> str:
    told: Iterable[str] = (f"{number:,} {level}" for level, number in counts.items() if number)
    return ", ".join(told)
