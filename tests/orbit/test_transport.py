"""HTTP by itself: time-outs, retries, redirects, limits, and where secrets go."""

from __future__ import annotations

import gzip
import logging
import re
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import requests
import urllib3
from faults.server import KEYS
from lanes import PATIENCE

from apteco_frames.errors import OrbitConnectionError
from apteco_frames.orbit import transport as transport_module
from apteco_frames.orbit.deadline import Deadline
from apteco_frames.orbit.options import Timeout
from apteco_frames.orbit.outcome import Response
from apteco_frames.orbit.redact import Secret
from apteco_frames.orbit.transport import Transport

TOKEN = "token-no-one-may-see"
QUICK = Timeout(connect=2, read=2, total=8)


class Asked(NamedTuple):
    """A request as a server saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """What a server answers; ``write`` does it by hand instead."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = MappingProxyType({})
    write: Callable[[Any], None] | None = None


class Web:
    """A server on loopback whose answers are given one by one, the last one for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: list[Reply] = [Reply()]
        self.connections = 0
        self.clients: set[str] = set()
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def setup(self) -> None:
                super().setup()
                web.connections += 1
                web.clients.add(self.client_address[0])

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                web.asked.append(Asked(self.command, self.path, dict(self.headers), body))
                number = min(len(web.asked), len(web.replies)) - 1
                reply = web.replies[number]
                if reply.write:
                    self.close_connection = True
                    with suppress(OSError):
                        reply.write(self)
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/OrbitAPI"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()

    def use_tls(self) -> None:
        """Speak TLS from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(KEYS)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.url = self.url.replace("http:", "https:")

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    """A server that answers ``{}`` unless told otherwise."""
    server = Web()
    yield server
    server.close()


@pytest.fixture
def other_web() -> Iterator[Web]:
    """Another server, on another port."""
    server = Web()
    yield server
    server.close()


class Elsewhere(Transport):
    """A transport whose requests come from another thread, as those of a load do."""

    def request(self, *args: Any, **options: Any) -> Response:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(super().request, *args, **options).result()


@pytest.fixture(params=[Transport, Elsewhere])
def transport(request: pytest.FixtureRequest) -> Iterator[Transport]:
    """A transport that has a token; requests from the main thread wait in one of their own."""
    made: Transport = request.param(verify=None, max_connections=2, http=None)
    made.token = Secret(TOKEN)
    yield made
    made.close()


def ask(
    transport: Transport,
    url: str,
    method: str = "GET",
    timeout: Timeout = QUICK,
    **options: Any,
) -> Response:
    """The answer to a request that is a deadline of its own."""
    return transport.request(method, url, deadline=Deadline(timeout), **options)


