"""The files of an archive: read by everybody, whole or not there, left alone by others."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from lanes import up_to
from storage.arrows import SYSTEM, codes_of, folder_of, saved
from storage.test_codes_and_folders import BARE, rows

from apteco_frames.errors import ArchiveError
from apteco_frames.storage import claims
from apteco_frames.storage.content import digest
from apteco_frames.storage.hive import Hive
from apteco_frames.storage.layout import NOUNS

FULL = {**BARE, "codes": codes_of("bare", 3), "folders": folder_of(["bare"])}
DATE = "2019-11-27T15-57-24"
ODD_NAMES = [
    *("007", "1e3", "true", "null", "2026-11-01", "a/b", "50 %41", "x=y", "..", "Läden ☃"),
    *('C:\\*?"<>|', " ", "a+b&c#d", "system=1", "CON", "__HIVE_DEFAULT_PARTITION__"),
]


def files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def is_clean(root: Path) -> bool:
    """Whether the files are those of the builds, and no others."""
    hive = Hive(root)
    expected = {f"builds/{path}" for path in hive.files_of("tables")}
    for noun in NOUNS:
        expected |= {f"{noun}/{path}" for path in hive.files_of(noun)}
    return set(files_below(root)) == expected


@settings(max_examples=up_to(40))
@given(saved())
def test_any_rows_come_back_equal(tmp_path_factory: pytest.TempPathFactory, what: Any) -> None:
    """Whatever the tables hold, and the system, is read back to the letter; once is enough."""
    system, arrows, unavailable = what
    root = tmp_path_factory.mktemp("archive")
    assert Hive(root).add(*what)
    assert not Hive(root).add(*what)
    (build,) = Hive(root).builds()
    found = Hive(root).read(build)
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
    Hive(tmp_path).add(SYSTEM, FULL)
    Hive(tmp_path).add(SYSTEM | {"name": "a b", "build_date": None}, BARE)
    found = [(Path(path).parent.as_posix(), Path(path).suffix) for path in files_below(tmp_path)]
    assert found == [
        (f"{noun}/{folder}", ".parquet")
        for noun in ("builds", "codes", "folders", "tables", "variables")
        for folder in ("system=a%20b/build=unknown", f"system=testing/build={DATE}")
        if noun not in ("codes", "folders") or "testing" in folder
    ]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_are_texts_for_everybody(tmp_path: Path, name: str) -> None:
    """polars, DuckDB and pyarrow give a system's name and build as the texts that they are."""
    root = tmp_path / "archive"
    Hive(root).add(SYSTEM | {"name": name}, BARE)
    Hive(root).add(SYSTEM | {"name": "another"}, BARE)
    (build,) = Hive(root).builds(name)
    assert build.values["system"] == name
    assert Hive(root).read(build).system["name"] == name
    expected = {(name, DATE), ("another", DATE)}
    if name.startswith("__HIVE"):  # which means null there
        expected = {(None, DATE), ("another", DATE)}  # type: ignore[arg-type]
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
    assert set(found) in (expected, {(name, DATE), ("another", DATE)})


def test_readers_can_skip(tmp_path: Path) -> None:
    """Codes are sorted by variable, in groups of 20,000 rows; the order comes back."""
    names = [f"v{n % 7}" for n in range(7 * 10_000)]
    codes = pa.concat_tables([codes_of(name, 10_000) for name in dict.fromkeys(names)][::-1])
    Hive(tmp_path).add(SYSTEM, {**BARE, "codes": codes})
    (build,) = Hive(tmp_path).builds()
    file = pq.ParquetFile(tmp_path / "codes" / build.file)
    groups = [file.metadata.row_group(n) for n in range(file.num_row_groups)]
    assert [group.num_rows for group in groups] == [20_000, 20_000, 20_000, 10_000]
    bounds = [(g.column(0).statistics.min, g.column(0).statistics.max) for g in groups]
    assert bounds == [("v0", "v1"), ("v2", "v3"), ("v4", "v5"), ("v6", "v6")]
    assert rows(Hive(tmp_path).read(build))["codes"].equals(codes)


# What is the same


@settings(max_examples=up_to(40))
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


# What others leave


