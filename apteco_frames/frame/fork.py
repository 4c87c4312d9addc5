"""The only way to polars, whose threads no fork survives.

In a process that was forked after polars had worked, polars waits for ever for threads
that were left behind in the parent. All of our uses of polars get it from
:func:`import_polars`, which refuses there.
"""

from __future__ import annotations

import os
import sys
import threading
from types import ModuleType

from apteco_frames.errors import ForkedProcessError

# Far longer than polars takes to start on a slow machine: it is only waited for in vain.
_SECONDS = 5.0

# Whether we used polars in this process; whether its threads were left behind in another.
_used = False
_lost = False
# Whether somebody else may have used polars before this process was forked, and who asks.
_unsure = "polars" in sys.modules
_asking: threading.Thread | None = None
_lock = threading.Lock()


def import_polars() -> ModuleType:
    """The module ``polars``, where it can work.

    Raises:
        ForkedProcessError: polars was used before this process was forked.
    """
    global _used, _unsure
    if _unsure:
        with _lock:
            _unsure = not _answers()
    if _lost or _unsure:
        raise ForkedProcessError(
            "polars was used before this process was forked, and would wait here for ever "
            "for threads that were left behind. Start processes with "
            "multiprocessing.get_context('spawn'), or use .arrow."
        )
    _used = True
    import polars

    return polars


def _answers() -> bool:
    """Whether polars answers: at once where it can, never where its threads are missing."""
    global _asking
    if _asking is None:
        import polars as pl

        # Two columns, for which polars uses its threads.
        _asking = threading.Thread(target=lambda: pl.select(a=1, b=2), daemon=True)
        _asking.start()
        _asking.join(_SECONDS)
    return not _asking.is_alive()


def _after_fork() -> None:
    global _used, _lost, _unsure, _asking, _lock
    _lost = _lost or _used
    _unsure = not _lost and "polars" in sys.modules
    _used, _asking, _lock = False, None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
