"""Which variables and codes an audience, a dashboard, a composition or a selection file names.

The definitions are read without a model of them, so that what newer servers add needs no new
code: any field whose name ends in ``variableName``, however deep, names a variable that is used.

Codes are claimed with more care, since a wrong one is worse than a missing one. They are read
from ``list`` and ``sequence``, where they are separated by tabs, if

* the same object names the variable, as ``variableName``;
* the variable is a selector, an array or a flag array of the catalogue: for other kinds the list
  holds numbers, texts or dates;
* no ``bandingType`` but ``None`` stands with it or around it: otherwise the list holds bands;
* no ``textMatchType`` but ``Is`` stands around it: otherwise the list holds parts of texts.

Everywhere else the variable is used without a code.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.analysis.pairing import code_names
from apteco_frames.schema.column import STRING
from apteco_frames.support.arrays import array_of, booleans, integers, strings, whole

SELECTOR_TYPES = frozenset({"Selector", "Array", "FlagArray"})
"""The types of variables whose lists hold codes; those of dates hold dates."""

_NAMES_A_VARIABLE = ("variableName", "VariableName")
_LOOKUP = "Lookup"
_NESTING = (dict, list)
# Otherwise a list holds bands, or parts of texts.
_UNBANDED = (None, "", "None")
_WHOLE = (None, "", "Is")
# Fields of which the next name within tells more.
_GROUPS = frozenset(
    {"selectionModifiers", "checkCompositionDefinition", "exportCompositionDefinition"}
)
# Stands for all variables.
_ANY = ""


class Named(NamedTuple):
    """A variable that a resource names, with or without a code.

    Attributes:
        part: where in the resource.
        variable: name of the variable.
        code: the code, as it stands there.
        source: one of ``schema.USE_SOURCES``.
    """

    part: str
    variable: str
    code: str | None
    source: str


class Resource(NamedTuple):
    """An audience, a dashboard, a composition or a selection file, and what it names.

    Attributes:
        kind: one of ``schema.USE_KINDS``.
        id: its id, or the path of a file.
        title: its title.
        owner: user name of its owner.
        updated: when it was last changed.
        hits: how often it was opened.
        named: what it names.
    """

    kind: str
    id: str
    title: str
    owner: str | None
    updated: datetime | None
    hits: int | None
    named: tuple[Named, ...]


class _Place(NamedTuple):
    """A value on the way through a document.

    Attributes:
        value: the value.
        part: where it stands, as :class:`Named` has it.
        deeper: whether the name of the next field belongs to the part.
        without_codes: the variables of which no list holds codes; ``_ANY`` for all.
    """

    value: Any
    part: str
    deeper: bool
    without_codes: frozenset[str]


def named_in(document: Mapping[str, Any], selectors: Set[str]) -> tuple[Named, ...]:
    r"""What a document names, each once, in its order.

    Args:
        document: the parsed JSON; of any depth.
        selectors: the names of the variables of :data:`SELECTOR_TYPES`.

    Raises:
        ValueError: what should be the name of a variable is a number or a boolean, or a text
            holds half of a surrogate pair.

    >>> rule = {"variableName": "boDest", "list": "29\t38"}
    >>> [(used.part, used.code) for used in named_in({"includeQuery": {"rule": rule}}, {"boDest"})]
    [('includeQuery', '29'), ('includeQuery', '38')]
    """
    found: dict[Named, None] = {}
    lookups: list[Named] = []
    # A stack, not recursion, or a deep document would be too deep.
    stack = [_Place(document, "", True, frozenset())]
    while stack:
        place = stack.pop()
        if isinstance(place.value, list):
            stack += (_Place(item, *place[1:]) for item in reversed(place.value))
        elif isinstance(place.value, dict):
            stack += reversed(_look_into(place, selectors, found, lookups))
    with_codes = {(used.part, used.variable) for used in found if used.code is not None}
    kept = [
        used
        for used in found
        if used.code is not None or (used.part, used.variable) not in with_codes
    ]
    defined = {used.variable for used in kept}
    kept += dict.fromkeys(used for used in lookups if used.variable not in defined)
    for text in {text for used in kept for text in used if text is not None}:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{ascii(text)[:60]} holds half of a surrogate pair") from None
    return tuple(kept)


def _look_into(
    place: _Place, selectors: Set[str], found: dict[Named, None], lookups: list[Named]
) -> list[_Place]:
    """Take note of what an object names itself; the values within it."""
    fields, part, deeper, without = place
    own = fields.get("variableName")
    own = own if isinstance(own, str) else _ANY
    title = fields.get("title")
    if part and isinstance(title, str) and title:
        part = f"{part}/{title}"
    if fields.get("bandingType") not in _UNBANDED or fields.get("textMatchType") not in _WHOLE:
        without |= {own}
    codes = _codes(fields) if own in selectors and not without & {_ANY, own} else []
    within = []
    for name, value in fields.items():
        if name.endswith(_NAMES_A_VARIABLE):
            for variable in _texts_in(value, name):
                for code in (name == "variableName" and codes) or [None]:
                    found[Named(part or name, variable, code, "definition")] = None
        if not isinstance(value, _NESTING):
            continue
        here = (f"{part}.{name}" if part else name) if deeper else part
        if name.endswith(_LOOKUP):
            lookups += (Named(here, variable, None, "lookup") for variable in _in_lookup(value))
        else:
            within.append(_Place(value, here, deeper and here in _GROUPS, without))
    return within


def _texts_in(value: Any, field: str) -> Iterator[str]:
    """The names of variables in the value of a field."""
    for name in value if isinstance(value, list) else [value]:
        if isinstance(name, str):
            yield from [name] if name else []
        elif name is not None and not isinstance(name, dict | list):
            raise ValueError(f"{field} should be a string, but is {ascii(name)[:60]}")


def _codes(fields: Mapping[str, Any]) -> list[str]:
    lists = (fields.get(name) for name in ("list", "sequence"))
    return [code for text in lists if isinstance(text, str) for code in text.split("\t") if code]


def _in_lookup(lookup: Any) -> Iterator[str]:
    """The variables that a lookup of the server's lists."""
    listed = lookup.get("variablesLookup") if isinstance(lookup, dict) else None
    for item in listed if isinstance(listed, list) else ():
        variable = item.get("variable") if isinstance(item, dict) else None
        name = variable.get("name") if isinstance(variable, dict) else None
        if isinstance(name, str) and name:
            yield name


