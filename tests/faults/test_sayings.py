"""What a server says is in the error, whatever it answers to what, and no guess of ours is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from faults.conftest import Meet
from faults.server import Fault, FaultyServer, edited, ok, status

from apteco_frames import Session
from apteco_frames.demo.api import Answer
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import (
    ApiError,
    ApiResultsError,
    CodesError,
    LoginError,
    SessionExpiredError,
)

WORDS = "jdoe is locked out until 10:00"


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


BODIES: dict[str, bytes] = {
    "ErrorMessage": as_json({"code": 5, "id": 17, "message": WORDS, "parameters": None}),
    "parameters": as_json({"message": "No", "parameters": [{"key": "why", "value": WORDS}]}),
    "ASP.NET": as_json({"Message": "No", "ExceptionMessage": WORDS}),
    "problem": as_json({"type": "about:blank", "title": "No", "detail": WORDS}),
    "validation": as_json({"title": "No", "errors": {"UserLogin": [WORDS]}}),
    "OAuth": as_json({"error": "access_denied", "error_description": WORDS}),
    "a string": as_json(WORDS),
    "a list": as_json([WORDS]),
    "OData": as_json({"error": {"code": "", "message": {"lang": "en", "value": WORDS}}}),
    "short": as_json({"success": False, "msg": WORDS}),
    "described": as_json({"code": 12, "description": WORDS}),
    "a proxy's": as_json({"fault": {"faultstring": WORDS, "detail": {"errorcode": "x"}}}),
    "text": WORDS.encode(),
    "lines": WORDS.replace(" ", "\r\n  ").encode(),
    "XML": f"<Error><Message>{WORDS}</Message></Error>".encode(),
    "SOAP": f'<?xml version="1.0"?><s:Fault><faultstring>{WORDS}</faultstring></s:Fault>'.encode(),
}


def log_in(server: FaultyServer) -> Session:
    return server.login(max_connections=1)


def read(get: Callable[[Session], object]) -> Callable[[FaultyServer], Session]:
    """Logging in, and then this."""

    def act(server: FaultyServer) -> Session:
        session = log_in(server)
        get(session)
        return session

    return act


def renew(server: FaultyServer) -> Session:
    session = log_in(server)
    session.renew(server.password)
    return session


Act = Callable[[FaultyServer], Session]

# What is asked for; the end of its path; its method; how many such requests go well before.
ENDPOINTS: dict[str, tuple[Act, str, str, int]] = {
    "login": (log_in, "/SimpleLogin", "POST", 0),
    "renew": (renew, "/SimpleLogin", "POST", 1),
    "system": (log_in, "/holidays", "GET", 0),
    "tables": (log_in, "/Tables", "GET", 0),
    "variables": (log_in, "/Variables", "GET", 0),
    "codes": (read(lambda s: s.variables["boDest"].codes), "/boDest/Codes", "GET", 0),
    "folders": (read(lambda s: s.folders), "/Folders", "GET", 0),
    "systems": (read(lambda s: s.systems), "/FastStatsSystems", "GET", 0),
    "logout": (read(lambda s: s.logout()), "", "DELETE", 0),
}


def refusing(code: int, body: bytes, method: str, skip: int) -> Fault:
    """This answer to all requests of a method but the first ones."""
    left = [skip]

    def fault(handler: DemoHandler, answer: Answer) -> None:
        if handler.command != method or left[0]:
            left[0] -= handler.command == method
            DemoHandler.send_answer(handler, answer)
        else:
            status(code, body)(handler, answer)

    return fault


CASES = [
    (endpoint, code, kind)
    for endpoint in ENDPOINTS
    for code in (400, 401, 403, 404, 423, 500)
    for kind in (BODIES if endpoint == "login" else ("problem", "text"))
]


@pytest.mark.parametrize(("endpoint", "code", "kind"), CASES)
def test_what_is_said(meet: Meet, endpoint: str, code: int, kind: str) -> None:
    """What is said is kept, with the status, and without a conclusion that it does not carry."""
    body = BODIES[kind]
    act, path, method, skip = ENDPOINTS[endpoint]
    is_login = endpoint in ("login", "renew")
    expected: type[ApiError] = ApiError
    if code == 401:
        expected = LoginError if is_login else SessionExpiredError
    elif code == 403 and is_login:
        expected = LoginError
    is_refusal = endpoint == "codes" and code in (400, 403, 404)
    with FaultyServer(refusing(code, body, method, skip), path) as server:
        if endpoint == "logout" and code in (401, 404):  # it has ended, which is all that is wanted
            act(server)
            return
        if endpoint == "folders" and code == 404:  # as older servers answer
            with pytest.warns(match="does not list folders"):
                act(server)
            return
        text = meet(server, lambda: act(server), kind=CodesError if is_refusal else expected)
    assert WORDS in text
    assert f"status {code} Some Reason" in text
    for guess in ("names you gave", "gateway", "right to", "expired"):
        if not (guess == "names you gave" and code == 404):  # what the status says
            assert guess not in text
    if code != 401:
        assert "was not accepted." not in text
        assert "password" not in text


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", ["/SimpleLogin", "/holidays", "/Tables"])
def test_what_is_said_with_success(meet: Meet, path: str, body: bytes) -> None:
    """Where the status is that of success, and the body is not, what is said is kept, too."""
    with FaultyServer(ok(body), path) as server:
        text = meet(server, kind=(ApiResultsError, LoginError))
    assert ("No" if body == BODIES["parameters"] else WORDS) in text
    assert "gateway" not in text


def test_a_token_as_text_is_not_said(meet: Meet) -> None:
    """A login that answers with the bare token says nothing of it."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        ok(json.loads(answer.body)["accessToken"].encode())(handler, answer)

    with FaultyServer(fault, "/SimpleLogin") as server:
        meet(server, kind=ApiResultsError)


# Users


@pytest.mark.parametrize("how", ["null", "missing"])
@pytest.mark.parametrize("field", ["firstname", "surname", "emailAddress"])
def test_users_without_a_name(field: str, how: str) -> None:
    """What the API does not say of the user is None, and the session goes its way."""
    edit = edited(
        lambda v: v["user"].update({field: None}) if how == "null" else v["user"].pop(field)
    )
    with FaultyServer(edit, "/SimpleLogin") as server, server.login() as session:
        own = {"firstname": "first_name", "emailAddress": "email_address"}.get(field, field)
        assert session.user._asdict() == {**session.user._asdict(), own: None}
        assert "None" not in repr(session) + session._repr_html_()
        restored = Session.deserialize(session.serialize())
        assert restored.user == session.user
        assert json.loads(session.serialize())["user"][own] is None


INCOMPLETE: dict[str, Fault] = {
    "no user": edited(lambda v: v.update(user=None)),
    "a user without a name": edited(lambda v: v["user"].pop("username")),
    "a name that is a number": edited(lambda v: v["user"].update(surname=5)),
    "half a surrogate pair": edited(lambda v: v["user"].update(surname="\ud800")),
}


@pytest.mark.parametrize("fault", INCOMPLETE.values(), ids=INCOMPLETE)
def test_no_session_is_left_behind(meet: Meet, fault: Fault) -> None:
    """A login that was accepted and cannot be used is ended on the server."""
    with FaultyServer(fault, "/SimpleLogin") as server:
        meet(server, kind=ApiResultsError)
        (session_id,) = server.session_ids
        assert [asked.method for asked in server.asked] == ["POST", "DELETE"]
        assert server.asked[1].target.endswith(f"/Sessions/{session_id}")
