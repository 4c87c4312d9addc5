"""What uses what, from servers that err: what each resource says, or an error that names it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults.conftest import FULL, LONG, Meet
from faults.server import Fault, FaultyServer, changed, edited, ok, raw, silence, status
from faults.test_interrupts import await_requests
from lanes import PATIENCE

from apteco_frames import Session
from apteco_frames.errors import (
    ApiError,
    ApiResultsError,
    GatewayError,
    OrbitConnectionError,
    SessionExpiredError,
)

MESSAGE = b'{"code": 5, "id": 17, "message": "It is Sunday", "parameters": null}'
PAGE = b"<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"
ONE = "/Audiences/12"
SCRIPT = Path(__file__).with_name("interrupted_codes.py")


def uses(server: FaultyServer, **options: Any) -> Callable[[], Session]:
    """Logging in, and reading what uses what, with selection files."""

    def act() -> Session:
        session = server.login(**{"timeout": LONG, **options})
        assert len(session.load_uses(files="Public")) > 50
        return session

    return act


MALFORMED: dict[str, tuple[Fault, type[Exception], str]] = {
    "cut off": (changed(lambda body: body[:-20]), ApiResultsError, "not JSON"),
    "twice": (changed(lambda body: body + body), ApiResultsError, "not JSON"),
    "no UTF-8": (changed(lambda body: body.replace(b"boDest", b"\xff")), ApiResultsError, ""),
    "half a pair": (
        changed(lambda body: body.replace(b'"boDest"', b'"\\ud800"')),
        ApiResultsError,
        "half of a surrogate pair",
    ),
    "null": (ok(b"null"), ApiResultsError, "should be an object"),
    "a list": (ok(b"[]"), ApiResultsError, "should be an object"),
    "empty": (ok(b""), GatewayError, "is empty"),
    "a page": (ok(PAGE), GatewayError, "a web page"),
    "another": (edited(lambda body: body.update(id=13)), ApiResultsError, "$.id should be 12"),
    "a query is text": (
        edited(lambda body: body.update(includeQuery="boDest")),
        ApiResultsError,
        "$.includeQuery should be an object",
    ),
    "a name is a number": (
        edited(lambda body: body.update(includeQuery={"variableName": 5})),
        ApiResultsError,
        "variableName should be a string",
    ),
    "no date": (
        edited(lambda body: body.update(lastUpdatedDate="soon")),
        ApiResultsError,
        "$.lastUpdatedDate",
    ),
    "hits beyond int64": (
        edited(lambda body: body.update(numberOfHits=2**63)),
        ApiResultsError,
        "$.numberOfHits",
    ),
}


@pytest.mark.parametrize(("fault", "kind", "says"), MALFORMED.values(), ids=MALFORMED)
def test_malformed(meet: Meet, fault: Fault, kind: Any, says: str) -> None:
    """A malformed audience is an error that names its kind, id and title, and what is wrong."""
    with FaultyServer(fault, ONE) as server:
        text = meet(server, uses(server), kind=kind)
    assert "The audience '12' ('Scandinavia, without students') of system 'holidays' at " in text
    assert says in text


@pytest.mark.parametrize("path", ["/Audiences", "/Users/Administrator/Dashboards"])
def test_malformed_list(meet: Meet, path: str) -> None:
    """A malformed list is an error that names the place."""
    fault = edited(lambda page: page["list"][3].update(id="x"))
    with FaultyServer(fault, path) as server:
        assert "$.list[3].id" in meet(server, uses(server), kind=ApiResultsError)


@pytest.mark.parametrize("path", [ONE, "/GetFileSync"])
@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_busy_once(meet: Meet, code: int, path: str) -> None:
    """A server that is busy for a moment is asked again, for a selection file's query, too."""
    with FaultyServer(status(code, MESSAGE), path, times=1) as server:
        assert meet(server, uses(server)) == FULL


@pytest.mark.parametrize("code", [403, 404])
@pytest.mark.parametrize("body", [b"", MESSAGE], ids=["empty", "message"])
def test_refused_or_gone(meet: Meet, code: int, body: bytes) -> None:
    """A resource that is refused or gone does not keep the others back."""
    with FaultyServer(status(code, body), ONE) as server:
        assert meet(server, uses(server)) == FULL


@pytest.mark.parametrize("code", [500, 501])
def test_failing(meet: Meet, code: int) -> None:
    """A server that fails is an error: nobody may take it for a variable that nobody uses."""
    with FaultyServer(status(code, MESSAGE), ONE) as server:
        assert "It is Sunday" in meet(server, uses(server), kind=ApiError)


def test_session_that_ends(meet: Meet) -> None:
    """A session that ends in the middle is told as such."""
    with FaultyServer(status(401, MESSAGE), ONE) as server:
        meet(server, uses(server), kind=SessionExpiredError)


def test_refused_by_a_gateway(meet: Meet) -> None:
    """A web page in place of an audience is no refusal of the API's."""
    with FaultyServer(status(403, PAGE), ONE) as server:
        meet(server, uses(server), kind=GatewayError)


def test_silence(meet: Meet) -> None:
    """A server that falls silent is waited for as long as was said."""
    with FaultyServer(silence, ONE) as server:
        act = uses(server, timeout=(PATIENCE, PATIENCE, 3))
        meet(server, act, kind=OrbitConnectionError)


def test_broken_off(meet: Meet) -> None:
    """A connection that breaks off is asked again, and is an error if it goes on."""
    with FaultyServer(raw(b""), ONE, times=1) as server:
        assert meet(server, uses(server)) == FULL
    with FaultyServer(raw(b""), ONE) as server:
        act = uses(server, timeout=(PATIENCE, PATIENCE, 3))
        meet(server, act, kind=OrbitConnectionError)


def test_token_in_a_title(meet: Meet) -> None:
    """A token that an answer has in place of a title shows in no error."""
    with FaultyServer() as server:

        def fault(handler: Any, answer: Any) -> None:
            token = handler.headers["Authorization"].split()[1]
            edit = edited(lambda page: page["list"][1].update(title=token))
            edit(handler, answer)

        server._fault, server._path = fault, "Holidays/Audiences"
        broken = FaultyServer.send

        def send(handler: Any, answer: Any) -> None:
            if handler.path.partition("?")[0].endswith(ONE):
                return ok(b"[]")(handler, answer)
            return broken(server, handler, answer)

        server.send = send  # type: ignore[method-assign]
        text = meet(server, uses(server), kind=ApiResultsError)
    assert "audience '12' ('<secret>" in text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
def test_interrupted() -> None:
    """Ctrl-C ends a load at once; the session goes on, and the process ends when it wants to."""
    with FaultyServer(silence, ONE, times=1) as server:
        account = server.base_url, server.data_view, server.system, server.user, server.password
        with subprocess.Popen(
            [sys.executable, str(SCRIPT), "uses", *account],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                while not server.count(ONE):
                    await_requests(server, len(server.asked))
                    assert process.poll() is None
                time.sleep(0.3)  # until the others are answered
                process.send_signal(2)
                said, error = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
    assert (error, process.returncode) == ("", 0)
    seconds, number, ended = map(float, said.split())
    assert number > 50
    assert ended - seconds < 5
    assert seconds < 15  # it would have been silent for 60
