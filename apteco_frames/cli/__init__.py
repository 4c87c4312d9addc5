"""The command line: arguments to public functions to text.

The exit status is 0; 1 after an error, which is printed; 2 after wrong arguments. As a
shell shows it for programs that a signal ended, it is 130 after Ctrl-C and 141 where
nobody reads the output any more (``| head``); nothing is printed then.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, NoReturn

_INTERRUPTED = 128 + 2
_UNREAD = 128 + 13


def program() -> NoReturn:
    """Run ``apteco-frames`` as this process, which ends with it."""
    # While modules are imported, and at the end, nothing needs to be put in order; and an
    # exception would come out of whatever runs then, with a long traceback.
    _on_interrupt(_leave)
    from apteco_frames.cli import demo  # noqa: F401

    try:
        _on_interrupt(signal.default_int_handler)
        sys.exit(main())
    finally:
        _on_interrupt(_leave)
        _let_go_of_output()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the command line without the program's name; by default the process's.

    Returns:
        the exit status, as the module's docstring has it.

    Raises:
        SystemExit: with 2 after wrong arguments, with 0 after ``--help``.
    """
    try:
        try:
            return _run(arguments)
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        return _UNREAD
    except OSError as error:
        return _failed(error)


def _run(arguments: Sequence[str] | None) -> int:
    import argparse

    from apteco_frames.cli import demo
    from apteco_frames.errors import AptecoFramesError

    # A redirected console may have a code page without the characters of a catalogue.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(
        "apteco-frames", description="Apteco FastStats metadata as dataframes."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    demo.add_to(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except AptecoFramesError as error:
        return _failed(error)
    return 0


def _failed(error: Exception) -> int:
    print(f"apteco-frames: {error}", file=sys.stderr)
    return 1


def _on_interrupt(handler: Callable[[int, FrameType | None], Any]) -> None:
    """Set what Ctrl-C does, unless whoever started the process told it to pass it over."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    os._exit(_INTERRUPTED)


def _let_go_of_output() -> None:
    """Drop what cannot be written, which Python would try once more at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
