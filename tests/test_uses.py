"""Uses: who uses which variables and codes, as a session reads it and a catalogue keeps it."""

from __future__ import annotations

import base64
import json
import re
import warnings
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from servers import RecordingServer

from apteco_frames import Archive, Catalogue, Session, schema
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.demo.api import Answer, Request
from apteco_frames.errors import (
    AmbiguousKeyError,
    ApiError,
    ApiResultsError,
    CatalogueWarning,
    NotLoadedError,
    UnknownKeyError,
)
from apteco_frames.uses import BrokenUses, Uses


@pytest.fixture(scope="module")
def session() -> Session:
    """A session with Holidays, which has read who uses what, and all codes."""
    with DemoServer() as server:
        session = server.login()
        session.load_codes()
        session.load_uses(files="Public")
    return session


class Altered(RecordingServer):
    """A demo server some of whose answers are others.

    Args:
        others: by the end of what is asked for, status and JSON.
    """

    def __init__(self, others: dict[str, tuple[int, Any]], **options: Any) -> None:
        super().__init__(**options)
        self.others = others

    def answer(self, request: Request) -> Answer:
        for end, (status, value) in self.others.items():
            if request.target.partition("?")[0].endswith(end):
                return Answer(status, json.dumps(value).encode())
        return super().answer(request)


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    """A page that is a whole list."""
    return {"offset": 0, "count": len(items), "totalCount": len(items), "list": items}


REFUSED = {"code": 403, "id": 1, "message": "The user may not."}


def test_one_request_each() -> None:
    """One list of each kind, one request for each resource, and nothing twice."""
    with RecordingServer() as server:
        session = server.login()
        server.asked.clear()
        uses = session.uses
        asked = [
            line.partition("?")[0].removeprefix("GET /OrbitAPI/Holidays/")
            for line in server.request_lines
        ]
        counted = Counter(asked)
        # The codes of variables where blanks may have been left out come beside.
        resources_alone = Counter({k: n for k, n in counted.items() if "FastStats" not in k})
        assert set(resources_alone.values()) == {1}
        lists = {"Audiences", "Dashboards", "Users/Administrator/Dashboards"}
        lists |= {"AudienceCompositions/holidays"}
        assert lists <= counted.keys()
        resources = uses.frame.select("kind", "id").unique()
        rest = [path for path in counted if path not in lists and "FastStats" not in path]
        assert len(rest) >= len(resources)
        assert {path.split("/")[-1] for path in rest} >= set(resources["id"])
        assert any("includeBrief=false" in line for line in server.request_lines)
        server.asked.clear()
        assert session.uses is uses
        assert len(session.variables["boDest"].uses)
        assert server.asked == []


def test_by_variable_code_and_table(session: Session) -> None:
    """What uses a variable, a code or a table is found from there."""
    variable = session.variables["Destination"]
    titles = set(variable.uses.frame["title"])
    assert titles == {
        *("Swedes", "Scandinavia, without students", "Destination not known"),
        *("Bookings by destination", "Swedes.xml"),
    }
    assert set(variable.codes["29"].uses.frame["title"]) == {
        *("Swedes", "Scandinavia, without students", "Swedes.xml"),
    }
    # " !", which the audience has without the blank.
    assert set(variable.codes["Unclassified"].uses.frame["title"]) == {"Destination not known"}
    names = {v.name for v in session.tables["Policies"].variables}
    assert set(session.tables["Policies"].uses.frame["variable_name"]) <= names
    assert len(session.variables["boURN"].uses) == 0


def test_rows(session: Session) -> None:
    """A use says which resource it is, whose, and where in it."""
    uses = session.uses
    first = uses[0]
    assert first.to_dict() == {
        "kind": "audience",
        "id": "11",
        "title": "Swedes",
        "owner": "Administrator",
        "part": "includeQuery",
        "variable_name": "boDest",
        "code": "29",
        "source": "definition",
        "updated": first.updated,
        "hits": 37,
    }
    assert str(first.updated) == "2019-11-04 09:12:00"
    assert first.variable.name == "boDest"
    assert first in uses
    assert first not in uses.filter(kind="file")
    assert repr(first) == "<Use audience 11 'Swedes' uses boDest['29']>"
    assert uses["Swedes"] == first
    with pytest.raises(AmbiguousKeyError, match=re.escape("Have them all with .filter(title=")):
        uses["Winter sun, first offer"]
    gone = next(use for use in uses if use.variable_name == "peMailSt")
    with pytest.raises(UnknownKeyError):
        _ = gone.variable
    assert uses.arrow.schema == schema.USES_SCHEMA
    assert uses.filter(pl.col("hits") > 100).frame.equals(uses.frame.filter(pl.col("hits") > 100))
    assert set(uses.frame["kind"]) == set(schema.USE_KINDS)
    assert uses.filter(source="lookup").frame["title"].to_list() == ["Cost per night above 150"]


