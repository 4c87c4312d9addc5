"""Secrets that a server says back, in any form and at any place, show nowhere."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import apteco_api
import pytest
from faults.conftest import Meet
from faults.sentinels import found, shown_by_error
from faults.server import Fault, FaultyServer, edited, raw, status
from faults.written import AROUND, ESCAPES, SECRETS, in_base64, written
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lanes import up_to

from apteco_frames import Session, login_with_password
from apteco_frames.demo.api import Answer
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import (
    ApiError,
    ApiResultsError,
    AptecoFramesError,
    LoginError,
    OrbitConnectionError,
)

PLACES = ["message", "reason", "location", "wait", "names"]


def saying(text: str, place: str, code: int = 401) -> Fault:
    """An error that says the text at this place."""
    body = {"code": 5, "id": 17, "message": text if place == "message" else "no"}
    body["parameters"] = [text]
    code = {"location": 307, "wait": 503, "names": 404}.get(place, code)
    line = f"HTTP/1.1 {code} {text if place == 'reason' else 'No'}"
    content = json.dumps(body).encode()
    headers = ["Connection: close", f"Content-Length: {len(content)}"]
    headers += {
        "location": [f"Location: https://evil.invalid/{text}"],
        "wait": [f"Retry-After: {text}"],
    }.get(place, [])
    # As a server would send what is not ASCII: in UTF-8, whatever HTTP says.
    head = "\r\n".join([line, *headers, "", ""]).encode("utf-8", "surrogatepass")

    def fault(handler: DemoHandler, answer: Answer) -> None:
        listing = {"offset": 0, "count": 1, "totalCount": 1, "list": [{"name": text}]}
        if place == "names" and handler.command == "GET":
            status(200, json.dumps(listing).encode())(handler, answer)
        else:
            raw(head + content)(handler, answer)

    return fault


@contextmanager
def log() -> Iterator[list[str]]:
    """What we log meanwhile."""
    lines: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, handler = logging.getLogger("apteco_frames"), Handler()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=up_to(50), deadline=None)
@given(SECRETS.flatmap(lambda s: st.tuples(st.just(s), written(s))), AROUND, AROUND)
def test_passwords_in_any_form(place: str, pair: tuple[str, str], before: str, after: str) -> None:
    """A password in any form, anywhere in an error, shows nowhere."""
    secret, form = pair
    said = "no"

    def fault(handler: DemoHandler, answer: Answer) -> None:
        saying(said, place)(handler, answer)

    with FaultyServer(fault, "") as server:
        values = (server.base_url, server.data_view, server.system, server.user)
        # The password may be a word of our own, or be in what stands around it by chance.
        own = [*shown_by_error(refused(*values, "-")), ("around", before + "<secret>" + after)]
        assume(found([secret], own) == [])
        said = before + form + after
        with log() as lines:
            error = refused(*values, secret)
        assert found([secret], [*shown_by_error(error), *(("log", s) for s in lines)]) == []


# What is left of the first two is too short to be looked for by itself.
@pytest.mark.parametrize("password", [" 000", "000 ", "  R&D-7 "])
@pytest.mark.parametrize("place", ["reason", "wait", "location"])
def test_password_with_blanks_at_its_ends(place: str, password: str) -> None:
    """Headers lose the blanks at their ends: the rest of a password is hidden, too."""
    with FaultyServer(saying(password, place), "") as server:
        values = (server.base_url, server.data_view, server.system, server.user)
        error = refused(*values, password)
    hidden = [text for text in (password, password.strip()) if len(text) > 3]
    assert found(hidden, shown_by_error(error)) == []


def refused(*values: str) -> AptecoFramesError:
    """The error of a login that fails."""
    with pytest.raises(AptecoFramesError) as caught:
        login_with_password(*values, timeout=(5, 5, 20))
    return caught.value


def in_all_forms(secret: str) -> str:
    """A text with the secret in every form."""
    forms = [escape(secret) for escape in ESCAPES.values()]
    forms += [
        in_base64(secret, b"user:"[:before], b":x"[:after], url_safe=url_safe)
        for before in range(4)
        for after in range(3)
        for url_safe in (False, True)
    ]
    return " | ".join(forms)


def repeating(which: str, place: str = "message") -> Fault:
    """An error that says the token or session id of the request back, in all forms."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        token = handler.headers["Authorization"].removeprefix("Bearer ")
        secret = token if which == "token" else handler.path.rpartition("/")[2]
        # Headers hold 64 KiB.
        text = in_all_forms(secret)[: None if place == "message" else 40_000]
        saying(text, place, 403)(handler, answer)

    return fault


