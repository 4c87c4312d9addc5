"""Variables: their schema, their kinds and attributes, and look-ups by name or description."""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Callable
from datetime import date, datetime
from itertools import product
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from schema.test_schema import NEWER
from strategies import (
    EMPTY_SELECTOR,
    NUMERIC_INFO,
    ODD_TEXTS,
    REFERENCE_INFO,
    SELECTOR_KINDS,
    Item,
    catalogue_of,
    catalogues,
    table_item,
    tree_items,
    variable_item,
    variable_lists,
)

from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import holidays
from apteco_frames.errors import (
    AmbiguousKeyError,
    UnknownKeyError,
)
from apteco_frames.variables import (
    ArrayVariable,
    DateTimeVariable,
    DateVariable,
    FlagArrayVariable,
    NumericVariable,
    ReferenceVariable,
    SelectorVariable,
    TextVariable,
    UnknownVariable,
    Variable,
    Variables,
    VariableType,
)

KINDS = [kind.value for kind in VariableType]
CLASSES: dict[str, type[Variable]] = {
    "Selector": SelectorVariable,
    "Numeric": NumericVariable,
    "Text": TextVariable,
    "Array": ArrayVariable,
    "FlagArray": FlagArrayVariable,
    "Date": DateVariable,
    "DateTime": DateTimeVariable,
    "Reference": ReferenceVariable,
    "Unknown": UnknownVariable,
}

COMMON = {
    "uses",
    *("name", "description", "type", "folder_name", "table", "table_name", "api_type", "session"),
    *("is_selectable", "is_browsable", "is_exportable", "is_virtual", "to_dict"),
    *("path", "notes", "folder", "codes", "uses"),
}
SELECTOR = {
    *("selector_type", "sub_type", "code_length", "num_codes", "combined_from"),
    *("var_code_min_count", "var_code_max_count", "var_code_order"),
    *("unclassified_code", "unclassified_description"),
}
NUMERIC = {
    *("min_value", "max_value", "is_currency", "currency_locale", "currency_symbol"),
    "decimal_places",
}
DATE = SELECTOR | {"min_date", "max_date"}
REFERENCE = {"reference_type", "reference_length", "decimal_places"}
OWN: dict[str, set[str]] = {
    "Selector": SELECTOR,
    "Numeric": NUMERIC,
    "Text": {"max_length"},
    "Array": SELECTOR,
    "FlagArray": SELECTOR,
    "Date": DATE,
    "DateTime": DATE,
    "Reference": REFERENCE,
    "Unknown": DATE | NUMERIC | {"max_length"} | REFERENCE,
}


def variables_of(*items: Item) -> Variables:
    return catalogue_of(None, items).variables


def one_of_each_kind() -> Variables:
    return variables_of(*(variable_item(f"v{kind}", kind=kind) for kind in KINDS))


# Schema


LOADS: dict[str, Callable[[], Catalogue]] = {
    "no variables": lambda: catalogue_of(),
    "all kinds": lambda: catalogue_of(None, [variable_item(k, kind=k) for k in KINDS]),
    "no selectors": lambda: catalogue_of(None, [variable_item("n", kind="Numeric")]),
    "no dates": lambda: catalogue_of(None, [variable_item("s")]),
    "references alone": lambda: catalogue_of(None, [variable_item("r", kind="Reference")]),
    "unknown kinds alone": lambda: catalogue_of(None, [variable_item("u", kind="Unknown")]),
    "on 1,200 tables": lambda: catalogue_of(
        tree_items({"T0": "", **{f"T{i}": "T0" for i in range(1, 1200)}}),
        [variable_item(f"v{i}", f"T{i}") for i in range(1200)],
    ),
    "Holidays": holidays,
}


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_the_schema_is_equal_on_every_load(load: Callable[[], Catalogue]) -> None:
    """Arrow schema and polars dtypes are the declared ones, whatever the system holds."""
    variables = load().variables
    variables.arrow.validate(full=True)
    assert variables.arrow.schema.equals(Variables.schema, check_metadata=True)
    expected = one_of_each_kind().frame.schema
    assert expected["type"] == pl.Enum(KINDS)
    assert variables.frame.schema == expected
    for table in load().tables[:3]:
        assert table.variables.arrow.schema.equals(Variables.schema, check_metadata=True)
        assert table.variables.frame.schema == expected


