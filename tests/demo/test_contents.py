"""Codes, folders and the list of everything, asked for over real HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from demo.client import SYSTEM, Client, check_error
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to

from apteco_frames import Catalogue
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.schema import CODES_SCHEMA, FOLDERS_SCHEMA

ALL = 2**31 - 1
CODES = holidays().codes.arrow.to_pylist()
FOLDERS = holidays().folders.arrow.to_pylist()
VARIABLES = holidays().variables
SELECTORS = [variable.name for variable in VARIABLES if variable.api_type == "Selector"]


def codes_of(name: str) -> list[dict[str, Any]]:
    """The codes of a variable of Holidays as the API's items."""
    return [
        {key: row[key] for key in ("code", "description", "count")}
        for row in CODES
        if row["variable_name"] == name
    ]


@contextmanager
def client_of(
    codes: pa.Table | None, folders: pa.Table | None, unavailable: Iterable[str] = ()
) -> Iterator[Client]:
    """A client of a server of Holidays with other codes and folders."""
    whole = holidays()
    frames = whole.tables, whole.variables, codes, folders
    with DemoServer(Catalogue(whole.system_info, *frames, unavailable=unavailable)) as server:
        client = Client(server)
        with client.http:
            yield client


# Codes


def test_codes_of_every_selector(client: Client) -> None:
    """Each selector gives its codes in order, as many as it declares, blanks included."""
    for name in SELECTORS:
        page = client.get(f"{SYSTEM}/Variables/{quote(name)}/Codes", count=ALL)
        assert page["list"] == codes_of(name)
        assert page["totalCount"] == VARIABLES.names[name].to_dict()["num_codes"]


def test_first_page_of_codes(client: Client) -> None:
    """Without being asked for more the server gives ten codes."""
    page = client.get(f"{SYSTEM}/Variables/boDest/CODES")
    assert (page["offset"], page["count"], page["totalCount"]) == (0, 10, 20)
    assert page["list"] == codes_of("boDest")[:10]
    assert page["list"][0] == {"code": " !", "description": "Unclassified", "count": 67012}


@given(offset=st.integers(0, 130), count=st.integers(0, 130) | st.just(ALL))
def test_any_page_of_codes(client: Client, offset: int, count: int) -> None:
    """Any offset and count give that slice of the codes."""
    page = client.get(f"{SYSTEM}/Variables/boKeyCd/Codes", offset=offset, count=count)
    assert page["list"] == codes_of("boKeyCd")[offset : offset + count]
    assert (page["offset"], page["count"], page["totalCount"]) == (offset, min(count, 101), 101)


def test_refreshing_codes(client: Client) -> None:
    """A POST, which makes a real server read codes anew, answers with codes, too."""
    path = f"{SYSTEM}/Variables/boProd/Codes"
    assert client.ask("POST", path).json() == client.get(path)


def test_codes_that_are_not_there(client: Client) -> None:
    """What is no selector has no codes, and what is no variable isn't found."""
    for variable in VARIABLES:
        if variable.api_type != "Selector":
            answer = client.ask("GET", f"{SYSTEM}/Variables/{quote(variable.name)}/Codes")
            assert "no selector" in check_error(answer, 400)
    for method in ("GET", "POST"):
        answer = client.ask(method, f"{SYSTEM}/Variables/Destination/Codes")
        assert "'Destination'" in check_error(answer, 404)
    check_error(client.ask("DELETE", f"{SYSTEM}/Variables/boDest/Codes"), 404)
    check_error(client.ask("GET", f"{SYSTEM}/Variables/boDest/Codes/29"), 404)


def test_codes_to_the_letter() -> None:
    """Blanks, empty descriptions and counts that are not known come as they are."""
    rows = [(" x ", "", None), ("", "£\u2028", 0), ("  ", "same", 2**63 - 1), ("y", "same", -1)]
    table = pa.Table.from_pylist(
        [
            {
                "variable_name": "boDest",
                "variable_description": "Destination",
                "table_name": "Bookings",
                "position": position,
                "code": code,
                "description": description,
                "count": count,
            }
            for position, (code, description, count) in enumerate(rows)
        ],
        CODES_SCHEMA,
    )
    with client_of(table, None) as client:
        items = client.get(f"{SYSTEM}/Variables/boDest/Codes")["list"]
        none = client.get(f"{SYSTEM}/Variables/boProd/Codes")
    assert [tuple(item.values()) for item in items] == rows
    assert none == {"offset": 0, "count": 0, "totalCount": 0, "list": []}


