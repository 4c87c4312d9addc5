"""One demo server with the Holidays system, the vendor's session and ours, and the score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from peer.clients import theirs_and_ours
from peer.judge import Judge

from apteco_frames import Session
from apteco_frames.demo import DemoServer

JUDGE = pytest.StashKey[Judge]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[JUDGE] = Judge()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    terminalreporter.section("the vendor's clients and ours")
    for line in config.stash[JUDGE].report(passed=exitstatus == pytest.ExitCode.OK):
        terminalreporter.line(line)


@pytest.fixture(scope="session")
def judge(pytestconfig: pytest.Config) -> Judge:
    """Compares, and counts what it compared."""
    return pytestconfig.stash[JUDGE]


@pytest.fixture(scope="session")
def server() -> Iterator[DemoServer]:
    """A running server of the Holidays system."""
    with DemoServer() as running:
        yield running


@pytest.fixture(scope="session")
def sessions(server: DemoServer) -> Iterator[tuple[Any, Session]]:
    """The session of the ``apteco`` package with the Holidays system, and ours."""
    with theirs_and_ours(server) as both:
        yield both


@pytest.fixture(scope="session")
def theirs(sessions: tuple[Any, Session]) -> Any:
    """The ``apteco.Session`` with the Holidays system."""
    return sessions[0]


@pytest.fixture(scope="session")
def ours(sessions: tuple[Any, Session]) -> Session:
    """Our session with the Holidays system."""
    return sessions[1]
