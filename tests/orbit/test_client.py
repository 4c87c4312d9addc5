"""The endpoints over real HTTP: what is asked, how it is loaded, what each status means."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import numpy as np
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import PATIENCE, up_to
from servers import RecordingServer
from strategies import (
    addressable,
    as_logged_in,
    catalogue_of,
    catalogues,
    table_item,
    tree_items,
    variable_item,
)

from apteco_frames import Catalogue, Session, login_with_password
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.demo.api import Answer, Request
from apteco_frames.errors import (
    ApiError,
    ApiResultsError,
    AptecoFramesError,
    GatewayError,
    InsecureTransportWarning,
    InvalidUrlError,
    LoginError,
    OrbitConnectionError,
    SessionExpiredError,
    TablesError,
)
from apteco_frames.orbit.client import MAX_CONNECTIONS, OrbitClient
from apteco_frames.orbit.options import Options
from apteco_frames.orbit.redact import Secret

Change = Callable[[Request, Answer], Answer]


class Watched(RecordingServer):
    """A demo server that notes what it is asked, and may answer otherwise or late.

    Args:
        catalogue: what it serves; the Holidays demo system unless given.
        change: gives the answer to send from the request and the API's own answer.
        most: items that it gives at a time, at most.
        seconds: how long each answer takes.
    """

    def __init__(
        self,
        catalogue: Catalogue | None = None,
        *,
        change: Change | None = None,
        most: int | None = None,
        seconds: float = 0,
    ) -> None:
        super().__init__(catalogue)
        self.most_under_way = 0
        self._change, self._most, self._seconds = change, most, seconds
        self._under_way = 0
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        """The API's answer, in its time, or another."""
        with self._lock:
            self._under_way += 1
            self.most_under_way = max(self.most_under_way, self._under_way)
        time.sleep(self._seconds)
        answer = super().answer(limited(request, self._most) if self._most else request)
        if self._change:
            answer = self._change(request, answer)
        with self._lock:
            self._under_way -= 1
        return answer

    def paths(self, method: str = "GET") -> list[str]:
        """Paths below the base URL that were asked for, without queries."""
        targets = [asked.target for asked in self.asked if asked.method == method]
        return [unquote(target.partition("?")[0].removeprefix("/OrbitAPI/")) for target in targets]

    def counts(self) -> list[int]:
        """The ``count`` of each page that was asked for."""
        queries = [parse_qs(asked.target.partition("?")[2]) for asked in self.asked]
        return [int(query["count"][0]) for query in queries if "count" in query]


def limited(request: Request, most: int) -> Request:
    """The request, for fewer items if it asks for more than so many."""
    path, _, text = request.target.partition("?")
    query = {key: values[0] for key, values in parse_qs(text).items()}
    if "count" in query:
        query["count"] = str(min(int(query["count"]), most))
    return request._replace(target=f"{path}?{urlencode(query)}")


def log_in(server: DemoServer, **changes: Any) -> Session:
    """A login with the server's own values, unless told otherwise."""
    names = ("base_url", "data_view", "system", "user", "password")
    values = [changes.pop(name, getattr(server, name)) for name in names]
    return login_with_password(*values, **changes)


@pytest.fixture
def server() -> Iterator[Watched]:
    """A server of the demo system that notes what it is asked."""
    with Watched() as running:
        yield running


def answer_once(path_end: str, answer: Answer) -> Change:
    """Another answer at the first request for a path."""
    done: list[Request] = []

    def change(request: Request, right: Answer) -> Answer:
        if not request.target.partition("?")[0].endswith(path_end) or done:
            return right
        done.append(request)
        return answer

    return change


def answer_always(path_end: str, answer: Answer) -> Change:
    """Another answer at each request for a path."""
    return lambda request, right: (
        answer if request.target.partition("?")[0].endswith(path_end) else right
    )


# The whole catalogue


@given(
    catalogues(max_tables=6, max_variables=12).filter(addressable),
    st.integers(1, 15),
    st.integers(1, 4),
)
@settings(max_examples=up_to(10))
def test_any_system_comes_whole(catalogue: Catalogue, page_size: int, connections: int) -> None:
    """Whatever a system holds and is called, it arrives as it was served."""
    served = DemoServer(catalogue)
    with served, served.login(page_size=page_size, max_connections=connections) as session:
        assert session.catalogue == catalogue
        assert session.system_info == catalogue.system_info


