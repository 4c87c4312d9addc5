"""What the Orbit API of the demo server answers, asked over real HTTP."""

from __future__ import annotations

import time
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

import jwt
import pyarrow as pa
import pytest
import requests
from demo.client import SYSTEM, Client, check_error, log_in
from hypothesis import given
from hypothesis import strategies as st
from lanes import PATIENCE

from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.system import FastStatsSystem

NAMES = [variable.name for variable in holidays().variables]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def test_login(server: DemoServer) -> None:
    """A login gives a signed token that says when it ends, the user and the licence."""
    before = time.time()
    response = log_in(server, ClientType="test")
    assert response.status_code == 201
    details = response.json()
    assert details["user"]["username"] == server.user
    assert list(details["licence"].values()) == [True] * 8
    assert datetime.fromisoformat(details["lastLogin"]).tzinfo is None
    token = details["accessToken"]
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["jti"] == details["sessionId"]
    assert before + 3599 <= claims["exp"] <= time.time() + 3601


@pytest.mark.parametrize(
    "fields",
    [{"Password": "wrong"}, {"UserLogin": "nobody"}, {"Password": ""}, {"Password": "pässwörd"}],
)
def test_wrong_credentials(server: DemoServer, fields: dict[str, str]) -> None:
    """A wrong user or password is refused, and the answer does not repeat the password."""
    response = log_in(server, **fields)
    assert "not right" in check_error(response, 401)
    assert fields.get("Password") in (None, "") or fields["Password"] not in response.text


def test_login_without_fields(server: DemoServer) -> None:
    """A login that lacks its form fields is a bad request."""
    url = f"{server.base_url}/Holidays/Sessions/SimpleLogin"
    assert "UserLogin" in check_error(requests.post(url, timeout=PATIENCE), 400)
    assert check_error(requests.post(url, json={"UserLogin": "x"}, timeout=PATIENCE), 400)


def test_login_to_unknown_data_view(server: DemoServer) -> None:
    """A login to a DataView that is not there names it."""
    url = f"{server.base_url}/Hols/Sessions/SimpleLogin"
    assert "'Hols'" in check_error(requests.post(url, timeout=PATIENCE), 404)


def test_session_details(client: Client) -> None:
    """A session shows its id and user to itself, and to no other session."""
    details = client.get(client.session_path)
    assert details == {"user": client.details["user"], "sessionId": client.details["sessionId"]}
    with Client(client.server).http as other:
        other_token = {"Authorization": other.headers["Authorization"]}
        response = client.ask("GET", client.session_path, headers=other_token)
    check_error(response, 400)


def test_logout(client: Client, own_client: Client) -> None:
    """After a logout the token is refused everywhere, and the session can't be found."""
    response = own_client.ask("DELETE", own_client.session_path)
    assert (response.status_code, response.content) == (204, b"")
    for path in (own_client.session_path, SYSTEM, SYSTEM + "/Tables", "/Holidays/FastStatsSystems"):
        assert "ended" in check_error(own_client.ask("GET", path), 401)
    assert "ended" in check_error(own_client.ask("DELETE", own_client.session_path), 401)
    for method in ("GET", "DELETE"):
        check_error(client.ask(method, own_client.session_path), 404)
    assert client.get(client.session_path)


def test_sessions_ended_by_the_server() -> None:
    """The server can end all sessions at once."""
    with DemoServer() as server, Client(server).http as http:
        server.api.end_sessions()
        check_error(http.get(server.base_url + SYSTEM, timeout=PATIENCE), 401)


def test_expired_token() -> None:
    """A token past its time is refused, and its session is forgotten at the next login."""
    with DemoServer(token_lifetime=-1) as server:
        for _ in range(3):
            token = log_in(server).json()["accessToken"]
        headers = {"Authorization": f"Bearer {token}"}
        response = requests.get(server.base_url + SYSTEM, headers=headers, timeout=PATIENCE)
        assert "expired" in check_error(response, 401)
        assert len(server.api._sessions) == 1


