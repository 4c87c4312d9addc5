"""Codes and folders on disk: with their catalogue, of its build, and read when asked for."""

from __future__ import annotations

import shutil
import time
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from lanes import up_to
from storage.arrows import SCHEMAS, SYSTEM, codes_of, folder_of, saved, write_layout_1
from strategies import catalogue_of, variable_item

from apteco_frames import Catalogue
from apteco_frames.errors import SnapshotError
from apteco_frames.storage import snapshot
from apteco_frames.storage.snapshot import Snapshot

BARE = {
    kind: getattr(catalogue_of(None, [variable_item("bare")]), kind).arrow
    for kind in ("tables", "variables")
}
FULL = {
    **BARE,
    "variables": catalogue_of(None, [variable_item("full")]).variables.arrow,
    "codes": codes_of("full", 3),
    "folders": folder_of(["full"]),
}
BIG = {**BARE, "codes": codes_of("bare", 50_000)}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def files_of(*kinds: str) -> list[str]:
    return sorted(f"{kind}.parquet" for kind in kinds)


def rows(found: Snapshot) -> dict[str, pa.Table]:
    """All that a catalogue consists of, read."""
    arrows = {"tables": found.tables, "variables": found.variables}
    arrows |= {"codes": found.codes()} if found.codes else {}
    return arrows | ({"folders": found.folders()} if found.folders else {})


def is_read(folder: Path, expected: dict[str, pa.Table]) -> bool:
    return bool(rows(snapshot.read(folder)) == expected)


@settings(max_examples=up_to(40))
@given(saved())
def test_any_rows_come_back_equal(tmp_path_factory: pytest.TempPathFactory, what: Any) -> None:
    """Whatever the tables hold under their schemas, and the system, is read back to the letter."""
    system, arrows, unavailable = what
    folder = tmp_path_factory.mktemp("catalogue")
    paths = snapshot.write(folder, system, arrows, unavailable)
    assert [path.stem for path in paths] == ["system", *arrows]
    assert names(folder) == files_of("system", *arrows)
    found = snapshot.read(folder)
    assert (found.system, found.unavailable) == (system, unavailable)
    read = rows(found)
    assert list(read) == list(arrows)
    for kind, arrow in arrows.items():
        assert read[kind].equals(arrow)
    for kind in {"codes", "folders"} & set(arrows):
        assert read[kind].schema.equals(SCHEMAS[kind], check_metadata=True)
        assert read[kind].validate(full=True) is None


def test_codes_and_folders_are_parquet_for_everybody(tmp_path: Path) -> None:
    """polars, DuckDB, pandas and pyarrow read the files as they are; codes in small groups."""
    snapshot.write(tmp_path, SYSTEM, {**FULL, "codes": codes_of("full", 50_000)})
    for kind in ("codes", "folders"):
        path = tmp_path / f"{kind}.parquet"
        expected = rows(snapshot.read(tmp_path))[kind]
        assert pl.read_parquet(path).equals(pl.DataFrame(expected))
        assert pq.read_table(path).to_pydict() == expected.to_pydict()
        assert len(pd.read_parquet(path)) == len(expected)
        query: Any = duckdb.sql
        assert query(f"from '{path}'").pl().equals(pl.DataFrame(expected))
    groups = pq.ParquetFile(str(tmp_path / "codes.parquet")).metadata
    assert [groups.row_group(i).num_rows for i in range(3)] == [20_000, 20_000, 10_000]


@pytest.mark.parametrize(("older", "newer"), list(product([BARE, FULL, BIG], repeat=2)))
def test_what_an_older_catalogue_had_more_is_gone(
    tmp_path: Path, older: dict[str, pa.Table], newer: dict[str, pa.Table]
) -> None:
    """A catalogue without codes leaves none of an older one behind, and brings its own along."""
    snapshot.write(tmp_path, SYSTEM, older, ["refused"])
    snapshot.write(tmp_path, SYSTEM, newer)
    assert is_read(tmp_path, newer)
    assert snapshot.read(tmp_path).unavailable == ()
    assert names(tmp_path) == files_of("system", *newer)


