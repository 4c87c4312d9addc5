"""The vendor's generated client, ``apteco_api``, over the session's own connection."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import apteco_api
import pytest
from lanes import PATIENCE
from servers import RecordingServer

from apteco_frames import Session
from apteco_frames.demo import holidays
from apteco_frames.demo.api import Answer, Request
from apteco_frames.errors import InvalidUrlError, OrbitConnectionError

ANY_PATH = "/Holidays/Anything"


class Echoing(RecordingServer):
    """A demo server that gives back, at one path, the request it got."""

    busy = 0
    seconds = 0.0

    def answer(self, request: Request) -> Answer:
        """The request itself, at that path."""
        headers = self.headers[-1]
        time.sleep(self.seconds)
        if self.busy:
            self.busy -= 1
            return Answer(503)
        if ANY_PATH not in request.target:
            return super().answer(request)
        echo = {
            "method": request.method,
            "query": request.target.partition("?")[2],
            "type": headers.get("Content-Type"),
            "accept": headers.get("Accept"),
            "body": request.body.decode(),
        }
        return Answer(200, json.dumps(echo).encode())


@pytest.fixture
def server() -> Iterator[Echoing]:
    """A running server."""
    with Echoing() as running:
        yield running


@pytest.fixture
def session(server: Echoing) -> Session:
    """A session of that server."""
    return server.login()


def call(session: Session, method: str, path: str = ANY_PATH, **options: Any) -> Any:
    """What the generated client makes of an answer, as JSON values."""
    return session.api_client.call_api(
        path, method, response_type="object", _return_http_data_only=True, **options
    )


def test_systems(session: Session) -> None:
    """The controller of systems lists tables and variables as the session has them."""
    api = apteco_api.FastStatsSystemsApi(session.api_client)
    tables = api.fast_stats_systems_get_fast_stats_tables(session.data_view, session.system)
    assert [table.name for table in tables.list] == [table.name for table in session.tables]
    variable = api.fast_stats_systems_get_fast_stats_variable(
        session.data_view, session.system, "boDest"
    )
    assert variable.description == session.variables["boDest"].description
    page = api.fast_stats_systems_get_fast_stats_variables(
        session.data_view, session.system, count=50, offset=80
    )
    assert [item.name for item in page.list] == [v.name for v in session.variables[80:]]
    system = api.fast_stats_systems_get_fast_stats_system(session.data_view, session.system)
    assert system.fast_stats_build_date == session.system_info.build_date


def test_about(session: Session) -> None:
    """Controllers of other areas answer too."""
    api = apteco_api.AboutApi(session.api_client)
    assert api.about_get_version().version
    assert [view.name for view in api.about_get_data_views().list] == [session.data_view]
    assert api.about_get_data_view(session.data_view).capabilities.supports_audiences


def test_sessions(session: Session) -> None:
    """The controller of sessions sees the session's own, by the session's own token."""
    api = apteco_api.SessionsApi(session.api_client)
    details = api.sessions_get_session_details(session.data_view, session.session_id)
    assert details.session_id == session.session_id
    assert details.user.username == session.user.username


def test_form_posts(server: Echoing, session: Session) -> None:
    """A form goes out as a form: another login through the controller of sessions."""
    api = apteco_api.SessionsApi(session.api_client)
    details = api.sessions_create_session_simple(session.data_view, server.user, server.password)
    assert details.session_id != session.session_id
    assert details.user.username == server.user


def test_logout(session: Session) -> None:
    """A session that was ended through the client can be logged out of all the same."""
    api = apteco_api.SessionsApi(session.api_client)
    assert api.sessions_logout_session(session.data_view, session.session_id) is None
    session.logout()
    with pytest.raises(apteco_api.ApiException) as caught:
        api.sessions_get_session_details(session.data_view, session.session_id)
    assert caught.value.status == 401


def test_errors_are_the_vendors(session: Session) -> None:
    """An error status is the ``ApiException`` that users of ``apteco_api`` catch."""
    api = apteco_api.FastStatsSystemsApi(session.api_client)
    with pytest.raises(apteco_api.ApiException) as caught:
        api.fast_stats_systems_get_fast_stats_table(session.data_view, session.system, "Nothing")
    error = caught.value
    assert (error.status, error.reason) == (404, "Not Found")
    assert "'Nothing'" in json.loads(error.body)["message"]
    assert error.headers["Content-Type"].startswith("application/json")
    assert session.access_token not in str(error)


@pytest.mark.parametrize("options", [{}, {"_preload_content": False}])
def test_answer_with_headers(session: Session, options: dict[str, Any]) -> None:
    """Status and headers can be had, and so can the answer before it is read."""
    api = apteco_api.AboutApi(session.api_client)
    answer = api.about_get_version_with_http_info(_return_http_data_only=False, **options)
    if options:
        assert json.loads(answer.data)["version"]
        assert answer.getheader("content-TYPE") == "application/json; charset=utf-8"
        assert answer.getheader("X-Nothing", "default") == "default"
    else:
        data, status, headers = answer
        assert (bool(data.version), status) == (True, 200)
        assert headers["content-type"] == "application/json; charset=utf-8"


def test_in_the_background(session: Session) -> None:
    """``async_req`` works as it does without us."""
    with session.api_client:
        thread = apteco_api.AboutApi(session.api_client).about_get_version(async_req=True)
        assert thread.get(timeout=PATIENCE).version


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_methods_and_queries(session: Session, method: str) -> None:
    """Every method of the generated client goes through, with its query."""
    echo = call(session, method, query_params=[("a", "b c"), ("a", "ü")])
    assert echo["method"] == method
    assert parse_qs(echo["query"]) == {"a": ["b c", "ü"]}


def test_head(session: Session) -> None:
    """HEAD goes through, and has no body."""
    answer = session.api_client.rest_client.HEAD(session.base_url + ANY_PATH)
    assert (answer.status, answer.data) == (200, b"")


@pytest.mark.parametrize("value", [{"a": "ü"}, [1, 2], "text"])
def test_json_bodies(session: Session, value: Any) -> None:
    """A body is sent as JSON."""
    echo = call(session, "POST", body=value, header_params={"Content-Type": "application/json"})
    assert json.loads(echo["body"]) == value
    assert echo["type"] == "application/json"


def test_text_bodies(session: Session) -> None:
    """A body of another kind is sent as it is."""
    echo = call(session, "PUT", body="a,b\n", header_params={"Content-Type": "text/csv"})
    assert (echo["body"], echo["type"]) == ("a,b\n", "text/csv")


def test_uploads(session: Session) -> None:
    """Fields and files go out as parts, with a boundary that the header names."""
    echo = call(
        session,
        "POST",
        post_params=[("name", "value"), ("file", ("x.csv", "a,b", "text/csv"))],
        header_params={"Content-Type": "multipart/form-data"},
    )
    kind, _, boundary = echo["type"].partition("; boundary=")
    assert (kind, bool(boundary)) == ("multipart/form-data", True)
    parts = echo["body"].split(f"--{boundary}")
    assert 'name="name"\r\n\r\nvalue\r\n' in parts[1]
    assert 'name="file"; filename="x.csv"\r\nContent-Type: text/csv\r\n\r\na,b' in parts[2]


def test_accept(session: Session) -> None:
    """What the controller accepts is what the server is told."""
    echo = call(session, "GET", header_params={"Accept": "application/json, text/json"})
    assert echo["accept"] == "application/json, text/json"


def test_busy_server(server: Echoing, session: Session) -> None:
    """Requests of the client are tried again as the session's own are."""
    server.busy = 1
    assert apteco_api.AboutApi(session.api_client).about_get_version().version


