"""What all catalogue frames share: a collection of rows and an Arrow table at once."""

from __future__ import annotations

import copy
import csv
import os
import pickle
import subprocess
import sys
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import narwhals
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from strategies import ODD_TEXTS, catalogue_of, catalogues, table_item, tree_items, variable_item

import apteco_frames
from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import holidays
from apteco_frames.errors import AptecoFramesError, RowIndexError, UnknownKeyError
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row
from apteco_frames.variables import Variables, VariableType

Frame = CatalogueFrame[Any]


def sample() -> Catalogue:
    """A small system with a variable of each kind."""
    return catalogue_of(
        tree_items({"People": "", "Bookings": "People", "Visits": "People"}),
        [
            variable_item(f"v{kind}", ("People", "Bookings")[i % 2], kind)
            for i, kind in enumerate(VariableType)
        ],
    )


@pytest.fixture(params=["tables", "variables"])
def frame(request: pytest.FixtureRequest) -> Frame:
    """The tables, then the variables of the Holidays system, not used before."""
    catalogue = holidays()
    # A copy: what the test sets off in it is gone afterwards.
    copied: Frame = getattr(pickle.loads(pickle.dumps(catalogue)), request.param)
    return copied


def both(catalogue: Catalogue) -> tuple[Frame, Frame]:
    return catalogue.tables, catalogue.variables


# A collection


@settings(max_examples=up_to(25))
@given(catalogues(max_variables=12), st.data())
def test_a_frame_is_a_sequence_of_its_rows(catalogue: Catalogue, data: st.DataObject) -> None:
    """Length, iteration, positions and slices agree with a list of the rows."""
    for frame in both(catalogue):
        rows = list(frame)
        assert len(frame) == len(rows)
        assert [row.name for row in rows] == frame.arrow["name"].to_pylist()
        bounds = st.none() | st.integers(-len(rows) - 2, len(rows) + 2)
        steps = st.none() | st.integers(-3, 3).filter(bool)
        part = slice(data.draw(bounds), data.draw(bounds), data.draw(steps))
        assert type(frame[part]) is type(frame)
        assert list(frame[part]) == rows[part]
        assert frame[part].arrow.schema.equals(frame.schema, check_metadata=True)
        for position in range(-len(rows), len(rows)):
            assert frame[position] == rows[position]
        for position in (len(rows), -len(rows) - 1):
            with pytest.raises(RowIndexError, match=str(position)):
                frame[position]


def test_iteration_crosses_its_batches() -> None:
    """Thousands of rows come in order, each with its own values, table and kind."""
    kinds = list(VariableType)
    variables = catalogue_of(
        None, [variable_item(f"v{i}", kind=kinds[i % len(kinds)]) for i in range(2500)]
    ).variables
    rows = list(variables)
    assert [row.name for row in rows] == [f"v{i}" for i in range(2500)]
    assert [row.type for row in rows] == [kinds[i % len(kinds)] for i in range(2500)]
    assert rows[1023:1026] == [variables["v1023"], variables["v1024"], variables[1025]]
    assert [row.name for row in islice(variables[1000:], 30)] == [
        f"v{i}" for i in range(1000, 1030)
    ]
    assert pickle.loads(pickle.dumps(rows[2100])) == variables["v2100"]


def test_rows_of_every_origin_are_equal(frame: Frame) -> None:
    """A row is the same by name, by position, from a loop, a slice or a filter."""
    for position, row in enumerate(frame):
        others: list[Row] = [
            frame[row.name],
            frame[position],
            frame[position - len(frame)],
            frame[position:][0],
            frame.filter(name=row.name)[0],
        ]
        assert all(other == row and hash(other) == hash(row) for other in others)
        assert all(row in part for part in (frame, frame[position:], frame.filter(name=row.name)))
        assert row not in frame[:position]


def test_rows_and_keys_in_a_frame() -> None:
    """``in`` takes keys and rows; what is neither is not in a frame, nor a row that differs."""
    catalogue = sample()
    assert "People" in catalogue.tables
    assert "Peeple" not in catalogue.tables
    assert "Description of vText" in catalogue.variables
    changed = catalogue_of(None, [variable_item("vText", description="changed")])
    assert changed.variables["vText"] not in catalogue.variables
    assert catalogue.tables["People"] not in catalogue.variables
    others: list[object] = [0, None, [], catalogue]
    for other in others:
        assert other not in catalogue.tables
        assert other not in catalogue.variables


