"""Several functions at a time, taken as they end, and given up together."""

from __future__ import annotations

import threading
import time

import pytest
from lanes import PATIENCE

from apteco_frames.errors import OrbitConnectionError
from apteco_frames.orbit.deadline import Deadline, Pool
from apteco_frames.orbit.options import Timeout

URL = "http://localhost/OrbitAPI"


def test_results_come_as_they_end() -> None:
    """What ends first comes first, each result once and with its key; no more run than may."""
    gates = [threading.Event() for _ in range(3)]
    running = []

    def run(number: int) -> int:
        running.append(number)
        gates[number].wait(5)
        return number * 10

    with Pool[str, int](Deadline(Timeout()), URL, 2) as pool:
        assert (pool.free, pool.idle) == (2, True)
        for number in range(3):
            pool.submit(f"number {number}", run, number)
        assert pool.free == -1
        gates[1].set()
        assert pool.finished() == [("number 1", 10)]
        gates[2].set()
        assert pool.finished() == [("number 2", 20)]
        assert (pool.free, pool.idle) == (1, False)
        gates[0].set()
        assert pool.finished() == [("number 0", 0)]
        assert (pool.free, pool.idle) == (2, True)


def test_error_gives_up_the_others() -> None:
    """An error of one function comes out, and the deadline is given up."""
    deadline = Deadline(Timeout())
    ended, gate = threading.Event(), threading.Event()

    def hang() -> None:
        assert deadline.run_aside(lambda: gate.wait(10 * PATIENCE)) is None
        ended.set()

    def run() -> None:
        with Pool[str, object](deadline, URL, 2) as pool:
            pool.submit("hangs", hang)
            pool.submit("fails", lambda: 1 / 0)
            pool.finished()

    started = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        run()
    assert deadline.seconds_left() == 0
    assert ended.wait(PATIENCE)
    assert time.monotonic() - started < PATIENCE
    gate.set()


def test_time_is_up() -> None:
    """When no result comes in time, it is an error that names the URL."""
    deadline = Deadline(Timeout(1, 1, 0.2))
    gate = threading.Event()
    with Pool[str, bool](deadline, URL, 1) as pool:
        pool.submit("hangs", gate.wait, 5)
        with pytest.raises(OrbitConnectionError, match=f"{URL} did not answer .* 0.2 seconds"):
            pool.finished()
    gate.set()