def test_user_without_the_right() -> None:
    """Who is no administrator gets what is their own or shared, and a warning says so."""
    with DemoServer(is_admin=False) as server:
        session = server.login()
        with pytest.warns(CatalogueWarning, match="these are the audiences of 'Administrator'"):
            uses = session.uses
    assert uses.unavailable == 0
    seen = uses.frame.filter(kind="audience")
    assert set(seen["owner"]) == {"Administrator", "campaigns", "insight", "agency"}
    with DemoServer() as server:
        whole = server.login().uses
    of_all = whole.frame.filter(kind="audience")
    assert 0 < seen["id"].n_unique() < of_all["id"].n_unique()


def test_no_licence_for_files() -> None:
    """Selection files that are refused are counted, and a warning says how many."""
    with DemoServer(is_admin=False) as server:
        session = server.login()
        with pytest.warns(CatalogueWarning, match="refuses the queries of 7 selection files"):
            uses = session.load_uses(files="Public")
    assert uses.unavailable == 7
    assert repr(uses).endswith("7 resources are missing: the API refused to show what they use.")
    assert "7 resources" in uses._repr_html_()
    assert uses[:3].unavailable == 7


def test_files() -> None:
    """Directories are walked, and only selections are asked for, each once."""
    with RecordingServer() as server:
        session = server.login()
        uses = session.load_uses(files=["Public", "Public/Campaigns", "/Public/"])
        posts = [
            json.loads(request.body)["path"]
            for request in server.asked
            if "GetFileSync" in request.target
        ]
        assert len(posts) == len(set(posts)) == 7
        assert set(uses.frame.filter(kind="file")["id"]) == set(posts)
        assert session.uses is uses
        everything = session.load_uses(files="")
        assert "Private/administrator/Test of towns.xml" in everything.frame["id"]
        with pytest.raises(ApiError, match="Nowhere"):
            session.load_uses(files="Nowhere")
        for wrong in (5, b"Public", [None]):
            with pytest.raises(TypeError, match="files"):
                session.load_uses(files=wrong)  # type: ignore[arg-type]


def test_newer_server() -> None:
    """Where a server lists the dashboards of all users, those are read, with tabs and tiles."""
    tile = {"title": "Map", "tileFilter": {"variableName": "boDest"}}
    detail = {
        "id": 7,
        "title": "All of us",
        "systemName": "holidays",
        "owner": {"username": "somebody"},
        "workbookItems": [{"title": "First", "dashboardTiles": [tile]}],
        "predefinedUserFilters": [{"variableName": "hoRegion"}],
    }
    items = (
        {"id": 7, "title": "All of us", "systemName": "holidays", "lastUpdateId": 99},
        {"id": 8, "title": "Elsewhere", "systemName": "other", "lastUpdateId": 99},
    )
    others = {"Holidays/Dashboards": (200, listed(*items)), "7/Updates/99": (200, detail)}
    with Altered(others) as server:
        uses = server.login().uses.filter(kind="dashboard")
        assert not any("Users" in line for line in server.request_lines)
        assert any("includeTabDetails=true" in line for line in server.request_lines)
    rows = uses.frame.select("part", "variable_name").rows()
    assert rows == [("workbookItems/First/Map", "boDest"), ("predefinedUserFilters", "hoRegion")]


def test_server_that_lists_no_updates() -> None:
    """Dashboards of all users without an update to ask for leave those of the user."""
    items = {"id": 7, "title": "All of us", "systemName": "holidays"}
    with Altered({"Holidays/Dashboards": (200, listed(items))}) as server:
        uses = server.login().uses.filter(kind="dashboard")
        assert any("Users" in line for line in server.request_lines)
    assert "All of us" not in uses.frame["title"]