def test_1200_tables_with_a_variable_each() -> None:
    """Nothing is cut off at a thousand."""
    catalogue = LOADS["on 1,200 tables"]()
    assert (len(catalogue.tables), len(catalogue.variables)) == (1200, 1200)
    assert [v.table.name for v in catalogue.variables] == [t.name for t in catalogue.tables]
    assert catalogue.tables["T1199"]["v1199"].table_name == "T1199"


def _at(item: Item, field: str) -> Any:
    value: Any = item
    for part in field.split("."):
        value = (value or {}).get(part)
    return value


@settings(max_examples=up_to(30))
@given(variable_lists([table_item()], max_variables=20))
def test_the_columns_of_the_api_are_kept_to_the_letter(items: list[Item]) -> None:
    """What the API sends is what the columns hold, in its order; missing and null are null."""
    variables = variables_of(*items)
    doc = inspect.getdoc(Variables) or ""
    fields = re.findall(r"^(\w+): .*?, from ``([\w.]+)``(?: or ``([\w.]+)``)?\.", doc, re.M)
    assert len(fields) == len(Variables.schema) - 1
    for column, field, or_field in fields:
        expected = [_at(item, field) for item in items]
        if or_field:
            pairs = zip(expected, items, strict=True)
            expected = [_at(item, or_field) if value is None else value for value, item in pairs]
        if column.endswith("_date"):
            expected = [text and datetime.fromisoformat(text) for text in expected]
        if column == "combined_from":
            expected = [text or None for text in expected]
        assert variables.arrow[column].to_pylist() == expected
        assert [variable.to_dict()[column] for variable in variables] == expected


def test_numbers_and_dates_at_the_edges() -> None:
    """The outermost integers, floats and dates come through exactly, as Python's own types."""
    info = {
        "numberOfCodes": 2**63 - 1,
        "codeLength": -(2**63),
        "minimumVarCodeCount": 2**53 + 1,
        "minimumDate": "0001-01-01T00:00:00",
        "maximumDate": "9999-12-31T23:59:59.999999",
    }
    item = variable_item("v", kind="Date")
    selector = variables_of(item | {"selectorInfo": item["selectorInfo"] | info})["v"]
    assert isinstance(selector, DateVariable)
    assert selector.num_codes == 2**63 - 1
    assert selector.code_length == -(2**63)
    assert selector.var_code_min_count == 2**53 + 1
    assert (selector.min_date, selector.max_date) == (datetime.min, datetime.max)
    extremes = {"minimum": -1.7976931348623157e308, "maximum": 5e-324}
    numeric = variables_of(variable_item("n", kind="Numeric", numericInfo=extremes))["n"]
    assert isinstance(numeric, NumericVariable)
    assert (numeric.min_value, numeric.max_value) == (-1.7976931348623157e308, 5e-324)
    assert (numeric.is_currency, numeric.currency_symbol) == (None, None)


# Kinds

API_TYPES = ["Selector", "Numeric", "Text", "Reference", "Sculpture", "selector", ""]
SUB_TYPES = [None, "Categorical", "Date", "DateTime", "Time"]
SELECTOR_TYPES = [None, "SingleValue", "OrArray", "AndArray", "OrBitArray", "AndBitArray", "Tree"]


def _kind(api_type: str, sub_type: str | None, selector_type: str | None) -> str:
    if api_type == "Selector" and sub_type and selector_type:
        return SELECTOR_KINDS.get((sub_type, selector_type), "Unknown")
    plain = sub_type is None and selector_type is None
    return api_type if plain and api_type in ("Numeric", "Text", "Reference") else "Unknown"


