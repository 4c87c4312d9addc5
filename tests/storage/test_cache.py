"""The cache: what was put into it, whole, or nothing; for its owner alone."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from storage.arrows import SYSTEM
from strategies import catalogue_of, catalogues, variable_item, with_codes_and_folders

from apteco_frames import Catalogue
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.errors import CacheWarning
from apteco_frames.storage.cache import (
    CACHED_SCHEMA,
    Cache,
    CacheEntry,
    cache_of,
    cached,
    clean,
    default_folder,
)
from apteco_frames.storage.snapshot import Snapshot

KEY = ("http://localhost/OrbitAPI", "dv", "testing", "jdoe")


def rows_of(catalogue: Catalogue) -> dict[str, pa.Table]:
    """The tables and variables of a catalogue."""
    return {"tables": catalogue.tables.arrow, "variables": catalogue.variables.arrow}


def put(cache: Cache, catalogue: Catalogue) -> CacheEntry:
    """Keep a catalogue without its codes and folders."""
    entry = cache.write(catalogue.system_info._asdict(), rows_of(catalogue))
    assert entry is not None
    return entry


def get(cache: Cache, catalogue: Catalogue) -> tuple[Snapshot, CacheEntry] | None:
    """What is kept of a catalogue."""
    return cache.read(catalogue.system_info._asdict(), len(catalogue.variables))


def built(date: datetime | None, variables: int = 2) -> Catalogue:
    """A small catalogue of a build."""
    items = [variable_item(f"v{number}") for number in range(variables)]
    return catalogue_of(None, items, build_date=date)


DAY = datetime(2026, 11, 1, 3, 0, 0)
SMALL = built(DAY)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache."""
    return Cache(tmp_path / "cache", KEY)


def kept_files(folder: Path) -> list[Path]:
    """All files of all caches in a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


@settings(max_examples=up_to(40))
@given(st.data())
def test_round_trip(data: st.DataObject) -> None:
    """Any catalogue, its codes and its folders come back as they were."""
    catalogue = data.draw(catalogues().flatmap(with_codes_and_folders))
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder), KEY)
        entry = cache.write(catalogue.system_info._asdict(), rows_of(catalogue), ["odd"])
        found = get(cache, catalogue)
        if catalogue.system_info.build_date is None:
            assert entry is None
            assert found is None
            return
        assert entry is not None
        assert found is not None
        saved, again = found
        assert again == entry
        assert {"tables": saved.tables, "variables": saved.variables} == rows_of(catalogue)
        assert saved.notes["warnings"] == ["odd"]
        entry.write("codes", catalogue.codes.arrow, ["refused"])
        entry.write("folders", catalogue.folders.arrow)
        assert again.read("codes") == (catalogue.codes.arrow, ("refused",))
        assert again.read("folders") == (catalogue.folders.arrow, ("refused",))
        assert get(cache, catalogue) is not None


@settings(max_examples=up_to(150))
@given(
    st.sampled_from(["system", "tables", "variables"]),
    st.floats(0, 1, exclude_max=True),
    st.none() | st.integers(1, 255),
)
def test_damage_is_noticed(noun: str, place: float, change: int | None) -> None:
    """A file that was cut, or changed in any byte, counts as not there, or says the same."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder), KEY)
        path = put(cache, SMALL).folder / f"{noun}.parquet"
        whole = bytearray(path.read_bytes())
        at = int(place * len(whole))
        if change is None:
            del whole[at:]
        else:
            whole[at] ^= change
        path.write_bytes(whole)
        found = get(cache, SMALL)
        assert found is None or Catalogue(SMALL.system_info, *found[0][1:3]) == SMALL
        put(cache, SMALL)
        assert get(cache, SMALL) is not None


@pytest.mark.parametrize("other", [0, 1, 2, 3])
def test_key(cache: Cache, tmp_path: Path, other: int) -> None:
    """Another server, DataView, system or user has a cache of its own, named by a hash."""
    put(cache, SMALL)
    key = [f"{part}x" if place == other else part for place, part in enumerate(KEY)]
    assert get(Cache(tmp_path / "cache", key), SMALL) is None
    assert get(Cache(tmp_path / "cache", KEY), SMALL) is not None
    for path in kept_files(tmp_path):
        assert not [part for part in (*KEY, "http") if part in str(path.relative_to(tmp_path))]


