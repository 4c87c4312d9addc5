"""A login in a process of its own: ``interrupted.py WHAT URL VIEW SYSTEM USER PASSWORD TOTAL``.

WHAT says how: ``ours``, or through a requests.Session with ``plain`` adapters or with
adapters of the user's ``own``. It prints how many seconds it took to end.
"""

from __future__ import annotations

import sys
import time

import polars  # noqa: F401 - its handler has waits for locks go on after Ctrl-C
import requests

from apteco_frames import login_with_password
from apteco_frames.errors import OrbitConnectionError


class Own(requests.adapters.HTTPAdapter):
    """An adapter that is no plain one."""


def main(what: str, url: str, view: str, system: str, user: str, password: str, total: str) -> None:
    """Log in, and say how long it took to fail."""
    http = None if what == "ours" else requests.Session()
    if http is not None and what == "own":
        http.mount("http://", Own())
    started = time.monotonic()
    try:
        timeout = (1_000, 1_000, float(total))
        login_with_password(url, view, system, user, password, http=http, timeout=timeout)
    except (OrbitConnectionError, KeyboardInterrupt) as error:
        print(type(error).__name__, time.monotonic() - started)
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
