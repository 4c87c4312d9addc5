"""Real answers, spoilt: only our errors come out, or exactly what the bytes say.

``FUZZ_CASES`` sets how many of each kind; ``FUZZ_SEED`` which.
"""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests
import requests.adapters
from fuzz.mutations import spoilt_bytes, spoilt_json
from fuzz.reference import AmbiguousError, NotAPageError, read_page, same
from servers import RecordingServer
from strategies import tree_items

from apteco_frames import Catalogue, Session, schema
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.demo.api import Answer, Request
from apteco_frames.errors import (
    ApiResultsError,
    AptecoFramesError,
    AptecoFramesWarning,
    GatewayError,
    SnapshotError,
    TablesError,
    VariablesError,
)
from apteco_frames.orbit.decode import decode_page
from apteco_frames.orbit.load import ITEMS as FOLDER_ITEMS

CASES = int(os.environ.get("FUZZ_CASES", "60"))
SEED = int(os.environ.get("FUZZ_SEED", "20191127"))

Case = Callable[[Random], str]


def run(kind: str, case: Case, cases: int = CASES) -> None:
    """Run a case so many times, each with a generator of its own, and print how they end."""
    ends: Counter[str] = Counter()
    for number in range(cases):
        seed = f"{SEED} {kind} {number}"
        try:
            ends[case(Random(seed))] += 1
        except BaseException as error:
            error.add_note(f"Random({seed!r})")
            raise
    print(f"{cases:,} {kind}: {dict(ends.most_common())}")
    assert len(ends) > 1  # something was refused, and something was not


@pytest.fixture(scope="module")
def pages() -> dict[str, bytes]:
    """Pages as the demo server gives them."""
    server = DemoServer()
    with server:
        token = server.login().access_token
        path = "/OrbitAPI/Holidays/FastStatsSystems/holidays"
        return {
            kind: server.api.answer(
                Request("GET", f"{path}/{kind}?offset={offset}&count=9", f"Bearer {token}")
            ).body
            for kind, offset in PLACES.items()
        }


PLACES = {"Tables": 0, "Variables": 40, "Variables/boDest/Codes": 5, "Folders/Person": 0}
COLUMNS = {
    "Tables": schema.TABLES,
    "Variables": schema.VARIABLES,
    "Variables/boDest/Codes": schema.CODES,
    "Folders/Person": FOLDER_ITEMS,
}


def check_page(body: bytes, kind: str) -> str:
    """A page is refused with one of our errors, or read as it says."""
    try:
        page = decode_page(body, COLUMNS[kind], "http://localhost/OrbitAPI")
    except (ApiResultsError, GatewayError) as error:
        return type(error).__name__
    page.rows.validate(full=True)
    try:
        numbers, rows = read_page(body, COLUMNS[kind])
    except AmbiguousError:
        return "read, a field twice"
    except NotAPageError:
        raise AssertionError(f"read though it is no page: {body!r}") from None
    assert [page.offset, page.count, page.total] == numbers, body
    given = page.rows.to_pylist()
    assert len(given) == len(rows), body
    for row, expected in zip(given, rows, strict=True):
        for name, value in expected.items():
            assert same(row[name], value), f"{name}: {row[name]!r} for {value!r} in {body!r}"
    return "read"


@pytest.mark.parametrize("kind", COLUMNS)
def test_pages_of_spoilt_bytes(pages: dict[str, bytes], kind: str) -> None:
    """A page whose bytes are spoilt is refused, or read exactly."""
    run(f"pages of {kind}, bytes", lambda draw: check_page(spoilt_bytes(draw, pages[kind]), kind))


@pytest.mark.parametrize("kind", COLUMNS)
def test_pages_of_spoilt_json(pages: dict[str, bytes], kind: str) -> None:
    """A page whose values are spoilt is refused, or read exactly."""
    page = json.loads(pages[kind])

    def case(draw: Random) -> str:
        value = spoilt_json(draw, page)
        separators = draw.choice([(",", ":"), (", ", ": ")])
        text = json.dumps(value, ensure_ascii=draw.random() < 0.5, separators=separators)
        return check_page(text.encode("utf-8", "surrogatepass"), kind)

    run(f"pages of {kind}, JSON", case)