def forged_token() -> str:
    """A token of the right form with a signature of somebody else."""
    claims = {"jti": "x", "exp": int(time.time()) + 60}
    return jwt.encode(claims, b"k" * 32, algorithm="HS256")


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer x.y.z", "Basic abc", f"Bearer {forged_token()}"],
)
@pytest.mark.parametrize(
    "path",
    [
        "/Holidays/Sessions/x",
        "/Holidays/FastStatsSystems",
        SYSTEM,
        SYSTEM + "/Tables",
        SYSTEM + "/Tables/People",
        SYSTEM + "/Variables",
        SYSTEM + "/Variables/boDest",
        SYSTEM + "/Variables/boDest/Codes",
        SYSTEM + "/Folders",
        SYSTEM + "/Folders/Booking",
        SYSTEM + "/All",
    ],
)
def test_bad_token(server: DemoServer, authorization: str, path: str) -> None:
    """Nothing but About and the login is told to somebody without a good token."""
    headers = {"Authorization": authorization} if authorization else {}
    response = requests.get(server.base_url + path, headers=headers, timeout=PATIENCE)
    check_error(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_token_of_another_server(client: Client) -> None:
    """Each server has a key of its own."""
    with DemoServer() as other:
        headers = dict(client.http.headers)
        response = requests.get(other.base_url + SYSTEM, headers=headers, timeout=PATIENCE)
    check_error(response, 401)


# What can be read


def test_about(server: DemoServer) -> None:
    """The version and the DataViews are told without a token."""
    version = requests.get(server.base_url + "/About/Version", timeout=PATIENCE).json()
    assert isinstance(version["version"], str)
    views = requests.get(server.base_url + "/About/DataViews", timeout=PATIENCE).json()
    assert views == {"offset": 0, "count": 1, "totalCount": 1, "list": [{"name": "Holidays"}]}
    view = requests.get(server.base_url + "/About/DataViews/Holidays", timeout=PATIENCE).json()
    assert view["name"] == "Holidays"
    assert list(view["capabilities"].values()) == [True] * 3
    unknown = requests.get(server.base_url + "/About/DataViews/x", timeout=PATIENCE)
    assert "'x'" in check_error(unknown, 404)


def test_systems(client: Client) -> None:
    """The only system is listed, and described with its date settings."""
    page = client.get("/Holidays/FastStatsSystems")
    (summary,) = page["list"]
    assert summary == {
        "name": "holidays",
        "viewName": "Holidays",
        "description": "Holidays Demo Database",
        "fastStatsBuildDate": "2019-11-27T15:57:24",
    }
    detail = client.get(SYSTEM)
    assert detail.pop("dateSettings")["useIso8601WeekOfYear"] is True
    assert detail == summary


def test_tables(client: Client) -> None:
    """Tables are listed in order, and each is found by its name."""
    page = client.get(SYSTEM + "/Tables")
    assert [item["name"] for item in page["list"]] == [t.name for t in holidays().tables]
    for item in page["list"]:
        assert client.get(f"{SYSTEM}/Tables/{quote(item['name'])}") == item


def test_variables(client: Client) -> None:
    """Variables are listed in order, and each is found by its name."""
    page = client.get(SYSTEM + "/Variables", count=1000)
    assert (page["count"], page["totalCount"], len(page["list"])) == (94, 94, 94)
    assert [item["name"] for item in page["list"]] == [v.name for v in holidays().variables]
    for item in page["list"]:
        assert client.get(f"{SYSTEM}/Variables/{quote(item['name'], safe='')}") == item


def test_variable_of_the_data_file(client: Client) -> None:
    """A variable is answered as the API describes one."""
    assert client.get(f"{SYSTEM}/Variables/boCost") == {
        "name": "boCost",
        "description": "Cost",
        "type": "Numeric",
        "folderName": "Booking",
        "tableName": "Bookings",
        "isSelectable": True,
        "isBrowsable": True,
        "isExportable": True,
        "isVirtual": False,
        "selectorInfo": None,
        "numericInfo": {
            "minimum": 18.5,
            "maximum": 28400.99,
            "isCurrency": True,
            "currencyLocale": "en-GB",
            "currencySymbol": "£",
        },
        "textInfo": None,
        "referenceInfo": None,
    }


def test_any_case_of_the_fixed_words(client: Client) -> None:
    """The fixed words of a path are matched in any case, the names are not."""
    url = client.server.base_url.removesuffix("/OrbitAPI")
    path = "/orbitapi/Holidays/faststatssystems/holidays/TABLES/People/"
    assert client.http.get(url + path, timeout=PATIENCE).json()["pluralDisplayName"] == "People"
    for wrong in (path.replace("Holidays", "HOLIDAYS"), path.replace("People", "people")):
        check_error(client.http.get(url + wrong, timeout=PATIENCE), 404)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/Hols/FastStatsSystems", "DataView 'Hols'"),
        ("/Hols/Sessions/x", "DataView 'Hols'"),
        ("/Holidays/Sessions/x", "session 'x'"),
        ("/Holidays/FastStatsSystems/winter", "system 'winter'"),
        ("/Holidays/FastStatsSystems/winter/Tables", "system 'winter'"),
        (SYSTEM + "/Tables/Pets", "table 'Pets'"),
        (SYSTEM + "/Variables/Destination", "variable 'Destination'"),
        (SYSTEM + "/Variables/Destination/Codes", "variable 'Destination'"),
        (SYSTEM + "/Variables/boDest/Cods", "nothing at this path"),
        (SYSTEM + "/Folders/Bookings", "folder 'Bookings'"),
        ("/Holidays", "nothing at this path"),
        ("", "nothing at this path"),
        ("x/About/Version", "nothing at this path"),
    ],
)
def test_unknown_things(client: Client, path: str, part: str) -> None:
    """Whatever is not there is named in the error."""
    assert part in check_error(client.ask("GET", path), 404)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_known_path_with_another_method(client: Client, method: str) -> None:
    """A path that is known with another method only is not found."""
    check_error(client.ask(method, SYSTEM + "/Tables"), 404)