def test_get() -> None:
    """``get`` gives a default in place of an error."""
    tables = sample().tables
    assert tables.get("Visits") == tables["Visits"]
    assert tables.get("Visitors") is None
    assert tables.get("Visitors", "nobody") == "nobody"


@pytest.mark.parametrize("key", [None, 1.0, ("People",), b"People"])
def test_keys_of_another_type(frame: Frame, key: Any) -> None:
    """A key that is neither text nor number nor slice is a TypeError."""
    with pytest.raises(TypeError):
        frame[key]


def test_errors_are_also_those_of_python() -> None:
    """Look-up errors are KeyError and IndexError, and print as plain sentences."""
    tables = sample().tables
    with pytest.raises(KeyError) as unknown:
        tables["Bookins"]
    assert isinstance(unknown.value, UnknownKeyError)
    assert isinstance(unknown.value, AptecoFramesError)
    assert str(unknown.value) == (
        "No table of system 'testing' has the name 'Bookins'. Nearest: 'Bookings'."
    )
    with pytest.raises(IndexError) as outside:
        tables[3]
    assert isinstance(outside.value, AptecoFramesError)
    assert "position 3" in str(outside.value)


def test_frames_and_rows_are_immutable(frame: Frame) -> None:
    """Attributes of a row cannot be set, deleted or added; a frame takes no data and no rows."""
    row = frame[0]
    for name in (*frame.schema.names, "session"):
        if hasattr(row, name):
            with pytest.raises(AttributeError):
                setattr(row, name, None)
            with pytest.raises(AttributeError):
                delattr(row, name)
    with pytest.raises(AttributeError):
        row.colour = "red"
    for name in ("arrow", "frame"):
        with pytest.raises(AttributeError):
            setattr(frame, name, None)
    changeable: Any = frame
    with pytest.raises(TypeError):
        changeable[0] = frame[1]
    with pytest.raises(TypeError):
        del changeable[0]
    assert row == frame[0]


def test_changing_the_polars_frame_changes_no_catalogue(frame: Frame) -> None:
    """Whoever writes into ``.frame`` changes neither the rows nor what ``filter`` finds."""
    frame.frame[0, "name"] = "changed"
    assert frame[0].name != "changed"
    assert len(frame.filter(name="changed")) == 0


def test_frames_compare_by_their_rows(frame: Frame) -> None:
    """Frames of equal rows in one order are equal; frames of two kinds never are."""
    assert frame == frame[:]
    assert frame == frame.filter(True)
    assert frame != frame[:-1]
    assert frame != frame[::-1]
    assert frame != frame.arrow
    catalogue = holidays()
    assert catalogue.tables[:0] != catalogue.variables[:0]
    with pytest.raises(TypeError):
        hash(frame)


@pytest.mark.parametrize("number", [float("nan"), -0.0, 0.0, float("-inf"), None])
def test_rows_compare_as_frames_do(number: float | None) -> None:
    """A row equals itself and its like, also where a number is none; -0.0 is not 0.0."""

    def with_minimum(value: float | None) -> Variables:
        arrow = holidays().variables[:3].arrow
        place = arrow.column_names.index("min_value")
        column = pa.array([1.5, value, value], pa.float64())
        changed = arrow.set_column(place, arrow.schema.field(place), column)
        return Variables(changed, holidays())

    ours, theirs, zeros = with_minimum(number), with_minimum(number), with_minimum(0.0)
    assert ours == theirs
    assert list(ours) == list(theirs)
    assert ours[1] == theirs[1] == pickle.loads(pickle.dumps(ours[1]))
    assert ours[1] in theirs
    assert ours[1] in list(theirs)
    assert (ours == zeros) is (list(ours) == list(zeros)) is (repr(number) == "0.0")


# Pickles and copies


@settings(max_examples=up_to(12))
@given(catalogues(max_variables=8))
def test_pickled_frames_and_rows_come_back_equal(catalogue: Catalogue) -> None:
    """Frames, parts of frames and rows survive pickling, with all that they are linked to."""
    for frame in both(catalogue):
        restored = pickle.loads(pickle.dumps(frame))
        assert type(restored) is type(frame)
        assert restored == frame
        assert restored.arrow.schema.equals(frame.schema, check_metadata=True)
        assert pickle.loads(pickle.dumps(frame[1:])) == frame[1:]
        for row in islice(frame, 3):
            again = pickle.loads(pickle.dumps(row))
            assert again == row
            assert type(again) is type(row)
            assert again.session is None
            assert hash(again) == hash(row)


