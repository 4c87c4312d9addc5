"""Catalogues on disk: equal when read back, never a mixture, never over foreign files."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from storage.arrows import codes_of, folder_of, write_layout_1
from strategies import catalogue_of, catalogues, tree_items, variable_item, with_codes_and_folders

from apteco_frames import Catalogue
from apteco_frames.demo import holidays
from apteco_frames.errors import AptecoFramesError, SnapshotError

KINDS = ("system", "tables", "variables", "codes", "folders")
KEY = b"apteco_frames"

OLD = catalogue_of(tree_items({"People": ""}), [variable_item("old")], name="old")
_BARE = catalogue_of(
    tree_items({"People": "", "Bookings": "People"}),
    [variable_item("new"), variable_item("boCost", "Bookings", "Numeric")],
    name="new",
)
NEW = Catalogue(
    *(_BARE.system_info, _BARE.tables, _BARE.variables),
    *(codes_of("new", 3), folder_of(["new", "boCost"])),
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def files_of(catalogue: Catalogue) -> list[str]:
    return sorted(f"{kind}.parquet" for kind in (KINDS if catalogue.has_codes else KINDS[:3]))


def label(path: Path) -> dict[str, Any]:
    """What a catalogue file says of itself."""
    value: dict[str, Any] = json.loads(pq.read_schema(path).metadata[KEY])
    return value


def relabel(path: Path, value: Any, *, is_sealed: bool = False) -> None:
    """Write a catalogue file anew, with another label; perhaps with a checksum that fits it."""
    if is_sealed:
        told = {name: each for name, each in value.items() if name != "checksum"}
        value = {**told, "checksum": zlib.crc32(json.dumps(told, sort_keys=True).encode())}
    table = pq.read_table(path).replace_schema_metadata({KEY: json.dumps(value).encode()})
    pq.write_table(table, path)


# Reading back


@settings(max_examples=up_to(25))
@given(st.data(), st.booleans())
def test_any_catalogue_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, whole: bool
) -> None:
    """Frames, rows, schemas and the system read back are those written, to the letter."""
    catalogue = data.draw(catalogues(max_variables=15))
    if whole:
        catalogue = data.draw(with_codes_and_folders(catalogue))
    folder = tmp_path_factory.mktemp("catalogue")
    paths = catalogue.write_parquet(folder)
    kinds = [*KINDS[:3], *["codes"] * catalogue.has_codes, *["folders"] * catalogue.has_folders]
    assert paths == [folder / f"{kind}.parquet" for kind in kinds]
    restored = Catalogue.read_parquet(folder)
    assert restored == catalogue
    assert restored.system_info == catalogue.system_info
    for kind in kinds[1:]:
        theirs, ours = getattr(restored, kind), getattr(catalogue, kind)
        assert list(theirs) == list(ours)
        assert [type(row) for row in theirs] == [type(row) for row in ours]
        assert theirs.arrow.equals(ours.arrow)
        assert theirs.arrow.schema.equals(ours.schema, check_metadata=True)
    assert [v.table.name for v in restored.variables] == [v.table_name for v in catalogue.variables]


# Windows has no ? in names.
ODD_NAME = "späce ☃ %41 #" if os.name == "nt" else "späce ☃ %41 #?"


@pytest.mark.parametrize("place", ["plain", "a=1/b=2", ODD_NAME, "new/and/deep", "x.parquet"])
def test_any_folder_will_do(tmp_path: Path, place: str) -> None:
    """The folder is made if needed, whatever its name; its path may be text."""
    folder = tmp_path / place
    NEW.write_parquet(str(folder))
    assert Catalogue.read_parquet(str(folder)) == NEW
    assert names(folder) == files_of(NEW)


def test_the_files_are_parquet_for_everybody(tmp_path: Path) -> None:
    """polars, DuckDB, pandas and pyarrow read the files as they are, kinds and all."""
    catalogue = holidays()
    paths = catalogue.write_parquet(tmp_path)
    info = catalogue.system_info
    assert pl.read_parquet(paths[0]).rows(named=True) == [info._asdict()]
    assert pq.read_table(paths[0]).schema.field("build_date").type == pa.timestamp("us")
    frames = catalogue.tables, catalogue.variables, catalogue.codes, catalogue.folders
    for path, frame in zip(paths[1:], frames, strict=True):
        first: str = frame.arrow.column_names[0]
        expected: Any = frame.frame
        assert pl.read_parquet(path).cast(expected.schema).equals(expected)
        assert pq.read_table(path).to_pydict() == frame.arrow.to_pydict()
        assert list(pd.read_parquet(path)[first]) == frame.arrow[first].to_pylist()
        query: Any = duckdb.sql
        found = query(f"from '{path}'").pl()
        assert found.to_dict(as_series=False) == expected.to_dict(as_series=False)
        keys = query(f"select decode(key) from parquet_kv_metadata('{path}')").fetchall()
        assert ("apteco_frames",) in keys


def test_the_files_say_what_they_are(tmp_path: Path) -> None:
    """Each file names the layout's version, its collection, the system, and one snapshot."""
    labels = [label(path) for path in NEW.write_parquet(tmp_path)]
    assert [value["kind"] for value in labels] == list(KINDS)
    assert [value["kinds"] for value in labels] == [list(KINDS)] * 5
    assert [value["version"] for value in labels] == [2] * 5
    assert len({value["snapshot"] for value in labels}) == 1
    assert labels[0]["system_info"]["build_date"] == "2019-11-27T15:57:24"
    assert label(OLD.write_parquet(tmp_path)[0])["snapshot"] != labels[0]["snapshot"]


