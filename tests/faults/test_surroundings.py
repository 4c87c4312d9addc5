"""What surrounds a program in a company: proxies, certificates, sessions of the user's own."""

from __future__ import annotations

import errno
import gzip
import logging
import socket
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import apteco_api
import pytest
import requests
import urllib3
from faults.conftest import FULL, Meet
from faults.server import (
    KEYS,
    Fault,
    FaultyServer,
    ProxyServer,
    TlsHandler,
    headed,
    ok,
    raw,
    send,
    status,
    within,
)

from apteco_frames import Session, login_with_password
from apteco_frames.demo import DemoServer
from apteco_frames.demo.api import Answer
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import ApiError, GatewayError, LoginError, OrbitConnectionError


@pytest.fixture
def dead() -> str:
    """The URL of a proxy that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        return f"http://127.0.0.1:{holder.getsockname()[1]}"


# Proxies


@pytest.mark.parametrize("own_session", [False, True], ids=["ours", "own session"])
@pytest.mark.parametrize(
    "names",
    [
        ["HTTP_PROXY"],
        ["http_proxy"],
        ["ALL_PROXY"],
        ["all_proxy"],
        ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"],
    ],
    ids=" ".join,
)
def test_proxy_of_the_environment(
    meet: Meet, monkeypatch: pytest.MonkeyPatch, names: list[str], own_session: bool, dead: str
) -> None:
    """No proxy of the environment leads to this machine itself, whatever is excepted from it."""
    for name in names:
        monkeypatch.setenv(name, "localhost" if name == "NO_PROXY" else dead)
    with FaultyServer() as server, requests.Session() as http:
        assert meet(server, http=http if own_session else None) == FULL


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.9", "127.9"])
def test_names_of_this_machine(monkeypatch: pytest.MonkeyPatch, host: str, dead: str) -> None:
    """All names of this machine are reached without the environment's proxies."""
    monkeypatch.setenv("ALL_PROXY", dead)
    with FaultyServer() as server:
        url = server.base_url.replace("127.0.0.1", host)
        values = (server.data_view, server.system, server.user, server.password)
        if host.endswith(".9"):  # nobody listens there, and no proxy is asked either
            with pytest.raises(OrbitConnectionError, match="failed: no connection: "):
                login_with_password(url, *values, timeout=(1, 1, 1.5))
        else:
            login_with_password(url, *values).logout()


def test_proxy_of_the_operating_system(monkeypatch: pytest.MonkeyPatch, dead: str) -> None:
    """Nor does one of the operating system's settings, as on Windows and macOS."""
    monkeypatch.setattr(requests.utils, "getproxies", lambda: {"http": dead, "https": dead})
    with DemoServer() as demo, demo.login() as session:
        assert apteco_api.AboutApi(session.api_client).about_get_version().version


def test_socks_proxy_that_is_not_there(meet: Meet, dead: str) -> None:
    """A SOCKS proxy that takes no connection is told as one."""
    pytest.importorskip("socks")
    with FaultyServer() as server, requests.Session() as http:
        http.proxies = {"http": dead.replace("http", "socks5h")}
        said = meet(server, http=http, kind=OrbitConnectionError, timeout=(1, 1, 1.5))
    assert "no connection to the proxy: connection refused" in said


def test_proxy_of_the_users_session(meet: Meet) -> None:
    """A proxy that the user has set on a session counts, also for this machine."""
    with (
        ProxyServer(headed(b"", "Content-Length: 0", status="407 Who are you")) as proxy,
        FaultyServer() as server,
        requests.Session() as http,
    ):
        http.proxies = {"http": f"http://127.0.0.1:{proxy.port}"}
        said = meet(server, http=http, kind=(ApiError, GatewayError))
    assert "407" in said
    assert proxy.asked[0].startswith("POST http://127.0.0.1:")


