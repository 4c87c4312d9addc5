"""Other people's tables: what takes a frame writes it, and gives the same rows back."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from apteco_frames.demo import holidays
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.variables import VariableType

Frame = CatalogueFrame[Any]


@pytest.fixture(params=["tables", "variables", "some variables", "no variables"])
def frame(request: pytest.FixtureRequest) -> Frame:
    """Frames of the Holidays system: whole ones, and what a filter gave."""
    catalogue = holidays()
    frames: dict[str, Frame] = {
        "tables": catalogue.tables,
        "variables": catalogue.variables,
        "some variables": catalogue.variables.filter(pl.col("num_codes") > 2),
        "no variables": catalogue.variables.filter(False),
    }
    return frames[request.param]


def newest(name: str) -> Any:
    """A library, or a reason not to test it."""
    return pytest.importorskip(name, reason=f"{name} cannot be installed here")


def without_enums(frame: Frame) -> pl.DataFrame:
    """The frame with texts in place of its Enum, for what has no such type."""
    return frame.frame.with_columns(pl.col(pl.Enum).cast(pl.String))


def test_delta(frame: Frame, tmp_path: Path) -> None:
    """A Delta table takes the stream; polars and deltalake read it back."""
    deltalake = newest("deltalake")
    deltalake.write_deltalake(tmp_path, frame)
    assert pl.read_delta(str(tmp_path)).rows() == frame.frame.rows()
    read = pa.table(deltalake.DeltaTable(tmp_path).to_pyarrow_table())
    assert read.to_pylist() == frame.arrow.to_pylist()


def test_delta_by_polars(frame: Frame, tmp_path: Path) -> None:
    """``write_delta`` takes ``.frame`` without its Enum."""
    newest("deltalake")
    without_enums(frame).write_delta(tmp_path)
    assert pl.read_delta(str(tmp_path)).rows() == frame.frame.rows()


# Of what polars asks of pyiceberg; it is pyiceberg's tables that are tried here.
@pytest.mark.filterwarnings("ignore::polars.exceptions.PerformanceWarning")
def test_iceberg(frame: Frame, tmp_path: Path) -> None:
    """An Iceberg table takes ``.arrow``; pyiceberg and polars read it back."""
    sql = newest("pyiceberg.catalog.sql")
    catalog = sql.SqlCatalog(
        "test", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=tmp_path.as_uri()
    )
    catalog.create_namespace("holidays")
    table = catalog.create_table("holidays.frame", schema=frame.arrow.schema)
    table.append(frame.arrow)
    assert table.scan().to_arrow().to_pylist() == frame.arrow.to_pylist()
    assert pl.scan_iceberg(table).collect().rows() == frame.frame.rows()
    catalog.close()


def test_parquet_and_feather(frame: Frame, tmp_path: Path) -> None:
    """pyarrow and polars write the stream as Parquet and Feather, and read each other's files."""
    feather = importlib.import_module("pyarrow.feather")
    parquet = importlib.import_module("pyarrow.parquet")
    parquet.write_table(pa.table(frame), tmp_path / "1.parquet")
    pl.DataFrame(frame).write_parquet(tmp_path / "2.parquet")
    frame.frame.write_parquet(tmp_path / "3.parquet")
    frame.write_parquet(tmp_path / "4.parquet")
    feather.write_feather(pa.table(frame), tmp_path / "1.arrow")
    frame.frame.write_ipc(tmp_path / "2.arrow")
    for path in sorted(tmp_path.iterdir()):
        is_parquet = path.suffix == ".parquet"
        read = (pl.read_parquet if is_parquet else pl.read_ipc)(path)
        assert read.cast(frame.frame.schema).equals(frame.frame), path
        theirs = (parquet if is_parquet else feather).read_table(path)
        assert theirs.to_pylist() == frame.arrow.to_pylist(), path


def test_orc(frame: Frame, tmp_path: Path) -> None:
    """ORC has no dictionaries: the texts of the Enum are written."""
    orc = importlib.import_module("pyarrow.orc")
    orc.write_table(
        without_enums(frame).to_arrow(compat_level=pl.CompatLevel.oldest()), tmp_path / "x.orc"
    )
    assert orc.read_table(tmp_path / "x.orc").to_pylist() == frame.arrow.to_pylist()


def test_avro(frame: Frame, tmp_path: Path) -> None:
    """Avro has no dictionaries: polars writes the texts of the Enum, fastavro reads them."""
    fastavro = newest("fastavro")
    without_enums(frame).write_avro(tmp_path / "x.avro")
    with (tmp_path / "x.avro").open("rb") as file:
        rows = list(fastavro.reader(file))
    assert [row["name"] for row in rows] == frame.arrow["name"].to_pylist()
    assert pl.read_avro(tmp_path / "x.avro").rows() == frame.frame.rows()


def test_narwhals(frame: Frame) -> None:
    """narwhals takes ``.frame``, ``.arrow``, and by ``from_arrow`` the stream."""
    narwhals = newest("narwhals")
    names = frame.arrow["name"].to_pylist()
    seen = narwhals.from_native(frame.frame)
    assert seen["name"].to_list() == names
    assert narwhals.from_native(frame.arrow)["name"].to_list() == names
    assert narwhals.from_arrow(frame, backend="polars")["name"].to_list() == names
    if "type" in seen.columns:
        assert seen.schema["type"] == narwhals.Enum(list(VariableType))
    with pytest.raises(TypeError):
        narwhals.from_native(frame)


def test_altair(frame: Frame) -> None:
    """Altair takes ``.frame``, whose kinds it draws as categories in their order."""
    altair = newest("altair")
    column = "type" if "type" in frame.schema.names else "name"
    drawn = altair.Chart(frame.frame).mark_bar().encode(x="count()", y=column).to_dict()
    assert drawn["encoding"]["y"]["type"] == ("ordinal" if column == "type" else "nominal")
    if column == "type":
        assert drawn["encoding"]["y"]["sort"] == list(VariableType)
    (rows,) = drawn["datasets"].values() or [[]]
    assert [row["name"] for row in rows] == frame.arrow["name"].to_pylist()
    refused = pytest.raises(altair.utils.schemapi.SchemaValidationError)
    with refused, pytest.warns(UserWarning, match="not recognized"):
        altair.Chart(frame).mark_bar().to_dict()
