"""The differences of two catalogues: measured in a process of its own, which prints JSON.

``python differences.py VARIABLES CODES``: as many on each side, of which one in a hundred
has gone, come or changed.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections.abc import Mapping

import polars as pl
import pyarrow as pa
import system

from apteco_frames import schema
from apteco_frames.analysis.diff import difference
from apteco_frames.analysis.quality import quality
from apteco_frames.catalogue import Catalogue
from apteco_frames.orbit.decode import decode_page
from apteco_frames.system import FastStatsSystem

REPEATS = 7


def nouns(variables: int, codes: int) -> dict[str, pa.Table]:
    """The tables of a catalogue of that size, the codes spread evenly."""
    tables = system.page(system.tables(), 0, system.TABLES, system.TABLES)
    catalogue = Catalogue(
        FastStatsSystem("benchmark", "", None, ""),
        decode_page(tables, schema.TABLES, "a benchmark").rows,
        decode_page(
            system.variable_page(variables, 0, variables), schema.VARIABLES, "a benchmark"
        ).rows,
    )
    number = pl.int_range(codes, dtype=pl.Int64)
    each = -(-codes // variables)
    of = catalogue.variables.frame.select(
        variable_name="name", variable_description="description", table_name="table_name"
    )
    frame = of[[n // each for n in range(codes)]].with_columns(
        position=number % each,
        code=pl.format("{}", number % each),
        description=pl.format("Meaning {}", number),
        count=number,
    )
    return {
        "tables": catalogue.tables.arrow,
        "variables": catalogue.variables.arrow,
        "codes": frame.to_arrow().cast(schema.CODES_SCHEMA).combine_chunks(),
    }


def changed(rows: pa.Table, key: str) -> pa.Table:
    """The rows with one in 300 left out, one under another name, one described otherwise."""
    which = pl.int_range(pl.len()) % 300
    frame = (
        pl.DataFrame(rows)
        .with_columns(
            pl.when(which == 1).then(pl.lit("new ") + pl.col(key)).otherwise(key).alias(key),
            pl.when(which == 2).then(pl.lit("other")).otherwise("description").alias("description"),
        )
        .filter(which != 0)
    )
    return frame.to_arrow().cast(rows.schema).combine_chunks()


def least(new: Mapping[str, pa.Table], old: Mapping[str, pa.Table]) -> tuple[float, int]:
    """Seconds for the changes, the least of several runs, and how many there are."""
    took = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        found = difference(new, old).changes
        took.append(time.perf_counter() - start)
    return min(took), len(found)


def timed(catalogue: Mapping[str, pa.Table]) -> float:
    """Seconds for the quality of all codes."""
    start = time.perf_counter()
    assert len(quality(catalogue))
    return time.perf_counter() - start


def main() -> None:
    """Measure catalogues that differ, equal ones, and the quality of one."""
    old = nouns(*map(int, sys.argv[1:]))
    new = {
        "tables": old["tables"],
        "variables": changed(old["variables"], "name"),
        "codes": changed(old["codes"], "code"),
    }
    seconds, number = least(new, old)
    equal, none = least(pickle.loads(pickle.dumps(old)), old)
    assert number
    assert not none
    took = min(timed(old) for _ in range(REPEATS))
    told = {"seconds": seconds, "equal": equal, "changes": number, "quality": took}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