def test_proxy_given_as_https(meet: Meet) -> None:
    """A proxy that takes plain http alone is told in the words of urllib3."""
    with FaultyServer() as server, requests.Session() as http:
        http.trust_env = False
        http.proxies = {"https": secure(server).removesuffix("/OrbitAPI")}
        base_url = "https://orbit.invalid/OrbitAPI"
        values = (base_url, server.data_view, server.system, server.user, server.password)
        said = meet(
            server,
            lambda: login_with_password(*values, http=http),
            kind=OrbitConnectionError,
            where=base_url,
            within=4,
        )
    assert "Your proxy appears to only use HTTP and not HTTPS, try changing your proxy URL" in said
    assert "verify=" not in said


def test_id_of_a_session_in_logs(caplog: pytest.LogCaptureFixture) -> None:
    """What urllib3 logs of a logout, and of what it tries again, has no id of a session."""
    retries = urllib3.Retry(1, status_forcelist=[503], backoff_factor=0, allowed_methods=None)
    fault = status(503, b"{}")
    with (
        caplog.at_level(logging.DEBUG),
        caplog.at_level(logging.DEBUG, "urllib3"),  # which the vendor's client makes quiet
        FaultyServer(within("/Sessions/", fault), "", skip=1, times=1) as server,
        mounted(requests.adapters.HTTPAdapter(max_retries=retries)) as http,
    ):
        session = server.login(http=http)
        session.renew(server.password)
        session.logout()
        assert len(server.session_ids) == 2
    lines = [record.getMessage() for record in caplog.records]
    assert any("DELETE" in line and "/Sessions/<secret>" in line for line in lines)
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert not [line for line in lines for text in server.session_ids if text in line]


# A session of the user's own


def reads(response: requests.Response, *args: Any, **options: Any) -> None:
    """A hook that reads the body."""
    assert response.content is not None


def raises(response: requests.Response, *args: Any, **options: Any) -> None:
    """A hook that raises an error for an error."""
    response.raise_for_status()


def replaces(response: requests.Response, *args: Any, **options: Any) -> requests.Response:
    """A hook that gives another response, as recorders do."""
    other = requests.Response()
    other.status_code, other.reason = response.status_code, response.reason
    other.headers, other.url = response.headers, response.url
    other.raw = BytesIO(response.content)
    other.headers.pop("Content-Encoding", None)
    return other


class ReadingAdapter(requests.adapters.HTTPAdapter):
    """An adapter that reads what comes, to log it, say."""

    def send(self, *args: Any, **options: Any) -> requests.Response:
        response = super().send(*args, **options)
        assert response.text is not None
        return response


class FilledAdapter(requests.adapters.BaseAdapter):
    """An adapter that gets its answers in its own way, and has no connection."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        found = urllib3.PoolManager().request(
            str(request.method),
            str(request.url),
            body=request.body,
            headers=dict(request.headers),
            redirect=False,
        )
        response = requests.Response()
        response.status_code, response.url = found.status, str(request.url)
        response._content = found.data
        return response

    def close(self) -> None:
        """Nothing is open."""


class ReadingSession(requests.Session):
    """A kind of session that streams nothing."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        return super().send(request, **{**options, "stream": False})


def hooked(hook: Callable[..., object]) -> requests.Session:
    """A session with a hook."""
    http = requests.Session()
    http.hooks["response"].append(hook)
    return http


def mounted(adapter: requests.adapters.BaseAdapter) -> requests.Session:
    """A session with an adapter."""
    http = requests.Session()
    http.mount("http://", adapter)
    return http


def patched() -> requests.Session:
    """A session with a method of its own."""
    http = requests.Session()
    plain = http.send
    http.send = lambda request, **options: plain(  # type: ignore[method-assign]
        request, **{**options, "stream": False}
    )
    return http


OWN: dict[str, Callable[[], requests.Session]] = {
    "a hook that reads": lambda: hooked(reads),
    "a hook that raises": lambda: hooked(raises),
    "a hook that replaces": lambda: hooked(replaces),
    "an adapter that reads": lambda: mounted(ReadingAdapter()),
    "an adapter without connections": lambda: mounted(FilledAdapter()),
    "a kind of session that reads": ReadingSession,
    "a session that was patched": patched,
}


