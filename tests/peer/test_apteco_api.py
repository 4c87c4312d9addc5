"""``apteco_api`` 0.3.2 accepts every answer of the demo server, and sees what ours sees."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import apteco_api
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lanes import up_to
from peer.clients import plain_api_client, whole_systems
from peer.judge import Judge
from strategies import times

from apteco_frames import Session, errors, login_with_password, schema
from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import DemoServer
from apteco_frames.demo.api import VERSION
from apteco_frames.orbit.decode import decode_page
from apteco_frames.schema.column import TIMESTAMP, Column
from apteco_frames.support.times import decode_time

# What this version of the client does not know yet, and passes over.
NEWER = {
    *("path", "notes", "unclassifiedCode", "unclassifiedDescription", "decimalPlaces"),
    *("referenceType", "length"),
}

OWN, OURS = "the vendor's transport", "the session's transport"
Call = Callable[[Any, Any], Any]


@pytest.fixture(scope="module")
def own_client(server: DemoServer) -> Iterator[Any]:
    """The vendor's client as it is, logged in to the Holidays system."""
    with plain_api_client(server) as client:
        yield client


@pytest.fixture(params=[OWN, OURS])
def client(request: pytest.FixtureRequest, own_client: Any, ours: Session) -> Any:
    """The vendor's client as it is, and the one that our session gives."""
    return own_client if request.param == OWN else ours.api_client


def test_every_endpoint_of_holidays(judge: Judge, own_client: Any, ours: Session) -> None:
    """Each answer passes the client's validation, loses nothing in it, and says what ours says."""
    check_endpoints(judge, own_client, ours)


@settings(max_examples=up_to(15), suppress_health_check=[HealthCheck.too_slow])
@given(whole_systems(max_tables=5, max_variables=12))
def test_every_endpoint_of_generated_systems(judge: Judge, catalogue: Catalogue) -> None:
    """The same holds for any system of the kinds that the API describes."""
    with (
        DemoServer(catalogue) as server,
        plain_api_client(server) as client,
        server.login() as session,
    ):
        check_endpoints(judge, client, session)


@given(offset=st.integers(0, 100), count=st.integers(0, 100) | st.just(2**31 - 1))
@example(offset=90, count=10)
@settings(max_examples=up_to(25))
def test_any_page_of_variables(
    judge: Judge, own_client: Any, ours: Session, offset: int, count: int
) -> None:
    """A page from anywhere in the list has the rows that a slice of ours has."""
    _, systems = areas(own_client)
    place = ours.data_view, ours.system
    page = systems.fast_stats_systems_get_fast_stats_variables(*place, offset=offset, count=count)
    rows = ours.variables[offset : offset + count]
    judge.equal("PagedResults.list", [v.name for v in page.list], [v.name for v in rows])
    judge.equal("PagedResults.offset", page.offset, offset)
    judge.equal("PagedResults.count", page.count, min(count, len(ours.variables)))
    judge.equal("PagedResults.totalCount", page.total_count, len(ours.variables))


def test_an_unasked_page_has_ten_items(judge: Judge, client: Any, ours: Session) -> None:
    """Without count and offset the answer is the first ten of the list."""
    _, systems = areas(client)
    page = systems.fast_stats_systems_get_fast_stats_variables(ours.data_view, ours.system)
    names = [variable.name for variable in ours.variables[:10]]
    judge.equal("PagedResults.list", [variable.name for variable in page.list], names)