# Writing over


def test_a_newer_catalogue_replaces_an_older_one(tmp_path: Path) -> None:
    """Writing again replaces the files, and nothing else is left in the folder."""
    for catalogue in (OLD, NEW, NEW, OLD):
        catalogue.write_parquet(tmp_path)
        assert Catalogue.read_parquet(tmp_path) == catalogue
        assert names(tmp_path) == files_of(catalogue)


def test_other_files_of_the_folder_are_kept(tmp_path: Path) -> None:
    """A folder may hold other files; they stay as they are."""
    others = {"notes.txt": b"keep", "other.parquet": b"keep me too", ".hidden.part": b"and me"}
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    for catalogue in (OLD, NEW):
        catalogue.write_parquet(tmp_path)
        assert Catalogue.read_parquet(tmp_path) == catalogue
    assert {name: (tmp_path / name).read_bytes() for name in others} == others


def _text(path: Path) -> None:
    path.write_text("name,plural\nPeople,People\n")


def _empty(path: Path) -> None:
    path.touch()


def _other_parquet(path: Path) -> None:
    pq.write_table(pa.table({"name": ["People"]}), path)


def _one_frame(path: Path) -> None:
    NEW.tables.write_parquet(path)


FOREIGN: list[Callable[[Path], None]] = [_text, _empty, _other_parquet, _one_frame]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", FOREIGN)
def test_a_foreign_file_is_neither_overwritten_nor_read(
    tmp_path: Path, kind: str, make: Callable[[Path], None]
) -> None:
    """A file of another origin is refused by name, left untouched, and no part is written."""
    path = tmp_path / f"{kind}.parquet"
    make(path)
    before = path.read_bytes(), path.stat().st_mtime_ns
    with pytest.raises(SnapshotError) as caught:
        NEW.write_parquet(tmp_path)
    assert str(path) in str(caught.value)
    assert "it was not changed" in str(caught.value)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert names(tmp_path) == [path.name]
    with pytest.raises(SnapshotError, match=r"\.parquet"):
        Catalogue.read_parquet(tmp_path)


def test_a_foreign_folder_is_not_overwritten(tmp_path: Path) -> None:
    """A folder in the place of a file is refused; a file in the place of the folder, too."""
    (tmp_path / "tables.parquet").mkdir()
    with pytest.raises(SnapshotError, match="tables"):
        NEW.write_parquet(tmp_path)
    assert names(tmp_path) == ["tables.parquet"]
    file = tmp_path / "file"
    file.write_text("keep")
    with pytest.raises(OSError, match="file"):
        NEW.write_parquet(file)
    assert file.read_text() == "keep"


def test_one_foreign_file_keeps_the_other_from_being_replaced(tmp_path: Path) -> None:
    """Where one of the files is foreign, the catalogue file beside it stays, too."""
    OLD.write_parquet(tmp_path)
    _text(tmp_path / "variables.parquet")
    before = (tmp_path / "tables.parquet").read_bytes()
    with pytest.raises(SnapshotError, match="variables"):
        NEW.write_parquet(tmp_path)
    assert (tmp_path / "tables.parquet").read_bytes() == before


# Reading later


def test_codes_are_those_of_the_build_that_was_opened(tmp_path: Path) -> None:
    """Codes and folders read after the folder was overwritten, or removed, are the older ones."""
    NEW.write_parquet(tmp_path)
    opened = Catalogue.read_parquet(tmp_path)
    OLD.write_parquet(tmp_path)
    shutil.rmtree(tmp_path)
    assert opened == NEW


