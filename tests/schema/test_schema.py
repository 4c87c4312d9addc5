"""The declared schemas: the names, types and meaning that users may rely on."""

from __future__ import annotations

import inspect
import re
from typing import Any

import apteco_api
import pytest

from apteco_frames import schema
from apteco_frames.changes import Change, Changes
from apteco_frames.codes import Code, Codes
from apteco_frames.findings import Finding, Findings
from apteco_frames.folders import Folder, Folders
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.matches import Match, Matches
from apteco_frames.quality import Quality, VariableQuality
from apteco_frames.schema.column import Column, type_name
from apteco_frames.system import FastStatsSystem
from apteco_frames.systems import System, Systems
from apteco_frames.tables import Table, Tables
from apteco_frames.uses import BrokenUse, BrokenUses, Use, Uses
from apteco_frames.variables import UnknownVariable, Variables, VariableType

# By frame its row, its columns, and the type of each; those that may be null end in a "?".
NOUNS: dict[type[CatalogueFrame[Any]], tuple[type[Any], tuple[Column, ...], str]] = {
    Systems: (
        System,
        schema.SYSTEMS,
        "name:string description:string build_date:timestamp[us]? view_name:string",
    ),
    Tables: (
        Table,
        schema.TABLES,
        """name:string singular:string plural:string is_default:bool is_people:bool
        total_records:int64 child_relationship:string parent_relationship:string
        has_children:bool parent_name:string depth:int64 ancestor_names:strings
        descendant_names:strings variable_count:int64""",
    ),
    Variables: (
        UnknownVariable,
        schema.VARIABLES,
        """name:string description:string type:enum folder_name:string? table_name:string
        is_selectable:bool is_browsable:bool is_exportable:bool is_virtual:bool
        selector_type:string? sub_type:string? code_length:int64? num_codes:int64?
        var_code_min_count:int64? var_code_max_count:int64? var_code_order:string?
        min_date:timestamp[us]? max_date:timestamp[us]? combined_from:string?
        min_value:double? max_value:double? is_currency:bool? currency_locale:string?
        currency_symbol:string? max_length:int64? api_type:string path:string? notes:string?
        unclassified_code:string? unclassified_description:string? decimal_places:int64?
        reference_type:string? reference_length:int64?""",
    ),
    Codes: (
        Code,
        schema.CODES,
        """variable_name:string variable_description:string table_name:string position:int64
        code:string description:string count:int64?""",
    ),
    Folders: (
        Folder,
        schema.FOLDERS,
        """path:string name:string description:string parent_path:string? depth:int64
        position:int64 variable_count:int64 total_variable_count:int64 variable_names:strings""",
    ),
    Changes: (
        Change,
        schema.CHANGES,
        """noun:enum name:string change:enum column:string? old:string? new:string?
        severity:enum is_virtual:bool used_by:string?""",
    ),
    Matches: (
        Match,
        schema.MATCHES,
        """noun:enum name:string description:string table_name:string? matched_in:enum
        matched_text:string score:double""",
    ),
    Quality: (
        VariableQuality,
        schema.QUALITY,
        """name:string description:string table_name:string type:enum num_codes:int64
        used_codes:int64? unused_codes:int64? unclassified_share:double? top_code:string?
        top_description:string? top_share:double? effective_codes:double? coverage:double?
        undescribed_codes:int64 repeated_descriptions:int64""",
    ),
    Findings: (
        Finding,
        schema.FINDINGS,
        "rule:string severity:enum noun:enum name:string message:string",
    ),
    Uses: (
        Use,
        schema.USES,
        USES := """kind:enum id:string title:string owner:string?
        part:string variable_name:string code:string? source:enum updated:timestamp[us]?
        hits:int64?""",
    ),
    BrokenUses: (BrokenUse, schema.BROKEN_USES, f"{USES} why:enum"),
}
EACH = pytest.mark.parametrize("frame", NOUNS, ids=lambda frame: frame.__name__)
TYPES = {"dictionary<values=string, indices=uint8, ordered=0>": "enum"}
TYPES |= {"list<item: string not null>": "strings"}

# Fields that the description of version 1.9.19, and so ``apteco_api``, does not have.
NEWER = {
    *("path", "notes", "selectorInfo.unclassifiedCode", "selectorInfo.unclassifiedDescription"),
    *("numericInfo.decimalPlaces", "referenceInfo.referenceType", "referenceInfo.length"),
    "referenceInfo.decimalPlaces",
}


@EACH
def test_the_schema_is_declared_column_by_column(frame: type[CatalogueFrame[Any]]) -> None:
    """The columns, their types and which may be null are part of the contract."""
    _, columns, declared = NOUNS[frame]
    found = [(f.name, TYPES.get(str(f.type), str(f.type)), f.nullable) for f in frame.schema]
    assert [f"{name}:{kind}{'?' * null}" for name, kind, null in found] == declared.split()
    assert frame.schema.metadata is None
    assert [field.name for field in frame.schema if field.metadata] == []
    fields = [field for column in columns for field in column.api_fields]
    assert len(set(fields)) == len(fields)


@EACH
def test_columns_and_attributes_are_documented(frame: type[CatalogueFrame[Any]]) -> None:
    """A frame documents type, nullability, API field and meaning; a row each attribute."""
    row, columns, _ = NOUNS[frame]
    lines = re.findall(r"^(\w+): (.+?), (required|nullable), (.+?)\. (\S.*)$", _doc(frame), re.M)
    assert [line[0] for line in lines] == frame.schema.names
    for column, (_, kind, nullability, origin, meaning) in zip(columns, lines, strict=True):
        assert kind == type_name(column.type)
        assert nullability == ("nullable" if column.nullable else "required")
        fields = " or ".join(f"``{field}``" for field in column.api_fields)
        assert origin == (f"from {fields}" if fields else "derived")
        assert meaning == column.doc
        assert meaning.endswith((".", "…"))
        if column.name != "used_by":  # which is parsed
            assert getattr(row, column.name).__doc__ == column.doc
    public = [name for name in dir(row) if not name.startswith("_")]
    assert [name for name in public if not _doc(getattr(row, name))] == []


def _doc(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


def test_no_field_of_the_api_is_left_out() -> None:
    """Each field of the API's tables and variables has a column."""
    groups = {
        "selectorInfo": apteco_api.SelectorVariableInfo,
        "numericInfo": apteco_api.NumericVariableInfo,
        "textInfo": apteco_api.TextVariableInfo,
    }
    flat = set(apteco_api.Variable.attribute_map.values()) - {*groups, "referenceInfo"}
    nested = {f"{g}.{f}" for g, model in groups.items() for f in model.attribute_map.values()}
    for columns, fields in (
        (schema.TABLES, set(apteco_api.Table.attribute_map.values())),
        (schema.VARIABLES, flat | nested | NEWER),
    ):
        assert {field for column in columns for field in column.api_fields} == fields
    assert tuple(column.name for column in schema.SYSTEMS) == FastStatsSystem._fields


def test_dates_say_that_they_have_no_zone() -> None:
    """The documentation of both date columns says that times are local and naive."""
    for name in ("min_date", "max_date"):
        assert "without zone" in _doc(getattr(UnknownVariable, name))


def test_kinds_are_a_closed_set() -> None:
    """The kinds of variable are those of ``VariableType``."""
    assert tuple(VariableType) == schema.VARIABLE_TYPES
