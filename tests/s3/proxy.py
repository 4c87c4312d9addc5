"""A proxy before an object storage, which counts requests and makes trouble."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KINDS = ("list", "look", "read", "write", "delete")
CONTENTS = re.compile(rb"<Contents>.*?<Key>(.*?)</Key>.*?</Contents>", re.DOTALL)
TIMES = re.compile(rb"(<LastModified>[^<.]*)\.\d+Z")


class Proxy(ThreadingHTTPServer):
    """A proxy.

    Args:
        endpoint: the URL of the storage.

    Attributes:
        counts: how many requests of each kind there were.
        lag: for how many seconds lists do not have what was written.
        rounds: whether lists give times in whole seconds.
        before: called with the kind of each request before it is passed on; what it returns
            is the status of the answer instead, 0 to drop the connection.
        after: likewise, once it was carried out.
    """

    daemon_threads = True
    # Requests that are cut off when a client ends are none of our concern.
    block_on_close = False

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.storage = urlsplit(endpoint).netloc
        self.counts: Counter[str] = Counter()
        self.lag = 0.0
        self.rounds = False
        self.before: Callable[[str], int | None] = lambda kind: None
        self.after: Callable[[str], int | None] = lambda kind: None
        self.written: dict[str, float] = {}
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed are expected."""


class Handler(BaseHTTPRequestHandler):
    """Passes a request on."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def pass_on(self) -> None:
        """Pass a request on, unless there is to be trouble."""
        kind = self.kind()
        body = self.body()
        with self.server.lock:
            self.server.counts[kind] += 1
        if self.is_troubled(self.server.before(kind)):
            return
        headers = {k: v for k, v in self.headers.items() if k.lower() != "transfer-encoding"}
        connection = HTTPConnection(self.server.storage, timeout=60)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            self.close_connection = True
            return
        finally:
            connection.close()
        if kind == "write" and answer.status == 200:
            with self.server.lock:
                self.server.written[unquote(urlsplit(self.path).path)] = time.monotonic()
        if self.is_troubled(self.server.after(kind)):
            return
        if kind == "list":
            content = self.seen_late(content)
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length", "0")
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

    def kind(self) -> str:
        """What is asked."""
        if self.command == "GET":
            query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
            return "list" if {"list-type", "prefix", "delimiter"} & set(query) else "read"
        delete = self.command == "DELETE" or "?delete" in self.path
        return {"HEAD": "look"}.get(self.command, "delete" if delete else "write")

    def body(self) -> bytes:
        """What was sent."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return whole

    def is_troubled(self, status: int | None) -> bool:
        """Answer with a status, or not at all."""
        if status is None:
            return False
        if status:
            self.send_response_only(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.close_connection = True
        return True

    def seen_late(self, content: bytes) -> bytes:
        """A list as a storage gives it that is behind."""
        bucket = urlsplit(self.path).path.strip("/").partition("/")[0]
        new = time.monotonic() - self.server.lag

        def listed(match: re.Match[bytes]) -> bytes:
            key = f"/{bucket}/{unquote(match[1].decode())}"
            return b"" if self.server.written.get(key, 0) > new else match[0]

        if self.server.lag:
            content = CONTENTS.sub(listed, content)
        return TIMES.sub(rb"\1Z", content) if self.server.rounds else content

    def log_message(self, *arguments: Any) -> None:
        """Nothing is logged."""


@contextmanager
def proxied(endpoint: str) -> Iterator[Proxy]:
    """A proxy that runs."""
    proxy = Proxy(endpoint)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
