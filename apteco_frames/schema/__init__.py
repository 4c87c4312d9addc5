"""The declared Arrow schemas, and where each column comes from in the API.

Types, units and nullability follow the API's own description
(``/swagger/docs/v2``, definitions ``Table``, ``Variable``, ``SelectorVariableInfo``,
``NumericVariableInfo``, ``TextVariableInfo``).

FastStats dates and times have no zone: they are local times of the FastStats server
and stay naive (``timestamp[us]`` without ``tz``).
"""

from __future__ import annotations

from functools import partial

from apteco_frames.schema.column import (
    BOOL,
    DOUBLE,
    INT,
    NAMES,
    STRING,
    TIMESTAMP,
    Column,
    arrow_schema,
    enum,
    optional,
    required,
)

VARIABLE_TYPES = (
    *("Selector", "Numeric", "Text", "Array", "FlagArray"),
    *("Date", "DateTime", "Reference", "Unknown"),
)
"""The closed set of values of the column ``type`` of variables."""

DATE_SUB_TYPES = frozenset({"Date", "DateTime"})
"""The values of ``selectorInfo.subType`` for dates."""


SYSTEMS: tuple[Column, ...] = (
    required("name", STRING, "Name of the system, unique in the DataView.", "name"),
    required("description", STRING, "Description of the system.", "description"),
    optional(
        "build_date", TIMESTAMP, "When it was built, in the server's time.", "fastStatsBuildDate"
    ),
    required("view_name", STRING, "Name of the system when it was built.", "viewName"),
)

TABLES: tuple[Column, ...] = (
    required("name", STRING, "Name of the table, unique in the system.", "name"),
    required("singular", STRING, "Noun for one record.", "singularDisplayName"),
    required("plural", STRING, "Noun for several records.", "pluralDisplayName"),
    required("is_default", BOOL, "Whether blank queries start here.", "isDefaultTable"),
    required("is_people", BOOL, "Whether records are natural people.", "isPeopleTable"),
    required("total_records", INT, "Number of records.", "totalRecords"),
    required(
        "child_relationship", STRING, "Phrase from the parent down to it.", "childRelationshipName"
    ),
    required(
        "parent_relationship", STRING, "Phrase from it up to the parent.", "parentRelationshipName"
    ),
    required("has_children", BOOL, "Whether the table has child tables.", "hasChildTables"),
    required("parent_name", STRING, "Parent table; empty for the master table.", "parentTable"),
    required("depth", INT, "Number of ancestors; 0 for the master table."),
    required("ancestor_names", NAMES, "Names of the ancestors, the parent first."),
    required("descendant_names", NAMES, "Names of the descendants, each child before its own."),
    required("variable_count", INT, "Number of variables on the table."),
)

_selector = partial(optional, of="Selectors", info="selectorInfo")
_numeric = partial(optional, of="Numeric", info="numericInfo")
_reference = partial(optional, of="References", info="referenceInfo")

