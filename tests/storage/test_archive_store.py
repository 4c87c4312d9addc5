"""The files of an archive: read by everybody, whole or not there, left alone by others."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from storage.arrows import BARE, SYSTEM, codes_of, folder_of, rows, saved
from storage.filesystems import Deleting, Handler, NoCase, Windows, lacking
from storage.layout_1 import add_as_layout_1

from apteco_frames import Archive
from apteco_frames.errors import ArchiveError
from apteco_frames.storage.archive_layout import NOUNS, digest
from apteco_frames.storage.archive_store import ArchiveStore

FULL = {**BARE, "codes": codes_of("bare", 3), "folders": folder_of(["bare"])}
DATE = "2019-11-27T15-57-24"
NO_PIPES = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no pipes in folders, and few may make links"
)
ODD_NAMES = [
    *("007", "1e3", "true", "null", "2026-11-01", "a/b", "50 %41", "x=y", "..", "Läden ☃"),
    *('C:\\*?"<>|', " ", "a+b&c#d", "system=1", "CON", "a~b", "a.", "NULL", "__hive_default"),
]
NO_FOLDERS = ["__HIVE_DEFAULT_PARTITION__", ""]  # null to engines; and an error to Spark


def files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def is_clean(root: Path) -> bool:
    """Whether the files are those of the builds, and no others."""
    expected = set()
    for build in ArchiveStore(root).builds():
        nouns = ["builds", *(noun for noun in NOUNS if build.has(noun))]
        expected |= {f"{noun}/{build.path}" for noun in nouns}
    return set(files_below(root)) == expected


@settings(max_examples=40)
@given(saved())
def test_any_rows_come_back_equal(tmp_path_factory: pytest.TempPathFactory, what: Any) -> None:
    """Whatever the tables hold, and the system, is read back to the letter; once is enough."""
    system, arrows, unavailable = what
    root = tmp_path_factory.mktemp("archive")
    assert ArchiveStore(root).add(*what)
    assert not ArchiveStore(root).add(*what)
    (build,) = ArchiveStore(root).builds()
    found = ArchiveStore(root).read(build)
    assert (found.system, found.unavailable) == (system, tuple(sorted(unavailable)))
    read = rows(found)
    assert list(read) == list(arrows)
    for kind, arrow in arrows.items():
        assert read[kind].cast(arrow.schema).equals(arrow) or kind == "variables"
        api = [c.name for c in NOUNS[kind] if c.type != pa.dictionary(pa.uint8(), pa.string())]
        assert read[kind].select(api).equals(arrow.select(api))
    assert is_clean(root)


# The layout


def test_the_layout(tmp_path: Path) -> None:
    """A hive dataset for each noun and one for the builds, and nothing else."""
    ArchiveStore(tmp_path).add(SYSTEM, FULL)
    ArchiveStore(tmp_path).add(SYSTEM | {"name": "a b", "build_date": None}, BARE)
    digest = "[0-9a-f]{16}"
    paths = {
        "bare": rf"system=a%20b/build=unknown-[0-9a-f]{{8}}/{digest}\.parquet",
        "full": rf"system=testing/build={DATE}-[0-9a-f]{{8}}/"
        rf"{digest}-codes-{digest}-folders-{digest}\.parquet",
    }
    expected = [
        f"{noun}/{path}"
        for noun in ("builds", "codes", "folders", "tables", "variables")
        for kind, path in paths.items()
        if noun not in ("codes", "folders") or kind == "full"
    ]
    found = files_below(tmp_path)
    assert len(found) == len(expected)
    assert all(map(re.fullmatch, expected, found))


@pytest.mark.parametrize("name", [*ODD_NAMES, *NO_FOLDERS])
def test_names_are_texts_for_everybody(tmp_path: Path, name: str) -> None:
    """polars, DuckDB and pyarrow give a system's name and build as the texts that they are."""
    root = tmp_path / "archive"
    ArchiveStore(root).add(SYSTEM | {"name": name}, BARE)
    ArchiveStore(root).add(SYSTEM | {"name": "another"}, BARE)
    (build,) = ArchiveStore(root).builds(name)
    assert build.system == name
    assert ArchiveStore(root).read(build).system["name"] == name
    (other,) = ArchiveStore(root).builds("another")
    label = unquote(build.folder.removeprefix("system=")) if name in NO_FOLDERS else name
    expected = {(label, build.name), ("another", other.name)}
    texts = dict.fromkeys(("system", "build"), pl.String)
    frame = pl.scan_parquet(root / "variables", hive_schema=texts).collect()
    assert set(frame.select("system", "build").rows()) == expected
    assert set(frame["system_name"]) == {name, "another"}
    plain = pl.scan_parquet(root / "variables").collect()  # as polars takes it by itself
    assert plain.schema["build"] == pl.String
    arrow = pyarrow.dataset.dataset(
        root / "variables",
        partitioning=pyarrow.dataset.partitioning(
            pa.schema([("system", pa.string()), ("build", pa.string())]), flavor="hive"
        ),
    ).to_table()
    assert (
        set(zip(*arrow.select(["system", "build"]).to_pydict().values(), strict=True)) == expected
    )
    query: Any = duckdb.sql
    found = query(
        f"select distinct system, build from read_parquet('{root}/variables/**/*.parquet', "
        "hive_types = {'system': varchar, 'build': varchar})"
    ).fetchall()
    assert set(found) == expected