def test_gone_and_refused() -> None:
    """What is gone meanwhile is left out, what is refused is counted."""
    others = {"Audiences/11": (404, REFUSED), "Audiences/12": (403, REFUSED)}
    with Altered(others) as server:
        uses = server.login().uses
    assert not {"11", "12"} & set(uses.frame["id"])
    assert uses.unavailable == 1


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ((200, listed()), "to administrators only"),
        ((403, REFUSED), "does not list the audiences of system 'holidays'"),
        ((404, REFUSED), "does not list the audiences of system 'holidays'"),
    ],
)
@pytest.mark.parametrize("status", [403, 404])
def test_lists_of_audiences(status: int, own: tuple[int, Any], says: str) -> None:
    """Where not all audiences are listed, or none, that is told, whatever the status."""
    others = {"Holidays/Audiences": (status, REFUSED), "Administrator/Audiences": own}
    with Altered(others) as server:
        session = server.login()
        with pytest.warns(CatalogueWarning, match=says) as told:
            assert "audience" not in session.uses.frame["kind"]
        assert len(told) == 1


def test_dashboard_without_an_update() -> None:
    """A dashboard that the list of a newer server gives no update of is asked for by itself."""
    page = listed({"id": 8, "title": "Old", "systemName": "holidays", "lastUpdateId": None})
    detail = {"id": 8, "title": "Old", "tileFilter": {"variableName": "boDest"}}
    others = {"Holidays/Dashboards": (200, page), "Administrator/Dashboards/8": (200, detail)}
    with Altered(others) as server:
        assert server.login().uses["Old"].variable_name == "boDest"


def test_file_without_a_query() -> None:
    """A selection file whose query the API does not give is counted, not passed over."""
    with Altered({"GetFileSync": (200, {"title": "Old", "ranSuccessfully": False})}) as server:
        session = server.login()
        with pytest.warns(CatalogueWarning, match="7 selection files"):
            assert session.load_uses(files="Public").unavailable == 7


def test_refused_without_a_word() -> None:
    """A refusal without a word is the API's as well."""

    class Silent(RecordingServer):
        def answer(self, request: Request) -> Answer:
            found = super().answer(request)
            return Answer(403) if "Audiences/12" in request.target else found

    with Silent() as server:
        assert server.login().uses.unavailable == 1


def test_another_system() -> None:
    """What is of another system, by the list or by itself, is left out."""
    ours = {"id": 1, "title": "Ours", "systemName": None}
    theirs = {"id": 2, "title": "Theirs", "systemName": "other"}
    query = {"includeQuery": {"variableName": "boDest"}}
    others = {
        "Holidays/Audiences": (200, listed(ours, theirs)),
        "Audiences/1": (200, {**ours, **query, "systemName": "other"}),
        "Audiences/2": (500, {}),
    }
    with Altered(others) as server:
        assert len(server.login().uses.filter(kind="audience")) == 0