def test_a_pickled_row_of_a_part_knows_the_whole_system() -> None:
    """A row keeps its relations even where its frame was a part of the system."""
    catalogue = sample()
    row = pickle.loads(pickle.dumps(catalogue.variables.filter(type="Numeric")[0]))
    assert row.table == catalogue.tables["Bookings"]
    assert [table.name for table in row.table.ancestors] == ["People"]
    assert len(row.table.variables) == 4


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_is_the_thing_itself(frame: Frame, copied: Any) -> None:
    """Copying a frame or a row, which do not change, gives it again: with its session."""
    for thing in (frame, frame[1], frame[1:3]):
        assert copied(thing) is thing
        assert copied([thing])[0] is thing


# A table


def test_no_copy_per_access(frame: Frame) -> None:
    """``.arrow`` and ``.frame`` are the same object each time, and streams share its buffers."""
    assert frame.arrow is frame.arrow
    assert frame.frame is frame.frame
    for table in (pa.table(frame), pa.table(frame), frame[:].arrow):
        for column in ("name", "is_virtual" if isinstance(frame, Variables) else "depth"):
            ours, theirs = frame.arrow[column].chunk(0), table[column].chunk(0)
            assert [b and b.address for b in ours.buffers()] == [
                b and b.address for b in theirs.buffers()
            ]


def values_of(frame: Frame) -> dict[str, list[Any]]:
    """The values column by column, read through the rows."""
    rows = [row.to_dict() for row in frame]
    return {name: [row[name] for row in rows] for name in frame.schema.names}


@settings(max_examples=up_to(15))
@given(catalogues(max_variables=10))
def test_all_libraries_see_the_rows(catalogue: Catalogue) -> None:
    """Arrow, polars, narwhals and DuckDB see the same values as the rows, twice in a row."""
    for frame in both(catalogue):
        expected = values_of(frame)
        assert frame.arrow.to_pydict() == expected
        for _ in range(2):
            assert pa.table(frame).equals(frame.arrow, check_metadata=True)
            assert pl.DataFrame(frame).cast(frame.frame.schema).equals(frame.frame)
            assert pl.DataFrame(frame).to_dict(as_series=False) == expected
            native = narwhals.from_arrow(frame, backend=pa).to_native()
            assert native.equals(frame.arrow)


def test_duckdb_sees_frames() -> None:
    """DuckDB takes a frame by the name of a Python variable, twice in a row, with joins."""
    catalogue = holidays()
    variables, tables = catalogue.variables, catalogue.tables
    query: Any = duckdb.sql
    for _ in range(2):
        whole = query("from variables")
        assert whole.columns == variables.schema.names
        assert whole.pl().to_dict(as_series=False) == variables.frame.to_dict(as_series=False)
        assert query("select sum(total_records) from tables").fetchall() == [
            (sum(table.total_records for table in tables),)
        ]
        found = query(
            "select t.name from variables v join tables t on v.table_name = t.name"
            " where v.description = 'Destination'"
        )
        assert found.fetchall() == [("Bookings",)]
    assert query("select count(*) from variables where type = 'Date'").fetchall() == [
        (len(variables.filter(type="Date")),)
    ]


def is_missing(value: Any) -> bool:
    """Whether pandas takes a value for none."""
    return not isinstance(value, list) and bool(pd.isna(value))


def test_pandas_takes_frames(frame: Frame) -> None:
    """``pandas.DataFrame(x)`` and ``to_pandas()`` hold the rows, twice in a row."""
    expected = values_of(frame)
    for _ in range(2):
        for data in (pd.DataFrame(frame), frame.to_pandas()):
            assert list(data.columns) == frame.schema.names
            assert len(data) == len(frame)
            for name, values in expected.items():
                seen = [v.tolist() if isinstance(v, np.ndarray) else v for v in data[name]]
                assert [None if is_missing(v) else v for v in seen] == values


def test_pandas_keeps_types() -> None:
    """Times stay times of any year, numbers numbers, kinds a category with all its values."""
    item = variable_item("v", kind="Date")
    info = {"minimumDate": "0001-01-01T00:00:00", "maximumDate": "9999-12-31T00:00:00"}
    item["selectorInfo"] |= info
    data = catalogue_of(None, [item]).variables.to_pandas()
    assert data["min_date"].dtype == "datetime64[us]"
    assert data["min_date"][0] == datetime(1, 1, 1)
    assert data["max_date"][0] == datetime(9999, 12, 31)
    assert data["num_codes"][0] == 2
    assert list(data["type"].cat.categories) == list(VariableType)


