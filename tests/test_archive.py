"""Archives: catalogues come back as they were, and builds are told apart."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from lanes import PATIENCE, up_to
from servers import RecordingServer
from storage.filesystems import Handler, NoCase, Windows, lacking
from strategies import (
    catalogue_of,
    catalogues,
    rebuilt,
    variable_item,
    with_codes_and_folders,
)

from apteco_frames import Archive, Catalogue, errors, schema
from apteco_frames.archive import Added
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.demo.api import Answer, Request

NOUNS = ("tables", "variables", "codes", "folders")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of three systems, two builds each."""
    root = tmp_path_factory.mktemp("archives") / "a"
    for name in ("holidays", "007", "a/b = c"):
        for days in (0, 1):
            assert Archive(root).add(rebuilt(holidays(), days, name=name))
    return root


# Kept and given back


@settings(max_examples=up_to(30))
@given(catalogues(max_variables=12).flatmap(with_codes_and_folders) | catalogues(max_variables=12))
def test_any_catalogue_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue
) -> None:
    """Whatever is added is given back equal, from a folder of any name; once is enough."""
    root = tmp_path_factory.mktemp("archive") / "a=1"
    archive = Archive(root)
    assert archive.add(catalogue)
    found = Archive(str(root)).catalogue(catalogue.system_info.name)
    assert found == catalogue
    for noun in NOUNS:
        if not getattr(catalogue, f"has_{noun}", True):
            continue
        assert getattr(found, noun).arrow.equals(getattr(catalogue, noun).arrow)
        assert list(getattr(found, noun)) == list(getattr(catalogue, noun))
    assert not archive.add(found)
    assert archive.builds.height == 1


def test_what_was_refused_is_known(tmp_path: Path) -> None:
    """A catalogue without the codes of some variables is given back with their names."""
    whole = holidays()
    codes = whole.codes.frame.filter(pl.col("variable_name") != "boDest")
    rows = whole.tables, whole.variables, codes, whole.folders
    refused = Catalogue(whole.system_info, *rows, unavailable=["boDest"])
    Archive(tmp_path).add(refused)
    found = Archive(tmp_path).catalogue("holidays")
    assert found.codes.unavailable == refused.codes.unavailable == ["boDest"]
    assert found == refused
    assert Archive(tmp_path).builds["unavailable"].to_list() == [["boDest"]]


def test_another_catalogue_of_a_date_is_kept_too(tmp_path: Path) -> None:
    """What was made since a build makes another entry; the one added last is the latest."""
    one = catalogue_of(None, [variable_item("one")])
    two = catalogue_of(None, [variable_item("one"), variable_item("two")])
    archive = Archive(tmp_path)
    assert [archive.add(c) for c in (one, two, two)] == [True, True, False]
    builds = archive.builds["build"].to_list()
    assert all(re.fullmatch("2019-11-27T15-57-24-[0-9a-f]{8}", build) for build in builds)
    assert archive.catalogue("testing") == two
    for build in (one.system_info.build_date, "2019-11-27T15-57-24"):
        assert archive.catalogue("testing", build) == two
    assert [archive.catalogue("testing", build) for build in builds] == [one, two]
    assert not archive.add(one)
    assert archive.catalogue("testing") == one
    assert archive.builds.height == 2


def test_the_fuller_catalogue_of_a_date_is_the_latest(tmp_path: Path) -> None:
    """What holds less hides nothing, whichever was added last, and is found by its name."""
    whole = holidays()
    renamed = whole.system_info._replace(description="other")
    codes = whole.codes.frame.filter(pl.col("variable_name") != "boDest")
    rows = whole.tables, whole.variables
    catalogues = [
        whole,
        Catalogue(renamed, *rows, codes, whole.folders, unavailable=["boDest"]),
        Catalogue(renamed._replace(view_name="other"), *rows),
    ]
    for order in permutations(range(3)):
        archive = Archive(tmp_path / "".join(map(str, order)))
        assert all(archive.add(catalogues[number]) for number in order)
        assert archive.catalogue("holidays") == whole
        assert archive.catalogue("holidays", "2019-11-27T15-57-24") == whole
        builds = archive.builds["build"].to_list()
        assert [archive.catalogue("holidays", build) for build in builds] == catalogues[::-1]


