"""Sessions with a cache: what is asked of the server, and what is taken from disk."""

from __future__ import annotations

import json
import os
import pickle
import warnings
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from servers import RecordingServer
from strategies import as_logged_in, catalogue_of, table_item, variable_item

from apteco_frames import Catalogue, Session
from apteco_frames.demo import holidays
from apteco_frames.demo.api import Answer, DemoApi, Request
from apteco_frames.errors import CacheWarning, CatalogueWarning, CodesError
from apteco_frames.system import FastStatsSystem

PROBE = ["/holidays", "/holidays/Variables?offset=0&count=1"]


class Rebuildable(RecordingServer):
    """A demo server that notes what it is asked, and whose systems can be changed.

    Attributes:
        read: what was asked of systems: the ends of paths, with their queries.
        refused: names of variables whose codes are refused.
    """

    def __init__(self, catalogue: Catalogue | None = None, **options: Any) -> None:
        super().__init__(catalogue, **options)
        self.read: list[str] = []
        self.refused: set[str] = set()
        self._now: tuple[DemoApi, str] | None = None

    def rebuild(self, catalogue: Catalogue) -> None:
        """Serve another catalogue to those who are logged in."""
        api = DemoApi(catalogue)
        form = f"UserLogin={self.user}&Password={self.password}".encode()
        path = f"/OrbitAPI/{catalogue.system_info.view_name}/Sessions/SimpleLogin"
        details = json.loads(api.answer(Request("POST", path, body=form)).body)
        self._now = api, f"Bearer {details['accessToken']}"

    def answer(self, request: Request) -> Answer:
        """What the first catalogue has, or something in its place."""
        answer = super().answer(request)
        path = unquote(request.target).partition("/FastStatsSystems")[2]
        if not path or answer.status == 401:
            return answer
        self.read.append(path)
        before, codes, _ = path.partition("/Codes")
        if codes and before.rpartition("/")[2] in self.refused:
            return Answer(403, b'{"message": "no right", "id": 1, "code": 403}')
        if self._now:
            api, bearer = self._now
            return api.answer(request._replace(authorization=bearer))
        return answer

    def asked_since(self, count: int) -> list[str]:
        """What was asked after so many requests."""
        return sorted(self.read[count:])


@pytest.fixture
def server() -> Iterator[Rebuildable]:
    """A running server of Holidays."""
    with Rebuildable() as running:
        yield running


def with_(catalogue: Catalogue, **system: Any) -> Catalogue:
    """The catalogue as that of a system with other details."""
    info = FastStatsSystem(**{**catalogue.system_info._asdict(), **system})
    codes, folders = catalogue.codes, catalogue.folders
    return Catalogue(info, catalogue.tables, catalogue.variables, codes, folders)


def described(catalogue: Catalogue, description: str) -> Catalogue:
    """The catalogue with another description for its first variable."""
    rows = catalogue.variables.arrow
    place = rows.schema.get_field_index("description")
    texts = [description, *rows["description"].to_pylist()[1:]]
    rows = rows.set_column(place, rows.schema.field(place), pa.array(texts))
    whole = catalogue.system_info, catalogue.tables, rows, catalogue.codes, catalogue.folders
    return Catalogue(*whole)


# Logging in


def test_first_login(server: Rebuildable, tmp_path: Path) -> None:
    """With an empty cache the catalogue is read as without one."""
    session = server.login(cache=tmp_path)
    assert session.catalogue == server.login().catalogue
    assert any("/Tables" in asked for asked in server.read)


def test_second_login(server: Rebuildable, tmp_path: Path) -> None:
    """Then it comes from disk: two small requests are made, and all else is the same."""
    first = server.login(cache=tmp_path)
    before = len(server.read)
    second = server.login(cache=tmp_path)
    assert server.asked_since(before) == PROBE
    assert second.catalogue == first.catalogue
    assert second.variables.frame.equals(first.variables.frame)
    assert second.variables.arrow.schema.equals(first.variables.arrow.schema, check_metadata=True)
    assert second.system_info == first.system_info
    assert second.variables["Destination"].table is second.tables["Bookings"]