def cut(handler: Any) -> None:
    """End the connection without an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def closed_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


# Requests and answers


def test_answer(web: Web, transport: Transport) -> None:
    """An answer has status, reason, headers in any case, body and the URL that gave it."""
    web.replies = [Reply(404, b'{"message": "No"}', {"X-Some": "thing"})]
    answer = ask(transport, web.url + "/About")
    assert (answer.status, answer.reason) == (404, "Not Found")
    assert (answer.body, answer.url) == (b'{"message": "No"}', web.url + "/About")
    assert answer.headers["x-SOME"] == "thing"


def test_request(web: Web, transport: Transport) -> None:
    """A request carries what it was given, the token, and asks for JSON."""
    ask(transport, web.url, "POST", params={"a": "b c"}, data={"x": "ü"}, headers={"X-Own": "1"})
    ask(transport, web.url, "PUT", json={"x": 1}, headers={"Accept": "text/plain"})
    form, own = web.asked
    assert (form.method, form.target) == ("POST", "/OrbitAPI?a=b+c")
    assert form.body == b"x=%C3%BC"
    assert form.headers["Authorization"] == f"Bearer {TOKEN}"
    assert (form.headers["X-Own"], form.headers["Accept"]) == ("1", "application/json")
    assert (own.body.replace(b" ", b""), own.headers["Accept"]) == (b'{"x":1}', "text/plain")


def test_connection_is_kept(web: Web, transport: Transport) -> None:
    """Requests one after the other use one connection."""
    for _ in range(3):
        ask(transport, web.url)
    assert web.connections == 1


def test_compressed_answer(web: Web, transport: Transport) -> None:
    """A compressed answer is unpacked."""
    body = b"[" + b"1," * 50_000 + b"1]"
    web.replies = [Reply(200, gzip.compress(body), {"Content-Encoding": "gzip"})]
    assert ask(transport, web.url).body == body


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_too_large_an_answer(
    web: Web, transport: Transport, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer beyond the limit, unpacked, is refused, and says what to do."""
    monkeypatch.setattr(transport_module, "MAX_ANSWER_BYTES", 2 * 2**20)
    for size in (2 * 2**20, 2 * 2**20 + 1):
        body = b"x" * size
        body = gzip.compress(body) if encoding == "gzip" else body
        web.replies.append(Reply(200, body, {"Content-Encoding": encoding}))
    web.replies.pop(0)
    assert len(ask(transport, web.url).body) == 2 * 2**20
    said = rf"GET {web.url} failed: the answer is larger than 2 MiB.*not read\. Ask for less\."
    with pytest.raises(OrbitConnectionError, match=said):
        ask(transport, web.url, when_too_large="Ask for less.")
    assert len(web.asked) == 2


def test_too_much_in_all(web: Web, transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers of one load add up to no more than a limit, those of its parts included."""
    monkeypatch.setattr(transport_module, "MAX_LOAD_BYTES", 2 * 2**20)
    web.replies = [Reply(200, b"x" * 2**20)]
    deadline = Deadline(QUICK)
    for part in (deadline, deadline.part()):
        transport.request("GET", web.url, deadline=part)
    assert len(ask(transport, web.url).body) == 2**20  # another load
    said = rf"GET {web.url} failed: what the API sends adds up to more than 2 MiB.*Nothing was used"
    with pytest.raises(OrbitConnectionError, match=said):
        transport.request("GET", web.url, deadline=deadline.part())
    assert len(web.asked) == 4


# Secrets


def test_token_stays_at_home(web: Web, transport: Transport) -> None:
    """Without authorisation no token is sent."""
    ask(transport, web.url, authorise=False)
    assert "Authorization" not in web.asked[0].headers


@pytest.mark.parametrize("authorise", [True, False])
def test_netrc_is_not_used(
    web: Web,
    transport: Transport,
    authorise: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A password that lies in a ``.netrc`` for the host is not sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login jdoe password from-netrc\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(web.url) == ("jdoe", "from-netrc")
    ask(transport, web.url, authorise=authorise)
    expected = f"Bearer {TOKEN}" if authorise else None
    assert web.asked[0].headers.get("Authorization") == expected


def test_logs_hold_no_secret(
    web: Web, transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs at DEBUG name method, URL, status and time, but no token, form or query."""
    with caplog.at_level(logging.DEBUG):
        ask(transport, web.url, "POST", data={"Password": "sentinel"}, params={"p": "q"})
    own = [r.getMessage() for r in caplog.records if r.name == "apteco_frames"]
    assert [re.sub(r"\d\.\d{3} s", "0 s", text) for text in own] == [
        f"POST {web.url}: status 200, 0 s"
    ]
    assert "sentinel" not in caplog.text
    assert TOKEN not in caplog.text


def test_errors_hold_no_secret(web: Web, transport: Transport) -> None:
    """An error of the network chains no other error, which would hold the request."""
    web.replies = [Reply(write=cut)]
    form = {"Password": "".join(["sen", "tinel"])}  # tracebacks show lines of source
    with pytest.raises(OrbitConnectionError) as caught:
        ask(transport, web.url, "POST", data=form)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    text = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert "sentinel" not in text
    assert TOKEN not in text


# Retries


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_busy_then_fine(web: Web, transport: Transport, status: int) -> None:
    """A request that changes nothing is sent again when the server is busy."""
    web.replies = [Reply(status), Reply(200, b"fine")]
    assert ask(transport, web.url, params={"a": "1"}).body == b"fine"
    assert [asked.target for asked in web.asked] == ["/OrbitAPI?a=1"] * 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 501])