def test_less_of_a_build_does_not_hide_more(tmp_path: Path) -> None:
    """A session whose codes are not read adds nothing to a build that is there with its codes."""
    archive = Archive(tmp_path)
    with DemoServer() as server, server.login() as session:
        bare = session.catalogue
        assert archive.add(holidays())
        assert not archive.add(session)
        assert [added.is_added for added in archive.add_all(session)] == [False]
        assert archive.catalogue("holidays") == holidays()
        other = Catalogue(bare.system_info, bare.tables, bare.variables[1:])
        assert archive.add(other)
        assert len(archive.builds) == 2


LONG = "Läden und Märkte ☃ " * 20


@pytest.mark.parametrize("kind", [NoCase, Windows])
def test_names_are_whole(tmp_path: Path, kind: type[Handler]) -> None:
    """Names that are too long for a folder, or differ in case alone, are whole to us."""
    others = [f"{LONG}{n}" for n in range(2)] + ["Holidays"]
    for archive in (Archive(tmp_path / "a"), Archive("b", filesystem=lacking(kind(tmp_path)))):
        for name in (*others, "holidays"):
            assert archive.add(rebuilt(holidays(), name=name))
            assert not archive.add(rebuilt(holidays(), name=name))
        assert set(archive.builds["system"]) == {*others, "holidays"}
        for name in others:
            assert archive.catalogue(name).system_info.name == name
            rows = archive.scan("variables").filter(system=name).collect()
            assert rows.height == len(holidays().variables)
            assert set(rows["system_name"]) == set(rows["system"]) == {name}
            assert archive.history("boDest", system=name).height == 1
        with pytest.raises(errors.UnknownKeyError, match="'Läden und Märkte ☃"):
            archive.catalogue("Läden")
        with pytest.raises(errors.UnknownKeyError, match=r"no system 'HOLIDAYS'.* 'Holidays'"):
            archive.catalogue("HOLIDAYS")
        assert archive.prune(keep_last=1).height == 0


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    """A file is no empty archive, whatever one asks of it."""
    (tmp_path / "a").write_bytes(b"kept")
    uses: list[Any] = [
        lambda archive: archive.builds,
        lambda archive: archive.add(holidays()),
        lambda archive: archive.catalogue("holidays"),
        lambda archive: archive.scan("tables"),
        lambda archive: archive.history("boDest"),
    ]
    for use in uses:
        with pytest.raises(errors.ArchiveError, match=r"/a is a file, .* is a folder"):
            use(Archive(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == b"kept"


@pytest.mark.parametrize(
    ("root", "said"),
    [
        ("foo://x", r"foo://x \(Unrecognized filesystem type in URI\)"),
        ("http://me:secret@x/a?b=secret", r"http://x/a \(Unrecognized"),
        ("s3:///b", r"\(Missing bucket name in S3 URI\)"),
        ("s3://me:secret@b/%zz", r"s3://b/%zz \(Cannot parse URI\)"),
        ("s3://me:secret@b/a?c=secret", r"s3://b/a \(Unexpected query parameter in S3 URI\)"),
        ("s3:/me:sec/ret@b/a", r"s3:/b/a \(Cannot parse URI\)|s3:/b/a \(Missing bucket name"),
        ("s3:me:secret@b/a", r"s3:b/a \(Missing bucket name in S3 URI\)"),
        (Path("s3://me:secret@b/a"), r"b.a \((Missing bucket name in S3|Cannot parse) URI\)"),
    ],
)
def test_a_place_that_is_not_known(root: str | Path, said: str) -> None:
    """A URI of no file system is named, without what is secret in it, and what there is."""
    with pytest.raises(errors.ArchiveError, match=rf"{said}.*s3://.*filesystem=\.") as told:
        _ = Archive(root).builds
    assert not re.search("sec|ret@|cret", f"{told.value} {Archive(root)!r} {Archive(root).root}")
    assert told.value.__suppress_context__


@pytest.mark.parametrize("root", ["s3//me:sec/ret@b/a", "a/me:sec@ret@b", "//me:secret@b/a"])
def test_a_mistyped_place_shows_no_secret(root: str) -> None:
    """What looks like a user and a password in the name of a folder is not shown."""
    archive = Archive(root)
    assert not re.search("sec|ret", f"{archive!r} {archive.root}")
    with pytest.raises(errors.UnknownKeyError) as told:
        archive.catalogue("holidays")
    assert not re.search("sec|ret", str(told.value))


def test_a_build_that_is_not_there_is_told_with_the_newest(tmp_path: Path) -> None:
    """Of many builds the error names the latest ones, the last first."""
    archive = Archive(tmp_path)
    for day in range(1, 13):
        archive.add(catalogue_of(build_date=datetime(2026, 11, day)))
    with pytest.raises(errors.UnknownKeyError) as told:
        archive.catalogue("testing", "2025")
    dates = re.findall(r"'2026-11-(\d\d)T00-00-00-[0-9a-f]{8}'", str(told.value))
    assert dates == [f"{day:02}" for day in range(12, 2, -1)]
    assert str(told.value).endswith(" and 2 more.")


def test_builds(filled: Path) -> None:
    """A row for each build, by system and date; of what each consists."""
    builds = Archive(filled).builds
    assert builds.columns == schema.BUILDS_SCHEMA.names
    assert builds["system"].to_list() == ["007"] * 2 + ["a/b = c"] * 2 + ["holidays"] * 2
    days = builds["build"].str.slice(0, 20).to_list()
    assert days == ["2019-11-27T15-57-24-", "2019-11-28T15-57-24-"] * 3
    assert builds["added_at"].null_count() == 0
    first = builds.row(0, named=True)
    assert [first[noun] for noun in NOUNS] == [len(getattr(holidays(), noun)) for noun in NOUNS]
    assert first["build_date"] == holidays().system_info.build_date
    empty = Archive(filled / "nowhere").builds
    assert (empty.height, empty.schema) == (0, builds.schema)


def test_what_is_not_there_is_told(filled: Path) -> None:
    """An error says what there is instead."""
    archive = Archive(filled)
    for ask, said in (
        (lambda: archive.catalogue("holiday"), r"no system 'holiday'.* has 'holidays'"),
        (lambda: archive.catalogue("007", "2020"), "no build '2020'.*'2019-11-27T15-57-24-"),
        (lambda: archive.catalogue("007", datetime(2020, 1, 1)), "no build '2020-01-01 00:00:00'"),
        (lambda: archive.scan("columns"), "no 'columns'.*'variables'"),
        (lambda: archive.history("boDets"), "variable 'boDets'.*'boDest'"),
        (lambda: archive.history("boDest", system="8"), "no system '8'"),
        (lambda: Archive(filled / "nowhere").catalogue("a"), "no system 'a'. It has none"),
    ):
        with pytest.raises(errors.UnknownKeyError, match=said):
            ask()


def test_an_archive_is_shown_and_pickled(filled: Path) -> None:
    """It says where it is; a copy is of the same place."""
    archive = Archive(filled)
    assert repr(archive) == f"<Archive at {filled.as_posix()}>"
    assert pickle.loads(pickle.dumps(archive)).builds.equals(archive.builds)


# Scans


def places(root: Path) -> Iterator[tuple[str, Archive]]:
    """An archive as polars reads it by itself, and as Arrow reads it for polars."""
    yield "path", Archive(root)
    under = root.parent / "b=1" / root.name
    if not under.exists():
        shutil.copytree(root, under)
    yield "equals sign", Archive(under)
    local = pyarrow.fs.SubTreeFileSystem(str(root.parent), pyarrow.fs.LocalFileSystem())
    yield "file system", Archive(root.name, filesystem=local)
    yield "URI", Archive("file:///" + root.as_posix().lstrip("/"))


@pytest.mark.parametrize("noun", NOUNS)
def test_scans(filled: Path, noun: str) -> None:
    """A scan has the rows of all builds, with the columns of the frame and whose they are."""
    expected: Any = getattr(holidays(), noun).frame
    whole = None
    for place, archive in places(filled):
        lazy = archive.scan(noun)
        assert isinstance(lazy, pl.LazyFrame)
        found = lazy.sort("system", "build", "row_number").collect()
        assert found.height == 6 * expected.height, place
        assert found.columns == [
            *expected.columns,
            *("row_number", "system_name", "build_date", "system", "build"),
        ]
        assert found["system"].equals(found["system_name"].alias("system"), check_names=False)
        one = found.filter(pl.col("build").str.starts_with("2019-11-28"), system="a/b = c")
        assert one.select(expected.columns).equals(expected)
        assert one.select(expected.columns).schema == expected.schema
        whole = found if whole is None else whole
        assert found.equals(whole), place
        assert lazy.collect_schema() == found.schema


def test_a_scan_opens_what_it_needs(filled: Path, tmp_path: Path) -> None:
    """Where the files of all other systems and builds are destroyed, the answer still comes."""
    shutil.copytree(filled, tmp_path / "archive")
    name = Archive(filled).builds.filter(system="007")["build"][-1]
    for path in (tmp_path / "archive").rglob("*.parquet"):
        if f"system=007/build={name}" not in path.as_posix():
            path.write_bytes(b"destroyed")
    for place, archive in places(tmp_path / "archive"):
        build = pl.col("build") == name
        if place == "path":  # Arrow leaves out files for less
            build = pl.col("build").str.starts_with("2019-11-28")
        for noun in NOUNS:
            lazy = archive.scan(noun).filter(pl.col("system") == "007", build)
            assert lazy.select(pl.len()).collect().item() == len(getattr(holidays(), noun)), place
            assert lazy.collect().height == len(getattr(holidays(), noun)), place
        with pytest.raises(Exception, match=r"[Pp]arquet"):
            archive.scan("variables").collect()
        types = archive.scan("variables").filter(
            pl.col("build") == name, pl.col("system") == "007", type="Selector"
        )
        assert types.collect().height == len(holidays().variables.filter(type="Selector"))


def test_what_is_collected_is_pushed_down(filled: Path) -> None:
    """polars hands columns and predicates to the reading of files."""
    plan = Archive(filled).scan("codes").filter(system="007", variable_name="boDest")
    text = plan.select("code").explain()
    assert "SELECTION" in text
    assert "FILTER" not in text
    assert "PROJECT" in text


def test_a_scan_goes_on_while_others_add(tmp_path: Path) -> None:
    """A scan sees what was there when it was made, whatever is added since."""
    archive = Archive(tmp_path)
    archive.add(holidays())
    before = archive.scan("variables")
    archive.add(rebuilt(holidays(), 1))
    assert before.collect().height == len(holidays().variables)
    assert archive.scan("variables").collect().height == 2 * len(holidays().variables)


def test_a_scan_of_nothing(tmp_path: Path) -> None:
    """Where nothing is, a scan has no rows, but the columns."""
    archive = Archive(tmp_path)
    found = archive.scan("codes").collect()
    archive.add(holidays())
    assert found.height == 0
    assert found.schema == archive.scan("codes").collect_schema()
    other = Archive(tmp_path / "other")
    other.add(catalogue_of())
    assert other.scan("codes").collect().equals(found)


# Histories


def test_history(tmp_path: Path) -> None:
    """Per build whether the variable was there, what it was, and what changed."""

    def build(day: int, *, size: int = 3, name: str = "a", kind: str = "Selector") -> Catalogue:
        item = variable_item(name, "People", kind)
        if kind == "Selector":
            item["selectorInfo"] |= {"numberOfCodes": size, "minimumVarCodeCount": size}
        made = catalogue_of(None, [item], build_date=datetime(2026, 11, day))
        codes = pl.DataFrame(
            {"code": list(map(str, range(size))), "description": "x", "count": day}
        ).with_columns(variable_name=pl.lit("a"))
        return Catalogue(
            made.system_info,
            made.tables,
            made.variables,
            codes[:0] if kind != "Selector" else codes if name == "a" else None,
        )

    archive = Archive(tmp_path)
    for made in (
        build(1),
        build(2),
        build(3, size=4),
        build(4, name="b"),
        build(5, kind="Text"),
    ):
        archive.add(made)
    archive.add(rebuilt(build(1), name="zz"))
    found = archive.history("a", system="testing")
    assert found["is_there"].to_list() == [True, True, True, False, True]
    assert found["type"].to_list() == ["Selector"] * 3 + [None, "Text"]
    assert found["num_codes"].to_list() == [3, 3, 4, None, None]
    assert found["var_code_min_count"].to_list() == [3, 3, 4, None, None]
    assert found["is_changed"].to_list() == [None, False, True, True, True]
    changed = found["changed_columns"].to_list()
    assert changed[:3] == [None, [], ["num_codes", "var_code_min_count", "codes"]]
    assert {"type", "num_codes", "api_type"} < set(changed[3]) & set(changed[4])
    every = archive.history("a")
    assert every.head(5).equals(found)
    assert every["system"].to_list() == ["testing"] * 5 + ["zz"]
    assert every["is_changed"].to_list()[5] is None


def test_codes_that_are_not_known_are_no_change(tmp_path: Path) -> None:
    """Builds without codes, or where they were refused, are passed over; the next is compared."""
    whole = holidays()
    rows = whole.tables, whole.variables
    other = whole.codes.frame.with_columns(
        description=pl.when(code="29", variable_name="boDest")
        .then(pl.lit("Suede"))
        .otherwise("description")
    )
    swapped = whole.codes.frame.with_columns(
        position=pl.when(variable_name="boDest")
        .then(pl.col("position").reverse().over("variable_name"))
        .otherwise("position")
    ).sort("position", maintain_order=True)
    refused = whole.codes.frame.filter(pl.col("variable_name") != "boDest")
    archive = Archive(tmp_path)
    for day, codes in enumerate((whole.codes, refused, None, whole.codes, refused, other, swapped)):
        info = whole.system_info._replace(build_date=datetime(2026, 11, 1 + day))
        unavailable = ["boDest"] if codes is refused else []
        assert archive.add(Catalogue(info, *rows, codes, unavailable=unavailable))
    found = archive.history("boDest")
    assert found["is_changed"].to_list() == [None, False, False, False, False, True, True]
    assert found["changed_columns"].to_list()[5:] == [["codes"], ["codes"]]
    assert not any(archive.history("boCont")["is_changed"].to_list()[1:6])


def test_history_of_movement(tmp_path: Path) -> None:
    """Per build the share of Unclassified, and what moved since the build before, as in diff."""
    whole = holidays()
    records = 2_130_081
    is_dest, position = pl.col("variable_name") == "boDest", pl.col("position")
    count = pl.when(position == 0).then(records).otherwise(0)
    lost = whole.codes.frame.with_columns(count=pl.when(is_dest).then(count).otherwise("count"))
    unknown = whole.codes.frame.with_columns(
        count=pl.when(is_dest).then(None).otherwise("count").cast(pl.Int64)
    )
    fewer = whole.codes.frame.filter(~(is_dest & (position == 5)))
    archive = Archive(tmp_path)
    nights = (whole.codes, whole.codes, lost, whole.codes, fewer, None, whole.codes, unknown)
    builds = []
    for night, codes in enumerate(nights):
        assert whole.system_info.build_date
        date = whole.system_info.build_date + timedelta(days=night)
        info = whole.system_info._replace(build_date=date)
        builds.append(Catalogue(info, whole.tables, whole.variables, codes, whole.folders))
        archive.add(builds[-1])
    found = archive.history("boDest")
    rounded = [found[column].round(4).to_list() for column in ("unclassified_share", "moved")]
    share = 0.0315
    assert rounded[0][:4] == [share, share, 1.0, share]
    assert rounded[0][5:] == [None, share, None]
    assert rounded[1][:4] == [None, 0.0, 0.9685, 0.9685]
    assert rounded[1][5:] == [None, None, None]
    assert found["moved"][4] == pytest.approx(
        float(builds[4].diff(builds[3]).filter(column="moved")["boDest"].new or 0), abs=1e-4
    )


def test_history_of_damaged_files(filled: Path, tmp_path: Path) -> None:
    """A file that cannot be read is an error of the package."""
    root = tmp_path / "archive"
    shutil.copytree(filled, root)
    for path in root.glob("variables/system=007/**/*.parquet"):
        path.write_bytes(b"destroyed")
    for _, archive in places(root):
        assert archive.history("boDest", system="holidays").height == 2
        with pytest.raises(errors.ArchiveError, match=r"Not all files .* can be read"):
            archive.history("boDest")


def test_history_of_what_is_missing(tmp_path: Path) -> None:
    """A build without the variable's table is damaged; a variable without a name is none."""
    archive = Archive(tmp_path)
    archive.add(holidays())
    for noun, rows in (("tables", 0), ("variables", 9)):
        (path,) = tmp_path.glob(f"{noun}/**/*.parquet")
        whole = pq.ParquetFile(path).read().slice(0, rows)
        names = pa.array([None] * rows, pa.string())
        pq.write_table(whole.set_column(0, pa.field("name", pa.string()), names), path)
        kind = errors.ArchiveError if noun == "tables" else errors.UnknownKeyError
        with pytest.raises(kind, match=r"table is missing|has a variable 'boDest'"):
            archive.history("boDest")


# File systems of fsspec


@pytest.fixture
def memory() -> Iterator[Any]:
    """An empty file system in memory."""
    fsspec: Any = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory", skip_instance_cache=True)
    yield files
    files.store.clear()


def test_a_file_system_of_fsspec(memory: Any) -> None:
    """Whatever an archive does on a disk it does there; times come from where it keeps them."""
    archive = Archive("/a", filesystem=memory)
    assert archive.builds.height == 0
    for days in (0, 1, 2):
        assert archive.add(rebuilt(holidays(), days))
        assert not archive.add(rebuilt(holidays(), days))
    assert archive.builds.height == 3
    assert archive.catalogue("holidays") == rebuilt(holidays(), 2)
    assert archive.scan("codes").filter(system="holidays").collect().height == 3 * 1032
    assert archive.history("boDest")["is_changed"].to_list() == [None, False, False]
    with pytest.raises(errors.UnknownKeyError, match="has 'holidays'"):
        archive.catalogue("holiday")
    assert archive.prune(keep_last=1).height == 2
    (entry,) = memory.glob("/a/builds/**/*.parquet")
    memory.rm(entry)
    assert archive.clean() == []
    assert len(archive.clean(timedelta(0))) == 4
    assert memory.find("/a") == []


@pytest.mark.parametrize("root", ["/", "a", "/a/b"])
def test_the_latest_in_a_file_system_of_fsspec(memory: Any, root: str) -> None:
    """What was added last to one date is the latest there as well, and is kept."""
    archive = Archive(root, filesystem=memory)
    for number in (0, 1, 2, 0):
        added = rebuilt(holidays(), description=f"{number}")
        archive.add(added)
        assert archive.catalogue("holidays") == added
    assert archive.builds["added_at"].is_sorted()
    assert archive.prune(keep_last=1).height == 2
    assert archive.catalogue("holidays") == added


@pytest.mark.parametrize(
    ("method", "use", "error", "said"),
    [
        ("find", lambda a: a.builds, errors.ArchiveError, "/a cannot be listed.*: no route"),
        ("info", lambda a: a.add(holidays()), OSError, "no route"),
        ("pipe_file", lambda a: a.add(rebuilt(holidays(), 2)), OSError, "RuntimeError: no route"),
        ("cat_file", lambda a: a.catalogue("holidays"), errors.ArchiveError, "cannot be read"),
        ("cat_file", lambda a: a.history("boDest"), errors.ArchiveError, "Not all files"),
        ("rm", lambda a: a.prune(keep_last=1), OSError, "no route"),
    ],
    ids=["list", "look", "write", "read", "scan", "remove"],
)
def test_a_file_system_of_fsspec_that_fails(
    memory: Any, method: str, use: Callable[[Archive], Any], error: type[Exception], said: str
) -> None:
    """What its library raises is an error of this package, or one of the system's."""
    for days in (0, 1):
        Archive("/a", filesystem=memory).add(rebuilt(holidays(), days))

    class Failing(type(memory)):  # type: ignore[misc]
        def fail(self, *arguments: Any, **options: Any) -> Any:
            raise RuntimeError("no route to https://account.example/a?sig=SECRET")

    setattr(Failing, method, Failing.fail)
    archive = Archive("/a", filesystem=Failing(skip_instance_cache=True))
    with pytest.raises(error, match=said) as told:
        use(archive)
    assert error is OSError or "SECRET" not in str(told.value)


@pytest.mark.parametrize("times", [2, 8])
def test_several_at_once_in_memory(memory: Any, times: int) -> None:
    """Several that add at once to what is neither a disk nor an object storage."""

    def add(number: int) -> bool:
        archive = Archive("/a", filesystem=memory)
        is_added = archive.add(rebuilt(holidays(), number % 3))
        assert archive.catalogue("holidays").codes == holidays().codes
        return is_added

    with ThreadPoolExecutor(times) as pool:
        assert sum(pool.map(add, range(4 * times))) >= 3
    assert Archive("/a", filesystem=memory).builds.height == 3
    assert len(memory.find("/a")) == 15


def test_names_that_a_web_server_encodes(memory: Any) -> None:
    """Where names are listed percent-encoded, an error says so: the archive is not empty."""

    class Encoding(type(memory)):  # type: ignore[misc]
        def find(self, path: str, **options: Any) -> Any:
            return {quote(name): info for name, info in super().find(path, **options).items()}

    Archive("/a", filesystem=memory).add(holidays())
    archive = Archive("/a", filesystem=Encoding(skip_instance_cache=True))
    with pytest.raises(errors.ArchiveError, match=r"at /a cannot be listed.*percent-encoded"):
        _ = archive.builds


def test_a_disk_by_way_of_fsspec(tmp_path: Path) -> None:
    """The file system of fsspec for a disk is the disk: files come into place whole."""
    local: Any = pytest.importorskip("fsspec").filesystem("file")
    archive = Archive(tmp_path / "a", filesystem=local)
    assert archive.add(holidays())
    assert Archive(tmp_path / "a").catalogue("holidays") == holidays()
    assert list((tmp_path / "a" / "adding").iterdir()) == []


@pytest.mark.parametrize("hours", [-1, 1])
def test_clocks_that_are_wrong(tmp_path: Path, hours: int) -> None:
    """Where the storage's clock is an hour off, all is added, found and kept."""

    def shift() -> None:
        for path in tmp_path.rglob("*.parquet"):
            at = path.stat().st_mtime + hours * 3600
            os.utime(path, (at, at))

    archive = Archive(tmp_path)
    assert archive.add(holidays())
    shift()
    assert not archive.add(holidays())
    assert archive.add(rebuilt(holidays(), 1))
    assert archive.catalogue("holidays") == rebuilt(holidays(), 1)
    (entry, _) = sorted(tmp_path.glob("builds/**/*.parquet"))
    entry.unlink()
    shift()
    assert archive.clean() == []
    assert archive.add(holidays())
    assert archive.builds.height == 2


# Less of it


def dated(archive: Archive) -> list[str]:
    """The days of the builds that are there."""
    return [str(date.date()) for date in archive.builds["build_date"]]


def test_prune(tmp_path: Path) -> None:
    """What no rule keeps is removed from each system; a dry run says the same and removes none."""
    archive = Archive(tmp_path)
    few = catalogue_of(None, [variable_item("a")])
    for name in ("one", "two"):
        for days in range(0, 60, 3 if name == "one" else 30):
            assert archive.add(rebuilt(few, days, name=name))
    rules: dict[str, Any] = {"keep_last": 2, "keep_weekly": 3}
    before = archive.builds
    would = archive.prune(**rules, dry_run=True)
    assert archive.builds.equals(before)
    removed = archive.prune(**rules)
    assert removed.equals(would)
    assert removed.columns == ["system", "build", "build_date"]
    assert dated(archive) == [
        *("2020-01-11", "2020-01-17", "2020-01-20", "2020-01-23"),
        *("2019-11-27", "2019-12-27"),
    ]
    assert len(before) - len(archive.builds) == len(removed) == 16
    assert archive.prune(**rules).height == 0
    for system in ("one", "two"):
        archive.catalogue(system)
    assert archive.scan("variables").collect().height == 6
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 6 * 3


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"keep_last": 1}, ["2026-11-30"]),
        ({"keep_last": 9}, ["2024-12-31", "2025-12-31", "2026-11-28", "2026-11-29", "2026-11-30"]),
        ({"keep_daily": 2}, ["2026-11-29", "2026-11-30"]),
        ({"keep_weekly": 2}, ["2026-11-29", "2026-11-30"]),
        ({"keep_monthly": 2}, ["2025-12-31", "2026-11-30"]),
        ({"keep_yearly": 2}, ["2025-12-31", "2026-11-30"]),
        ({"keep_yearly": 9}, ["2024-12-31", "2025-12-31", "2026-11-30"]),
        ({"keep_daily": 1, "keep_yearly": 2}, ["2025-12-31", "2026-11-30"]),
    ],
    ids=str,
)
def test_what_a_rule_keeps(tmp_path: Path, rules: dict[str, Any], expected: list[str]) -> None:
    """The last build of each period that has one, as far as the number goes."""
    archive = Archive(tmp_path)
    for date in ((2024, 12, 31), (2025, 12, 31), (2026, 11, 28), (2026, 11, 29), (2026, 11, 30)):
        assert archive.add(catalogue_of(build_date=datetime(*date)))
    archive.prune(**rules)
    assert dated(archive) == expected


