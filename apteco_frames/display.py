"""Text and HTML for prompts and notebooks; pure functions.

Names and descriptions come from a server and are shown harmlessly: what a terminal or
a browser would obey is shown as an escape instead.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

PREVIEW_ROWS = 10
_CELL_WIDTH = 40
_LINE_WIDTH = 100
_GAP = "  "

# Cc: terminal escapes, NUL, newlines; Cf: right-to-left overrides, zero-width marks;
# Co, Cs, Zl, Zp: private use, surrogates, line and paragraph separators.
_UNSHOWN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def shown(value: object) -> str:
    r"""The value as one line of text that no terminal obeys.

    >>> shown("Cost\x1b[31m")
    'Cost\\x1b[31m'
    """
    if value is None:
        return ""
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _UNSHOWN
        else character
        for character in str(value)
    )


def clipped(value: object, width: int = _CELL_WIDTH) -> str:
    """The value as :func:`shown`, cut to fit into ``width`` columns of a terminal.

    >>> clipped("Date of Communication", 10)
    'Date of C…'
    """
    # Cut first: a cell of a million characters need not be looked at whole.
    text = shown(value if value is None else str(value)[: width + 1])
    if _columns(text) > width:
        while _columns(text) >= width:
            text = text[:-1]
        text += "…"
    return text


def text_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows under a header, numbers to the right; no line is longer than 100 columns.

    >>> print(text_table(["name", "records"], [["Households", 742565], ["People", 1156553]]))
    name          records
    Households    742,565
    People      1,156,553
    """
    cells, numeric = _cells(header, rows)
    widths = _widths(cells)
    return "\n".join(
        _GAP.join(
            _aligned(clipped(cell, width), width, right)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in cells
    )


def html_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table, numbers to the right; every cell is escaped.

    It sets no colours, so that it looks right on dark pages too.

    >>> '<td style="text-align: left">&lt;b&gt;</td>' in html_table(["name"], [["<b>"]])
    True
    """
    cells, numeric = _cells(header, rows)
    # Notebooks align all cells to the right unless each is told otherwise.
    styles = [
        "text-align: right; font-variant-numeric: tabular-nums" if right else "text-align: left"
        for right in numeric
    ]

    def row(tag: str, line: Sequence[str]) -> str:
        pairs = zip(line, styles, strict=True)
        inner = (f'<{tag} style="{style}">{escape(cell)}</{tag}>' for cell, style in pairs)
        return f"<tr>{''.join(inner)}</tr>"

    body = "".join(row("td", line) for line in cells[1:])
    return f"<table><thead>{row('th', cells[0])}</thead><tbody>{body}</tbody></table>"


def _cells(
    header: Sequence[str], rows: Iterable[Sequence[object]]
) -> tuple[list[list[str]], list[bool]]:
    """All cells as text, the header first; and which columns hold numbers."""
    lines = [list(row) for row in rows]
    numeric = [
        any(map(_is_number, column)) and all(v is None or _is_number(v) for v in column)
        for column in (zip(*lines, strict=True) if lines else [[]] * len(header))
    ]
    texts = [
        [clipped(f"{value:,}" if _is_number(value) else value) for value in line] for line in lines
    ]
    return [[clipped(name) for name in header], *texts], numeric


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _widths(cells: list[list[str]]) -> list[int]:
    """What each column takes; the widest are cut back until a line holds them all."""
    widths = [max(map(_columns, column)) for column in zip(*cells, strict=True)]
    room = _LINE_WIDTH - len(_GAP) * (len(widths) - 1)
    limit = _CELL_WIDTH
    while limit > 1 and sum(min(width, limit) for width in widths) > room:
        limit -= 1
    return [min(width, limit) for width in widths]


def _aligned(text: str, width: int, right: bool) -> str:
    padding = " " * (width - _columns(text))
    return padding + text if right else text + padding


def _columns(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character."""
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)