@pytest.mark.parametrize("name", OWN)
def test_own_session(meet: Meet, name: str) -> None:
    """Whatever has a part in a request of the user's session, the answer is the same."""
    with FaultyServer() as server, OWN[name]() as http:
        assert meet(server, http=http) == FULL
        message = b'{"message": "Not this one", "id": 7}'
        server.api.password = "another"
    refusal = status(401, message, reason="Unauthorized")
    with FaultyServer(refusal, "/SimpleLogin") as server, OWN[name]() as http:
        said = meet(server, http=http, kind=LoginError)
        assert "status 401" in said
        assert "Not this one" in said


@pytest.mark.parametrize("name", OWN)
def test_busy_server_of_an_own_session(meet: Meet, name: str) -> None:
    """A server that is busy is told as one, and tried again as ever."""
    fault = status(503, b'{"message": "Busy"}')
    with FaultyServer(fault) as server, OWN[name]() as http:
        said = meet(server, http=http, kind=ApiError, timeout=(5, 5, 20))
        assert server.count("/Variables") == 5
    assert "status 503" in said
    with FaultyServer(fault, times=1) as server, OWN[name]() as http:
        assert meet(server, http=http) == FULL


def test_hook_that_takes_the_body(meet: Meet) -> None:
    """A body that somebody has taken and not left is not told as a gateway's."""

    def takes(response: requests.Response, *args: Any, **options: Any) -> None:
        response.raw.read()

    def iterates(response: requests.Response, *args: Any, **options: Any) -> None:
        for _ in response.iter_content(100):
            pass

    for hook in (takes, iterates):
        with FaultyServer() as server, hooked(hook) as http:
            said = meet(server, http=http, kind=OrbitConnectionError)
        assert "a hook or an adapter of http= has already read the answer's body" in said
        assert said.endswith("Let it read response.content, which can be read again.")


class OwnAdapter(requests.adapters.HTTPAdapter):
    """An adapter that is no plain one."""


@pytest.mark.parametrize("kind", [requests.adapters.HTTPAdapter, OwnAdapter])
@pytest.mark.parametrize("path", ["/SimpleLogin", "/Variables"])
def test_retries_of_the_users(
    meet: Meet, kind: type[requests.adapters.HTTPAdapter], path: str
) -> None:
    """Where an adapter tries again by itself, its attempts are all; the status is told."""
    retries = urllib3.Retry(2, status_forcelist=[503], backoff_factor=0.01, allowed_methods=None)
    fault = status(503, b'{"message": "Down for an hour"}', reason="Service Unavailable")
    with FaultyServer(fault, path) as server, mounted(kind(max_retries=retries)) as http:
        said = meet(server, http=http, kind=(ApiError, OrbitConnectionError))
        assert server.count(path) == 3
    assert "status 503, Service Unavailable, as often as an adapter of http= asked" in said


@pytest.mark.parametrize(
    "retries",
    [
        urllib3.Retry(None, status=1, status_forcelist=[503], raise_on_status=False),
        urllib3.Retry(1, raise_on_status=False),  # for servers that ask to wait
    ],
    ids=["without a total", "without statuses"],
)
def test_retries_that_leave_the_last_answer(meet: Meet, retries: urllib3.Retry) -> None:
    """An answer for which an adapter has tried again is the last, and what it says is kept."""
    fault = status(503, b'{"message": "Down for an hour"}', "Retry-After: 0")
    adapter = requests.adapters.HTTPAdapter(max_retries=retries)
    with FaultyServer(fault) as server, mounted(adapter) as http:
        said = meet(server, http=http, kind=ApiError)
        assert server.count("/Variables") == 2
    assert "Down for an hour" in said


def test_retries_of_the_users_do_not_read_bodies(meet: Meet) -> None:
    """What an adapter's retries do not see, an answer that breaks, is tried again by us."""

    def half(handler: DemoHandler, answer: Answer) -> None:
        send(handler, headed(answer.body[:50], f"Content-Length: {len(answer.body)}"))

    adapter = requests.adapters.HTTPAdapter(max_retries=2)
    with FaultyServer(half, times=1) as server, mounted(adapter) as http:
        assert meet(server, http=http) == FULL


