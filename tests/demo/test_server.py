"""The demo server as an HTTP server, and as an object."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests
from demo.client import SYSTEM, Client, log_in
from lanes import PATIENCE

from apteco_frames.demo import DemoServer, holidays
from apteco_frames.demo.api import Answer, Request
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import AptecoFramesError

NAMES = [variable.name for variable in holidays().variables]


def test_one_connection_is_kept(server: DemoServer) -> None:
    """A connection serves many requests, errors and bodies nobody wanted among them."""
    connection = http.client.HTTPConnection(urlsplit(server.base_url).netloc, timeout=PATIENCE)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        for method, path, body, status in (
            ("GET", "/About/Version", None, 200),
            ("GET", "/nothing", None, 404),
            ("POST", "/About/Version", b"a=" + b"b" * 100_000, 404),
            ("POST", "/Holidays/Sessions/SimpleLogin", b"UserLogin=x&Password=y", 401),
            ("GET", "/Holidays/FastStatsSystems", None, 401),
        ):
            connection.request(method, f"/OrbitAPI{path}", body)
            response = connection.getresponse()
            assert (response.status, response.version) == (status, 11)
            assert len(response.read()) == int(response.headers["Content-Length"])
            assert connection.sock is first
    connection.close()


def raw(server: DemoServer, request: bytes) -> bytes:
    """All that the server writes to a connection until it ends it."""
    address = urlsplit(server.base_url)
    with socket.create_connection((str(address.hostname), address.port or 0), 10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: x", 400),
        (b"Content-Length: -1", 400),
        (b"Content-Length: 1000001", 413),
        (b"Content-Length: " + b"9" * 50, 413),
        (b"Transfer-Encoding: chunked", 411),
    ],
)
def test_unreadable_body(server: DemoServer, headers: bytes, status: int) -> None:
    """A body that can't be read ends the connection with an error."""
    answer = raw(server, b"POST /OrbitAPI/About/Version HTTP/1.1\r\n" + headers + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("version", [b"1.0", b"1.1\r\nConnection: close"])
def test_connection_is_closed_on_request(server: DemoServer, version: bytes) -> None:
    """A client that wants its connection closed has it closed."""
    answer = raw(server, b"GET /OrbitAPI/About/Version HTTP/%s\r\n\r\n" % version)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *((b"localhost", 200), (b"LOCALHOST:80", 200), (b"127.0.0.1:45671", 200)),
        *((b"127.8.9.10", 200), (b"[::1]", 200), (b"[::1]:8080", 200)),
        *((b"evil.example", 421), (b"evil.example:80", 421), (b"localhost.evil.example", 421)),
        *((b"10.0.0.1", 421), (b"[fe80::1]:80", 421), (b"", 421), (b"127.0.0.1@evil.example", 421)),
        *((b"localhost\r\nHost: evil.example", 421), (b"127.0.0.1.evil.example", 421)),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST", b"DELETE"])
def test_host(server: DemoServer, method: bytes, host: bytes, status: int) -> None:
    """A request for another machine, as a web page makes by DNS rebinding, is refused."""
    path = b"/OrbitAPI/About/Version"
    answer = raw(
        server, b"%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (method, path, host)
    )
    expected = 404 if status == 200 and method != b"GET" else status
    assert answer.startswith(b"HTTP/1.1 %d " % expected)


def test_bytes_that_are_no_http(server: DemoServer) -> None:
    """Nonsense is answered with a bad request, and the server carries on."""
    assert b"400" in raw(server, b"nonsense to the end of the line\r\n\r\n")
    assert requests.get(server.base_url + "/About/Version", timeout=PATIENCE).ok


def test_client_that_leaves(server: DemoServer, caplog: pytest.LogCaptureFixture) -> None:
    """A client that goes away in the middle disturbs nobody, and nothing is printed."""
    address = urlsplit(server.base_url)
    for request in (
        b"",
        b"GET /Orbit",
        b"POST /OrbitAPI/x HTTP/1.1\r\nContent-Length: 9\r\n\r\nab",
    ):
        with socket.create_connection((str(address.hostname), address.port or 0), 10) as leaving:
            leaving.sendall(request)
            # Lingering for no time at all makes the operating system reset the connection.
            leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert requests.get(server.base_url + "/About/Version", timeout=PATIENCE).ok
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


def test_many_clients_at_once(client: Client) -> None:
    """Sixteen threads get the right pages, each over its own connections."""

    def read(offset: int) -> list[str]:
        page = requests.get(
            f"{client.server.base_url}{SYSTEM}/Variables?offset={offset}&count=7",
            headers=dict(client.http.headers),
            timeout=PATIENCE,
        ).json()
        return [item["name"] for item in page["list"]]

    offsets = [number % 94 for number in range(300)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(read, offsets)) == [NAMES[i : i + 7] for i in offsets]


def test_quiet(server: DemoServer, capfd: pytest.CaptureFixture[str]) -> None:
    """Requests are not written to the terminal."""
    requests.get(server.base_url + "/About/Version", timeout=PATIENCE)
    assert capfd.readouterr() == ("", "")


def test_no_secret_in_the_log(server: DemoServer, caplog: pytest.LogCaptureFixture) -> None:
    """The debug log names the requests, but neither passwords nor tokens."""
    with caplog.at_level(logging.DEBUG, logger="apteco_frames.demo"):
        log_in(server, Password="a-secret")
        token = log_in(server).json()["accessToken"]
        headers = {"Authorization": f"Bearer {token}"}
        requests.get(server.base_url + SYSTEM, headers=headers, timeout=PATIENCE)
    assert "/OrbitAPI/Holidays/Sessions/SimpleLogin" in caplog.text
    assert "a-secret" not in caplog.text
    assert token not in caplog.text


# The server as an object


def test_life_of_a_server() -> None:
    """Starting and closing may be repeated; the address stays known and is then free again."""
    server = DemoServer()
    with pytest.raises(AptecoFramesError, match="start"):
        _ = server.base_url
    assert "not running" in repr(server)
    assert server.start() is server.start()
    url = server.base_url
    assert url in repr(server)
    assert server.password not in repr(server)
    assert requests.get(url + "/About/Version", timeout=PATIENCE).ok
    server.close()
    server.close()
    assert server.base_url == url
    with pytest.raises(requests.ConnectionError):
        requests.get(url + "/About/Version", timeout=PATIENCE)
    with server:
        assert requests.get(server.base_url + "/About/Version", timeout=PATIENCE).ok


def test_chosen_port() -> None:
    """A port may be chosen, and one that is taken is an error."""
    with DemoServer() as first:
        port = urlsplit(first.base_url).port or 0
        with pytest.raises(OSError, match="in use"):
            DemoServer(port=port).start()
    with DemoServer(port=port) as second:
        assert second.base_url == f"http://127.0.0.1:{port}/OrbitAPI"


def test_closing_ends_connections_and_threads() -> None:
    """Closing cuts the connections that clients keep, and no thread is left."""
    before = set(threading.enumerate())
    with requests.Session() as http:
        with DemoServer() as server:
            assert http.get(server.base_url + "/About/Version", timeout=PATIENCE).ok
        with pytest.raises(requests.ConnectionError):
            http.get(server.base_url + "/About/Version", timeout=PATIENCE)
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) - before == set()


class BusyHandler(DemoHandler):
    """A handler that puts a fault in front of the API."""

    def answer(self, request: Request) -> Answer:
        """Refuse whatever is about tables."""
        if "Tables" in request.target:
            return Answer(503, b"{}")
        if "Variables" in request.target:
            raise ValueError("a bug")
        return super().answer(request)


class BusyServer(DemoServer):
    """A server with that fault."""

    handler = BusyHandler


def test_faults_in_front_of_the_api(caplog: pytest.LogCaptureFixture) -> None:
    """A subclass may answer in place of the API; a bug there is logged, not swallowed."""
    with BusyServer() as server:
        client = Client(server)
        with client.http:
            assert client.ask("GET", SYSTEM + "/Tables").status_code == 503
            assert client.get(SYSTEM)["name"] == "holidays"
            with pytest.raises(requests.ConnectionError):
                client.ask("GET", SYSTEM + "/Variables")
    assert "a bug" in caplog.text


def test_login_through_the_package(server: DemoServer) -> None:
    """``login`` hands the server's own address and credentials to ``login_with_password``."""
    session = server.login(page_size=7)
    with session:
        assert session.base_url == server.base_url
        assert len(session.variables) == 94
