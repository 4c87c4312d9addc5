"""Tokens that have expired, or soon will; certificates; where secrets are sent."""

from __future__ import annotations

import json
import logging
import time
import warnings
from typing import Any

import apteco_api
import jwt
import pytest
import requests
from faults.conftest import Meet
from faults.sentinels import found, shown_by_error
from faults.server import KEYS, FaultyServer, ProxyServer, TlsHandler, headed, status
from strategies import as_logged_in

from apteco_frames import Session, login_with_password
from apteco_frames.demo import DemoServer
from apteco_frames.errors import (
    AptecoFramesWarning,
    InsecureTransportWarning,
    OrbitConnectionError,
    SessionExpiredError,
)
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.load import load_catalogue
from apteco_frames.orbit.options import Options
from apteco_frames.orbit.redact import Secret


def with_token(server: FaultyServer, token: str, *, with_catalogue: bool = True) -> str:
    """A serialised session of the server that holds another token."""
    text = server.login().serialize(include_catalogue=with_catalogue)
    server.asked.clear()
    server.secrets.append(token.rpartition(".")[2])
    return json.dumps({**json.loads(text), "access_token": token})


def expiring(seconds: float) -> str:
    """A token that expires in so many seconds."""
    return jwt.encode({"exp": int(time.time() + seconds)}, "k" * 32)


def test_expired_token(meet: Meet) -> None:
    """A token that has expired for certain is known before anything is sent."""
    with FaultyServer() as server:
        text = with_token(server, expiring(-3600), with_catalogue=False)
        said = meet(server, lambda: Session.deserialize(text), kind=SessionExpiredError)
        assert server.asked == []
    assert "expired 1 hour ago, so nothing was sent" in said
    assert "Log in again with login() or session.renew(password)" in said


@pytest.mark.parametrize("kind", [float, str])
@pytest.mark.parametrize("seconds", [-3600.5, -3600])
def test_expiry_as_a_fraction(meet: Meet, seconds: float, kind: type) -> None:
    """A token may say with a fraction of a second, or as text, when it expires."""
    ends = time.time() + seconds
    with FaultyServer() as server:
        text = with_token(server, jwt.encode({"exp": kind(ends)}, "k" * 32))
        session = Session.deserialize(text)
        assert session.is_expired
        assert session.token_expires_at is not None
        assert abs(session.token_expires_at.timestamp() - ends) < 1
        bare = json.dumps({k: v for k, v in json.loads(text).items() if k != "catalogue"})
        meet(server, lambda: Session.deserialize(bare), kind=SessionExpiredError)
        assert server.asked == []


@pytest.mark.parametrize("ends", [10**400, -(10**400), 1e300, True, "soon", None])
def test_expiry_at_no_time(ends: Any) -> None:
    """A token that expires at no time that there is counts as one that does not say."""
    with FaultyServer() as server:
        session = Session.deserialize(with_token(server, jwt.encode({"exp": ends}, "k" * 32)))
        assert session.token_expires_at is None
        assert not session.is_expired
        with pytest.raises(SessionExpiredError) as caught:  # by the server
            _ = session.systems
        assert caught.value.status == 401


def test_expired_token_of_the_api_client() -> None:
    """The generated client gets the API's 401 as it expects it; the catalogue stays usable."""
    with FaultyServer() as server:
        session = Session.deserialize(with_token(server, expiring(-120)))
        about = apteco_api.SessionsApi(session.api_client)
        with pytest.raises(apteco_api.ApiException) as caught:
            about.sessions_get_session_details(server.data_view, session.session_id)
        assert caught.value.status == 401
        assert found(server.secrets, shown_by_error(caught.value)) == []
        assert session.variables["Destination"].name == "boDest"
        session.renew(server.password)
        details = about.sessions_get_session_details(server.data_view, session.session_id)
        assert details.session_id == session.session_id


@pytest.mark.parametrize("seconds", [-30, 30])
def test_token_about_to_expire(meet: Meet, caplog: pytest.LogCaptureFixture, seconds: int) -> None:
    """Within a minute of its end a token is tried, for clocks differ; the log tells once."""
    with FaultyServer() as server:
        text = with_token(server, expiring(seconds), with_catalogue=False)
        said = meet(server, lambda: Session.deserialize(text), kind=SessionExpiredError)
        assert len(server.asked) == 1
    assert "The API says" in said  # the token is none of the server's
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(told) == 1
    assert ("expires in" if seconds > 0 else "expired") in told[0]