def test_readers_can_skip(tmp_path: Path) -> None:
    """Codes are sorted by variable, in groups of 20,000 rows; the order comes back."""
    names = [f"v{n % 7}" for n in range(7 * 10_000)]
    codes = pa.concat_tables([codes_of(name, 10_000) for name in dict.fromkeys(names)][::-1])
    ArchiveStore(tmp_path).add(SYSTEM, {**BARE, "codes": codes})
    (build,) = ArchiveStore(tmp_path).builds()
    file = pq.ParquetFile(tmp_path / "codes" / build.path)
    groups = [file.metadata.row_group(n) for n in range(file.num_row_groups)]
    assert [group.num_rows for group in groups] == [20_000, 20_000, 20_000, 10_000]
    bounds = [(g.column(0).statistics.min, g.column(0).statistics.max) for g in groups]
    assert bounds == [("v0", "v1"), ("v2", "v3"), ("v4", "v5"), ("v6", "v6")]
    assert rows(ArchiveStore(tmp_path).read(build))["codes"].equals(codes)


# What is the same


@settings(max_examples=40)
@given(saved())
def test_equal_contents_have_one_digest(what: Any) -> None:
    """Chunks, slices and dictionaries do not count, nor what lies under nulls."""
    system, arrows, unavailable = what
    again = {
        kind: pa.concat_tables([arrow.slice(0, 1), arrow.slice(1)]).take(
            pa.array(range(len(arrow)), pa.int64())
        )
        for kind, arrow in arrows.items()
    }
    assert digest(system, again, unavailable[::-1]) == digest(system, arrows, unavailable)
    for kind, arrow in arrows.items():
        if len(arrow):
            assert digest(system, {**arrows, kind: arrow.slice(1)}, unavailable) != digest(*what)
    assert digest({**system, "description": "other"}, arrows, unavailable) != digest(*what)


def test_each_value_counts() -> None:
    """Another value in any column that is of the API, or a null in its place, counts."""
    codes = codes_of("bare", 3)
    digests = {digest(SYSTEM, {**BARE, "codes": codes})}
    changes = {"code": "other", "description": "ther", "count": 77, "position": 9}
    for name, value in changes.items():
        place = codes.schema.get_field_index(name)
        for values in (
            [value, *codes[name].to_pylist()[1:]],
            [*codes[name].to_pylist()[1:], value],
        ):
            other = codes.set_column(
                place, codes.schema.field(name), pa.array(values, codes[name].type)
            )
            digests.add(digest(SYSTEM, {**BARE, "codes": other}))
    assert len(digests) == 1 + 2 * len(changes)


def test_texts_do_not_run_together() -> None:
    """Where a text ends counts, too."""
    tables = BARE["tables"]
    place = tables.schema.get_field_index("singular")
    both = {}
    for first, second in (("ab", "c"), ("a", "bc")):
        pair = pa.concat_tables([tables, tables])
        both[first] = pair.set_column(
            place, tables.schema.field("singular"), pa.array([first, second])
        )
    assert digest(SYSTEM, {"tables": both["ab"]}) != digest(SYSTEM, {"tables": both["a"]})


