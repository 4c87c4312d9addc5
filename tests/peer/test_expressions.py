"""Expressions of scripts: the same in ``apteco`` 0.8.2 and here, or told apart on purpose."""

from __future__ import annotations

import json
import pickle
import re
from datetime import date
from typing import Any

import apteco.query
import pytest
from apteco.tables import Table
from peer.judge import Judge, plain

from apteco_frames import Session

SAME = """
s.tables["People"] is s.tables["People"]
s.tables["People"] == s.tables["People"]
s.tables["People"] is s.tables["Bookings"]
s.tables["People"] is list(s.tables)[1]
s.tables["Households"] is s.master_table
s.master_table is s.master_table
s.tables["Bookings"] is bookings
s.variables["Cost"].table is bookings
s.variables["Cost"].table is people
[v.name for v in s.variables if v.table is bookings]
[v.name for v in s.variables if v.table == bookings]
[v.name for v in s.variables if v.table in (people, bookings)]
[v.name for v in s.variables if v.table_name == "Bookings"]
[v.name for v in s.variables if v.table is s.master_table]
[v.name for v in bookings.variables if v.table is not bookings]
all(v.table is t for t in s.tables for v in t.variables)
people.parent is s.master_table
people.parent.parent
people.parent.parent is None
people in people.parent.children
people.parent.children[0] is people
bookings.ancestors[0] is people
bookings.ancestors[-1] is s.master_table
s.master_table.descendants[0] is people
s.master_table.ancestors
bookings.children
[t.name for t in people.children]
[t.name for t in people.ancestors]
[t.name for t in people.descendants]
[t.name for t in s.tables if t.parent is people]
[t.name for t in s.tables if not t.has_children]
[t.name for t in s.tables if t < bookings]
[t.name for t in s.tables if t > people]
[t.name for t in s.tables if t <= people]
[t.name for t in s.tables if t >= people]
[t.name for t in s.tables if t != people]
[t.name for t in s.tables if people < t]
[t.name for t in s.tables if t.is_related(bookings)]
[t.name for t in s.tables if t.is_related(bookings, allow_same=True)]
[t.name for t in s.tables if t.is_ancestor(bookings, True)]
[t.name for t in s.tables if t.is_descendant(people, allow_same=False)]
people.is_same(s.variables["Surname"].table)
people.is_same(other=bookings)
max(bookings.ancestors).name
min(bookings.ancestors).name
sorted([bookings, people, s.master_table])[0].name
people == bookings
people != bookings
people < bookings
bookings < people
people <= people
people >= people
people > bookings
bookings > people
not (people < people)
people in s.tables
people in list(s.tables)
bookings in people.descendants
len(s.tables)
len(s.variables)
len(people.variables)
len(list(s.tables))
sum(t.total_records for t in s.tables)
bool(s.tables)
bool(s.variables)
[t.name for t in s.tables]
[v.name for v in s.variables]
[v.description for v in s.variables]
[v.name for v in people.variables]
[type(v).__name__ for v in s.variables]
sorted({v.type for v in s.variables})
all(v.type in ("Selector", "Numeric", "Text") for v in people.variables)
{t.name: len(t.variables) for t in s.tables}
{v.name: v for v in s.variables}["boCost"].description
dict((t.name, t) for t in s.tables)["People"] is people
list(s.variables.names)
list(s.variables.descs)
list(s.variables.descriptions)
list(people.variables.names)
"boCost" in s.variables.names
"Cost" in s.variables.names
"Cost" in s.variables.descs
"Cost" in people.variables.descs
"Surname" in people.variables.descriptions
s.variables["boCost"].name
s.variables["Cost"].name
s.variables.names["boCost"].name
s.variables.descs["Cost"].name
s.variables.descriptions["Cost"].name
bookings["Cost"].name
bookings["boCost"].name
bookings.variables["Cost"].name
bookings.variables.names["boCost"].name
people["Cost"]
people.variables["Cost"]
s.tables["people"]
s.variables.names["Cost"]
s.variables.descs["boCost"]
s.variables["Cost"].type
s.variables["Cost"].type == "Numeric"
str(s.variables["Cost"].type.value)
s.variables["Cost"].type.name
s.variables["Cost"].min_value
s.variables["Cost"].max_value
s.variables["Cost"].is_currency
s.variables["Cost"].currency_symbol
s.variables["Cost"].currency_locale
s.variables["Cost"].folder_name
s.variables["Cost"].is_selectable
s.variables["Cost"].is_virtual
s.variables["Cost"].session is s
s.variables["Cost"].max_length
s.variables["Cost"].nothing
s.variables["Surname"].max_length
s.variables["Surname"].min_value
s.variables["Destination"].num_codes
s.variables["Destination"].code_length
s.variables["Destination"].var_code_order
s.variables["Destination"].var_code_min_count
s.variables["Destination"].var_code_max_count
s.variables["Destination"].min_date
s.variables["Booking Date"].min_date
s.variables["Booking Date"].max_date.year
hasattr(s.variables["Cost"], "max_value")
hasattr(s.variables["Cost"], "max_date")
hasattr(s.variables["Booking Date"], "min_date")
hasattr(people, "nothing")
getattr(people, "nothing", 3)
people.nothing
people.name
people.singular
people.plural
people.is_default
people.is_people
people.total_records
people.child_relationship
people.parent_relationship
people.has_children
people.parent_name
people.session is s
f"{people.total_records:,} {people.plural}"
s.base_url
s.data_view
s.system
s.user
s.user.username
s.user._fields
s.user._asdict()
s.system_info.name
s.system_info.build_date
s.system_info._fields
s.system_info.view_name
sorted(json.loads(s.serialize()))
len(s.session_id) > 0
s.nothing
"""