def test_cache_in_the_folder_that_is_told(
    server: Rebuildable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``cache=True`` keeps catalogues where the environment says."""
    monkeypatch.setenv("APTECO_FRAMES_CACHE_DIR", str(tmp_path / "told"))
    server.login(cache=True)
    before = len(server.read)
    server.login(cache=str(tmp_path / "told"))
    assert server.asked_since(before) == PROBE


@pytest.mark.parametrize("cache", [None, False])
def test_no_cache(
    server: Rebuildable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: bool | None
) -> None:
    """Nothing is kept unless asked for."""
    monkeypatch.setenv("APTECO_FRAMES_CACHE_DIR", str(tmp_path))
    server.login(cache=cache).folders  # noqa: B018 - it reads them
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cache", [5, b"folder", ["folder"]])
def test_what_is_no_folder(server: Rebuildable, cache: Any) -> None:
    """What is no folder is refused before anything is sent."""
    with pytest.raises(TypeError, match=r"cache= takes True or a folder, not "):
        server.login(cache=cache)
    with pytest.raises(ValueError, match="not an empty text"):
        server.login(cache="")
    assert server.read == []


def test_another_user(server: Rebuildable, tmp_path: Path) -> None:
    """Another user's catalogue is another one, since rights differ."""
    server.login(cache=tmp_path)
    server.api.user["username"] = "jdoe"
    before = len(server.read)
    server.login(cache=tmp_path)
    assert any("/Tables" in asked for asked in server.read[before:])


def test_rebuilt(server: Rebuildable, tmp_path: Path) -> None:
    """A system that was rebuilt is read anew; the cache has both builds then."""
    server.login(cache=tmp_path)
    server.rebuild(with_(described(holidays(), "New"), build_date=datetime(2026, 11, 25)))
    session = server.login(cache=tmp_path)
    assert session.system_info.build_date == datetime(2026, 11, 25)
    assert session.variables[0].description == "New"
    server.rebuild(holidays())
    before = len(server.read)
    assert server.login(cache=tmp_path).catalogue == as_logged_in(holidays())
    assert server.asked_since(before) == PROBE


def test_virtual_variable_made_since(tmp_path: Path) -> None:
    """Another number of variables of one build means reading anew, codes too."""
    items = [variable_item("a"), variable_item("b")]
    with Rebuildable(catalogue_of([table_item()], items)) as server:
        with suppress(CodesError):  # the demo has none for these
            server.login(cache=tmp_path).codes  # noqa: B018
        more = catalogue_of([table_item()], [*items, variable_item("c")])
        server.rebuild(more)
        session = server.login(cache=tmp_path)
        assert session.catalogue == more
        assert server.login(cache=tmp_path).catalogue == more


def test_no_variables(tmp_path: Path) -> None:
    """A system without variables, and so without codes, is kept as others are."""
    empty = catalogue_of([table_item()])
    with Rebuildable(empty) as server:
        server.login(cache=tmp_path)
        before = len(server.read)
        session = server.login(cache=tmp_path)
        assert session.catalogue == empty
        assert len(session.codes) == len(session.variables) == 0
        assert server.asked_since(before) == ["/testing", "/testing/Variables?offset=0&count=1"]


def test_unknown_kinds_are_told_each_time(tmp_path: Path) -> None:
    """What is odd about a catalogue is warned of when it comes from disk, too."""
    odd = catalogue_of([table_item()], [variable_item("a", kind="Hologram")])
    with Rebuildable(odd) as server:
        for _ in range(2):
            with pytest.warns(CatalogueWarning, match="'a' \\(Hologram\\)"):
                server.login(cache=tmp_path)
    assert "count=1" in server.read[-1] + server.read[-2]


def test_hidden_children_are_told_each_time(tmp_path: Path) -> None:
    """So is what the API says of children that it does not list."""
    item = table_item(has_children=True)
    with pytest.warns(CatalogueWarning, match="but lists none"):
        odd = catalogue_of([item])
    with Rebuildable(odd) as server:
        for _ in range(2):
            with pytest.warns(CatalogueWarning, match="tables below 'People', but lists none"):
                server.login(cache=tmp_path)
    assert "count=1" in server.asked[-1].target + server.asked[-2].target


@pytest.mark.parametrize("noun", ["system", "tables", "variables"])
def test_damaged(server: Rebuildable, tmp_path: Path, noun: str) -> None:
    """A damaged cache is read anew, and replaced."""
    server.login(cache=tmp_path)
    (path,) = tmp_path.rglob(f"{noun}.parquet")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert server.login(cache=tmp_path).catalogue == as_logged_in(holidays())
    before = len(server.read)
    assert server.login(cache=tmp_path).catalogue == as_logged_in(holidays())
    assert server.asked_since(before) == PROBE
    assert not path.exists()


def test_folder_that_cannot_be_used(server: Rebuildable, tmp_path: Path) -> None:
    """Where nothing can be kept there is a warning, and a session all the same."""
    place = tmp_path / "a file"
    place.write_text("something")
    with pytest.warns(CacheWarning, match="not kept") as caught:
        session = server.login(cache=place)
    assert {warning.filename for warning in caught} == {__file__}
    assert session.catalogue == as_logged_in(holidays())
    assert len(session.codes) == len(holidays().codes)


# Codes and folders


def test_codes_and_folders(server: Rebuildable, tmp_path: Path) -> None:
    """Codes and folders are kept as they are loaded, and come from disk then."""
    first = server.login(cache=tmp_path)
    first.codes  # noqa: B018 - it reads them
    first.folders  # noqa: B018
    second = server.login(cache=tmp_path)
    before = len(server.read)
    assert second.codes == holidays().codes
    assert second.folders == holidays().folders
    assert second.variables["Destination"].codes["Sweden"].code == "29"
    assert second.load_codes(second.variables[:3]) == holidays().variables[:3].codes
    assert server.asked_since(before) == []
    assert second.catalogue == holidays()


def test_what_is_kept_is_a_snapshot(server: Rebuildable, tmp_path: Path) -> None:
    """Each build is a folder that ``Catalogue.read_parquet`` opens, with codes and folders."""
    with server.login(cache=tmp_path) as session:
        (folder,) = tmp_path.glob("*/*")
        assert Catalogue.read_parquet(folder) == as_logged_in(holidays())
        session.folders  # noqa: B018 - it reads them
        assert Catalogue.read_parquet(folder).folders == holidays().folders
        session.codes  # noqa: B018
        assert Catalogue.read_parquet(folder) == holidays()


def test_questions_to_what_was_kept(server: Rebuildable, tmp_path: Path) -> None:
    """Searches, queries and comparisons answer from disk as they do from the server."""
    with server.login(cache=tmp_path) as first:
        found = first.search("travle date")
    with server.login(cache=tmp_path) as second, second.open(server.system) as opened:
        for session in (second, opened):
            assert session.search("travle date") == found
            assert session.sql("select count(*) from variables").item() == len(first.variables)
            assert len(session.diff(first)) == 0


def test_codes_of_some_variables_are_not_kept(server: Rebuildable, tmp_path: Path) -> None:
    """Codes are kept once those of all variables were read, whichever came first."""
    first = server.login(cache=tmp_path)
    first.variables["Destination"].codes  # noqa: B018
    second = server.login(cache=tmp_path)
    before = len(server.read)
    second.variables["Destination"].codes  # noqa: B018
    assert any("boDest/Codes" in asked for asked in server.read[before:])
    before = len(server.read)
    second.codes  # noqa: B018
    assert not any("boDest/Codes" in asked for asked in server.read[before:])
    before = len(server.read)
    assert server.login(cache=tmp_path).codes == holidays().codes
    assert server.asked_since(before) == PROBE


def test_refused_codes_are_asked_for_again(server: Rebuildable, tmp_path: Path) -> None:
    """Codes that were refused are asked for by each session, the others come from disk."""
    server.refused = {"boDest"}
    with pytest.raises(CodesError, match="boDest"):
        server.login(cache=tmp_path).codes  # noqa: B018
    second = server.login(cache=tmp_path)
    before = len(server.read)
    with pytest.raises(CodesError, match="boDest"):
        second.codes  # noqa: B018
    asked = {asked.partition("?")[0] for asked in server.read[before:]}
    assert asked == {"/holidays", "/holidays/Variables/boDest/Codes"}
    codes = second.load_codes(unavailable="skip")
    assert codes.unavailable == ["boDest"]
    without = pc.not_equal(holidays().codes.arrow["variable_name"], "boDest")
    assert codes.arrow.equals(holidays().codes.arrow.filter(without))
    server.refused = set()
    assert server.login(cache=tmp_path).codes == holidays().codes
    before = len(server.read)
    assert server.login(cache=tmp_path).codes == holidays().codes
    assert server.asked_since(before) == PROBE


def test_odd_numbers_of_codes_are_told_each_time(tmp_path: Path) -> None:
    """That a variable has not as many codes as it says is warned of from disk, too."""
    rows = holidays().variables.arrow
    place = rows.schema.get_field_index("num_codes")
    numbers = pc.add(rows["num_codes"], 1)
    rows = rows.set_column(place, rows.schema.field(place), numbers)
    odd = Catalogue(holidays().system_info, holidays().tables, rows, holidays().codes)
    with Rebuildable(odd) as server:
        for _ in range(2):
            session = server.login(cache=tmp_path)
            with pytest.warns(CatalogueWarning, match="different number of codes"):
                session.codes  # noqa: B018


def test_folders_of_an_older_server(tmp_path: Path) -> None:
    """What a server without folders has is not kept, and warned of each time."""
    bare = as_logged_in(holidays())
    with Rebuildable(bare) as server:
        for _ in range(2):
            session = server.login(cache=tmp_path)
            with pytest.warns(CatalogueWarning, match="does not list folders"):
                session.folders  # noqa: B018


# Reading anew


def test_refresh_reads_whatever_the_build(server: Rebuildable, tmp_path: Path) -> None:
    """What a cache cannot see is seen by ``refresh()``, and by all who log in after it."""
    session = server.login(cache=tmp_path)
    session.codes  # noqa: B018
    server.rebuild(described(holidays(), "New"))
    assert server.login(cache=tmp_path).variables == holidays().variables
    assert session.refresh() is True
    assert session.variables[0].description == "New"
    assert server.login(cache=tmp_path).variables[0].description == "New"
    assert session.refresh() is False


def test_refresh_forgets_codes_and_folders(server: Rebuildable, tmp_path: Path) -> None:
    """Codes and folders may have changed with nothing else: they are asked for again."""
    session = server.login(cache=tmp_path)
    session.codes, session.folders  # noqa: B018
    whole = holidays()
    rows = whole.codes.arrow
    place = rows.schema.get_field_index("count")
    rows = rows.set_column(place, rows.schema.field(place), pa.array([1] * len(rows), pa.int64()))
    server.rebuild(Catalogue(whole.system_info, whole.tables, whole.variables, rows, whole.folders))
    assert server.login(cache=tmp_path).codes == whole.codes
    assert session.refresh() is False
    assert session.codes.arrow.equals(rows)
    assert server.login(cache=tmp_path).codes.arrow.equals(rows)


def test_refresh_keeps_what_is_the_same(server: Rebuildable, tmp_path: Path) -> None:
    """Where nothing was rebuilt, tables and frames are the same objects; old rows go on."""
    session = server.login(cache=tmp_path)
    people, variables, catalogue = session.tables["People"], session.variables, session.catalogue
    codes, folders = session.codes, session.folders
    assert session.refresh() is False
    assert session.tables["People"] is people
    assert session.variables is variables
    assert session.variables["peOccu"].table is people
    assert people.parent is session.master_table
    before = len(server.read)
    # What was read before is as it was, and asks for nothing.
    assert catalogue == holidays()
    assert codes["boDest"]["Sweden"].table is session.tables["Bookings"]
    booking = folders["Booking"]
    assert [child.parent for child in booking.children] == [booking] * len(booking.children)
    assert pickle.loads(pickle.dumps(folders.filter(depth=1)))[0].parent is not None
    assert len(server.read) == before
    # What the session gives is read anew, whichever frame one asks.
    assert people.codes == codes.filter(table_name="People")
    assert session.codes == codes
    assert session.codes is not codes
    assert session.folders == folders
    assert session.folders is not folders
    assert len(server.read) > before
    before = len(server.read)
    assert session.codes is session.variables.codes
    assert session.variables["peOccu"].codes == codes["peOccu"]
    assert len(server.read) == before
    server.rebuild(described(holidays(), "New"))
    assert session.refresh() is True
    assert session.tables["People"] is not people


def test_renew_reads_only_what_was_rebuilt(server: Rebuildable, tmp_path: Path) -> None:
    """Renewing asks for the build alone, as without a cache."""
    session = server.login(cache=tmp_path)
    before = len(server.read)
    session.renew(server.password)
    assert server.asked_since(before) == ["/holidays"]


# Other ways to a session


def test_restored(server: Rebuildable, tmp_path: Path) -> None:
    """A session that is restored from a string takes the catalogue from the cache, too."""
    text = server.login(cache=tmp_path).serialize()
    before = len(server.read)
    restored = Session.deserialize(text, cache=tmp_path)
    assert server.asked_since(before) == PROBE
    assert restored.catalogue == as_logged_in(holidays())
    with_catalogue = restored.serialize(include_catalogue=True)
    before = len(server.read)
    assert Session.deserialize(with_catalogue, cache=tmp_path).catalogue == restored.catalogue
    assert server.asked_since(before) == []


def test_opened(tmp_path: Path) -> None:
    """Each system of a DataView has a cache of its own."""
    retail = with_(holidays(), name="retail")
    with Rebuildable(others=[retail]) as server:
        session = server.login(cache=tmp_path)
        session.open("retail")
        before = len(server.read)
        assert session.open("retail").system_info.name == "retail"
        assert server.asked_since(before) == [
            "/retail",
            "/retail/Variables?offset=0&count=1",
        ]
        assert len(list(tmp_path.iterdir())) == 2


def test_no_secret_is_kept(server: Rebuildable, tmp_path: Path) -> None:
    """No file and no name of one holds the password, a token, a session id or the user."""
    session = server.login(cache=tmp_path)
    session.codes, session.folders  # noqa: B018
    session.refresh()
    session.codes, session.folders  # noqa: B018
    secrets = [server.password, session.access_token, session.session_id, server.user]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 5
    for path in files:
        shown = (
            os.fsencode(path) + path.read_bytes() + repr(pq.read_table(path).to_pylist()).encode()
        )
        assert [secret for secret in secrets if secret.encode() in shown] == []


def test_nothing_is_said_otherwise(server: Rebuildable, tmp_path: Path) -> None:
    """A cache that works warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            session = server.login(cache=tmp_path)
            session.codes, session.folders  # noqa: B018