def test_catalogue_without_codes_and_folders() -> None:
    """What is not known is not found; an empty list would say that there is none."""
    with client_of(None, None) as client:
        answer = client.ask("GET", f"{SYSTEM}/Variables/boDest/Codes")
        assert "lacks codes" in check_error(answer, 404)
        check_error(client.ask("GET", f"{SYSTEM}/Variables/boCost/Codes"), 400)
        for path in ("/Folders", "/Folders/Booking", "/All"):
            assert "nothing at this path" in check_error(client.ask("GET", SYSTEM + path), 404)


def test_codes_that_were_refused() -> None:
    """Codes that the reader of the catalogue was refused are refused again."""
    with client_of(holidays().codes.arrow.slice(0, 15), None, ["boDest"]) as client:
        answer = client.ask("GET", f"{SYSTEM}/Variables/boDest/Codes")
        assert "'boDest'" in check_error(answer, 403)
        assert client.get(f"{SYSTEM}/Variables/hoRegion/Codes")["totalCount"] == 15


# Folders


def walk(client: Client, *names: str) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Each folder below one, with the names of the variables in it, depth first."""
    path = "".join("/" + quote(name, safe="") for name in names)
    for node in client.get(f"{SYSTEM}/Folders{path}", count=ALL)["list"]:
        if "folder" in node:
            folder = node["folder"]
            below = "/".join(quote(name, safe="") for name in (*names, folder["name"]))
            nodes = client.get(f"{SYSTEM}/Folders/{below}", count=ALL)["list"]
            variables = [node["variable"]["name"] for node in nodes if "variable" in node]
            yield folder, variables
            yield from walk(client, *names, folder["name"])


def test_folders_of_holidays(client: Client) -> None:
    """A walk through the folders finds each of them with its variables."""
    fields = ("path", "name", "description")
    expected = [({f: row[f] for f in fields}, row["variable_names"]) for row in FOLDERS]
    assert list(walk(client)) == expected


def test_nodes_are_whole(client: Client) -> None:
    """A node is a folder or a whole variable; folders come first."""
    nodes = client.get(f"{SYSTEM}/folders/Booking", count=ALL)["list"]
    assert [list(node) for node in nodes] == [["folder"]] + [["variable"]] * (len(nodes) - 1)
    for node in nodes[1:]:
        assert client.get(f"{SYSTEM}/Variables/{node['variable']['name']}") == node["variable"]


def test_first_page_of_a_folder(client: Client) -> None:
    """Without being asked for more the server gives ten nodes."""
    page = client.get(f"{SYSTEM}/Folders/Booking")
    assert (page["count"], page["totalCount"], len(page["list"])) == (10, 11, 10)


@pytest.mark.parametrize("path", ["Booking/Destination", "booking", "Destination Details", "x/y"])
def test_unknown_folder(client: Client, path: str) -> None:
    """A folder is found by the names from the top, to the letter."""
    assert path in check_error(client.ask("GET", f"{SYSTEM}/Folders/{quote(path)}"), 404)


def folder_table(parents: list[int | None], names: list[str]) -> pa.Table:
    """Folders with the variables of Holidays, every third twice; each after its parent."""
    inside: list[list[str]] = [[] for _ in names]
    for number, variable in enumerate(VARIABLES):
        for place in range(number, number + 1 + (number % 3 == 0)):
            inside[place % len(names)].append(variable.name)
    rows = [
        {
            "path": f"#{place}",
            "name": name,
            "description": f"{name}!",
            "parent_path": None if parent is None else f"#{parent}",
            "depth": 0,
            "position": 0,
            "variable_count": 0,
            "total_variable_count": 0,
            "variable_names": list(dict.fromkeys(inside[place])),
        }
        for place, (parent, name) in enumerate(zip(parents, names, strict=True))
    ]
    return pa.Table.from_pylist(rows, FOLDERS_SCHEMA)


# A dot or two mean another place in a URL, for every HTTP client.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text.strip(".")
)


@settings(max_examples=up_to(20), deadline=None)
@given(st.data(), st.lists(NAMES | st.sampled_from(["A/B", "%2F", "A"]), min_size=1, max_size=8))
def test_any_folders(data: st.DataObject, names: list[str]) -> None:
    """Any tree with any names is walked, names with a "/" and names on two branches included."""
    places = range(len(names))
    parents = [data.draw(st.none() | st.integers(0, i - 1)) if i else None for i in places]
    # Two of one name in one folder would have one address.
    siblings: set[tuple[int | None, str]] = set()
    for place in places:
        while (parents[place], names[place]) in siblings:
            names[place] += "'"
        siblings.add((parents[place], names[place]))
    table = folder_table(parents, names)
    with client_of(None, table) as client:
        found = {folder["path"]: (folder["name"], below) for folder, below in walk(client)}
    assert found == {row["path"]: (row["name"], row["variable_names"]) for row in table.to_pylist()}


def test_variables_outside_of_folders() -> None:
    """Variables that no folder holds are at the top, after the folders."""
    folders = holidays().folders.arrow
    with client_of(None, folders.slice(0, 1)) as client:
        nodes = client.get(f"{SYSTEM}/Folders", count=ALL)["list"]
    names = [variable.name for variable in VARIABLES if variable.folder_name != "Household"]
    assert nodes[0]["folder"]["name"] == "Household"
    assert [node["variable"]["name"] for node in nodes[1:]] == names


# Everything


def everything(client: Client, counts: bool) -> list[dict[str, Any]]:
    """What the list of everything should be, by the other lists."""
    options = {"count": ALL}
    tables = client.get(f"{SYSTEM}/Tables", **options)["list"]
    items: list[dict[str, Any]] = [
        {"type": "Table", "table": {k: table[k] for k in ("name", "pluralDisplayName")}}
        for table in tables
    ]
    items += [{"type": "Folder", "folder": folder} for folder, _ in walk(client)]
    for variable in client.get(f"{SYSTEM}/Variables", **options)["list"]:
        items.append({"type": "Variable", "variable": variable})
        items += [
            {
                "type": "VarCode",
                "variable": variable,
                "varCode": code if counts else {**code, "count": None},
            }
            for code in codes_of(variable["name"])
        ]
    return items


@pytest.mark.parametrize("counts", [True, False])
def test_everything(client: Client, counts: bool) -> None:
    """Tables, folders, variables and codes come in one list, with or without counts."""
    page = client.get(f"{SYSTEM}/All", count=ALL, includeVarCodeCounts=str(counts).lower())
    assert page["list"] == everything(client, counts)
    assert page["totalCount"] == len(page["list"]) == 9 + len(FOLDERS) + 94 + len(CODES)
    if counts:
        assert client.get(f"{SYSTEM}/All", count=ALL) == page


@pytest.fixture(scope="module")
def whole(client: Client) -> dict[str, Any]:
    """Everything on one page."""
    page: dict[str, Any] = client.get(f"{SYSTEM}/All", count=ALL)
    return page


@settings(max_examples=up_to(50), deadline=None)
@given(offset=st.integers(0, 1200), count=st.integers(0, 300))
def test_any_page_of_everything(
    client: Client, whole: dict[str, Any], offset: int, count: int
) -> None:
    """Any offset and count give that slice of everything."""
    page = client.get(f"{SYSTEM}/All", offset=offset, count=count)
    assert page["list"] == whole["list"][offset : offset + count]
    assert page["totalCount"] == whole["totalCount"]


@pytest.mark.parametrize("value", ["1", "yes", " true"])
def test_bad_flag(client: Client, value: str) -> None:
    """What is neither true nor false is refused, with its name."""
    answer = client.ask("GET", f"{SYSTEM}/All", params={"includeVarCodeCounts": value})
    assert check_error(answer, 400).startswith("includeVarCodeCounts")
