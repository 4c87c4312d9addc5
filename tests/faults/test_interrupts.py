"""Processes that wait for a silent server: Ctrl-C and the total time end them at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.server import FaultyServer, silence
from lanes import PATIENCE

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
    # At once, on a machine of any speed; the task itself could go on for much longer.
    assert seconds < AT_ONCE


@pytest.mark.parametrize("what", ["ours", *ELSEWHERE])
@pytest.mark.parametrize(
    "path", [pytest.param("/SimpleLogin", marks=pytest.mark.slow), "/Variables"]
)
def test_total_time(what: str, path: str) -> None:
    """The whole task's time is the same, whoever's adapters are used, and the exit follows."""
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
