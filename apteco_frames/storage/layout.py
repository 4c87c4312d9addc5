"""How the files of an archive are called, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.schema.column import INT, KIND, STRING, TIMESTAMP, Column

VERSION = 1
"""Version of the layout; it rises only when a column or a folder goes or changes its type."""

NOUNS: dict[str, tuple[Column, ...]] = {
    "tables": schema.TABLES,
    "variables": schema.VARIABLES,
    "codes": schema.CODES,
    "folders": schema.FOLDERS,
}
"""The nouns, with the columns that they have in a catalogue."""

PARTITIONS = pa.schema([("system", STRING), ("build", STRING)])
"""The columns that the names of folders are."""

BUILDS = "builds"
"""The folder of the builds themselves."""

IDENT = "*"
"""Stands in a path for the name of an add, and for nothing else, as it is encoded."""

OPTIONAL = ("codes", "folders")
"""Those that not every build has."""

BUILDS_SCHEMA = pa.schema(
    [
        *(
            f.with_name({"system": "system_name", "build": "build_name"}.get(f.name, f.name))
            for f in schema.BUILDS_SCHEMA
        ),
        pa.field("file", STRING, False),
        pa.field("content", STRING, False),
        pa.field("version", INT, False),
    ]
)
"""The columns of the files there, of which none is called as a partition is."""

_SORTED_BY = {"tables": "name", "variables": "name", "codes": "variable_name", "folders": "path"}
_OWN = (
    pa.field("row_number", INT, False),
    pa.field("system_name", STRING, False),
    pa.field("build_date", TIMESTAMP),
)
_ROWS_PER_GROUP = 20_000
_LONGEST = 200  # a folder's name has no more than 255 bytes


class Build(NamedTuple):
    """A build that is in the archive.

    Attributes:
        values: its columns, by name: those of ``schema.BUILDS``.
        file: the path of its files below the folder of a noun.
        content: tells what it holds.
    """

    values: dict[str, Any]
    file: str
    content: str

    @property
    def order(self) -> tuple[bool, datetime, datetime]:
        """By what the builds of a system are in order: the latest last."""
        date = self.values["build_date"]
        return date is not None, date or datetime.min, self.values["added_at"]


def file_schema(noun: str) -> pa.Schema:
    """The columns of a noun's files: an enum is a text there, and three are added.

    >>> file_schema("codes").names[-4:]
    ['count', 'row_number', 'system_name', 'build_date']
    """
    fields = [
        pa.field(c.name, STRING if c.type == KIND else c.type, c.nullable) for c in NOUNS[noun]
    ]
    return pa.schema([*fields, *_OWN])


def file_of(noun: str, rows: pa.Table, system: dict[str, Any]) -> pa.Buffer:
    """The file of a noun, sorted by variable.

    Args:
        noun: one of :data:`NOUNS`.
        rows: its rows, as a catalogue has them.
        system: the description of the system.
    """
    size = len(rows)
    own = (
        pa.array(range(size), INT),
        pa.repeat(pa.scalar(system["name"], STRING), size),
        pa.repeat(pa.scalar(system["build_date"], TIMESTAMP), size),
    )
    for field, values in zip(_OWN, own, strict=True):
        rows = rows.append_column(field, values)
    order = [(_SORTED_BY[noun], "ascending"), ("row_number", "ascending")]
    return _parquet(rows.cast(file_schema(noun)).sort_by(order))


def build_file(
    system: dict[str, Any],
    arrows: Mapping[str, pa.Table],
    unavailable: Sequence[str],
    file: str,
    content: str,
) -> pa.Buffer:
    """The file that makes a build exist.

    Args:
        system: the description of the system.
        arrows: the rows of its nouns.
        unavailable: names of the variables whose codes the API refused.
        file: the path of its files below the folder of a noun.
        content: tells what it holds.
    """
    row = {
        **{field.name: None for field in BUILDS_SCHEMA},
        **{noun: len(rows) for noun, rows in arrows.items()},
        "system_name": system["name"],
        "build_name": file.split("/")[1].removeprefix("build="),
        **{name: system[name] for name in ("build_date", "description", "view_name")},
        "added_at": datetime.now(UTC).replace(tzinfo=None),
        "unavailable": unavailable,
        "file": file,
        "content": content,
        "version": VERSION,
    }
    return _parquet(pa.Table.from_pylist([row], BUILDS_SCHEMA))


def build_of(row: dict[str, Any]) -> Build:
    """The build that a row of such a file is."""
    row = {**row, "system": row["system_name"], "build": row["build_name"]}
    values = {name: row[name] for name in schema.BUILDS_SCHEMA.names}
    return Build(values, row["file"], row["content"])


def known(arrow: pa.Table, noun: str) -> pa.Table:
    """The columns of a noun: a later version may have more of them, an earlier one had fewer."""
    known = pa.schema(list(file_schema(noun))[: -len(_OWN)])
    for field in known:
        if field.nullable and field.name not in arrow.column_names:
            arrow = arrow.append_column(field, pa.nulls(len(arrow), field.type))
    return arrow.select(known.names).cast(known)


def paths_of(system: dict[str, Any], nouns: Iterable[str], content: str) -> tuple[str, str]:
    """Where files of a build go, below the folder of a noun, and where if that is taken.

    A path says whether the build has codes and folders.

    >>> about = {"name": "a/b", "build_date": datetime(2026, 11, 1, 3)}
    >>> paths_of(about, ["tables", "variables", "codes"], "0123456789")[1]
    'system=a%2Fb/build=2026-11-01T03-00-00-01234567/*-codes.parquet'
    """
    folder = f"{system_folder(system['name'])}/build={_build_name(system['build_date'])}"
    file = "".join([IDENT, *(f"-{noun}" for noun in OPTIONAL if noun in nouns), ".parquet"])
    return f"{folder}/{file}", f"{folder}-{content[:8]}/{file}"


def has(path: str, noun: str) -> bool:
    """Whether the build with such a path has a noun."""
    return noun not in OPTIONAL or f"-{noun}" in path.rpartition("/")[2]


def system_folder(name: str) -> str:
    """The folder of a system, below that of a noun.

    Of a name that is too long for a folder it has the beginning, and digits of its own.

    >>> system_folder("50 %")
    'system=50%20%25'
    """
    encoded = quote(name, safe="")
    if len(encoded) > _LONGEST:
        encoded = f"{quote(name[:16], safe='')}~{sha256(name.encode()).hexdigest()[:16]}"
    return f"system={encoded}"


def _build_name(date: datetime | None) -> str:
    # No engine takes it for anything but a text.
    return "unknown" if date is None else date.isoformat().replace(":", "-")


def _parquet(arrow: pa.Table) -> pa.Buffer:
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(arrow, sink, row_group_size=_ROWS_PER_GROUP, write_page_checksum=True)
    return sink.getvalue()
