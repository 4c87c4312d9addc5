"""The cache: what was put into it, whole, or nothing; for its owner alone."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from storage.arrows import SYSTEM
from strategies import catalogue_of, catalogues, variable_item, with_codes_and_folders

from apteco_frames import Catalogue
from apteco_frames.demo import holidays
from apteco_frames.errors import CacheWarning
from apteco_frames.storage.cache import Cache, Kept, KeptBuild, cache_of, default_folder

KEY = ("http://localhost/OrbitAPI", "dv", "testing", "jdoe")


def rows_of(catalogue: Catalogue) -> dict[str, pa.Table]:
    """The tables and variables of a catalogue."""
    return {"tables": catalogue.tables.arrow, "variables": catalogue.variables.arrow}


def put(cache: Cache, catalogue: Catalogue, **options: Any) -> KeptBuild:
    """Keep a catalogue without its codes and folders."""
    build = cache.write(catalogue.system_info._asdict(), rows_of(catalogue), **options)
    assert build is not None
    return build


def get(cache: Cache, catalogue: Catalogue) -> Kept | None:
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
        build = cache.write(catalogue.system_info._asdict(), rows_of(catalogue), ["odd"])
        found = get(cache, catalogue)
        if catalogue.system_info.build_date is None:
            assert build is None
            assert found is None
            return
        assert build is not None
        assert found is not None
        build.write("codes", catalogue.codes.arrow, {"lacking": []})
        build.write("folders", catalogue.folders.arrow, {})
        assert found.rows == rows_of(catalogue)
        assert found.about["warnings"] == ["odd"]
        for kind in ("codes", "folders"):
            kept = found.build.read(kind)
            assert kept is not None
            assert kept.rows == {kind: getattr(catalogue, kind).arrow}


@settings(max_examples=up_to(150))
@given(st.data())
def test_damage_is_noticed(data: st.DataObject) -> None:
    """A file that was cut, lengthened, or changed in any byte counts as not there."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder), KEY)
        put(cache, SMALL)
        (path,) = kept_files(Path(folder))
        whole = path.read_bytes()
        place = data.draw(st.integers(0, len(whole) - 1))
        change = data.draw(st.sampled_from(["cut", "byte", "more"]))
        if change == "cut":
            path.write_bytes(whole[:place])
        elif change == "byte":
            other = whole[place] ^ data.draw(st.integers(1, 255))
            path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
        else:
            path.write_bytes(whole + whole[place:])
        assert get(cache, SMALL) is None
        put(cache, SMALL)
        assert path.read_bytes() == whole


@pytest.mark.parametrize("other", [0, 1, 2, 3])
def test_key(cache: Cache, tmp_path: Path, other: int) -> None:
    """Another server, DataView, system or user has a cache of its own, named by a hash."""
    put(cache, SMALL)
    key = [f"{part}x" if place == other else part for place, part in enumerate(KEY)]
    assert get(Cache(tmp_path / "cache", key), SMALL) is None
    assert get(Cache(tmp_path / "cache", KEY), SMALL) is not None
    (path,) = kept_files(tmp_path)
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
        put(cache, each).write("codes", holidays().codes.arrow, {"lacking": []})
    assert [get(cache, each) is not None for each in builds] == [False, False, True, True, True]
    assert len(kept_files(tmp_path)) == 6


def test_an_older_build_at_hand_is_kept(cache: Cache) -> None:
    """A system that went back to an older build has that one kept, and the newest two."""
    builds = [built(DAY + timedelta(days=day)) for day in (2, 3, 4, 0)]
    for each in builds:
        put(cache, each)
    assert [get(cache, each) is not None for each in builds] == [False, True, True, True]


def test_codes_belong_to_their_variables(cache: Cache) -> None:
    """Codes of a catalogue are not those of another one of the same build."""
    build = put(cache, SMALL)
    build.write("codes", holidays().codes.arrow, {"lacking": []})
    assert put(cache, SMALL).read("codes") is not None
    more = put(cache, built(DAY, 3))
    assert more.read("codes") is None
    assert build.read("codes") is not None


def test_anew(cache: Cache, tmp_path: Path) -> None:
    """Who reads a build anew has its codes and folders removed."""
    build = put(cache, SMALL)
    build.write("codes", holidays().codes.arrow, {"lacking": []})
    build.write("folders", holidays().folders.arrow, {})
    assert len(kept_files(tmp_path)) == 3
    assert put(cache, SMALL, anew=True) == build
    assert len(kept_files(tmp_path)) == 1
    assert build.read("codes") is None


def test_damage_of_what_is_told_first(cache: Cache, tmp_path: Path) -> None:
    """The sizes and the checksum at the beginning are noticed to be others, too."""
    put(cache, SMALL)
    (path,) = kept_files(tmp_path)
    whole = path.read_bytes()
    for place in range(8 + int.from_bytes(whole[:8])):
        for other in set(b"\0 \n\"',.:-+019eE[]{}") - {whole[place]}:
            path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
            assert get(cache, SMALL) is None, (place, chr(other))


def test_equal_files_stay(cache: Cache, tmp_path: Path) -> None:
    """Who comes second with the same throws it away."""
    put(cache, SMALL)
    (path,) = kept_files(tmp_path)
    before = path.stat()
    put(cache, SMALL)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


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


def test_left_behind(cache: Cache, tmp_path: Path) -> None:
    """What ended processes left behind goes after a day; what is being written stays."""
    put(cache, SMALL)
    (path,) = kept_files(tmp_path)
    old, fresh = path.with_name(".a.part"), path.with_name(".b.part")
    foreign = path.with_name("notes.txt")
    for each in (old, fresh, foreign):
        each.write_text("something")
    os.utime(old, times=(time.time() - 90_000,) * 2)
    put(cache, built(DAY + timedelta(days=1)))
    assert not old.exists()
    assert fresh.exists()
    assert foreign.exists()


posix = pytest.mark.skipif(os.name == "nt", reason="folders of Windows have no such modes")


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes(tmp_path: Path, umask: int) -> None:
    """Folder and files are the owner's alone, whatever the umask."""
    cache = Cache(tmp_path / "some" / "cache", KEY)
    before = os.umask(umask)
    try:
        put(cache, SMALL).write("codes", holidays().codes.arrow, {"lacking": []})
    finally:
        os.umask(before)
    folder = kept_files(tmp_path)[0].parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept_files(tmp_path)} == {0o600}


@posix
def test_folder_that_others_can_use(cache: Cache, tmp_path: Path) -> None:
    """A folder into which others could have put something is not used."""
    put(cache, SMALL)
    folder = kept_files(tmp_path)[0].parent
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
    folder = kept_files(tmp_path)[0].parent
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
    """Somebody may empty the cache at any time."""
    build = put(cache, SMALL)
    folder = kept_files(tmp_path)[0].parent
    kept_files(tmp_path)[0].unlink()
    folder.rmdir()
    assert build.read("codes") is None
    build.write("codes", holidays().codes.arrow, {"lacking": []})
    assert build.read("codes") is not None


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