FORMER = """
people.singular_display_name
people.plural_display_name
people.is_default_table
people.is_people_table
people.child_relationship_name
people.parent_relationship_name
people.has_child_tables
s.variables["Cost"].max
s.variables["Cost"].min
"""

# There an error or an accident, here what it looks like.
ONLY_HERE = {
    "s.tables[0].name": "'Households'",
    "s.tables[-1].name": "'Responses Attributed'",
    "[t.name for t in s.tables[:2]]": "['Households', 'People']",
    "len(s.variables[10:20])": "10",
    "s.tables.get('People') is people": "True",
    "s.tables.get('Pepole')": "None",
    "s.variables.get('Cost').name": "'boCost'",
    "s.variables.names.get('boCost').name": "'boCost'",
    "len(s.variables.names)": "94",
    "bookings.get('Cost').name": "'boCost'",
    "people.get('Cost')": "None",
    "'Cost' in bookings": "True",
    "'Cost' in people": "False",
    "'People' in s.tables": "True",
    "{people: 1}[people]": "1",
    "len({*s.tables, people})": "9",
    "cost in people.variables": "False",
    "dest.combined_from": "None",
    "people.to_dict()['name']": "'People'",
    "cost.to_dict()['max_value'] == cost.max_value": "True",
    "pickle.loads(pickle.dumps(people)).name": "'People'",
    "pickle.loads(pickle.dumps(cost)).table.name": "'Bookings'",
}

# There a part of a selection; the only error here that it may be.
STAYS: dict[str, type[Exception]] = {
    "cost > 200": TypeError,
    "cost >= 200": TypeError,
    "cost < 200.5": TypeError,
    "cost <= 200": TypeError,
    "200 < cost": TypeError,
    "surname > 'M'": TypeError,
    "surname <= 'M'": TypeError,
    "bdate >= date(2020, 1, 1)": TypeError,
    "bdate <= date(2020, 1, 1)": TypeError,
    "people * (dest == '29')": TypeError,
    "(dest == '29') * people": TypeError,
    "(cost > 200) & (dest == '29')": TypeError,
    "surname.equals('Smith')": AttributeError,
    "surname.contains('mit')": AttributeError,
    "surname.startswith('S')": AttributeError,
    "surname.endswith('h')": AttributeError,
    "surname.before('M')": AttributeError,
    "surname.after('M')": AttributeError,
    "surname.between('A', 'M')": AttributeError,
    "surname.matches('S*')": AttributeError,
    "cost.missing()": AttributeError,
    "bdate.year": AttributeError,
    "bdate.quarter": AttributeError,
    "bdate.month": AttributeError,
    "bdate.day": AttributeError,
    "people.count": AttributeError,
    "people.datagrid": AttributeError,
    "people.cube": AttributeError,
}

# There a selection, here a comparison, as everywhere in Python.
COMPARES = [
    "cost == 200",
    "cost != 200",
    "dest == '29'",
    "dest == ['29', '30']",
    "surname == 'Smith'",
    "surname != 'Smith'",
    "bdate == date(2020, 1, 1)",
]