@pytest.mark.parametrize("place", ["message", "reason", "location"])
def test_token_in_all_forms(meet: Meet, place: str) -> None:
    """A token that is said back shows in no form."""
    with FaultyServer(repeating("token", place)) as server:
        assert "<secret>" in meet(server, kind=(ApiError, OrbitConnectionError))


@pytest.mark.parametrize("place", ["message", "reason", "location"])
@pytest.mark.parametrize("restored", [False, True])
def test_session_id_of_a_failed_logout(meet: Meet, place: str, restored: bool) -> None:
    """A session id is in no error of its logout, neither said back nor in the URL."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        if handler.command == "DELETE":
            return repeating("session id", place)(handler, answer)
        return DemoHandler.send_answer(handler, answer)

    with FaultyServer(fault, "") as server:

        def log_out() -> Session:
            session = server.login()
            if restored:
                session = Session.deserialize(session.serialize(include_catalogue=True))
            session.logout()
            return session

        assert "/Sessions/<secret>" in meet(server, log_out, kind=(ApiError, OrbitConnectionError))


def test_old_tokens(meet: Meet) -> None:
    """After ``renew`` the token and session id from before are hidden as well."""
    old: list[str] = []

    def fault(handler: DemoHandler, answer: Answer) -> None:
        message = " ".join(map(in_all_forms, old)) if handler.command == "DELETE" else ""
        if message:
            status(400, json.dumps({"message": message}).encode())(handler, answer)
        else:
            DemoHandler.send_answer(handler, answer)

    with FaultyServer(fault, "") as server:

        def renew_and_log_out() -> Session:
            session = server.login()
            old.append(session.session_id)
            session.renew(server.password)
            session.logout()
            return session

        assert "<secret> | <secret>" in meet(server, renew_and_log_out, kind=ApiError)


def test_token_in_a_value_of_the_wrong_kind(meet: Meet) -> None:
    """A value that an error shows, cut short, is shown without the token."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        token = handler.headers["Authorization"]

        def edit(page: dict[str, Any]) -> None:
            page["list"][0]["isSelectable"] = token

        edited(edit)(handler, answer)

    with FaultyServer(fault) as server:
        said = meet(server, kind=ApiResultsError)
        assert "isSelectable should be a boolean, but is 'Bearer <secret>..." in said


def named_by(token: str, noun: str) -> Callable[[dict[str, Any]], object]:
    """An edit of a page that gives its second item, or what is around it, the token as a name."""

    def edit(page: dict[str, Any]) -> None:
        if len(page.get("list", [])) > 1:
            item = page["list"][1]
            (item.get("folder") or item).update({noun: token})
        elif noun in page:
            page[noun] = token

    return edit


NAMES = [
    ("/Tables", "name"),
    ("/Variables", "name"),
    ("/holidays", "name"),
    ("/Tables", "parentTable"),
    ("/Tables", "hasChildTables"),
    ("/Variables", "tableName"),
    ("/Variables", "type"),
    ("/Variables", "numericInfo"),
    ("/Folders", "name"),
    ("/Codes", "code"),
    ("/holidays", "description"),
]


@pytest.mark.parametrize(("path", "noun"), NAMES)
def test_token_as_a_name(path: str, noun: str) -> None:
    """A name that repeats the token is in no error, no warning and no repr of a session."""
    tokens: list[str] = []

    def fault(handler: DemoHandler, answer: Answer) -> None:
        tokens.append(handler.headers["Authorization"].removeprefix("Bearer "))
        edited(named_by(f"x{tokens[-1]}", noun))(handler, answer)

    shown: list[tuple[str, str | bytes]] = []
    with FaultyServer(fault, path) as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            session = server.login()
            shown.append(("repr", repr(session) + session._repr_html_()))
            session.load_codes(unavailable="skip")
            _ = session.folders
        except AptecoFramesError as error:
            shown += shown_by_error(error)
    shown += [("warning", str(warning.message)) for warning in caught]
    assert found([tokens[0][start : start + 12] for start in range(0, 100, 10)], shown) == []
    if noun != "code" and (path, noun) not in NAMES[:3]:  # which are shown nowhere
        assert any("<secret>" in str(text) for _, text in shown)


