"""Systems for tests: builders in the layout of the API, and hypothesis strategies of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import strategies as st

from apteco_frames import schema
from apteco_frames.catalogue import Catalogue
from apteco_frames.normalize.folders import Node, arrange
from apteco_frames.orbit.decode import decode_page
from apteco_frames.schema.column import INT, STRING
from apteco_frames.system import FastStatsSystem

Item = dict[str, Any]

SELECTOR_KINDS: dict[tuple[str, str], str] = {
    ("Categorical", "SingleValue"): "Selector",
    ("Categorical", "OrArray"): "Array",
    ("Categorical", "AndArray"): "Array",
    ("Categorical", "OrBitArray"): "FlagArray",
    ("Categorical", "AndBitArray"): "FlagArray",
    ("Date", "SingleValue"): "Date",
    ("Date", "OrBitArray"): "FlagArray",
    ("Date", "AndBitArray"): "FlagArray",
    ("DateTime", "SingleValue"): "DateTime",
}
"""The kind of a selector by its ``subType`` and ``selectorType``; every other is unknown."""

CODE_COLUMNS = ("variable_name", "code", "description", "count")
FOLDER_COLUMNS = ("path", "name", "description", "parent_path", "variable_names")
"""What a catalogue is made of; the other columns follow from these."""

ODD_TEXTS = (
    "it's \"quoted\" `so` \\ and ''",
    "two\nlines\r\nand a\ttab",
    "NUL \x00 inside",
    "\x1b[31mred\x1b[0m\x07",
    "\u202eright to left\u202c",
    "שלום عليكم",
    "👩\u200d👩\u200d👧 🏖️ e\u0301 ß İ",
    "\ufeff\u2028\u2029\ufffe\ue000",
    "<script>alert(1)</script>&amp;",
    '=HYPERLINK("x")',
    "../../x",
    "null",
    " ",
    "x" * 10_000,
)

EMPTY_SELECTOR: Item = {
    "selectorType": "SingleValue",
    "subType": "Categorical",
    "varCodeOrder": "Nominal",
    "numberOfCodes": 2,
    "codeLength": 1,
    "minimumVarCodeCount": 3,
    "maximumVarCodeCount": 40,
    "minimumDate": None,
    "maximumDate": None,
    "combinedFromVariableName": None,
    "unclassifiedCode": "!",
    "unclassifiedDescription": "Unclassified",
}
NUMERIC_INFO: Item = {
    "minimum": -1.5,
    "maximum": 250.0,
    "isCurrency": True,
    "currencyLocale": "en-GB",
    "currencySymbol": "£",
    "decimalPlaces": 2,
}
REFERENCE_INFO: Item = {"referenceType": "Numeric", "length": 8, "decimalPlaces": 0}


def table_item(
    name: str = "People", parent: str = "", has_children: bool = False, **changes: Any
) -> Item:
    """A table as the API lists it; ``changes`` are fields by the API's own names."""
    return {
        "name": name,
        "singularDisplayName": f"one of {name}",
        "pluralDisplayName": f"all {name}",
        "isDefaultTable": not parent,
        "isPeopleTable": False,
        "totalRecords": 100,
        "childRelationshipName": "has",
        "parentRelationshipName": "is of",
        "hasChildTables": has_children,
        "parentTable": parent,
        **changes,
    }


def tree_items(parents: dict[str, str]) -> list[Item]:
    """Tables by the names of their parents, in this order, each saying if it has children."""
    with_children = set(parents.values())
    return [table_item(name, parent, name in with_children) for name, parent in parents.items()]


def variable_item(
    name: str = "peVar", table_name: str = "People", kind: str = "Selector", **changes: Any
) -> Item:
    """A variable of a kind as the API lists it.

    Args:
        name: its name.
        table_name: the name of its table.
        kind: one of ``VariableType``; ``Unknown`` is a type that no version knows.
        changes: other fields, by the API's own names.
    """
    item: Item = {
        "name": name,
        "description": f"Description of {name}",
        "type": "Sculpture" if kind == "Unknown" else kind,
        "folderName": "Folder",
        "tableName": table_name,
        "isSelectable": True,
        "isBrowsable": False,
        "isExportable": True,
        "isVirtual": False,
        "path": f"Folder/{name}",
        "notes": f"Notes on {name}",
        "selectorInfo": None,
        "numericInfo": None,
        "textInfo": None,
        "referenceInfo": None,
    }
    determinants = {kind: pair for pair, kind in reversed(SELECTOR_KINDS.items())}
    if kind in determinants:
        sub_type, selector_type = determinants[kind]
        info = {**EMPTY_SELECTOR, "subType": sub_type, "selectorType": selector_type}
        if sub_type != "Categorical":
            info |= {"minimumDate": "2015-01-02T00:00:00", "maximumDate": "2021-12-31T23:59:59"}
        item |= {"type": "Selector", "selectorInfo": info}
    elif kind == "Numeric":
        item["numericInfo"] = dict(NUMERIC_INFO)
    elif kind == "Text":
        item["textInfo"] = {"maximumTextLength": 30}
    elif kind == "Reference":
        item["referenceInfo"] = dict(REFERENCE_INFO)
    return item | changes


