"""Sessions: logging in and out, what a session tells, keeping it as a string, renewing it."""

from __future__ import annotations

import copy
import gc
import inspect
import json
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import apteco_api
import jwt
import polars as pl
import pytest
from lanes import PATIENCE
from servers import RecordingServer
from strategies import as_logged_in, catalogue_of, table_item, variable_item

from apteco_frames import Session, login, login_with_password
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.demo.api import Answer
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import (
    DeserializeError,
    InvalidUrlError,
    LoginError,
    OrbitConnectionError,
    PasswordPromptError,
    SessionExpiredError,
)
from apteco_frames.tables import Tables
from apteco_frames.variables import Variables

KEYS = ["base_url", "data_view", "session_id", "access_token", "user", "system"]
USER_KEYS = ["username", "first_name", "surname", "email_address"]


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """A running server of the demo system."""
    with RecordingServer() as running:
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Session:
    """A session of that server."""
    return server.login()


@pytest.fixture(scope="module")
def offline() -> str:
    """A session with its catalogue as a string; its server is gone."""
    with DemoServer() as server:
        return server.login().serialize(include_catalogue=True)


def with_token(serialized: str, token: str) -> Session:
    """The session of a string, with another token."""
    return Session.deserialize(json.dumps({**json.loads(serialized), "access_token": token}))


def a_token(**claims: Any) -> str:
    """A signed JWT with these claims."""
    return jwt.encode(claims, "a key of at least thirty-two bytes")


# What a session tells


def test_properties(server: RecordingServer, session: Session) -> None:
    """A session tells where it is connected, as strings."""
    assert session.base_url == server.base_url
    assert (session.data_view, session.system) == ("Holidays", "holidays")
    claims = jwt.decode(session.access_token, options={"verify_signature": False})
    assert claims["jti"] == session.session_id
    texts = (session.base_url, session.data_view, session.system, session.access_token)
    assert {type(text) for text in (*texts, session.session_id)} == {str}


def test_properties_are_read_only(session: Session) -> None:
    """What a session tells cannot be set."""
    for name in ("base_url", "system", "access_token", "user", "tables", "catalogue"):
        with pytest.raises(AttributeError):
            setattr(session, name, None)


def test_user(server: RecordingServer, session: Session) -> None:
    """The user is a namedtuple with the documented fields."""
    assert session.user._fields == tuple(USER_KEYS)
    details = server.api.user
    assert session.user.username == details["username"] == server.user
    assert session.user.first_name == details["firstname"]
    assert session.user.surname == details["surname"]
    assert session.user.email_address == details["emailAddress"]


def test_system_info(session: Session) -> None:
    """The system is a namedtuple; its build date is a local time without a zone."""
    info = session.system_info
    assert info._fields == ("name", "description", "build_date", "view_name")
    assert (info.name, info.view_name) == ("holidays", "Holidays")
    assert info.build_date == datetime(2019, 11, 27, 15, 57, 24)
    assert info.build_date.tzinfo is None


def test_system_without_a_build_date() -> None:
    """A system that does not say when it was built has None for it."""
    with DemoServer(catalogue_of(build_date=None)) as server:
        session = server.login()
    assert session.system_info.build_date is None
    assert Session.deserialize(session.serialize(include_catalogue=True)).system_info == (
        session.system_info
    )


def test_frames(session: Session) -> None:
    """Tables and variables are those of the catalogue, and always the same frames."""
    assert session.tables == holidays().tables
    assert session.variables == holidays().variables
    assert session.tables is session.tables
    assert session.variables is session.variables
    assert session.tables.arrow is session.catalogue.tables.arrow


def test_master_table(session: Session) -> None:
    """The master table is the one table without a parent."""
    assert session.master_table == session.tables["Households"]
    assert session.master_table.parent is None


def test_master_table_that_is_not_first() -> None:
    """The master table is found wherever the API lists it."""
    items = [table_item("Leaf", "Root"), table_item("Root", has_children=True)]
    with DemoServer(catalogue_of(items)) as server:
        assert server.login().master_table.name == "Root"