def test_an_empty_frame_in_pandas(frame: Frame) -> None:
    """``to_pandas()`` keeps the columns of a frame without rows."""
    assert list(frame[:0].to_pandas().columns) == frame.schema.names
    assert len(pd.DataFrame(frame[:0])) == 0


WITHOUT_PANDAS = """
import sys

class NoPandas:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")

sys.meta_path.insert(0, NoPandas())
from apteco_frames.demo import holidays
from apteco_frames.errors import AptecoFramesError, MissingDependencyError
variables = holidays().variables
assert len(variables.frame.filter(type="Date")) > 0
try:
    variables.to_pandas()
except MissingDependencyError as error:
    assert isinstance(error, ImportError) and isinstance(error, AptecoFramesError)
    assert error.__cause__ is None and error.__suppress_context__
    print(error)
"""


def in_new_process(code: str) -> str:
    """What a Python of its own prints when it runs the code."""
    place = str(Path(apteco_frames.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": place},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_pandas_the_error_names_the_extra() -> None:
    """Where pandas is missing, the rest works and ``to_pandas()`` says what to install."""
    assert 'pip install --upgrade ".[pandas]"' in in_new_process(WITHOUT_PANDAS)


def test_a_stream_is_fresh_each_time(frame: Frame) -> None:
    """Each call gives a stream of its own, so that one being used up harms no other.

    The older ``__dataframe__``, which is going away, is absent.
    """
    assert not hasattr(frame, "__dataframe__")
    first, second = frame.__arrow_c_stream__(), frame.__arrow_c_stream__()
    assert first is not second
    readers = [pa.RecordBatchReader.from_stream(frame) for _ in range(2)]
    assert readers[0].read_all() == readers[1].read_all() == frame.arrow


# From a vectorised filter back to rows


def test_filter_gives_the_same_kind_of_frame() -> None:
    """Predicates and constraints keep rows that fit all of them, in order, equal to before."""
    variables = holidays().variables
    dates = variables.filter(pl.col("description").str.contains("(?i)date"))
    assert isinstance(dates, Variables)
    assert list(dates) == [v for v in variables if "date" in v.description.lower()]
    virtual = variables.filter(pl.col("type") == "Selector", pl.col("is_virtual"))
    assert list(virtual) == [v for v in variables if v.type == "Selector" and v.is_virtual]
    bookings = variables.filter(pl.col("num_codes") > 2, table_name="Bookings")
    expected = [v for v in variables.frame.iter_rows(named=True) if (v["num_codes"] or 0) > 2]
    assert [v.name for v in bookings] == [
        v["name"] for v in expected if v["table_name"] == "Bookings"
    ]
    assert dates[0].table == holidays().tables[dates[0].table_name]
    assert list(dates.filter(name="boTrav")) == [variables["boTrav"]]


# Files


@settings(max_examples=up_to(10))
@given(catalogues(max_variables=10))
def test_a_parquet_file_keeps_every_value(
    tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue
) -> None:
    """One frame as Parquet comes back with the same values and types."""
    path = tmp_path_factory.mktemp("frame") / "one.parquet"
    for frame in both(catalogue):
        assert frame.write_parquet(path) == path
        assert pq.read_table(path).to_pydict() == frame.arrow.to_pydict()
        assert pl.read_parquet(path).cast(frame.frame.schema).equals(frame.frame)


def odd() -> Catalogue:
    """A system whose texts a spreadsheet or terminal might obey."""
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a=b", "'=1", *ODD_TEXTS]
    kinds = list(VariableType)
    return catalogue_of(
        [
            table_item("=Master", "", True),
            table_item("@Child", "=Master", True, totalRecords=-5),
            table_item("Grandchild", "@Child"),
        ],
        [
            variable_item(f"v{i}", "@Child", kinds[i % len(kinds)], description=text)
            for i, text in enumerate(texts)
        ],
    )


def test_a_csv_file_runs_no_formula(tmp_path: Path) -> None:
    """No cell of text starts as a formula does; every other text is kept to the letter."""
    for frame in both(odd()):
        path = frame.write_csv(str(tmp_path / "frame.csv"))
        assert path == tmp_path / "frame.csv"
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert header == frame.schema.names
        assert len(rows) == len(frame)
        for name, *cells in zip(header, *rows, strict=True):
            values = frame.arrow[name].to_pylist()
            for cell, value in zip(cells, values, strict=True):
                if isinstance(value, str):
                    assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r"}
                    assert cell in {value, f"'{value}"}
                    assert (cell == value) is (value[:1] not in {*"=+-@\t\r"} or not value)
                elif isinstance(value, list):
                    assert cell.removeprefix("'").replace(";' ", "; ") == "; ".join(value)
                    assert not cell.startswith(("=", "@"))
                elif isinstance(value, bool | None):
                    assert cell == {None: "", True: "true", False: "false"}[value]
                elif isinstance(value, int | float):
                    assert float(cell) == value
                else:
                    assert datetime.fromisoformat(cell) == value


@pytest.mark.parametrize("apart", [";", "|", "; ", "\n", "\r", "\r\n", "\t", ";\n", "\n\t", ";;"])
def test_no_formula_begins_within_a_text(tmp_path: Path, apart: str) -> None:
    """Nor where a spreadsheet splits at something else than commas, with or without quotes."""
    signs = (*"=+-@", "\uff1d", " =", "\x00=", '"=', '""@', "\xa0;=", "\xa0=", "\ufeff=")
    texts = [
        text
        for sign in signs
        for text in (f"a{apart}{sign}1", f"{apart}{sign}1", f"a{apart}{sign}1{apart}{sign}1", "a;")
    ]
    items = [variable_item(f"v{n}", description=text) for n, text in enumerate(texts)]
    path = catalogue_of([table_item()], items).variables.write_csv(tmp_path / "frame.csv")
    for delimiter in ",;\t|":
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file, delimiter=delimiter, quoting=quoting))
            cells = [cell.lstrip('\0 "\xa0\ufeff') for row in rows for cell in row]
            assert [cell for cell in cells if cell[:1] in {*"=+-@\uff1d"} - {""}] == []
            assert len(cells) > len(texts)


