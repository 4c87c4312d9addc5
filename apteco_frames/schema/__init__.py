"""The declared Arrow schemas, and what each column is in the API.

Types, units and nullability follow the API's own description
(``/swagger/docs/v2``, definitions ``Table``, ``Variable``, ``SelectorVariableInfo``,
``NumericVariableInfo``, ``TextVariableInfo``).

FastStats dates and times have no zone: they are local times of the FastStats server
and stay naive (``timestamp[us]`` without ``tz``).
"""

from __future__ import annotations

from apteco_frames.schema.column import (
    BOOL,
    DOUBLE,
    INT,
    KIND,
    NAMES,
    STRING,
    TIMESTAMP,
    Column,
    arrow_schema,
)

VARIABLE_TYPES = (
    "Selector",
    "Numeric",
    "Text",
    "Array",
    "FlagArray",
    "Date",
    "DateTime",
    "Reference",
    "Unknown",
)
"""The closed set of values of the column ``type`` of variables."""

DATE_SUB_TYPES = frozenset({"Date", "DateTime"})
"""The values of ``selectorInfo.subType`` for dates."""


SYSTEMS: tuple[Column, ...] = (
    Column("name", STRING, False, "name", "Name of the system, unique in the DataView."),
    Column("description", STRING, False, "description", "Description of the system."),
    Column(
        "build_date",
        TIMESTAMP,
        True,
        "fastStatsBuildDate",
        "When it was built, a local time without a zone; null if the API does not say.",
    ),
    Column("view_name", STRING, False, "viewName", "Name of the system when it was built."),
)

TABLES: tuple[Column, ...] = (
    Column("name", STRING, False, "name", "Name of the table, unique in the system."),
    Column("singular", STRING, False, "singularDisplayName", "Noun for one record."),
    Column("plural", STRING, False, "pluralDisplayName", "Noun for several records."),
    Column("is_default", BOOL, False, "isDefaultTable", "Whether blank queries start here."),
    Column("is_people", BOOL, False, "isPeopleTable", "Whether records are natural people."),
    Column("total_records", INT, False, "totalRecords", "Size of the table, in records."),
    Column(
        "child_relationship",
        STRING,
        False,
        "childRelationshipName",
        "Phrase that relates the table and its parent, read downwards.",
    ),
    Column(
        "parent_relationship",
        STRING,
        False,
        "parentRelationshipName",
        "Phrase that relates the table and its parent, read upwards.",
    ),
    Column("has_children", BOOL, False, "hasChildTables", "Whether the table has child tables."),
    Column(
        "parent_name",
        STRING,
        False,
        "parentTable",
        "Name of the parent table; empty for the master table.",
    ),
    Column("depth", INT, False, "", "Number of ancestors; 0 for the master table."),
    Column("ancestor_names", NAMES, False, "", "Names of the ancestors, the parent first."),
    Column(
        "descendant_names",
        NAMES,
        False,
        "",
        "Names of the descendants, each child followed by its own descendants.",
    ),
    Column("variable_count", INT, False, "", "Number of variables on the table."),
)

_SELECTOR = "selectorInfo."
_NUMERIC = "numericInfo."
_REFERENCE = "referenceInfo."

