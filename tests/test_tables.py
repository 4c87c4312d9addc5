"""Tables: their schema, and how they relate."""

from __future__ import annotations

import copy
import operator
import pickle
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from strategies import (
    Item,
    catalogue_of,
    catalogues,
    table_trees,
    tree_items,
    variable_item,
)

from apteco_frames import Session
from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.errors import (
    UnknownKeyError,
)
from apteco_frames.tables import Table, Tables

# A master with two branches, one of them three levels deep, listed in no helpful order.
FAMILY = {
    "Visits": "People",
    "Bookings": "People",
    "Households": "",
    "Policies": "Bookings",
    "People": "Households",
    "Journeys": "Households",
}


def family() -> Tables:
    return catalogue_of(tree_items(FAMILY)).tables


def names(tables: list[Table]) -> list[str]:
    return [table.name for table in tables]


class Oracle:
    """Relations found the slow and obvious way."""

    def __init__(self, items: list[Item]) -> None:
        self.parents = {item["name"]: item["parentTable"] for item in items}

    def children(self, name: str) -> list[str]:
        return [child for child, parent in self.parents.items() if parent == name]

    def ancestors(self, name: str) -> list[str]:
        parent = self.parents[name]
        return [parent, *self.ancestors(parent)] if parent else []

    def descendants(self, name: str) -> list[str]:
        return [d for child in self.children(name) for d in [child, *self.descendants(child)]]


# Schema


@settings(max_examples=up_to(20))
@given(catalogues(max_variables=8))
def test_the_schema_is_equal_for_any_system(catalogue: Catalogue) -> None:
    """No content changes the schema, and every table is valid Arrow without undeclared nulls."""
    arrow = catalogue.tables.arrow
    arrow.validate(full=True)
    assert arrow.schema.equals(Tables.schema, check_metadata=True)
    assert not any(column.null_count for column in arrow.columns)


@settings(max_examples=up_to(30))
@given(table_trees())
def test_the_columns_of_the_api_are_kept_to_the_letter(items: list[Item]) -> None:
    """What the API sends is what the columns hold, in the API's order."""
    fields = {
        "name": "name",
        "singular": "singularDisplayName",
        "plural": "pluralDisplayName",
        "is_default": "isDefaultTable",
        "is_people": "isPeopleTable",
        "total_records": "totalRecords",
        "child_relationship": "childRelationshipName",
        "parent_relationship": "parentRelationshipName",
        "has_children": "hasChildTables",
        "parent_name": "parentTable",
    }
    tables = catalogue_of(items).tables
    for column, field in fields.items():
        expected = [item[field] for item in items]
        assert tables.arrow[column].to_pylist() == expected
        assert [getattr(table, column) for table in tables] == expected


# Relations


@settings(max_examples=up_to(60))
@given(table_trees(max_tables=10))
def test_relations_of_any_tree(items: list[Item]) -> None:
    """Parent, children, ancestors and descendants are those of the tree, in order."""
    oracle = Oracle(items)
    tables = catalogue_of(items).tables
    for table in tables:
        name = table.name
        assert (table.parent.name if table.parent else "") == oracle.parents[name]
        assert names(table.children) == oracle.children(name)
        assert names(table.ancestors) == table.ancestor_names == oracle.ancestors(name)
        assert names(table.descendants) == table.descendant_names == oracle.descendants(name)
        assert table.depth == len(oracle.ancestors(name))
        assert table.has_children == bool(oracle.children(name))


@settings(max_examples=up_to(40))
@given(table_trees(max_tables=7))
def test_comparisons_of_any_two_tables(items: list[Item]) -> None:
    """Methods and operators say who is above whom, with and without the same table."""
    oracle = Oracle(items)
    tables = catalogue_of(items).tables
    for a, b in product(tables, repeat=2):
        same = a.name == b.name
        above = a.name in oracle.ancestors(b.name)
        below = b.name in oracle.ancestors(a.name)
        assert a.is_same(b) is (a == b) is same
        assert (a != b) is not same
        assert a.is_ancestor(b) is (a < b) is above
        assert a.is_descendant(b) is (a > b) is below
        assert a.is_ancestor(b, allow_same=True) is (a <= b) is (above or same)
        assert a.is_descendant(b, allow_same=True) is (a >= b) is (below or same)
        assert a.is_related(b) is (above or below)
        assert a.is_related(b, allow_same=True) is (above or below or same)


def test_relations_of_a_part_are_those_of_the_system() -> None:
    """A row of a filtered frame still knows its relatives that were filtered away."""
    (policies,) = family().filter(name="Policies")
    assert policies.parent is not None
    assert names(policies.ancestors) == ["Bookings", "People", "Households"]
    assert policies > family()["Households"]
    assert names(family()[:1]["Visits"].ancestors) == ["People", "Households"]