def test_requests_after_logout() -> None:
    """After logging out nothing is sent any more, and the error says why."""
    with FaultyServer() as server:
        client = OrbitClient(server.base_url, server.data_view, Options())
        client.log_in(server.user, Secret(server.password), client.new_deadline())
        client.log_out()
        asked = len(server.asked)
        with pytest.raises(SessionExpiredError, match=r"was ended, so") as caught:
            load_catalogue(client, server.system, client.new_deadline())
        assert len(server.asked) == asked
        assert caught.value.status is None
        assert found(server.secrets, shown_by_error(caught.value)) == []


def test_session_that_the_server_ended(meet: Meet) -> None:
    """A session ended elsewhere is an error at its next use; ``renew`` mends it."""
    with FaultyServer() as server:
        session = server.login()
        text = session.serialize()
        server.api.end_sessions()
        meet(server, lambda: Session.deserialize(text), kind=SessionExpiredError)
        session.renew(server.password)
        assert Session.deserialize(session.serialize()).catalogue == session.catalogue


def test_renewing_fails(meet: Meet) -> None:
    """Where renewing breaks off, what was read stays."""
    with FaultyServer(status(500), "/holidays", skip=2) as server:
        session = server.login()

        def renew() -> Session:
            session.renew(server.password)
            return session

        meet(server, renew, kind=OrbitConnectionError.__subclasses__()[0])
        assert session.catalogue == as_logged_in(server.served)


# Certificates


class TlsServer(DemoServer):
    """A demo server under https."""

    handler = TlsHandler

    @property
    def base_url(self) -> str:
        """The base URL."""
        return super().base_url.replace("http:", "https:")


def test_unknown_certificate() -> None:
    """A certificate of an unknown authority is refused; the hint says how to name one."""
    with TlsServer() as server, pytest.raises(OrbitConnectionError) as caught:
        server.login(timeout=(2, 2, 3))
    assert "the TLS connection failed" in str(caught.value)
    assert "verify='ca.pem'" in str(caught.value)
    assert caught.value.__context__ is None


def test_own_authority() -> None:
    """A file of authorities of one's own is what certificates are checked against."""
    with TlsServer() as server:
        session = server.login(verify=str(KEYS))
        assert len(session.variables) == 94
        session.logout()


@pytest.mark.parametrize("through", ["verify=", "http="])
def test_unchecked_certificate(through: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a check it works, and warns."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # which overrule a session's own
        monkeypatch.delenv(name, raising=False)
    with TlsServer() as server, requests.Session() as http:
        http.verify = False
        options: dict[str, Any] = {"verify": False} if through == "verify=" else {"http": http}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            session = server.login(**options)
            session.logout()
        http.close()
        assert len(session.variables) == 94
        own = [w for w in caught if issubclass(w.category, AptecoFramesWarning)]
        assert [w.category for w in own] == [InsecureTransportWarning]


@pytest.mark.parametrize("path", ["missing.pem", "loopback.pem/x"])
def test_authorities_that_are_not_there(path: str) -> None:
    """A file of authorities that is missing is named before anything is sent."""
    with FaultyServer() as server:
        with pytest.raises(OrbitConnectionError, match="no such file") as caught:
            server.login(verify=path)
        assert server.asked == []
    assert repr(path) in str(caught.value)


# Where secrets are sent


def test_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that the environment names carries the requests, unless it is told not to."""
    server = FaultyServer()
    base_url = "http://orbit.invalid/OrbitAPI"
    values = (base_url, server.data_view, server.system, server.user, server.password)
    with ProxyServer(headed(b"", "Content-Length: 0", status="503 Away")) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        for spared, times in (("", 1), ("orbit.invalid", 1)):
            monkeypatch.setenv("no_proxy", spared)
            with (
                pytest.warns(InsecureTransportWarning),
                pytest.raises(OrbitConnectionError, match=base_url),
            ):
                login_with_password(*values, timeout=(0.5, 0.5, 1))
            assert len(proxy.asked) == times
        assert proxy.asked[0].startswith(f"POST {base_url}")
