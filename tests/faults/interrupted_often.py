"""Ctrl-C at random moments: ``interrupted_often.py SEED TIMES``.

Prints a line for whatever is left behind, and at last how often an action was interrupted.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import polars  # noqa: F401 - its handler has waits for locks go on after Ctrl-C
from faults.server import FaultyServer

from apteco_frames import Session

MAIN = threading.main_thread()
LONGEST = 0.03  # seconds, in which each of the actions ends, or is in the middle


def interrupted(action: Callable[[], Any]) -> tuple[bool, Any]:
    """Whether Ctrl-C came while an action ran, and its result if it did not."""
    is_over = threading.Event()

    def press() -> None:
        if not is_over.wait(random.uniform(0, LONGEST)) and MAIN.ident is not None:
            signal.pthread_kill(MAIN.ident, signal.SIGINT)

    presser = threading.Thread(target=press)
    result = None
    was = True
    try:
        presser.start()
        result = action()
        was = False
        is_over.set()
        presser.join()
        time.sleep(0.001)
    except KeyboardInterrupt:
        was = True
    is_over.set()
    with suppress(KeyboardInterrupt):  # that it came just now
        presser.join()
        time.sleep(0.001)
    return was, result


def pass_over(unraisable: sys.UnraisableHookArgs) -> None:
    """Say nothing of a Ctrl-C that came in a callback, where Python itself passes it over."""
    if not isinstance(unraisable.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)


def all_ended(server: FaultyServer) -> bool:
    """Whether the server ends up without a session."""
    restarted = len(server.session_ids)
    for _ in range(200):
        ended = sum(asked.method == "DELETE" for asked in server.asked)
        if ended >= len(server.session_ids) == restarted:
            return True
        restarted = len(server.session_ids)
        time.sleep(0.02)
    return False


def use(session: Session) -> None:
    """Read, and end the session: in another thread, which no lock lets in twice."""
    session.load_codes()
    _ = session.folders
    session.refresh()
    session.logout()


def main(seed: int, times: int) -> None:
    """Interrupt logins, loads, renewals and logouts."""
    random.seed(seed)
    sys.unraisablehook = pass_over
    number = 0
    with FaultyServer() as server, ThreadPoolExecutor(1) as threads:
        for _ in range(times):
            was, session = interrupted(lambda: server.login(timeout=(5, 5, 20)))
            number += was
            if session is not None:
                session.logout()
            if not all_ended(server):
                print("a login leaves its session")
        for _ in range(times):
            session = server.login(timeout=(5, 5, 20))
            actions: list[Callable[[], Any]] = [
                session.load_codes,
                partial(getattr, session, "folders"),
                session.refresh,
                partial(session.renew, server.password),
                session.logout,
            ]
            action = random.choice(actions)
            was, _ = interrupted(action)
            number += was
            started = time.monotonic()
            try:
                if action == session.logout:
                    threads.submit(session.renew, server.password).result(15)
                threads.submit(use, session).result(15)
            except Exception as error:
                print("what follows", action, "fails:", type(error), error)
            if time.monotonic() - started > 8:
                print("what follows", action, "waits")
            if not all_ended(server):
                print(action, "leaves a session")
    print("interrupted", number)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