def test_rules_are_needed(tmp_path: Path) -> None:
    """To keep nothing is no rule."""
    archive = Archive(tmp_path)
    archive.add(holidays())
    wrong: list[dict[str, Any]] = [{}, {"keep_last": 0}, {"keep_daily": -1}]
    for rules in wrong:
        with pytest.raises(ValueError, match="keep_"):
            archive.prune(**rules)
    with pytest.raises(TypeError, match="keep_last= takes a whole number"):
        archive.prune(keep_last="all")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"takes a datetime\.timedelta, not 1"):
        archive.clean(1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="older_than= takes a time from 0 on"):
        archive.clean(timedelta(seconds=-1))
    assert archive.builds.height == 1


# All systems of a DataView


class Refusing(RecordingServer):
    """Answers nothing about the variables of the system ``gone``."""

    def answer(self, request: Request) -> Answer:
        """An error for those."""
        return Answer(403) if "/gone/Variables" in request.target else super().answer(request)


@pytest.mark.parametrize("codes", [False, True])
def test_all_systems(tmp_path: Path, codes: bool) -> None:
    """Each system is added, with one login; one that fails is reported, and stops no other."""
    others = [rebuilt(holidays(), name=name) for name in ("gone", "other")]
    with Refusing(others=others) as server, server.login() as session:
        with pytest.warns(errors.CatalogueWarning, match="System 'gone' was not added"):
            done = Archive(tmp_path).add_all(session, codes=codes)
        assert [entry.system for entry in done] == ["holidays", "gone", "other"]
        assert [entry.is_added for entry in done] == [True, False, True]
        assert done[0] == Added("holidays", True, None)
        assert isinstance(done[1].error, errors.GatewayError)
        with pytest.warns(errors.CatalogueWarning):
            again = Archive(tmp_path).add_all(session, codes=codes)
        assert not any(entry.is_added for entry in again)
    assert sum("Login" in asked for asked in server.request_lines) == 1
    found = Archive(tmp_path).catalogue("other")
    assert (found.has_codes, found.has_folders) == (codes, codes)