@pytest.mark.parametrize(
    ("page_size", "connections", "most"),
    [(2, 4, None), (13, 1, None), (10, 8, 4), (94, 2, None), (93, 2, 50), (10**6, 4, 3)],
)
def test_any_page_size_gives_the_same(page_size: int, connections: int, most: int | None) -> None:
    """Page size, connections and the server's own limit do not change the catalogue."""
    with Watched(most=most) as server:
        session = server.login(page_size=page_size, max_connections=connections)
        assert session.catalogue == as_logged_in(holidays())
        assert max(server.counts()) <= page_size
        size = min(page_size, most or 94)
        # Each page but the first begins with the last item of the one before it.
        assert len(server.counts()) <= (94 + 9) / max(1, size - 1) + 2


def test_large_pages_follow_a_small_one() -> None:
    """Unless told otherwise, a login asks for 1,000 items, then for 5,000 at a time."""
    many = catalogue_of(variable_items=[variable_item(f"pe{i}") for i in range(7_500)])
    with Watched(many) as server:
        assert server.login().catalogue == many
    assert sorted(server.counts()) == [1_000, 1_000, 1_502, 5_000]


def test_requests_of_a_login(server: Watched) -> None:
    """A login is one request, its catalogue four more, and a logout the last."""
    server.login().logout()
    system = "Holidays/FastStatsSystems/holidays"
    assert server.paths("POST") == ["Holidays/Sessions/SimpleLogin"]
    assert sorted(server.paths()) == [system, system, f"{system}/Tables", f"{system}/Variables"]
    assert len(server.paths("DELETE")) == 1
    form = parse_qs(server.asked[0].body.decode())
    assert form == {"UserLogin": [server.user], "Password": [server.password]}
    tokens = {asked.authorization[:7] for asked in server.asked[1:]}
    assert (server.asked[0].authorization, tokens) == ("", {"Bearer "})


@pytest.mark.parametrize("connections", [1, 3])
def test_connections_are_limited(connections: int) -> None:
    """No more requests are under way, nor connections open, than allowed; and no fewer."""
    with Watched(seconds=0.02) as server:
        server.login(page_size=5, max_connections=connections)
        assert server.most_under_way == connections
        assert server.connections <= connections