def test_every_combination_of_types_has_its_kind() -> None:
    """The API's type, sub-type and selector type decide the kind; what is new is Unknown."""
    triples = list(product(API_TYPES, SUB_TYPES, SELECTOR_TYPES))
    variables = variables_of(
        *(
            variable_item(
                f"v{i}", type=api, selectorInfo={"subType": sub, "selectorType": selector}
            )
            for i, (api, sub, selector) in enumerate(triples)
        )
    )
    assert len(variables) == len(triples)
    for triple, variable in zip(triples, variables, strict=True):
        kind = _kind(*triple)
        assert variable.type == kind, triple
        assert type(variable) is CLASSES[kind]
        assert variable.api_type == triple[0]
    assert {v.type for v in variables} == set(KINDS)


@pytest.mark.parametrize("kind", ["Selector", "Array"])
def test_combined_categories_are_selectors_or_arrays(kind: str) -> None:
    """A variable that summarises another keeps its kind and says which variable that is."""
    item = variable_item("sum", kind=kind)
    item["selectorInfo"]["combinedFromVariableName"] = "boDest"
    plain, combined = variables_of(variable_item("boDest", kind=kind), item)
    assert plain.type == combined.type == kind
    assert isinstance(plain, SelectorVariable | ArrayVariable)
    assert isinstance(combined, SelectorVariable | ArrayVariable)
    assert (plain.combined_from, combined.combined_from) == (None, "boDest")


@pytest.mark.parametrize("value", ["", None, ...])
def test_not_combined(value: Any) -> None:
    """However a server writes that a variable summarises no other, it is None."""
    item = variable_item("sum")
    item["selectorInfo"]["combinedFromVariableName"] = value
    if value is ...:
        del item["selectorInfo"]["combinedFromVariableName"]
    variables = variables_of(item)
    assert variables[0].combined_from is None  # type: ignore[attr-defined]
    assert variables.arrow["combined_from"].null_count == 1


def test_an_unknown_kind_has_all_that_the_api_says() -> None:
    """Whatever fields of whatever kind come with it are attributes; the others are None."""
    infos: Item = {
        "selectorInfo": {**EMPTY_SELECTOR, "subType": "Time", "maximumDate": "2021-12-31T00:00:00"},
        "numericInfo": NUMERIC_INFO,
        "textInfo": {"maximumTextLength": 30},
        "referenceInfo": REFERENCE_INFO,
    }
    each: list[Item] = [{name: info} for name, info in infos.items()]
    for sent in ({}, infos, *each):
        unknown = variables_of(variable_item("b", kind="Unknown", **sent))["b"]
        assert isinstance(unknown, UnknownVariable)
        values = unknown.to_dict()
        assert set(values) == {*Variables.schema.names} <= {*dir(unknown)}
        assert {name: getattr(unknown, name) for name in values} == values
    every = variables_of(variable_item("b", kind="Unknown", **infos))["b"].to_dict()
    assert {name for name, value in every.items() if value is None} == {"combined_from", "min_date"}


