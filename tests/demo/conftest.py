"""A demo server and clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from demo.client import Client

from apteco_frames.demo import DemoServer


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """A running server of the demo system."""
    with DemoServer() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: DemoServer) -> Iterator[Client]:
    """A client that is logged in to it."""
    logged_in = Client(server)
    with logged_in.http:
        yield logged_in


@pytest.fixture
def own_client(server: DemoServer) -> Iterator[Client]:
    """A client whose session a test may end."""
    logged_in = Client(server)
    with logged_in.http:
        yield logged_in
