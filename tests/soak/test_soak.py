"""Thousands of sessions and look-ups: nothing grows once all is warm.

Not part of plain ``tox``; the figures are printed.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import apteco_api
import pytest

from apteco_frames import Session, login_with_password

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="memory and files are counted in /proc"
)

THREADS = 8
LOGINS = 2_000
LOOK_UPS = 100_000
ROUNDS = 5
ASK_EVERY = 100
MEGABYTE = 2**20
MOST_GROWTH = 8 * MEGABYTE


class Figures(NamedTuple):
    """What the process holds."""

    memory: int
    threads: int
    sockets: int
    files: int


def figures() -> Figures:
    """What the process holds now, once all that nobody needs is gone."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    links = []
    for path in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(path.readlink()))
        except OSError:
            continue  # the folder's own
    sockets = sum(link.startswith("socket:") for link in links)
    memory = pages * os.sysconf("SC_PAGE_SIZE")
    return Figures(memory, threading.active_count(), sockets, len(links) - sockets)


@pytest.fixture(scope="module")
def credentials() -> Iterator[tuple[str, ...]]:
    """A demo server in a process of its own: how to log in to it."""
    command = [sys.executable, "-m", "apteco_frames", "demo", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            lines = [server.stdout.readline().split("  ", 1) for _ in range(5)]
            yield tuple(value.strip() for _, value in lines)
        finally:
            server.terminate()


def report(title: str, rounds: list[tuple[int, float, Figures]]) -> None:
    """Print a table of figures."""
    print(f"\n{title}\n{'done':>9} {'seconds':>8} {'MiB':>7} threads sockets files")
    for done, seconds, now in rounds:
        print(
            f"{done:>9,} {seconds:>8.1f} {now.memory / MEGABYTE:>7.1f} "
            f"{now.threads:>7} {now.sockets:>7} {now.files:>5}"
        )


def soak(title: str, total: int, action: Any) -> None:
    """Run an action from several threads in rounds, the first of which warms up."""
    rounds = []
    started = time.monotonic()
    each = total // ROUNDS // THREADS
    for number in range(ROUNDS + 1):
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda thread, n=number: action(n, thread, each), range(THREADS)))
        rounds.append(((number + 1) * each * THREADS, time.monotonic() - started, figures()))
    report(title, rounds)
    warm, last = rounds[0][2], rounds[-1][2]
    assert (last.threads, last.sockets, last.files) == (warm.threads, warm.sockets, warm.files)
    assert last.memory - warm.memory < MOST_GROWTH
    assert rounds[-1][0] - rounds[0][0] >= total


def test_logins(credentials: tuple[str, ...]) -> None:
    """2,000 logins and logouts leave nothing behind."""

    def log_in_and_out(number: int, thread: int, times: int) -> None:
        for _ in range(times):
            with login_with_password(*credentials) as session:
                assert session.variables["Destination"].table == session.tables["Bookings"]

    soak("logins and logouts, after a round to warm up", LOGINS, log_in_and_out)


def test_look_ups(credentials: tuple[str, ...]) -> None:
    """100,000 look-ups leave nothing behind; one in a hundred asks the server."""
    session: Session = login_with_password(*credentials)
    api = apteco_api.FastStatsSystemsApi(session.api_client)
    names = [variable.name for variable in session.variables]
    view, system = credentials[1:3]

    def look_up(number: int, thread: int, times: int) -> None:
        for i in range(times):
            name = names[(i + thread) % len(names)]
            variable = session.variables[name]
            assert variable.name == name
            assert variable.table[variable.description].description == variable.description
            if i % ASK_EVERY == 0:
                found = api.fast_stats_systems_get_fast_stats_variable(view, system, name)
                assert found.description == variable.description
                assert session.variables.get(f"no {name}") is None

    soak("look-ups, after a round to warm up", LOOK_UPS, look_up)
    session.logout()