def test_progress(server: Watched) -> None:
    """Progress tells variables read so far and in all, and ends with all of them."""
    told: list[tuple[int, int]] = []
    server.login(page_size=10, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert (told[-1], {total for _, total in told}) == ((94, 94), {94})
    assert len({done for done, _ in told}) > 2


def test_progress_that_fails(server: Watched) -> None:
    """An error of the user's own callback comes out as it is, and the session is ended."""

    def stop(done: int, total: int) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        server.login(progress=stop)
    assert len(server.paths("DELETE")) == 1


@pytest.mark.parametrize("name", ["a/b c?ü#%", "%2F", "a+b&c=d", "🏖️", "'", "a\\b", "...", "~"])
def test_odd_names(name: str) -> None:
    """Names that mean something in URLs are sent as names."""
    odd = catalogue_of([table_item()], [variable_item()], name=name, view_name=name + "!")
    with Watched(odd) as server:
        session = server.login()
        session.logout()
        assert (session.system, session.data_view) == (name, name + "!")
        assert session.catalogue == odd
        assert server.paths("POST") == [name + "!/Sessions/SimpleLogin"]


def test_system_without_variables() -> None:
    """A system without variables is one with tables only."""
    with DemoServer(catalogue_of(tree_items({"A": "", "B": "A"}))) as server:
        session = server.login()
    assert (len(session.tables), len(session.variables)) == (2, 0)


# Base URLs and names


@pytest.mark.parametrize("change", [lambda u: u + "/", lambda u: u[:-9], lambda u: u[:-8]])
@pytest.mark.parametrize("case", [str, lambda u: u.replace("OrbitAPI", "orbitapi"), str.upper])
def test_base_urls(
    server: Watched, change: Callable[[str], str], case: Callable[[str], str]
) -> None:
    """Slashes at the end, a bare host and another case all lead to the API."""
    session = log_in(server, base_url=case(change(server.base_url)))
    assert session.catalogue == as_logged_in(holidays())
    assert not session.base_url.endswith("/")


@pytest.mark.parametrize(
    "given", ["{host}/OrbitAPI", "ftp://{host}/", "http://u:p@{host}/", "http://{host}/?a=b"]
)
def test_bad_base_urls_send_nothing(server: Watched, given: str) -> None:
    """What is no base URL is refused before anything is sent."""
    host = server.base_url.split("/")[2]
    with pytest.raises(InvalidUrlError, match="Nothing was sent"):
        log_in(server, base_url=given.format(host=host))
    assert server.asked == []


def test_plain_http_warns_before_anything_is_sent() -> None:
    """Plain http to another machine warns first: as an error it stops the login."""
    with pytest.raises(InsecureTransportWarning, match=r"http://orbit\.invalid/OrbitAPI is plain"):
        login_with_password("http://orbit.invalid", "Holidays", "holidays", "jdoe", "secret")


@pytest.mark.parametrize("name", ["", " ", ".", ".."])
def test_data_view_that_is_no_name(server: Watched, name: str) -> None:
    """A DataView that a URL would take for another place is refused unsent."""
    with pytest.raises(InvalidUrlError, match="data_view must be a name"):
        log_in(server, data_view=name)
    assert server.asked == []


@pytest.mark.parametrize("name", ["", " ", ".", ".."])
def test_system_that_is_no_name(server: Watched, name: str) -> None:
    """A system that a URL would take for another place is refused unsent."""
    with pytest.raises(InvalidUrlError, match="system must be a name"):
        log_in(server, system=name)
    assert server.asked == []


def test_unknown_data_view(server: Watched) -> None:
    """The error for an unknown DataView names those there are."""
    with pytest.raises(ApiError) as caught:
        log_in(server, data_view="Hols")
    text = str(caught.value)
    assert text.startswith(f"There is no DataView 'Hols' ({server.base_url}/Hols/Sessions/")
    assert text.endswith("There are: 'Holidays'.")
    assert (caught.value.status, caught.value.code) == (404, 404)


def test_data_view_that_is_there_after_all() -> None:
    """A DataView that the API lists is not said to be missing, whatever the status of a login."""
    change = answer_always("/SimpleLogin", Answer(404, b'"locked out until 10:00"'))
    with Watched(change=change) as server, pytest.raises(ApiError) as caught:
        log_in(server)
    assert "There is no" not in str(caught.value)
    assert "The API says: 'locked out until 10:00'" in str(caught.value)


def test_unknown_system(server: Watched) -> None:
    """The error for an unknown system names those there are, and no session stays behind."""
    with pytest.raises(ApiError) as caught:
        log_in(server, system="hol")
    text = str(caught.value)
    assert text.startswith("There is no system 'hol' (")
    assert text.endswith("There are: 'holidays'.")
    assert len(server.paths("DELETE")) == 1


def test_unknown_data_view_of_a_silent_server() -> None:
    """Where the API does not tell what there is, the error stands by itself."""
    refuse = answer_always("/DataViews", Answer(403, b"{}"))
    with Watched(change=refuse) as server, pytest.raises(ApiError) as caught:
        log_in(server, data_view="Hols")
    assert "There is no DataView 'Hols', or nothing at this address" in str(caught.value)
    assert f"Check its name, and the base URL {server.base_url}." in str(caught.value)


# Servers that give fewer items at a time than they are asked for


def refuses(most: int, answer: Answer) -> Change:
    """An error for each page of more than so many items."""

    def change(request: Request, own: Answer) -> Answer:
        query = parse_qs(request.target.partition("?")[2])
        return answer if int(query.get("count", ["0"])[0]) > most else own

    return change


def of_many(variables: int) -> Catalogue:
    """A catalogue with so many variables on one table."""
    return catalogue_of([table_item()], [variable_item(f"v{i}") for i in range(variables)])


BODIES = {
    400: b'{"code": 1, "message": "count is too large"}',
    413: b"<html>Request Entity Too Large</html>",
    500: b"",
}


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("status", BODIES)
def test_page_that_is_too_large_for_the_server(status: int, connections: int) -> None:
    """Where a server refuses large pages, the size of the first is asked for, and kept."""
    catalogue = of_many(14_500)
    change = refuses(1_000, Answer(status, BODIES[status]))
    with Watched(catalogue, change=change) as server:
        session = server.login(max_connections=connections)
        counts = server.counts()
    assert session.catalogue == catalogue
    # Those under way on the other connections could not know.
    assert 1 <= sum(count > 1_000 for count in counts) <= connections
    assert len(counts) <= 2 + 15 + 2 * connections


def test_request_that_is_refused_in_any_size() -> None:
    """A refusal that has nothing to do with the size ends in its error, after two more requests."""
    refusing = refuses(0, Answer(400, BODIES[400]))

    def change(request: Request, own: Answer) -> Answer:
        is_later = "/Variables?" in request.target and "offset=0&" not in request.target
        return refusing(request, own) if is_later else own

    with Watched(of_many(3_000), change=change) as server:
        with pytest.raises(ApiError, match="The API says: 'count is too large'") as caught:
            server.login(max_connections=1)
        assert caught.value.status == 400
        assert sorted(server.counts()) == [100, 1_000, 1_000, 2_001]


@pytest.mark.parametrize("most", [100, 999])
@pytest.mark.parametrize("status", BODIES)
def test_lists_that_are_too_large_for_the_server(status: int, most: int) -> None:
    """A server that refuses large pages of any list is asked for fewer items."""
    with Watched(change=refuses(most, Answer(status, BODIES[status]))) as server:
        session = server.login()
        assert session.folders == holidays().folders
        assert session.codes == holidays().codes
        refused = [asked for asked in server.asked if "count=1000&" in asked.target + "&"]
        assert len(refused) <= MAX_CONNECTIONS


@pytest.mark.parametrize("status", [403, 404, 501])
def test_other_errors_are_not_about_the_size(status: int) -> None:
    """A status that says nothing about the size is not answered by another request."""
    with Watched(of_many(3_000), change=refuses(1_000, Answer(status, b"{}"))) as server:
        with pytest.raises(ApiError):
            server.login(max_connections=1)
        assert sorted(server.counts())[-1] == 2_001
        assert len(server.counts()) <= 3


def test_page_size_of_the_user_is_kept() -> None:
    """The size that the user gave is asked for, and no other."""
    change = refuses(1_000, Answer(400, BODIES[400]))
    with Watched(of_many(3_000), change=change) as server:
        with pytest.raises(ApiError, match="count is too large"):
            server.login(page_size=2_000, max_connections=1)
        assert set(server.counts()) == {2_000}


# Credentials


@pytest.mark.parametrize("changes", [{"password": "sentinel"}, {"user": "nobody"}])
def test_bad_credentials(server: Watched, changes: dict[str, str]) -> None:
    """A wrong password or user is a ``LoginError`` with the API's words; asked once."""
    with pytest.raises(LoginError) as caught:
        log_in(server, **changes)
    error = caught.value
    assert (error.status, error.code, error.error_id) == (401, 401, 1)
    assert error.url == f"{server.base_url}/Holidays/Sessions/SimpleLogin"
    assert error.message == "The user name or the password is not right."
    user = changes.get("user", server.user)
    assert str(error).startswith(f"The user {user!r} could not log in: ")
    assert error.message in str(error)
    assert "sentinel" not in str(error)
    assert len(server.asked) == 1


@pytest.mark.parametrize("password", ["", "pässwörd \u20ac", "a&b=c%20+", "x" * 5000])
def test_any_password_is_sent_as_it_is(password: str) -> None:
    """A password reaches the server to the letter."""
    with Watched() as server:
        server.api.password = password
        session = server.login()
    assert len(session.tables) == 9


# What each status means


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (400, ApiError, "The request was not accepted"),
        (401, SessionExpiredError, "The session is no longer accepted"),
        (403, ApiError, "The user may not do this"),
        (404, ApiError, "There is nothing at this address"),
        (407, ApiError, "The proxy asks for a login"),
        (409, ApiError, "The request was refused"),
        (500, ApiError, "The API failed"),
        (501, ApiError, "The API failed"),
    ],
)
def test_statuses(status: int, kind: type[ApiError], says: str) -> None:
    """Each status has one class of error, with the API's own words and numbers in it."""
    body = b'{"code": 5, "id": 17, "message": "It is Sunday", "parameters": []}'
    change = answer_always("/Variables", Answer(status, body))
    with Watched(change=change) as server, pytest.raises(kind) as caught:
        server.login(max_connections=1)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.error_id) == (status, 5, 17)
    assert error.message == "It is Sunday"
    assert error.url == f"{server.base_url}/Holidays/FastStatsSystems/holidays/Variables"
    assert str(error).startswith(f"{says}")
    assert f"({error.url}, status {status} " in str(error)
    assert "The API says: 'It is Sunday'. Its error number for the administrator is 17. " in str(
        error
    )


