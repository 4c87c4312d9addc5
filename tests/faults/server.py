"""The demo server with a fault in front of it."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from servers import RecordingServer

from apteco_frames import Catalogue
from apteco_frames.demo import holidays
from apteco_frames.demo.api import PASSWORD, Answer, DemoApi, Request
from apteco_frames.demo.server import DemoHandler

KEYS = Path(__file__).with_name("loopback.pem")
"""A key and its certificate, for 127.0.0.1."""

Fault = Callable[[DemoHandler, Answer], None]
"""Sends something else in place of an answer, over the handler's connection."""


class TlsHandler(DemoHandler):
    """A handler that speaks TLS, under a certificate of its own."""

    def setup(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(KEYS)
        self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()


class FaultyServer(RecordingServer):
    """A demo server whose password is a sentinel, and that notes the tokens it gives.

    Args:
        fault: what it does in place of answering.
        path: the end of the paths that it does it to, without their queries.
        skip: how many of those requests are answered as they should be first.
        times: how many times it does it then.
        catalogue: what it serves.
    """

    def __init__(
        self,
        fault: Fault | None = None,
        path: str = "/Variables",
        *,
        skip: int = 0,
        times: float = float("inf"),
        catalogue: Catalogue | None = None,
    ) -> None:
        super().__init__(catalogue)
        self.served = catalogue or holidays()
        self.api.password = f"pass-{uuid.uuid4()}"
        self.secrets = [self.api.password]
        self.session_ids: list[str] = []
        self._rebuilt: tuple[DemoApi, str] | None = None
        self._fault, self._path = fault, path
        self._lock = threading.Lock()
        self._skip, self._left = skip, times

    def answer(self, request: Request) -> Answer:
        """What the API answers, with the secrets in it noted."""
        if self._rebuilt and "/FastStatsSystems/" in request.target:
            api, token = self._rebuilt
            answer = api.answer(request._replace(authorization=f"Bearer {token}"))
        else:
            answer = super().answer(request)
        if answer.status == 201:
            details = json.loads(answer.body)
            token = details["accessToken"]
            self.session_ids.append(details["sessionId"])
            # Its first part is the same for all tokens; an opaque one may be short.
            self.secrets += [*token.split(".")[1:], token[-40:]]
        return answer

    def send(self, handler: DemoHandler, answer: Answer) -> None:
        """Send an answer, or what is wrong instead."""
        fault = None
        if handler.path.partition("?")[0].endswith(self._path):
            with self._lock:
                if self._skip:
                    self._skip -= 1
                elif self._left:
                    self._left -= 1
                    fault = self._fault
        (fault or super().send)(handler, answer)

    def rebuild(self, catalogue: Catalogue) -> None:
        """Serve another build of the system to the sessions that there are."""
        api = DemoApi(catalogue)
        form = urlencode({"UserLogin": self.user, "Password": PASSWORD}).encode()
        target = f"/OrbitAPI/{api.data_view}/Sessions/SimpleLogin"
        details = json.loads(api.answer(Request("POST", target, body=form)).body)
        self.served, self._rebuilt = catalogue, (api, details["accessToken"])

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked.target.partition("?")[0].endswith(path) for asked in self.asked)


class ProxyServer:
    """Gives one answer to whatever is asked, and closes; notes the first lines asked.

    Args:
        answer: the bytes of the answer.
    """

    def __init__(self, answer: bytes) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked.append(self.rfile.readline().decode().rpartition(" ")[0])
                while self.rfile.readline().strip():
                    pass
                self.wfile.write(answer)

        self._server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def send(handler: DemoHandler, *parts: bytes | Iterable[bytes], pause: float = 0) -> None:
    """Write bytes to the connection, with pauses between them, and end it."""
    handler.close_connection = True
    for part in parts:
        for piece in [part] if isinstance(part, bytes) else part:
            handler.wfile.write(piece)
            handler.wfile.flush()
            if pause:
                time.sleep(pause)


def raw(*parts: bytes | Iterable[bytes], pause: float = 0) -> Fault:
    """Bytes in place of an answer; the connection ends after them."""
    return lambda handler, answer: send(handler, *parts, pause=pause)


def headed(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """An answer with these headers; the connection ends after it."""
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def status(code: int, body: bytes = b"", *headers: str, reason: str = "Some Reason") -> Fault:
    """Another status, with this body."""
    length = f"Content-Length: {len(body)}"
    return raw(headed(body, length, *headers, status=f"{code} {reason}"))


def ok(body: bytes, *headers: str) -> Fault:
    """This body in place of the right one."""
    return status(200, body, *headers)


def changed(change: Callable[[bytes], bytes]) -> Fault:
    """The right answer with its body changed."""
    return lambda handler, answer: DemoHandler.send_answer(
        handler, Answer(answer.status, change(answer.body))
    )


def edited(edit: Callable[[dict[str, Any]], object]) -> Fault:
    """The right answer with its JSON edited in place."""

    def change(body: bytes) -> bytes:
        value = json.loads(body)
        edit(value)
        return json.dumps(value).encode()

    return changed(change)


def within(part: str, fault: Fault) -> Fault:
    """A fault where a part is in the path and query asked for; elsewhere the right answer."""

    def some(handler: DemoHandler, answer: Answer) -> None:
        if part in handler.path:
            fault(handler, answer)
        else:
            DemoHandler.send_answer(handler, answer)

    return some


def silence(handler: DemoHandler, answer: Answer) -> None:
    """No answer, while the connection stays open."""
    handler.close_connection = True
    handler.rfile.read(1)