VARIABLES: tuple[Column, ...] = (
    Column("name", STRING, False, "name", "Reference name, unique in the system (``boDest``)."),
    Column("description", STRING, False, "description", "Descriptive name (``Destination``)."),
    Column(
        "type",
        KIND,
        False,
        "",
        "Kind of variable, one of ``VariableType``.",
        values=VARIABLE_TYPES,
    ),
    Column("folder_name", STRING, True, "folderName", "Name of the folder it belongs to."),
    Column("table_name", STRING, False, "tableName", "Name of the table it is from."),
    Column("is_selectable", BOOL, False, "isSelectable", "Whether selections may use it."),
    Column(
        "is_browsable", BOOL, False, "isBrowsable", "Whether it may be viewed, but not exported."
    ),
    Column("is_exportable", BOOL, False, "isExportable", "Whether it may be exported."),
    Column(
        "is_virtual", BOOL, False, "isVirtual", "Whether it was made after the system was built."
    ),
    Column(
        "selector_type",
        STRING,
        True,
        _SELECTOR + "selectorType",
        "Selector kinds: ``SingleValue``, ``OrArray``, ``AndArray``, ``OrBitArray``, …",
    ),
    Column(
        "sub_type",
        STRING,
        True,
        _SELECTOR + "subType",
        "Selector kinds: ``Categorical``, ``Date`` or ``DateTime``.",
    ),
    Column(
        "code_length",
        INT,
        True,
        _SELECTOR + "codeLength",
        "Selector kinds: length of each code, in bytes.",
    ),
    Column("num_codes", INT, True, _SELECTOR + "numberOfCodes", "Selector kinds: number of codes."),
    Column(
        "var_code_min_count",
        INT,
        True,
        _SELECTOR + "minimumVarCodeCount",
        "Selector kinds: size of the smallest code, in records.",
    ),
    Column(
        "var_code_max_count",
        INT,
        True,
        _SELECTOR + "maximumVarCodeCount",
        "Selector kinds: size of the largest code, in records.",
    ),
    Column(
        "var_code_order",
        STRING,
        True,
        _SELECTOR + "varCodeOrder",
        "Selector kinds: ``Nominal``, ``Ascending`` or ``Descending``.",
    ),
    Column(
        "min_date",
        TIMESTAMP,
        True,
        _SELECTOR + "minimumDate",
        "Dates and date-times: earliest value, a local time without zone.",
    ),
    Column(
        "max_date",
        TIMESTAMP,
        True,
        _SELECTOR + "maximumDate",
        "Dates and date-times: latest value, a local time without zone.",
    ),
    Column(
        "combined_from",
        STRING,
        True,
        _SELECTOR + "combinedFromVariableName",
        "Combined categories: name of the variable that it summarises.",
    ),
    Column("min_value", DOUBLE, True, _NUMERIC + "minimum", "Numeric: smallest value."),
    Column("max_value", DOUBLE, True, _NUMERIC + "maximum", "Numeric: largest value."),
    Column("is_currency", BOOL, True, _NUMERIC + "isCurrency", "Numeric: whether it is money."),
    Column(
        "currency_locale",
        STRING,
        True,
        _NUMERIC + "currencyLocale",
        "Numeric, money: locale name (``en-GB``).",
    ),
    Column(
        "currency_symbol",
        STRING,
        True,
        _NUMERIC + "currencySymbol",
        "Numeric, money: symbol (``£``).",
    ),
    Column(
        "max_length",
        INT,
        True,
        "textInfo.maximumTextLength",
        "Text: longest text that a record can hold, in bytes.",
    ),
    Column("api_type", STRING, False, "type", "The API's own ``type``, as it was sent."),
    # What follows is sent by newer servers only (the vendor's clients from 1.10.25 on).
    Column("path", STRING, True, "path", "Where it is among the folders, as the API writes it."),
    Column("notes", STRING, True, "notes", "What somebody noted about it."),
    Column(
        "unclassified_code",
        STRING,
        True,
        _SELECTOR + "unclassifiedCode",
        "Selectors of a single value: the code that stands for no value.",
    ),
    Column(
        "unclassified_description",
        STRING,
        True,
        _SELECTOR + "unclassifiedDescription",
        "Selector kinds: the description of the code that stands for no value.",
    ),
    Column(
        "decimal_places",
        INT,
        True,
        _NUMERIC + "decimalPlaces",
        "Numeric, and numeric references: number of decimal places.",
        _REFERENCE + "decimalPlaces",
    ),
    Column(
        "reference_type",
        STRING,
        True,
        _REFERENCE + "referenceType",
        "References: ``Text`` or ``Numeric``.",
    ),
    Column(
        "reference_length",
        INT,
        True,
        _REFERENCE + "length",
        "References: longest value that a record can hold, in bytes.",
    ),
)

CODES: tuple[Column, ...] = (
    Column("variable_name", STRING, False, "", "Name of the variable that the code is of."),
    Column("variable_description", STRING, False, "", "Description of that variable."),
    Column("table_name", STRING, False, "", "Name of the table that the variable is from."),
    Column(
        "position", INT, False, "", "Place among the variable's codes, from 0, as the API has it."
    ),
    Column("code", STRING, False, "code", "The code to the letter, blanks included."),
    Column("description", STRING, False, "description", "What the code means."),
    Column("count", INT, True, "count", "Number of records with the code; null if not known."),
)