@pytest.mark.parametrize("body", [b"<html><h1>Sorry</h1></html>", b""])
@pytest.mark.parametrize("status", [400, 403, 500])
def test_statuses_of_a_gateway(status: int, body: bytes) -> None:
    """An error that does not come from the API is named for what it is."""
    change = answer_always("/Variables", Answer(status, body))
    with (
        Watched(change=change) as server,
        pytest.raises(GatewayError, match="a gateway or proxy answered, not the API") as caught,
    ):
        server.login()
    assert f"/Variables answered with status {status} " in str(caught.value)
    assert ("a web page" in str(caught.value)) == body.startswith(b"<")


def test_busy_server() -> None:
    """A server that is busy for a moment costs nothing but time."""
    with Watched(change=answer_once("/Variables", Answer(503))) as server:
        assert server.login().catalogue == as_logged_in(holidays())
        assert server.paths().count("Holidays/FastStatsSystems/holidays/Variables") == 2


def test_busy_login() -> None:
    """A login is not sent again to a server that is busy: it may have arrived."""
    with Watched(change=answer_once("/SimpleLogin", Answer(503))) as server:
        with pytest.raises(GatewayError, match="status 503"):
            server.login()
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/holidays", b'{"name": "x", "description": "y"}', "$.viewName is missing"),
        ("/Tables", b'{"offset": 0, "count": 0, "totalCount": 0}', "$.list is missing"),
        ("/Variables", b"[]", "$ should be an object"),
    ],
)
def test_malformed_answers(path: str, body: bytes, says: str) -> None:
    """A malformed answer of any endpoint is an error that names the URL and the place."""
    with Watched(change=answer_always(path, Answer(200, body))) as server:
        with pytest.raises(ApiResultsError, match=re.escape(says)) as caught:
            server.login()
        assert f"{path} is not what the Orbit API describes" in str(caught.value)