def test_rows_know_their_session(session: Session) -> None:
    """Rows of a session lead back to it, however they were reached."""
    table = session.tables["People"]
    rows = [
        *(table, table.parent, table.children[0], session.tables[-1], session.master_table),
        *(session.variables["boDest"], table["Occupation"], table.variables[0]),
        *(session.variables["boDest"].table, next(iter(session.variables))),
        session.variables.filter(pl.col("table_name") == "Bookings")[0],
        session.variables.names["boDest"],
    ]
    assert {id(row.session) for row in rows if row} == {id(session)}


def test_rows_of_the_catalogue_are_offline(session: Session) -> None:
    """Rows of the session's catalogue have no session."""
    catalogue = session.catalogue
    assert catalogue == as_logged_in(holidays())
    rows = [catalogue.tables["People"], catalogue.variables["boDest"]]
    assert [row.session for row in (*rows, rows[1].table, rows[0].variables[0])] == [None] * 4  # type: ignore[attr-defined]
    assert rows[0] == session.tables["People"]


def test_display(session: Session) -> None:
    """A session shows system, DataView, user and sizes."""
    text = repr(session)
    for shown in ("'holidays'", "'Holidays'", "Holidays Demo", "Administrator", "9 tables"):
        assert shown in text
    assert session.base_url in text
    assert text == str(session)
    assert "94 variables" in session._repr_html_()


def test_display_is_harmless() -> None:
    """Whatever a system is called, a terminal and a browser obey none of it."""
    odd = catalogue_of(name="\x1b[31m<script>", description="\x07<b>\u202e\n" * 50)
    with DemoServer(odd) as server:
        session = server.login()
    assert "\x1b" not in repr(session)
    assert "\x07" not in repr(session)
    assert len(repr(session).splitlines()) == 3
    assert "<script>" not in session._repr_html_()


def test_documented_loops(session: Session) -> None:
    """The loops of the documentation over tables and variables give what it prints."""
    tables = [f"{table.total_records:>9,} {table.plural}" for table in session.tables]
    assert (tables[0], tables[-1]) == ("  742,565 Households", "    1,549 Responses")
    assert len(tables) == len(session.tables) == 9
    dates = [
        f"{var.name:>8}: {var.description}"
        for var in session.variables
        if "date" in var.description.lower()
    ]
    assert dates == [
        *("  boDate: Booking Date", "  boTrav: Travel Date", "bo1O9ZTR: Busy dates"),
        *("PoPolic1: Policy Date", "PoTrave1: Policy Travel Date", "PoBooki1: Policy Booking Date"),
        *("cmCommDt: Date of Communication", "raRspDat: Response Date"),
        "ReCommun: Communication Date",
    ]
    assert session.variables["Destination"].name == "boDest"
    assert session.variables["peOccu"].description == "Occupation"


# Logging in and out


def test_session_is_not_made_directly() -> None:
    """``Session(...)`` says to use ``login``."""
    for arguments in ((), ("https://orbit.my-site.com/OrbitAPI", "v", "s", "u")):
        with pytest.raises(TypeError, match=r"Use login\(.*login_with_password\("):
            Session(*arguments)


