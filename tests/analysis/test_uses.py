"""Which variables and codes a definition names, and which of them are claimed."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteco_frames import schema
from apteco_frames.analysis.uses import (
    SELECTOR_TYPES,
    Named,
    Resource,
    declared,
    named_in,
    resolved,
    rows_of,
    uncertain,
)
from apteco_frames.demo import holidays

HOLIDAYS = holidays()
SELECTORS = {v.name for v in HOLIDAYS.variables if v.type in SELECTOR_TYPES}


def criteria(variable: str, text: str, **more: Any) -> dict[str, Any]:
    """A criteria as the vendor's client writes it; ``rule_`` fields go into its list rule."""
    rule = {"list": text, "variableName": variable}
    rule |= {name[5:]: value for name, value in more.items() if name.startswith("rule_")}
    own = {name: value for name, value in more.items() if not name.startswith("rule_")}
    return {
        "criteria": {
            "variableName": variable,
            "include": True,
            "textMatchType": "Is",
            "valueRules": [{"listRule": rule}],
            "tableName": "People",
            **own,
        }
    }


def found(clause: Any) -> list[tuple[str, str | None]]:
    """The variables and codes of a clause."""
    return [(used.variable, used.code) for used in named_in({"includeQuery": clause}, SELECTORS)]


CLAUSES = st.recursive(
    st.tuples(
        st.sampled_from(sorted(SELECTORS)), st.lists(st.text("AB 1", min_size=1), min_size=1)
    ),
    lambda inner: st.lists(inner, min_size=1, max_size=4),
    max_leaves=20,
)


def nested(clause: Any) -> dict[str, Any]:
    """A clause of the API: lists are combined, pairs are criteria."""
    if isinstance(clause, list):
        return {"logic": {"operation": "OR", "operands": list(map(nested, clause))}}
    return criteria(clause[0], "\t".join(clause[1]))


def leaves(clause: Any) -> list[tuple[str, str]]:
    """The variables and codes of a clause, from the left."""
    if isinstance(clause, list):
        return [leaf for inner in clause for leaf in leaves(inner)]
    return [(clause[0], code) for code in clause[1]]


@given(CLAUSES)
def test_nested_clauses(clause: Any) -> None:
    """However clauses nest, each code of each criteria is found once, from the left."""
    assert found(nested(clause)) == list(dict.fromkeys(leaves(clause)))


def test_depth() -> None:
    """Five hundred clauses within each other are no more trouble than one."""
    clause = criteria("boDest", "29")
    for _ in range(500):
        clause = {"logic": {"operation": "AND", "operands": [clause, criteria("boCost", ">5")]}}
    assert set(found({"selection": {"rule": {"clause": clause}}})) == {
        ("boDest", "29"),
        ("boCost", None),
    }


WITHOUT_CODES = {
    "a number": criteria("boCost", ">1000"),
    "a text": criteria("peSName", "SON\tSEN", textMatchType="Ends"),
    "a date": criteria("boDate", "20190101"),
    "a reference": criteria("peURN", "12345"),
    "bands": criteria("boDest", "2019\t2018", rule_bandingType="Years"),
    "bands around": criteria("boDest", "2019", bandingType="Custom"),
    "parts of texts": criteria("boDest", "Swe", textMatchType="Begins"),
    "ranges": criteria("boDest", "01 - 29", textMatchType="Ranges"),
    "nothing": criteria("boDest", ""),
    "an array": criteria("boDest", "") | {"variableName": "boDest", "list": ["29"]},
    "no rule": {"variableName": "boDest", "function": "None"},
    "another field": {"groupingVariableName": "boDest", "list": "29"},
    "another list": {"variableName": "boDest", "other": {"list": "29"}},
    "not in the catalogue": criteria("peMailSt", "A"),
}


@pytest.mark.parametrize("clause", WITHOUT_CODES.values(), ids=WITHOUT_CODES)
def test_no_code_is_claimed(clause: Any) -> None:
    """Where a list holds no codes, or whose they are is not certain, there are none."""
    assert [code for _, code in found(clause)] == [None]


def test_banding_counts_for_its_variable() -> None:
    """A banded dimension says nothing about the codes of the filter within it."""
    dimension = {
        "variableName": "boDest",
        "bandingType": "Custom",
        "filterQuery": criteria("deGrade", "1"),
        "list": "29",
    }
    assert found(dimension) == [("boDest", None), ("deGrade", "1")]


def test_banding_of_nothing() -> None:
    """A banding without a variable of its own counts for all that is within it."""
    clause = {"bandingType": "Years", "within": criteria("boDest", "29")}
    assert found(clause) == [("boDest", None)]
    assert found(clause | {"bandingType": "None"}) == [("boDest", "29")]


def test_sequence() -> None:
    """The sequence of a selector holds codes, that of a date does not."""
    per = {"recency": {"variableName": "deGrade", "sequence": "2\t1\t!"}}
    assert found(per) == [("deGrade", code) for code in "21!"]
    per["recency"]["variableName"] = "boTrav"
    assert found(per) == [("boTrav", None)]


