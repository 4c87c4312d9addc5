"""Connections that fail, hang, break and drip."""

from __future__ import annotations

import gzip
import socket
import struct
import sys
import threading
import zlib
from collections.abc import Iterator
from itertools import chain, repeat

import pytest
import requests
from faults.conftest import FULL, LONG, SHORT, Meet
from faults.server import Fault, FaultyServer, ProxyServer, headed, raw, send, silence
from lanes import PATIENCE
from strategies import as_logged_in

from apteco_frames import Session, login_with_password
from apteco_frames.demo.api import Answer
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import OrbitConnectionError


class OwnAdapter(requests.adapters.HTTPAdapter):
    """An adapter of the user's own, which knows no deadline."""


LINE = b"HTTP/1.1 200 OK\r\n"


def reset(handler: DemoHandler, answer: Answer) -> None:
    """Make the operating system reset the connection."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def cut_in_half(handler: DemoHandler, answer: Answer) -> None:
    """Half of the right answer, under the length of the whole."""
    half = answer.body[: len(answer.body) // 2]
    send(handler, headed(half, f"Content-Length: {len(answer.body)}"))


def cut_chunks(handler: DemoHandler, answer: Answer) -> None:
    """Chunks without the last one."""
    chunk = b"%x\r\n%s\r\n" % (len(answer.body), answer.body)
    send(handler, headed(chunk, "Transfer-Encoding: chunked"))


BROKE = "the connection broke: "
BEYOND = "the answer goes beyond a limit: got more than "
IN_CHUNKS = "the answer is cut off or malformed between two chunks"

BREAKS: dict[str, tuple[Fault, str]] = {
    "closed without an answer": (raw(), BROKE),
    "reset": (reset, BROKE + "connection reset by peer"),
    "cut in the status line": (raw(b"HTTP/1."), "was cut off in the first line"),
    "cut in the headers": (raw(LINE + b"Content-Ty"), BROKE),
    "cut in the body": (cut_in_half, BROKE),
    "cut between chunks": (cut_chunks, IN_CHUNKS),
    "nonsense in place of HTTP": (
        raw(b"\x16\x03\x01 SSH-2.0-OpenSSH\r\n\r\n"),
        "the server does not speak HTTP",
    ),
    "nonsense in place of a chunk's size": (
        raw(headed(b"zz\r\n{}\r\n", "Transfer-Encoding: chunked")),
        IN_CHUNKS,
    ),
    "two lengths": (
        raw(headed(b"{}", "Content-Length: 2", "Content-Length: 3")),
        "the answer's headers contradict each other about its length",
    ),
    "no gzip, though it says so": (
        raw(headed(b"{}", "Content-Encoding: gzip", "Content-Length: 2")),
        "the answer cannot be unpacked: it is not packed as its headers say",
    ),
    "too many headers": (raw(LINE + b"X-Header: 1\r\n" * 1000 + b"\r\n{}"), BEYOND + "100 headers"),
    "a header of 100 kB": (
        raw(LINE + b"X-Header: " + b"1" * 100_000 + b"\r\n\r\n{}"),
        BEYOND + "65536 bytes when reading header line",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_breaks_once(meet: Meet, name: str) -> None:
    """What breaks while the catalogue is read is asked for again."""
    with FaultyServer(BREAKS[name][0], times=1) as server:
        assert meet(server) == FULL


@pytest.mark.parametrize("name", BREAKS)
def test_breaks_always(meet: Meet, name: str) -> None:
    """What breaks each time is an error that says where, how, and what to check."""
    fault, words = BREAKS[name]
    with FaultyServer(fault) as server:
        text = meet(server, kind=OrbitConnectionError, timeout=SHORT)
    assert words in text or "within 0.6 seconds" in text


@pytest.mark.parametrize("name", BREAKS)
def test_breaks_at_login(meet: Meet, name: str) -> None:
    """A login that may have arrived is not sent again."""
    fault, words = BREAKS[name]
    with FaultyServer(fault, "/SimpleLogin") as server:
        text = meet(server, kind=OrbitConnectionError)
        assert server.count("/SimpleLogin") == 1
    assert "SimpleLogin failed: " in text
    assert words in text
    assert text.endswith("Check the base URL, your network, VPN and proxy.")


# Proxies


@pytest.mark.parametrize(
    ("status", "words", "times"),
    [
        ("407 Give sentinel", "asks for a login, or did not accept it (status 407). Give", 1),
        ("502 Bad sentinel", "the proxy made no connection to it: status 502, Bad Gateway.", 5),
        ("403 sentinel", "the proxy made no connection to it: status 403, Forbidden.", 1),
    ],
)
def test_proxy_that_refuses(meet: Meet, status: str, words: str, times: int) -> None:
    """A proxy that makes no https connection is named with its status, without its words.

    A login cannot have arrived, so it is tried again where that may help.
    """
    server = FaultyServer()
    server.secrets += ["sentinel"]
    values = (server.data_view, server.system, server.user, server.password)
    answer = headed(b"", "Content-Length: 0", status=status)
    with ProxyServer(answer) as proxy, requests.Session() as http:
        http.trust_env = False
        http.proxies = {"https": f"http://jdoe:sentinel@127.0.0.1:{proxy.port}"}
        base_url = "https://orbit.invalid/OrbitAPI"

        def log_in() -> Session:
            return login_with_password(base_url, *values, http=http)

        text = meet(server, log_in, kind=OrbitConnectionError, where=base_url)
    assert words in text
    assert proxy.asked == ["CONNECT orbit.invalid:443"] * times
    assert ("http.proxies = {'https': 'http://user:password@proxy:8080'}" in text) == (
        status.startswith("407")
    )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:{port}", "no connection to the proxy: connection refused"),
        ("http://a..b:8080", "the URL, or that of the proxy, has an invalid host name or port"),
        ("ftp://proxy:8080", "the URL, or that of the proxy, has an invalid host name or port"),
    ],
)
def test_proxy_that_is_not_there(meet: Meet, url: str, words: str) -> None:
    """A proxy that cannot be reached, or whose URL is none, is what the error speaks of."""
    server = FaultyServer()
    values = (server.data_view, server.system, server.user, server.password)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
    with requests.Session() as http:
        http.trust_env = False
        http.proxies = {"https": url.format(port=port)}
        base_url = "https://orbit.invalid/OrbitAPI"

        def log_in() -> Session:
            return login_with_password(base_url, *values, http=http)

        text = meet(server, log_in, kind=OrbitConnectionError, where=base_url)
    assert words in text


def test_nobody_listens(meet: Meet) -> None:
    """Where nobody listens, the error says so."""
    server = FaultyServer().start()
    server.close()
    assert "no connection: connection refused" in meet(
        server, kind=OrbitConnectionError, timeout=(1, 1, 10 * PATIENCE)
    )


def test_accepted_and_never_answered(meet: Meet) -> None:
    """A connection that is taken and never served ends with the time-out."""
    with socket.create_server(("127.0.0.1", 0), backlog=5) as listener:
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/OrbitAPI"
        server = FaultyServer()
        values = (server.data_view, server.system, server.user, server.password)

        def log_in() -> Session:
            return login_with_password(base_url, *values, timeout=SHORT)

        text = meet(server, log_in, kind=OrbitConnectionError, where=base_url)
    assert "no answer within 0.5 seconds" in text


@pytest.mark.parametrize("path", ["/SimpleLogin", "/holidays", "/Tables", "/Variables"])
def test_silence(meet: Meet, path: str) -> None:
    """A request that is never answered ends with the time-outs, whatever it is."""
    with FaultyServer(silence, path) as server:
        text = meet(server, kind=OrbitConnectionError, timeout=SHORT)
    assert "within" in text


class Forever:
    """Something first, and then the last piece without end; anew for each request."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return chain(self._pieces, repeat(self._pieces[-1]))