def test_other_statuses_are_final(web: Web, transport: Transport, status: int) -> None:
    """Any other error status is not asked for again."""
    web.replies = [Reply(status), Reply(200)]
    assert ask(transport, web.url).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("reply", [Reply(503), Reply(write=cut)], ids=["503", "cut"])
def test_what_may_change_something(
    web: Web, transport: Transport, method: str, reply: Reply
) -> None:
    """A request that may have changed something is sent once only."""
    web.replies = [reply, Reply(200)]
    if reply.write:
        with pytest.raises(OrbitConnectionError, match=f"{method} {web.url} failed: "):
            ask(transport, web.url, method)
    else:
        assert ask(transport, web.url, method).status == 503
    assert len(web.asked) == 1


def test_retry_after(web: Web, transport: Transport) -> None:
    """The server says how long to wait."""
    web.replies = [Reply(503, headers={"Retry-After": "1"}), Reply(200)]
    started = time.monotonic()
    assert ask(transport, web.url).status == 200
    assert 1 <= time.monotonic() - started < PATIENCE


@pytest.mark.parametrize("seconds", ["31", "86400", "Wed, 21 Oct 2135 07:28:00 GMT"])
def test_retry_after_too_long(web: Web, transport: Transport, seconds: str) -> None:
    """A wait beyond the cap is not waited for: the answer stands."""
    web.replies = [Reply(503, headers={"Retry-After": seconds}), Reply(200)]
    started = time.monotonic()
    assert ask(transport, web.url, timeout=Timeout(2, 2, 1e6)).status == 503
    assert time.monotonic() - started < 30


def test_retry_after_beyond_the_task(web: Web, transport: Transport) -> None:
    """A wait that the deadline has no time for is not waited for."""
    web.replies = [Reply(503, headers={"Retry-After": "20"}), Reply(200)]
    started = time.monotonic()
    assert ask(transport, web.url).status == 503
    assert time.monotonic() - started < 19


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "Wed, 21 Oct 2015 07:28:00 GMT", "²"])
def test_retry_after_that_says_nothing(web: Web, transport: Transport, text: str) -> None:
    """A ``Retry-After`` that is no number of seconds, or a time gone by, is passed over."""
    web.replies = [Reply(503, headers={"Retry-After": text}), Reply(200)]
    assert ask(transport, web.url).status == 200


def test_attempts_are_counted(web: Web, transport: Transport) -> None:
    """After some attempts with growing pauses it is an error that says what to check."""
    web.replies = [Reply(write=cut)]
    started = time.monotonic()
    with pytest.raises(OrbitConnectionError) as caught:
        ask(transport, web.url)
    assert 1 < time.monotonic() - started < PATIENCE
    assert len(web.asked) == 5
    assert str(caught.value).startswith(f"GET {web.url} failed: the connection broke: ")
    assert str(caught.value).endswith("Check the base URL, your network, VPN and proxy.")


def test_nobody_listens(transport: Transport) -> None:
    """Where nobody listens even a login is tried again, since it cannot have arrived."""
    url = f"http://127.0.0.1:{closed_port()}/OrbitAPI"
    started = time.monotonic()
    # It says so, too, if on a slow machine the time is up in the middle of an attempt.
    said = rf"{url} (failed|did not .*before that): no connection: .*refused"
    with pytest.raises(OrbitConnectionError, match=said):
        ask(transport, url, "POST", timeout=Timeout(2, 2, 0.5))
    assert 0.05 < time.monotonic() - started < PATIENCE


