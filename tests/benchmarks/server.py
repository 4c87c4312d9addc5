"""The server of the benchmarks: a process that only sends what it rendered beforehand.

``python server.py VARIABLES FIRST SIZE [FIRST SIZE …]`` prints its port and serves until it
is ended; the numbers are those of variables in all, on a first page, and on each after it.
Answers to paths that start with ``/slow`` come 50 ms late.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
import system

DELAY_SECONDS = 0.05


def rendered(total: int, plans: list[tuple[int, int]]) -> dict[tuple[str, int, int], bytes]:
    """Every answer by the end of its path, its offset and its count."""
    token = jwt.encode({"exp": int(time.time()) + 86_400}, "k" * 32, algorithm="HS256")
    user = {"username": "u", "firstname": "f", "surname": "s", "emailAddress": "e", "id": 1}
    licence = dict.fromkeys(
        [
            "audienceSelection",
            "audiencePreview",
            "export",
            "advancedQuery",
            "cube",
            "profile",
            "dashboards",
            "dashboardsPareto",
        ],
        True,
    )
    login = {"accessToken": token, "sessionId": "s", "user": user, "licence": licence}
    answers = {
        ("SimpleLogin", 0, 0): json.dumps(login).encode(),
        ("benchmark", 0, 0): json.dumps(system.details()).encode(),
    }
    # Who has the catalogue asks for the number of variables alone.
    answers["Variables", 0, 1] = system.variable_page(total, 0, 1)
    items = system.tables()
    for first, size in plans:
        answers["Tables", 0, first] = system.page(items, 0, first, len(items))
        spans = {*system.spans(total, first, size), *system.spans(total, first, size, overlap=1)}
        for offset, count in spans:
            body = system.variable_page(total, offset, count)
            answers["Variables", offset, count] = body
            # Some ask for a full page at the end too.
            answers["Variables", offset, size if offset else first] = body
    return answers


class Handler(BaseHTTPRequestHandler):
    """Sends the rendered answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    delay_seconds = DELAY_SECONDS
    answers: dict[tuple[str, int, int], bytes]

    def answer(self, path: str, offset: int, count: int) -> bytes | None:
        """The body for a path; None if there is nothing."""
        return self.answers.get((path.rpartition("/")[2], offset, count))

    def do_GET(self) -> None:
        """Send an answer."""
        if self.path.startswith("/slow"):
            time.sleep(self.delay_seconds)
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        offset, count = (int(query.get(name, ["0"])[0]) for name in ("offset", "count"))
        body = self.answer(parts.path, offset, count)
        self._send(200 if body else 404, body or b"{}")

    def do_POST(self) -> None:
        """Log anybody in."""
        if self.path.startswith("/slow"):
            time.sleep(self.delay_seconds)
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(201, self.answers["SimpleLogin", 0, 0])

    def do_DELETE(self) -> None:
        """Log anybody out."""
        self._send(204, b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Render, say the port, serve."""
    total, *sizes = map(int, sys.argv[1:])
    Handler.answers = rendered(total, list(zip(sizes[::2], sizes[1::2], strict=True)))
    serve(Handler)


def serve(handler: type[Handler]) -> None:
    """Say the port, and serve until the process is ended."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
