"""Variables as they are listed: which warn, and which are refused."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from strategies import Item, catalogue_of, tree_items, variable_item

from apteco_frames import Session
from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.errors import CatalogueWarning, VariablesError
from apteco_frames.variables import VariableType

KINDS = [kind.value for kind in VariableType]


def warnings_of(*items: Item) -> list[str]:
    """What a load of these variables warns of, each time at the line that loads."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        catalogue_of(None, items, name="brochure")
    assert all(issubclass(warning.category, CatalogueWarning) for warning in caught)
    return [str(warning.message) for warning in caught]


def test_unknown_kinds_warn_once() -> None:
    """One warning for a load names up to ten variables and what the API says of their kind."""
    new = variable_item("b", kind="Unknown")
    odd = variable_item("c")
    odd["selectorInfo"] |= {"selectorType": "Tree"}
    (message,) = warnings_of(variable_item("a"), new, odd, variable_item("d", type=""))
    assert "'b' (Sculpture), 'c' (Selector, Categorical, Tree), 'd' (" in message
    assert "'a'" not in message
    assert "system 'brochure'" in message
    assert "newer version of apteco_frames" in message
    (message,) = warnings_of(*(variable_item(f"v{i}", kind="Unknown") for i in range(1_012)))
    assert [name for name in range(1_012) if f"'v{name}'" in message] == list(range(10))
    assert "and 1,002 more" in message
    (message,) = warnings_of(variable_item("" * 10_000, type="" * 10_000))
    assert message.isprintable()
    assert len(message) < 500


def test_known_kinds_do_not_warn() -> None:
    """Nothing is said where everything is as expected."""
    assert warnings_of(*(variable_item(k, kind=k) for k in KINDS if k != "Unknown")) == []
    assert warnings_of() == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        holidays()


def test_the_warning_names_the_line_that_logs_in(tmp_path: Path) -> None:
    """Each load warns once, at the user's own line: login, reading a file, restoring."""
    served = catalogue_of(None, [variable_item("b", kind="Unknown")])
    served.write_parquet(tmp_path)
    with DemoServer(served) as server:
        with pytest.warns(CatalogueWarning) as caught:
            session = server.login()
        loads = [caught]
        text = session.serialize(include_catalogue=True)
        with pytest.warns(CatalogueWarning) as caught:
            Session.deserialize(text)
        session.logout()
    loads.append(caught)
    with pytest.warns(CatalogueWarning) as caught:
        Catalogue.read_parquet(tmp_path)
    for load in (*loads, caught):
        assert [warning.filename for warning in load] == [__file__]


# Lists of variables that don't fit


def test_a_variable_of_an_unknown_table_is_refused() -> None:
    """The error names the variable, the table and the system."""
    items = [variable_item("good"), variable_item("stray", "Peeple")]
    with pytest.raises(VariablesError, match=r"'stray'.*'Peeple'.*system 'brochure'") as caught:
        catalogue_of(None, items, name="brochure")
    assert "'good'" not in str(caught.value)
    many = [variable_item("good"), *(variable_item(f"stray{i}", "Peeple") for i in range(3))]
    with pytest.raises(VariablesError, match=r"'stray0'.*'Peeple'"):
        catalogue_of(None, many)


def test_a_name_that_comes_twice_is_refused() -> None:
    """Two variables of one name are refused, on one table or on two, and the name is told."""
    tables = tree_items({"People": "", "Bookings": "People"})
    for place in ("People", "Bookings"):
        items = [variable_item("twin"), variable_item("only"), variable_item("twin", place)]
        with pytest.raises(VariablesError, match="'twin'") as caught:
            catalogue_of(tables, items)
        assert "'only'" not in str(caught.value)


def test_messages_stay_short_for_long_names() -> None:
    """Ten thousand characters in a name don't make the error unreadable."""
    long = "x" * 10_000
    for items in ([variable_item(long, "y" * 10_000)], [variable_item(long), variable_item(long)]):
        with pytest.raises(VariablesError) as caught:
            catalogue_of(None, items)
        assert len(str(caught.value)) < 500