def test_a_session_from_login_to_logout(judge: Judge, server: DemoServer) -> None:
    """Login, session details and logout pass the validation; then the token is refused."""
    with plain_api_client(server) as client, server.login() as session:
        sessions = apteco_api.SessionsApi(client)
        login = (server.data_view, server.user, server.password)
        details = asked(judge, client, sessions.sessions_create_session_simple, *login)
        again = (server.data_view, session.session_id)
        bridge = apteco_api.SessionsApi(session.api_client)
        shown = asked(judge, session.api_client, bridge.sessions_get_session_details, *again)
        judge.equal("SessionAndUserDetails.sessionId", shown.session_id, session.session_id)
        for user in (details.user, shown.user):
            judge.equal("UserDisplayDetails.username", user.username, session.user.username)
            judge.equal("UserDisplayDetails.firstname", user.firstname, session.user.first_name)
            judge.equal("UserDisplayDetails.surname", user.surname, session.user.surname)
            email = session.user.email_address
            judge.equal("UserDisplayDetails.emailAddress", user.email_address, email)

        assert bridge.sessions_logout_session(*again) is None
        with pytest.raises(apteco_api.ApiException) as caught:
            bridge.sessions_get_session_details(*again)
        assert (caught.value.status, "ended" in error_message(caught.value).message) == (401, True)


BAD_CALLS: dict[str, tuple[int, Call, str]] = {
    "no such DataView": (
        404,
        lambda about, systems: about.about_get_data_view("Hols"),
        "dataViewName",
    ),
    "no such DataView to list": (
        404,
        lambda about, systems: systems.fast_stats_systems_get_fast_stats_systems("Hols"),
        "dataViewName",
    ),
    "no such system": (
        404,
        lambda about, systems: systems.fast_stats_systems_get_fast_stats_system("Holidays", "x"),
        "systemName",
    ),
    "no such table": (
        404,
        lambda about, systems: systems.fast_stats_systems_get_fast_stats_table(
            "Holidays", "holidays", "Pepole"
        ),
        "tableName",
    ),
    "no such variable": (
        404,
        lambda about, systems: systems.fast_stats_systems_get_fast_stats_variable(
            "Holidays", "holidays", "Ünknown/?%"
        ),
        "variableName",
    ),
    "an endpoint the demo lacks": (
        404,
        lambda about, systems: about.about_get_endpoints(),
        "path",
    ),
    "an offset beyond 32 bits": (
        400,
        lambda about, systems: systems.fast_stats_systems_get_fast_stats_tables(
            "Holidays", "holidays", offset=2**31
        ),
        "offset",
    ),
    "a count beyond 32 bits": (
        400,
        lambda about, systems: systems.fast_stats_systems_get_fast_stats_variables(
            "Holidays", "holidays", count=2**31
        ),
        "count",
    ),
    "a filter": (
        400,
        lambda about, systems: systems.fast_stats_systems_get_fast_stats_variables(
            "Holidays", "holidays", filter='Type="Selector"'
        ),
        "filter",
    ),
    "an order": (
        400,
        lambda about, systems: systems.fast_stats_systems_get_fast_stats_tables(
            "Holidays", "holidays", order_by="-Name"
        ),
        "orderBy",
    ),
}


@pytest.mark.parametrize("what", BAD_CALLS)
def test_a_refusal_is_an_error_message(judge: Judge, client: Any, what: str) -> None:
    """What is refused raises ``ApiException`` whose body the client reads as ErrorMessage."""
    status, call, key = BAD_CALLS[what]
    with pytest.raises(apteco_api.ApiException) as caught:
        call(*areas(client))
    message = error_message(caught.value)
    judge.equal("ErrorMessage: status", caught.value.status, status)
    judge.equal("ErrorMessage.code", message.code, status)
    judge.equal("ErrorMessage.parameters", [p.key for p in message.parameters], [key])
    assert message.message
    assert message.id > 0