def test_what_tells_builds_apart(cache: Cache) -> None:
    """Another build, another number of variables or another description is not there."""
    put(cache, SMALL)
    system = SMALL.system_info._asdict()
    assert cache.read(system, 2) is not None
    assert cache.read(system, 3) is None
    assert cache.read({**system, "description": "another"}, 2) is None
    assert cache.read({**system, "build_date": DAY + timedelta(microseconds=1)}, 2) is None


def test_newest_builds_are_kept(cache: Cache, tmp_path: Path) -> None:
    """Three builds of a system are kept, with their codes."""
    builds = [built(DAY + timedelta(days=day)) for day in range(5)]
    for each in builds:
        put(cache, each).write("codes", holidays().codes.arrow)
    assert [get(cache, each) is not None for each in builds] == [False, False, True, True, True]
    assert len(kept_files(tmp_path)) == 3 * 4


def test_an_older_build_at_hand_is_kept(cache: Cache) -> None:
    """A system that went back to an older build has that one kept, and the newest two."""
    builds = [built(DAY + timedelta(days=day)) for day in (2, 3, 4, 0)]
    for each in builds:
        put(cache, each)
    assert [get(cache, each) is not None for each in builds] == [False, True, True, True]


def test_codes_belong_to_their_variables(cache: Cache, tmp_path: Path) -> None:
    """Codes of a catalogue are not those of another one of the same build, which replaces it."""
    entry = put(cache, SMALL)
    entry.write("codes", holidays().codes.arrow)
    more = put(cache, built(DAY, 3))
    assert more.read("codes") is None
    assert entry.read("codes") is None
    entry.write("codes", holidays().codes.arrow)  # by a session that began before
    assert more.read("codes") is None
    assert len(list((tmp_path / "cache").glob("*/*"))) == 1


def test_anew(cache: Cache) -> None:
    """A build that is read anew replaces its codes and folders, too."""
    entry = put(cache, SMALL)
    entry.write("codes", holidays().codes.arrow)
    entry.write("folders", holidays().folders.arrow)
    anew = put(cache, SMALL)
    assert (anew.read("codes"), anew.read("folders")) == (None, None)
    assert entry.read("codes") is None


def test_no_build_date(cache: Cache, tmp_path: Path) -> None:
    """Nothing is kept of a system that does not say when it was built."""
    assert cache.write({**SYSTEM, "build_date": None}, rows_of(SMALL)) is None
    assert cache.read({**SYSTEM, "build_date": None}, 2) is None
    assert kept_files(tmp_path) == []