VARIABLES: tuple[Column, ...] = (
    required("name", STRING, "Reference name, unique in the system (``boDest``).", "name"),
    required("description", STRING, "Descriptive name (``Destination``).", "description"),
    enum("type", VARIABLE_TYPES, "Kind of variable, one of ``VariableType``."),
    optional("folder_name", STRING, "Name of the folder it belongs to.", "folderName"),
    required("table_name", STRING, "Name of its table.", "tableName"),
    required("is_selectable", BOOL, "Whether selections may use it.", "isSelectable"),
    required("is_browsable", BOOL, "Whether it may be viewed, if not exported.", "isBrowsable"),
    required("is_exportable", BOOL, "Whether it may be exported.", "isExportable"),
    required("is_virtual", BOOL, "Whether it was made after the system was built.", "isVirtual"),
    _selector("selector_type", STRING, "``SingleValue``, ``OrArray``, …", "selectorType"),
    _selector("sub_type", STRING, "``Categorical``, ``Date`` or ``DateTime``.", "subType"),
    _selector("code_length", INT, "length of each code, in bytes.", "codeLength"),
    _selector("num_codes", INT, "number of codes, Unclassified included.", "numberOfCodes"),
    _selector("var_code_min_count", INT, "records of the smallest code.", "minimumVarCodeCount"),
    _selector("var_code_max_count", INT, "records of the largest code.", "maximumVarCodeCount"),
    _selector(
        "var_code_order", STRING, "``Nominal``, ``Ascending`` or ``Descending``.", "varCodeOrder"
    ),
    _selector("min_date", TIMESTAMP, "earliest date, a local time without zone.", "minimumDate"),
    _selector("max_date", TIMESTAMP, "latest date, a local time without zone.", "maximumDate"),
    _selector("combined_from", STRING, "variable it summarises.", "combinedFromVariableName"),
    _numeric("min_value", DOUBLE, "smallest value.", "minimum"),
    _numeric("max_value", DOUBLE, "largest value.", "maximum"),
    _numeric("is_currency", BOOL, "whether it is money.", "isCurrency"),
    _numeric("currency_locale", STRING, "locale of the money (``en-GB``).", "currencyLocale"),
    _numeric("currency_symbol", STRING, "symbol of the money (``£``).", "currencySymbol"),
    optional("max_length", INT, "Text: longest text, in bytes.", "textInfo.maximumTextLength"),
    required("api_type", STRING, "The API's own ``type``, unchanged.", "type"),
    # Only newer servers send the rest (the vendor's clients from 1.10.25 on).
    optional("path", STRING, "Its path in the folders, as the API writes it.", "path"),
    optional("notes", STRING, "Notes on it.", "notes"),
    _selector("unclassified_code", STRING, "code of Unclassified.", "unclassifiedCode"),
    _selector(
        *("unclassified_description", STRING, "description of Unclassified."),
        "unclassifiedDescription",
    ),
    _numeric(
        "decimal_places", INT, "decimal places; of numeric references, too.", "decimalPlaces"
    )._replace(or_field="referenceInfo.decimalPlaces"),
    _reference("reference_type", STRING, "``Text`` or ``Numeric``.", "referenceType"),
    _reference("reference_length", INT, "longest value, in bytes.", "length"),
)

CODES: tuple[Column, ...] = (
    required("variable_name", STRING, "Name of its variable."),
    required("variable_description", STRING, "Description of its variable."),
    required("table_name", STRING, "Name of the variable's table."),
    required("position", INT, "Position among the variable's codes, from 0, in the API's order."),
    required("code", STRING, "The code, blanks included.", "code"),
    required("description", STRING, "What the code means.", "description"),
    optional("count", INT, "Number of records with the code; null if not known.", "count"),
)

FOLDERS: tuple[Column, ...] = (
    required("path", STRING, "Path of the folder, unique in the system.", "path"),
    required("name", STRING, "Name of the folder.", "name"),
    required("description", STRING, "Description of the folder.", "description"),
    optional("parent_path", STRING, "Path of the folder that contains it; null at the top."),
    required("depth", INT, "Number of folders above it; 0 at the top."),
    required("position", INT, "Position among its siblings, from 0, in the API's order."),
    required("variable_count", INT, "Number of variables directly in it."),
    required("total_variable_count", INT, "Number of distinct variables in it and below."),
    required("variable_names", NAMES, "Names of the variables directly in it."),
)

CHANGED_NOUNS = ("table", "variable", "folder", "code")
CHANGE_KINDS = ("added", "removed", "changed")
SEVERITIES = ("routine", "notable", "breaking")
"""From the least to the most severe, so that ``pl.col("severity") >= "notable"`` works."""

_NAME = 'Name of the table or variable, path of the folder; a code as ``boDest["29"]``.'

CHANGES: tuple[Column, ...] = (
    enum("noun", CHANGED_NOUNS, "What changed."),
    required("name", STRING, _NAME),
    enum("change", CHANGE_KINDS, "How it changed."),
    optional("column", STRING, "Column that changed; null if a whole row was added or removed."),
    optional("old", STRING, "Older value as text; of a row that was removed, all of it as JSON."),
    optional("new", STRING, "Newer value as text; of a row that was added, all of it as JSON."),
    enum("severity", SEVERITIES, "How much it matters."),
    required("is_virtual", BOOL, "Whether the variable is virtual."),
    optional("used_by", STRING, "Numbers of its users by kind, as JSON; null for none or unknown."),
)

