"""The tools: what a person might ask of a catalogue, answered as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial, reduce
from types import MappingProxyType
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
from apteco_frames.support.arrays import strings
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
_CODE: tuple[str, ...] = ("code", "description", "count")
_CODED = ("name", "description", "table_name", "var_code_order")
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
Types = Annotated[list[Type], BeforeValidator(_separated), Field(description="Only of these types")]
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
        notes = list(matches.remarks_with(""))
        if matches.total > MATCHES_READ:
            found = f"There are {matches.total:,} matches: these are of the best {MATCHES_READ:,}."
            notes.append(f"{found} Search for more words.")
        total = min(matches.total, MATCHES_READ)
        return self._answer(build, matches, offset, _MATCH, total=total, notes=notes)

    def list_tables(self, offset: Offset = 0, system: System = "") -> str:
        """The tables: their records, parents and numbers of variables."""
        build = self._library.build(system)
        return self._answer(build, build.catalogue.tables, offset, _TABLE)

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
        at = _where(
            _is_in(variables, "type", types) if types else None,
            _is_in(variables, "name", _within(catalogue, folder)) if folder else None,
            _having(variables, words, "name", "description", "notes"),
        )
        return self._answer(build, variables, offset, _VARIABLE, at=at)

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
        return self._answer(
            build, found, offset, notes=notes, draw=lambda v: {**_row(v), **_commonest(v, codes)}
        )

    def list_codes(
        self, variable: Variable = "", words: Words = "", offset: Offset = 0, system: System = ""
    ) -> str:
        """The codes of a variable in their order, with counts; or those with some words.

        Without a variable, the codes of all variables are searched.
        """
        if not (variable or words.strip()):
            raise UnknownKeyError("Say of which variable, or with which words.")
        build = self._library.build(system)
        found = _found(build.catalogue.variables, variable) if variable else None
        codes = found.codes if found else build.catalogue.codes
        if found and codes.unavailable:
            raise NotLoadedError(
                f"The API refused the codes of {truncate(found.name)!r} when the catalogue was "
                "saved: which there are is not known here."
            )
        columns = _CODE if found else ("variable_name", "variable_description", *_CODE)
        head = {"variable": _row(found, _CODED)} if found else {}
        at = _where(_having(codes, words, "code", "description"))
        return self._answer(build, codes, offset, columns, at=at, head=head)

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
        names = [_found(build.catalogue.tables, table).name] if table else None
        at = _where(
            _is_in(quality, "table_name", names) if names else None,
            _having(quality, words, "name", "description"),
        )
        if sort_by:
            order = pc.sort_indices(quality.arrow, [(sort_by, "descending")])
            at = order if at is None else order.filter(pc.is_in(order, value_set=at))
        return self._answer(build, quality, offset, at=at, draw=_rounded)

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
        used = _is_in(uses, "variable_name", [variable]) if variable else None
        if used is not None and not pc.any(used, min_count=0).as_py():
            # It may be used, but no longer be there.
            name = _found(build.catalogue.variables, variable).name
            used = _is_in(uses, "variable_name", [name])
        is_code = pc.is_in(pc.utf8_trim(uses.arrow["code"], " "), strings([code.strip(" ")]))
        at = _where(
            used,
            is_code if code else None,
            _having(uses, words, "title", "owner", "part"),
        )
        refused = f"What {uses.unavailable:,} others use is not known: they were refused."
        notes = [refused] if uses.unavailable else []
        return self._answer(build, uses, offset, at=at, notes=notes)

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
        chosen = changes.at_least(severity)
        at = _where(_is_in(chosen, "noun", [noun]) if noun else None)
        notes, head = changes.not_compared, {"summary": changes.title}
        return self._answer(build, chosen, offset, at=at, draw=_changed, notes=notes, head=head)

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
        rows = [dict(zip(columns, row, strict=True)) for row in answered.rows]
        notes = [] if answered.is_all else [f"Rows read: {len(rows):,}. There are more."]
        return self._answer(build, rows, offset, draw=dict, notes=notes)

    def _answer(
        self,
        build: CatalogueBuild,
        found: Any,
        offset: int,
        columns: Iterable[str] = (),
        *,
        at: Sequence[int] | pa.Array | None = None,
        draw: Callable[[Any], Mapping[str, Any]] | None = None,
        total: int | None = None,
        notes: Iterable[str] = (),
        head: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        """Rows as text: some columns of what was found, or of what of it is at some positions."""
        at = range(len(found)) if at is None else at
        rows = map(draw or partial(_row, columns=columns), map(found.__getitem__, at[offset:]))
        total = len(at) if total is None else total
        said = {"offset": offset, "total": total, "notes": notes, **build.head, **head}
        return answer(rows, budget=self._budget, **said)


def _where(*conditions: pa.ChunkedArray | None) -> pa.Array | None:
    """Where rows are that fulfil all conditions; None if there is no condition."""
    kept = [condition for condition in conditions if condition is not None]
    # In one piece: where there is none, pyarrow 23 crashes.
    return pc.indices_nonzero(reduce(pc.and_, kept).combine_chunks()) if kept else None


def _is_in(frame: CatalogueFrame[Any], column: str, values: Iterable[str]) -> pa.ChunkedArray:
    return pc.is_in(frame.arrow[column].cast(pa.string()), value_set=strings(values))


def _having(frame: CatalogueFrame[Any], words: str, *columns: str) -> pa.ChunkedArray | None:
    return having([frame.arrow[column] for column in columns], words) if words else None


def _row(row: Row, columns: Iterable[str] = ()) -> dict[str, Any]:
    """What is known of a row: all, or some columns and of these only what it is."""
    if not columns:
        return {name: value for name, value in row.to_dict().items() if value is not None}
    values = {column: getattr(row, column, None) for column in columns}
    return {name: v for name, v in values.items() if v is not None and v is not False}


def _rounded(row: Row) -> dict[str, Any]:
    return {name: round(v, 4) if isinstance(v, float) else v for name, v in _row(row).items()}


def _changed(change: Change) -> dict[str, Any]:
    told = dict(zip(("old", "new"), change.told, strict=True))
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
    names: list[str] = []
    if not catalogue.has_folders:
        is_in = _is_in(catalogue.variables, "folder_name", [key])
        names += catalogue.variables.arrow["name"].filter(is_in).to_pylist()
        if not names:
            raise UnknownKeyError(
                f"No variable is in a folder {truncate(key)!r}. This catalogue was saved without "
                "the tree of folders: give the folder_name of a variable."
            )
    pending = [_found(catalogue.folders, key)] if catalogue.has_folders else []
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