FOLDERS: tuple[Column, ...] = (
    Column("path", STRING, False, "path", "Where the folder is, unique in the system."),
    Column("name", STRING, False, "name", "Name of the folder."),
    Column("description", STRING, False, "description", "Description of the folder."),
    Column("parent_path", STRING, True, "", "Path of the folder around it; null at the top."),
    Column("depth", INT, False, "", "Number of folders around it; 0 at the top."),
    Column("position", INT, False, "", "Place among its siblings, from 0, as the API has it."),
    Column("variable_count", INT, False, "", "Number of variables directly in it."),
    Column(
        "total_variable_count",
        INT,
        False,
        "",
        "Number of different variables in it and in all folders below.",
    ),
    Column("variable_names", NAMES, False, "", "Names of the variables directly in it."),
)

CHANGED_NOUNS = ("table", "variable", "folder", "code")
CHANGE_KINDS = ("added", "removed", "changed")
SEVERITIES = ("routine", "notable", "breaking")
"""From the least to the most severe, so that ``pl.col("severity") >= "notable"`` works."""

CHANGES: tuple[Column, ...] = (
    Column("noun", KIND, False, "", "What it happened to.", values=CHANGED_NOUNS),
    Column(
        "name",
        STRING,
        False,
        "",
        'Name of the table or variable, path of the folder; a code as ``boDest["29"]``.',
    ),
    Column("change", KIND, False, "", "What happened.", values=CHANGE_KINDS),
    Column("column", STRING, True, "", "Column that changed; null where a whole row came or went."),
    Column("old", STRING, True, "", "Older value as text; of what was removed, all as JSON."),
    Column("new", STRING, True, "", "Newer value as text; of what was added, all as JSON."),
    Column("severity", KIND, False, "", "How much it matters.", values=SEVERITIES),
    Column("is_virtual", BOOL, False, "", "Whether the variable was made after the build."),
    Column(
        "used_by",
        STRING,
        True,
        "",
        "How many audiences and the like use it, by kind, as JSON; null where none does, or that "
        "was not asked.",
    ),
)

BUILDS: tuple[Column, ...] = (
    Column("system", STRING, False, "", "Name of the system."),
    Column("build", STRING, False, "", "What the archive calls the build; unique in the system."),
    Column("build_date", TIMESTAMP, True, "", "When it was built; null if the API does not say."),
    Column(
        "added_at",
        TIMESTAMP,
        True,
        "",
        "When it was added to the archive, in UTC, by the clock of its storage; null if that "
        "does not say.",
    ),
    Column("description", STRING, False, "", "Description of the system."),
    Column("view_name", STRING, False, "", "Name of the system as it was when it was built."),
    Column("tables", INT, False, "", "Number of tables."),
    Column("variables", INT, False, "", "Number of variables."),
    Column("codes", INT, True, "", "Number of codes; null if they were not added."),
    Column("folders", INT, True, "", "Number of folders; null if they were not added."),
    Column("unavailable", NAMES, False, "", "Names of variables whose codes the API refused."),
)
"""The columns of the builds of an archive."""

USE_KINDS = ("audience", "dashboard", "composition", "file")
USE_SOURCES = ("definition", "lookup")
BROKEN_REASONS = ("variable gone", "code gone", "type changed")

USES: tuple[Column, ...] = (
    Column("kind", KIND, False, "", "What uses the variable.", values=USE_KINDS),
    Column("id", STRING, False, "", "Its id; the path of a selection file."),
    Column("title", STRING, False, "", "Its title; the description of a composition."),
    Column("owner", STRING, True, "", "User name of its owner; null if the API gives none."),
    Column(
        "part",
        STRING,
        False,
        "",
        "Where in it: the API's field, then the titles of tab and tile, with ``/`` between them.",
    ),
    Column("variable_name", STRING, False, "", "Name of the variable, be it still there or not."),
    Column("code", STRING, True, "", "The code; null where the variable is used without one."),
    Column(
        "source",
        KIND,
        False,
        "",
        "``definition``, or ``lookup`` if only the server's own list of its variables has it.",
        values=USE_SOURCES,
    ),
    Column(
        "updated", TIMESTAMP, True, "", "When it was last changed, a local time without a zone."
    ),
    Column("hits", INT, True, "", "How often an audience was opened; null for others."),
)