# What is damaged, hostile, or newer


def read_all(root: Path) -> dict[str, pa.Table]:
    """All rows of the one build."""
    (build,) = ArchiveStore(root).builds()
    return rows(ArchiveStore(root).read(build))


@pytest.mark.parametrize("noun", ["builds", *NOUNS])
def test_damage_is_told(tmp_path: Path, noun: str) -> None:
    """A damaged file is an error that names the archive and the file; so is one that is gone.

    Once it is removed, to add the build again restores it.
    """
    ArchiveStore(tmp_path).add(SYSTEM, FULL)
    (path,) = tmp_path.glob(f"{noun}/**/*.parquet")
    whole = path.read_bytes()
    spoilt = bytearray(whole)
    column = pq.read_metadata(path).row_group(0).column(0)
    first = column.dictionary_page_offset or column.data_page_offset
    spoilt[first + column.total_compressed_size - 1] ^= 1
    where = re.escape(tmp_path.as_posix())
    said = rf"{noun}/.* in the archive at {where} cannot be read.*add its build again"
    for damaged in (b"x", whole[: len(whole) // 2], bytes(spoilt)):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveError, match=said):
            read_all(tmp_path)
    path.unlink()
    if noun != "builds":
        with pytest.raises(ArchiveError, match="FileNotFoundError"):
            read_all(tmp_path)
    assert ArchiveStore(tmp_path).add(SYSTEM, FULL)
    assert path.read_bytes() == whole
    assert not ArchiveStore(tmp_path).add(SYSTEM, FULL)


def entry_of(tmp_path: Path) -> Path:
    """The one file in ``builds``."""
    (path,) = tmp_path.glob("builds/**/*.parquet")
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"system_name": "another"},
        {"build_date": None},
        {"codes": 3},
        {"tables": "nine"},
        {"unavailable": None},
        {"version": "two"},
        {"version": None},
    ],
    ids=str,
)
def test_a_file_that_says_otherwise_is_damaged(tmp_path: Path, changes: dict[str, Any]) -> None:
    """What a file in ``builds`` holds is what its name says, of the types that it has."""
    ArchiveStore(tmp_path).add(SYSTEM, BARE)
    path = entry_of(tmp_path)
    (row,) = pq.ParquetFile(path).read().to_pylist()
    for table in (
        pa.Table.from_pylist([{**row, **changes}]),
        pa.Table.from_pylist([row, row]),
        pa.table({"version": [2]}),
        pa.table({}),
    ):
        pq.write_table(table, path)
        with pytest.raises(ArchiveError, match=r"builds/.* cannot be read"):
            read_all(tmp_path)


def test_text_that_is_none_is_damage(tmp_path: Path) -> None:
    """Parquet lets any bytes be text; what is not UTF-8 is not given on."""
    ArchiveStore(tmp_path).add(SYSTEM, FULL)
    (path,) = tmp_path.glob("codes/**/*.parquet")
    codes = pq.ParquetFile(path).read()
    bad = pa.Array.from_buffers(pa.string(), len(codes), pa.array([b"\xff"] * 3).buffers())
    pq.write_table(codes.set_column(0, codes.schema.field(0), bad), path)
    with pytest.raises(ArchiveError, match=r"codes/.* cannot be read"):
        read_all(tmp_path)


def test_newer_layouts_are_told(tmp_path: Path) -> None:
    """An archive that a later version has written to says which one to install."""
    ArchiveStore(tmp_path).add(SYSTEM, BARE)
    path = entry_of(tmp_path)
    table = pq.ParquetFile(path).read()
    place = table.schema.get_field_index("version")
    pq.write_table(table.set_column(place, "version", pa.array([3])), path)
    with pytest.raises(ArchiveError, match=r"layout 3.*Install that version, from a clone"):
        read_all(tmp_path)