def test_unknown_verb(client: Client) -> None:
    """A verb that HTTP servers need not know is not implemented."""
    assert client.ask("PATCH", SYSTEM + "/Tables").status_code == 501


# Paging


def test_default_page(client: Client) -> None:
    """Without being asked for more the server gives ten items."""
    page = client.get(SYSTEM + "/Variables")
    assert (page["offset"], page["count"], page["totalCount"]) == (0, 10, 94)
    assert len(page["list"]) == 10


@given(offset=st.integers(0, 120), count=st.integers(0, 120) | st.just(2**31 - 1))
def test_any_page(client: Client, offset: int, count: int) -> None:
    """Any offset and count give that slice, and the count that the real pager gives."""
    page = client.get(SYSTEM + "/Variables", offset=offset, count=count)
    assert [item["name"] for item in page["list"]] == NAMES[offset : offset + count]
    assert (page["offset"], page["count"], page["totalCount"]) == (offset, min(count, 94), 94)


@pytest.mark.parametrize("name", ["offset", "count", "COUNT"])
@pytest.mark.parametrize("value", ["-1", "x", "1.5", " 1", "1e3", "٣", str(2**31), "9" * 5000])
def test_bad_offset_or_count(client: Client, name: str, value: str) -> None:
    """What is no natural number of 32 bits is refused, with its name."""
    response = client.ask("GET", SYSTEM + "/Tables", params={name: value})
    assert check_error(response, 400).startswith(name.lower())


def test_empty_options_are_none(client: Client) -> None:
    """Options without a value are as good as not given."""
    page = client.get(SYSTEM + "/Tables?offset=&count=&filter=&orderBy=")
    assert (page["offset"], page["count"]) == (0, 9)


@pytest.mark.parametrize(
    "path",
    [
        "/Holidays/FastStatsSystems",
        SYSTEM + "/Tables",
        SYSTEM + "/Variables/boDest/Codes",
        SYSTEM + "/Folders",
        SYSTEM + "/All",
    ],
)
@pytest.mark.parametrize("option", ["filter", "orderBy", "ORDERBY"])
def test_filter_and_order_are_refused(client: Client, path: str, option: str) -> None:
    """What the demo server lacks is refused and never ignored."""
    response = client.ask("GET", path, params={option: "Name"})
    assert "lacks" in check_error(response, 400)


class Odd(NamedTuple):
    """Odd names of a system's parts."""

    view: str
    system: str
    variable: str


@given(st.builds(Odd, *[ANY_TEXT.filter(lambda text: text.strip("."))] * 3))
def test_any_names(odd: Odd) -> None:
    """Whatever the names are, percent-encoded they are found."""
    first = holidays().variables.arrow.slice(0, 1)
    renamed = first.set_column(0, first.schema.field("name"), pa.array([odd.variable]))
    info = FastStatsSystem(odd.system, "", None, odd.view)
    with DemoServer(Catalogue(info, holidays().tables, renamed)) as server:
        client = Client(server)
        view, system, variable = (quote(name, safe="") for name in odd)
        with client.http:
            item = client.get(f"/{view}/FastStatsSystems/{system}/Variables/{variable}")
            assert item["name"] == odd.variable
            assert client.get(f"/About/DataViews/{view}")["name"] == odd.view
