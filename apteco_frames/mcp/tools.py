"""The tools: what a person might ask of a catalogue, answered as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from apteco_frames import schema
from apteco_frames.analysis.folded import having
from apteco_frames.errors import AptecoFramesError, NotLoadedError, UnknownKeyError
from apteco_frames.mcp.library import CatalogueBuild, Library
from apteco_frames.render.answer import answer
from apteco_frames.support.arrays import booleans, integers, strings
from apteco_frames.support.text import truncate

if TYPE_CHECKING:
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.changes import Change
    from apteco_frames.frame.base import CatalogueFrame
    from apteco_frames.frame.rows import Row

QUERY_ROWS = 1_000
"""How many rows of a query are read."""

MATCHES_READ = 1_000
"""How many matches of a search are read: the best, one page after the other."""

_MOST_DESCRIBED = 20
_MOST_MATCHES = 100
_COMMONEST = 10

_TABLE = (
    *("name", "plural", "parent_name", "total_records", "variable_count", "is_default"),
    "is_people",
)
_VARIABLE = ("name", "description", "type", "table_name", "folder_name", "num_codes", "is_virtual")
_CODE = ("code", "description", "count")
_MATCH = ("noun", "name", "description", "table_name", "matched_in", "matched_text")
_RANKED = (
    *("", "num_codes", "unused_codes", "unclassified_share", "top_share", "effective_codes"),
    *("undescribed_codes", "repeated_descriptions"),
)
_CHANGE = ("severity", "change", "noun", "name", "column", "is_virtual")


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _separated(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


def _one_of(values: tuple[str, ...]) -> tuple[Any, Any]:
    """What makes a text one of some, in whichever case, and says so in the schema."""

    def find(text: str) -> str:
        for value in values:
            if value.lower() == text.strip().lower():
                return value
        known = ", ".join(filter(None, values))
        raise PydanticCustomError("one_of", f"{truncate(text)!r} is not one of {known}")

    return AfterValidator(find), Field(json_schema_extra={"enum": list(values)})


Offset = Annotated[int, Field(ge=0, description="How many rows to leave out: next_offset")]
System = Annotated[str, Field(description="Name of the system")]
Words = Annotated[str, Field(description="Only with all these words, or parts of words")]
TableName = Annotated[str, Field(description="Only of this table, by name")]
Type = Annotated[str, *_one_of(schema.VARIABLE_TYPES)]
Types = Annotated[
    list[Type],
    BeforeValidator(_separated),
    Field(description="Only of these types"),
]
Severity = Annotated[str, *_one_of(schema.SEVERITIES), Field(description="Only this or worse")]
Noun = Annotated[str, *_one_of(("", *schema.CHANGED_NOUNS))]
SortBy = Annotated[str, *_one_of(_RANKED), Field(description="The highest first")]
Variable = Annotated[str, Field(description="Its name or description")]
Names = Annotated[
    list[str],
    BeforeValidator(_listed),
    Field(min_length=1, max_length=_MOST_DESCRIBED, description="Names or descriptions"),
]


class Tools:
    """The tools: what a person might ask of a catalogue, as text."""

    def __init__(self, library: Library, budget: int, query_seconds: float) -> None:
        self._library = library
        self._budget = budget
        self._query_seconds = query_seconds

    def search(
        self,
        text: Annotated[str, Field(description="Words, in any order")],
        limit: Annotated[int, Field(ge=1, le=_MOST_MATCHES)] = 20,
        offset: Offset = 0,
        system: System = "",
    ) -> str:
        """Find tables, variables, folders and codes by words, the best first.

        Start here. Typing errors, case and accents are forgiven. A code is named
        boDest["29"]: code 29 of variable boDest.
        """
        build = self._library.build(system)
        matches = build.catalogue.search(text, limit=min(offset + limit, MATCHES_READ))
        rows = (_row(match, _MATCH) for match in matches[offset:])
        notes = list(matches.remarks_with(""))
        if matches.total > MATCHES_READ:
            found = f"There are {matches.total:,} matches: these are of the best {MATCHES_READ:,}."
            notes.append(f"{found} Search for more words.")
        total = min(matches.total, MATCHES_READ)
        return self._answer(build, rows, total, offset, notes=notes)

    def list_tables(self, offset: Offset = 0, system: System = "") -> str:
        """The tables: their records, parents and numbers of variables."""
        build = self._library.build(system)
        tables = build.catalogue.tables
        rows = (_row(table, _TABLE) for table in tables[offset:])
        return self._answer(build, rows, len(tables), offset)

    def list_variables(
        self,
        table: TableName = "",
        folder: Annotated[str, Field(description="Only in it or below, by path or name")] = "",
        types: Types = [],  # noqa: B006 - pydantic copies it
        words: Words = "",
        offset: Offset = 0,
        system: System = "",
    ) -> str:
        """Variables by table, folder, type, or words in name, description and notes.

        Dates are of the types Date and DateTime.
        """
        build = self._library.build(system)
        catalogue = build.catalogue
        variables = catalogue.variables
        if table:
            variables = _found(catalogue.tables, table).variables
        arrow = variables.arrow
        chosen = pc.is_valid(arrow["name"])
        if types:
            kinds = arrow["type"].cast(pa.string())
            chosen = pc.and_(chosen, pc.is_in(kinds, value_set=strings(types)))
        if folder:
            within = strings(_within(catalogue, folder))
            chosen = pc.and_(chosen, pc.is_in(arrow["name"], value_set=within))
        if words:
            texts = [arrow[name] for name in ("name", "description", "notes")]
            chosen = pc.and_(chosen, having(texts, words))
        at = _positions(chosen)
        rows = (_row(variables[position], _VARIABLE) for position in at[offset:])
        return self._answer(build, rows, len(at), offset)

    def describe_variables(
        self,
        names: Names,
        codes: Annotated[int, Field(ge=0, le=50, description="How many codes")] = _COMMONEST,
        offset: Offset = 0,
        system: System = "",
    ) -> str:
        """Everything about up to 20 variables, with their most common codes.

        For a misspelt name the nearest names are given.
        """
        build = self._library.build(system)
        found, unknown = [], []
        for name in dict.fromkeys(names):
            try:
                found.append(_found(build.catalogue.variables, name))
            except AptecoFramesError as error:
                unknown.append(error)
        if not found:
            raise unknown[0] if len(unknown) == 1 else UnknownKeyError(" ".join(map(str, unknown)))
        notes = list(map(str, unknown))
        if codes and not build.catalogue.has_codes:
            notes.append("This catalogue was saved without codes, or without some.")
        rows = ({**_row(v), **_commonest(v, codes)} for v in found[offset:])
        return self._answer(build, rows, len(found), offset, notes=notes)

    def list_codes(
        self,
        variable: Variable = "",
        words: Words = "",
        offset: Offset = 0,
        system: System = "",
    ) -> str:
        """The codes of a variable in their order, with counts; or those with some words.

        Without a variable, the codes of all variables are searched.
        """
        if not (variable or words.strip()):
            raise UnknownKeyError("Say of which variable, or with which words.")
        build = self._library.build(system)
        head: dict[str, Any] = {}
        if variable:
            found = _found(build.catalogue.variables, variable)
            codes = found.codes
            if codes.unavailable:
                raise NotLoadedError(
                    f"The API refused the codes of {truncate(found.name)!r} when the catalogue was "
                    "saved: which there are is not known here."
                )
            head["variable"] = _row(found, ("name", "description", "table_name", "var_code_order"))
            columns: tuple[str, ...] = _CODE
        else:
            codes, columns = (
                build.catalogue.codes,
                ("variable_name", "variable_description", *_CODE),
            )
        at: Iterable[int] = range(len(codes))
        if words:
            has_all = having([codes.arrow[name] for name in ("code", "description")], words)
            at = _positions(has_all)
        at = list(at)
        rows = (_row(codes[position], columns) for position in at[offset:])
        return self._answer(build, rows, len(at), offset, **head)

    def quality(
        self,
        table: TableName = "",
        words: Words = "",
        sort_by: SortBy = "",
        offset: Offset = 0,
        system: System = "",
    ) -> str:
        """How well the codes of each variable describe the records.

        The share of records that are Unclassified or have the top code, unused codes, and
        descriptions that are missing or repeated.
        """
        build = self._library.build(system)
        quality = build.quality
        arrow = quality.arrow
        chosen = pc.is_valid(arrow["name"])
        if table:
            name = _found(build.catalogue.tables, table).name
            chosen = pc.and_(chosen, pc.equal(arrow["table_name"], strings([name])[0]))
        if words:
            chosen = pc.and_(chosen, having([arrow["name"], arrow["description"]], words))
        at = _positions(chosen)
        if sort_by:
            ranked = arrow[sort_by].take(integers(at))
            order = pc.sort_indices(ranked, sort_keys=[("", "descending")]).to_pylist()
            at = [at[position] for position in order]
        rows = (_rounded(_row(quality[position])) for position in at[offset:])
        return self._answer(build, rows, len(at), offset)

    def where_used(
        self,
        variable: Variable = "",
        code: Annotated[str, Field(description="Only this code of it")] = "",
        words: Words = "",
        offset: Offset = 0,
        system: System = "",
    ) -> str:
        """Which audiences, dashboards and the like use a variable, or a code of it."""
        build = self._library.build(system)
        uses = build.catalogue.uses
        arrow = uses.arrow
        chosen = pc.is_valid(arrow["variable_name"])
        if variable:
            used = pc.equal(arrow["variable_name"], strings([variable])[0])
            if not pc.any(used, min_count=0).as_py():  # it may be used, but there no more
                name = _found(build.catalogue.variables, variable).name
                used = pc.equal(arrow["variable_name"], strings([name])[0])
            chosen = pc.and_(chosen, used)
        if code:
            is_code = pc.equal(pc.utf8_trim(arrow["code"], " "), strings([code.strip(" ")])[0])
            chosen = pc.and_(chosen, pc.fill_null(is_code, booleans([False])[0]))
        if words:
            texts = [arrow[column] for column in ("title", "owner", "part")]
            chosen = pc.and_(chosen, having(texts, words))
        at = _positions(chosen)
        refused = f"What {uses.unavailable:,} others use is not known: they were refused."
        notes = [refused] if uses.unavailable else []
        rows = (_row(uses[position]) for position in at[offset:])
        return self._answer(build, rows, len(at), offset, notes=notes)

    def what_changed(
        self,
        since: Annotated[
            str, Field(description="Date or name of the older build; else the one before")
        ] = "",
        until: Annotated[str, Field(description="Likewise; else the newest")] = "",
        severity: Severity = "routine",
        noun: Noun = "",
        offset: Offset = 0,
        system: System = "",
    ) -> str:
        """What changed from one build to the next, the worst first.

        A breaking change breaks selections or programs that rely on what changed.
        """
        build = self._library.build(system)
        changes = self._library.changes(system, since, until)
        levels = changes.arrow["severity"].cast(pa.string())
        chosen = pc.is_valid(levels)
        if noun:
            nouns = changes.arrow["noun"].cast(pa.string())
            chosen = pc.is_in(nouns, value_set=strings([noun]))
        at: list[int] = []
        for level in reversed(schema.SEVERITIES[schema.SEVERITIES.index(severity) :]):
            is_level = pc.is_in(levels, value_set=strings([level]))
            at += _positions(pc.and_(chosen, is_level))
        rows = (_changed(changes[position]) for position in at[offset:])
        head = {"summary": changes.title}
        return self._answer(build, rows, len(at), offset, notes=changes.not_compared, **head)

    def query(
        self,
        sql: Annotated[str, Field(description="A SELECT")],
        offset: Offset = 0,
        system: System = "",
    ) -> str:
        """Answer SQL, in DuckDB's dialect, over the catalogue alone.

        Tables: tables, variables, codes, folders, system; DESCRIBE shows columns. Use ORDER BY
        if you page through the rows. Returns 1,000 rows at most.
        """
        build = self._library.build(system)
        answered = build.sql.answer(sql, most=QUERY_ROWS, seconds=self._query_seconds)
        columns = list(_distinct(answered.columns))
        notes = [] if answered.is_all else [f"These are the first {QUERY_ROWS:,} rows of more."]
        rows = (dict(zip(columns, row, strict=True)) for row in answered.rows[offset:])
        return self._answer(build, rows, len(answered.rows), offset, notes=notes)

    def _answer(
        self,
        build: CatalogueBuild,
        rows: Iterable[Mapping[str, Any]],
        total: int,
        offset: int,
        *,
        notes: Iterable[str] = (),
        **head: Any,
    ) -> str:
        head = {**build.head, **head}
        budget = self._budget
        return answer(rows, budget=budget, offset=offset, total=total, notes=notes, **head)


def _positions(chosen: pa.ChunkedArray) -> list[int]:
    """Where rows are that were chosen."""
    # In one piece: where there is none, pyarrow 23 crashes.
    positions: list[int] = pc.indices_nonzero(chosen.combine_chunks()).to_pylist()
    return positions


def _row(row: Row, columns: Iterable[str] = ()) -> dict[str, Any]:
    """What is known of a row: all, or some columns and of these only what it is."""
    if not columns:
        return {name: value for name, value in row.to_dict().items() if value is not None}
    values = {column: getattr(row, column, None) for column in columns}
    return {name: v for name, v in values.items() if v is not None and v is not False}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(v, 4) if isinstance(v, float) else v for name, v in values.items()}


def _changed(change: Change) -> dict[str, Any]:
    old, new = change.told
    told = {"old": old, "new": new}
    return _row(change, _CHANGE) | {name: v for name, v in told.items() if v is not None}


def _commonest(variable: Any, number: int) -> dict[str, Any]:
    """The commonest codes of a variable, if it has codes and they are known."""
    if not number or not variable.to_dict().get("num_codes"):
        return {}
    try:
        codes = variable.codes
    except NotLoadedError:
        return {}
    keys = [("count", "descending"), ("position", "ascending")]
    at = pc.select_k_unstable(codes.arrow, number, keys).to_pylist()
    return {"commonest_codes": [_row(codes[position], _CODE) for position in at]}


def _found(frame: CatalogueFrame[Any], key: str) -> Any:
    """The row of that key."""
    try:
        return frame[key]
    except UnknownKeyError as error:
        raise UnknownKeyError(f"{error} Or find it by words, with search.") from None


def _within(catalogue: Catalogue, key: str) -> list[str]:
    """The names of the variables in a folder, and in those below it."""
    if not catalogue.has_folders:
        is_in = pc.equal(catalogue.variables.arrow["folder_name"], strings([key])[0])
        named: list[str] = catalogue.variables.arrow["name"].filter(is_in).to_pylist()
        if not named:
            raise UnknownKeyError(
                f"No variable is in a folder {truncate(key)!r}. This catalogue was saved without "
                "the tree of folders: give the folder_name of a variable."
            )
        return named
    names: list[str] = []
    pending = [_found(catalogue.folders, key)]
    while pending:
        folder = pending.pop()
        names += folder.variable_names
        pending += folder.children
    return names


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """Names of columns, those that come again with a number."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}_{seen[name]}"