def empty_blocks() -> Iterator[bytes]:
    """A gzip stream that goes on for ever and unpacks to nothing."""
    packer = zlib.compressobj(wbits=31)
    yield headed(b"", "Content-Encoding: gzip") + packer.flush(zlib.Z_SYNC_FLUSH)
    yield from repeat(b"\0\0\0\xff\xff" * 1000)


DRIPS: dict[str, Fault] = {
    "a body that drips": raw(Forever(headed(b"{", "Content-Length: 1000000"), b" "), pause=0.05),
    "a status line that drips": raw(Forever(b"H"), pause=0.05),
    "headers that drip": raw(Forever(LINE, b"X"), pause=0.05),
    "headers without end": raw(Forever(LINE, b"X: 1\r\n"), pause=0.05),
    "a chunk's size that drips": raw(
        Forever(headed(b"", "Transfer-Encoding: chunked"), b"1;x=", b"x"), pause=0.05
    ),
    "chunks without end": raw(
        Forever(headed(b"", "Transfer-Encoding: chunked"), b"400\r\n" + b" " * 1024 + b"\r\n"),
        pause=0.001,
    ),
    "trailers without end": raw(
        Forever(headed(b"2\r\n{}\r\n0\r\n", "Transfer-Encoding: chunked"), b"X: 1\r\n"), pause=0.05
    ),
    "100 Continue without end": raw(Forever(b"HTTP/1.1 100 Continue\r\n\r\n"), pause=0.001),
}