@pytest.mark.parametrize("kind", ["codes", "folders"])
def test_codes_are_not_read_before(tmp_path: Path, kind: str) -> None:
    """Opening reads no row of codes and folders: damage there shows on first use, by name."""
    NEW.write_parquet(tmp_path)
    path = tmp_path / f"{kind}.parquet"
    content = bytearray(path.read_bytes())
    content[4:40] = bytes(36)  # its first rows
    path.write_bytes(content)
    opened = Catalogue.read_parquet(tmp_path)
    with pytest.raises(SnapshotError, match=rf"{kind}\.parquet is damaged"):
        getattr(opened, kind)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed in /proc")
def test_nobody_holds_a_file(tmp_path: Path) -> None:
    """Files are closed at once, since nobody can replace an open file on Windows."""
    NEW.write_parquet(tmp_path)
    opened = Catalogue.read_parquet(tmp_path)
    links = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    assert [link for link in links if link.parent == tmp_path] == []
    assert opened == NEW


def test_opening_does_not_wait_for_codes(tmp_path: Path) -> None:
    """With 500,000 codes, in small groups, a catalogue of 1,009 variables opens within 50 ms."""
    made = catalogue_of(None, [variable_item(f"v{i}") for i in range(1_009)])
    codes = codes_of("v0", 500_000)
    Catalogue(made.system_info, made.tables, made.variables, codes).write_parquet(tmp_path)
    groups = pq.ParquetFile(str(tmp_path / "codes.parquet")).metadata
    assert groups.row_group(0).num_rows == 20_000
    seconds = []
    for _ in range(5):
        started = time.process_time()  # of which others on the machine take nothing
        assert len(Catalogue.read_parquet(tmp_path).variables) == 1_009
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.05


@pytest.mark.parametrize("moved", [True, False])
def test_files_of_layout_1(tmp_path: Path, moved: bool) -> None:
    """What the first version wrote can be read, finished if need be, and replaced."""
    mark = "0123456789abcdef" * 2
    paths = write_layout_1(OLD, tmp_path, mark)
    if not moved:
        paths[1].replace(tmp_path / f".variables.parquet.{mark}.part")
    assert Catalogue.read_parquet(tmp_path) == OLD
    NEW.write_parquet(tmp_path)
    assert Catalogue.read_parquet(tmp_path) == NEW
    assert names(tmp_path) == files_of(NEW)


# What can't be read


def test_nothing_there(tmp_path: Path) -> None:
    """A folder without a catalogue, or no folder, or half of one: the error names the file."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(SnapshotError, match="There is no"):
            Catalogue.read_parquet(folder)
    for kind in KINDS:
        NEW.write_parquet(tmp_path)
        (tmp_path / f"{kind}.parquet").unlink()
        with pytest.raises(SnapshotError, match=rf"There is no .*{kind}\.parquet"):
            Catalogue.read_parquet(tmp_path)
    assert issubclass(SnapshotError, AptecoFramesError)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("left", [0.0, 0.001, 0.5, 0.9, 0.9999])
def test_a_truncated_file(tmp_path: Path, kind: str, left: float) -> None:
    """A file that was cut off is named, and what to do is told."""
    NEW.write_parquet(tmp_path)
    path = tmp_path / f"{kind}.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * left)])
    with pytest.raises(SnapshotError, match="incomplete") as caught:
        Catalogue.read_parquet(tmp_path)
    assert str(path) in str(caught.value)
    assert "Write the catalogue again" in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_byte(tmp_path: Path, kind: str) -> None:
    """One wrong bit anywhere in a file is noticed, or changes nothing of the catalogue."""
    NEW.write_parquet(tmp_path)
    path = tmp_path / f"{kind}.parquet"
    content = path.read_bytes()
    noticed = 0
    for place in range(0, len(content), len(content) // 60):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            assert Catalogue.read_parquet(tmp_path) == NEW
        except SnapshotError:
            noticed += 1
    assert noticed > 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_layout(tmp_path: Path, kind: str) -> None:
    """A file of a newer version says so, and how to get that version."""
    path = dict(zip(KINDS, NEW.write_parquet(tmp_path), strict=True))[kind]
    relabel(path, label(path) | {"version": 3})
    with pytest.raises(SnapshotError, match=r"newer version.*pip install --upgrade") as caught:
        Catalogue.read_parquet(tmp_path)
    assert str(path) in str(caught.value)


def test_more_columns_are_read_past(tmp_path: Path) -> None:
    """Columns that a later version adds don't keep the file from being read."""
    for path in NEW.write_parquet(tmp_path):
        table = pq.read_table(path)
        more = table.append_column("added_later", pa.nulls(len(table), pa.string()))
        pq.write_table(more.replace_schema_metadata(table.schema.metadata), path)
    assert Catalogue.read_parquet(tmp_path) == NEW