def uncertain(resources: Iterable[Resource], variables: pa.Table) -> list[str]:
    """Names of variables whose codes must be known to tell which code a resource means.

    Those are what may have lost blanks: codes that are not as long as the variable says.

    Args:
        resources: the resources.
        variables: a table under ``schema.VARIABLES_SCHEMA``.
    """
    columns = (variables[name].to_pylist() for name in ("name", "code_length"))
    lengths = dict(zip(*columns, strict=True))
    return list(
        dict.fromkeys(
            used.variable
            for resource in resources
            for used in resource.named
            if used.code is not None and not _is_whole(used.code, lengths.get(used.variable))
        )
    )


def _is_whole(code: str, length: int | None) -> bool:
    size = len(code.encode("utf-8", "surrogatepass"))
    return length is not None and (size == length or (size > length and code == code.strip(" ")))


def rows_of(resources: Iterable[Resource]) -> pa.Table:
    """The uses of all resources, each once, in their order, with the codes as they stand there.

    Returns:
        a table under ``schema.USES_SCHEMA``.
    """
    rows = {
        (*resource[:4], *used, *resource[4:6]): None
        for resource in resources
        for used in resource.named
    }
    columns = zip(*rows, strict=True) if rows else [()] * len(schema.USES)
    types = (STRING if column.values else column.type for column in schema.USES)
    arrays = list(map(array_of, columns, types))
    return declared(pa.table(arrays, names=schema.USES_SCHEMA.names))


def resolved(uses: pa.Table, codes: pa.Table) -> pa.Table:
    """The same uses, with the codes that are meant.

    A code that is none of the variable's, but would be with other blanks around it, is that
    one; if it would be several, there is no code. One that is none at all stays as it is.

    Args:
        uses: a table under ``schema.USES_SCHEMA``.
        codes: the codes that are known, under ``schema.CODES_SCHEMA``; all of a variable or none.
    """
    known = _known(codes)
    given = [uses[name].to_pylist() for name in ("variable_name", "code")]
    meant = [
        _resolved(code, known[variable]) if code is not None and variable in known else code
        for variable, code in zip(*given, strict=True)
    ]
    if meant == given[1]:
        return uses
    position = uses.schema.get_field_index("code")
    rows = uses.set_column(position, uses.schema.field(position), array_of(meant, STRING))
    columns = (column.to_pylist() for column in rows.columns)
    first: dict[tuple[Any, ...], int] = {}
    for number, row in enumerate(zip(*columns, strict=True)):
        first.setdefault(row, number)
    return rows.take(integers(first.values()))


def declared(rows: pa.Table) -> pa.Table:
    """Rows under ``schema.USES_SCHEMA``, whose enums may be texts, or other dictionaries.

    Raises:
        LookupError, ValueError: a column is missing, of another type, or has a value that it
            may not have.
    """
    if rows.schema == schema.USES_SCHEMA:
        return rows
    arrays = []
    for column in schema.USES:
        values = whole(rows[column.name])
        if column.values:
            values = _enum(_texts(values), column.values)
        values = values.cast(column.type)
        if values.null_count and not column.nullable:
            raise ValueError(f"{column.name} lacks a value, or has one that it may not have")
        arrays.append(values)
    return pa.table(arrays, schema=schema.USES_SCHEMA)


