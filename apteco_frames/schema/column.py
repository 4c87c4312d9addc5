"""Columns, their types, and what follows from them.

One :class:`Column` per column is the single source: from it come the schema, the shape
that an answer of the API must have, the documentation of the frames and of the row
attributes. :mod:`apteco_frames.schema` declares them.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pyarrow as pa

STRING = pa.string()
BOOL = pa.bool_()
INT = pa.int64()
DOUBLE = pa.float64()
TIMESTAMP = pa.timestamp("us")
NAMES = pa.list_(pa.field("item", pa.string(), nullable=False))
KIND = pa.dictionary(pa.uint8(), pa.string())


class Column(NamedTuple):
    """One column of a catalogue frame.

    Attributes:
        name: name of the column and of the row attribute.
        type: Arrow type.
        nullable: whether the column may hold nulls.
        api_field: JSON path of the value in an item of the API's list, with dots between
            levels; empty for a derived column.
        doc: one line on what it means, with the unit.
        or_field: another JSON path of the value, in items of another type; empty for most
            columns.
        values: the closed set of values of an enum, in their order; empty for others.
    """

    name: str
    type: pa.DataType
    nullable: bool
    api_field: str
    doc: str
    or_field: str = ""
    values: tuple[str, ...] = ()

    @property
    def api_fields(self) -> tuple[str, ...]:
        """The JSON paths of the value: none, one or two."""
        return tuple(field for field in (self.api_field, self.or_field) if field)


def required(name: str, type: pa.DataType, doc: str, api: str = "") -> Column:  # noqa: A002
    """A column without nulls; see :class:`Column`, whose ``api_field`` is ``api`` here."""
    return Column(name, type, False, api, doc)


def optional(
    name: str,
    type: pa.DataType,  # noqa: A002
    doc: str,
    api: str = "",
    *,
    of: str = "",
    info: str = "",
) -> Column:
    """A column that may hold nulls; perhaps because only one kind of variable has it.

    Args:
        name: as of :class:`Column`, like ``type`` and ``doc``.
        type: see there.
        doc: see there.
        api: its ``api_field``.
        of: the kind of variable that has it.
        info: the part of the API's item that has the facts of that kind.
    """
    field, about = (f"{info}.{api}", f"{of}: {doc}") if info else (api, doc)
    return Column(name, type, True, field, about)


def enum(name: str, values: tuple[str, ...], doc: str) -> Column:
    """A derived column with a closed set of values."""
    return Column(name, KIND, False, "", doc, values=values)


@cache
def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of a frame with these columns, in their order.

    >>> from apteco_frames.schema import TABLES
    >>> arrow_schema(TABLES).field("total_records")
    pyarrow.Field<total_records: int64 not null>
    """
    return pa.schema([pa.field(c.name, c.type, c.nullable) for c in columns])


@cache
def api_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of what the API sends of these columns.

    >>> from apteco_frames.schema import CODES
    >>> api_schema(CODES).names
    ['code', 'description', 'count']
    """
    return pa.schema([pa.field(c.name, c.type, c.nullable) for c in columns if c.api_field])


def required_texts(*names: str) -> list[pa.Field]:
    """Fields of an object of the API that must be there, each a text.

    >>> required_texts("name")
    [pyarrow.Field<name: string not null>]
    """
    return [pa.field(name, STRING, nullable=False) for name in names]


def enums(columns: tuple[Column, ...]) -> dict[str, tuple[str, ...]]:
    """The closed sets of values, by the names of their columns.

    >>> from apteco_frames.schema import VARIABLES
    >>> enums(VARIABLES)["type"][:2]
    ('Selector', 'Numeric')
    """
    return {column.name: column.values for column in columns if column.values}


def describe(columns: tuple[Column, ...]) -> str:
    """The columns as lines of text: name, type, nullability, API field, meaning.

    >>> from apteco_frames.schema import TABLES
    >>> print(describe(TABLES[:1]))
    name: string, required, from ``name``. Name of the table, unique in the system.
    """
    return "\n".join(
        f"{column.name}: {type_name(column.type)}, "
        f"{'nullable' if column.nullable else 'required'}, "
        f"{_origin(column)}. {column.doc}"
        for column in columns
    )


def _origin(column: Column) -> str:
    fields = " or ".join(f"``{field}``" for field in column.api_fields)
    return f"from {fields}" if fields else "derived"


def type_name(arrow_type: pa.DataType) -> str:
    """What a type is called in documentation.

    >>> type_name(NAMES), type_name(pa.int64())
    ('list of string', 'int64')
    """
    if arrow_type == KIND:
        return "enum"
    return "list of string" if arrow_type == NAMES else str(arrow_type)