def test_plain_retries_of_the_users(meet: Meet) -> None:
    """Retries that leave a status alone do not keep us from trying again for it."""
    adapter = requests.adapters.HTTPAdapter(max_retries=3)
    with FaultyServer(status(503, b"{}"), times=1) as server, mounted(adapter) as http:
        assert meet(server, http=http) == FULL


@pytest.mark.parametrize("path", ["SimpleLogin", "Variables"])
@pytest.mark.parametrize(
    "error",
    [
        KeyError("x-limit"),
        ValueError("x-limit"),
        requests.RequestException("x-limit"),
        requests.ConnectionError("x-limit"),
        AssertionError("x-limit"),
    ],
    ids=repr,
)
def test_part_of_the_users_that_fails(meet: Meet, path: str, error: Exception) -> None:
    """An error of a hook or an adapter of the user's is told as theirs, or in its own words.

    Those of a ``ValueError`` may be a header of the user's.
    """

    def fails(response: requests.Response, *args: Any, **options: Any) -> None:
        if path in response.url:
            raise error

    class Adapter(requests.adapters.HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
            if path in str(request.url):
                raise error
            return super().send(request, *args, **options)

    for own in (hooked(fails), mounted(Adapter())):
        with FaultyServer() as server, own as http:
            said = meet(server, http=http, kind=OrbitConnectionError)
        assert ("x-limit" in said) == (type(error) is not ValueError)
        if not isinstance(error, requests.RequestException):
            assert f"a hook or an adapter of http= raised {type(error).__name__}" in said
            assert "(test_surroundings.py, line " in said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.ReadTimeout("slow"), "no answer within 4 seconds"),
        (requests.ConnectTimeout(), "no connection within 3 seconds"),
    ],
)
def test_time_out_of_a_stand_in(meet: Meet, error: Exception, words: str) -> None:
    """A time-out that an adapter, or a stand-in for one, raises is told as one."""

    class Adapter(requests.adapters.HTTPAdapter):
        def send(self, *args: Any, **options: Any) -> Any:
            raise error

    with FaultyServer() as server, mounted(Adapter()) as http:
        said = meet(server, http=http, kind=OrbitConnectionError, timeout=(3, 4, 8))
    assert words in said


@pytest.mark.parametrize("kind", ["file", "full disk", "JSON"])
def test_hook_that_fails_beside_the_answer(meet: Meet, tmp_path: Path, kind: str) -> None:
    """A hook that cannot write its log, or takes a page for JSON, is not told as the network."""

    def fails(response: requests.Response, *args: Any, **options: Any) -> None:
        if kind == "file":
            (tmp_path / "none" / "log.txt").write_text("asked")
        if kind == "full disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        response.json()

    fault = status(200, b"<html>")
    with FaultyServer(fault, "/Variables") as server, hooked(fails) as http:
        said = meet(server, http=http, kind=OrbitConnectionError)
        assert server.count("/Variables") <= 1
    assert "a hook or an adapter of http= raised " in said
    assert "(test_surroundings.py, line " in said


def test_hook_that_reads_what_is_cut(meet: Meet) -> None:
    """Where a hook reads an answer that the network cuts, it is asked for again."""

    def half(handler: DemoHandler, answer: Answer) -> None:
        send(handler, headed(answer.body[:50], f"Content-Length: {len(answer.body)}"))

    with FaultyServer(half, times=1) as server, hooked(reads) as http:
        assert meet(server, http=http) == FULL


def test_header_that_cannot_be_sent(meet: Meet) -> None:
    """A header of the user's that is invalid is told as such, and not shown."""
    with FaultyServer() as server, requests.Session() as http:
        http.headers["X-Gate"] = "sentinel-of-a-key\nX"
        said = meet(server, http=http, kind=OrbitConnectionError)
    assert "a header of http= has an invalid name or value. Correct it." in said
    assert "sentinel-of-a-key" not in said