def test_login_asks_for_the_password(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``login`` asks for the password, naming user and system, and uses the answer."""
    asked = []

    def answer(user: str, system: str) -> str:
        asked.append((user, system))
        return server.password

    monkeypatch.setattr("apteco_frames.password.ask_password", answer)
    session = login(server.base_url, server.data_view, server.system, server.user, page_size=10)
    assert session.catalogue == as_logged_in(holidays())
    assert asked == [(server.user, server.system)]


def test_login_that_is_cancelled(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """If nobody gives a password, nothing is sent."""

    def cancel(user: str, system: str) -> str:
        raise PasswordPromptError("cancelled")

    monkeypatch.setattr("apteco_frames.password.ask_password", cancel)
    with pytest.raises(PasswordPromptError):
        login(server.base_url, server.data_view, server.system, server.user)
    assert server.asked == []


def test_bad_values_are_refused_before_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for a password that could not be sent anyway."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("apteco_frames.password.ask_password", lambda *a: asked.append(a))
    with pytest.raises(InvalidUrlError):
        login("orbit.my-site.com", "Holidays", "holidays", "jdoe")
    with pytest.raises(ValueError, match="page_size="):
        login("https://orbit.my-site.com", "Holidays", "holidays", "jdoe", page_size=0)
    assert asked == []


@pytest.mark.parametrize("function", [login, login_with_password, Session.deserialize])
def test_options_are_listed(function: Callable[..., Session]) -> None:
    """The signature that prompts show names each option, with its default."""
    parameters = list(inspect.signature(function).parameters.values())
    options = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert options == {
        **{"timeout": None, "verify": None, "page_size": None},
        **{"max_connections": None, "progress": None, "http": None, "cache": None},
        "uses": None,
    }
    assert not any(p.kind is p.VAR_KEYWORD for p in parameters)


@pytest.mark.parametrize("function", [login, login_with_password, Session.deserialize])
def test_wrong_option(function: Callable[..., Session], offline: str) -> None:
    """An option that does not exist is a ``TypeError`` that names it; options are by name."""
    url = "https://orbit.my-site.com"
    arguments = {login: [url, "x", "x", "x"], login_with_password: [url, "x", "x", "x", "x"]}
    given = arguments.get(function, [offline])
    with pytest.raises(TypeError, match=r"The options are: timeout=, .*page_size="):
        function(*given, pagesize=10)
    with pytest.raises(TypeError, match="positional argument"):
        function(*given, 10)


ARGUMENTS = ("base_url", "data_view", "system", "user", "password")


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("value", [None, 12345, b"sentinel", ["sentinel"]])
def test_what_is_no_text(server: RecordingServer, place: int, value: Any) -> None:
    """What is no text is refused by the argument's name, unsent and not shown."""
    arguments: list[Any] = [getattr(server, name) for name in ARGUMENTS]
    arguments[place] = value
    with pytest.raises(
        TypeError, match=rf"^{ARGUMENTS[place]} must be text.*Nothing was"
    ) as caught:
        login_with_password(*arguments)
    assert "sentinel" not in str(caught.value)
    assert "12345" not in str(caught.value)
    assert ("environment variable" in str(caught.value)) == (value is None)
    assert server.asked == []


def test_what_is_no_text_is_refused_before_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for the password of nobody, or of no system."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("apteco_frames.password.ask_password", lambda *a: asked.append(a))
    nothing: Any = None
    for names in (("holidays", nothing), (nothing, "jdoe")):
        with pytest.raises(TypeError, match="must be text"):
            login("https://orbit.my-site.com", "Holidays", *names)
    assert asked == []


@pytest.mark.parametrize("place", range(1, 5))
def test_half_a_surrogate_pair(server: RecordingServer, place: int) -> None:
    """A text that no request can carry, as a wrongly decoded one, is refused unsent."""
    arguments = [getattr(server, name) for name in ARGUMENTS]
    arguments[place] += "\udcff"
    with pytest.raises(ValueError, match=rf"^{ARGUMENTS[place]} .*Nothing was sent") as caught:
        login_with_password(*arguments)
    assert server.password not in str(caught.value)
    assert not isinstance(caught.value, UnicodeError)  # it would hold the text
    assert server.asked == []


def test_logout(server: RecordingServer, session: Session) -> None:
    """After a logout the token is not accepted, and the catalogue is still there."""
    session.logout()
    assert server.request_lines[-1] == f"DELETE /OrbitAPI/Holidays/Sessions/{session.session_id}"
    with pytest.raises(apteco_api.ApiException, match="401"):
        apteco_api.FastStatsSystemsApi(
            session.api_client
        ).fast_stats_systems_get_fast_stats_systems(session.data_view)
    assert session.variables["boDest"].table.name == "Bookings"


def test_logout_again(server: RecordingServer, session: Session) -> None:
    """A second logout does nothing."""
    session.logout()
    asked = len(server.asked)
    session.logout()
    assert len(server.asked) == asked


def test_logout_of_an_ended_session(server: RecordingServer, session: Session) -> None:
    """A session that the server has ended can be logged out of."""
    server.api.end_sessions()
    session.logout()
    assert server.request_lines[-1].startswith("DELETE ")


def test_logout_without_a_server(server: RecordingServer) -> None:
    """A logout that cannot be sent is an error, and can be tried again."""
    session = server.login(timeout=(1, 1, 0.3))
    server.close()
    for _ in range(2):
        with pytest.raises(OrbitConnectionError):
            session.logout()


def test_with_statement(server: RecordingServer) -> None:
    """At the end of ``with`` the session is ended, once."""
    with server.login() as session:
        assert session.tables["People"].session is session
        assert not any(asked.startswith("DELETE") for asked in server.request_lines)
    session.logout()
    assert sum(asked.startswith("DELETE") for asked in server.request_lines) == 1


def test_with_statement_and_an_error(server: RecordingServer) -> None:
    """An error within ``with`` ends the session, and comes out as it is."""
    with pytest.raises(ZeroDivisionError), server.login():
        raise ZeroDivisionError
    assert sum(asked.startswith("DELETE") for asked in server.request_lines) == 1


def test_with_statement_without_a_server(server: RecordingServer) -> None:
    """An error within ``with`` is not hidden by a logout that fails; alone that one shows."""

    def work(error: Exception | None) -> None:
        with server.start().login(timeout=(1, 1, 0.3)):
            server.close()
            if error:
                raise error

    with pytest.raises(ZeroDivisionError):
        work(ZeroDivisionError())
    with pytest.raises(OrbitConnectionError):
        work(None)


# Sessions as strings


def test_serialized_layout(session: Session) -> None:
    """A session as a string has the keys that ``apteco`` 0.8.2 writes, and no other."""
    values = json.loads(session.serialize())
    assert list(values) == KEYS
    assert list(values["user"]) == USER_KEYS
    assert values == {
        "base_url": session.base_url,
        "data_view": session.data_view,
        "session_id": session.session_id,
        "access_token": session.access_token,
        "user": dict(zip(USER_KEYS, session.user, strict=True)),
        "system": session.system,
    }


def test_deserialize(server: RecordingServer, session: Session) -> None:
    """A session comes back from its string, without logging in again."""
    logins = server.request_lines.count("POST /OrbitAPI/Holidays/Sessions/SimpleLogin")
    restored = Session.deserialize(session.serialize())
    assert server.request_lines.count("POST /OrbitAPI/Holidays/Sessions/SimpleLogin") == logins == 1
    assert restored.serialize() == session.serialize()
    assert restored.catalogue == session.catalogue
    assert (restored.user, restored.system_info) == (session.user, session.system_info)
    assert restored.tables["People"].session is restored
    restored.logout()
    session.logout()


def test_deserialize_what_apteco_wrote(server: RecordingServer, session: Session) -> None:
    """A string of ``apteco`` is read, with a slash at the end and keys of a later version."""
    text = json.dumps(
        {
            "system": server.system,
            "base_url": server.base_url + "/",
            "user": {
                "email_address": "j@doe.com",
                "username": "jdoe",
                "first_name": "J",
                "surname": "",
                "new": 1,
            },
            "data_view": server.data_view,
            "access_token": session.access_token,
            "session_id": session.session_id,
            "new": None,
        }
    )
    restored = Session.deserialize(text)
    assert restored.user == ("jdoe", "J", "", "j@doe.com")
    assert restored.base_url == server.base_url
    assert len(restored.variables) == 94


def test_deserialize_with_options(server: RecordingServer, session: Session) -> None:
    """The options of ``login`` hold for a restored session too."""
    told: list[tuple[int, int]] = []
    Session.deserialize(
        session.serialize(), page_size=10, progress=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (94, 94)
    # The first page of the login; then one of ten, and the rest by nines.
    assert sum("/Variables?" in asked for asked in server.request_lines) == 1 + 1 + 10


def test_restoring_with_the_catalogue(offline: str) -> None:
    """With the catalogue in the string a session is restored without a request."""
    restored = Session.deserialize(offline)
    assert restored.catalogue == as_logged_in(holidays())
    assert restored.system_info == holidays().system_info
    assert restored.variables["boDest"].session is restored
    again = restored.serialize(include_catalogue=True)
    assert again.startswith(offline.partition('"catalogue"')[0])
    assert Session.deserialize(again).catalogue == restored.catalogue


def test_catalogue_is_one_more_key(server: RecordingServer, session: Session) -> None:
    """With the catalogue a string has one more key, which ``apteco`` passes over."""
    asked = len(server.asked)
    values = json.loads(session.serialize(include_catalogue=True))
    assert list(values) == [*KEYS, "catalogue"]
    assert values | json.loads(session.serialize()) == values
    assert len(server.asked) == asked


@pytest.mark.parametrize("key", [*KEYS, *(f"user.{key}" for key in USER_KEYS)])
@pytest.mark.parametrize("value", [..., None, 5, ["x"]])
def test_incomplete_string(offline: str, key: str, value: Any) -> None:
    """A key that is missing or no text is named, and nothing else is."""
    if value is None and key.startswith("user.") and key != "user.username":
        return  # as the API may give it
    values = json.loads(offline)
    place, _, name = key.rpartition(".")
    holder = values[place] if place else values
    holder[name] = value
    if value is ...:
        del holder[name]
    with pytest.raises(DeserializeError) as caught:
        Session.deserialize(json.dumps(values))
    assert str(caught.value).startswith(f"The serialised session is incomplete: {key} missing, or")


@pytest.mark.parametrize("value", [None, 5, b"{}", {}])
def test_deserialize_what_is_no_text(value: Any) -> None:
    """What is no string is a ``TypeError`` that says so."""
    with pytest.raises(TypeError, match="the serialised session must be text"):
        Session.deserialize(value)


def test_incomplete_string_names_all() -> None:
    """All that is missing is named at once."""
    with pytest.raises(DeserializeError, match=", ".join(k for k in KEYS if k != "user")):
        Session.deserialize("{}")


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "5", '"text"', "not JSON", "[" * 100_000, "\ud800"]
)
def test_no_string_of_a_session(text: Any) -> None:
    """What is no JSON object is an error that says so."""
    with pytest.raises(DeserializeError, match="it is not a JSON object"):
        Session.deserialize(text)


