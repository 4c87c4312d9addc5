"""Tables as they are listed: which lists of tables warn, and which are refused."""

from __future__ import annotations

import time
import warnings

import pytest
from hypothesis import given, settings
from lanes import up_to
from strategies import Item, catalogue_of, table_item, table_trees, tree_items

from apteco_frames.errors import AptecoFramesError, CatalogueWarning, TablesError

# Lists of tables that are no tree

REFUSED: dict[str, tuple[list[Item], list[str], list[str]]] = {
    "two masters": (tree_items({"One": "", "Two": "", "Child": "Two"}), ["One", "Two"], ["Child"]),
    "a cycle": (tree_items({"M": "", "Hen": "Egg", "Egg": "Hen"}), ["Hen", "Egg"], ["M"]),
    "its own parent": (tree_items({"M": "", "Self": "Self"}), ["Self"], ["M"]),
    "an orphan": (
        [table_item("M", "", True), table_item("Lost", "Gone"), table_item("Child", "M")],
        ["Lost", "Gone"],
        ["Child"],
    ),
    "a name twice": (
        [*tree_items({"M": "", "Twin": "M", "Child": "M"}), table_item("Twin", "M")],
        ["Twin"],
        ["Child"],
    ),
}


@pytest.mark.parametrize(("items", "named", "unnamed"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_tree_is_refused(
    items: list[Item], named: list[str], unnamed: list[str]
) -> None:
    """The error names the tables at fault and no others, the system, and what to do."""
    for order in (items, items[::-1]):
        with pytest.raises(TablesError) as caught:
            catalogue_of(order, name="brochure")
        message = str(caught.value)
        assert isinstance(caught.value, AptecoFramesError)
        assert [name for name in named if f"'{name}'" not in message] == []
        assert [name for name in unnamed if f"'{name}'" in message] == []
        assert "system 'brochure'" in message
        assert "Try again" in message


HIDDEN: dict[str, tuple[list[Item], list[str], list[str]]] = {
    "children that are not listed": (
        [table_item("M", "", True), table_item("Barren", "M", True)],
        ["Barren"],
        ["M"],
    ),
    "children that are denied": (
        [table_item("M", "", False), table_item("Child", "M", False)],
        ["M"],
        ["Child"],
    ),
    "both": (
        [
            table_item("M", "", False),
            table_item("Child", "M", False),
            table_item("Barren", "M", True),
        ],
        ["M", "Barren"],
        ["Child"],
    ),
}


@pytest.mark.parametrize(("items", "named", "unnamed"), HIDDEN.values(), ids=HIDDEN)
def test_children_that_are_hidden_warn(
    items: list[Item], named: list[str], unnamed: list[str]
) -> None:
    """One warning, at the line that loads, names the tables; all is kept as the API sent it."""
    for order in (items, items[::-1]):
        with pytest.warns(CatalogueWarning) as caught:
            catalogue = catalogue_of(order, name="brochure")
        (warning,) = caught
        message = str(warning.message)
        assert [name for name in named if f"'{name}'" not in message] == []
        assert [name for name in unnamed if f"'{name}'" in message] == []
        assert "system 'brochure'" in message
        flags = {item["name"]: item["hasChildTables"] for item in items}
        assert {table.name: table.has_children for table in catalogue.tables} == flags
        for table in catalogue.tables:
            below = sorted(item["name"] for item in items if item["parentTable"] == table.name)
            assert sorted(child.name for child in table.children) == below


@pytest.mark.parametrize(("number", "is_read"), [(1_000, True), (4_000, False), (20_000, False)])
def test_chains_have_a_limit(number: int, is_read: bool) -> None:
    """Tables that are deeper within each other than any system's are refused, soon and in words."""
    items = [table_item(f"T{i}", f"T{i - 1}" if i else "", i < number - 1) for i in range(number)]
    started = time.thread_time()
    if is_read:
        assert len(catalogue_of(items).tables[-1].ancestors) == number - 1
    else:
        with pytest.raises(TablesError, match=r"nested too deeply: 'T3162' has 3,162 ancestors"):
            catalogue_of(items)
    assert time.thread_time() - started < 10  # seconds; 0.3 as measured


def test_many_tables_take_a_time_that_grows_with_them() -> None:
    """Whether children are listed as the API says is checked in one pass."""
    number = 20_000
    items = [
        table_item(f"T{i}", f"T{i // 2 - 1 if i > 1 else 0}" if i else "", True)
        for i in range(number)
    ]
    started = time.thread_time()
    with pytest.warns(CatalogueWarning, match="tables below"):
        catalogue = catalogue_of(items)
    assert len(catalogue.tables) == number
    assert time.thread_time() - started < 10  # seconds; 0.7 as measured, and 11 once


def test_many_hidden_children_are_not_all_named() -> None:
    """The warning names up to ten tables, and stays short for long names."""
    many = [table_item("M", "", True), *(table_item(f"T{i}", "M", True) for i in range(500))]
    with pytest.warns(CatalogueWarning, match=r"'T9' and 490 more"):
        catalogue_of(many)
    with pytest.warns(CatalogueWarning) as caught:
        catalogue_of([table_item("y" * 10_000, "", True)])
    assert len(str(caught[0].message)) < 600


def test_contradictions_of_another_kind_are_only_errors() -> None:
    """Where the tables form no tree, nothing is said of hidden children."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TablesError):
            catalogue_of([table_item("M", "", True), table_item("Hen", "Hen", False)])


def test_no_tables_at_all() -> None:
    """A system without tables is refused with a sentence that says so."""
    with pytest.raises(TablesError, match=r"^The API lists no tables; perhaps the user may"):
        catalogue_of([])


def test_no_master_table() -> None:
    """Without a master table, the error names tables that were found."""
    with pytest.raises(TablesError, match="'Hen'"):
        catalogue_of(tree_items({"Hen": "Egg", "Egg": "Hen"}))


def test_tables_below_a_cycle_are_not_their_own_ancestors() -> None:
    """Only the tables of the cycle are said to be their own ancestors."""
    with pytest.raises(TablesError) as caught:
        catalogue_of(tree_items({"M": "", "Hen": "Egg", "Egg": "Hen", "Chick": "Hen"}))
    assert "'Chick'" not in str(caught.value)


def test_many_tables_at_fault_are_not_all_named() -> None:
    """The message stays short when hundreds of tables are wrong, and when names are long."""
    many = tree_items({f"Table {i}": "" for i in range(500)})
    with pytest.raises(TablesError, match="490 more") as caught:
        catalogue_of(many)
    assert len(str(caught.value)) < 1000
    with pytest.raises(TablesError) as caught:
        catalogue_of(tree_items({"y" * 10_000: "", "z" * 10_000: ""}))
    assert len(str(caught.value)) < 1000


def test_long_names_of_orphans_are_clipped() -> None:
    """The message stays short when an orphan's name is long."""
    with pytest.raises(TablesError) as caught:
        catalogue_of([table_item("M"), table_item("y" * 10_000, "z" * 10_000)])
    assert len(str(caught.value)) < 1000


@settings(max_examples=up_to(40))
@given(table_trees(min_tables=2))
def test_any_tree_with_one_link_broken_is_refused(items: list[Item]) -> None:
    """Moving a table below nothing, below itself, or below the unknown leaves no tree."""
    position = next(i for i, item in enumerate(items) if item["parentTable"])
    for parent in ("", items[position]["name"], items[position]["name"] + "?"):
        if parent not in {item["name"] for item in items} - {items[position]["name"]}:
            broken = [*items]
            broken[position] = {**items[position], "parentTable": parent}
            with pytest.raises(TablesError):
                catalogue_of(broken)
