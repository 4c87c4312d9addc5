"""Processes that wait for a silent server: Ctrl-C and the total time end them at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.server import FaultyServer, silence
from lanes import PATIENCE

from apteco_frames.demo.api import Answer
from apteco_frames.demo.server import DemoHandler

# Seconds, of which most are for slow machines; what hangs takes longer by far.
AT_ONCE = PATIENCE

needs_signals = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows sends no SIGINT to a child"
)
# The user's own connections.
ELSEWHERE = [pytest.param(name, marks=pytest.mark.slow) for name in ("plain", "own")]

SCRIPT = Path(__file__).with_name("interrupted.py")


@contextmanager
def logging_in(server: FaultyServer, what: str, total: float) -> Iterator[subprocess.Popen[str]]:
    """A process that logs in to a server."""
    values = (server.base_url, server.data_view, server.system, server.user, server.password)
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), what, *values, str(total)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def await_requests(server: FaultyServer, number: int) -> None:
    """Wait until a server was asked so often."""
    started = time.monotonic()
    while len(server.asked) < number:
        assert time.monotonic() - started < PATIENCE
        time.sleep(0.01)
    time.sleep(0.1)  # until the client waits for the answer


@needs_signals
@pytest.mark.parametrize("what", ["ours", *ELSEWHERE])
@pytest.mark.parametrize("answered", [0, 1, 2], ids=["login", "system", "pages and logout"])
def test_interrupt(what: str, answered: int) -> None:
    """Ctrl-C ends a process whose server has fallen silent, whoever's adapters it uses."""
    with (
        FaultyServer(silence, "", skip=answered) as server,
        logging_in(server, what, 10 * PATIENCE) as process,
    ):
        await_requests(server, answered + (2 if answered == 2 else 1))
        interrupted = time.monotonic()
        process.send_signal(signal.SIGINT)
        said, error = process.communicate(timeout=2 * PATIENCE)
        seconds = time.monotonic() - interrupted
    assert said.startswith("KeyboardInterrupt ")
    assert error.endswith("KeyboardInterrupt\n")
    assert process.returncode == -signal.SIGINT
    # At once, on a machine of any speed; the load itself could go on for much longer.
    assert seconds < AT_ONCE


@pytest.mark.parametrize("what", ["ours", *ELSEWHERE])
@pytest.mark.parametrize(
    "path", [pytest.param("/SimpleLogin", marks=pytest.mark.slow), "/Variables"]
)
def test_total_time(what: str, path: str) -> None:
    """The whole load's time is the same, whoever's adapters are used, and the exit follows."""
    with FaultyServer(silence, path) as server, logging_in(server, what, 1) as process:
        await_requests(server, 1)
        began = time.monotonic()
        said, _ = process.communicate(timeout=2 * PATIENCE)
        assert time.monotonic() - began < AT_ONCE
    name, seconds = said.split()
    assert name == "OrbitConnectionError"
    assert 1 <= float(seconds) < 1 + AT_ONCE


AT_EXIT = """
import atexit, sys
from apteco_frames import login_with_password
session = login_with_password(*sys.argv[1:])
atexit.register(session.logout)
"""


def test_logout_at_exit() -> None:
    """A session can be ended when the interpreter is, though no thread can be started then."""
    with FaultyServer() as server:
        values = (server.base_url, server.data_view, server.system, server.user, server.password)
        done = subprocess.run(
            [sys.executable, "-c", AT_EXIT, *values],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert [asked.method for asked in server.asked].count("DELETE") == 1


@needs_signals
def test_interrupts_at_random_moments() -> None:
    """Wherever Ctrl-C comes, what follows goes on, and no session is left on the server."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT.with_name("interrupted_often.py")), "1", "40"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.stderr == ""
    *left, number = done.stdout.splitlines()
    assert left == []
    assert int(number.removeprefix("interrupted ")) > 10


@needs_signals
@pytest.mark.parametrize("what", ["ours", "plain", "own"])
def test_interrupt_of_a_login_that_is_accepted(what: str) -> None:
    """A login whose answer is under way at Ctrl-C is taken back."""
    began = threading.Event()

    def slow(handler: DemoHandler, answer: Answer) -> None:
        began.set()
        time.sleep(0.4)
        DemoHandler.send_answer(handler, answer)

    with FaultyServer(slow, "/SimpleLogin") as server, logging_in(server, what, 30) as process:
        assert began.wait(20)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=15)
        assert said.startswith("KeyboardInterrupt ")
        methods = [asked.method for asked in server.asked]
        assert methods == ["POST", "DELETE"]
        assert server.asked[1].target.endswith(server.session_ids[0])


BESIDE = """
import sys, threading, time
import polars
from apteco_frames import login_with_password
*values, action = sys.argv[1:]
session = login_with_password(*values, timeout=(20, 20, 30))
threading.Thread(target=session.renew, args=[values[-1]], daemon=True).start()
time.sleep(0.3)
print("now", flush=True)
try:
    getattr(session, action)(*values[-1:] * (action == "renew"))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@needs_signals
@pytest.mark.parametrize("action", ["renew", "logout"])
def test_interrupt_beside_a_renewal(action: str) -> None:
    """Ctrl-C ends the wait for another thread's renewal at once."""
    with FaultyServer(silence, "/SimpleLogin", skip=1) as server:
        values = (server.base_url, server.data_view, server.system, server.user, server.password)
        with subprocess.Popen(
            [sys.executable, "-c", BESIDE, *values, action],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "now\n"
            time.sleep(0.2)
            pressed = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted\n"
            assert time.monotonic() - pressed < AT_ONCE
            process.kill()