def with_variables(catalogue: Any, text: str) -> Any:
    """The values of a catalogue with another text for its variables."""
    return {**catalogue, "files": {**catalogue["files"], "variables": text}}


@pytest.mark.parametrize(
    "damage",
    [
        lambda catalogue: None,
        lambda catalogue: "text",
        lambda catalogue: {},
        lambda catalogue: {**catalogue, "version": None},
        lambda catalogue: {**catalogue, "checksum": 5},
        lambda catalogue: {**catalogue, "files": {}},
        lambda catalogue: with_variables(catalogue, ""),
        lambda catalogue: with_variables(catalogue, "*" + catalogue["files"]["variables"]),
        lambda catalogue: with_variables(catalogue, catalogue["files"]["variables"][:400]),
        lambda catalogue: with_variables(catalogue, catalogue["files"]["tables"]),
    ],
)
def test_damaged_catalogue_in_a_string(offline: str, damage: Callable[[Any], Any]) -> None:
    """A catalogue that is damaged is never restored in part."""
    values = json.loads(offline)
    values["catalogue"] = damage(values["catalogue"])
    with pytest.raises(DeserializeError, match="catalogue in the string is damaged"):
        Session.deserialize(json.dumps(values))


def test_newer_catalogue_in_a_string(offline: str) -> None:
    """A catalogue of a newer layout says to install the newer version."""
    values = json.loads(offline)
    values["catalogue"]["version"] += 1
    with pytest.raises(DeserializeError, match="newer version"):
        Session.deserialize(json.dumps(values))