@pytest.mark.parametrize("what", BAD_CALLS)
def test_a_refusal_is_the_same_through_either_transport(
    judge: Judge, own_client: Any, ours: Session, what: str
) -> None:
    """An ``ApiException`` raised through the session has the parts that the vendor's has."""
    _, call, _ = BAD_CALLS[what]
    exceptions = []
    for client in (own_client, ours.api_client):
        with pytest.raises(apteco_api.ApiException) as caught:
            call(*areas(client))
        exceptions.append(caught.value)
    for name in ("status", "reason"):
        judge.equal(f"ApiException.{name}", *(getattr(error, name) for error in exceptions))
    judge.equal("ApiException.body: class", *(type(error.body) for error in exceptions))
    judge.equal("ApiException.body", *(error_message(error).message for error in exceptions))
    names = ["Content-Type", "content-type", "No-Such-Header"]
    judge.equal(
        "ApiException.headers", *([e.headers.get(name) for name in names] for e in exceptions)
    )


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"password": "wrong"}, errors.LoginError),
        ({"user": "nobody"}, errors.LoginError),
        ({"data_view": "Hols"}, errors.ApiError),
    ],
)
def test_a_refused_login_says_the_same(
    judge: Judge, server: DemoServer, own_client: Any, changes: dict[str, str], kind: type
) -> None:
    """What the vendor's exception says of a refused login, our error has as attributes."""
    names = ("data_view", "system", "user", "password")
    given = {name: changes.get(name, getattr(server, name)) for name in names}
    with pytest.raises(apteco_api.ApiException) as theirs:
        apteco_api.SessionsApi(own_client).sessions_create_session_simple(
            given["data_view"], given["user"], given["password"]
        )
    with pytest.raises(errors.ApiError) as ours:
        login_with_password(server.base_url, **given)
    message = error_message(theirs.value)
    judge.equal("ErrorMessage: our error's class", kind, type(ours.value))
    judge.equal("ErrorMessage: our error's status", theirs.value.status, ours.value.status)
    judge.equal("ErrorMessage: our error's code", message.code, ours.value.code)
    judge.equal("ErrorMessage: our error's message", message.message, ours.value.message)


@settings(max_examples=up_to(150))
@given(times(), st.text("0123456789", max_size=7))
@example("2019-11-27T15:57:24", "9999999")
def test_times_are_read_as_dateutil_reads_them(judge: Judge, text: str, digits: str) -> None:
    """Any local time, with up to seven digits of a second, is the same ``datetime``."""
    seconds = text[:19] + ("." + digits if digits else "")
    theirs = read_time(seconds)
    judge.equal("times: of a system", theirs, decode_time(seconds))
    judge.equal("times: of a variable", theirs, column_time(seconds))


@pytest.mark.parametrize(("zone", "hours"), [("Z", 0), ("+01:00", 1), ("-0330", -3.5)])
def test_a_zone_is_kept_by_theirs_and_not_by_ours(zone: str, hours: float) -> None:
    """FastStats times have no zone; should one come, ours leave the local time as it is."""
    text = f"2019-11-27T15:57:24{zone}"
    theirs = read_time(text)
    assert theirs.utcoffset() == timedelta(hours=hours)
    assert decode_time(text) == column_time(text) == theirs.replace(tzinfo=None)


def check_endpoints(judge: Judge, client: Any, session: Session) -> None:
    """Ask each endpoint through the vendor's transport and through the session's."""
    place = session.data_view, session.system
    own, bridge = client, session.api_client
    assert own.client_side_validation
    assert bridge.client_side_validation

    def ask(area: int, operation: str, *arguments: Any, **options: Any) -> Any:
        answers = [
            asked(judge, each, getattr(areas(each)[area], operation), *arguments, **options)
            for each in (own, bridge)
        ]
        assert answers[0] is not answers[1]
        judge.equal(f"{type(answers[0]).__name__}: through the session", *answers)
        return answers[0]

    judge.equal("VersionDetails.version", ask(0, "about_get_version").version, VERSION)
    views = [view.name for view in ask(0, "about_get_data_views").list]
    judge.equal("DataViewSummary.name", views, [session.data_view])
    view = ask(0, "about_get_data_view", session.data_view)
    judge.equal("DataViewDetails.name", view.name, session.data_view)

    get = "fast_stats_systems_get_fast_stats_{}".format
    (summary,) = ask(1, get("systems"), session.data_view).list
    for system in (summary, ask(1, get("system"), *place)):
        kind, info = type(system).__name__, session.system_info
        judge.equal(f"{kind}.name", system.name, info.name)
        judge.equal(f"{kind}.description", system.description, info.description)
        judge.equal(f"{kind}.viewName", system.view_name, info.view_name)
        date = system.fast_stats_build_date
        judge.equal(f"{kind}.fastStatsBuildDate", date, info.build_date)

    frames: tuple[tuple[str, tuple[Column, ...], Any], ...] = (
        ("table", schema.TABLES, session.tables),
        ("variable", schema.VARIABLES, session.variables),
    )
    for noun, columns, rows in frames:
        page = ask(1, get(f"{noun}s"), *place, count=1000)
        judge.equal("PagedResults.totalCount", page.total_count, len(rows))
        for model, row in zip(page.list, rows, strict=True):
            check_model(judge, model, row, columns)
            # A dot means another place in a URL, for every HTTP client.
            if row.name not in (".", ".."):
                check_model(judge, ask(1, get(noun), *place, row.name), row, columns)

    check_codes(judge, ask, session)
    check_folders(judge, ask, session)
    check_everything(judge, ask, session)


