"""How far a load is: shown to a person who is looking, once it takes a while."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Report = Callable[[int, int], object]
Progress = Report | bool | None

# Shorter loads are over before anybody could read it.
_PATIENCE = 0.5
_SECONDS_BETWEEN = 0.1

_Show = Callable[[int, int], object]
_Close = Callable[[], object]


@contextmanager
def progress_of(what: str, progress: Progress) -> Iterator[Report | None]:
    """What a load reports to: called with how many are done so far, and of all.

    Shown on standard error by tqdm or rich, if one of them is there, or as a line of text; in
    a notebook below the cell. It goes away when the load is over.

    Args:
        what: what is loaded, such as "variables".
        progress: a callable to report to instead; True or False to show it, or not; None to
            show it where a person is looking: in a notebook, or on a terminal that can wipe it
            out again (``TERM`` is not ``dumb``).
    """
    if callable(progress):
        yield progress
    elif progress or (progress is None and (_in_notebook() or _on_terminal())):
        bar = _Bar(what)
        try:
            yield bar.report
        finally:
            bar.close()
    else:
        yield None


class _Bar:
    """Shows nothing at first, and no more often than can be seen."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = time.monotonic() + _PATIENCE
        self._shown: tuple[_Show, _Close] | None = None

    def report(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _SECONDS_BETWEEN
        if self._shown is None:
            self._shown = _new_display(self._what)
        self._shown[0](done, total)

    def close(self) -> None:
        if self._shown:
            self._shown[1]()


def _in_notebook() -> bool:
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def _on_terminal() -> bool:
    try:
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def _new_display(what: str) -> tuple[_Show, _Close]:
    if _in_notebook():
        return _notebook(what)
    for new in (_tqdm, _rich):
        try:
            return new(what)
        except ImportError:
            continue
    return _line(what)


def _notebook(what: str) -> tuple[_Show, _Close]:
    """Text below the cell; tqdm and rich would need ipywidgets for as much."""
    from IPython.display import display

    new: Any = display  # has no types
    handle = new({"text/plain": ""}, raw=True, display_id=True)

    def show(done: int, total: int) -> None:
        handle.update({"text/plain": _text(what, done, total)}, raw=True)

    return show, lambda: handle.update({"text/plain": ""}, raw=True)


def _tqdm(what: str) -> tuple[_Show, _Close]:
    from tqdm import tqdm

    bar: tqdm[Any] | None = None

    def show(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:  # what was done before is not part of its speed
            bar = tqdm(desc=what, initial=done, total=total, leave=False, file=sys.stderr)
        bar.total, bar.n = total, done
        bar.refresh()

    return show, lambda: bar and bar.close()


def _rich(what: str) -> tuple[_Show, _Close]:
    from rich.console import Console
    from rich.progress import Progress as Bars

    # Refreshed by hand: there need not be a thread for it.
    bars = Bars(console=Console(stderr=True), transient=True, auto_refresh=False)
    task = bars.add_task(what)
    bars.start()

    def show(done: int, total: int) -> None:
        bars.update(task, completed=done, total=total, refresh=True)

    return show, bars.stop


def _line(what: str) -> tuple[_Show, _Close]:
    """One line, written over and over, and wiped out at the end."""
    longest = 0

    def write(text: str) -> None:
        nonlocal longest
        longest = max(longest, len(text))
        sys.stderr.write(f"\r{text:<{longest}}\r")
        sys.stderr.flush()

    def close() -> None:
        write("")

    return lambda done, total: write(_text(what, done, total)), close


def _text(what: str, done: int, total: int) -> str:
    return f"{what}: {done:,} of {total:,}"
