"""Pages that are wrong, short, repeated, or of a system that changes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import polars as pl
import pytest
from faults.conftest import FULL, Meet
from faults.server import Fault, FaultyServer, changed, edited

from apteco_frames.demo.api import Answer
from apteco_frames.demo.server import DemoHandler
from apteco_frames.errors import (
    ApiResultsError,
    AptecoFramesError,
    CatalogueWarning,
    TablesError,
    VariablesError,
)

Json = dict[str, Any]


def item(**changes: Any) -> Callable[[Json], object]:
    """An edit of the fourth item of a page, if there are so many."""
    return lambda page: page["list"][3].update(changes)


def numeric(text: bytes) -> Callable[[bytes], bytes]:
    """The minimum of each numeric variable replaced by a literal."""

    def change(body: bytes) -> bytes:
        value = json.loads(body)
        for variable in value["list"]:
            if variable["numericInfo"]:
                variable["numericInfo"]["minimum"] = "HERE"
        return json.dumps(value).encode().replace(b'"HERE"', text)

    return change


def flawed(**changes: Any) -> Fault:
    return edited(item(**changes))


MALFORMED: dict[str, Fault] = {
    "cut off": changed(lambda body: body[:-20]),
    "twice": changed(lambda body: body + body),
    "Latin-1": changed(lambda body: body.replace(b"Destination", b"D\xe9st", 1)),
    "half a surrogate pair": changed(lambda body: body.replace(b"Destination", b"\\ud800", 1)),
    "a NUL between tokens": changed(lambda body: body.replace(b'"list"', b'\0"list"', 1)),
    "nested a million deep": changed(lambda body: b"[" * 10**6),
    "a list": changed(lambda body: json.dumps(json.loads(body)["list"]).encode()),
    "null": changed(lambda body: b"null"),
    "no list": edited(lambda page: page.pop("list")),
    "list is null": edited(lambda page: page.update(list=None)),
    "an item is null": edited(lambda page: page["list"].__setitem__(3, None)),
    "no name": edited(lambda page: page["list"][3].pop("name")),
    "a boolean is a string": flawed(isVirtual="false"),
    "an object is a list": flawed(selectorInfo=[]),
    "a number is a string": changed(numeric(b'"5"')),
    "a number is 1e999": changed(numeric(b"1e999")),
    "a number has 5,000 digits": changed(numeric(b"9" * 5_000)),
    "an integer is NaN": changed(
        lambda body: body.replace(b'"totalCount":94', b'"totalCount":NaN')
    ),
    "a form feed after": changed(lambda body: body + b"\f"),
    "totalCount is a string": edited(lambda page: page.update(totalCount="94")),
    "totalCount is null": edited(lambda page: page.update(totalCount=None)),
    "totalCount beyond int64": edited(lambda page: page.update(totalCount=10**30)),
}


@pytest.mark.parametrize("fault", MALFORMED.values(), ids=MALFORMED)
def test_malformed_pages(meet: Meet, fault: Fault) -> None:
    """A malformed page is an error that names the place; nothing of it is used."""
    with FaultyServer(fault) as server:
        text = meet(server, kind=ApiResultsError)
    assert "is not what the Orbit API describes" in text
    assert len(text) < 800


HARMLESS: dict[str, Fault] = {
    "spaces around": changed(lambda body: b"\r\n  " + body + b"\n\n"),
    "indented": changed(lambda body: json.dumps(json.loads(body), indent=4).encode()),
    "escaped": changed(lambda body: json.dumps(json.loads(body), ensure_ascii=True).encode()),
    "other order of fields": changed(
        lambda body: json.dumps(dict(reversed(json.loads(body).items()))).encode()
    ),
    "new fields": flawed(newField={"a": [1, None]}, another="x"),
    "a new field beside the list": edited(lambda page: page.update(newField=[1, 2])),
    "count exceeds the items": edited(lambda page: page.update(count=10**6)),
}


@pytest.mark.parametrize("fault", HARMLESS.values(), ids=HARMLESS)
def test_odd_pages(meet: Meet, fault: Fault) -> None:
    """A page that is odd, but whole and unambiguous, is read as it is."""
    with FaultyServer(fault) as server:
        assert meet(server) == FULL


@pytest.mark.parametrize("literal", ["null", "1.7976931348623157e308", "-0.0", "5"])
def test_odd_numbers(literal: str) -> None:
    """A number at the edge is kept as it is, and the rest with it."""
    with FaultyServer(changed(numeric(literal.encode()))) as server:
        rows = server.login().variables.frame
        expected = server.served.variables.frame
    value = None if literal == "null" else float(literal)
    given = pl.when(pl.col("min_value").is_not_null()).then(pl.lit(value, pl.Float64))
    assert rows.equals(expected.with_columns(given.alias("min_value")))
    assert not rows.equals(expected)


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("form", ["{}", '"{}"'])
def test_no_numbers(literal: str, form: str) -> None:
    """What .NET writes for no number is null, with one warning that says where it was."""
    with FaultyServer(changed(numeric(form.format(literal).encode()))) as server:
        with pytest.warns(CatalogueWarning) as caught:
            session = server.login(page_size=20)
        expected = server.served.variables.frame
    assert session.variables.frame.equals(
        expected.with_columns(pl.lit(None, pl.Float64).alias("min_value"))
    )
    assert session.variables[0] == session.variables[0]
    (warning,) = caught
    text = str(warning.message)
    count = expected["min_value"].is_not_null().sum()
    listed = expected.filter(pl.col("min_value").is_not_null())["name"].to_list()[:10]
    assert f"{server.base_url}/Holidays/FastStatsSystems/holidays/Variables returned " in text
    assert all(f"numericInfo.minimum of '{name}' is {literal}" in text for name in listed[:1])
    assert text.count(f" is {literal}") == min(10, count)
    assert warning.filename == __file__
    assert server.api.password not in text


def test_short_dates() -> None:
    """Dates without a time of day are midnights, in pages and for the build."""
    cut = changed(lambda body: re.sub(rb'(Date": ?"\d{4}-\d\d-\d\d)T[\d:]+', rb"\1", body))
    with FaultyServer(cut, "") as server:
        session = server.login()
        expected = server.served.variables.frame
    dates = pl.col("min_date", "max_date").dt.truncate("1d")
    assert session.variables.frame.equals(expected.with_columns(dates))
    assert session.system_info.build_date == datetime(2019, 11, 27)


# Pages of a list


Edit = Callable[[Json, int, int], object]


def paged(edit: Edit, from_page: int = 0) -> Fault:
    """An edit of the pages from some page on, which knows offset and count asked for."""

    def fault(handler: DemoHandler, answer: Answer) -> None:
        query = parse_qs(handler.path.partition("?")[2])
        offset, count = int(query["offset"][0]), int(query["count"][0])
        page = json.loads(answer.body)
        if offset >= from_page * count:
            edit(page, offset, count)
        DemoHandler.send_answer(handler, Answer(200, json.dumps(page).encode()))

    return fault


def keep(number: int) -> Edit:
    return lambda page, offset, count: page.update(list=page["list"][:number])


def total(change: Callable[[int], int]) -> Edit:
    return lambda page, offset, count: page.update(totalCount=change(page["totalCount"]))


def again(page: Json, offset: int, count: int) -> None:
    """Give the first page's items again."""
    first: list[Json] = paged_items[: len(page["list"])]
    if offset:
        page["list"] = first
    else:
        paged_items[:] = page["list"]