def check_codes(judge: Judge, ask: Callable[..., Any], session: Session) -> None:
    """The codes of every selector are those of ours, whole or in pages of ten."""
    operation = "fast_stats_systems_get_fast_stats_variable_codes"
    theirs: list[tuple[str, int, Any]] = []
    for variable in session.variables:
        if variable.api_type != "Selector":
            continue
        place = session.data_view, session.system, variable.name
        rows = variable.codes
        page = ask(1, operation, *place, count=100_000)
        judge.equal("PagedResults.totalCount", page.total_count, len(rows))
        for model, row in zip(page.list, rows, strict=True):
            check_model(judge, model, row, schema.CODES)
        pages = [ask(1, operation, *place, offset=n).list for n in range(0, len(rows), 10)]
        judge.equal("VarCode: in pages", [code for part in pages for code in part], page.list)
        theirs += [(variable.name, number, model) for number, model in enumerate(page.list)]
    # The codes of all variables are the same, one after the other, and looked up by code.
    judge.equal("VarCode: number of all", len(theirs), len(session.codes))
    for (name, number, model), row in zip(theirs, session.codes, strict=True):
        check_model(judge, model, row, schema.CODES)
        judge.equal("VarCode: variable", name, row.variable_name)
        judge.equal("VarCode: position", number, row.position)
        same = [m for n, _, m in theirs if (n, m.code) == (name, model.code)]
        if len(same) == 1:
            found = session.variables.names[name].codes[model.code]
            judge.equal("VarCode: look-up", model.description, found.description)


def check_folders(judge: Judge, ask: Callable[..., Any], session: Session) -> None:
    """A walk through the folders finds ours, with their variables, in the same order."""
    get = "fast_stats_systems_get_fast_stats_{}folder".format

    def walk(names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, list[str]]]:
        for folder in nodes(names)[0]:
            own = (*names, folder.name)
            yield own, folder, nodes(own)[1]
            yield from walk(own)

    def nodes(names: tuple[str, ...]) -> tuple[list[Any], list[str]]:
        place = session.data_view, session.system, *(["/".join(names)] if names else [])
        found = ask(1, get("" if names else "root_"), *place, count=100_000).list
        folders = [node.folder for node in found if node.folder]
        return folders, [node.variable.name for node in found if node.variable]

    theirs = list(walk(()))
    judge.equal("Folder: number", len(theirs), len(session.folders))
    for (names, model, variables), row in zip(theirs, session.folders, strict=True):
        check_model(judge, model, row, schema.FOLDERS)
        judge.equal("Folder: variables", variables, row.variable_names)
        judge.equal("Folder: depth", len(names) - 1, row.depth)
        above = names[-2] if names[1:] else None
        judge.equal("Folder: parent", above, row.parent.name if row.parent else None)
        within = [other[-1] for other, _, _ in theirs if other[:-1] == names]
        judge.equal("Folder: children", within, [child.name for child in row.children])
        below = {v for other, _, held in theirs if other[: len(names)] == names for v in held}
        judge.equal("Folder: variables below", len(below), row.total_variable_count)
        judge.equal("Folder: look-up", model.name, session.folders[row.path].name)
    for variable in session.variables:
        holding = [names[-1] for names, _, held in theirs if variable.name in held]
        folder = variable.folder
        judge.equal("Folder: of a variable", holding[:1], [folder.name] if folder else [])


