"""What a person at a terminal sees while a command works for longer than a second."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DELAY = 1.0
"""Seconds: shorter work is over before anybody could read what it is."""

PAUSE = 0.5
"""Seconds from one look at the clock to the next."""


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say on standard error what is being done, and for how long, until it is done.

    Args:
        what: what is being done, such as "writing holidays.html".
    """
    # Not where progress of reading is not shown either: it could not be wiped out again.
    from apteco_frames.support.progress import progress_of

    with progress_of(what, None) as report:
        if report is None:
            yield
            return
    is_over = threading.Event()
    teller = threading.Thread(target=_tell, args=(what, is_over), daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_over.set()
        teller.join()


def _tell(what: str, is_over: threading.Event) -> None:
    if is_over.wait(DELAY):
        return
    from tqdm import tqdm

    options: Any = {"bar_format": "{desc} … {elapsed}", "leave": False, "file": sys.stderr}
    with tqdm(desc=what, **options) as bar:
        while not is_over.wait(PAUSE):
            bar.refresh()