def test_other_versions(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of this package kept is read anew, and written over."""
    put(cache, SMALL)
    monkeypatch.setattr("apteco_frames.__version__", "999")
    assert get(cache, SMALL) is None
    put(cache, SMALL)
    assert get(cache, SMALL) is not None


def test_left_behind(cache: Cache) -> None:
    """What ended processes left behind goes after a day; what is being written stays."""
    entry = put(cache, SMALL)
    folder = entry.folder.parent
    old, fresh, foreign = folder / ".a.part", folder / ".b.part", folder / "notes.txt"
    files = [old / "tables.parquet", fresh / "tables.parquet", entry.folder / ".c.part", foreign]
    for each in files:
        each.parent.mkdir(exist_ok=True)
        each.write_text("something")
    for each in (old, files[2]):
        os.utime(each, times=(time.time() - 90_000,) * 2)
    put(cache, built(DAY + timedelta(days=1)))
    assert [each.exists() for each in files] == [False, True, False, True]
    assert not old.exists()


posix = pytest.mark.skipif(os.name == "nt", reason="folders of Windows have no such modes")


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes(tmp_path: Path, umask: int) -> None:
    """Folder and files are the owner's alone, whatever the umask."""
    cache = Cache(tmp_path / "some" / "cache", KEY)
    before = os.umask(umask)
    try:
        put(cache, SMALL).write("codes", holidays().codes.arrow)
    finally:
        os.umask(before)
    for folder in (tmp_path / "some" / "cache").glob("**/"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept_files(tmp_path)} == {0o600}


@posix
def test_folder_that_others_can_use(cache: Cache, tmp_path: Path) -> None:
    """A folder into which others could have put something is not used."""
    put(cache, SMALL)
    folder = kept_files(tmp_path)[0].parents[1]
    folder.chmod(0o770)
    assert get(cache, SMALL) is None
    with pytest.warns(CacheWarning, match="others can use it"):
        assert cache.write(SMALL.system_info._asdict(), rows_of(SMALL)) is None
    folder.chmod(0o700)
    assert get(cache, SMALL) is not None


@posix
def test_folder_that_is_a_link(cache: Cache, tmp_path: Path) -> None:
    """Nor is a link to another folder."""
    put(cache, SMALL)
    folder = kept_files(tmp_path)[0].parents[1]
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert get(cache, SMALL) is None


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    """Where no folder can be made there is a warning that names it."""
    place = tmp_path / "a file"
    place.write_text("something")
    cache = Cache(place, KEY)
    assert get(cache, SMALL) is None
    with pytest.warns(CacheWarning, match=r"a file.*Name another folder with cache="):
        assert cache.write(SMALL.system_info._asdict(), rows_of(SMALL)) is None


def test_folder_removed_meanwhile(cache: Cache, tmp_path: Path) -> None:
    """Somebody may empty the cache at any time: then nothing is kept, and nothing said."""
    entry = put(cache, SMALL)
    assert clean(tmp_path / "cache")[0] == 3
    entry.write("codes", holidays().codes.arrow)
    assert entry.read("codes") is None
    assert kept_files(tmp_path) == []


@posix
def test_codes_that_cannot_be_kept(cache: Cache) -> None:
    """Where codes cannot be written there is a warning that names the folder."""
    entry = put(cache, SMALL)
    (entry.folder / "codes.parquet").mkdir()
    with pytest.warns(CacheWarning, match=r"cannot be written.*Name another folder with cache="):
        entry.write("codes", holidays().codes.arrow)
    assert entry.read("codes") is None
    assert get(cache, SMALL) is not None


def test_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder is what the variable names, or the platform's place for caches."""
    monkeypatch.setenv("APTECO_FRAMES_CACHE_DIR", str(tmp_path / "mine"))
    assert default_folder() == tmp_path / "mine"
    monkeypatch.delenv("APTECO_FRAMES_CACHE_DIR")
    if sys.platform == "win32":
        assert default_folder() == Path(os.environ["LOCALAPPDATA"], "apteco-frames")
        return
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "xdg" / "apteco-frames"
    place = "Library/Caches" if sys.platform == "darwin" else ".cache"
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert default_folder() == tmp_path / place / "apteco-frames"


@posix
def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in the home of nobody is a warning, and no cache."""
    with pytest.warns(CacheWarning, match="no folder for a cache"):
        assert cache_of("~nobody-of-that-name/cache", KEY) is None


def test_no_cache() -> None:
    """Without ``cache=``, or with False, there is none."""
    assert cache_of(None, KEY) is None
    assert cache_of(False, KEY) is None


def test_cached_and_cleaned(tmp_path: Path) -> None:
    """Each build is listed with what is kept of it, and nothing is left of all."""
    with DemoServer() as server:
        with server.login(cache=tmp_path) as session:
            _ = session.folders
        with server.login(cache=tmp_path / "other"):
            pass
    (row,) = cached(tmp_path).to_pylist()
    assert cached(tmp_path).schema == CACHED_SCHEMA
    assert (row["system"], row["has_codes"], row["has_folders"]) == ("holidays", False, True)
    files = list(Path(row["folder"]).iterdir())
    assert row["bytes"] == sum(path.stat().st_size for path in files)
    assert clean(tmp_path) == (4, row["bytes"])
    assert clean(tmp_path) == (0, 0)
    assert len(cached(tmp_path / "other")) == 1


def test_nothing_is_there(tmp_path: Path) -> None:
    """Where no cache is, there is nothing to list or to remove."""
    assert len(cached(tmp_path / "none")) == 0
    assert clean(tmp_path / "none") == (0, 0)


@posix
def test_links_are_not_followed(tmp_path: Path) -> None:
    """What is elsewhere stays, however it is called."""
    elsewhere = tmp_path / "elsewhere"
    mine = elsewhere / f"2026-11-01T03-00-00.000000-{'0' * 32}" / "tables.parquet"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    (tmp_path / "caches").mkdir()
    (tmp_path / "caches" / ("0" * 32)).symlink_to(elsewhere)
    assert clean(tmp_path / "caches") == (0, 0)
    assert mine.read_text() == "mine"
