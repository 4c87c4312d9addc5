"""How far a load is: shown to a person who is looking, once it takes a while."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

Report = Callable[[int, int], object]
Progress = Report | bool | None

# Seconds. Shorter loads are over before anybody could read it.
_DELAY = 0.5


@contextmanager
def progress_of(what: str, progress: Progress) -> Iterator[Report | None]:
    """What a load reports to: called with how many are done so far, and of all.

    tqdm shows it: on standard error, or below the cell of a notebook that has ipywidgets. It
    goes away when the load is over.

    Args:
        what: what is loaded, such as "variables".
        progress: a callable to report to instead; True or False to show it, or not; None to
            show it where a person is looking: in a notebook, or on a terminal that can wipe it
            out again (``TERM`` is not ``dumb``).
    """
    if callable(progress):
        yield progress
    elif sys.stderr and (progress or (progress is None and (in_notebook() or _on_terminal()))):
        bar: Any = None
        shown_from = time.monotonic() + _DELAY

        def report(done: int, total: int) -> None:
            nonlocal bar
            if bar is None:
                delay = shown_from - time.monotonic()
                options = {"initial": done, "total": total, "leave": False, "delay": delay}
                bar = _tqdm()(desc=what, file=sys.stderr, **options)
            bar.total = total
            bar.update(done - bar.n)

        try:
            yield report
        finally:
            if bar is not None:
                bar.total = bar.n  # a notebook keeps what did not get to its end
                bar.close()
    else:
        yield None


def _tqdm() -> Any:
    # tqdm.auto would warn of experiments, and where there is no ipywidgets.
    if in_notebook() and find_spec("ipywidgets"):
        from tqdm.notebook import tqdm
    else:
        from tqdm import tqdm
    return tqdm


def in_notebook() -> bool:
    """Whether the code runs in a notebook's kernel."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def _on_terminal() -> bool:
    try:
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # it is closed
        return False