def test_what_begins_no_formula_within_a_text_stays(tmp_path: Path) -> None:
    """Texts with semicolons and line breaks are to the letter where no formula begins."""
    texts = ["a; b", "a\nb", "a=b; c-d", "x@y; z", "1 - 2", "a\r\n\tb", "5;6"]
    items = [variable_item(f"v{n}", description=text) for n, text in enumerate(texts)]
    path = catalogue_of([table_item()], items).variables.write_csv(tmp_path / "frame.csv")
    with path.open(encoding="utf-8", newline="") as file:
        assert [row["description"] for row in csv.DictReader(file)] == texts


def test_writing_replaces_whole_files(frame: Frame, tmp_path: Path) -> None:
    """An older file is replaced, and nothing is left beside it; nowhere to write is an OSError."""
    for write, name in ((frame.write_csv, "x.csv"), (frame.write_parquet, "x.parquet")):
        path = tmp_path / name
        path.write_text("older")
        write(path)
        assert path.read_bytes() != b"older"
        with pytest.raises(OSError, match="nowhere"):
            write(tmp_path / "nowhere" / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.csv", "x.parquet"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("head", r"Use \.frame\.head\(\) of polars, or x\[:5\]\."),
        ("columns", r"Use \.frame\.columns of polars\."),
        ("sort", r"Use \.frame\.sort\(\) of polars\."),
        ("loc", r"Use \.to_pandas\(\)\.loc of pandas\."),
        ("to_csv", r"Use .*, or x\.write_csv\(path\)\."),
    ],
)
def test_what_other_frames_have_leads_on(name: str, hint: str) -> None:
    """Who tries what polars' or pandas' frames have is told where it is; others are not."""
    variables = holidays().variables
    assert not hasattr(variables, name)
    with pytest.raises(AttributeError, match=rf"Variables has no {name}\. {hint}"):
        getattr(variables, name)
    with pytest.raises(AttributeError, match="object has no attribute 'colour'"):
        _ = variables.colour  # type: ignore[attr-defined]


def test_whole_numbers_stay_whole_in_pandas() -> None:
    """What may be null is pandas' own kind of whole number, whether it is or not."""
    rows = holidays().variables.to_pandas()
    assert str(rows["num_codes"].dtype) == "Int64"
    assert rows["num_codes"].isna().sum() > 0
    assert rows.loc[rows["name"] == "boDest", "num_codes"].item() == 20
    assert str(holidays().tables.to_pandas()["total_records"].dtype) == "int64"
    assert str(holidays().variables[:0].to_pandas()["num_codes"].dtype) == "Int64"