def test_deserialize_refuses_what_login_refuses(offline: str) -> None:
    """A base URL that is none is refused as at login."""
    with pytest.raises(InvalidUrlError):
        Session.deserialize(json.dumps({**json.loads(offline), "base_url": "file:///etc"}))


def test_deserialize_an_ended_session(server: RecordingServer, session: Session) -> None:
    """A session that was ended is not restored, and the error says to log in again."""
    text = session.serialize()
    session.logout()
    with pytest.raises(SessionExpiredError, match=r"Log in again with login\(\)") as caught:
        Session.deserialize(text)
    assert session.access_token not in str(caught.value)


# Tokens and their end


def test_token_tells_when_it_expires(session: Session) -> None:
    """The time a token expires is known, in UTC."""
    expires = session.token_expires_at
    assert expires is not None
    assert expires.tzinfo is UTC
    assert timedelta(minutes=59) < expires - datetime.now(UTC) <= timedelta(minutes=61)
    assert not session.is_expired


@pytest.mark.parametrize(
    ("token", "expires"),
    [
        (a_token(exp=0), datetime(1970, 1, 1, tzinfo=UTC)),
        (a_token(exp=1_600_000_000), datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)),
        (a_token(exp=4_000_000_000), datetime(2096, 10, 2, 7, 6, 40, tzinfo=UTC)),
        (a_token(exp=4_000_000_000, nbf=4_000_000_000, aud="other"), datetime.max),
    ],
)
def test_expiry(offline: str, token: str, expires: datetime) -> None:
    """Whether a token has expired goes by its ``exp`` alone; nothing is asked or checked."""
    session = with_token(offline, token)
    if expires != datetime.max:
        assert session.token_expires_at == expires
    assert session.is_expired == (expires.year < 2025)