def _texts(values: pa.Array) -> pa.Array:
    """The texts of an enum, or of what may become one; polars has them as views."""
    if not pa.types.is_dictionary(values.type):
        return values.cast(pa.string())
    return values.dictionary.cast(pa.string()).take(values.indices)


def _enum(texts: pa.Array, values: Sequence[str]) -> pa.DictionaryArray:
    of = strings(values)
    return pa.DictionaryArray.from_arrays(pc.index_in(texts, of).cast(pa.uint8()), of)


def _known(codes: pa.Table) -> dict[str, dict[str, set[str]]]:
    """The codes of each variable, by what they are without the blanks around them."""
    known: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    columns = (codes[name].to_pylist() for name in ("variable_name", "code"))
    for variable, code in zip(*columns, strict=True):
        known[variable][code.strip(" ")].add(code)
    return known


def _resolved(code: str, known: Mapping[str, Set[str]]) -> str | None:
    """The code that is meant; None if it cannot be told."""
    fitting = known.get(code.strip(" "), frozenset())
    if code in fitting or not fitting:
        return code
    return next(iter(fitting)) if len(fitting) == 1 else None


def broken(
    uses: pa.Table, older: pa.Table, newer: pa.Table, codes: pa.Table, with_codes: Set[str]
) -> pa.Table:
    """The uses that will not work in another catalogue, and why.

    Args:
        uses: a table under ``schema.USES_SCHEMA``.
        older: the variables as they were made for, under ``schema.VARIABLES_SCHEMA``.
        newer: the variables of the other catalogue.
        codes: the codes of the other catalogue, as far as they are known.
        with_codes: names of the variables of which all codes are known there.

    Returns:
        a table under ``schema.BROKEN_USES_SCHEMA``.
    """
    before, after = (
        dict(zip(*(rows[name].to_pylist() for name in ("name", "type")), strict=True))
        for rows in (older, newer)
    )
    known = _known(codes)

    def why(variable: str, code: str | None) -> str | None:
        if variable not in after:
            return "variable gone"
        if before.get(variable, after[variable]) != after[variable]:
            return "type changed"
        # With other blanks around it, it may be the same code.
        is_gone = code is not None and code.strip(" ") not in known[variable]
        return "code gone" if is_gone and variable in with_codes else None

    columns = (uses[name].to_pylist() for name in ("variable_name", "code"))
    reasons = [why(*pair) for pair in zip(*columns, strict=True)]
    kept = uses.filter(booleans(reason is not None for reason in reasons))
    texts = strings(reason for reason in reasons if reason is not None)
    field = schema.BROKEN_USES_SCHEMA.field("why")
    return kept.append_column(field, _enum(texts, schema.BROKEN_REASONS))


def with_users(changes: pa.Table, uses: pa.Table, tables: Mapping[str, str]) -> pa.Table:
    """Changes with the numbers of those who use what changed; removals of that are breaking.

    Args:
        changes: a table under ``schema.CHANGES_SCHEMA``.
        uses: a table under ``schema.USES_SCHEMA``.
        tables: the table of each variable, by their names.
    """
    users = _users(uses, tables)
    columns = ("noun", "name", "change", "severity")
    nouns, names, kinds, severities = (_texts(whole(changes[name])) for name in columns)
    numbers = [users.get(pair) for pair in zip(nouns.to_pylist(), names.to_pylist(), strict=True)]
    is_used = booleans(number is not None for number in numbers)
    breaks = pc.and_(is_used, pc.equal(kinds, strings(["removed"])[0]))
    severities = pc.if_else(breaks, strings(["breaking"])[0], severities)
    for name, values in (
        ("severity", _enum(severities, schema.SEVERITIES)),
        ("used_by", array_of([number and json.dumps(number) for number in numbers], STRING)),
    ):
        position = changes.schema.get_field_index(name)
        changes = changes.set_column(position, changes.schema.field(name), values)
    return changes


def _users(uses: pa.Table, tables: Mapping[str, str]) -> dict[tuple[str, str], dict[str, int]]:
    """How many resources of each kind use a table, a variable or a code, by noun and name."""
    variables = whole(uses["variable_name"])
    codes = code_names(variables, whole(uses["code"])).to_pylist()
    columns = (uses[name].to_pylist() for name in ("kind", "id", "variable_name"))
    seen: dict[tuple[str, str], dict[tuple[str, str], None]] = defaultdict(dict)
    for kind, id_, variable, code in zip(*columns, codes, strict=True):
        names = {"table": tables.get(variable), "variable": variable, "code": code}
        for noun, name in names.items():
            if name is not None:
                seen[noun, name][kind, id_] = None
    order = schema.USE_KINDS.index
    return {
        of: dict(Counter(sorted((kind for kind, _ in users), key=order)))
        for of, users in seen.items()
    }
