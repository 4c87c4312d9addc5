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
    """The value as :func:`shown`, cut to at most ``width`` characters."""
    # Cut first: a cell of a million characters need not be looked at whole.
    text = shown(value if value is None else str(value)[: width + 1])
    return text if len(text) <= width else text[: width - 1] + "…"


def text_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows under a header, in columns of equal width.

    >>> print(text_table(["name", "records"], [["People", 1156553]]))
    name    records
    People  1156553
    """
    cells = [list(header), *([clipped(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def html_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table; every cell is escaped.

    >>> html_table(["name"], [["<script>"]])
    '<table><thead><tr><th>name</th></tr></thead><tbody><tr><td>&lt;script&gt;</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(clipped(value))}</td>" for value in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
