"""Several functions at a time, taken as they end, and given up together."""

from __future__ import annotations

import threading
import time

import pytest
from lanes import PATIENCE

from apteco_frames.errors import OrbitConnectionError
from apteco_frames.orbit.deadline import Deadline, run_all
from apteco_frames.orbit.options import Timeout

URL = "http://localhost/OrbitAPI"


def test_results_come_as_they_end() -> None:
    """What ends first comes first, each result once and with its key; no more run than may."""
    gates = [threading.Event() for _ in range(3)]
    started: list[int] = []

    def run(number: int) -> int:
        started.append(number)
        gates[number].wait(PATIENCE)
        return number * 10

    calls = ((number, lambda number=number: run(number)) for number in range(3))
    results = run_all(calls, Deadline(Timeout()), URL, 2)
    gates[1].set()
    assert next(results) == (1, 10)
    gates[2].set()
    assert next(results) == (2, 20)
    gates[0].set()
    assert list(results) == [(0, 0)]
    assert started[2] == 2  # once there was a thread for it


def test_error_gives_up_the_others() -> None:
    """An error of one function comes out, and the deadline is given up."""
    deadline = Deadline(Timeout())
    ended, gate = threading.Event(), threading.Event()

    def hang() -> None:
        assert deadline.run_aside(lambda: gate.wait(10 * PATIENCE)) is None
        ended.set()

    def fail() -> None:
        raise ZeroDivisionError

    started = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        list(run_all([("hangs", hang), ("fails", fail)], deadline, URL, 2))
    assert deadline.seconds_left() == 0
    assert ended.wait(PATIENCE)
    assert time.monotonic() - started < PATIENCE
    gate.set()


def test_time_is_up() -> None:
    """When no result comes in time, it is an error that names the URL."""
    gate = threading.Event()
    calls = [("hangs", lambda: gate.wait(5))]
    with pytest.raises(OrbitConnectionError, match=f"{URL} did not answer .* 0.2 seconds"):
        list(run_all(calls, Deadline(Timeout(1, 1, 0.2)), URL, 1))
    gate.set()