paged_items: list[Json] = []

FEWER: dict[str, Fault] = {
    "one item a page": paged(keep(1)),
    "short pages": paged(keep(7)),
    "short pages after the first": paged(keep(3), 1),
}


@pytest.mark.parametrize("fault", FEWER.values(), ids=FEWER)
def test_short_pages(meet: Meet, fault: Fault) -> None:
    """Where a server gives less than it was asked for, the rest is asked for."""
    with FaultyServer(fault) as server:
        assert meet(server, page_size=20) == FULL


WRONG: dict[str, tuple[Fault, type[AptecoFramesError]]] = {
    "empty pages": (paged(keep(0)), ApiResultsError),
    "empty pages after the first": (paged(keep(0), 1), ApiResultsError),
    "pages that repeat": (paged(again), ApiResultsError),
    "the offset is not minded": (
        paged(lambda page, offset, count: page.update(offset=0)),
        ApiResultsError,
    ),
    "the offset is one too many": (
        paged(lambda page, offset, count: page.update(offset=offset + 1)),
        ApiResultsError,
    ),
    "more items than asked for": (
        paged(lambda page, offset, count: page["list"].append(page["list"][-1]), 1),
        ApiResultsError,
    ),
    "the total grows": (
        paged(lambda p, offset, c: p.update(totalCount=94 + offset), 1),
        ApiResultsError,
    ),
    "the total shrinks": (
        paged(lambda p, offset, c: p.update(totalCount=94 - offset), 1),
        ApiResultsError,
    ),
    "the total is one too many": (paged(total(lambda n: n + 1)), ApiResultsError),
    "the total is negative": (paged(total(lambda n: -n)), ApiResultsError),
    "the total is 0": (paged(total(lambda n: 0)), ApiResultsError),
    "the total is 2**62": (paged(total(lambda n: 2**62)), ApiResultsError),
    "the last page is missing": (paged(keep(0), 4), ApiResultsError),
}


