"""Statuses, redirects, and answers of something that is not the API."""

from __future__ import annotations

from itertools import chain, repeat

import pytest
from faults.conftest import FULL, LONG, SHORT, Meet
from faults.server import Fault, FaultyServer, changed, edited, headed, raw, silence, status

from apteco_frames.demo.api import Answer
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import (
    ApiError,
    ApiResultsError,
    AptecoFramesError,
    GatewayError,
    LoginError,
    OrbitConnectionError,
    SessionExpiredError,
)

MESSAGE = b'{"code": 5, "id": 17, "message": "It is Sunday", "parameters": null}'
PAGE = b"<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"


@pytest.mark.parametrize("code", [429, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", PAGE, MESSAGE], ids=["empty", "page", "message"])
def test_busy_once(meet: Meet, code: int, body: bytes) -> None:
    """A server that is busy for a moment is asked again."""
    with FaultyServer(status(code, body), times=1) as server:
        assert meet(server) == FULL


# Whichever comes first: the last attempt, or the deadline.
BUSY = (ApiError, OrbitConnectionError)

WAITS = ["0", "1", "-5", "soon", "1e9", "99999999999", "Wed, 21 Oct 2015 07:28:00 GMT", ""]
WAITS += ["Wed, 21 Oct 9999 07:28:00 GMT", "Wed, 99 Foo", "9" * 5000]


@pytest.mark.parametrize("wait", WAITS, ids=[f"Retry-After: {wait[:32]}" for wait in WAITS])
def test_busy_always(meet: Meet, wait: str) -> None:
    """A server that stays busy is an error, whatever it asks to wait."""
    fault = status(503, MESSAGE, f"Retry-After: {wait}", "Date: Wed, 21 Oct 2015 07:28:00 GMT")
    with FaultyServer(fault) as server:
        text = meet(server, kind=BUSY, timeout=SHORT)
        assert server.count("/Variables") < 10
    assert "The API failed" in text or "within 0.6 seconds" in text


def test_busy_forever_with_time(meet: Meet) -> None:
    """Without a limit near, a server that stays busy is asked five times, no more."""
    with FaultyServer(status(503, MESSAGE)) as server:
        meet(server, kind=ApiError)
        assert server.count("/Variables") == 5


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *[(code, ApiError) for code in (400, 403, 404, 405, 407, 409, 418, 429)],
        *[(code, ApiError) for code in (500, 501, 502, 503, 504, 599, 304, 299 + 7)],
        *((401, SessionExpiredError), (999, ApiError)),
    ],
)
@pytest.mark.parametrize("path", ["/Variables", "/holidays"])
def test_error_statuses(meet: Meet, code: int, kind: type[ApiError], path: str) -> None:
    """Each status is one class of error, with the API's words and numbers."""
    if code == 304:  # which has no body
        kind, body = GatewayError, b""  # type: ignore[assignment]
    else:
        body = MESSAGE
    with FaultyServer(status(code, body), path) as server:
        retried = code in (429, 502, 503, 504)
        timeout = (0.5, 0.5, 0.4) if retried else LONG
        text = meet(server, kind=BUSY if retried else kind, timeout=timeout)
        if retried and "within 0.4 seconds" in text:
            return
    assert f"status {code} Some Reason" in text
    if body:
        assert "The API says: 'It is Sunday'" in text
        assert "error number for the administrator is 17" in text


FOREIGN: dict[str, bytes] = {
    "a page": PAGE,
    "a page that starts with a comment": b"<!-- x --><html></html>",
    "nothing": b"",
    "blanks": b" \r\n",
    "plain text": b"upstream connect error",
}


