"""What Ctrl-C does: it ends the program at once, or is a ``KeyboardInterrupt``.

While modules are imported, and at the end, nothing needs to be put in order; and an
exception would come out of whatever runs then, with a long traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn, cast

INTERRUPTED = 128 + 2
"""The exit status after Ctrl-C, as a shell shows it for programs that a signal ended."""

_MOMENT = 0.01
_STANDARD_ERROR = 2

_has_come = False
_is_ours = False


def end_at_once() -> None:
    """From here on Ctrl-C ends the program, whose process this is."""
    global _is_ours
    _is_ours = True
    _on_interrupt(_leave)


def put_in_order() -> None:
    """From here on Ctrl-C is a ``KeyboardInterrupt``, if it has ended the program until now."""
    if signal.getsignal(signal.SIGINT) is _leave:
        sys.unraisablehook = _once_more
        signal.signal(signal.SIGINT, _raise)


def leave(status: int) -> None:
    """End the process, whatever its threads are at.

    Where a command runs in somebody else's process, nothing happens.
    """
    if _is_ours:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # closed, or none
                stream.flush()
        os._exit(status)


def has_come() -> bool:
    """Whether Ctrl-C came while a command was at work.

    What ended the command then need be no ``KeyboardInterrupt``: one that comes in a callback
    is a panic of polars.
    """
    return _has_come


def _raise(number: int, frame: FrameType | None) -> None:
    global _has_come
    _has_come = True
    with suppress(OSError):  # where polars would tell of its panic
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STANDARD_ERROR)
    signal.default_int_handler(number, frame)


def _once_more(passed_over: sys.UnraisableHookArgs) -> None:
    """Interrupt again where Python passed over an interrupt, since it came in a callback.

    There is one after each import, and wherever something is finalised.
    """
    if passed_over.exc_type is KeyboardInterrupt:
        import threading

        later = threading.Timer(_MOMENT, _interrupt)  # once the callback is over
        later.daemon = True
        later.start()
    else:
        sys.__unraisablehook__(passed_over)


def _interrupt() -> None:
    import _thread
    import threading

    if sys.platform == "win32":
        _thread.interrupt_main()
    else:  # so that sleeping ends
        signal.pthread_kill(cast(int, threading.main_thread().ident), signal.SIGINT)


def _on_interrupt(handler: Callable[[int, FrameType | None], Any]) -> None:
    """Set what Ctrl-C does, unless whoever started the process told it to pass it over."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    os._exit(INTERRUPTED)
