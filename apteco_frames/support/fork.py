"""What forks need: the only way to polars, and locks that are not taken along.

In a process that was forked after polars had worked, polars waits forever for threads
that were left behind in the parent. All of our uses of polars get it from
:func:`import_polars`, which refuses there. A lock that such a thread held would never be
free in the child; ours are each a :class:`ProcessLock`.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any
from weakref import WeakSet

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


class ProcessLock:
    """A lock that each process has of its own, free at first.

    What it guards must be changed in one step at last, so that a child which was forked
    meanwhile finds it as it was before.

    Args:
        new: makes the lock.

    >>> lock = ProcessLock()
    >>> with lock.own:
    ...     lock.own.locked()
    True
    """

    def __init__(self, new: Callable[[], Any] = threading.Lock) -> None:
        self._new = new
        self.own: Any = new()
        """The lock of this process; ask for it once, and release what was acquired."""
        _locks.add(self)

    def renew(self) -> None:
        """Have another lock from now on."""
        self.own = self._new()


_locks: WeakSet[ProcessLock] = WeakSet()


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
            "polars was used before this process was forked, and would wait forever here "
            "for threads of the parent process. Start processes with "
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
    for lock in _locks:
        lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