def test_server_that_comes_up(transport: Transport) -> None:
    """A login that finds nobody at first gets through once the server is there."""
    port = closed_port()
    servers: list[socket.socket] = []

    def serve() -> None:
        listener = socket.create_server(("127.0.0.1", port))
        servers.append(listener)
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")

    starter = threading.Timer(0.05, serve)
    starter.start()
    assert ask(transport, f"http://127.0.0.1:{port}/OrbitAPI", "POST").status == 201
    starter.join()
    servers[0].close()


# Time


def test_what_went_wrong_before_time_was_up(web: Web, transport: Transport) -> None:
    """An error about the time says what went wrong until then."""
    web.replies = [Reply(503), Reply(write=lambda handler: time.sleep(0.6))]
    with pytest.raises(OrbitConnectionError, match=r"whole load \(before that: status 503\)\."):
        ask(transport, web.url, timeout=Timeout(2, 2, 0.5))


def test_retries_end_with_the_task(web: Web, transport: Transport) -> None:
    """A server that stays busy is not asked beyond the deadline's time."""
    web.replies = [Reply(503)]
    started = time.monotonic()
    # On a slow machine the time may be up before the last of its answers is there.
    with suppress(OrbitConnectionError):
        assert ask(transport, web.url, timeout=Timeout(2, 2, 0.4)).status == 503
    assert time.monotonic() - started > 0.05
    assert len(web.asked) <= 3


def test_nothing_is_sent_once_time_is_up(web: Web, transport: Transport) -> None:
    """A deadline that was given up, or whose time is over, sends nothing."""
    deadline = Deadline(QUICK)
    deadline.give_up()
    for late in (deadline, Deadline(Timeout(1, 1, 1), end=time.monotonic())):
        with pytest.raises(OrbitConnectionError, match="did not answer in full"):
            transport.request("GET", web.url, deadline=late)
    assert web.asked == []


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["/other/place?x=1", "place?x=1", "{origin}/place?x=1"])
def test_redirect_on_the_same_host(
    web: Web, transport: Transport, status: int, target: str
) -> None:
    """A redirect to the same host is followed with the token; no query is in what is shown."""
    origin = f"http://127.0.0.1:{web.port}"
    web.replies = [Reply(status, headers={"Location": target.format(origin=origin)}), Reply()]
    answer = ask(transport, web.url, params={"old": "query"})
    assert answer.status == 200
    assert answer.url.endswith("/place")
    assert web.asked[1].target.endswith("/place?x=1")
    assert web.asked[1].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("status", [307, 308])
def test_redirected_login(web: Web, transport: Transport, status: int) -> None:
    """A form is sent on where the status says so, on the same host."""
    web.replies = [Reply(status, headers={"Location": "/place"}), Reply(201)]
    assert ask(transport, web.url, "POST", data={"a": "b"}).status == 201
    assert [(asked.method, asked.body) for asked in web.asked] == [("POST", b"a=b")] * 2


@pytest.mark.parametrize("status", [301, 302, 303])
def test_redirect_that_would_drop_the_form(web: Web, transport: Transport, status: int) -> None:
    """A redirect that would make a GET of a form is not followed."""
    web.replies = [Reply(status, headers={"Location": "/place"}), Reply()]
    with pytest.raises(OrbitConnectionError, match="/place, which was not followed"):
        ask(transport, web.url, "POST", data={"a": "b"})
    assert len(web.asked) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "user:pass@127.0.0.1"])
