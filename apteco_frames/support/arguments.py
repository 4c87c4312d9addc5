"""What a user gives to a method, checked where it comes in: one sentence says what is wanted."""

from __future__ import annotations

import errno
import operator
import os
from pathlib import Path
from typing import Any

from apteco_frames.support.progress import Progress

_LONGEST_OF_WINDOWS = 32_767


def not_a(expected: str, value: object) -> TypeError:
    """The error for an argument of a wrong type; only of small values it shows which.

    Args:
        expected: what takes what, as ``search() takes text (str)``.
        value: what was given instead.

    >>> print(not_a("search() takes text (str)", 5))
    search() takes text (str), not 5.
    >>> print(not_a("search() takes text (str)", ["boDest"]))
    search() takes text (str), not a list.
    """
    is_small = value is None or isinstance(value, bool | int | float)
    kind = type(value).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    return TypeError(
        f"{expected}, not {value!r}." if is_small else f"{expected}, not {article} {kind}."
    )


def require_text(text: str, what: str) -> str:
    """The text that an argument should be.

    Args:
        text: what was given.
        what: what takes it.

    Raises:
        TypeError: it is no text.
    """
    if not isinstance(text, str):
        raise not_a(f"{what} takes text (str)", text)
    return text


def require_number(number: int, what: str) -> int:
    """The whole number from 1 on that an argument should be.

    Args:
        number: what was given; NumPy's whole numbers do, too.
        what: what takes it.

    Raises:
        TypeError: it is no whole number.
        ValueError: it is less than 1.

    >>> require_number(0, "limit=")
    Traceback (most recent call last):
    ValueError: limit= takes a whole number from 1 on, not 0.
    """
    expected = f"{what} takes a whole number from 1 on"
    if isinstance(number, bool) or not hasattr(number, "__index__"):
        raise not_a(expected, number)
    if number < 1:
        raise ValueError(f"{expected}, not {number}.")
    return operator.index(number)


def require_path(path: str | os.PathLike[str], what: str) -> Path:
    """The file or folder that an argument should name; ``~`` stands for the user's own.

    Args:
        path: what was given.
        what: what takes it.

    Raises:
        TypeError: it is neither text nor a path.
        ValueError: it is an empty text, as of a variable that is not set, or has characters
            that no path can have.
        OSError: it is longer than any path of Windows, where this is Windows.
    """
    named: Any = path
    if isinstance(path, os.PathLike):
        named = os.fspath(path)
    if not isinstance(named, str):
        raise not_a(f"{what} takes a path (str or pathlib.Path)", path)
    if not named:
        raise ValueError(f"{what} takes a path, not an empty text: is a variable not set?")
    try:
        is_possible = b"\0" not in os.fsencode(named)
    except UnicodeEncodeError:
        is_possible = False
    if not is_possible:
        raise ValueError(f"{what} takes a path, and {named!r} has a character that no path has.")
    if os.name == "nt" and len(named) > _LONGEST_OF_WINDOWS:  # a bare ValueError, later on
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), named)
    # Unlike that of pathlib, it leaves alone what no user is called: "~$budget.xlsx".
    return Path(os.path.expanduser(named))  # noqa: PTH111


def require_progress(progress: Progress) -> Progress:
    """What a load should report to.

    Raises:
        TypeError: it is neither True, False, None nor a callable.
    """
    if progress is None or isinstance(progress, bool) or callable(progress):
        return progress
    raise not_a("progress= takes True, False, None or a callable", progress)