def test_kinds_equal_their_text() -> None:
    """``type`` is an enum whose members are strings, in rows and in frames."""
    cost = variables_of(variable_item("boCost", kind="Numeric"))["boCost"]
    assert cost.type == "Numeric"
    assert cost.type is VariableType.NUMERIC
    assert f"{cost.type}" == str(cost.type) == "Numeric"
    assert (
        " ".join(KINDS) == "Selector Numeric Text Array FlagArray Date DateTime Reference Unknown"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_exactly_its_attributes(kind: str) -> None:
    """A row has the attributes of its kind, all documented; any other is an AttributeError."""
    variable = one_of_each_kind()[f"v{kind}"]
    assert type(variable) is CLASSES[kind]
    public = {name for name in dir(variable) if not name.startswith("_")}
    assert public == COMMON | OWN[kind]
    assert [name for name in public if not inspect.getdoc(getattr(type(variable), name))] == []
    if kind != "Unknown":
        assert all(getattr(variable, name) is not None for name in OWN[kind] - {"combined_from"})
    for name in set(Variables.schema.names) - public:
        with pytest.raises(AttributeError):
            getattr(variable, name)


# Newer and older servers


def older(item: Item) -> Item:
    """The item as a server of version 1.9.19 sends it."""
    groups = {field.partition(".")[0] for field in NEWER if "." in field}
    flat = {name: value for name, value in item.items() if name not in NEWER}
    return {
        name: {k: v for k, v in value.items() if f"{name}.{k}" not in NEWER}
        if name in groups and value
        else value
        for name, value in flat.items()
    }


def test_what_older_servers_do_not_send_is_null() -> None:
    """Where a server does not send the newer fields, their columns are null."""
    variables = variables_of(*(older(variable_item(f"v{kind}", kind=kind)) for kind in KINDS))
    newer = Variables.schema.names[-7:]
    assert newer[0] == "path"
    assert [variables.arrow[name].null_count for name in newer] == [len(KINDS)] * 7
    rest = one_of_each_kind().arrow.drop_columns(newer)
    assert variables.arrow.drop_columns(newer).equals(rest)
    assert variables.arrow.schema.equals(Variables.schema, check_metadata=True)


def test_columns_of_before_are_read_with_nulls() -> None:
    """A catalogue that was saved without the newer columns is read, with nulls there."""
    saved = catalogue_of(None, [variable_item("v"), variable_item("n", kind="Numeric")])
    columns = saved.variables.arrow.drop_columns(Variables.schema.names[-7:])
    read = Catalogue(saved.system_info, saved.tables, columns)
    assert read.variables.arrow.schema.equals(Variables.schema, check_metadata=True)
    assert [v.path for v in read.variables] == [None, None]
    assert read.variables["n"].to_dict()["decimal_places"] is None
    assert read.variables["n"].to_dict()["min_value"] == -1.5


# Scripts written for apteco


def test_former_names_of_numeric_variables() -> None:
    """``max`` and ``min`` work, with a warning that names the new name, at the caller's line."""
    cost: Any = variables_of(variable_item("n", kind="Numeric"))["n"]
    for former, name in (("max", "max_value"), ("min", "min_value")):
        with pytest.warns(DeprecationWarning, match=rf"{former} .*use {name}") as caught:
            assert getattr(cost, former) == getattr(cost, name)
        assert [warning.filename for warning in caught] == [__file__]
        assert former not in dir(cost)
    with pytest.raises(AttributeError, match="'max'"):
        getattr(variables_of(variable_item("t", kind="Text"))["t"], "max")  # noqa: B009


SELECTIONS = r"selections.* stay with `apteco`.*Session\.deserialize\(session\.serialize\(\)\)"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_variables_build_no_ranges(kind: str, compare: Any) -> None:
    """Comparing a variable is a TypeError that says where selections are."""
    variable = one_of_each_kind()[f"v{kind}"]
    for pair in ((variable, 200), (200, variable), (variable, "a"), (variable, variable)):
        with pytest.raises(TypeError, match=SELECTIONS):
            compare(*pair)
    assert (variable == one_of_each_kind()[f"v{kind}"]) is True


@pytest.mark.parametrize(
    "name",
    [
        *("equals", "contains", "startswith", "endswith", "before", "after", "between", "matches"),
        *("missing", "isin", "year", "quarter", "month", "day"),
    ],
)
def test_variables_have_nothing_that_builds_selections(name: str) -> None:
    """Methods of apteco are AttributeErrors, one sentence each; so ``hasattr`` says False."""
    for variable in one_of_each_kind():
        assert not hasattr(variable, name)
        with pytest.raises(AttributeError, match=SELECTIONS) as caught:
            getattr(variable, name)
        assert name in str(caught.value)


def test_other_attributes_are_missed_as_usual() -> None:
    """A typing error in an attribute is Python's own error."""
    with pytest.raises(AttributeError, match="'TextVariable' object has no attribute 'nome'"):
        getattr(variables_of(variable_item("t", kind="Text"))["t"], "nome")  # noqa: B009


# Look-ups


def sample() -> Variables:
    return catalogue_of(
        tree_items({"People": "", "Bookings": "People", "Policies": "People"}),
        [
            variable_item("peName", description="Name"),
            variable_item("boName", "Bookings", description="Name"),
            variable_item("boCost", "Bookings", "Numeric", description="Cost"),
            variable_item("Same", "Policies", description="Same"),
            variable_item("Cross", "Policies", description="Premium"),
            variable_item("poOther", "Policies", description="Cross"),
        ],
    ).variables


def test_look_ups_by_name_and_description() -> None:
    """A key is a name or a description; ``names`` and ``descs`` take one of them alone."""
    variables = sample()
    assert variables["boCost"] == variables["Cost"] == variables[2]
    assert variables.names["boCost"] == variables.descs["Cost"] == variables.descriptions["Cost"]
    assert variables["Same"] == variables.names["Same"] == variables.descs["Same"]
    for accessor, key in ((variables.names, "Cost"), (variables.descs, "boCost")):
        assert key not in accessor
        assert accessor.get(key) is None
        assert accessor.get(key, "nothing") == "nothing"
        with pytest.raises(UnknownKeyError, match=f"'{key}'"):
            accessor[key]


def test_names_and_descriptions_are_collections_of_strings() -> None:
    """Both iterate in the API's order, each text once, and count and contain them."""
    variables = sample()
    names = ["peName", "boName", "boCost", "Same", "Cross", "poOther"]
    assert list(variables.names) == list(variables.names) == names
    assert list(variables.descs) == ["Name", "Cost", "Same", "Premium", "Cross"]
    assert (len(variables.names), len(variables.descs)) == (6, 5)
    assert "boCost" in variables.names
    assert "Name" in variables.descs
    assert 3 not in variables.names
    assert "6 names" in repr(variables.names)


def test_a_description_of_two_variables_is_ambiguous() -> None:
    """The error names both with their tables; both are reachable by name."""
    variables = sample()
    for collection in (variables, variables.descs):
        assert "Name" in collection
        with pytest.raises(AmbiguousKeyError) as caught:
            collection["Name"]
        message = str(caught.value)
        assert re.search(r"'peName'.*'People'.*'boName'.*'Bookings'", message)
        assert "boCost" not in message
        with pytest.raises(AmbiguousKeyError):
            collection.get("Name")
    assert variables["peName"].table_name == "People"
    assert variables["boName"].table_name == "Bookings"
    assert variables["peName"].table["Name"] == variables["peName"]


def test_a_description_of_many_variables_is_ambiguous() -> None:
    """The error names ten of them, and says how many more there are."""
    alike = variables_of(*(variable_item(f"v{i}", description="Alike") for i in range(12)))
    with pytest.raises(AmbiguousKeyError, match=r"'v9' \([^)]*\); and 2 more\."):
        alike["Alike"]


def test_a_name_that_is_another_variables_description_is_ambiguous() -> None:
    """The error names both; ``names`` and ``descs`` tell them apart."""
    variables = sample()
    with pytest.raises(AmbiguousKeyError, match=r"'Cross'.*'Premium'.*'poOther'"):
        variables["Cross"]
    assert variables.names["Cross"].description == "Premium"
    assert variables.descs["Cross"].name == "poOther"


def test_a_typing_error_suggests_the_nearest() -> None:
    """An unknown key is answered with keys that look like it, of the kind that was asked."""
    variables = holidays().variables
    for collection, key, near, far in (
        (variables, "Destinaton", "'Destination'", "'Surname'"),
        (variables, "bodest", "'boDest'", "'peSName'"),
        (variables.names, "boDset", "'boDest'", "'Destination'"),
        (variables.descs, "SURNAME", "'Surname'", "'peSName'"),
    ):
        with pytest.raises(UnknownKeyError) as caught:
            collection[key]
        message = str(caught.value)
        assert f"{key!r}" in message
        assert near in message
        assert far not in message
        assert "system 'holidays'" in message


def test_a_key_like_nothing_says_how_many_there_are() -> None:
    """Where nothing is near, the error says where to look."""
    with pytest.raises(UnknownKeyError, match="6 variables"):
        sample()["☃☃☃"]
    with pytest.raises(UnknownKeyError):
        catalogue_of().variables["anything"]


@pytest.mark.parametrize("key", ODD_TEXTS, ids=lambda key: ascii(key[:12]))
def test_odd_keys(key: str) -> None:
    """Any text can be a name, and be looked up; as an unknown key it is shown harmlessly."""
    variables = variables_of(variable_item(key, description="d"), variable_item("b"))
    assert variables[key].name == key
    assert variables.names[key] == variables[0]
    with pytest.raises(UnknownKeyError) as caught:
        variables[key + "!?"]
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 600


@pytest.mark.parametrize("key", [0, None, 1.5])
def test_keys_that_are_no_text(key: Any) -> None:
    """``names`` and ``descs`` take strings; anything else is a TypeError."""
    for accessor in (sample().names, sample().descs):
        with pytest.raises(TypeError):
            accessor[key]


@settings(max_examples=up_to(40))
@given(catalogues(), st.data())
def test_any_look_up_agrees_with_a_naive_one(catalogue: Catalogue, data: st.DataObject) -> None:
    """Whatever the names and descriptions, a key finds what a search row by row finds."""
    variables: Variables = catalogue.variables
    if data.draw(st.booleans()):
        table = catalogue.tables[data.draw(st.integers(0, len(catalogue.tables) - 1))]
        variables = table.variables
    rows = list(variables)
    keys = sorted({text for row in rows for text in (row.name, row.description)})
    key = data.draw(st.sampled_from([*keys, "no such key"]))
    searches: list[tuple[Any, list[Variable]]] = [
        (variables, [row for row in rows if key in (row.name, row.description)]),
        (variables.names, [row for row in rows if row.name == key]),
        (variables.descs, [row for row in rows if row.description == key]),
    ]
    for collection, found in searches:
        assert (key in collection) is bool(found)
        if len(found) == 1:
            assert collection[key] == collection.get(key) == found[0]
            assert collection[key].table == found[0].table
        elif found:
            with pytest.raises(AmbiguousKeyError):
                collection[key]
        else:
            assert collection.get(key, "nothing") == "nothing"
            with pytest.raises(UnknownKeyError):
                collection[key]
    assert list(variables.names) == [row.name for row in rows]
    assert list(variables.descs) == list(dict.fromkeys(row.description for row in rows))


def test_a_part_speaks_for_itself_alone() -> None:
    """That a variable is not on a table, or not among some, says nothing of the system."""
    catalogue = holidays()
    people = catalogue.tables["People"]
    parts: list[tuple[Any, str]] = [
        (people, f"Of {len(people.variables)} variables of system 'holidays' none has the name"),
        (catalogue.variables[:1], "Of 1 variable of system 'holidays' none has the name"),
        (catalogue.variables, "No variable of system 'holidays' has the name"),
    ]
    for part, said in parts:
        with pytest.raises(UnknownKeyError, match=f"^{said} or description 'Costs'"):
            part["Costs"]


@pytest.mark.parametrize("value", ["29", 5, 0.5, ["29"], ("29",), {"29"}, date(2020, 1, 1)])
def test_a_selection_leads_to_apteco(value: object) -> None:
    """Comparing with a value, which makes a selection in ``apteco``, says where that is."""
    variable = holidays().variables["boDest"]
    for compare in (operator.eq, operator.ne):
        with pytest.raises(TypeError, match=r"cannot be compared with values.*stay with `apteco`"):
            compare(variable, value)
    assert variable != None  # noqa: E711 - as some write it
    assert variable == holidays().variables["boDest"]
    assert {variable: 1}[holidays().variables["Destination"]] == 1


def test_a_printed_variable() -> None:
    """It tells what it is, of which table, and how many codes it has."""
    variables = holidays().variables
    assert str(variables["boDest"]) == "boDest: Destination (Selector of table Bookings, 20 codes)"
    assert str(variables["boCost"]) == "boCost: Cost (Numeric of table Bookings)"