@pytest.mark.parametrize("code", [200, 201, 400, 401, 403, 404, 500, 503])
@pytest.mark.parametrize("body", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("path", ["/SimpleLogin", "/Tables"])
def test_not_the_api(meet: Meet, code: int, body: bytes, path: str) -> None:
    """What a gateway answers is named for what it is; what it says in words is kept."""
    with FaultyServer(status(code, body, "Content-Type: text/html"), path) as server:
        kinds: dict[int, type[AptecoFramesError]] = {
            401: LoginError if path == "/SimpleLogin" else SessionExpiredError,
            403: LoginError if path == "/SimpleLogin" else GatewayError,
            404: ApiError,
        }
        kind = kinds.get(code, GatewayError)
        if body.startswith(b"<"):
            kind = GatewayError
        elif body == FOREIGN["plain text"] and kind is GatewayError:
            kind = ApiResultsError if code < 300 else ApiError
        late = (OrbitConnectionError,) if code == 503 else ()
        text = meet(server, kind=(kind, *late), timeout=(0.5, 0.5, 0.3) if late else LONG)
    if kind is GatewayError and "within 0.3 seconds" not in text:
        assert "a gateway or proxy answered, not the API" in text or "a proxy or a login" in text
    if body == FOREIGN["plain text"] and "within 0.3 seconds" not in text:
        assert "says: 'upstream connect error'" in text
        assert "gateway" not in text


@pytest.mark.parametrize("path", ["/SimpleLogin", "/holidays", "/Tables", "/Variables"])
@pytest.mark.parametrize("code", [202, 204, 206])
def test_success_without_content(meet: Meet, path: str, code: int) -> None:
    """A success without the body that is expected is an error."""
    fault = raw(headed(b"", "Content-Length: 0", status=f"{code} Fine"))
    with FaultyServer(fault, path) as server:
        assert "is empty" in meet(server, kind=GatewayError)


# Redirects


def redirect(location: str | None, code: int = 302) -> Fault:
    """A redirect to a place."""
    return status(code, b"", *([] if location is None else [f"Location: {location}"]))


PLACES = {
    "elsewhere": "https://evil.invalid/OrbitAPI",
    "another port": "http://127.0.0.1:9/OrbitAPI",
    "same host by another name": "http://localhost/OrbitAPI",
    "no address": "http://[::1",
    "no port": "http://127.0.0.1:99999/",
    "a file": "file:///etc/passwd",
    "a script": "javascript:alert(1)",
    "user and password": "http://user:pass@evil.invalid/x?token=1",
    "terminal escapes": "http://evil.invalid/\x1b[31m\x07",
    "a long one": "http://evil.invalid/" + "x" * 10_000,
    "nowhere": None,
    "empty": "",
}


@pytest.mark.parametrize("path", ["/SimpleLogin", "/Variables"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_redirects(meet: Meet, place: str | None, path: str) -> None:
    """A redirect to another place is not followed, and shown harmlessly."""
    with FaultyServer(redirect(place, 307), path) as server:
        text = meet(server, kind=OrbitConnectionError)
        assert server.count(path) == 1
    assert "which was not followed" in text
    assert "\x1b" not in text
    assert "user:pass" not in text
    assert len(text) < 800


def test_redirect_with_a_body_without_end(meet: Meet) -> None:
    """The body of a redirect is bounded as any other."""
    head = headed(b"", "Location: /x", "Content-Length: 99999999999", status="302 Found")
    with FaultyServer(raw(chain([head], repeat(b" " * 2**16)), pause=0.001)) as server:
        text = meet(server, kind=OrbitConnectionError, timeout=SHORT)
    assert "within 0.6 seconds" in text


# What a server says about itself


def with_headers(*headers: str) -> Fault:
    """The right answer with further headers."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        length = f"Content-Length: {len(answer.body)}"
        code = f"{answer.status} OK"
        raw(headed(answer.body, length, *headers, status=code))(handler, answer)

    return fault


HEADERS = {
    "cookies": ["Set-Cookie: a=b; Path=/", "Set-Cookie: c=d; Domain=evil.invalid"],
    "a cookie of 4 kB": ["Set-Cookie: a=" + "b" * 4000],
    "another type": ["Content-Type: text/plain; charset=utf-16"],
    "an unknown encoding": ["Content-Encoding: sdch"],
    "a header of no bytes": ["X:"],
    "a header that is no ASCII": ["X-Header: \xff\xfe"],
    "keep alive for ever": ["Connection: keep-alive", "Keep-Alive: timeout=99999999"],
    "length twice": ["Content-Length: 5"],
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_odd_headers(meet: Meet, headers: list[str]) -> None:
    """Headers that mean nothing for us change nothing; two lengths are an error."""
    with FaultyServer(with_headers(*headers), "") as server:
        if headers == HEADERS["length twice"]:
            meet(server, kind=OrbitConnectionError)
        else:
            assert meet(server) == FULL


@pytest.mark.parametrize("length", ["5", "99999", "-1", "x", "", "9" * 400])
def test_wrong_length(meet: Meet, length: str) -> None:
    """A wrong length is never a part of the catalogue that looks like all of it."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        raw(headed(answer.body, f"Content-Length: {length}"))(handler, answer)

    with FaultyServer(fault) as server:
        if length in ("-1", "x", ""):
            assert meet(server) == FULL  # the end of the connection says where it ends
        else:
            kind = ApiResultsError if length == "5" else OrbitConnectionError
            timeout = LONG if length == "5" else SHORT
            meet(server, kind=kind, timeout=timeout)


def test_terminal_escapes_in_words(meet: Meet) -> None:
    """What a server says is shown without what a terminal would obey."""
    body = b'{"message": "\\u001b[31mred\\u202e", "id": 1}'
    with FaultyServer(status(500, body, reason="\x1b[31mRed")) as server:
        text = meet(server, kind=ApiError)
    assert "\x1b" not in text
    assert "\u202e" not in text


# Logging in


LOGINS: dict[str, Fault] = {
    "cut off": changed(lambda body: body[:-10]),
    "token in a list": edited(lambda v: v.update(accessToken=[v["accessToken"]])),
    "a short token in a list": edited(lambda v: v.update(accessToken=[v["accessToken"][-40:]])),
    "token in an object": edited(lambda v: v.update(accessToken={"x": v["accessToken"]})),
    "token in place of the user": edited(lambda v: v.update(user=v["accessToken"])),
    "token as the session id": edited(lambda v: v.update(sessionId=[v["accessToken"]])),
    "no token": edited(lambda v: v.pop("accessToken")),
    "no session id": edited(lambda v: v.pop("sessionId")),
    "no user": edited(lambda v: v.update(user=None)),
    "a token with a newline": edited(lambda v: v.update(accessToken=v["accessToken"] + "\n")),
    "a token that is no Latin": edited(lambda v: v.update(accessToken=v["accessToken"] + "\u20ac")),
    "a list": changed(lambda body: b"[" + body + b"]"),
    "twice": changed(lambda body: body + body),
}


@pytest.mark.parametrize("fault", LOGINS.values(), ids=LOGINS)
def test_login_answers(meet: Meet, fault: Fault) -> None:
    """An answer to a login that is none is an error that shows nothing of it."""
    kind = LoginError if fault is LOGINS["no token"] else ApiResultsError
    with FaultyServer(fault, "/SimpleLogin") as server:
        meet(server, kind=kind)


FAILED_LOGOUTS: dict[str, Fault] = {
    "failed": status(500),
    "forbidden": status(403, MESSAGE),
    "never answered": silence,
    "a page": status(200, PAGE),
}


@pytest.mark.parametrize("fault", FAILED_LOGOUTS.values(), ids=FAILED_LOGOUTS)
def test_logging_out_of_a_load_that_failed(meet: Meet, fault: Fault) -> None:
    """Where reading failed and logging out fails as well, the first error is told."""

    def both(handler: DemoHandler, answer: Answer) -> None:
        (status(500, MESSAGE) if handler.command == "GET" else fault)(handler, answer)

    with FaultyServer(both, "", skip=2) as server:
        assert "It is Sunday" in meet(server, kind=ApiError, timeout=(5, 0.5, 20))
