"""Time-outs, and loads that end when their time is up."""

from __future__ import annotations

import math
import threading
import time
from contextvars import ContextVar
from typing import Any

import numpy as np
import pytest
from lanes import PATIENCE

from apteco_frames.orbit.deadline import Deadline
from apteco_frames.orbit.options import Timeout


@pytest.mark.parametrize(
    ("value", "timeout"),
    [
        (None, (10, 60, 600)),
        (5, (5, 5, 600)),
        (0.5, (0.5, 0.5, 600)),
        ((3, 30), (3, 30, 600)),
        ((3, 30, 120), (3, 30, 120)),
        ([3, 30, 1_000_000], (3, 30, 1_000_000)),
        (np.int64(5), (5, 5, 600)),
    ],
)
def test_timeouts(value: Any, timeout: tuple[float, ...]) -> None:
    """A time-out is a number, a pair or a triple; what is not given is the default."""
    assert Timeout.of(value) == timeout


@pytest.mark.parametrize(
    "value",
    [
        *(0, -1, math.nan, (), (5,), (1, 0), (1, 2, -3), (1, 2, 3, 4), [1, 2, 3, 4]),
        *(math.inf, (10, 60, math.inf), 1e10, 10**400, (5, None), "5", ("5", "5"), True, {5}, 1j),
    ],
)
def test_what_is_no_timeout(value: Any) -> None:
    """Anything else is an error that says what is wanted."""
    with pytest.raises(ValueError, match=r"timeout= takes a number of seconds.*Nothing was sent\."):
        Timeout.of(value)


def test_deadline() -> None:
    """A part of a load has the load's deadline, and can be given up alone."""
    deadline = Deadline(Timeout(1, 1, 50))
    part = deadline.part()
    assert 49 < deadline.seconds_left() <= 50
    assert 49 < part.seconds_left() <= 50
    assert part.pause(0.001)
    assert not part.pause(60)
    part.give_up()
    assert part.seconds_left() == 0
    assert not part.pause(0)
    assert deadline.seconds_left() > 49


def test_run_aside() -> None:
    """A function runs in a thread of its own, which sees the context; its error comes out."""
    number: ContextVar[int] = ContextVar("number")
    number.set(7)
    deadline = Deadline(Timeout(1, 1, 50))
    assert deadline.run_aside(lambda: (number.get(), threading.current_thread().daemon)) == (
        7,
        True,
    )
    with pytest.raises(ZeroDivisionError):
        deadline.run_aside(lambda: 1 / 0)


def test_run_aside_beyond_the_time() -> None:
    """What takes longer than there is time is left to itself, and the load is given up."""
    gate = threading.Event()
    deadline = Deadline(Timeout(1, 1, 0.2))
    started = time.monotonic()
    assert deadline.run_aside(lambda: gate.wait(10 * PATIENCE)) is None
    assert 0.19 <= time.monotonic() - started < PATIENCE
    assert deadline.run_aside(lambda: 1) is None
    gate.set()


def test_run_aside_of_a_task_given_up() -> None:
    """A wait ends when another thread gives the load up."""
    gate = threading.Event()
    deadline = Deadline(Timeout(1, 1, 10 * PATIENCE))
    threading.Timer(0.1, deadline.give_up).start()
    started = time.monotonic()
    assert deadline.run_aside(lambda: gate.wait(10 * PATIENCE)) is None
    assert time.monotonic() - started < PATIENCE
    gate.set()
