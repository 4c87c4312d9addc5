"""Saved catalogues as the store sees them: a system, and Arrow tables of any contents."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st
from strategies import catalogue_of, floats, int64s, texts, variable_item

from apteco_frames import Catalogue
from apteco_frames.schema import (
    CODES_SCHEMA,
    FOLDERS_SCHEMA,
    TABLES_SCHEMA,
    VARIABLES_SCHEMA,
)
from apteco_frames.storage.snapshot import Snapshot

SCHEMAS = {
    "tables": TABLES_SCHEMA,
    "variables": VARIABLES_SCHEMA,
    "codes": CODES_SCHEMA,
    "folders": FOLDERS_SCHEMA,
}
SYSTEM: dict[str, Any] = {
    "name": "testing",
    "description": "A system for tests",
    "build_date": datetime(2019, 11, 27, 15, 57, 24),
    "view_name": "Testing",
}


BARE = {
    kind: getattr(catalogue_of(None, [variable_item("bare")]), kind).arrow
    for kind in ("tables", "variables")
}


def rows(found: Snapshot) -> dict[str, pa.Table]:
    """All that a catalogue consists of, read."""
    arrows = {"tables": found.tables, "variables": found.variables}
    arrows |= {"codes": found.codes()} if found.codes else {}
    return arrows | ({"folders": found.folders()} if found.folders else {})


def _values(kind: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_list(kind):
        return st.lists(_values(kind.value_type), max_size=3)
    if pa.types.is_timestamp(kind):
        return st.datetimes()
    if pa.types.is_int64(kind):
        return int64s()
    if pa.types.is_float64(kind):
        return floats().map(float)
    return st.booleans() if pa.types.is_boolean(kind) else texts()


@st.composite
def arrow_tables(draw: st.DrawFn, schema: pa.Schema, max_rows: int = 8) -> pa.Table:
    """Rows of any contents under a schema, in any number of chunks."""
    columns = []
    rows = draw(st.integers(0, max_rows))
    for field in schema:
        # A few values of each column; drawing each anew would take long.
        pool = draw(st.lists(_values(field.type), min_size=1, max_size=4))
        pool += [None] if field.nullable else []
        values = draw(st.lists(st.sampled_from(pool), min_size=rows, max_size=rows))
        columns.append(pa.array(values, field.type))
    arrow = pa.table(columns, schema=schema)
    cut = draw(st.integers(0, rows))
    return pa.concat_tables([arrow.slice(0, cut), arrow.slice(cut)])


@st.composite
def saved(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, pa.Table], tuple[str, ...]]:
    """What a catalogue is saved as: a system, rows with or without codes and folders."""
    system: dict[str, Any] = {name: draw(texts()) for name in SYSTEM}
    system["build_date"] = draw(st.none() | st.datetimes())
    kinds = ["tables", "variables"] + [k for k in ("codes", "folders") if draw(st.booleans())]
    arrows = {kind: draw(arrow_tables(SCHEMAS[kind])) for kind in kinds}
    return system, arrows, tuple(draw(st.lists(texts(), max_size=3)))


def codes_of(variable: str, count: int) -> pa.Table:
    """So many codes of one variable."""
    numbers = list(range(count))
    return pa.table(
        [
            [variable] * count,
            [f"Description of {variable}"] * count,
            ["People"] * count,
            numbers,
            [f" {number}" for number in numbers],
            [f"Code {number}" for number in numbers],
            [None, *numbers[1:]],
        ],
        schema=CODES_SCHEMA,
    )


def folder_of(variables: list[str]) -> pa.Table:
    """One folder with these variables."""
    count = len(variables)
    row = ("Folder", "Folder", "", None, 0, 0, count, count, variables)
    return pa.table([[value] for value in row], schema=FOLDERS_SCHEMA)


def write_layout_1(catalogue: Catalogue, folder: Path, snapshot: str) -> list[Path]:
    """Write a catalogue as the first version of the package wrote it to a folder."""
    date = catalogue.system_info.build_date
    info = {
        **catalogue.system_info._asdict(),
        "build_date": date.isoformat() if date else None,
    }
    paths = []
    for kind in ("tables", "variables"):
        label = {"version": 1, "kind": kind, "snapshot": snapshot, "system_info": info}
        arrow = getattr(catalogue, kind).arrow
        paths.append(folder / f"{kind}.parquet")
        metadata = {b"apteco_frames": json.dumps(label).encode()}
        pq.write_table(arrow.replace_schema_metadata(metadata), paths[-1])
    return paths