def test_a_chain_2000_deep() -> None:
    """Depth costs no recursion: neither building, nor relations, nor pickling."""
    chain = {f"T{i}": f"T{i - 1}" if i else "" for i in range(2000)}
    tables = catalogue_of(tree_items(dict(reversed(chain.items())))).tables
    bottom, top = tables["T1999"], tables["T0"]
    assert (bottom.depth, top.depth) == (1999, 0)
    assert names(bottom.ancestors) == [f"T{i}" for i in reversed(range(1999))]
    assert names(top.descendants) == [f"T{i}" for i in range(1, 2000)]
    assert top < bottom
    assert bottom.is_descendant(tables["T1000"])
    assert pickle.loads(pickle.dumps(bottom)).ancestor_names == bottom.ancestor_names
    assert "2,000 tables" in repr(tables)


def test_tables_of_two_systems_compare_by_name() -> None:
    """Tables read twice are the same by name, and so are their relations."""
    first, second = family(), family()
    assert first["People"] == second["People"]
    assert hash(first["People"]) == hash(second["People"])
    assert first["Households"] < second["Policies"]
    other = catalogue_of(tree_items({"Elsewhere": ""})).tables["Elsewhere"]
    assert not first["People"].is_related(other, allow_same=True)
    assert not other.is_related(first["People"], allow_same=True)


@pytest.mark.parametrize(
    "compare",
    [
        *(operator.lt, operator.le, operator.gt, operator.ge),
        *(Table.is_same, Table.is_ancestor, Table.is_descendant, Table.is_related),
    ],
)
@pytest.mark.parametrize("other", ["People", 1, None])
def test_tables_are_in_no_order_with_other_things(compare: Any, other: Any) -> None:
    """Comparing a table with its name, or the like, says what is wanted; equality is False."""
    table = family()["People"]
    with pytest.raises(TypeError, match=r'with tables, .* as session\.tables\["') as caught:
        compare(table, other)
    assert not re.search(r"\b_\w", str(caught.value))
    assert table != other


# One object for each table


def objects_of(home: Catalogue | Session) -> list[Table]:
    """The table People, had in each way there is."""
    tables, variables = home.tables, home.variables
    people = tables["People"]
    (bookings,) = tables.filter(name="Bookings")
    parent = bookings.parent
    assert parent
    return [
        *(tables["People"], tables.get("People"), tables[1], tables[-8], tables[:3]["People"]),
        *(table for table in tables if table.name == "People"),
        *(tables.filter(is_people=True)["People"], tables.filter(is_people=True)[0]),
        *tables[1:2][::-1],
        *(variables["peOccu"].table, variables.filter(name="peOccu")[0].table),
        *(next(iter(people.variables)).table, people.variables["peOccu"].table),
        *(parent, *bookings.ancestors[:1], *home.master_table.children),
        *home.master_table.descendants[:1],
    ]


def test_a_table_is_one_object() -> None:
    """Within a catalogue, and within a session, each table is one object, wherever it is from."""
    with DemoServer() as server, server.login() as session:
        for home, owner in ((session, session), (session.catalogue, None)):
            found = objects_of(home)
            assert [table for table in found if table is not found[0]] == []
            assert found[0].session is owner
            assert home.master_table is found[0].parent
            bookings = home.tables["Bookings"]
            costs = [v for v in home.variables if v.table is bookings]
            assert costs == list(bookings.variables)
        assert session.tables["People"] is not session.catalogue.tables["People"]
        people = session.tables["People"]
        session.renew(server.password)
        assert session.tables["People"] is people


@settings(max_examples=up_to(30))
@given(catalogues(max_variables=8), st.data())
def test_a_table_is_one_object_in_any_part(catalogue: Catalogue, data: st.DataObject) -> None:
    """Whatever part of whatever tables: its rows are those of the whole, in the part's order."""
    part, names = catalogue.tables, [table.name for table in catalogue.tables]
    for _ in range(data.draw(st.integers(1, 3))):
        if data.draw(st.booleans()):
            chosen = data.draw(st.slices(len(part)))
            part, names = part[chosen], names[chosen]
        else:
            wanted = data.draw(st.sets(st.sampled_from(names))) if names else set()
            part = part.filter(pl.col("name").is_in(list(wanted)))
            names = [name for name in names if name in wanted]
    assert part.arrow["name"].to_pylist() == names == [table.name for table in part]
    assert all(table is catalogue.tables[table.name] for table in part)
    assert all(part[name] is part[place] for place, name in enumerate(names))
    for variable in catalogue.variables:
        assert (variable.table in part) is (variable.table_name in names)