@pytest.mark.parametrize(
    "token",
    [
        *("opaque", "", "a.b.c", "..", "täken", a_token(), a_token(sub="jdoe")),
        *(jwt.encode({"exp": value}, "k" * 32) for value in (None, "soon", [1])),
    ],
)
def test_opaque_token(offline: str, token: str) -> None:
    """A token that does not say when it expires is taken for good."""
    session = with_token(offline, token)
    assert (session.token_expires_at, session.is_expired) == (None, False)
    assert session.access_token == token


def test_expired_session() -> None:
    """Once a token has expired the session says so, and ``renew`` makes it good again."""
    with DemoServer(token_lifetime=0.5) as server:
        session = server.login()
        expires = session.token_expires_at
        assert expires is not None
        time.sleep(max(0, expires.timestamp() - time.time()) + 0.01)
        assert session.is_expired
        with pytest.raises(SessionExpiredError):
            Session.deserialize(session.serialize())
        assert session.variables["boDest"].name == "boDest"
        tables = session.tables
        session.renew(server.password)
        assert not session.is_expired
        assert session.tables is tables
        session.logout()


def test_renew(server: RecordingServer, session: Session) -> None:
    """Renewing logs in again in place and ends the old session; the catalogue is not read anew."""
    old = session.session_id, session.access_token
    variables = session.variables
    asked = len(server.asked)
    session.renew(server.password)
    assert session.session_id != old[0]
    assert session.access_token != old[1]
    assert session.variables is variables
    assert server.request_lines[asked:] == [
        "POST /OrbitAPI/Holidays/Sessions/SimpleLogin",
        f"DELETE /OrbitAPI/Holidays/Sessions/{old[0]}",
        "GET /OrbitAPI/Holidays/FastStatsSystems/holidays",
    ]
    assert Session.deserialize(session.serialize()).catalogue == session.catalogue
    left = with_token(session.serialize(include_catalogue=True), old[1])
    with pytest.raises(apteco_api.ApiException, match="401"):
        apteco_api.FastStatsSystemsApi(left.api_client).fast_stats_systems_get_fast_stats_systems(
            left.data_view
        )