FILE = "0123456789abcdef.parquet"
ODD_PATHS = [
    *("README.txt", ".DS_Store", "system=testing/notes.txt", "system=testing/build=x/part.parquet"),
    f"system=testing/build=2026-99-99T00-00-00/{FILE}",
    f"system=testing/build=0000-01-01T00-00-00-01234567/{FILE}",
    f"system=testing/build={DATE}-0123456/{FILE}",
    f"system=testing/build={DATE}-01234567/{FILE}.part",
    f"system=testing/build={DATE}-01234567/deeper/{FILE}",
    f"system=Testing/build={DATE}-01234567/{FILE}",
    f"system=%ff%zz/build={DATE}-01234567/{FILE}",
    f"system=a%2E/build={DATE}-01234567/{FILE}",
    "not.a.claim",
]


@NO_PIPES
@pytest.mark.parametrize("folder", ["", "builds", "adding", *NOUNS])
def test_odd_files_are_left_alone(tmp_path: Path, folder: str) -> None:
    """Files that we do not write are neither builds nor trouble, and stay whatever is cleaned."""
    root = tmp_path / "archive"
    ArchiveStore(root).add(SYSTEM, FULL)
    paths = [root / folder / path for path in ODD_PATHS if folder or "/" not in path]
    if folder == "adding":
        paths = [path for path in paths if path.suffix != ".claim"]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"odd")
    outside = tmp_path / "outside"
    shutil.copytree(root, outside)
    before = files_below(outside)
    (root / folder).mkdir(exist_ok=True)
    (root / folder / "system=link").symlink_to(outside)
    (root / folder / "loop").symlink_to("..")
    os.mkfifo(root / folder / "pipe")
    (root / folder / os.fsdecode(b"\xff")).mkdir()
    there = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    store = ArchiveStore(root)
    assert read_all(root) == rows(store.read(store.builds()[0]))
    assert not store.add(SYSTEM, FULL)
    assert store.add(SYSTEM | {"name": "second"}, FULL)
    store.clean(0)
    (second,) = store.builds("second")
    store.remove(second)
    assert {path: path.read_bytes() for path in there} == there
    assert files_below(outside) == before


@NO_PIPES
def test_a_link_is_not_followed_when_files_are_removed(tmp_path: Path) -> None:
    """What a link leads to, a folder or a file, is left where it is."""
    root, outside = tmp_path / "archive", tmp_path / "outside"
    store = ArchiveStore(root)
    store.add(SYSTEM, FULL)
    (build,) = store.builds()
    shutil.move(root / "codes", outside)
    (root / "codes").symlink_to(outside)
    tables = root / "tables" / build.path
    shutil.copy(tables, outside / "tables.parquet")
    tables.unlink()
    tables.symlink_to(outside / "tables.parquet")
    before = files_below(outside)
    store.remove(build)
    store.clean(0)
    assert files_below(outside) == before
    assert store.builds() == []


@NO_PIPES
@pytest.mark.parametrize("noun", ["builds", "codes"])
def test_what_links_keep_is_not_said_to_be_removed(tmp_path: Path, noun: str) -> None:
    """Behind a linked folder nothing is removed: no build loses its rows, none is reported."""
    root, outside = tmp_path / "archive", tmp_path / "outside"
    store = ArchiveStore(root)
    for day in (1, 2):
        store.add({**SYSTEM, "build_date": datetime(2026, 11, day)}, FULL)
    shutil.move(root / noun, outside)
    (root / noun).symlink_to(outside)
    before = files_below(outside)
    removed = len(Archive(root).prune(keep_last=1))
    assert files_below(outside) == before
    assert (removed, len(store.builds())) == ((0, 2) if noun == "builds" else (1, 1))
    for build in store.builds():
        assert store.read(build).codes
    assert store.clean(0, dry_run=True) == []


@NO_PIPES
@pytest.mark.parametrize("below", ["system=testing", "system=testing/build", "file"])
@pytest.mark.parametrize("is_there", [True, False])
def test_links_among_the_builds(tmp_path: Path, below: str, is_there: bool) -> None:
    """What a link leads to is read and kept; where it leads to nothing, rows are kept as well."""
    root, outside = tmp_path / "archive", tmp_path / "outside"
    store = ArchiveStore(root)
    store.add(SYSTEM, FULL)
    (build,) = store.builds()
    entry = root / "builds" / build.path
    linked = {"file": entry, "system=testing": entry.parents[1]}.get(below, entry.parent)
    shutil.move(linked, outside)
    linked.symlink_to(outside if is_there else tmp_path / "unmounted")
    before = files_below(root)
    assert len(store.builds()) == is_there
    assert len(Archive(root).builds) == is_there
    if is_there:
        assert store.builds("testing") == store.builds()
        assert rows(store.read(build)).keys() == FULL.keys()
    assert Archive(root).clean(timedelta()) == []
    store.add(SYSTEM | {"build_date": datetime(2019, 11, 1), "name": "other"}, FULL)
    assert Archive(root).prune(keep_last=1).height == 0
    assert set(files_below(root)) > set(before)


