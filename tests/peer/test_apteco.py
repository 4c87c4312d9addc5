"""``apteco`` 0.8.2 and ours see the same system, attribute by attribute."""

from __future__ import annotations

import logging
from typing import Any

import apteco.exceptions
import pytest
from hypothesis import HealthCheck, given, settings
from lanes import up_to
from peer.clients import apteco_session, systems, theirs_and_ours
from peer.judge import Judge
from strategies import Item, catalogue_of, tree_items, variable_item

from apteco_frames import Session
from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import DemoServer
from apteco_frames.errors import AmbiguousKeyError


def test_holidays_is_the_same_system(judge: Judge, theirs: Any, ours: Session) -> None:
    """Session, tables and variables of the demo system agree in every attribute."""
    judge.sessions(theirs, ours)
    assert (len(theirs.tables), len(theirs.variables)) == (9, 94)


@settings(max_examples=up_to(20), suppress_health_check=[HealthCheck.too_slow])
@given(systems(max_tables=6, max_variables=15))
def test_generated_systems_are_the_same(judge: Judge, catalogue: Catalogue) -> None:
    """Session, tables and variables of any system that apteco can load agree as well."""
    with DemoServer(catalogue) as server, theirs_and_ours(server) as (theirs, ours):
        judge.sessions(theirs, ours)


def test_every_kind_that_apteco_knows_is_the_same(judge: Judge) -> None:
    """One variable of each determinant of apteco's own table has the same class in both."""
    selectors = [
        ("Categorical", "SingleValue", None),
        ("Categorical", "SingleValue", "peOther"),
        ("Categorical", "OrArray", None),
        ("Categorical", "OrArray", "peOther"),
        ("Categorical", "OrBitArray", None),
        ("Categorical", "OrBitArray", "peOther"),
        ("Date", "SingleValue", None),
        ("Date", "OrBitArray", None),
        ("DateTime", "SingleValue", None),
    ]
    items = [selector(f"pe{number}", *determinant) for number, determinant in enumerate(selectors)]
    items += [variable_item(f"pe{kind}", kind=kind) for kind in ("Numeric", "Text", "Reference")]
    catalogue = catalogue_of(variable_items=items)
    with DemoServer(catalogue) as server, theirs_and_ours(server) as (theirs, ours):
        judge.sessions(theirs, ours)
        assert len(theirs.variables) == 12


def test_a_list_longer_than_a_page_is_the_same(judge: Judge) -> None:
    """The variables of apteco's second page of 1,000 are in the same places."""
    items = [variable_item(f"pe{number}") for number in range(1_001)]
    with (
        DemoServer(catalogue_of(variable_items=items)) as server,
        theirs_and_ours(server) as (theirs, ours),
    ):
        for name in ("name", "description"):
            values = ([getattr(v, name) for v in s.variables] for s in (theirs, ours))
            judge.equal(f"variables: {name}s", *values)
        assert len(theirs.variables) == 1_001


def test_the_documented_loop_prints_the_same(judge: Judge, theirs: Any, ours: Session) -> None:
    """The documentation's two loops give the same lines from either session."""
    for session_lines in (_table_lines, _date_lines):
        judge.equal("Session: the documented loops", session_lines(theirs), session_lines(ours))
    assert _table_lines(ours)[0] == "  742,565 Households"
    assert _date_lines(ours)[2] == "bo1O9ZTR: Busy dates"


def test_a_repeated_description_is_ambiguous_only_for_us() -> None:
    """apteco takes the last variable with the description; ours names both and asks."""
    items = [variable_item(name, description="Cost") for name in ("boCost", "poCost")]
    with (
        DemoServer(catalogue_of(variable_items=items)) as server,
        theirs_and_ours(server) as (theirs, ours),
    ):
        for keys in (theirs.variables, theirs.variables.descs, theirs.tables["People"]):
            assert keys["Cost"].name == "poCost"
        for keys in (ours.variables, ours.variables.descs, ours.tables["People"]):
            with pytest.raises(AmbiguousKeyError, match=r"'boCost'.*'poCost'"):
                keys["Cost"]
        for name in ("boCost", "poCost"):
            assert ours.variables[name].name == name


UNKNOWN_TO_APTECO = [
    (("Categorical", "AndArray", None), "Array"),
    (("Categorical", "AndBitArray", None), "FlagArray"),
    (("Date", "AndBitArray", None), "FlagArray"),
    (("Date", "SingleValue", "peOther"), "Date"),
    (("Date", "OrArray", None), "Unknown"),
    (("DateTime", "OrBitArray", None), "Unknown"),
]


