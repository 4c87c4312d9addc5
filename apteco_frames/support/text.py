"""Texts that come from a server, shown harmlessly.

What a terminal would obey is shown as an escape instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

CELL_WIDTH = 40

ASK_ADMINISTRATOR = (
    "Try again; if that does not help, show this message to your Orbit administrator."
)
"""What to do about an answer that contradicts itself, or is not what the API describes."""

# Cc: terminal escapes, NUL, newlines; Cf: right-to-left overrides, zero-width marks;
# Co, Cs, Zl, Zp: private use, surrogates, line and paragraph separators.
_UNSHOWN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}

# Blanks before a command count for nothing.
_COMMAND = re.compile(r"(^\s*):(?=:)|#(?=#\w*\[)")


def escape_controls(value: object) -> str:
    r"""The value as one line of text that no terminal obeys.

    >>> escape_controls("Cost\x1b[31m")
    'Cost\\x1b[31m'
    """
    if value is None:
        return ""
    text = str(value)
    if text.isprintable():  # at once, as most are
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _UNSHOWN
        else character
        for character in text
    )


def truncate(value: object, width: int = CELL_WIDTH) -> str:
    """The value as :func:`escape_controls`, cut to fit into ``width`` columns of a terminal.

    >>> truncate("Date of Communication", 10)
    'Date of C…'
    """
    # Cut first: a cell of a million characters need not be looked at whole.
    text = escape_controls(value if value is None else str(value)[: width + 1])
    if display_width(text) > width:
        while display_width(text) >= width:
            text = text[:-1]
        text += "…"
    return text


def without_commands(line: str) -> str:
    r"""A line for a log, in which a build server finds no command of its own.

    GitHub Actions obeys ``::error::`` at the start of a line, and it, Azure Pipelines and
    TeamCity ``##[group]`` and the like anywhere. A character of these becomes an escape.

    >>> print(without_commands("::error::no"), without_commands("a ##vso[task.complete]"))
    \x3a:error::no a \x23#vso[task.complete]
    """
    if "::" not in line and "##" not in line:  # at once, as most are
        return line
    return _COMMAND.sub(lambda f: r"\x23" if f[1] is None else rf"{f[1]}\x3a", line)


def list_names(names: Sequence[str], most: int = 10) -> str:
    """Names in quotes, as part of a sentence; of many the first.

    >>> list_names(["boDest", "peOccu", "hoRegion"], most=2)
    "'boDest', 'peOccu' and 1 more"
    """
    return list_items([repr(truncate(name)) for name in names[:most]], len(names))


def list_items(items: Sequence[str], number: int) -> str:
    """What is shown of a list, as part of a sentence, and how many more there are.

    Args:
        items: the first of them, as they are to be shown.
        number: how many there are in all.
    """
    rest = number - len(items)
    return ", ".join(items) + (f" and {rest:,} more" if rest > 0 else "")


def display_width(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character."""
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def is_unicode(text: str) -> bool:
    r"""Whether a text can be encoded; not so if it holds half of a surrogate pair.

    >>> is_unicode("Café"), is_unicode("Caf\ud83d")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
