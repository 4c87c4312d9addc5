"""The declared schemas: the names, types and meaning that users may rely on."""

from __future__ import annotations

import inspect
from typing import Any

import pyarrow as pa
import pytest

from apteco_frames import schema
from apteco_frames.codes import Code, Codes
from apteco_frames.folders import Folders
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.schema.column import Column, arrow_schema, describe
from apteco_frames.system import FastStatsSystem
from apteco_frames.systems import System, Systems
from apteco_frames.tables import Table, Tables
from apteco_frames.variables import UnknownVariable, Variables, VariableType

COLUMNS = pytest.mark.parametrize(
    "columns",
    [schema.SYSTEMS, schema.TABLES, schema.VARIABLES, schema.CODES, schema.FOLDERS],
    ids=["systems", "tables", "variables", "codes", "folders"],
)


def test_columns_of_systems() -> None:
    """Systems have the documented columns, which are those of the details of one."""
    assert tuple(column.name for column in schema.SYSTEMS) == FastStatsSystem._fields


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
        *("max_length", "api_type", "path", "notes"),
        *("unclassified_code", "unclassified_description", "decimal_places"),
        *("reference_type", "reference_length"),
    ]


def test_columns_of_codes() -> None:
    """Codes have the documented columns, in this order."""
    assert [column.name for column in schema.CODES] == [
        *("variable_name", "variable_description", "table_name", "position"),
        *("code", "description", "count"),
    ]


def test_columns_of_folders() -> None:
    """Folders have the documented columns, and the names of their variables."""
    assert [column.name for column in schema.FOLDERS] == [
        *("path", "name", "description", "parent_path", "depth", "position"),
        *("variable_count", "total_variable_count", "variable_names"),
    ]


@COLUMNS
def test_schema_follows_columns(columns: tuple[Column, ...]) -> None:
    """An Arrow schema has each column's name, type and nullability, in order."""
    fields = [(field.name, field.type, field.nullable) for field in arrow_schema(columns)]
    assert fields == [(column.name, column.type, column.nullable) for column in columns]


def test_frames_publish_their_schema() -> None:
    """The schemas can be had from the frame classes, without any data."""
    assert Systems.schema is schema.SYSTEMS_SCHEMA
    assert Tables.schema is schema.TABLES_SCHEMA
    assert Variables.schema is schema.VARIABLES_SCHEMA
    assert Codes.schema is schema.CODES_SCHEMA
    assert Folders.schema is schema.FOLDERS_SCHEMA


def test_only_what_may_be_missing_is_nullable() -> None:
    """What all have is required; what belongs to a kind, or to newer servers, is nullable."""
    assert not any(column.nullable for column in schema.TABLES)
    of_a_kind = {column.name for column in schema.VARIABLES if "." in column.api_field}
    nullable = {column.name for column in schema.VARIABLES if column.nullable}
    assert nullable == of_a_kind | {"folder_name", "path", "notes"}
    assert [column.name for column in schema.CODES if column.nullable] == ["count"]
    assert [column.name for column in schema.FOLDERS if column.nullable] == ["parent_path"]


@COLUMNS
def test_columns_are_told_apart(columns: tuple[Column, ...]) -> None:
    """No two columns share a name or a field of the API."""
    names = [column.name for column in columns]
    fields = [field for column in columns for field in column.api_fields]
    assert len(set(names)) == len(names)
    assert len(set(fields)) == len(fields)


def test_times_have_no_zone() -> None:
    """FastStats dates are local times: microseconds without a zone."""
    fields = [schema.VARIABLES_SCHEMA.field(name) for name in ("min_date", "max_date")]
    assert [field.type for field in fields] == [pa.timestamp("us")] * 2


def test_kinds_are_a_closed_set() -> None:
    """The kinds of variable are those of ``VariableType``."""
    assert tuple(VariableType) == schema.VARIABLE_TYPES


@COLUMNS
def test_schemas_bear_no_marks(columns: tuple[Column, ...]) -> None:
    """Fields have no metadata: what one library writes there, another may not read."""
    declared = arrow_schema(columns)
    assert declared.metadata is None
    assert [field.name for field in declared if field.metadata] == []


@COLUMNS
def test_every_column_is_described(columns: tuple[Column, ...]) -> None:
    """The description has one line per column, with nullability and what it means."""
    lines = describe(columns).splitlines()
    for column, line in zip(columns, lines, strict=True):
        assert line.startswith(f"{column.name}: ")
        assert ("nullable" if column.nullable else "required") in line
        origins = [f"``{field}``" for field in column.api_fields] or ["derived"]
        assert [origin for origin in origins if origin not in line] == []
        assert column.doc.endswith((".", "…"))
        assert column.doc in line


@pytest.mark.parametrize("frame", [Systems, Tables, Variables, Codes, Folders])
def test_frames_document_their_columns(frame: type[CatalogueFrame[Any]]) -> None:
    """The documentation of a frame lists its columns."""
    doc = frame.__doc__ or ""
    missing = [name for name in frame.schema.names if f"\n{name}: " not in inspect.cleandoc(doc)]
    assert not missing


def test_rows_document_their_attributes() -> None:
    """The documentation of a column is that of the row attribute."""
    for row, columns in (
        (System, schema.SYSTEMS),
        (Table, schema.TABLES),
        (Code, schema.CODES),
    ):
        docs = {column.name: getattr(row, column.name).__doc__ for column in columns}
        assert docs == {column.name: column.doc for column in columns}
    docs = {c.name: getattr(UnknownVariable, c.name).__doc__ for c in schema.VARIABLES}
    assert docs == {column.name: column.doc for column in schema.VARIABLES}
