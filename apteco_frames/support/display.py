"""Text and HTML for prompts and notebooks; pure functions, but for the terminal's width."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from enum import StrEnum
from html import escape

from apteco_frames.support.text import CELL_WIDTH, display_width, truncate

PREVIEW_ROWS = 10
HTML_ROWS = 12
LINE_WIDTH = 100
NO_MATHS = 'class="mathjax_ignore tex2jax_ignore"'
"""The attribute of an element in which notebooks take ``$10 - $20`` for no mathematics."""
_GAP = "  "


def line_width() -> int:
    """How many columns a line may take: the terminal's, at most 100.

    It is 100, too, where there is no terminal, as in notebooks, files and pipes. The
    environment variable ``COLUMNS`` stands for the terminal's width, as elsewhere.
    """
    return min(LINE_WIDTH, shutil.get_terminal_size((LINE_WIDTH, 0)).columns)


def text_table(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    width: int = LINE_WIDTH,
    *,
    cell_width: int = CELL_WIDTH,
) -> str:
    """Rows under a header, numbers to the right; no line is longer than ``width`` columns.

    What is cut to fit ends with ``…``, and is no wider than ``cell_width``. Texts are cut
    first; numbers only where there is no room for them otherwise.

    >>> print(text_table(["name", "records"], [["Households", 742565], ["People", 1156553]]))
    name          records
    Households    742,565
    People      1,156,553
    """
    cells, numeric = _cells(header, rows, cell_width)
    widths = _widths(cells, numeric, width, cell_width)
    return "\n".join(
        _GAP.join(
            _aligned(truncate(cell, taken), taken, right)
            for cell, taken, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in cells
    )


def html_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table, numbers to the right; every cell is escaped.

    It sets no colours, so that it looks right on dark pages too; but for members of an enum,
    which :func:`kind_mark` marks.

    >>> '<td style="text-align: left">&lt;b&gt;</td>' in html_table(["name"], [["<b>"]])
    True
    """
    lines = [list(row) for row in rows]
    cells, numeric = _cells(header, lines)
    inner = [
        [
            kind_mark(v) if isinstance(v, StrEnum) else escape(cell)
            for v, cell in zip(*pair, strict=True)
        ]
        for pair in zip(lines, cells[1:], strict=True)
    ]
    # Notebooks align all cells to the right unless each is told otherwise.
    styles = [
        "text-align: right; font-variant-numeric: tabular-nums" if right else "text-align: left"
        for right in numeric
    ]

    def row(tag: str, line: Sequence[str]) -> str:
        pairs = zip(line, styles, strict=True)
        joined = "".join(f'<{tag} style="{style}">{cell}</{tag}>' for cell, style in pairs)
        return f"<tr>{joined}</tr>"

    head = row("th", [escape(name) for name in cells[0]])
    body = "".join(row("td", line) for line in inner)
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"


def kind_mark(kind: StrEnum) -> str:
    """A member of an enum with a quiet colour of its own, which lets the page shine through.

    >>> from apteco_frames.variables import VariableType
    >>> print(kind_mark(VariableType.SELECTOR))
    <span style="background: hsla(0, 60%, 50%, .2); border-radius: .5em; padding: 0 .4em">\
Selector</span>
    """
    members = list(type(kind))
    hue = 360 * members.index(kind) // len(members)
    style = f"background: hsla({hue}, 60%, 50%, .2); border-radius: .5em; padding: 0 .4em"
    return f'<span style="{style}">{escape(kind)}</span>'


def _cells(
    header: Sequence[str], rows: Iterable[Sequence[object]], cell_width: int = CELL_WIDTH
) -> tuple[list[list[str]], list[bool]]:
    """All cells as text, the header first; and which columns hold numbers."""
    lines = [list(row) for row in rows]
    numeric = [
        any(map(_is_number, column)) and all(v is None or _is_number(v) for v in column)
        for column in (zip(*lines, strict=True) if lines else [[]] * len(header))
    ]
    texts = [
        [truncate(f"{value:,}" if _is_number(value) else value, cell_width) for value in line]
        for line in lines
    ]
    return [[truncate(name) for name in header], *texts], numeric


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _widths(cells: list[list[str]], numeric: list[bool], width: int, cell_width: int) -> list[int]:
    """What each column takes; the widest are cut back until a line holds them all."""
    columns = [list(map(display_width, column)) for column in zip(*cells, strict=True)]
    widths = [max(column) for column in columns]
    whole = [
        max(column[1:]) if right else 1 for column, right in zip(columns, numeric, strict=True)
    ]
    room = width - len(_GAP) * (len(widths) - 1)
    for least in (whole, [1] * len(widths)):
        for limit in range(cell_width, 0, -1):
            cut = [min(w, max(limit, low)) for w, low in zip(widths, least, strict=True)]
            if sum(cut) <= room:
                return cut
    return cut


def _aligned(text: str, width: int, right: bool) -> str:
    padding = " " * (width - display_width(text))
    return padding + text if right else text + padding