def test_new_fields() -> None:
    """What ends in variableName is a use, whatever it is called and wherever it stands."""
    document = {
        "workbookItems": [
            {
                "title": "Tab",
                "dashboardTiles": [{"title": "Tile", "x": [[{"lastVariableName": "boDest"}]]}],
            }
        ],
        "keyVariableName": ["peURN", "", None],
        "variableName": {"inner": {"theVariableName": "boCost"}},
    }
    assert [used[:2] for used in named_in(document, SELECTORS)] == [
        ("keyVariableName", "peURN"),
        ("workbookItems/Tab/Tile", "boDest"),
        ("variableName", "boCost"),
    ]


def test_no_name() -> None:
    """A number in place of a name is told, since something else may be wrong as well."""
    with pytest.raises(ValueError, match="valueVariableName should be a string, but is 5"):
        named_in({"valueVariableName": 5}, SELECTORS)


HALVES = (
    {"x": {"variableName": "a\ud800"}},
    {"x": criteria("boDest", "29\ud800")},
    {"xLookup": {"variablesLookup": [{"variable": {"name": "a\ud800"}}]}},
    {"x": {"title": "\ud800", "inner": {"variableName": "boDest"}}},
)


@pytest.mark.parametrize("document", HALVES)
def test_half_a_pair(document: Any) -> None:
    """Half of a surrogate pair, which JSON can hold and Arrow cannot, is told."""
    with pytest.raises(ValueError, match="holds half of a surrogate pair"):
        named_in(document, SELECTORS)


def test_lookups() -> None:
    """Lookups give what no definition names, and claim no codes."""
    lookup = {
        "variablesLookup": [
            {"variable": {"name": "boDest"}, "varCodesLookup": [{"code": "29"}]},
            {"variable": {"name": "boCost", "selectorInfo": {"combinedFromVariableName": "x"}}},
            {"variable": {"name": ""}},
            {"variable": None},
            5,
        ]
    }
    document = {"bodyQuery": {"serverText": "[boCost]"}, "queriesLookup": lookup}
    assert named_in({"includeQuery": criteria("boDest", "05"), **document}, SELECTORS) == (
        Named("includeQuery", "boDest", "05", "definition"),
        Named("queriesLookup", "boCost", None, "lookup"),
    )
    assert named_in({"queriesLookup": 5, "otherLookup": {"variablesLookup": 5}}, SELECTORS) == ()


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda v: (
            st.lists(v)
            | st.dictionaries(
                st.sampled_from(["variableName", "list", "x", "title", "aLookup", "bandingType"]), v
            )
        ),
    )
)
def test_any_json(value: Any) -> None:
    """Whatever JSON it is, it is read, or a name is no text."""
    with suppress(ValueError):
        assert {used.source for used in named_in({"x": value}, SELECTORS)} <= {*schema.USE_SOURCES}


def resources(*codes: tuple[str, str | None]) -> list[Resource]:
    """An audience that uses these variables and codes."""
    named = tuple(Named("includeQuery", *used, "definition") for used in codes)
    return [Resource("audience", "1", "One", None, None, 7, named)]


def test_blanks() -> None:
    """A code that fits only without blanks is that code; one that fits several is none."""
    codes = pa.table(
        {
            "variable_name": ["v", "v", "v", "v"],
            "code": [" !", "A ", " A", "B"],
            **{name: [""] * 4 for name in ("variable_description", "table_name", "description")},
            "position": range(4),
            "count": range(4),
        }
    )
    given = [("v", code) for code in ("!", " !", "A", " A", "B ", "C", " C")] + [("w", "!")]
    rows = resolved(rows_of(resources(*given)), codes).select(["variable_name", "code"]).to_pylist()
    assert [(row["variable_name"], row["code"]) for row in rows] == [
        *(("v", code) for code in (" !", None, " A", "B", "C", " C")),
        ("w", "!"),
    ]


def test_uncertain() -> None:
    """Only codes that may have lost blanks make it needful to know those of the variable."""
    variables = HOLIDAYS.variables.arrow
    sure = resources(("boDest", "29"), ("boDest", " !"), ("boCost", None), ("boDest", "293"))
    assert uncertain(sure, variables) == []
    unsure = resources(("boDest", "!"), ("peOccu", " 4"), ("deFacil", "Spa"))
    assert uncertain(unsure, variables) == ["boDest", "peOccu", "deFacil"]


def test_rows() -> None:
    """Rows are under the declared schema, also where there are none."""
    assert rows_of([]).schema == schema.USES_SCHEMA
    rows = rows_of(resources(("boDest", "!"), ("boDest", " !")))
    assert rows["code"].to_pylist() == ["!", " !"]
    rows = resolved(rows, HOLIDAYS.codes.arrow)
    assert rows.schema == schema.USES_SCHEMA
    assert rows["code"].to_pylist() == [" !"]


def test_declared() -> None:
    """Enums may come as texts; what they may not be is refused."""
    rows = rows_of(resources(("boDest", "29")))
    texts = pa.table(
        {
            name: column.cast(pa.string()) if name in ("kind", "source") else column
            for name, column in zip(rows.column_names, rows.columns, strict=True)
        }
    )
    assert declared(texts) == rows
    for kind in ("people stage", None):
        wrong = texts.set_column(0, "kind", pa.array([kind], pa.string()))
        with pytest.raises(ValueError, match="kind lacks a value"):
            declared(wrong)


def test_json_of_the_vendor() -> None:
    """A name's field that stands twice in a criteria is one use."""
    text = json.dumps(criteria("boDest", "29\t29\t05"))
    assert found(json.loads(text)) == [("boDest", "29"), ("boDest", "05")]