def page(items: Sequence[Item]) -> bytes:
    """A whole list of the API as one page."""
    answer = {"offset": 0, "count": len(items), "totalCount": len(items), "list": items}
    return json.dumps(answer, ensure_ascii=False).encode()


def rebuilt(catalogue: Catalogue, days: int = 0, **other: Any) -> Catalogue:
    """The same catalogue as of another build, or of another system."""
    info = catalogue.system_info
    assert info.build_date
    return Catalogue(
        info._replace(build_date=info.build_date + timedelta(days=days), **other),
        catalogue.tables,
        catalogue.variables,
        catalogue.codes.arrow if catalogue.has_codes else None,
        catalogue.folders.arrow if catalogue.has_folders else None,
    )


def catalogue_of(
    table_items: Iterable[Item] | None = None,
    variable_items: Iterable[Item] = (),
    **system_info: Any,
) -> Catalogue:
    """The catalogue of these items, read as an answer of the API is.

    Args:
        table_items: the tables; the table ``People`` alone unless given.
        variable_items: the variables.
        system_info: what of ``FastStatsSystem`` should be other than here.
    """
    values = {
        "name": "testing",
        "description": "A system for tests",
        "build_date": datetime(2019, 11, 27, 15, 57, 24),
        "view_name": "Testing",
        **system_info,
    }
    tables = [table_item()] if table_items is None else list(table_items)
    return Catalogue(
        FastStatsSystem(**values),
        decode_page(page(tables), schema.TABLES, "a test").rows,
        decode_page(page(list(variable_items)), schema.VARIABLES, "a test").rows,
    )


def as_logged_in(catalogue: Catalogue) -> Catalogue:
    """What a session holds of a catalogue before it reads codes and folders."""
    return Catalogue(catalogue.system_info, catalogue.tables, catalogue.variables)


def texts(min_size: int = 0) -> st.SearchStrategy[str]:
    """Any text that UTF-8 can hold, the odd ones often."""
    some = st.text(st.characters(codec="utf-8"), min_size=min_size, max_size=12)
    return some | st.sampled_from(ODD_TEXTS)


def int64s() -> st.SearchStrategy[int]:
    """Any integer of 64 bits, the outermost often."""
    return st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 0, 2**63 - 1])


def floats() -> st.SearchStrategy[float | int]:
    """Any number that JSON has and a double can hold, the outermost often."""
    edges = [-0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 2**53 + 2, -7]
    return st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(edges)


def times() -> st.SearchStrategy[str]:
    """Any local time as the API writes it, of the years 1 to 9999."""
    edges = [datetime.min, datetime.max, datetime(1677, 9, 21), datetime(2262, 4, 12)]
    return (st.datetimes() | st.sampled_from(edges)).map(datetime.isoformat)


@st.composite
def table_trees(draw: st.DrawFn, max_tables: int = 8, min_tables: int = 1) -> list[Item]:
    """Tables that form one tree of any shape, in any order."""
    values = draw(_pools())
    names = _names(draw, values, min_tables, max_tables, empty=False)
    # Each table hangs below one that comes before it; then the order is lost.
    parents = {
        name: draw(st.sampled_from(names[:number])) if number else ""
        for number, name in enumerate(names)
    }
    text, flag = st.sampled_from(values["text"]), st.booleans()
    return [
        item
        | {
            "singularDisplayName": draw(text),
            "pluralDisplayName": draw(text),
            "isDefaultTable": draw(flag),
            "isPeopleTable": draw(flag),
            "totalRecords": draw(st.sampled_from(values["int"])),
            "childRelationshipName": draw(text),
            "parentRelationshipName": draw(text),
        }
        for item in tree_items({name: parents[name] for name in draw(st.permutations(names))})
    ]