def test_login_to_a_gateway(meet: Meet) -> None:
    """What the user's session does to log in to a gateway is done, and the token is sent, too."""

    class Gate(requests.auth.AuthBase):
        def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["X-Gate"] = "open"
            return request

    with FaultyServer() as server, requests.Session() as http:
        http.auth = Gate()
        assert meet(server, http=http) == FULL
        assert {headers.get("X-Gate") for headers in server.headers} == {"open"}
    with FaultyServer() as server, requests.Session() as http:
        http.auth = ("gate", "open")
        assert meet(server, http=http) == FULL
        assert server.headers[0]["Authorization"].startswith("Basic ")


def test_cookies_of_two_logins() -> None:
    """Each login has its own cookies; those that the user has set go with both."""
    seen: list[str] = []
    number = iter(range(10))

    class Handler(DemoHandler):
        def send_response(self, code: int, message: str | None = None) -> None:
            super().send_response(code, message)
            if self.path.endswith("/SimpleLogin"):
                self.send_header("Set-Cookie", f"route=node{next(number)}; Path=/")
            else:
                seen.append(self.headers["Cookie"])

    server = DemoServer()
    server.handler = Handler
    with server, requests.Session() as http:
        http.cookies.set("gate", "open", path="/")
        first, second = server.login(http=http), server.login(http=http)
        seen.clear()
        first.refresh()
        second.refresh()
        assert [sorted(cookies.split("; ")) for cookies in seen] == [
            ["gate=open", "route=node0"],
            ["gate=open", "route=node1"],
        ]
        assert dict(http.cookies) == {"gate": "open"}
        first.logout()
        second.logout()


# Certificates


@pytest.fixture
def tls() -> Iterator[FaultyServer]:
    """A server that speaks https, under a certificate of its own."""
    server = FaultyServer()
    server.handler = type("Handler", (TlsHandler, server.handler), {})
    with server:
        yield server


def secure(server: DemoServer, host: str = "127.0.0.1") -> str:
    """The https URL of a server."""
    return server.base_url.replace("http:", "https:").replace("127.0.0.1", host)


def log_in_to(server: DemoServer, base_url: str, **options: Any) -> Session:
    """Log in to a server under another URL."""
    values = (base_url, server.data_view, server.system, server.user, server.password)
    return login_with_password(*values, **options)


@pytest.mark.parametrize("setting", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "http.verify"])
@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_file_of_authorities(
    meet: Meet,
    tls: FaultyServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    setting: str,
    content: str | None,
) -> None:
    """A file of authorities that is not there, or holds none, is told, with the settings."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with requests.Session() as http:
        if setting == "http.verify":
            http.verify = str(path)
        else:
            monkeypatch.setenv(setting, str(path))
        said = meet(
            tls,
            lambda: log_in_to(tls, secure(tls), http=http if setting == "http.verify" else None),
            kind=OrbitConnectionError,
            where=secure(tls),
            within=4,
        )
    fault = f"invalid path: {path}" if content is None else "contains none in PEM"
    assert f"{fault}. Correct verify=, http.verify, http.cert, REQUESTS_CA_BUNDLE or CURL" in said


@pytest.mark.parametrize("content", [None, ""])
@pytest.mark.parametrize("pair", [False, True])
def test_certificate_of_the_users(
    meet: Meet, tls: FaultyServer, tmp_path: Path, content: str | None, pair: bool
) -> None:
    """So is a certificate of the user's that is not there, or is none."""
    path = tmp_path / "client.pem"
    if content is not None:
        path.write_text(content)
    with requests.Session() as http:
        http.cert = (str(KEYS), str(path)) if pair else str(path)
        said = meet(
            tls,
            lambda: log_in_to(tls, secure(tls), http=http, verify=str(KEYS)),
            kind=OrbitConnectionError,
            where=secure(tls),
            within=4,
        )
    assert (f"invalid path: {path}. Correct" in said) == (content is None)
    assert "http.cert" in said


