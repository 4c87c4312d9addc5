"""A real HTTP server on loopback that serves a catalogue as an Orbit API."""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import socketserver
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from apteco_frames.catalogue import Catalogue
from apteco_frames.demo.api import Answer, DemoApi, Request
from apteco_frames.demo.holidays import holidays
from apteco_frames.errors import AptecoFramesError

if TYPE_CHECKING:
    from apteco_frames.session import Session

_log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_HOST_HEADER = re.compile(r"(?:\[(?P<v6>[^]]+)]|(?P<name>[^][:]+))(?::\d{1,5})?")
_SESSION_ID = re.compile(r"(?<=/sessions/)(?!simplelogin)[^/? ]+", re.IGNORECASE)
_LARGEST_BODY = 1_000_000
_CLOSE_SECONDS = 5


class DemoHandler(BaseHTTPRequestHandler):
    """HTTP in, HTTP out; what to answer is said by :class:`~apteco_frames.demo.api.DemoApi`.

    A subclass may override :meth:`answer` or :meth:`send_answer`, for instance to put
    faults in front of the API.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Buffered, so that the headers and a small body leave in one packet.
    wbufsize = 64 * 1024

    def answer(self, request: Request) -> Answer:
        """What the API answers to a request."""
        return cast(_HttpServer, self.server).api.answer(request)

    def send_answer(self, answer: Answer) -> None:
        """Write an answer to the connection."""
        self.send_response(answer.status)
        if answer.status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        if answer.status != 204:
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def do_GET(self) -> None:
        """Answer a GET."""
        self._handle()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._handle()

    def do_DELETE(self) -> None:
        """Answer a DELETE."""
        self._handle()

    def log_message(self, text: str, *args: Any) -> None:
        """Log at DEBUG what the standard library would write to stderr, without ids of sessions."""
        shown = (_SESSION_ID.sub("<secret>", arg) if isinstance(arg, str) else arg for arg in args)
        _log.debug(text, *shown)

    def _handle(self) -> None:
        if not _is_own_name(self.headers.get_all("Host", [])):
            self._refuse(421)
            return
        body = self._body()
        if body is not None:
            authorization = self.headers.get("Authorization", "")
            self.send_answer(self.answer(Request(self.command, self.path, authorization, body)))

    def _body(self) -> bytes | None:
        """The request's body; None if it has been refused."""
        length = self.headers.get("Content-Length", "0").strip()
        if "Transfer-Encoding" in self.headers:
            self._refuse(411)
        elif not (length.isascii() and length.isdigit()):
            self._refuse(400)
        elif len(length) > 9 or int(length) > _LARGEST_BODY:
            self._refuse(413)
        else:
            return self.rfile.read(int(length))
        return None

    def _refuse(self, status: int) -> None:
        # What follows on the connection is unknown, so it can't be used again.
        self.close_connection = True
        self.send_error(status)


def _is_own_name(hosts: list[str]) -> bool:
    """Whether a request is for this machine by name: a web page elsewhere cannot make one.

    >>> [_is_own_name([host]) for host in ("localhost:80", "127.0.0.1", "[::1]:80", "evil.example")]
    [True, True, True, False]
    """
    if not hosts:  # as HTTP 1.0 allows, and no browser does
        return True
    found = _HOST_HEADER.fullmatch(hosts[0].strip().lower()) if len(hosts) == 1 else None
    if not found:
        return False
    try:
        name = found["v6"] or found["name"]
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class DemoServer:
    """A server that lets a client be tried without an Orbit installation.

    It listens on 127.0.0.1 only, answers to this machine's own names alone (``localhost``,
    127.0.0.0/8, ``[::1]``; others get the status 421), and keeps nothing. User name and
    password are fixed and public: they let a client log in as it would elsewhere, and
    protect nothing.
    Use it as a context manager, or call :meth:`start` and :meth:`close`.

    Args:
        catalogue: the catalogue to serve; the Holidays demo system unless given.
        others: catalogues of further systems of its DataView, by names of their own.
        port: the TCP port; a free one is chosen unless given.
        token_lifetime: how long an access token is valid, in seconds.
        is_admin: whether the user may list the audiences of all users (OrbitAdmin), and has the
            licence to read selection files (AdvancedQuery).

    Attributes:
        api: what is answered, without the network.
        handler: the class that handles the connections; a subclass may set another.

    >>> with DemoServer() as server:
    ...     server.data_view, server.system, server.user
    ('Holidays', 'holidays', 'Administrator')
    """

    handler: type[DemoHandler] = DemoHandler

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        *,
        others: Iterable[Catalogue] = (),
        port: int = 0,
        token_lifetime: float = 3600,
        is_admin: bool = True,
    ) -> None:
        served = holidays() if catalogue is None else catalogue
        self.api = DemoApi(served, others, token_lifetime=token_lifetime, is_admin=is_admin)
        self._port = port
        self._bound_port: int | None = None
        self._http: _HttpServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """The base URL, which stays known after :meth:`close`.

        Raises:
            AptecoFramesError: the server has not been started.
        """
        if self._bound_port is None:
            raise AptecoFramesError("The demo server has no URL until it is started; call start().")
        return f"http://{_HOST}:{self._bound_port}/OrbitAPI"

    @property
    def data_view(self) -> str:
        """Name of the only DataView: the ``view_name`` of the catalogue's system."""
        return self.api.data_view

    @property
    def system(self) -> str:
        """Name of the FastStats system that :meth:`login` connects to."""
        return self.api.system

    @property
    def user(self) -> str:
        """Name of the only user."""
        return str(self.api.user["username"])

    @property
    def password(self) -> str:
        """The user's password."""
        return self.api.password

    def login(self, **options: Any) -> Session:
        """Log in to this server over HTTP.

        Args:
            options: keyword arguments for ``login_with_password``.

        Returns:
            the session.
        """
        from apteco_frames import login_with_password

        return login_with_password(
            self.base_url, self.data_view, self.system, self.user, self.password, **options
        )

    def start(self) -> Self:
        """Start listening, unless the server does already.

        Returns:
            the server itself.

        Raises:
            OSError: the port is taken, or must not be used.
        """
        if self._http is None:
            self._http = _HttpServer((_HOST, self._port), self.handler)
            self._http.api = self.api
            self._bound_port = self._http.server_address[1]
            # Polling often makes closing quick; it costs next to nothing.
            self._thread = threading.Thread(
                target=self._http.serve_forever, args=(0.05,), name="demo-server", daemon=True
            )
            self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening and cut the open connections; harmless if the server is not running."""
        http, thread = self._http, self._thread
        self._http = self._thread = None
        if http is not None and thread is not None:
            http.shutdown()
            thread.join()
            http.server_close()
            http.cut_connections()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = self.base_url if self._http is not None else "not running"
        return f"<DemoServer {self.system!r}: {where}>"


class _HttpServer(ThreadingHTTPServer):
    """The standard library's server, which here also ends its connections when it closes."""

    daemon_threads = True
    request_queue_size = 1024
    api: DemoApi

    def __init__(self, address: tuple[str, int], handler: type[DemoHandler]) -> None:
        self._connections: set[Any] = set()
        self._changed = threading.Condition()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for the host's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def cut_connections(self) -> None:
        """End every open connection, and wait until nobody is served any more."""
        with self._changed:
            for connection in self._connections:
                with suppress(OSError):  # the client may have been faster
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._connections, timeout=_CLOSE_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exc_info()[1], OSError):
            _log.debug("the connection of %s broke", client_address, exc_info=True)
        else:
            _log.exception("a request of %s failed", client_address)