@st.composite
def variable_lists(
    draw: st.DrawFn, tables: Sequence[Item], max_variables: int, for_apteco: bool = False
) -> list[Item]:
    """Variables on some of these tables; with ``for_apteco`` on each of them."""
    values = draw(_pools())
    table_names = [table["name"] for table in tables]
    at_least = len(tables) if for_apteco else 0
    names = _names(draw, values, at_least, max(at_least, max_variables), empty=not for_apteco)
    places = table_names[:at_least]
    places += [draw(st.sampled_from(table_names)) for _ in names[at_least:]]
    # Few enough texts that some come twice, and some are another variable's name.
    descriptions = st.sampled_from([*names[:3], *values["text"]])
    folders = st.none() | st.sampled_from(values["text"])
    items = []
    for name, place in zip(names, draw(st.permutations(places)), strict=True):
        item = {
            "name": name,
            "description": draw(descriptions),
            "folderName": draw(folders),
            "path": draw(folders),
            "notes": draw(folders),
            "tableName": place,
            **{field: draw(st.booleans()) for field in _FLAGS},
            **_kind(draw, values, for_apteco),
        }
        if not for_apteco and draw(st.booleans()):
            item = _without_nulls(item) | {"newField": draw(st.sampled_from([None, 1, [{}]]))}
        items.append(item)
    return items


@st.composite
def catalogues(
    draw: st.DrawFn, max_tables: int = 8, max_variables: int = 30, for_apteco: bool = False
) -> Catalogue:
    """Catalogues of any shape and content.

    Args:
        max_tables: tables, at most.
        max_variables: variables, at most; or one on each table if that is more.
        for_apteco: whether ``apteco`` 0.8.2 can load the system: only kinds that it
            knows, with the infos they need, and a variable on each table.
    """
    tables = draw(table_trees(max_tables))
    variables = draw(variable_lists(tables, max_variables, for_apteco))
    # A client asks for these by URL, where a name that is a dot means another place.
    plain = st.text("abcdefghijklmnopqrstuvwxyz0123456789 _-é", min_size=1, max_size=12)
    system_name = plain if for_apteco else texts(min_size=1).filter(lambda t: t not in (".", ".."))
    return catalogue_of(
        tables,
        variables,
        name=draw(system_name),
        view_name=draw(system_name),
        description=draw(texts()),
        build_date=draw(st.none() | st.datetimes()),
    )


def addressable(catalogue: Catalogue) -> bool:
    """Whether a URL can hold the names of the system and of its DataView."""
    info = catalogue.system_info
    return not {info.name.strip(), info.view_name.strip()} & {"", ".", ".."}


@st.composite
def codes_for(draw: st.DrawFn, catalogue: Catalogue) -> pa.Table:
    """Codes of any text for the selectors of a catalogue, in the order of its variables."""
    count = st.none() | st.integers(0, 2**63 - 1)
    rows = [
        {"variable_name": variable.name, "code": code, "description": text, "count": number}
        for variable in catalogue.variables
        if variable.api_type == "Selector"
        for code, text, number in draw(st.lists(st.tuples(texts(), texts(), count), max_size=5))
    ]
    columns = {"variable_name": STRING, "code": STRING}
    columns |= {"description": STRING, "count": INT}
    return pa.Table.from_pylist(rows, pa.schema(list(columns.items())))


@st.composite
def folders_for(draw: st.DrawFn, catalogue: Catalogue) -> pa.Table:
    """A tree of folders for a catalogue: any names, any depth, variables in none or several."""
    variables = [variable.name for variable in catalogue.variables]
    names = texts(min_size=1).filter(lambda text: text not in (".", ".."))
    several = st.lists(st.sampled_from(variables or [""]), max_size=4, unique=True)
    some = several if variables else st.just([])
    nodes: list[Node] = []
    taken: set[tuple[int | None, str]] = set()
    for _ in range(draw(st.integers(0, 8))):
        parent = draw(st.none() | st.integers(0, len(nodes) - 1)) if nodes else None
        name = draw(names)
        if (parent, name) not in taken:
            taken.add((parent, name))
            nodes.append(Node(name, draw(texts()), None, parent, draw(some)))
    return arrange(nodes, catalogue.variables.arrow["name"], "a test")


@st.composite
def with_codes_and_folders(draw: st.DrawFn, catalogue: Catalogue) -> Catalogue:
    """The catalogue with any codes for its selectors, and any tree of folders.

    The names of folders can be written in a URL; a "/" is not among their characters, as
    the vendor's client takes each for the beginning of another name.
    """
    variables = catalogue.variables.arrow
    names = variables["name"].to_pylist()
    is_selector = pc.equal(variables["api_type"], "Selector")
    lists = st.lists(st.tuples(texts(), texts(), st.none() | int64s()), max_size=12)
    codes = [
        {"variable_name": name, "code": code, "description": description, "count": count}
        for name in variables["name"].filter(is_selector).to_pylist()
        for code, description, count in draw(lists)
    ]
    sizes = Counter(code["variable_name"] for code in codes)
    numbers = pc.if_else(is_selector, pa.array([sizes[n] for n in names], INT), None)
    place = variables.schema.get_field_index("num_codes")
    variables = variables.set_column(place, variables.schema.field(place), numbers)

    name = st.text("abc é%.?#&=+", min_size=1, max_size=6).filter(lambda n: n.strip(". "))
    folders: dict[tuple[str, ...], Item] = {}
    for number in range(draw(st.integers(0, 8))):
        above = draw(st.sampled_from([(), *folders]))
        own = (*above, draw(name))
        if own in folders:
            continue
        folders[own] = {
            "path": f"{number}",
            "name": own[-1],
            "description": draw(texts()),
            "parent_path": folders[above]["path"] if above else None,
            "variable_names": draw(st.lists(st.sampled_from(names), unique=True)) if names else [],
        }
    return Catalogue(
        catalogue.system_info,
        catalogue.tables,
        variables,
        _arrow(codes, schema.CODES_SCHEMA, *CODE_COLUMNS),
        _arrow(list(folders.values()), schema.FOLDERS_SCHEMA, *FOLDER_COLUMNS),
    )