def test_redirect_elsewhere(
    web: Web, other_web: Web, transport: Transport, host: str, method: str
) -> None:
    """A redirect to another host or port is refused; nothing is sent there."""
    target = f"http://{host}:{other_web.port}/OrbitAPI?token=1"
    web.replies = [Reply(307, headers={"Location": target})]
    with pytest.raises(OrbitConnectionError) as caught:
        ask(transport, web.url, method, data={"Password": "sentinel"})
    assert other_web.asked == []
    assert f"{web.url} redirects to http://" in str(caught.value)
    assert "use it as the base URL" in str(caught.value)
    assert not re.search("sentinel|user:pass|token=1", str(caught.value))


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/x", "file:///etc/passwd", "//evil.invalid/x"])
def test_redirect_to_another_scheme(web: Web, transport: Transport, target: str) -> None:
    """A redirect to what is no http is refused."""
    web.replies = [Reply(302, headers={"Location": target})]
    with pytest.raises(OrbitConnectionError, match="not followed"):
        ask(transport, web.url)


class Gateway(requests.adapters.HTTPAdapter):
    """Serves one https host by a plain http server: a user's own adapter."""

    def __init__(self, web: Web) -> None:
        super().__init__()
        self._web = web
        self.asked: list[str] = []

    def send(
        self, request: requests.PreparedRequest, *args: Any, **options: Any
    ) -> requests.Response:
        assert request.url is not None
        self.asked.append(request.url)
        path = request.url.partition("://")[2].partition("/")[2]
        request.url = f"http://127.0.0.1:{self._web.port}/{path}"
        return super().send(request, *args, **options)


def test_redirect_from_https_to_http(web: Web, other_web: Web) -> None:
    """A redirect from https to plain http is refused."""
    with requests.Session() as http:
        gateway = Gateway(web)
        http.mount("https://", gateway)
        transport = Transport(verify=None, max_connections=1, http=http)
        web.replies = [Reply(302, headers={"Location": f"http://127.0.0.1:{other_web.port}/x"})]
        with pytest.raises(OrbitConnectionError, match="same host and port only, or from http"):
            ask(transport, f"https://127.0.0.1:{other_web.port}/OrbitAPI")
    assert (len(web.asked), other_web.asked) == (1, [])


def test_redirect_from_http_to_https(web: Web, other_web: Web) -> None:
    """A redirect from plain http to https on the same host is followed."""
    with requests.Session() as http:
        gateway = Gateway(other_web)
        http.mount("https://", gateway)
        transport = Transport(verify=None, max_connections=1, http=http)
        web.replies = [Reply(308, headers={"Location": "https://127.0.0.1/OrbitAPI"})]
        assert ask(transport, web.url).url == "https://127.0.0.1/OrbitAPI"
    assert gateway.asked == ["https://127.0.0.1/OrbitAPI"]


def test_redirects_in_a_circle(web: Web, transport: Transport) -> None:
    """Redirects without end are given up."""
    web.replies = [Reply(307, headers={"Location": "/again"})]
    with pytest.raises(OrbitConnectionError, match="it redirects to itself"):
        ask(transport, web.url, "POST")
    assert len(web.asked) == 5


# Threads


@pytest.mark.parametrize("hooks", [{}, {"response": None}, {"response": lambda *_, **__: None}])
def test_hooks_of_a_session(web: Web, hooks: dict[str, Any]) -> None:
    """Threads of a load take whatever ``requests`` takes for hooks, none of any kind included."""
    with requests.Session() as http, ThreadPoolExecutor(1) as threads:
        http.trust_env = False
        http.hooks = hooks
        transport = Transport(verify=None, max_connections=1, http=http)
        assert threads.submit(ask, transport, web.url).result().status == 200
        transport.close()


