"""The declared schemas: the names, types and meaning that users may rely on."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest

from apteco_frames.orbit import schema
from apteco_frames.tables import Table, Tables
from apteco_frames.variables import Variables, VariableType

COLUMNS = pytest.mark.parametrize(
    "columns", [schema.TABLES, schema.VARIABLES], ids=["tables", "variables"]
)


def test_columns_of_tables() -> None:
    """Tables have the documented columns, in this order."""
    assert [column.name for column in schema.TABLES] == [
        *("name", "singular", "plural", "is_default", "is_people", "total_records"),
        *("child_relationship", "parent_relationship", "has_children", "parent_name"),
        *("depth", "ancestor_names", "descendant_names", "variable_count"),
    ]


def test_columns_of_variables() -> None:
    """Variables have the documented columns, in this order."""
    assert [column.name for column in schema.VARIABLES] == [
        *("name", "description", "type", "folder_name", "table_name"),
        *("is_selectable", "is_browsable", "is_exportable", "is_virtual"),
        *("selector_type", "sub_type", "code_length", "num_codes"),
        *("var_code_min_count", "var_code_max_count", "var_code_order"),
        *("min_date", "max_date", "combined_from"),
        *("min_value", "max_value", "is_currency", "currency_locale", "currency_symbol"),
        *("max_length", "api_type"),
    ]


@COLUMNS
def test_schema_follows_columns(columns: tuple[schema.Column, ...]) -> None:
    """An Arrow schema has each column's name, type and nullability, in order."""
    fields = [(field.name, field.type, field.nullable) for field in schema.arrow_schema(columns)]
    assert fields == [(column.name, column.type, column.nullable) for column in columns]


def test_frames_publish_their_schema() -> None:
    """The schemas can be had from the frame classes, without any data."""
    assert Tables.schema is schema.TABLES_SCHEMA
    assert Variables.schema is schema.VARIABLES_SCHEMA


def test_only_what_may_be_missing_is_nullable() -> None:
    """What every table and variable has is required; what belongs to a kind is nullable."""
    assert not any(column.nullable for column in schema.TABLES)
    of_a_kind = {column.name for column in schema.VARIABLES if "." in column.api_field}
    nullable = {column.name for column in schema.VARIABLES if column.nullable}
    assert nullable == of_a_kind | {"folder_name"}


@COLUMNS
def test_columns_are_told_apart(columns: tuple[schema.Column, ...]) -> None:
    """No two columns share a name or a field of the API."""
    names = [column.name for column in columns]
    fields = [column.api_field for column in columns if column.api_field]
    assert len(set(names)) == len(names)
    assert len(set(fields)) == len(fields)


def test_times_have_no_zone() -> None:
    """FastStats dates are local times: microseconds without a zone."""
    fields = [schema.VARIABLES_SCHEMA.field(name) for name in ("min_date", "max_date")]
    assert [field.type for field in fields] == [pa.timestamp("us")] * 2


def test_kinds_are_a_closed_set() -> None:
    """The kinds of variable are those of ``VariableType``, and an Enum in polars."""
    assert tuple(VariableType) == schema.VARIABLE_TYPES
    empty = pl.DataFrame(schema.VARIABLES_SCHEMA.empty_table())
    assert empty.schema["type"] == pl.Enum(schema.VARIABLE_TYPES)


@COLUMNS
def test_every_column_is_described(columns: tuple[schema.Column, ...]) -> None:
    """The description has one line per column, with nullability and what it means."""
    lines = schema.describe(columns).splitlines()
    for column, line in zip(columns, lines, strict=True):
        assert line.startswith(f"{column.name}: ")
        assert ("nullable" if column.nullable else "required") in line
        assert (f"from ``{column.api_field}``" if column.api_field else "derived") in line
        assert column.doc.endswith((".", "…"))
        assert column.doc in line


@pytest.mark.parametrize("frame", [Tables, Variables])
def test_frames_document_their_columns(frame: type[Tables] | type[Variables]) -> None:
    """The documentation of a frame lists its columns."""
    doc = frame.__doc__ or ""
    missing = [name for name in frame.schema.names if f"    {name}: " not in doc]
    assert not missing


def test_rows_document_their_attributes() -> None:
    """The documentation of a column is that of the row attribute."""
    docs = {name: getattr(Table, name).__doc__ for name in schema.TABLES_SCHEMA.names}
    assert docs == {column.name: column.doc for column in schema.TABLES}