# Other processes


def in_processes(program: str, *arguments: Any, times: int = 2) -> list[str]:
    """What programs that run at once print."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-W", "error", "-c", program, *map(str, arguments)]
    running = [
        subprocess.Popen([*command, str(n)], env=env, stdout=subprocess.PIPE, text=True)
        for n in range(times)
    ]
    said = [process.communicate(timeout=10 * PATIENCE)[0] for process in running]
    assert [process.returncode for process in running] == [0] * times
    return said


SAME = """
import sys
from test_archive import Archive, holidays, rebuilt
archive = Archive(sys.argv[1])
days = range(int(sys.argv[2]))
print(sum(archive.add(rebuilt(holidays(), day)) for day in days))
"""
OTHERS = """
import sys
from test_archive import Archive, holidays, rebuilt
archive = Archive(sys.argv[1])
days = range(int(sys.argv[2]))
print(sum(archive.add(rebuilt(holidays(), day, description=sys.argv[3])) for day in days))
"""


@pytest.mark.parametrize(
    ("programs", "days"), [(2, 3), pytest.param(3, 20, marks=pytest.mark.slow)], ids=["few", "many"]
)
@pytest.mark.parametrize(
    "program",
    [SAME, pytest.param(OTHERS, marks=pytest.mark.slow)],
    ids=["same", "others"],
)
def test_programs_at_once(tmp_path: Path, program: str, programs: int, days: int) -> None:
    """Programs that add at once add each catalogue once, and leave nothing else."""
    builds = days if program == SAME else programs * days
    added = in_processes(program, tmp_path, days, times=programs)
    assert sum(map(int, added)) >= builds  # none waits for another
    archive = Archive(tmp_path)
    assert archive.builds.height == builds
    assert archive.builds.select("system", "build").n_unique() == builds
    for build in archive.builds["build"]:
        archive.catalogue("holidays", build)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 5 * builds