@pytest.mark.parametrize("kind", KINDS)
def test_a_mixture_of_two_catalogues(tmp_path: Path, kind: str) -> None:
    """Files of two catalogues are refused, even if the two are equal."""
    NEW.write_parquet(tmp_path)
    NEW.write_parquet(tmp_path / "other")
    shutil.copy(tmp_path / "other" / f"{kind}.parquet", tmp_path)
    with pytest.raises(SnapshotError, match="do not belong to the same catalogue"):
        Catalogue.read_parquet(tmp_path)
    NEW.write_parquet(tmp_path)
    assert Catalogue.read_parquet(tmp_path) == NEW


def _strays(table: pa.Table) -> pa.Table:
    return pl.DataFrame(table).with_columns(table_name=pl.lit("Elsewhere")).to_arrow()


CHANGES: list[Any] = [
    pytest.param(lambda table: table.drop_columns(["description"]), id="a column missing"),
    pytest.param(_strays, id="an unknown table"),
    pytest.param(lambda table: pa.concat_tables([table, table]), id="names twice"),
    pytest.param(
        lambda table: table.set_column(0, "name", pa.nulls(len(table), pa.string())),
        id="nulls",
    ),
    pytest.param(
        lambda table: table.set_column(0, "name", pa.array([b"\xff"] * len(table))), id="no UTF-8"
    ),
    pytest.param(
        lambda table: table.set_column(0, "name", pa.array([["x"]] * len(table))),
        id="another type",
    ),
]