BROKEN_USES: tuple[Column, ...] = (
    *USES,
    Column("why", KIND, False, "", "Why it will not work.", values=BROKEN_REASONS),
)

MATCHED_COLUMNS = (
    *("name", "description", "singular", "plural", "notes", "folder_name", "table_name", "code"),
)

MATCHES: tuple[Column, ...] = (
    Column("noun", KIND, False, "", "What was found.", values=CHANGED_NOUNS),
    Column(
        "name",
        STRING,
        False,
        "",
        'Name of the table or variable, path of the folder; a code as ``boDest["29"]``.',
    ),
    Column("description", STRING, False, "", "What describes it; of a table, its plural."),
    Column("table_name", STRING, True, "", "Name of its table, or of itself; null for folders."),
    Column("matched_in", KIND, False, "", "Column that fits best.", values=MATCHED_COLUMNS),
    Column("matched_text", STRING, False, "", "What stands there."),
    Column("score", DOUBLE, False, "", "How well it fits: 1 is best, 0 would be not at all."),
)

QUALITY: tuple[Column, ...] = (
    Column("name", STRING, False, "", "Name of the variable."),
    Column("description", STRING, False, "", "Description of the variable."),
    Column("table_name", STRING, False, "", "Name of the table that the variable is from."),
    Column("type", KIND, False, "", "Kind of variable.", values=VARIABLE_TYPES),
    Column("num_codes", INT, False, "", "Number of codes, Unclassified included."),
    Column("used_codes", INT, True, "", "Number of codes that records have."),
    Column("unused_codes", INT, True, "", "Number of codes that no record has."),
    Column(
        "unclassified_share",
        DOUBLE,
        True,
        "",
        "Share of the records that are Unclassified; null where no code is that.",
    ),
    Column("top_code", STRING, True, "", "The code that most records have."),
    Column("top_description", STRING, True, "", "What it means."),
    Column("top_share", DOUBLE, True, "", "Share of the records that have it."),
    Column(
        "effective_codes",
        DOUBLE,
        True,
        "",
        "As many codes, each with as many records, would be as varied: the exponential of the "
        "entropy.",
    ),
    Column(
        "coverage",
        DOUBLE,
        True,
        "",
        "Counts of all codes over the table's records: 1 where each record has a code; null for "
        "arrays, whose records have any number.",
    ),
    Column(
        "undescribed_codes",
        INT,
        False,
        "",
        "Number of codes whose description is empty, or the code itself.",
    ),
    Column(
        "repeated_descriptions",
        INT,
        False,
        "",
        "Number of descriptions that more than one code has; empty ones do not count.",
    ),
)

FINDING_NOUNS = ("table", "variable", "folder", "exception")

FINDINGS: tuple[Column, ...] = (
    Column("rule", STRING, False, "", "The rule that found it."),
    Column("severity", KIND, False, "", "How much it matters.", values=SEVERITIES),
    Column("noun", KIND, False, "", "What it is about.", values=FINDING_NOUNS),
    Column(
        "name",
        STRING,
        False,
        "",
        "Name of the table or variable, path of the folder; of an exception, what it names.",
    ),
    Column("message", STRING, False, "", "What is wrong, in a sentence."),
)


SYSTEMS_SCHEMA = arrow_schema(SYSTEMS)
TABLES_SCHEMA = arrow_schema(TABLES)
VARIABLES_SCHEMA = arrow_schema(VARIABLES)
CODES_SCHEMA = arrow_schema(CODES)
FOLDERS_SCHEMA = arrow_schema(FOLDERS)
CHANGES_SCHEMA = arrow_schema(CHANGES)
BUILDS_SCHEMA = arrow_schema(BUILDS)
MATCHES_SCHEMA = arrow_schema(MATCHES)
QUALITY_SCHEMA = arrow_schema(QUALITY)
FINDINGS_SCHEMA = arrow_schema(FINDINGS)
USES_SCHEMA = arrow_schema(USES)
BROKEN_USES_SCHEMA = arrow_schema(BROKEN_USES)