BUILDS: tuple[Column, ...] = (
    required("system", STRING, "Name of the system."),
    required("build", STRING, "The archive's name for the build, unique in the system."),
    optional("build_date", TIMESTAMP, "When it was built; null if the API does not say."),
    optional("added_at", TIMESTAMP, "When it was added, in UTC, by the clock of the storage."),
    required("description", STRING, "Description of the system."),
    required("view_name", STRING, "Name of the system when it was built."),
    required("tables", INT, "Number of tables."),
    required("variables", INT, "Number of variables."),
    optional("codes", INT, "Number of codes; null if they were not added."),
    optional("folders", INT, "Number of folders; null if they were not added."),
    required("unavailable", NAMES, "Names of variables whose codes the API refused."),
)
"""The columns of the builds of an archive."""

USE_KINDS = ("audience", "dashboard", "composition", "file")
USE_SOURCES = ("definition", "lookup")
BROKEN_REASONS = ("variable gone", "code gone", "type changed")

USES: tuple[Column, ...] = (
    enum("kind", USE_KINDS, "What uses the variable."),
    required("id", STRING, "Its id; the path of a selection file."),
    required("title", STRING, "Its title; the description of a composition."),
    optional("owner", STRING, "User name of its owner; null if the API gives none."),
    required("part", STRING, "The API's field, then the titles of tab and tile, joined by ``/``."),
    required("variable_name", STRING, "Name of the variable, which may be gone."),
    optional("code", STRING, "The code; null if no certain code is used."),
    enum("source", USE_SOURCES, "``definition``, or ``lookup``: only the server's list has it."),
    optional("updated", TIMESTAMP, "When it was last changed, in the server's time."),
    optional("hits", INT, "How often an audience was opened; null for others."),
)

BROKEN_USES: tuple[Column, ...] = (*USES, enum("why", BROKEN_REASONS, "Why it will not work."))

MATCHED_COLUMNS = (
    *("name", "description", "singular", "plural", "notes", "folder_name", "table_name", "code"),
)

MATCHES: tuple[Column, ...] = (
    enum("noun", CHANGED_NOUNS, "What was found."),
    required("name", STRING, _NAME),
    required("description", STRING, "Its description; the plural of a table."),
    optional("table_name", STRING, "Name of its table, or of the table itself; null for folders."),
    enum("matched_in", MATCHED_COLUMNS, "The column that matches best."),
    required("matched_text", STRING, "The text in that column."),
    required("score", DOUBLE, "How well it matches: 1 is best."),
)

QUALITY: tuple[Column, ...] = (
    required("name", STRING, "Name of the variable."),
    required("description", STRING, "Description of the variable."),
    required("table_name", STRING, "Name of the variable's table."),
    enum("type", VARIABLE_TYPES, "Kind of variable."),
    required("num_codes", INT, "Number of codes, Unclassified included."),
    optional("used_codes", INT, "Number of codes with records."),
    optional("unused_codes", INT, "Number of codes without records."),
    optional(
        "unclassified_share", DOUBLE, "Unclassified share of the records; null if no such code."
    ),
    optional("top_code", STRING, "The code with the most records."),
    optional("top_description", STRING, "Description of that code."),
    optional("top_share", DOUBLE, "Share of the records with that code."),
    optional(
        "effective_codes",
        DOUBLE,
        "As many equally common codes would be as varied (exponential of the entropy).",
    ),
    optional("coverage", DOUBLE, "Sum of all counts over the table's records; null for arrays."),
    required(
        "undescribed_codes", INT, "Number of codes with an empty description, or the code as it."
    ),
    required("repeated_descriptions", INT, "Number of descriptions of more than one code each."),
)

FINDING_NOUNS = ("table", "variable", "folder", "exception")

FINDINGS: tuple[Column, ...] = (
    required("rule", STRING, "The rule that found it."),
    enum("severity", SEVERITIES, "How much it matters."),
    enum("noun", FINDING_NOUNS, "What it is about."),
    required("name", STRING, "Name of the table or variable, path of the folder, or an exception."),
    required("message", STRING, "What is wrong, in a sentence."),
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