OTHER_KEY = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
"""


@pytest.mark.parametrize("kind", ["folder", "key of another"])
def test_certificate_of_the_users_that_cannot_be_used(
    meet: Meet, tls: FaultyServer, tmp_path: Path, kind: str
) -> None:
    """A folder in place of the user's certificate is told as that; so is a wrong key."""
    path = tmp_path / "client.key"
    path.write_text(OTHER_KEY)
    with requests.Session() as http:
        http.cert = str(tmp_path) if kind == "folder" else (str(KEYS), str(path))
        said = meet(
            tls,
            lambda: log_in_to(tls, secure(tls), http=http, verify=str(KEYS)),
            kind=OrbitConnectionError,
            where=secure(tls),
            within=4,
        )
    assert "a folder is set" in said or "the key in http.cert is that of another" in said
    assert "Correct " in said
    assert "http.cert" in said


def test_file_that_goes_away(meet: Meet, tls: FaultyServer, tmp_path: Path) -> None:
    """A file of authorities that was there at login, and is not any more, is named."""
    path = tmp_path / "ca.pem"
    path.write_bytes(KEYS.read_bytes())
    session = log_in_to(tls, secure(tls), verify=str(path))
    path.unlink()

    def refresh() -> Session:
        session.refresh()
        return session

    said = meet(tls, refresh, kind=OrbitConnectionError, where=secure(tls), within=4)
    assert f"invalid path: {path}. Correct verify=" in said


def test_verify_of_the_users_session(
    tls: FaultyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The authority that a session names comes before that of the environment."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "of-the-environment.pem"))
    with requests.Session() as http:
        http.verify = str(KEYS)
        log_in_to(tls, secure(tls), http=http).logout()


@pytest.mark.parametrize(
    ("host", "verify", "words"),
    [
        ("127.0.0.1", None, ["self-signed certificate. ", "verify='ca.pem'"]),
        ("localhost", str(KEYS), ["hostname mismatch, certificate is not valid for 'localhost'. "]),
    ],
)
def test_certificate_that_is_not_accepted(
    meet: Meet, tls: FaultyServer, host: str, verify: str | None, words: list[str]
) -> None:
    """What is wrong with a certificate is told, and the advice is for that."""
    base_url = secure(tls, host)
    said = meet(
        tls,
        lambda: log_in_to(tls, base_url, verify=verify),
        kind=OrbitConnectionError,
        where=base_url,
        within=8,
    )
    assert "the TLS connection failed: " + words[0] in said
    assert all(word in said for word in words)
    assert ("verify=" in said) == (verify is None)


def test_https_on_a_plain_port(meet: Meet) -> None:
    """A server of plain http that is asked with https is told as that."""
    with FaultyServer() as server:
        said = meet(
            server,
            lambda: log_in_to(server, secure(server)),
            kind=OrbitConnectionError,
            where=secure(server),
            within=4,
        )
    assert "the server there does not speak https. Begin the base URL with http://" in said
    assert "verify=" not in said


def test_plain_http_on_a_port_of_https(meet: Meet) -> None:
    """A server that answers in TLS that it does not understand is told as one of https."""
    alert = b"\x15\x03\x01\x00\x02\x02\x46"
    with FaultyServer(raw(alert), "/SimpleLogin") as server:
        said = meet(server, kind=OrbitConnectionError)
    assert "the server there speaks https. Begin the base URL with https://." in said


# Redirects


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/login", 302),
        ("http://127.0.0.1:9/OrbitAPI", 307),
        ("https://sso.my-site.com/", 302),
        ("ftp://127.0.0.1/", 307),
        ("http://[::1", 307),
        ("", 307),
    ],
)
def test_redirect(meet: Meet, target: str, code: int) -> None:
    """A redirect that is not followed is told with where it leads, and the rules."""
    fault = status(code, b"", *([f"Location: {target}"] if target else []))
    with FaultyServer(fault, "/SimpleLogin") as server:
        said = meet(server, kind=OrbitConnectionError)
    assert (
        f"{target or 'nowhere'}, which was not followed: passwords and tokens are sent on" in said
    )
    assert "to the same host and port only" in said


# Packed answers


def members(*parts: bytes) -> bytes:
    """Gzip of several members."""
    return b"".join(map(gzip.compress, parts))