@NO_PIPES
@pytest.mark.parametrize("instead", ["link", "file"])
def test_nothing_is_cleaned_where_builds_cannot_be_listed(tmp_path: Path, instead: str) -> None:
    """Where ``builds`` is on a disk that is not there now, no rows are taken for left over."""
    root = tmp_path / "archive"
    ArchiveStore(root).add(SYSTEM, FULL)
    shutil.move(root / "builds", tmp_path / "builds")
    if instead == "link":
        (root / "builds").symlink_to(tmp_path / "unmounted")
    else:
        (root / "builds").write_bytes(b"in the way")
    before = files_below(root)
    with pytest.raises(ArchiveError, match="cannot be listed"):
        Archive(root).clean(timedelta())
    with pytest.raises(ArchiveError, match="cannot be listed"):
        Archive(root).prune(keep_last=1)
    with pytest.raises(ArchiveError, match="cannot be listed"):
        _ = Archive(root).builds
    assert files_below(root) == before


@NO_PIPES
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    """A pipe in the place of a file is an error, at once."""
    store = ArchiveStore(tmp_path)
    store.add(SYSTEM, FULL)
    (path,) = tmp_path.glob("codes/**/*.parquet")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ArchiveError, match="codes/"):
        read_all(tmp_path)


def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    """A storage that lists nothing is an error of the package, which says where."""

    class Unlisted(Handler):
        def get_file_info_selector(self, selector: Any) -> Any:
            raise PermissionError("no rights")

    store = ArchiveStore("a", lacking(Unlisted(tmp_path)))
    with pytest.raises(ArchiveError, match=r"archive at a cannot be listed.*no rights"):
        store.builds()


def test_an_add_that_fails_changes_nothing_else(tmp_path: Path) -> None:
    """What cannot be written ends in that error; nothing is added, and nothing is damaged."""
    ArchiveStore(tmp_path).add(SYSTEM | {"name": "other"}, BARE)
    shutil.rmtree(tmp_path / "variables")
    (tmp_path / "variables").write_text("in the way")
    with pytest.raises(OSError, match="variables"):
        ArchiveStore(tmp_path).add(SYSTEM, FULL)
    assert not list((tmp_path / "adding").iterdir())
    assert ArchiveStore(tmp_path).builds("testing") == []
    (tmp_path / "variables").unlink()
    assert ArchiveStore(tmp_path).add(SYSTEM, FULL)


# Where little is needed


@pytest.mark.parametrize("times", [2, 8])
def test_many_at_once(tmp_path: Path, times: int) -> None:
    """Whoever adds the same at once writes the same; different catalogues all are there."""

    def add(number: int) -> bool:
        date = SYSTEM["build_date"] + timedelta(days=number % 4)
        other = {"build_date": date, "description": f"{number % 3}"}
        return ArchiveStore(tmp_path).add(SYSTEM | other, FULL)

    with ThreadPoolExecutor(times) as pool:
        added = list(pool.map(add, range(48)))
    assert sum(added) >= 12
    builds = ArchiveStore(tmp_path).builds()
    assert len({(build.date, build.name) for build in builds}) == len(builds) == 12
    assert all(rows(ArchiveStore(tmp_path).read(build)).keys() == FULL.keys() for build in builds)
    assert is_clean(tmp_path)
    assert not any(map(add, range(48)))