@pytest.mark.parametrize("kind", ["codes", "folders", "system"])
def test_foreign_files_in_the_way(tmp_path: Path, kind: str) -> None:
    """What is not ours is neither overwritten, nor removed, nor read."""
    path = tmp_path / f"{kind}.parquet"
    pq.write_table(pa.table({"mine": [1]}), path)
    before = path.read_bytes()
    with pytest.raises(SnapshotError, match=rf"{kind}\.parquet exists.*it was not changed"):
        snapshot.write(tmp_path, SYSTEM, FULL)
    assert names(tmp_path) == [path.name]
    if kind != "system":
        snapshot.write(tmp_path, SYSTEM, BARE)
        assert is_read(tmp_path, BARE)
    assert path.read_bytes() == before


# Reading later


def test_codes_are_those_of_the_build_that_was_opened(tmp_path: Path) -> None:
    """Codes and folders that are read after the folder was written over are the older ones."""
    snapshot.write(tmp_path, SYSTEM, BIG)
    opened = snapshot.read(tmp_path)
    snapshot.write(tmp_path, SYSTEM, FULL)
    also_opened = snapshot.read(tmp_path)
    snapshot.write(tmp_path, SYSTEM, BARE)
    shutil.rmtree(tmp_path)
    assert rows(opened) == BIG
    assert rows(opened) == BIG  # as often as it is asked for
    assert rows(also_opened) == FULL


def test_codes_are_not_read_before(tmp_path: Path) -> None:
    """Opening reads no row of codes and folders: damage there shows on first use, by name."""
    for kind in ("codes", "folders"):
        snapshot.write(tmp_path, SYSTEM, FULL)
        path = tmp_path / f"{kind}.parquet"
        content = bytearray(path.read_bytes())
        content[4:40] = bytes(36)  # its first rows
        path.write_bytes(content)
        found = snapshot.read(tmp_path)
        read = getattr(found, kind)
        with pytest.raises(SnapshotError, match=rf"{kind}\.parquet is damaged"):
            read()


@pytest.mark.parametrize("kind", ["codes", "folders"])
def test_codes_of_another_snapshot(tmp_path: Path, kind: str) -> None:
    """A file of another snapshot, cut off or missing is noticed when the folder is opened."""
    path = tmp_path / f"{kind}.parquet"
    snapshot.write(tmp_path / "other", SYSTEM, FULL)
    snapshot.write(tmp_path, SYSTEM, FULL)
    content = path.read_bytes()
    shutil.copy(tmp_path / "other" / path.name, path)
    with pytest.raises(SnapshotError, match=rf"{kind}\.parquet do not belong to the same"):
        snapshot.read(tmp_path)
    path.write_bytes(content[:-9])
    with pytest.raises(SnapshotError, match=rf"{kind}\.parquet is damaged"):
        snapshot.read(tmp_path)
    path.unlink()
    with pytest.raises(SnapshotError, match=rf"No catalogue in .* it has no {kind}\.parquet"):
        snapshot.read(tmp_path)


@pytest.mark.parametrize("kind", ["codes", "folders"])
def test_columns_of_other_versions(tmp_path: Path, kind: str) -> None:
    """Columns that a later version adds are read past; a column too few is damage."""
    snapshot.write(tmp_path, SYSTEM, FULL)
    path = tmp_path / f"{kind}.parquet"
    table = pq.read_table(str(path))
    more = table.append_column("added_later", pa.nulls(len(table), pa.string()))
    pq.write_table(more.replace_schema_metadata(table.schema.metadata), path)
    assert is_read(tmp_path, FULL)
    pq.write_table(table.drop_columns(["description"]), path)
    read = getattr(snapshot.read(tmp_path), kind)
    with pytest.raises(SnapshotError, match="damaged"):
        read()


def open_below(folder: Path) -> list[str]:
    """Names of the files of a folder that this process has open."""
    links = []
    for path in Path("/proc/self/fd").iterdir():
        try:
            links.append(path.readlink())
        except OSError:
            continue  # the list's own
    return sorted(link.name for link in links if link.parent == folder)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed in /proc")