def test_request_timeout(server: Echoing, session: Session) -> None:
    """``_request_timeout`` is kept; otherwise the session's own time-outs are."""
    session.api_client  # noqa: B018 - made before the clock starts
    server.seconds = 0.5
    started = time.monotonic()
    for timeout in (0.1, (2, 0.1)):
        with pytest.raises(OrbitConnectionError, match=r"no answer within 0\.1 seconds"):
            call(session, "POST", _request_timeout=timeout)
    assert time.monotonic() - started < PATIENCE
    server.seconds = 0
    assert call(session, "POST")["method"] == "POST"


def test_sessions_time_limit(server: Echoing) -> None:
    """The time-outs given at login hold for the client."""
    session = server.login(timeout=(2, 0.2))
    server.seconds = 0.5
    with pytest.raises(OrbitConnectionError, match=r"no answer within 0\.2 seconds"):
        call(session, "POST")


def test_token_follows_renewal(server: Echoing, session: Session) -> None:
    """A client made before ``renew`` sends the new token after it."""
    api = apteco_api.AboutApi(session.api_client)
    api.about_get_version()
    old = session.access_token
    server.api.end_sessions()
    session.renew(server.password)
    assert session.access_token != old
    api.about_get_version()
    details = apteco_api.SessionsApi(session.api_client).sessions_get_session_details(
        session.data_view, session.session_id
    )
    assert details.session_id == session.session_id
    assert server.asked[-1].authorization == f"Bearer {session.access_token}"


@pytest.mark.parametrize(
    "host",
    [
        "http://127.0.0.1:9/OrbitAPI",
        "https://evil.invalid",
        "{base}.evil.invalid",
        "{base}x",
        "",
    ],
)
def test_foreign_hosts(session: Session, server: Echoing, host: str) -> None:
    """The token goes nowhere but to the base URL."""
    asked = len(server.asked)
    with pytest.raises(InvalidUrlError, match="sends its token to") as caught:
        call(session, "GET", _host=host.format(base=session.base_url))
    assert session.base_url in str(caught.value)
    assert len(server.asked) == asked


def test_client_is_made_once(session: Session) -> None:
    """The client is a real one, always the same, and shows no token."""
    client = session.api_client
    assert client is session.api_client
    assert isinstance(client, apteco_api.ApiClient)
    assert client.configuration.host == session.base_url
    shown = [repr(client), *map(repr, vars(client).values()), repr(vars(client.configuration))]
    assert session.access_token not in "".join(shown)


def test_client_is_made_on_first_use(server: Echoing) -> None:
    """``apteco_api`` is not imported before somebody asks for the client."""
    script = """
        import sys
        from apteco_frames import login_with_password
        session = login_with_password(*sys.argv[1:])
        session.variables["boDest"], session.serialize(), repr(session)
        assert "apteco_api" not in sys.modules
        import apteco_frames
        assert session.api_client.__class__ is sys.modules["apteco_api"].ApiClient
        session.logout()
        print(len(session.variables))
    """
    values = (server.base_url, server.data_view, server.system, server.user, server.password)
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *values],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (child.stderr, child.stdout) == ("", f"{len(holidays().variables)}\n")


def test_any_controller(session: Session) -> None:
    """Every generated controller can be made from the client."""
    controllers: list[Callable[[Any], Any]] = [
        value for name, value in vars(apteco_api).items() if name.endswith("Api")
    ]
    assert len(controllers) > 20
    assert all(make(session.api_client).api_client is session.api_client for make in controllers)