@pytest.mark.parametrize(("fault", "kind"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("connections", [1, 4])
def test_wrong_pages(
    meet: Meet, fault: Fault, kind: type[AptecoFramesError], connections: int
) -> None:
    """Pages that contradict each other are an error, never a part of the list."""
    with FaultyServer(fault) as server:
        text = meet(server, kind=kind, page_size=20, max_connections=connections)
        assert server.count("/Variables") < 30
    assert "Nothing" in text


# The lists as a whole


CONTRADICTIONS: dict[str, tuple[str, Fault, type[AptecoFramesError]]] = {
    "a table twice": (
        "/Tables",
        edited(lambda p: (p["list"].append(p["list"][3]), p.update(totalCount=10))),
        TablesError,
    ),
    "a table is missing": (
        "/Tables",
        edited(lambda p: (p["list"].pop(2), p.update(totalCount=8))),
        VariablesError,
    ),
    "the last table is missing": (
        "/Tables",
        edited(lambda p: (p["list"].pop(), p.update(totalCount=8))),
        VariablesError,
    ),
    "two master tables": ("/Tables", flawed(parentTable=""), TablesError),
    "no master table": (
        "/Tables",
        edited(lambda p: p["list"][0].update(parentTable="People")),
        TablesError,
    ),
    "a table is its own parent": (
        "/Tables",
        edited(lambda p: p["list"][3].update(parentTable=p["list"][3]["name"])),
        TablesError,
    ),
    "no tables": ("/Tables", edited(lambda p: p.update(list=[], totalCount=0)), TablesError),
    "a variable twice": ("/Variables", flawed(name="boDest"), VariablesError),
    "a variable of an unknown table": ("/Variables", flawed(tableName="Nowhere"), VariablesError),
    "a variable of a table in other letters": (
        "/Variables",
        flawed(tableName="people"),
        VariablesError,
    ),
}


@pytest.mark.parametrize(("path", "fault", "kind"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_contradictions(meet: Meet, path: str, fault: Fault, kind: type[AptecoFramesError]) -> None:
    """Lists that do not fit each other are an error that names the system."""
    with FaultyServer(fault, path) as server:
        text = meet(server, kind=kind)
    assert "holidays" in text


@pytest.mark.parametrize(("place", "says"), [(-1, True), (1, False)])
def test_hidden_children(place: int, says: bool) -> None:
    """Tables that have other children than they say warn, and keep nobody out."""
    hidden = edited(lambda p: p["list"][place].update(hasChildTables=says))
    with (
        FaultyServer(hidden, "/Tables") as server,
        pytest.warns(CatalogueWarning, match="'(People|Responses Attributed)'") as caught,
    ):
        session = server.login()
    assert [warning.filename for warning in caught] == [__file__]
    table = session.tables[place]
    assert (table.has_children, bool(table.children)) == (says, not says)


def test_total_too_small(meet: Meet) -> None:
    """A total that is smaller than the page it stands on is an error."""
    with FaultyServer(paged(total(lambda number: number - 1))) as server:
        meet(server, kind=ApiResultsError)


def test_variables_of_a_kind_unknown_and_tables_without(meet: Meet) -> None:
    """A kind that nobody knows and tables without variables keep nobody out."""
    unknown = edited(
        lambda page: [v.update(type="Sculpture", tableName="People") for v in page["list"]]
    )
    with FaultyServer(unknown) as server:
        session = server.login()
    assert {str(variable.type) for variable in session.variables} == {"Unknown"}
    assert len(session.tables["Bookings"].variables) == 0


def rebuilds(times: int) -> Fault:
    """Another build date at each request for the system, so many times."""
    done: list[int] = []

    def edit(system: Json) -> None:
        done.append(1)
        system["fastStatsBuildDate"] = f"2020-01-{min(len(done), times + 1):02}T00:00:00"

    return edited(edit)


@pytest.mark.parametrize("connections", [1, 4])
def test_rebuilt_once(meet: Meet, connections: int) -> None:
    """A system that is rebuilt in the middle is read once more."""
    with FaultyServer(rebuilds(1), "/holidays") as server:
        session = server.login(max_connections=connections)
        assert str(session.system_info.build_date) == "2020-01-02 00:00:00"
        assert session.variables == server.served.variables
        assert server.count("/Tables") == 2


def test_rebuilt_twice(meet: Meet) -> None:
    """A system that is rebuilt again and again is an error that says so."""
    with FaultyServer(rebuilds(9), "/holidays") as server:
        text = meet(server, kind=ApiResultsError)
        assert server.count("/Tables") == 2
    assert "rebuilt twice while it was read" in text


def test_no_build_comes_between(meet: Meet) -> None:
    """The build date is known before the first page is asked for, and asked for last."""
    with FaultyServer() as server:
        meet(server)
        paths = [asked.target.partition("?")[0].rpartition("/")[2] for asked in server.asked]
    assert (paths[1], paths[-1]) == ("holidays", "holidays")
    assert set(paths[2:-1]) == {"Tables", "Variables"}