@pytest.mark.parametrize("path", ["/SimpleLogin", "/Variables"], ids=["login", "page"])
@pytest.mark.parametrize("name", [*DRIPS, "a gzip stream of nothing, without end"])
def test_drips(meet: Meet, name: str, path: str) -> None:
    """An answer that keeps coming and never ends is over when the whole load's time is."""
    fault = DRIPS.get(name) or raw(empty_blocks(), pause=0.001)
    with FaultyServer(fault, path) as server:
        text = meet(server, kind=OrbitConnectionError, timeout=(0.5, 0.5, 0.4))
    assert "within 0.4 seconds" in text or BEYOND in text


def bomb(size: int) -> bytes:
    """Zeros, packed."""
    return gzip.compress(bytes(2**24), 9) * (size // 2**24)


def most_memory() -> int:
    """The most memory that this process has had, in KiB; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most


def test_unpacks_to_gigabytes(meet: Meet) -> None:
    """A small answer that unpacks to 4 GiB is refused after 256 MiB, and takes little more."""
    body = bomb(2**32)
    headers = ["Content-Encoding: gzip", f"Content-Length: {len(body)}"]
    before = most_memory()
    with FaultyServer(raw(headed(body, *headers)), "/SimpleLogin") as server:
        text = meet(server, kind=OrbitConnectionError, timeout=LONG)
    assert "is larger than 256 MiB; the rest was not read. Check the base URL" in text
    assert most_memory() - before < 600_000


def test_page_that_is_too_large(meet: Meet) -> None:
    """Where there are pages, smaller ones are what the error advises."""
    body = bomb(2**28 + 2**24)
    headers = ["Content-Encoding: gzip", f"Content-Length: {len(body)}"]
    with FaultyServer(raw(headed(body, *headers))) as server:
        text = meet(server, kind=OrbitConnectionError, timeout=LONG)
        assert "the rest was not read. Ask for less at a time: page_size=100." in text
        text = meet(server, kind=OrbitConnectionError, timeout=LONG, page_size=50)
        assert text.endswith("page_size=5.")


@pytest.mark.parametrize("adapter", [requests.adapters.HTTPAdapter, OwnAdapter])
@pytest.mark.parametrize("name", ["a body that drips", "100 Continue without end"])
def test_drips_through_a_session_of_the_users(
    meet: Meet, name: str, adapter: type[requests.adapters.HTTPAdapter]
) -> None:
    """Whatever adapters a session has, the whole load's time is the same."""
    with FaultyServer(DRIPS[name]) as server, requests.Session() as http:
        http.mount("http://", adapter())
        options = {"timeout": (0.5, 0.5, 0.4), "http": http}
        text = meet(server, kind=OrbitConnectionError, **options)
    assert "within 0.4 seconds" in text


def test_cut_at_logout(meet: Meet) -> None:
    """A logout that breaks is an error; what was read stays."""
    with FaultyServer(raw(), "", skip=5) as server:
        session = server.login(timeout=LONG)

        def leave() -> Session:
            session.logout()
            return session

        meet(server, leave, kind=OrbitConnectionError)
        assert session.catalogue == as_logged_in(server.served)


def test_no_thread_is_left(meet: Meet) -> None:
    """After the time is up no thread of a load goes on, nor a request."""
    before = set(threading.enumerate())
    with FaultyServer(DRIPS["headers that drip"], "/Variables") as server:
        meet(server, kind=OrbitConnectionError, timeout=(0.5, 0.5, 0.5))
        for thread in set(threading.enumerate()) - before:
            if thread.name.startswith("apteco_frames"):
                thread.join(1)
                assert not thread.is_alive()