def test_login_errors_show_no_token() -> None:
    """A malformed answer to a login does not show the token that it holds."""
    body = b'{"accessToken": "sentinel", "sessionId": 5, "user": {}}'
    with (
        Watched(change=answer_always("/SimpleLogin", Answer(201, body))) as server,
        pytest.raises(ApiResultsError) as caught,
    ):
        server.login()
    assert "sentinel" not in repr(caught.value)


def test_catalogue_that_contradicts_itself() -> None:
    """Tables that form no tree are an error that says where they came from; it logs out."""
    empty = b'{"offset": 0, "count": 0, "totalCount": 0, "list": []}'
    # Tables and Variables both.
    with Watched(change=answer_always("ables", Answer(200, empty))) as server:
        with pytest.raises(TablesError) as caught:
            server.login()
        assert f"system 'holidays' at {server.base_url}" in str(caught.value)
        assert str(caught.value).startswith("The API lists no tables: there are none, or the user")
        assert len(server.paths("DELETE")) == 1


# A system that changes while it is read


def rebuilt(*dates: str) -> Change:
    """The build date changes with each request for the system, the last one stays."""
    left = list(dates)

    def change(request: Request, answer: Answer) -> Answer:
        if not request.target.endswith("/FastStatsSystems/holidays"):
            return answer
        details = {**json.loads(answer.body), "fastStatsBuildDate": left[0]}
        if len(left) > 1:
            left.pop(0)
        return Answer(200, json.dumps(details).encode())

    return change


def test_rebuilt_once() -> None:
    """A system that is rebuilt while it is read is read once more."""
    change = rebuilt("2020-01-01T00:00:00", "2020-01-02T00:00:00")
    with Watched(change=change) as server:
        session = server.login()
        assert session.catalogue.variables == holidays().variables
        assert str(session.system_info.build_date) == "2020-01-02 00:00:00"
        assert server.paths().count("Holidays/FastStatsSystems/holidays/Tables") == 2


def test_rebuilt_twice() -> None:
    """A system that is rebuilt each time it is read is an error with the dates."""
    dates = [f"2020-01-0{day}T00:00:00" for day in range(1, 6)]
    with Watched(change=rebuilt(*dates)) as server:
        with pytest.raises(ApiResultsError, match=r"rebuilt twice while it was read: .*Nothing"):
            server.login()
        assert server.paths().count("Holidays/FastStatsSystems/holidays/Tables") == 2


def grown(times: int) -> Change:
    """The total of variables is one more on later pages, so many times."""
    left = [times]

    def change(request: Request, answer: Answer) -> Answer:
        if "/Variables?" not in request.target or "offset=0&" in request.target or not left[0]:
            return answer
        left[0] -= 1
        return Answer(200, answer.body.replace(b'"totalCount":94', b'"totalCount":95'))

    return change