def test_renew_where_the_old_session_has_ended(server: RecordingServer, session: Session) -> None:
    """That the old session is gone, or cannot be ended, keeps nobody from renewing."""
    server.api.end_sessions()
    session.renew(server.password)
    assert not session.is_expired
    session.logout()


class Mute(RecordingServer):
    """Does not answer to the end of a session."""

    def send(self, handler: DemoHandler, answer: Answer) -> None:
        """Send nothing to a DELETE."""
        if handler.command == "DELETE":
            handler.close_connection = True
            handler.rfile.read(1)
        else:
            super().send(handler, answer)


def test_renew_where_the_old_session_does_not_end() -> None:
    """A server that does not answer to the end of the old session costs a bounded time."""
    with Mute() as server:
        session = server.login(timeout=(5, 0.5, 10 * PATIENCE))
        old = session.session_id
        started = time.monotonic()
        session.renew(server.password)
        assert time.monotonic() - started < PATIENCE
        assert session.session_id != old
        assert Session.deserialize(session.serialize()).variables == session.variables


def test_renew_after_logout(server: RecordingServer, session: Session) -> None:
    """A session that was logged out of can be renewed, and logged out of again."""
    session.logout()
    session.renew(server.password)
    session.logout()
    assert sum(asked.startswith("DELETE") for asked in server.request_lines) == 2


def test_renew_with_a_wrong_password(session: Session) -> None:
    """A wrong password leaves the session as it was."""
    before = session.serialize()
    with pytest.raises(LoginError) as caught:
        session.renew("sentinel")
    assert "sentinel" not in str(caught.value)
    assert session.serialize() == before
    session.logout()


@pytest.mark.parametrize("value", [None, 5, b"sentinel"])
def test_renew_with_what_is_no_text(server: RecordingServer, session: Session, value: Any) -> None:
    """A password that is no text is refused before anything is sent."""
    asked = len(server.asked)
    with pytest.raises(TypeError, match="password must be text"):
        session.renew(value)
    assert len(server.asked) == asked


def test_renew_of_a_rebuilt_system(server: RecordingServer, session: Session) -> None:
    """If the system was rebuilt meanwhile, renewing reads its catalogue; old rows stay."""
    old = session.variables["boDest"]
    rebuilt = catalogue_of(
        [table_item()], [variable_item()], name=server.system, view_name=server.data_view
    )
    port = int(server.base_url.split(":")[2].split("/")[0])
    server.close()
    with RecordingServer(rebuilt, port=port) as after:
        session.renew(after.password)
    assert session.catalogue == rebuilt
    assert [variable.name for variable in session.variables] == ["peVar"]
    assert session.variables[0].session is session
    assert old.description == "Destination"


# Secrets


def test_session_is_not_pickled(session: Session) -> None:
    """A session is not pickled or copied; the error says what to do instead."""
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=r"Pickle session\.catalogue; or use") as caught:
            attempt(session)
        assert session.access_token not in str(caught.value)


# Threads


def test_many_threads(session: Session) -> None:
    """One session serves many threads at once."""
    start = threading.Barrier(8)
    failures: list[BaseException] = []

    def use(number: int) -> None:
        try:
            start.wait()
            for table in session.tables:
                assert len(table.variables) == table.variable_count
            name = holidays().variables[number].name
            assert session.variables[name] == holidays().variables[number]
            assert len(session.variables.filter(pl.col("description") == "Destination")) == 1
            assert apteco_api.AboutApi(session.api_client).about_get_version().version
            assert "holidays" in repr(session)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_frames_are_made_once() -> None:
    """A login makes one frame of tables, and one of variables; offline ones only when asked for."""

    def frames() -> int:
        gc.collect()
        return sum(isinstance(thing, Tables | Variables) for thing in gc.get_objects())

    with DemoServer() as server:
        server.login().logout()
        before = frames()
        session = server.login()
        assert frames() - before == 2
        assert session.tables == session.catalogue.tables
        assert session.variables == session.catalogue.variables
        assert frames() - before == 4