MALFORMED: dict[str, Any] = {
    "a list": [],
    "no query": {"id": 11, "includeQuery": "boDest"},
    "no name": {"id": 11, "includeQuery": {"variableName": 5}},
    "nothing": {},
    "another": {"id": 12, "includeQuery": {"variableName": "boDest"}},
    "no date": {"id": 11, "lastUpdatedDate": "soon"},
    "no number": {"id": 11, "numberOfHits": "7"},
    "no owner": {"id": 11, "owner": []},
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_malformed(value: Any) -> None:
    """A malformed resource is an error that names its kind, id and title."""
    with Altered({"Audiences/11": (200, value)}) as server:
        session = server.login()
        with pytest.raises(ApiResultsError, match=re.escape("audience '11' ('Swedes')")):
            _ = session.uses
        server.others = {}
        assert len(session.uses)


def test_deep_query() -> None:
    """A query of five hundred clauses within each other is read from the wire."""
    clause: dict[str, Any] = {"variableName": "boDest", "list": "29"}
    text = json.dumps(clause)
    for _ in range(500):
        text = f'{{"logic": {{"operands": [{text}]}}}}'

    class Deep(RecordingServer):
        def answer(self, request: Request) -> Answer:
            body = f'{{"id": 11, "title": "Deep", "includeQuery": {text}}}'.encode()
            return (
                Answer(200, body) if "Audiences/11" in request.target else super().answer(request)
            )

    with Deep() as server:
        uses = server.login().uses
    assert uses["Deep"].code == "29"


def test_progress() -> None:
    """Progress goes from one resource to all of them."""
    told: list[tuple[int, int]] = []
    with DemoServer() as server:
        server.login().load_uses(progress=lambda *done: told.append(done))
    assert told == [(number, 31) for number in range(1, 32)]


def fewer(session: Session) -> Catalogue:
    """A newer build without a variable and a code, and with another type of a variable."""
    whole = session.catalogue
    variables = whole.variables.frame.filter(pl.col("name") != "deGrade").with_columns(
        api_type=pl.when(name="boCost").then(pl.lit("Text")).otherwise("api_type")
    )
    codes = whole.codes.frame.filter(
        pl.col("variable_name") != "deGrade",
        ~((pl.col("code") == "29") & (pl.col("variable_name") == "boDest")),
    )
    return Catalogue(whole.system_info, whole.tables, variables, codes)


def test_broken(session: Session) -> None:
    """Uses of what is gone, or of another type now, are broken; each says why."""
    broken = session.uses.broken(fewer(session))
    assert isinstance(broken, BrokenUses)
    assert broken.arrow.schema == schema.BROKEN_USES_SCHEMA
    reasons = {(use.variable_name, use.code): use.why for use in broken}  # type: ignore[attr-defined]
    assert reasons == {
        ("peMailSt", None): "variable gone",
        **{("deGrade", code): "variable gone" for code in (None, "1", "2", "3")},
        ("boDest", "29"): "code gone",
        ("boCost", None): "type changed",
    }
    assert broken.filter(why="code gone").frame["title"].to_list() == [
        *("Swedes", "Scandinavia, without students", "Swedes.xml"),
    ]
    assert repr(broken[0]) == "<BrokenUse audience 11 'Swedes' uses boDest['29']: code gone>"
    # Of the build that they were read with, only what was gone already.
    assert set(session.uses.broken(session).frame["variable_name"]) == {"peMailSt"}
    with pytest.raises(TypeError, match="broken"):
        session.uses.broken(5)


def test_broken_since(session: Session) -> None:
    """An older catalogue tells of which type a variable was."""
    whole = session.catalogue
    older = Catalogue(
        whole.system_info,
        whole.tables,
        whole.variables.frame.with_columns(
            api_type=pl.when(name="boCost").then(pl.lit("Text")).otherwise("api_type")
        ),
    )
    found = session.uses.broken(session, older=older).filter(why="type changed")
    assert set(found.frame["variable_name"]) == {"boCost"}


def test_broken_without_codes(session: Session) -> None:
    """Where the codes are not known, a warning says that they were not compared."""
    whole = session.catalogue
    without = Catalogue(whole.system_info, whole.tables, whole.variables)
    with pytest.warns(CatalogueWarning, match="codes that are gone were not looked for there"):
        assert len(session.uses.broken(without)) == 1


def test_changes_with_users(session: Session) -> None:
    """Changes say who uses what changed, and a removal of what is used is breaking."""
    plain, told = (fewer(session).diff(session, uses=uses) for uses in (None, session.uses))
    assert plain.frame["used_by"].null_count() == len(plain)
    assert plain.frame.drop("severity", "used_by").equals(told.frame.drop("severity", "used_by"))
    variable = told["deGrade"]
    assert variable.used_by == {"audience": 1, "dashboard": 1}
    code = told['boDest["29"]']
    assert (code.severity, code.used_by) == ("breaking", {"audience": 2, "file": 1})
    assert plain['boDest["29"]'].severity == "notable"
    assert plain['boDest["29"]'].used_by is None
    changed = told.filter(name="boCost", column="type")[0]
    assert changed.used_by == {"audience": 2, "dashboard": 1}
    # What nobody uses is as it was.
    unused = told.frame.filter(pl.col("used_by").is_null())
    assert unused.equals(
        plain.frame.join(unused, on=["noun", "name", "column"], how="semi", nulls_equal=True)
    )
    with pytest.raises(TypeError, match="uses= takes a frame of uses"):
        fewer(session).diff(session, uses=5)  # type: ignore[arg-type]


def test_a_table_that_is_used(session: Session) -> None:
    """A table that is gone is used by all who use one of its variables."""
    whole = session.catalogue
    smaller = Catalogue(
        whole.system_info,
        whole.tables.filter(pl.col("name") != "Policies"),
        whole.variables.filter(pl.col("table_name") != "Policies"),
    )
    assert smaller.diff(whole, uses=session.uses)["Policies"].used_by == {
        "audience": 1,
        "dashboard": 1,
    }


def test_kept_with_a_catalogue(session: Session, tmp_path: Path) -> None:
    """Uses are kept in a file of their own, which may be left out or deleted."""
    paths = session.catalogue.write_parquet(tmp_path)
    assert [path.name for path in paths][-1] == "uses.parquet"
    for path in paths[:-1]:
        assert b"Swedes" not in path.read_bytes()
    saved = Catalogue.read_parquet(tmp_path)
    assert saved.uses == session.uses
    assert saved.has_uses
    assert saved.variables["boDest"].codes["29"].uses == session.uses.filter(code="29")
    paths[-1].unlink()
    saved = Catalogue.read_parquet(tmp_path)
    assert not saved.has_uses
    with pytest.raises(NotLoadedError, match=re.escape("session.load_uses()")):
        _ = saved.variables["boDest"].uses
    session.catalogue.write_parquet(tmp_path)
    session.catalogue.write_parquet(tmp_path, uses=False)
    assert not (tmp_path / "uses.parquet").exists()
    assert saved == session.catalogue


def test_unavailable_is_kept(tmp_path: Path) -> None:
    """How many were refused is kept as well."""
    with Altered({"Audiences/12": (403, REFUSED)}) as server:
        session = server.login()
        assert session.uses.unavailable == 1
    session.catalogue.write_parquet(tmp_path)
    assert Catalogue.read_parquet(tmp_path).uses.unavailable == 1


def test_archive_on_demand(session: Session, tmp_path: Path) -> None:
    """An archive keeps uses if it is told to, and replaces them; other builds have none."""
    archive = Archive(tmp_path)
    assert archive.add(session)
    assert not archive.catalogue("holidays").has_uses
    assert not archive.add(session, uses=True)
    assert archive.catalogue("holidays").uses == session.uses
    part = Catalogue(
        holidays().system_info, *(session.tables, session.variables), uses=session.uses[:5].frame
    )
    assert not archive.add(part, uses=True)
    assert archive.catalogue("holidays").uses == session.uses[:5]
    with pytest.raises(NotLoadedError):
        archive.add(holidays(), uses=True)
    archive.prune(keep_last=1)
    assert archive.catalogue("holidays").has_uses
    assert not archive.clean()


def test_cache_on_demand(tmp_path: Path) -> None:
    """A cache keeps uses if it is told to; they are read anew if that is asked for."""
    with RecordingServer() as server:
        for options, number in (({}, 1), ({"uses": True}, 1), ({"uses": True}, 0), ({}, 1)):
            session = server.login(cache=tmp_path, **options)
            server.asked.clear()
            uses = session.uses
            assert sum("/Audiences/11" in line for line in server.request_lines) == number
            assert uses.arrow.schema == schema.USES_SCHEMA
            assert session.catalogue.uses == uses
        assert len(list(tmp_path.rglob("uses.parquet"))) == 1


def test_dictionary_on_demand(session: Session, tmp_path: Path) -> None:
    """A dictionary says who uses what if it is told to, and names nobody otherwise."""

    def packed(*, uses: bool = False) -> bytes:
        text = session.write_html(tmp_path / "holidays.html", uses=uses).read_text("utf-8")
        found = re.findall("[A-Za-z0-9+/=]{1000,}", text)
        return zlib.decompress(base64.b64decode(max(found, key=len)))

    line = b"Destination not known (audience of Administrator)"
    assert line not in packed()
    assert b"campaigns" not in packed()
    assert line in packed(uses=True)
    assert b"Upgrade to gold (audience of campaigns)" in packed(uses=True)
    with pytest.raises(NotLoadedError):
        holidays().write_html(tmp_path / "none.html", uses=True)


def test_not_loaded() -> None:
    """A catalogue that was saved without them says how to get them."""
    for act in (
        lambda: holidays().uses,
        lambda: holidays().variables["boDest"].uses,
        lambda: holidays().tables["People"].uses,
        lambda: holidays().variables["boDest"].codes["29"].uses,
    ):
        with pytest.raises(NotLoadedError, match="has no uses"):
            act()


def test_nobody_uses(session: Session) -> None:
    """The variables that nobody uses, as the documentation has it."""
    used = session.uses.frame["variable_name"].to_list()
    unused = session.variables.filter(~pl.col("name").is_in(used))
    assert "boURN" in unused
    assert "boDest" not in unused
    assert all(not len(variable.uses) for variable in unused)


def test_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    """An administrator of an older server is warned of nothing."""
    with warnings.catch_warnings(), DemoServer() as server:
        warnings.simplefilter("error")
        assert isinstance(server.login().uses, Uses)