def _arrow(rows: list[Item], whole: pa.Schema, *names: str) -> pa.Table:
    return pa.Table.from_pylist(rows, pa.schema([whole.field(name) for name in names]))


_FLAGS = ("isSelectable", "isBrowsable", "isExportable", "isVirtual")
_INFO_TYPES = {
    "selectorInfo": {
        "varCodeOrder": "order",
        "numberOfCodes": "int",
        "codeLength": "int",
        "minimumVarCodeCount": "int",
        "maximumVarCodeCount": "int",
        "minimumDate": "time",
        "maximumDate": "time",
        "combinedFromVariableName": "text",
        "unclassifiedCode": "text",
        "unclassifiedDescription": "text",
    },
    "numericInfo": {
        "minimum": "double",
        "maximum": "double",
        "isCurrency": "bool",
        "currencyLocale": "text",
        "currencySymbol": "text",
        "decimalPlaces": "int",
    },
    "textInfo": {"maximumTextLength": "int"},
    "referenceInfo": {"referenceType": "text", "length": "int", "decimalPlaces": "int"},
}
_INFO_OF_TYPE = {
    "Selector": "selectorInfo",
    "Numeric": "numericInfo",
    "Text": "textInfo",
    "Reference": "referenceInfo",
}


@st.composite
def _pools(draw: st.DrawFn) -> dict[str, list[Any]]:
    """A few values of each type; drawing each field anew would take long."""

    def some(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=1, max_size=6))

    return {
        "text": some(texts()),
        "int": some(int64s()),
        "double": some(floats()),
        "time": some(times()),
        "bool": [True, False],
        "order": ["Nominal", "Ascending", "Descending"],
    }


def _names(
    draw: st.DrawFn, values: dict[str, list[Any]], at_least: int, at_most: int, *, empty: bool
) -> list[str]:
    """Names that differ, some of them from the pool."""
    names: dict[str, None] = {}
    for number in range(draw(st.integers(at_least, at_most))):
        name = draw(st.sampled_from(values["text"]))
        while name in names or not (name or empty):
            name += f"{number:x}"
        names[name] = None
    return list(names)


def _kind(draw: st.DrawFn, values: dict[str, list[Any]], for_apteco: bool) -> Item:
    """The part of a variable that its kind decides."""
    is_known = for_apteco or draw(st.integers(0, 3)) > 0
    if is_known:
        api_type = draw(st.sampled_from(["Selector", "Selector", *_INFO_OF_TYPE]))
        info: str | None = _INFO_OF_TYPE[api_type]
    else:
        api_type = draw(st.sampled_from([*_INFO_OF_TYPE, "Sculpture", ""]))
        info = draw(st.sampled_from([*_INFO_TYPES, None]))
    item: Item = {"type": api_type, **dict.fromkeys(_INFO_TYPES)}
    if info is None:
        return item
    fields: Item = {
        name: draw(st.sampled_from([None, *values[kind]]))
        for name, kind in _INFO_TYPES[info].items()
    }
    if info == "selectorInfo":
        pairs = [p for p in SELECTOR_KINDS if not (for_apteco and p[1].startswith("And"))]
        if not is_known:
            pairs = [("Categorical", "Tree"), ("Time", "SingleValue"), ("DateTime", "OrArray")]
            pairs += [(None, "SingleValue"), ("Date", None), (None, None)]  # type: ignore[list-item]
        fields["subType"], fields["selectorType"] = draw(st.sampled_from(pairs))
        if for_apteco and fields["subType"] != "Categorical":
            fields["combinedFromVariableName"] = None
    return item | {info: fields}


def _without_nulls(item: Item) -> Item:
    return {
        key: _without_nulls(value) if isinstance(value, dict) else value
        for key, value in item.items()
        if value is not None
    }