def test_list_that_grows_once() -> None:
    """A list that has another length than at first is read once more."""
    with Watched(change=grown(1)) as server:
        session = server.login(page_size=50, max_connections=1)
    assert session.catalogue == as_logged_in(holidays())


def test_list_that_grows_twice() -> None:
    """A list that keeps changing is an error with both lengths."""
    with Watched(change=grown(9)) as server:
        with pytest.raises(ApiResultsError, match=r"it had 94 items, and 95 now"):
            server.login(page_size=50, max_connections=1)
        assert len(server.paths("DELETE")) == 1


# Options


def test_time_is_limited() -> None:
    """The limit for a whole load holds, however many requests it takes."""
    with Watched(seconds=0.05) as server:
        started = time.monotonic()
        with pytest.raises(OrbitConnectionError, match=r"within 0\.4 seconds, the limit"):
            server.login(page_size=1, max_connections=1, timeout=(2, 2, 0.4))
        assert time.monotonic() - started < PATIENCE


@pytest.mark.parametrize(
    "option",
    [
        *({"page_size": 0}, {"page_size": -5}, {"max_connections": 0}),
        *({"timeout": 0}, {"timeout": (1, 2, 3, 4)}),
    ],
)
def test_options_out_of_range(server: Watched, option: dict[str, Any]) -> None:
    """An option out of its range is refused by name before anything is sent."""
    with pytest.raises(ValueError, match=f"{next(iter(option))}="):
        server.login(**option)
    assert server.asked == []


@pytest.mark.parametrize("name", ["page_size", "max_connections"])
@pytest.mark.parametrize("value", [2.0, True, "5", [5], float("nan")])
def test_options_that_are_no_whole_numbers(server: Watched, name: str, value: Any) -> None:
    """A number of items or connections that is no whole number is refused with a sentence."""
    says = f"{name}= takes a whole number from 1 on, not "
    with pytest.raises(TypeError, match=re.escape(says)):
        server.login(**{name: value})
    assert server.asked == []


def test_options_of_numpy(server: Watched) -> None:
    """Whole numbers of other libraries are whole numbers."""
    session = server.login(page_size=np.int64(50), max_connections=np.int32(1))
    assert session.catalogue == as_logged_in(holidays())


def test_own_session(server: Watched) -> None:
    """A ``requests.Session`` of the user's carries every request, and stays open."""
    with requests.Session() as http:
        http.headers["X-Gateway-Key"] = "open"
        server.login(http=http).logout()
        assert {headers.get("X-Gateway-Key") for headers in server.headers} == {"open"}
        asked = len(server.asked)
        http.get(f"{server.base_url}/About/Version", timeout=5).raise_for_status()
        assert len(server.asked) == asked + 1
    assert "Authorization" not in http.headers
    assert http.auth is None


def test_netrc_is_not_used(
    server: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that lies in a ``.netrc`` for the host plays no part."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login jdoe password from-netrc\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.login().logout()
    assert {asked.authorization[:6] for asked in server.asked} == {"", "Bearer"}


# The client by itself


def test_logging_out_twice(server: Watched) -> None:
    """Ending a session that has ended is no error."""
    client = OrbitClient(server.base_url, server.data_view, Options())
    client.log_in(server.user, Secret(server.password), client.new_deadline())
    client.log_out()
    client.log_out()
    assert len(server.paths("DELETE")) == 2


def test_logging_out_that_fails() -> None:
    """Ending a session that the API refuses to end is an error."""
    change = answer_always("", Answer(500, b'{"message": "Not now"}'))
    with Watched(change=change) as server:
        client = OrbitClient(server.base_url, server.data_view, Options())
        client.restore(Secret("some-id"), Secret("some"))
        with pytest.raises(ApiError, match="Not now"):
            client.log_out()


@pytest.mark.parametrize("token", ["to\nken", "t\u20acken", "\ud800"])
def test_token_that_no_header_can_hold(token: str) -> None:
    """A token that cannot be sent is one of our errors, and it does not show the token."""

    def use() -> None:
        client.token = Secret(token)
        client.system("holidays", client.new_deadline())

    with DemoServer() as server:
        client = OrbitClient(server.base_url, server.data_view, Options())
        with pytest.raises(AptecoFramesError) as caught:
            use()
    assert token not in str(caught.value)
    assert ascii(token)[1:-1] not in str(caught.value)