def value_of(expression: str, session: Any) -> Any:
    """What a line of a script gives, with the names that its lines share."""
    names = {
        "s": session,
        "people": session.tables["People"],
        "bookings": session.tables["Bookings"],
        "cost": session.variables["Cost"],
        "dest": session.variables["Destination"],
        "surname": session.variables["Surname"],
        "bdate": session.variables["Booking Date"],
        **{"json": json, "pickle": pickle, "date": date},
    }
    return eval(expression, names)


def outcome_of(expression: str, session: Any) -> Any:
    """The value, or the error's kind as scripts catch it."""
    try:
        return plain(value_of(expression, session))
    except (KeyError, AttributeError, TypeError) as error:
        kinds = [kind for kind in type(error).__mro__ if kind.__module__ == "builtins"]
        return kinds[0]


def lines_of(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("expression", lines_of(SAME))
def test_the_same(judge: Judge, theirs: Any, ours: Session, expression: str) -> None:
    """A script's line gives the same value, or the same error, from either session."""
    values = (outcome_of(expression, session) for session in (theirs, ours))
    judge.equal("expressions of scripts", *values)


@pytest.mark.parametrize("expression", lines_of(FORMER))
def test_former_names_warn(judge: Judge, theirs: Any, ours: Session, expression: str) -> None:
    """A name that apteco has given up gives the same value, with a warning that says the same."""
    values, new_names = [], []
    for session in (theirs, ours):
        with pytest.warns(DeprecationWarning, match="use") as caught:
            values.append(outcome_of(expression, session))
        (warning,) = caught
        assert warning.filename == "<string>"  # where eval runs the line
        new_names.append(re.findall(r"use '?(\w+)", str(warning.message)))
    judge.equal("expressions with former names", *values)
    judge.equal("expressions with former names: new name", *new_names)


@pytest.mark.parametrize("expression", ONLY_HERE)
def test_only_here(theirs: Any, ours: Session, expression: str) -> None:
    """What apteco cannot do, or does by accident, works."""
    assert repr(outcome_of(expression, ours)) == ONLY_HERE[expression]
    try:
        value = value_of(expression, theirs)
    except Exception:
        return
    assert repr(plain(value)) != ONLY_HERE[expression]


@pytest.mark.parametrize("expression", STAYS)
def test_selections_stay(theirs: Any, ours: Session, expression: str) -> None:
    """What builds a selection there is an error here that says where to build it."""
    assert value_of(expression, theirs) is not None
    with pytest.raises(STAYS[expression], match="stay with `apteco`") as caught:
        value_of(expression, ours)
    hand_over = "apteco.Session.deserialize(session.serialize())"
    assert hand_over in str(caught.value)
    assert str(caught.value).count(". ") <= ("==" in expression)


def test_all_that_builds_selections_is_told(theirs: Any, ours: Session) -> None:
    """Whatever of apteco's tables and variables is not here, says so; nothing was forgotten."""
    for their_row in (*theirs.tables, *theirs.variables):
        rows: Any = ours.tables if isinstance(their_row, Table) else ours.variables.names
        our_row = rows[their_row.name]
        for name in dir(their_row):
            if name.startswith("_") or name == "table" or hasattr(our_row, name):
                continue
            with pytest.raises(AttributeError, match="stay with `apteco`"):
                getattr(our_row, name)


@pytest.mark.parametrize("expression", COMPARES)
def test_equality_with_values_stays(theirs: Any, ours: Session, expression: str) -> None:
    """``==`` with a value gives a selection there, and an error here that says so."""
    assert isinstance(value_of(expression, theirs), apteco.query.Clause)
    with pytest.raises(TypeError, match=r"stay with `apteco`.*variable\.codes"):
        value_of(expression, ours)


def test_attributes_are_in_a_dictionary(theirs: Any, ours: Session) -> None:
    """What ``vars(v)`` gives of an attribute there, ``v.to_dict()`` gives here."""
    for their_variable in theirs.variables:
        ours_dict = ours.variables.names[their_variable.name].to_dict()
        for name, value in vars(their_variable).items():
            if name in ours_dict:
                assert plain(value) == plain(ours_dict[name])
        with pytest.raises(TypeError, match="__dict__"):
            vars(ours.variables[0])