def test_connection_that_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is there only after its deadline was given up is closed."""
    made: list[socket.socket] = []
    looked_up, given_up = threading.Event(), threading.Event()

    def slow(*args: Any, **options: Any) -> socket.socket:
        looked_up.set()
        given_up.wait(10)
        ours, _ = pair = socket.socketpair()
        made.extend(pair)
        return ours

    monkeypatch.setattr(urllib3.util.connection, "create_connection", slow)
    deadline = Deadline(QUICK)
    transport = Transport(verify=None, max_connections=1, http=None)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(transport.request, "GET", "http://127.0.0.1:9/x", deadline=deadline)
        assert looked_up.wait(5)
        deadline.give_up()
        with pytest.raises(OrbitConnectionError):
            asked.result()
    given_up.set()
    for thread in threading.enumerate():
        if thread.name == "apteco_frames request":
            thread.join(5)
    transport.close()
    ours, theirs = made
    assert ours.fileno() == -1
    theirs.close()


def test_connection_that_comes_as_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is there in the moment in which its deadline ends is not used."""
    made: list[socket.socket] = []
    deadline = Deadline(QUICK)

    def late(*args: Any, **options: Any) -> socket.socket:
        time.sleep(0.02)  # until it is waited for
        deadline.give_up()
        made.extend(socket.socketpair())
        return made[0]

    monkeypatch.setattr(urllib3.util.connection, "create_connection", late)
    transport = Transport(verify=None, max_connections=1, http=None)
    with ThreadPoolExecutor(1) as threads, pytest.raises(OrbitConnectionError):
        threads.submit(transport.request, "GET", "http://127.0.0.1:9/x", deadline=deadline).result()
    transport.close()
    ours, theirs = made
    assert ours.fileno() == -1
    theirs.close()


# The user's own requests.Session


class WatchedSession(requests.Session):
    """A ``requests.Session`` that knows whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True
        super().close()


def test_own_session_is_used_and_not_closed(web: Web) -> None:
    """A session of the user's is used with its headers, and is the user's to close."""
    with WatchedSession() as http:
        http.headers["X-Gateway-Key"] = "open"
        transport = Transport(verify=None, max_connections=2, http=http)
        ask(transport, web.url)
        transport.close()
        assert not http.closed
    assert web.asked[0].headers["X-Gateway-Key"] == "open"
    assert "Authorization" not in web.asked[0].headers


def test_own_session_lives_on(web: Web) -> None:
    """What is set in the user's session later counts too; it gets no cookie."""
    with requests.Session() as http:
        plain = http.get_adapter(web.url)
        transport = Transport(verify=None, max_connections=2, http=http)
        web.replies = [Reply(headers={"Set-Cookie": "seen=1"}), Reply()]
        ask(transport, web.url)
        http.headers = {"X-Gateway-Key": "open"}
        ask(transport, web.url)
        assert dict(http.cookies) == {}
        assert http.get_adapter(web.url) is plain
        assert http.get(web.url, timeout=2).status_code == 200
    assert web.asked[1].headers["X-Gateway-Key"] == "open"
    assert web.asked[1].headers["Cookie"] == "seen=1"


def test_kind_of_session_with_a_state(web: Web) -> None:
    """What a session of the user's own kind keeps of its requests, it keeps here, too."""

    class Counting(requests.Session):
        sent = 0

        def send(self, *args: Any, **options: Any) -> requests.Response:
            self.sent += 1
            return super().send(*args, **options)

    with Counting() as http:
        transport = Transport(verify=None, max_connections=1, http=http)
        ask(transport, web.url)
        ask(transport, web.url)
    assert http.sent == 2


@pytest.mark.parametrize("verify", [None, False, True, "ca.pem"])
def test_verify(verify: bool | str | None, web: Web) -> None:
    """``verify`` reaches the adapter as it was given; None leaves it to the session."""
    seen = []

    class Adapter(Gateway):
        def send(self, *args: Any, **options: Any) -> requests.Response:
            seen.append(options["verify"])
            return super().send(*args, **{**options, "verify": True})

    with requests.Session() as http:
        http.trust_env = False
        http.verify = "of-the-session.pem"
        http.mount("https://", Adapter(web))
        ask(Transport(verify=verify, max_connections=1, http=http), "https://orbit.invalid/x")
    assert seen == ["of-the-session.pem" if verify is None else verify]
