"""A demo server that notes what it is asked, for tests to look at and to answer otherwise."""

from __future__ import annotations

from typing import Any

from apteco_frames.demo import DemoServer
from apteco_frames.demo.api import Answer, Request
from apteco_frames.demo.server import DemoHandler


class RecordingServer(DemoServer):
    """A demo server that notes what it is asked. A subclass may answer otherwise.

    Args:
        given: as of ``DemoServer``.
        options: likewise.

    Attributes:
        asked: the requests, in the order in which they came.
        headers: the headers of each.
        connections: how many connections there were.
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.asked: list[Request] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        server = self

        class Handler(DemoHandler):
            def setup(self) -> None:
                super().setup()
                server.connections += 1

            def answer(self, request: Request) -> Answer:
                server.asked.append(request)
                server.headers.append(dict(self.headers))
                return server.answer(request)

            def send_answer(self, answer: Answer) -> None:
                server.send(self, answer)

            do_HEAD = do_PUT = do_PATCH = do_OPTIONS = DemoHandler.do_GET

        self.handler = Handler

    @property
    def request_lines(self) -> list[str]:
        """Method and target of each request, as ``GET /OrbitAPI/…``."""
        return [f"{request.method} {request.target}" for request in self.asked]

    def answer(self, request: Request) -> Answer:
        """What is answered to a request."""
        return self.api.answer(request)

    def send(self, handler: DemoHandler, answer: Answer) -> None:
        """Send an answer, or something in its place."""
        DemoHandler.send_answer(handler, answer)
