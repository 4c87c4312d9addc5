"""What is said on standard error: errors, warnings and remarks, in one line each."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from apteco_frames.errors import AptecoFramesWarning
from apteco_frames.support.text import truncate, without_commands

if TYPE_CHECKING:
    import click

NAME = "apteco-frames"
_STANDARD_ERROR = 2

_LONGEST = 2_000  # what is wrong with arguments and files repeats them, of whatever length


def say(text: str) -> None:
    """Print a line on standard error, with the program's name before it."""
    _print(f"{NAME}: {truncate(' '.join(text.splitlines()), _LONGEST)}")


def explain(error: click.UsageError) -> None:
    """Print how the command is used, and what was wrong."""
    path = NAME
    if error.ctx is not None:
        path = error.ctx.command_path
        _print(error.ctx.get_usage())
    _print(f"{path}: error: {truncate(_message(error), _LONGEST)}")


def _print(line: str) -> None:
    if sys.stderr is not None:  # or print() would take standard output
        print(line if sys.stderr.isatty() else without_commands(line), file=sys.stderr)


def _message(error: click.UsageError) -> str:
    import click

    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        hint = error.param_hint
        if error.param is not None and not hint:
            hint = "/".join(error.param.opts) or error.param.human_readable_name
        if hint:
            return f"argument {hint}: {error.message}"
    text = error.format_message()
    asks = error.ctx is not None and any(
        param.name == "password_stdin" for param in error.ctx.command.params
    )
    # What stands after --password-stdin could be a password.
    return text.partition(" (")[0] if asks and "unexpected extra argument" in text else text


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
    """Show warnings of this package as lines of their own, without the line of code that warned."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", AptecoFramesWarning)
        show = warnings.showwarning

        def showwarning(
            message: Warning | str, category: type[Warning], *origin: Any, **rest: Any
        ) -> None:
            if issubclass(category, AptecoFramesWarning):
                say(f"warning: {message}")
            else:
                show(message, category, *origin, **rest)

        warnings.showwarning = showwarning
        yield