def test_our_own_words_stay() -> None:
    """A password that is a word of ours is hidden in what the server says, and there only.

    To replace it in our own sentence would tell it.
    """
    for password in ("password", "Holidays", "user", "status"):
        fault = status(401, json.dumps({"message": f"not {password}"}).encode())
        with FaultyServer(fault, "/SimpleLogin") as server:
            values = (server.base_url, server.data_view, server.system, server.user)
            said = str(refused(*values, password))
        assert "user name or password was not accepted" in said
        assert f"{server.base_url}/Holidays/Sessions/SimpleLogin, status 401" in said
        assert "The API says: 'not <secret>'" in said


def test_short_passwords() -> None:
    """A password of less than four characters stands in any text by chance, and stays."""
    with FaultyServer(status(401, b'{"message": "no cat"}'), "/SimpleLogin") as server:
        values = (server.base_url, server.data_view, server.system, server.user)
        assert "'no cat'" in str(refused(*values, "cat"))
        assert "'<secret>'" in str(refused(*values, "no cat"))


@pytest.mark.parametrize("text", ["\\", "%25", "&amp;", "a", "\\u005c", "eyJ"])
def test_message_of_a_megabyte(meet: Meet, text: str) -> None:
    """A message of any length, of escapes even, is read in a bounded time."""
    body = json.dumps({"message": text * (2**20 // len(text))}).encode()
    with FaultyServer(status(401, body), "/SimpleLogin") as server:
        assert len(meet(server, kind=LoginError, within=60)) < 2_000


# The vendor's client


@pytest.mark.parametrize("place", ["message", "reason", "location"])
def test_token_in_errors_of_the_vendor(place: str) -> None:
    """The ``ApiException`` shows no token in body, reason or headers."""
    with FaultyServer(repeating("token", place), "/Version") as server, server.login() as session:
        with pytest.raises((apteco_api.ApiException, AptecoFramesError)) as caught:
            apteco_api.AboutApi(session.api_client).about_get_version()
        assert found(server.secrets, shown_by_error(caught.value)) == []
        assert "<secret>" in str(caught.value)


@pytest.mark.parametrize("place", ["message", "reason"])
@pytest.mark.parametrize(
    ("password", "write"),
    [("R&D zoë/7", str), ("secret-7", in_all_forms), (" 000", str), ("000 ", str)],
)
def test_password_in_errors_of_the_vendor(
    place: str, password: str, write: Callable[[str], str]
) -> None:
    """Nor a password that was logged in with through the vendor's client."""
    with FaultyServer() as server, server.login() as session:
        with FaultyServer(saying(write(password), place), "/SimpleLogin") as other:
            other.api = server.api
            restored = json.loads(session.serialize(include_catalogue=True))
            restored["base_url"] = other.base_url
            client = Session.deserialize(json.dumps(restored)).api_client
            with pytest.raises(apteco_api.ApiException) as caught:
                apteco_api.SessionsApi(client).sessions_create_session_simple(
                    server.data_view, server.user, password
                )
        assert found([password], shown_by_error(caught.value)) == []
        assert json.loads(caught.value.body)["parameters"][0].startswith("<secret>")


def test_session_id_in_the_url_of_the_vendor() -> None:
    """A restored session's id shows in no error of ours about a request of that client."""
    with FaultyServer() as server, server.login() as session:
        restored = Session.deserialize(session.serialize(include_catalogue=True))
    with log() as lines, pytest.raises(OrbitConnectionError) as caught:  # nobody listens any more
        apteco_api.SessionsApi(restored.api_client).sessions_get_session_details(
            server.data_view, restored.session_id, _request_timeout=1
        )
    assert "/Sessions/<secret>" in str(caught.value)
    shown = [*shown_by_error(caught.value), *(("log", line) for line in lines)]
    assert found([restored.session_id], shown) == []