# Trees of tables


def naive_ancestors(parents: dict[str, str], name: str) -> list[str]:
    """The parent, its parent, and so on."""
    found = []
    while parents[name]:
        name = parents[name]
        found.append(name)
    return found


def spoilt_tree(draw: Random, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tables after one to three changes to who is whose child."""
    items = [dict(item) for item in items]
    for _ in range(draw.randint(1, 3)):
        one, other = draw.choice(items), draw.choice(items)
        match draw.randrange(7):
            case 0:
                one["parentTable"] = other["name"]
            case 1:
                one["name"] = other["name"] if draw.random() < 0.3 else one["name"] + " "
            case 2:
                one["hasChildTables"] = not one["hasChildTables"]
            case 3:
                items.insert(draw.randrange(len(items)), dict(one))
            case 4 if len(items) > 1:
                items.remove(one)
            case 5:
                draw.shuffle(items)
            case 6:
                one["parentTable"] = draw.choice(["", "Nowhere", one["name"].lower()])
        if draw.random() < 0.5:  # as a server that is at least true to itself
            with_children = {item["parentTable"] for item in items}
            for item in items:
                item["hasChildTables"] = item["name"] in with_children
    return items


def check_tree(items: list[dict[str, Any]]) -> str:
    """A list of tables is refused, or becomes the tree that it says."""
    body = json.dumps({"offset": 0, "count": 0, "totalCount": len(items), "list": items}).encode()
    try:
        raw = decode_page(body, schema.TABLES, "http://localhost").rows
        none = holidays().variables.arrow.slice(0, 0)
        catalogue = Catalogue(holidays().system_info, raw, none)
    except (TablesError, VariablesError, ApiResultsError) as error:
        return type(error).__name__
    parents = {item["name"]: item["parentTable"] for item in items}
    assert len(parents) == len(items) == len(catalogue.tables)
    for item, table in zip(items, catalogue.tables, strict=True):
        assert (table.name, table.parent_name) == (item["name"], item["parentTable"])
        assert table.total_records == item["totalRecords"]
        assert table.ancestor_names == naive_ancestors(parents, table.name)
        assert [child.name for child in table.children] == [
            name for name, parent in parents.items() if parent == table.name
        ]
        assert set(table.descendant_names) == {
            name for name in parents if table.name in naive_ancestors(parents, name)
        }
        assert table.has_children == item["hasChildTables"]
    return "a tree"


def test_spoilt_trees() -> None:
    """Tables whose relations are spoilt are refused, or are the tree that they say."""

    def case(draw: Random) -> str:
        names = [f"table {number}" for number in range(draw.randint(1, 12))]
        parents = {name: draw.choice(names[:i]) if i else "" for i, name in enumerate(names)}
        return check_tree(spoilt_tree(draw, tree_items(parents)))

    run("trees of tables", case)


# Serialised sessions


class Nowhere(requests.adapters.HTTPAdapter):
    """A network that leads nowhere."""

    def send(self, *args: Any, **options: Any) -> requests.Response:
        raise requests.ConnectionError


@pytest.fixture(scope="module")
def offline() -> Any:
    """A ``requests.Session`` without a network."""
    with requests.Session() as http:
        http.mount("http://", Nowhere())
        http.mount("https://", Nowhere())
        yield http


@pytest.fixture(scope="module")
def serialized() -> str:
    """A session as a string, with the catalogue."""
    with DemoServer() as server:
        session = server.login()
        _ = session.codes, session.folders
        return session.serialize(include_catalogue=True)


def check_string(text: str, http: requests.Session) -> str:
    """A string is refused, or the session has the whole catalogue."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            session = Session.deserialize(text, http=http, timeout=(0.01, 0.01, 0.01))
    except (AptecoFramesError, AptecoFramesWarning) as error:
        return type(error).__name__
    assert session.catalogue == holidays()
    assert session.system_info == holidays().system_info
    assert repr(session)
    assert isinstance(session.is_expired, bool)
    _ = session.token_expires_at
    assert Session.deserialize(session.serialize(include_catalogue=True)).tables == session.tables
    return "a session"


def test_strings_of_spoilt_bytes(serialized: str, offline: requests.Session) -> None:
    """A serialised session whose text is spoilt is refused, or gives the same catalogue."""
    short = json.dumps({**json.loads(serialized), "catalogue": "HERE"})
    head, tail = short.split('"HERE"')
    middle = json.dumps(json.loads(serialized)["catalogue"])

    def case(draw: Random) -> str:
        # The rest is as likely to be hit as the catalogue, though it is much shorter.
        parts = [head.encode(), middle.encode(), tail.encode()]
        number = draw.randrange(3)
        parts[number] = spoilt_bytes(draw, parts[number])
        return check_string(b"".join(parts).decode("utf-8", "surrogateescape"), offline)

    run("strings, bytes", case)


def test_strings_of_spoilt_json(serialized: str, offline: requests.Session) -> None:
    """A serialised session whose values are spoilt is refused, or gives the same catalogue."""
    values = json.loads(serialized)
    run(
        "strings, JSON",
        lambda draw: check_string(json.dumps(spoilt_json(draw, values)), offline),
    )


# Definitions


class OneAudience(RecordingServer):
    """A demo server with one audience, which may be spoilt."""

    body = b""

    def answer(self, request: Request) -> Answer:
        """What the API answers; of lists one audience and nothing else."""
        answer = super().answer(request)
        path = request.target.partition("?")[0]
        if path.endswith("/Audiences"):
            page = json.loads(answer.body)
            items = [item for item in page["list"] if item["id"] == 18]
            return Answer(200, json.dumps({**EMPTY, "totalCount": 1, "list": items}).encode())
        if path.endswith(("/Dashboards", "/AudienceCompositions/holidays")):
            return Answer(200, json.dumps(EMPTY).encode())
        return Answer(200, self.body) if path.endswith("/Audiences/18") else answer


EMPTY = {"offset": 0, "count": 0, "totalCount": 0, "list": []}


@pytest.mark.parametrize("how", ["bytes", "JSON"])
def test_spoilt_audiences(how: str) -> None:
    """An audience that is spoilt is refused, or its uses are under the declared schema."""
    with OneAudience() as server, server.login() as session:
        token = f"Bearer {session.access_token}"
        target = "/OrbitAPI/Holidays/Audiences/18"
        right = server.api.answer(Request("GET", target, token)).body
        session.load_codes()

        def case(draw: Random) -> str:
            if how == "bytes":
                server.body = spoilt_bytes(draw, right)
            else:
                server.body = json.dumps(spoilt_json(draw, json.loads(right))).encode()
            try:
                uses = session.load_uses()
            except (ApiResultsError, GatewayError) as error:
                return type(error).__name__ if "audience '18'" in str(error) else "unnamed"
            uses.arrow.validate(full=True)
            assert uses.arrow.schema == schema.USES_SCHEMA
            return "read"

        run(f"audiences, {how}", case)


# Files


def test_spoilt_files(tmp_path: Path) -> None:
    """A catalogue file whose bytes are spoilt is refused, or gives the same rows."""
    paths = holidays().write_parquet(tmp_path)
    bodies = {path: path.read_bytes() for path in paths}

    def case(draw: Random) -> str:
        path = draw.choice(paths)
        path.write_bytes(spoilt_bytes(draw, bodies[path]))
        try:
            catalogue = Catalogue.read_parquet(tmp_path)
            _ = catalogue.codes, catalogue.folders  # which are read on first use
        except SnapshotError:
            return "SnapshotError"
        finally:
            path.write_bytes(bodies[path])
        assert catalogue == holidays()
        return "the same rows"

    run("files", case)