def test_a_table_is_one_object_after_pickling() -> None:
    """Frames and rows that come back from pickle are linked with each other alone."""
    tables = family()
    part = pickle.loads(pickle.dumps(tables[:3]))
    assert part == tables[:3]
    visits, bookings, _ = part
    assert visits.parent is bookings.parent
    assert visits.parent.children[0] is visits
    row = pickle.loads(pickle.dumps(tables["Visits"]))
    assert row == tables["Visits"]
    assert row.parent.children[0] is row
    assert row.parent is not tables["People"]
    assert copy.copy(row) is row


def test_a_table_is_one_object_in_many_threads() -> None:
    """Threads that ask at the same time for tables of a new catalogue get the same ones."""
    names = list(FAMILY)
    for _ in range(20):
        tables = family()
        start = threading.Barrier(8)

        def ask(tables: Tables = tables, start: threading.Barrier = start) -> list[Table]:
            start.wait()
            return [tables[name] for name in names]

        with ThreadPoolExecutor(8) as pool:
            lists = [task.result() for task in [pool.submit(ask) for _ in range(8)]]
        assert {tuple(map(id, found)) for found in lists} == {tuple(map(id, lists[0]))}


# Scripts written for apteco


FORMER = {
    "singular_display_name": "singular",
    "plural_display_name": "plural",
    "is_default_table": "is_default",
    "is_people_table": "is_people",
    "child_relationship_name": "child_relationship",
    "parent_relationship_name": "parent_relationship",
    "has_child_tables": "has_children",
}


@pytest.mark.parametrize("former", FORMER)
def test_former_names(former: str) -> None:
    """They work, with a warning that names the new name, at the caller's line."""
    people = family()["People"]
    with pytest.warns(DeprecationWarning, match=rf"{former} .*use {FORMER[former]}") as caught:
        value = getattr(people, former)
    assert value == getattr(people, FORMER[former])
    assert [warning.filename for warning in caught] == [__file__]
    assert former not in dir(people)


SELECTIONS = r"selections.* stay with `apteco`.*Session\.deserialize\(session\.serialize\(\)\)"


@pytest.mark.parametrize("name", ["count", "cube", "datagrid"])
def test_tables_have_nothing_that_builds_selections(name: str) -> None:
    """Methods of apteco are AttributeErrors, one sentence each; so ``hasattr`` says False."""
    people = family()["People"]
    assert not hasattr(people, name)
    with pytest.raises(AttributeError, match=SELECTIONS):
        getattr(people, name)
    with pytest.raises(AttributeError, match="'Table' object has no attribute 'nome'"):
        getattr(people, "nome")  # noqa: B009


def test_tables_are_not_multiplied() -> None:
    """Where a selection would change its table, a TypeError says where selections are."""
    people: Any = family()["People"]
    for pair in ((people, True), (False, people), (people, people), (people, object())):
        with pytest.raises(TypeError, match=SELECTIONS):
            operator.mul(*pair)


def test_a_table_contains_its_variables() -> None:
    """``in`` and ``get`` take what ``table[key]`` takes; and rows."""
    catalogue = holidays()
    bookings, people = catalogue.tables["Bookings"], catalogue.tables["People"]
    cost = catalogue.variables["Cost"]
    for key in ("Cost", "boCost", cost):
        assert key in bookings
        assert key not in people
    assert bookings.get("Cost") == bookings.get("boCost") == cost
    assert people.get("Cost") is None
    assert people.get("Cost", "nothing") == "nothing"
    assert 3 not in bookings
    assert bookings in catalogue.tables
    assert bookings in people.descendants


def test_equal_tables_are_one_key() -> None:
    """Tables can be counted in sets and looked up in dictionaries."""
    tables = family()
    assert len({*tables, *family(), tables["People"]}) == len(FAMILY)
    assert {table: table.name for table in tables}[family()["Visits"]] == "Visits"


# Variables of a table


@settings(max_examples=up_to(30))
@given(catalogues())
def test_variables_of_each_table_of_any_system(catalogue: Catalogue) -> None:
    """Together the tables have each variable once, on the table that it names."""
    for table in catalogue.tables:
        expected = [v for v in catalogue.variables if v.table_name == table.name]
        assert list(table.variables) == expected
        assert table.variable_count == len(table.variables) == len(expected)
        assert all(variable.table == table for variable in table.variables)


def test_a_table_looks_its_own_variables_up() -> None:
    """``table[key]`` takes a name or description of a variable on that table, and no other."""
    catalogue = catalogue_of(
        tree_items({"M": "", "A": "M"}),
        [
            variable_item("mName", "M", description="Name"),
            variable_item("aName", "A", description="Name"),
            variable_item("aCost", "A", description="Cost"),
        ],
    )
    master, child = catalogue.tables
    assert (master["Name"].name, child["Name"].name) == ("mName", "aName")
    assert child["aCost"] == catalogue.variables["Cost"]
    with pytest.raises(UnknownKeyError, match="'Cost'"):
        master["Cost"]
    with pytest.raises(TypeError):
        iter(master)  # type: ignore[call-overload]