@pytest.mark.parametrize(("determinant", "kind"), UNKNOWN_TO_APTECO)
def test_apteco_drops_what_it_does_not_know(
    determinant: tuple[str, str, str | None], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A combination that apteco lacks is missing from its variables; ours keeps it."""
    items = [variable_item("peKnown"), selector("peOdd", *determinant)]
    with (
        DemoServer(catalogue_of(variable_items=items)) as server,
        caplog.at_level(logging.WARNING),
        theirs_and_ours(server) as (theirs, ours),
    ):
        assert [variable.name for variable in theirs.variables] == ["peKnown"]
        assert "Failed to initialize variable 'peOdd'" in caplog.text
        assert [(v.name, v.type) for v in ours.variables] == [
            ("peKnown", "Selector"),
            ("peOdd", kind),
        ]


def test_a_new_type_stops_apteco_and_not_us() -> None:
    """A type that the vendor's own description lacks makes apteco fail; ours is Unknown."""
    items = [variable_item("peKnown"), variable_item("peNew", kind="Unknown")]
    with DemoServer(catalogue_of(variable_items=items)) as server:
        with pytest.raises(ValueError, match="Invalid value for `type`"), apteco_session(server):
            pass
        with server.login() as ours:
            assert [v.type for v in ours.variables] == ["Selector", "Unknown"]
            assert ours.variables["peNew"].api_type == "Sculpture"


def test_a_table_without_variables_stops_apteco_and_not_us() -> None:
    """apteco can't log in to a system with an empty table; ours has no variables there."""
    tables = tree_items({"People": "", "Bookings": "People"})
    with DemoServer(catalogue_of(tables, [variable_item("peCost")])) as server:
        with (
            pytest.raises(apteco.exceptions.VariablesError, match="No variables found"),
            apteco_session(server),
        ):
            pass
        with server.login() as ours:
            assert len(ours.tables["Bookings"].variables) == 0
            assert [v.name for v in ours.tables["People"].variables] == ["peCost"]


def test_more_than_a_thousand_tables_stop_apteco_and_not_us() -> None:
    """apteco asks for 1,000 tables and no more; ours has them all."""
    names = [f"T{number}" for number in range(1, 1_001)]
    tables = tree_items({"People": "", **dict.fromkeys(names, "People")})
    items = [variable_item(f"v{name}", name) for name in ["People", *names]]
    with DemoServer(catalogue_of(tables, items)) as server:
        with pytest.raises(KeyError), apteco_session(server):
            pass
        with server.login() as ours:
            assert len(ours.tables) == len(ours.tables["People"].children) + 1 == 1_001


def test_rows_can_be_asked_for_by_position_only_here(theirs: Any, ours: Session) -> None:
    """apteco calls its collections list-like, but a number is no key; ours takes it."""
    for theirs_rows, our_rows in (
        (theirs.tables, ours.tables),
        (theirs.variables, ours.variables),
    ):
        with pytest.raises(KeyError):
            theirs_rows[0]
        assert our_rows[0].name == next(iter(theirs_rows)).name


@pytest.mark.parametrize("key", ["", "peoccu", "People ", "Occupation "])
def test_unknown_keys_are_key_errors_in_both(key: str, theirs: Any, ours: Session) -> None:
    """Keys that fit nothing raise KeyError from every collection of either session."""
    for session in (theirs, ours):
        people = session.tables["People"]
        for keys in (
            session.tables,
            people,
            *(
                each
                for variables in (session.variables, people.variables)
                for each in (variables, variables.names, variables.descs, variables.descriptions)
            ),
        ):
            with pytest.raises(KeyError):
                keys[key]


def selector(name: str, sub_type: str, selector_type: str, combined_from: str | None) -> Item:
    """A selector variable of any determinant."""
    kind = "Selector" if sub_type == "Categorical" else "Date"
    item = variable_item(name, kind=kind)
    item["selectorInfo"] |= {
        "subType": sub_type,
        "selectorType": selector_type,
        "combinedFromVariableName": combined_from,
    }
    return item


def _table_lines(session: Any) -> list[str]:
    return [f"{table.total_records:>9,} {table.plural}" for table in session.tables]


def _date_lines(session: Any) -> list[str]:
    return [
        f"{var.name:>8}: {var.description}"
        for var in session.variables
        if "date" in var.description.lower()
    ]