@pytest.mark.parametrize("path", ["/SimpleLogin", "/Variables"])
@pytest.mark.parametrize("size", [1, 1000, 2**18])
def test_gzip_of_several_members(meet: Meet, size: int, path: str) -> None:
    """Gzip of several members is unpacked, wherever one of them ends."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        # Blanks before the answer are JSON, too, and end just where a piece does.
        head, body = answer.body[:size], answer.body[size:]
        packed = members(b" " * 2**18, head.rjust(2**18), b"", body) + bytes(512)
        headers = [f"Content-Length: {len(packed)}", "Content-Encoding: gzip"]
        code = f"{answer.status} OK"
        send(handler, headed(packed, *headers, status=code))

    with FaultyServer(fault, path) as server:
        assert meet(server, within=8) == FULL


DAMAGED: dict[str, tuple[bytes, str]] = {
    "a second member that is cut off": (members(b"{}", b" " * 9000)[:-9], "gzip"),
    "a second member that is damaged": (members(b"{}") + b"\x1f\x8b" + bytes(8) + b"x", "gzip"),
    "something after the last member": (members(b"{}") + b"and so on", "gzip"),
    "gzip that is cut off": (members(b"{}" * 9000)[:-9], "gzip"),
    "deflate": (b"\x78\x9c\x01", "deflate"),
    "br": (b"\x0b\x00\x80{}\x03", "br"),
    "zstd": (b"(\xb5/\xfd\x04\x00\x11\x00\x00{}", "zstd"),
    "gzip twice over": (b"{}", "gzip, gzip"),
}


@pytest.mark.parametrize("path", ["/SimpleLogin", "/Variables"])
@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_packing(meet: Meet, name: str, path: str) -> None:
    """An answer that cannot be unpacked is one of our errors, at once."""
    body, encoding = DAMAGED[name]
    with FaultyServer(ok(body, f"Content-Encoding: {encoding}"), path) as server:
        said = meet(server, kind=OrbitConnectionError, within=8)
    assert "the answer cannot be unpacked: " in said


CHUNKS: dict[str, Fault] = {
    name: raw(headed(body, "Transfer-Encoding: chunked"))
    for name, body in {
        "a chunk longer than it says": b"2\r\n{}{}\r\n0\r\n\r\n",
        "a chunk shorter than it says": b"fff\r\n{}\r\n0\r\n\r\n",
        "a size below nothing": b"-5\r\n{}\r\n0\r\n\r\n",
        "a size of many digits": b"f" * 30 + b"\r\n{}\r\n0\r\n\r\n",
        "no line end after a size": b"2{}0",
    }.items()
}


@pytest.mark.parametrize("path", ["/SimpleLogin", "/Variables"])
@pytest.mark.parametrize("name", CHUNKS)
def test_broken_chunks(meet: Meet, name: str, path: str) -> None:
    """Chunks that break their own rules are one of our errors, at once."""
    with FaultyServer(CHUNKS[name], path) as server:
        meet(server, kind=OrbitConnectionError, within=8)


# Clocks


@pytest.mark.parametrize("now", [0.0, 5e9])
def test_clock_that_stands_still(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    """Where a program has stopped its clock, as tests do, a load ends all the same."""
    monkeypatch.setattr(time, "monotonic", lambda: now)
    server = FaultyServer().start()
    server.close()
    values = (server.base_url, server.data_view, server.system, server.user, server.password)
    with pytest.raises(OrbitConnectionError, match="no connection: connection refused"):
        login_with_password(*values, timeout=(1, 1, 20))
    busy = FaultyServer(status(503, b"{}"))
    with busy, pytest.raises(ApiError, match="status 503"):
        busy.login(timeout=(1, 1, 20))
    endless = FaultyServer(raw(iter(lambda: b"x", b""), pause=0.05), "/SimpleLogin")
    with endless, pytest.raises(OrbitConnectionError, match=r"within 0\.4 seconds"):
        endless.login(timeout=(0.3, 0.3, 0.4))
    with FaultyServer() as server, server.login() as session:
        assert len(session.codes) == 1032