def test_nobody_holds_a_file(tmp_path: Path) -> None:
    """Files are closed once they were opened, since nobody replaces an open one on Windows."""
    snapshot.write(tmp_path, SYSTEM, FULL)
    found = snapshot.read(tmp_path)
    assert open_below(tmp_path) == []
    assert rows(found) == FULL


def test_opening_does_not_wait_for_codes(tmp_path: Path) -> None:
    """With 500,000 codes a catalogue of 1,009 variables is open within 50 ms."""
    catalogue = catalogue_of(None, [variable_item(f"v{i}") for i in range(1_009)])
    arrows = {"tables": catalogue.tables.arrow, "variables": catalogue.variables.arrow}
    snapshot.write(tmp_path, SYSTEM, {**arrows, "codes": codes_of("v0", 500_000)})
    seconds = []
    for _ in range(5):
        started = time.process_time()  # of which others on the machine take nothing
        assert len(Catalogue.read_parquet(tmp_path).variables) == 1_009
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.05


# Interrupted writes


def unfinished(
    folder: Path, old: dict[str, pa.Table] | None, new: dict[str, pa.Table], moved: int
) -> None:
    """Leave the folder as a write leaves it that was killed after so many files were moved."""
    if old:
        snapshot.write(folder, SYSTEM, old)
    elsewhere = folder / "elsewhere"
    paths = snapshot.write(elsewhere, SYSTEM, new)
    label = pq.read_schema(elsewhere / "tables.parquet").metadata[b"apteco_frames"].decode()
    mark = label.partition('"snapshot": "')[2][:32]
    for number, path in enumerate(sorted(paths, key=lambda path: path.stem != "tables")):
        path.replace(folder / (path.name if number < moved else f".{path.name}.{mark}.part"))
    elsewhere.rmdir()


@pytest.mark.parametrize(("old", "new"), [(BARE, FULL), (FULL, BARE), (FULL, BIG), (None, FULL)])
def test_an_interrupted_write(
    tmp_path: Path, old: dict[str, pa.Table] | None, new: dict[str, pa.Table]
) -> None:
    """Wherever a write is killed, one catalogue is there, whole, and can be replaced."""
    for moved in range(len(new) + 2):
        folder = tmp_path / str(moved)
        folder.mkdir()
        unfinished(folder, old, new, moved)
        if moved or old:
            assert is_read(folder, new if moved else old or {})
        for last in (BARE, FULL):
            snapshot.write(folder, SYSTEM, last)
            assert is_read(folder, last)
        assert names(folder) == files_of("system", *FULL)


def test_an_interrupted_write_and_a_foreign_file(tmp_path: Path) -> None:
    """What an interrupted write did not move goes over no foreign file, either."""
    unfinished(tmp_path, BARE, FULL, 1)
    foreign = tmp_path / "codes.parquet"
    foreign.write_bytes(b"mine")
    with pytest.raises(SnapshotError, match=r"codes\.parquet exists"):
        snapshot.write(tmp_path, SYSTEM, BARE)
    assert foreign.read_bytes() == b"mine"
    assert is_read(tmp_path, FULL)


# The first layout


@pytest.mark.parametrize("moved", [True, False])
def test_files_of_layout_1(tmp_path: Path, moved: bool) -> None:
    """What the first version wrote is read, finished if need be, and replaced."""
    catalogue = catalogue_of(None, [variable_item("first")])
    mark = "0123456789abcdef" * 2
    paths = write_layout_1(catalogue, tmp_path, mark)
    if not moved:
        paths[1].replace(tmp_path / f".variables.parquet.{mark}.part")
    assert Catalogue.read_parquet(tmp_path) == catalogue
    found = snapshot.read(tmp_path)
    assert (found.codes, found.folders, found.unavailable) == (None, None, ())
    shutil.copytree(tmp_path, tmp_path / "copy")
    unfinished(tmp_path / "copy", None, FULL, 0)
    assert Catalogue.read_parquet(tmp_path / "copy") == catalogue
    snapshot.write(tmp_path, SYSTEM, FULL)
    assert is_read(tmp_path, FULL)
    assert names(tmp_path) == ["codes.parquet", "copy", *files_of("folders", "system", *BARE)]
