"""A load of codes that is interrupted: ``interrupted_codes.py WHAT URL VIEW SYSTEM USER PASSWORD``.

WHAT is ``codes`` or ``folders``. It prints after how many seconds Ctrl-C came out of the
load, how much the same session read after that, and when it was about to end.
"""

from __future__ import annotations

import sys
import time

import polars  # noqa: F401 - its handler has waits for locks go on after Ctrl-C

from apteco_frames import login_with_password


def main(what: str, *account: str) -> None:
    """Log in, load, and load again once interrupted."""
    session = login_with_password(*account)
    started = time.monotonic()
    try:
        getattr(session, what)
    except KeyboardInterrupt:
        seconds = time.monotonic() - started
    print(seconds, len(getattr(session, what)), time.monotonic() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