def killed(root: Path, system: dict[str, Any] = SYSTEM, *, at: str = "tables") -> None:
    """A program that ends, with nothing done to clean up, when it has put a noun in place."""
    program = f"""
import os, pickle, sys
from apteco_frames.storage.hive import Hive
class Killed(Hive):
    def _move(self, part, path):
        super()._move(part, path)
        if path.startswith({at!r}):
            os._exit(9)
Killed({str(root)!r}).add(*pickle.load(sys.stdin.buffer))
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps((system, FULL)), env=env, check=False
    )
    assert done.returncode == 9


@pytest.mark.parametrize("at", ["tables", "folders"])
def test_what_was_not_finished_does_not_exist(tmp_path: Path, at: str) -> None:
    """What a killed program has put in place is not seen, and is removed by the next add."""
    Hive(tmp_path).add(SYSTEM, BARE)
    killed(tmp_path, at=at)
    assert not is_clean(tmp_path)
    assert len(Hive(tmp_path).builds()) == 1
    assert [len(Hive(tmp_path).files_of(noun)) for noun in NOUNS] == [1, 1, 0, 0]
    assert not Hive(tmp_path).add(SYSTEM, BARE)
    assert is_clean(tmp_path)


def test_what_was_finished_stays(tmp_path: Path) -> None:
    """A program that was killed after its build was there has added it."""
    killed(tmp_path, at="builds")
    assert files_below(tmp_path / "adding")
    assert not Hive(tmp_path).add(SYSTEM, FULL)
    (build,) = Hive(tmp_path).builds()
    assert rows(Hive(tmp_path).read(build)).keys() == FULL.keys()
    assert is_clean(tmp_path)


def test_claims_of_other_machines(tmp_path: Path) -> None:
    """What a program on another machine has begun is left alone, for ten minutes."""
    killed(tmp_path, SYSTEM | {"name": "other"})
    (claim,) = (tmp_path / "adding").glob("*.claim")
    key, _, *rest = claim.name.split(".")
    elsewhere = claim.rename(claim.with_name(".".join([key, "0" * 16, *rest])))
    assert Hive(tmp_path).add(SYSTEM, BARE)
    assert elsewhere.exists()
    assert len(list(tmp_path.glob("tables/**/*.parquet"))) == 2
    old = time.time() - claims.SECONDS - 5
    os.utime(elsewhere, (old, old))
    assert not Hive(tmp_path).add(SYSTEM, BARE)
    assert is_clean(tmp_path)


def test_a_claim_that_was_cut_off(tmp_path: Path) -> None:
    """A claim of which only the beginning was written is no hindrance."""
    killed(tmp_path)
    (claim,) = (tmp_path / "adding").glob("*.claim")
    claim.write_bytes(claim.read_bytes()[:5])
    assert Hive(tmp_path).add(SYSTEM, BARE)
    assert not list((tmp_path / "adding").glob("*.claim"))


def test_an_add_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """What cannot be written ends in an error; nothing is left, and nothing is added."""
    (tmp_path / "variables").write_text("in the way")
    with pytest.raises(OSError, match="variables"):
        Hive(tmp_path).add(SYSTEM, FULL)
    assert files_below(tmp_path) == ["variables"]
    assert Hive(tmp_path).builds() == []


# Two at once


def test_two_at_once_add_once(tmp_path: Path) -> None:
    """Of many that add the same at once, one does; of different ones, all do."""

    def add(number: int) -> bool:
        date = SYSTEM["build_date"] + timedelta(days=number // 8)
        return Hive(tmp_path).add(SYSTEM | {"build_date": date}, FULL)

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(add, range(32)))
    assert [sum(added[n : n + 8]) for n in range(0, 32, 8)] == [1] * 4
    assert is_clean(tmp_path)
    assert len(Hive(tmp_path).builds()) == 4

    with ThreadPoolExecutor(8) as pool:
        other = [SYSTEM | {"description": f"{n}"} for n in range(8)]
        assert all(pool.map(lambda system: Hive(tmp_path).add(system, BARE), other))
    builds = Hive(tmp_path).builds()
    assert len({build.values["build"] for build in builds}) == 4 + 8
    assert {b.values["build_date"] for b in builds if b.values["build"].startswith(DATE)} == {
        SYSTEM["build_date"]
    }
    assert is_clean(tmp_path)


# What is damaged, or newer


def read_all(root: Path) -> dict[str, pa.Table]:
    """All rows of the one build."""
    (build,) = Hive(root).builds()
    return rows(Hive(root).read(build))


@pytest.mark.parametrize("noun", ["builds", *NOUNS])
def test_damage_is_told(tmp_path: Path, noun: str) -> None:
    """A damaged file is an error that names the archive and the file; so is one that is gone."""
    Hive(tmp_path).add(SYSTEM, FULL)
    (path,) = tmp_path.glob(f"{noun}/**/*.parquet")
    whole = path.read_bytes()
    spoilt = bytearray(whole)
    column = pq.read_metadata(path).row_group(0).column(0)
    first = column.dictionary_page_offset or column.data_page_offset
    spoilt[first + column.total_compressed_size - 1] ^= 1
    for damaged in (b"", whole[: len(whole) // 2], bytes(spoilt)):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveError, match=rf"archive at {tmp_path}, {noun}.* cannot be read"):
            read_all(tmp_path)
    if noun != "builds":
        path.unlink()
        with pytest.raises(ArchiveError, match="FileNotFoundError"):
            read_all(tmp_path)


def test_newer_layouts_are_told(tmp_path: Path) -> None:
    """An archive that a later version has written to says which one to install."""
    Hive(tmp_path).add(SYSTEM, BARE)
    (path,) = tmp_path.glob("builds/**/*.parquet")
    table = pq.ParquetFile(path).read()
    place = table.schema.get_field_index("version")
    pq.write_table(table.set_column(place, "version", pa.array([2])), path)
    with pytest.raises(ArchiveError, match=r"layout 2.*pip install --upgrade \."):
        Hive(tmp_path).builds()


def test_credentials_are_not_shown() -> None:
    """A URI may hold a key; what is said of the archive does not."""
    assert Hive("s3://KEY:SECRET@bucket/path?region=eu-west-1").place == "s3://bucket/path"


def test_order_of_builds(tmp_path: Path) -> None:
    """Builds come by date, those without one first; of one date by when they were added."""
    dates = [datetime(2026, 11, 2), None, datetime(2026, 11, 1), datetime(2026, 11, 2)]
    for number, date in enumerate(dates):
        Hive(tmp_path).add(SYSTEM | {"build_date": date, "description": str(number)}, BARE)
    found = [build.values["description"] for build in Hive(tmp_path).builds()]
    assert found == ["1", "2", "0", "3"]