@pytest.mark.parametrize("change", CHANGES)
def test_contents_that_are_no_catalogue(tmp_path: Path, change: Callable[[Any], Any]) -> None:
    """Well-formed files whose contents don't fit are damaged, not half read."""
    path = NEW.write_parquet(tmp_path)[2]
    table = pq.read_table(path)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path)
    with pytest.raises(SnapshotError, match="damaged") as caught:
        Catalogue.read_parquet(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_codes_of_another_type(tmp_path: Path) -> None:
    """Codes whose columns do not fit are damaged; that shows on first use."""
    path = NEW.write_parquet(tmp_path)[3]
    table = pq.read_table(path)
    texts = table.set_column(6, "count", pa.array(["many"] * len(table)))
    pq.write_table(texts.replace_schema_metadata(table.schema.metadata), path)
    opened = Catalogue.read_parquet(tmp_path)
    with pytest.raises(SnapshotError, match=r"codes\.parquet is damaged"):
        _ = opened.codes


@pytest.mark.parametrize("value", [None, [], "text", {}, {"version": 1}], ids=json.dumps)
def test_metadata_of_another_form(tmp_path: Path, value: Any) -> None:
    """A label that isn't one of this package makes the file a foreign one."""
    relabel(NEW.write_parquet(tmp_path)[1], value)
    with pytest.raises(SnapshotError, match=r"tables\.parquet is .*not one of a catalogue"):
        Catalogue.read_parquet(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        *({"version": "1"}, {"version": None}, {"system_info": {}}, {"system_info": None}),
        *({"snapshot": "../x"}, {"kinds": ["tables"]}, {"columns": 3}, {"unavailable": [1]}),
        *({"checksum": 7}, {"kind": "variables"}, {"version": {}}, {"kinds": 3}, {"notes": 3}),
        {"system_info": {"name": 5, "description": "", "build_date": None, "view_name": ""}},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("is_sealed", [False, True])
def test_labels_with_wrong_values(tmp_path: Path, change: dict[str, Any], is_sealed: bool) -> None:
    """Wrong values in a label are an error of its own, even if the checksum fits them."""
    path = NEW.write_parquet(tmp_path)[1]
    relabel(path, label(path) | change, is_sealed=is_sealed and "checksum" not in change)
    with pytest.raises(SnapshotError, match=r"tables\.parquet"):
        Catalogue.read_parquet(tmp_path)


def test_more_facts_on_the_system_are_read_past(tmp_path: Path) -> None:
    """What a later version adds to the description of the system doesn't hinder reading."""
    for path in NEW.write_parquet(tmp_path):
        value = label(path)
        value["system_info"]["added_later"] = value["added_later"] = "x"
        relabel(path, value, is_sealed=True)
    assert Catalogue.read_parquet(tmp_path) == NEW


# Interrupted writes


def unfinished(folder: Path, old: Catalogue | None, new: Catalogue, moved: int) -> None:
    """Leave the folder as a write that was killed leaves it, after so many files were moved.

    The new files are first written beside the old ones; then the tables are moved into
    place, then the others.
    """
    if old:
        old.write_parquet(folder)
    elsewhere = folder / "elsewhere"
    paths = new.write_parquet(elsewhere)
    snapshot = label(elsewhere / "tables.parquet")["snapshot"]
    for number, path in enumerate(sorted(paths, key=lambda path: path.stem != "tables")):
        target = path.name if number < moved else f".{path.name}.{snapshot}.part"
        path.replace(folder / target)
    elsewhere.rmdir()


@pytest.mark.parametrize(("old", "new"), [(OLD, NEW), (NEW, OLD), (None, NEW)])
def test_an_interrupted_write_leaves_the_old_or_the_new(
    tmp_path: Path, old: Catalogue | None, new: Catalogue
) -> None:
    """Wherever a write is killed, one catalogue is there, whole, and can be replaced."""
    for moved in range(len(files_of(new)) + 1):
        folder = tmp_path / str(moved)
        folder.mkdir()
        unfinished(folder, old, new, moved)
        if not moved and old is None:
            with pytest.raises(SnapshotError, match="There is no "):
                Catalogue.read_parquet(folder)
        else:
            assert Catalogue.read_parquet(folder) == (new if moved else old)
        for last in (OLD, NEW):
            last.write_parquet(folder)
            assert Catalogue.read_parquet(folder) == last
        assert names(folder) == files_of(NEW)


def test_an_interrupted_write_and_a_foreign_file(tmp_path: Path) -> None:
    """The files that an interrupted write did not move replace no foreign file, either."""
    unfinished(tmp_path, OLD, NEW, 1)
    foreign = tmp_path / "codes.parquet"
    foreign.write_bytes(b"mine")
    with pytest.raises(SnapshotError, match=r"codes\.parquet exists"):
        OLD.write_parquet(tmp_path)
    assert foreign.read_bytes() == b"mine"
    assert Catalogue.read_parquet(tmp_path) == NEW


def test_a_part_that_was_cut_off_harms_nothing(tmp_path: Path) -> None:
    """Killed while writing beside, the half-written file is passed over and cleared later."""
    unfinished(tmp_path, OLD, NEW, 0)
    for part in tmp_path.glob(".*.part"):
        part.write_bytes(part.read_bytes()[:100])
    assert Catalogue.read_parquet(tmp_path) == OLD
    NEW.write_parquet(tmp_path)
    assert Catalogue.read_parquet(tmp_path) == NEW
    assert names(tmp_path) == files_of(NEW)


def test_a_write_that_fails_after_an_interrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalogue that an interrupted write left is kept until the next one is in place."""
    unfinished(tmp_path, OLD, NEW, 1)
    replace = Path.replace

    def failing(path: Path, target: Path) -> Path:
        if target.name == "tables.parquet":
            raise OSError("disk full")
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", failing)
        with pytest.raises(OSError, match="disk full"):
            holidays().write_parquet(tmp_path)
    assert Catalogue.read_parquet(tmp_path) == NEW
    assert names(tmp_path) == files_of(NEW)


def test_reading_beside_a_writer(tmp_path: Path) -> None:
    """Whoever reads while catalogues are replaced gets one of them, whole."""
    OLD.write_parquet(tmp_path)
    done = threading.Event()

    def write() -> None:
        for _ in range(15):
            for catalogue in (NEW, OLD):
                catalogue.write_parquet(tmp_path)
                time.sleep(0.02)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    found = [Catalogue.read_parquet(tmp_path)]
    try:
        while not done.is_set():
            found.append(Catalogue.read_parquet(tmp_path))
    finally:
        writer.join()
    assert all(catalogue in (OLD, NEW) for catalogue in found)
    assert NEW in found


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_write_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int, error: BaseException
) -> None:
    """An error while moving comes out as it is; the folder holds the old or the new catalogue."""
    OLD.write_parquet(tmp_path)
    replace, calls = Path.replace, []

    def failing(path: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == call:
            raise error
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", failing)
        with pytest.raises(type(error)):
            NEW.write_parquet(tmp_path)
    assert Catalogue.read_parquet(tmp_path) == (OLD if call == 1 else NEW)
    assert names(tmp_path) == files_of(OLD if call == 1 else NEW)