@pytest.mark.parametrize("kind", [Handler, NoCase, Windows])
def test_storages_that_can_list_read_and_write(tmp_path: Path, kind: type[Handler]) -> None:
    """No renaming, no removing, no case of letters: all is added, once, and found."""
    handler = kind(tmp_path)
    store = ArchiveStore("a", lacking(handler))
    names = ["testing", "Testing", "TESTING", "..", "a.", "a", "CON", "nul", "ä", "Ä", "x" * 300]
    for name in names:
        assert store.add(SYSTEM | {"name": name}, FULL)
        assert not store.add(SYSTEM | {"name": name}, FULL)
    for name in names:
        (build,) = store.builds(name)
        assert store.read(build).system["name"] == name
        assert rows(store.read(build)).keys() == FULL.keys()
    assert {build.system for build in store.builds()} == set(names)
    assert "adding" not in os.listdir(tmp_path / "a")  # noqa: PTH208


def test_adding_reads_and_removes_nothing(tmp_path: Path) -> None:
    """Of what is there an add needs the listing of its system, however many builds there are."""
    handler = Handler(tmp_path)
    store = ArchiveStore("a", lacking(handler))
    for day in range(20):
        date = SYSTEM["build_date"] + timedelta(days=day)
        store.add(SYSTEM | {"build_date": date}, FULL)
        store.add(SYSTEM | {"build_date": date, "name": "other"}, BARE)
    handler.asked.clear()
    assert store.add(SYSTEM, BARE) is False
    assert {what for what, _ in handler.asked} == {"list"}
    handler.asked.clear()
    assert store.add(SYSTEM | {"build_date": None}, FULL)
    assert {what for what, _ in handler.asked} == {"list", "look", "write"}
    assert all("system=testing" in path for _, path in handler.asked)


