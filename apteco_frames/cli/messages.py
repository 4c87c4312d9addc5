"""What is said on standard error: errors, warnings and remarks, in one line each."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apteco_frames.errors import AptecoFramesError, AptecoFramesWarning, Hint
from apteco_frames.support.text import truncate, without_commands

if TYPE_CHECKING:
    import click

NAME = "apteco-frames"
_STANDARD_ERROR = 2

_LONGEST = 2_000  # what is wrong with arguments and files repeats them, of whatever length

_SAVE_AGAIN = "Save it with them: apteco-frames export, or apteco-frames archive add."

HINTS = {
    Hint.LOG_IN_AGAIN: "Run the command again.",
    Hint.TYPE_PASSWORD: "Set APTECO_PASSWORD, or use --password-command or --password-stdin.",
    Hint.REFRESH: "Run the command again.",
    Hint.REFRESH_IF_NEW: "If they were made since, run the command again with --no-cache.",
    Hint.LOAD_CODES: _SAVE_AGAIN,
    Hint.LOAD_FOLDERS: _SAVE_AGAIN,
    Hint.LOAD_USES: "Save it with them: apteco-frames export --uses, or archive add --uses.",
    Hint.LOAD_REST: _SAVE_AGAIN,
    Hint.ASK_FOR_CODES_AGAIN: _SAVE_AGAIN,
    Hint.SKIP_CODES: "Ask your administrator for the right to them.",
    Hint.NAME_CATALOGUE: "Name a folder that apteco-frames export wrote.",
    Hint.NAME_FILE_SYSTEM: (
        "Name a folder, or a URI that begins file:///, s3://, gs://, abfs:// or hdfs://."
    ),
    Hint.NAME_CACHE: "Name another folder with APTECO_FRAMES_CACHE_DIR, or use --no-cache.",
    Hint.NAME_AUTHORITY: "If its authority is one of your own, name it: --certificate ca.pem.",
    Hint.PROXY_LOGIN: (
        "Give its user and password in the environment: "
        "HTTPS_PROXY=http://user:password@proxy:8080."
    ),
    Hint.SMALLER_PAGES: "Tell your Orbit administrator.",
    Hint.MORE_TIME: "Try again, at a time when the server is less busy.",
}
"""What to do next, in the words of the terminal."""


def say(text: str) -> None:
    """Print a line on standard error, with the program's name before it."""
    _print(f"{NAME}: {truncate(' '.join(text.splitlines()), _LONGEST)}")


def told(error: BaseException) -> str:
    """What an error or a warning says, in the words of the terminal."""
    if isinstance(error, AptecoFramesError | AptecoFramesWarning):
        return error.worded(HINTS)
    if isinstance(error, OSError) and error.filename is not None and error.errno:
        return _told_of_file(error, Path(os.fsdecode(error.filename)))
    return str(error)


def _told_of_file(error: OSError, path: Path) -> str:
    folder = path.parent
    if error.errno == errno.ENOENT and not folder.is_dir():
        return f"There is no folder {folder}, so {path} cannot be written. Make it first."
    return f"{path}: {error.strerror}"


def explain(error: click.UsageError) -> None:
    """Print how the command is used, where to read more, and what was wrong."""
    if error.ctx is not None:
        _print(error.ctx.get_usage())
        _print(f"Try '{error.ctx.command_path} --help' for help.")
    say(error.format_message())


def _print(line: str) -> None:
    if sys.stderr is not None:  # or print() would take standard output
        print(line if sys.stderr.isatty() else without_commands(line), file=sys.stderr)


@contextmanager
def without_panics() -> Iterator[None]:
    """Drop what polars prints on standard error, past Python, where it panics."""
    if sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    theirs, nothing = os.dup(_STANDARD_ERROR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, _STANDARD_ERROR)
    try:
        with warnings.catch_warnings(record=True) as held:
            yield
    finally:
        os.dup2(theirs, _STANDARD_ERROR)
        os.close(theirs)
        os.close(nothing)
    for one in held:  # they would have been dropped, too
        warnings.showwarning(one.message, one.category, one.filename, one.lineno)


@contextmanager
def warnings_in_lines() -> Iterator[None]:
    """Show warnings of this package as lines of their own, without a place in our code."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", AptecoFramesWarning)
        show = warnings.showwarning

        def showwarning(
            message: Warning | str, category: type[Warning], *place: Any, **rest: Any
        ) -> None:
            if isinstance(message, AptecoFramesWarning):
                say(f"warning: {told(message)}")
            else:
                show(message, category, *place, **rest)

        warnings.showwarning = showwarning
        yield