def check_everything(judge: Judge, ask: Callable[..., Any], session: Session) -> None:
    """The list of everything has our tables, folders, variables and codes."""
    operation = "fast_stats_systems_get_all_fast_stats_system_items"
    items = ask(1, operation, session.data_view, session.system, count=1_000_000).list
    names: dict[str, list[Any]] = {kind: [] for kind in ("Table", "Folder", "Variable", "VarCode")}
    for item in items:
        code = item.var_code
        names[item.type].append(
            (item.variable.name, code.code, code.description, code.count)
            if code
            else (item.table or item.folder or item.variable).name
        )
    for kind, rows in (
        ("Table", session.tables),
        ("Folder", session.folders),
        ("Variable", session.variables),
    ):
        judge.equal(f"FastStatsSystemItem: {kind}", names[kind], [row.name for row in rows])
    codes = [(c.variable_name, c.code, c.description, c.count) for c in session.codes]
    judge.equal("FastStatsSystemItem: VarCode", names["VarCode"], codes)


def check_model(judge: Judge, model: Any, row: Any, columns: Iterable[Column]) -> None:
    """Every value of a model is in the row's column for it."""
    ours = row.to_dict()
    for column in columns:
        if column.api_field and column.api_field.rpartition(".")[2] not in NEWER:
            value = model_value(model, column.api_field)
            judge.equal(f"{type(model).__name__}.{column.api_field}", value, ours[column.name])


def model_value(model: Any, api_field: str) -> Any:
    """A value of a generated model, by the API's name for it; None below a null."""
    for part in api_field.split("."):
        attributes = {field: name for name, field in model.attribute_map.items()}
        model = getattr(model, attributes[part])
        if model is None:
            break
    return model


def asked(judge: Judge, client: Any, operation: Any, *arguments: Any, **options: Any) -> Any:
    """The model that answers, which holds all of the JSON that was sent and that it knows."""
    model = operation(*arguments, **options)
    kept = without_newer(client.sanitize_for_serialization(model))
    sent = without_newer(json.loads(client.last_response.data))
    judge.equal(
        f"{type(model).__name__}: JSON", *(json.dumps(v, sort_keys=True) for v in (kept, sent))
    )
    return model


def without_newer(value: Any) -> Any:
    """JSON without nulls, and without what the client does not know."""
    if isinstance(value, dict):
        known = {k: v for k, v in value.items() if v is not None and k not in NEWER}
        return {key: without_newer(v) for key, v in known.items()}
    return [without_newer(v) for v in value] if isinstance(value, list) else value


def areas(client: Any) -> tuple[Any, Any]:
    """The controllers of the two areas that hold metadata."""
    return apteco_api.AboutApi(client), apteco_api.FastStatsSystemsApi(client)


def error_message(error: Any) -> Any:
    """The body of an ``ApiException``, as the client itself reads it."""
    return apteco_api.ApiClient().deserialize(SimpleNamespace(data=error.body), "ErrorMessage")


def read_time(text: str) -> Any:
    """A time as the vendor's client reads it, which uses python-dateutil."""
    return apteco_api.ApiClient().deserialize(SimpleNamespace(data=json.dumps(text)), "datetime")


def column_time(text: str) -> Any:
    """A time as our columns hold it."""
    page = {"offset": 0, "count": 1, "totalCount": 1, "list": [{"time": text}]}
    column = Column("time", TIMESTAMP, False, "time", "")
    return decode_page(json.dumps(page).encode(), (column,), "a test").rows["time"][0].as_py()
