"""The command line: arguments to public functions to text.

The exit status is 0; 1 after an error, which is printed in one line; 2 after wrong
arguments. Commands that compare have those of ``diff``: 0 where nothing was found, 1 where
something was, 2 after trouble of any kind, so that a comparison that failed never reads as
"no changes". As a shell shows it for programs that a signal ended, it is 130 after Ctrl-C
and 141 where nobody reads the output any more (``| head``); nothing is printed then.

Modules of this room import what is heavy when a command has been chosen that needs it.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

# No more than this: Ctrl-C has a traceback until the program is in control.
from apteco_frames.cli.interrupts import INTERRUPTED, end_at_once, has_come

COMPLETION = "_APTECO_FRAMES_COMPLETE"
"""The environment variable by which a shell asks for completions."""

_FAILED = 1
_TROUBLE = 2
_UNREAD = 128 + 13


def program() -> NoReturn:
    """Run ``apteco-frames`` as this process, which ends with it."""
    end_at_once()  # until a command begins its work
    try:
        sys.exit(main())
    finally:
        end_at_once()
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
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Told by the words alone, so that it holds whatever fails after this.
    words = [word for word in given if not word.startswith("-")][:2]
    compares = words[:1] in (["diff"], ["lint"]) or words == ["archive", "check"]
    compares |= words[:1] == ["uses"] and any(word.startswith("--broken") for word in given)
    trouble = _TROUBLE if compares else _FAILED
    try:
        try:
            return _run(given, trouble)
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except SystemExit:
        raise
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _UNREAD
    except OSError as error:
        # Windows has this of a pipe that nobody reads, which is no file by a name.
        is_unread = error.errno == errno.EINVAL and error.filename is None
        return _UNREAD if is_unread else _failed(error, trouble)
    except BaseException:  # polars' PanicException is no Exception
        if has_come():
            return INTERRUPTED
        if trouble == _FAILED:
            raise
        return _broke(trouble)


def _run(arguments: list[str], trouble: int) -> int:
    import click
    from click.shell_completion import shell_complete

    from apteco_frames.cli.commands import commands
    from apteco_frames.cli.messages import NAME, explain, warnings_in_lines
    from apteco_frames.errors import AptecoFramesError

    # A redirected console may have a code page without the characters of a catalogue.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    instruction = os.environ.get(COMPLETION)
    # Shells ask without arguments: where the variable was exported, commands are still run.
    if instruction and not arguments:
        from apteco_frames.cli.completion import use

        use()
        return shell_complete(commands, {}, NAME, COMPLETION, instruction)
    try:
        # Not commands.main(), which prints a line at Ctrl-C.
        with warnings_in_lines(), commands.make_context(NAME, arguments) as context:
            return commands.invoke(context) or 0
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.UsageError as error:
        with suppress(OSError):
            explain(error)
        sys.exit(_TROUBLE)
    except (click.ClickException, AptecoFramesError) as error:
        return _failed(error, trouble)
    except click.Abort:  # the input ended where something was asked
        if not has_come():
            click.echo(err=True)
        return _failed(click.ClickException("Cancelled. Nothing was changed."), trouble)
    except UnicodeEncodeError:  # of bytes that the locale has no characters for
        return _failed(ValueError("An argument, or a file's name, is not text."), trouble)


def _failed(error: Exception, status: int) -> int:
    if has_come():
        return INTERRUPTED
    from apteco_frames.cli.messages import say, told

    with suppress(OSError):  # where it cannot be said, the status does
        say(told(error))
    return status


def _broke(status: int) -> int:
    """The status after an error that was not foreseen, once it was shown, if it can be."""
    with suppress(BaseException):
        import traceback

        if sys.stderr is not None:
            traceback.print_exc()
    return status


def _let_go_of_output() -> None:
    """Drop what cannot be written, which Python would try once more at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