def test_a_local_disk_without_renaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of this machine that cannot rename, such as a mounted bucket, will do."""

    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(Path, "replace", refuse)
    store = ArchiveStore(tmp_path)
    assert store.add(SYSTEM, FULL)
    assert not store.add(SYSTEM, FULL)
    assert is_clean(tmp_path)


@pytest.mark.parametrize("left", [0, 1, 1000, None])
def test_what_was_cut_off(tmp_path: Path, left: int | None) -> None:
    """Where half a file may be seen, adding again repairs one in ``builds`` that is damaged."""
    store = ArchiveStore("a", lacking(Deleting(tmp_path)))
    store.add(SYSTEM, FULL)
    entry = entry_of(tmp_path / "a")
    whole = entry.read_bytes()
    entry.write_bytes(bytes(len(whole)) if left is None else whole[:left])
    assert len(store.builds()) == (left != 0)
    assert len(store.clean(0, dry_run=True)) == (5 if left == 0 else 0)
    assert store.add(SYSTEM, FULL)
    assert not store.add(SYSTEM, FULL)
    assert entry.read_bytes() == whole


# What is removed


def test_what_a_killed_program_left_is_cleaned(tmp_path: Path) -> None:
    """Files of no build are removed once they are old enough; those of builds never are."""
    store = ArchiveStore(tmp_path)
    store.add(SYSTEM, BARE)
    kept = files_below(tmp_path)
    store.add(SYSTEM | {"name": "killed"}, FULL)
    for path in tmp_path.glob("builds/system=killed/**/*.parquet"):
        path.unlink()
    parts = ["f" * 32 + ".part", "f" * 32 + ".codes", "0.1.2.3.4.claim"]
    (tmp_path / "adding").mkdir(exist_ok=True)
    for part in parts:  # the last two of layout 1
        (tmp_path / "adding" / part).write_bytes(b"left")
    left = sorted(set(files_below(tmp_path)) - set(kept))
    assert len(left) == 4 + len(parts)
    assert store.clean(3600) == []
    old = time.time() - 7200
    for file in files_below(tmp_path):
        os.utime(tmp_path / file, (old, old))
    assert store.clean(3600, dry_run=True) == store.clean(3600) == left
    assert files_below(tmp_path) == kept
    assert not (tmp_path / "codes" / "system=killed").exists()


def test_what_was_added_meanwhile_is_not_cleaned(tmp_path: Path) -> None:
    """A build that came to exist while files were listed, or are looked at, keeps its files."""
    store = ArchiveStore(tmp_path)
    store.add(SYSTEM, FULL)
    entry = entry_of(tmp_path)
    whole = entry.read_bytes()
    before = files_below(tmp_path)

    class Late(Handler):
        def get_file_info(self, paths: list[str]) -> Any:
            entry.write_bytes(whole)
            return super().get_file_info(paths)

    entry.unlink()
    assert ArchiveStore("", lacking(Late(tmp_path))).clean(0) == []
    assert files_below(tmp_path) == before


@pytest.mark.parametrize("kind", [Deleting, Handler])
def test_adding_while_it_is_cleaned(tmp_path: Path, kind: type[Handler]) -> None:
    """What a killed program left, and is cleaned while it is added again, is there in the end."""

    class Cleaned(kind):  # type: ignore[misc, valid-type]
        def open_output_stream(self, path: str, metadata: Any) -> Any:
            if path.startswith("a/builds/"):
                left.append(len(ArchiveStore(tmp_path / "a").clean(0)))
            return super().open_output_stream(path, metadata)

    left: list[int] = []
    store = ArchiveStore("a", lacking(Cleaned(tmp_path)))
    for _ in range(2):
        assert store.add(SYSTEM, FULL)
        assert rows(store.read(store.builds()[0])).keys() == FULL.keys()
        assert is_clean(tmp_path / "a")
        entry_of(tmp_path / "a").unlink()
    assert [count for count in left if count] == [4, 4]


def test_what_makes_a_build_exist_is_removed_first(tmp_path: Path) -> None:
    """A program that is killed while it removes a build leaves none of which rows are gone."""
    handler = Deleting(tmp_path)
    store = ArchiveStore("a", lacking(handler))
    store.add(SYSTEM, FULL)
    handler.asked.clear()
    (build,) = store.builds()
    store.remove(build)
    removed = [path.split("/")[1] for what, path in handler.asked if what == "delete"]
    assert removed == ["builds", "uses", *NOUNS]


# Layout 1


def test_layout_1_is_read(tmp_path: Path) -> None:
    """Archives of the first version are read, and what is in them is not added again."""
    long = "Ü" * 80
    for name in ("testing", "a b", "Holidays ä", long):
        add_as_layout_1(tmp_path, SYSTEM | {"name": name}, FULL, ["full"])
    add_as_layout_1(tmp_path, SYSTEM | {"description": "second"}, BARE, digits="0123abcd")
    before = files_below(tmp_path)
    store = ArchiveStore(tmp_path)
    assert {build.system for build in store.builds()} == {"testing", "a b", "Holidays ä", long}
    assert len(store.builds()) == 5
    for name in ("testing", "a b", "Holidays ä", long):
        build = store.builds(name)[-1]
        found = store.read(build)
        assert (found.system["name"], found.unavailable) == (name, ("full",))
        assert rows(found) == rows(found) | {"codes": FULL["codes"], "folders": FULL["folders"]}
        assert not store.add(SYSTEM | {"name": name}, FULL, ["full"])
        assert not store.add(SYSTEM | {"name": name}, {n: FULL[n] for n in ("tables", "variables")})
    assert files_below(tmp_path) == before


def test_adding_to_layout_1(tmp_path: Path) -> None:
    """What is added since stands beside it, for us and for other engines."""
    later = SYSTEM | {"build_date": SYSTEM["build_date"] + timedelta(days=1)}
    add_as_layout_1(tmp_path, SYSTEM | {"name": "Two"}, FULL)
    store = ArchiveStore(tmp_path)
    assert store.add(later | {"name": "Two"}, FULL)
    names = [build.name for build in store.builds("Two")]
    assert names[0] == DATE
    assert names[1].startswith("2019-11-28T15-57-24-")
    query: Any = duckdb.sql
    found = query(
        f"select distinct v.system, v.build from read_parquet('{tmp_path}/variables/**/*.parquet', "
        "hive_types = {'system': varchar, 'build': varchar}) v join read_parquet("
        f"'{tmp_path}/builds/**/*.parquet', hive_types = {{'system': varchar, 'build': varchar}}) "
        "b on v.system = b.system and v.build = b.build"
    ).fetchall()
    assert sorted(found) == [("Two", name) for name in names]
    store.remove(store.builds("Two")[0])
    assert [build.name for build in store.builds()] == names[1:]
    assert is_clean(tmp_path)
