"""Archives as the first version of the package wrote them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

NAMES = pa.list_(pa.field("item", pa.string(), nullable=False))
OWN = pa.schema(
    [
        pa.field("row_number", pa.int64(), False),
        pa.field("system_name", pa.string(), False),
        pa.field("build_date", pa.timestamp("us")),
    ]
)
ENTRY = pa.schema(
    [
        pa.field("system_name", pa.string(), False),
        pa.field("build_name", pa.string(), False),
        pa.field("build_date", pa.timestamp("us")),
        pa.field("added_at", pa.timestamp("us"), False),
        pa.field("description", pa.string(), False),
        pa.field("view_name", pa.string(), False),
        pa.field("tables", pa.int64(), False),
        pa.field("variables", pa.int64(), False),
        pa.field("codes", pa.int64()),
        pa.field("folders", pa.int64()),
        pa.field("unavailable", NAMES, False),
        pa.field("file", pa.string(), False),
        pa.field("content", pa.string(), False),
        pa.field("version", pa.int64(), False),
    ]
)


def add_as_layout_1(
    root: Path,
    system: dict[str, Any],
    arrows: Mapping[str, pa.Table],
    unavailable: Sequence[str] = (),
    digits: str = "",
) -> None:
    """Add a catalogue; ``digits`` follow the date where it is not the first of its date."""
    date = system["build_date"]
    folder = quote(system["name"], safe="")
    if len(folder) > 200:
        digest = sha256(system["name"].encode()).hexdigest()[:16]
        folder = f"{quote(system['name'][:16], safe='')}~{digest}"
    name = "unknown" if date is None else date.isoformat().replace(":", "-")
    name += f"-{digits}" * bool(digits)
    nouns = "".join(f"-{noun}" for noun in ("codes", "folders") if noun in arrows)
    file = f"system={folder}/build={name}/{uuid.uuid4().hex}{nouns}.parquet"
    for noun, rows in arrows.items():
        own = [
            pa.array(range(len(rows)), pa.int64()),
            pa.array([system["name"]] * len(rows), pa.string()),
            pa.array([date] * len(rows), pa.timestamp("us")),
        ]
        texts = [
            pa.field(f.name, pa.string(), f.nullable) if pa.types.is_dictionary(f.type) else f
            for f in rows.schema
        ]
        rows = rows.cast(pa.schema(texts))
        for field, values in zip(OWN, own, strict=True):
            rows = rows.append_column(field, values)
        write(rows, root / noun / file)
    row = {
        **{noun: len(rows) for noun, rows in arrows.items()},
        **{"system_name": system["name"], "build_name": name, "build_date": date},
        **{key: system[key] for key in ("description", "view_name")},
        **{"added_at": datetime(2026, 11, 1), "unavailable": list(unavailable)},
        **{"file": file, "content": "0" * 64, "version": 1},
    }
    write(pa.Table.from_pylist([row], ENTRY), root / "builds" / file)


def write(rows: pa.Table, path: Path) -> None:
    """Write a file, and the folder that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path, row_group_size=20_000, write_page_checksum=True)
