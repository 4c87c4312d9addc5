"""Other engines on an archive: PySpark, DuckDB and polars compute the same.

Two hundred systems of five builds each, some of them named as engines take for numbers.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyspark.sql
import pytest
from examples import ROOT, examples

from apteco_frames import Archive, Catalogue
from apteco_frames.demo import holidays

SYSTEMS, BUILDS = 200, 5
LONG = "Läden in Überlingen und Märkte " * 5
ODD_NAMES = ("007", "1e3", "a/b c", "50 %41", "x=y", "true", "2026-11-01", "Läden", "CON", LONG)
NOUNS = ("variables", "codes", "builds")

pytestmark = pytest.mark.skipif(
    shutil.which("java") is None, reason="Spark needs a Java, and there is none"
)

# Rows of each build; sums over a few rows of each file; distinct values beside the builds.
QUERIES = (
    "select v.system_name, v.build, count(*) as rows from variables v join builds b "
    "on v.system = b.system and v.build = b.build group by v.system_name, v.build",
    "select system_name, sum(count) as records from codes where variable_name = 'boDest' "
    "group by system_name",
    "select v.build, v.type, count(distinct v.name) as names from variables v join builds b "
    "on v.system = b.system and v.build = b.build where b.codes > 0 and v.num_codes > 10 "
    "group by v.build, v.type",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive: each build has a variable less than the one before, every tenth no codes."""
    folder = tmp_path_factory.mktemp("archives") / "archive"
    whole = holidays()
    codes = whole.codes["boDest"].arrow
    for number in range(SYSTEMS):
        name = ODD_NAMES[number] if number < len(ODD_NAMES) else f"system {number}"
        for build in range(BUILDS):
            info = whole.system_info._replace(name=name, build_date=datetime(2026, 11, 1 + build))
            variables = [v.name for v in whole.variables][: len(whole.variables) - build]
            kept = whole.variables.filter(pl.col("name").is_in(variables))
            Archive(folder).add(Catalogue(info, whole.tables, kept, None if number % 10 else codes))
    # A program that was killed: what it has left is in no build.
    (left,) = folder.glob("builds/system=1e3/build=2026-11-01*/*.parquet")
    left.unlink()
    return folder


def by_polars(root: Path) -> list[list[tuple[Any, ...]]]:
    """What polars makes of the archive's own scans."""
    archive = Archive(root)
    frames = {noun: archive.scan(noun) for noun in ("variables", "codes")}
    context = pl.SQLContext({**frames, "builds": archive.builds.lazy()})
    return [sorted(context.execute(query).collect().rows()) for query in QUERIES]


def by_pandas(root: Path) -> list[list[tuple[Any, ...]]]:
    """What pandas makes of the files, for the first of them."""
    texts = pa.schema([("system", pa.string()), ("build", pa.string())])
    hive = ds.partitioning(texts, flavor="hive")
    rows, builds = (
        pd.read_parquet(root / noun, partitioning=hive) for noun in ("variables", "builds")
    )
    there = rows.merge(builds[["system", "build"]], on=["system", "build"])
    sizes: dict[Any, Any] = there.groupby(["system_name", "build"]).size().to_dict()
    return [sorted((*key, int(size)) for key, size in sizes.items())]


def by_duckdb(root: Path) -> list[list[tuple[Any, ...]]]:
    """What DuckDB makes of the files, told that system and build are texts."""
    connection = duckdb.connect()
    for noun in NOUNS:
        connection.execute(
            f"create view {noun} as select * from read_parquet('{root}/{noun}/**/*.parquet', "
            "hive_types = {'system': varchar, 'build': varchar})"
        )
    return [sorted(connection.execute(query).fetchall()) for query in QUERIES]


@contextmanager
def spark_session() -> Iterator[Any]:
    """A small Spark on this machine, told to take the names of folders for texts."""
    session = (
        pyspark.sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
        .getOrCreate()
    )
    try:
        yield session
    finally:
        session.stop()


def by_spark(root: Path) -> list[list[tuple[Any, ...]]]:
    """What Spark makes of the files."""
    with spark_session() as session:
        for noun in NOUNS:
            session.read.parquet(str(root / noun)).createOrReplaceTempView(noun)
        return [sorted(tuple(row) for row in session.sql(query).collect()) for query in QUERIES]


def test_engines_agree(root: Path) -> None:
    """Three aggregates are the same for three engines, each with the means of its own."""
    found = by_polars(root)
    assert len(found[0]) == SYSTEMS * BUILDS - 1
    assert {row[0] for row in found[0]} > set(ODD_NAMES)
    assert len(found[1]) == SYSTEMS // 10
    assert found[2]
    assert by_duckdb(root) == found
    assert by_pandas(root) == found[:1]
    assert by_spark(root) == found


def test_the_page_reads_an_archive(root: Path) -> None:
    """What the page on other tools does in Spark counts the variables of each build."""
    page = ROOT.joinpath("docs", "how-to", "tools.md").read_text(encoding="utf-8")
    (example,) = examples(page, "{code-block} python")
    code = example.text.replace("my-archive", str(root))
    with spark_session() as spark:
        names: dict[str, Any] = {"spark": spark}
        exec(compile(code, "tools.md", "exec"), names)
        assert sorted(tuple(row) for row in names["counted"].collect()) == by_polars(root)[0]
