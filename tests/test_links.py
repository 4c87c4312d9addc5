"""How nouns lead to each other, as programs and type checkers see it."""

from __future__ import annotations

import pickle
from typing import assert_type

from apteco_frames.codes import Code, Codes
from apteco_frames.demo import holidays
from apteco_frames.folders import Folder
from apteco_frames.tables import Table
from apteco_frames.variables import Variable, Variables


def test_ways_down_and_back() -> None:
    """From a table down to a code, and back to the same table; each step has its type."""
    table = assert_type(holidays().tables["Bookings"], Table)
    variables = assert_type(table.variables, Variables)
    variable = assert_type(variables["boDest"], Variable)
    codes = assert_type(variable.codes, Codes)
    code = assert_type(codes[0], Code)
    assert assert_type(code.variable, Variable) == variable
    assert assert_type(code.table, Table) is table
    assert assert_type(variable.table, Table) is table
    folder = assert_type(variable.folder, Folder | None)
    assert folder is not None
    assert variable.name in assert_type(folder.variables, Variables).names
    assert assert_type(table["boDest"], Variable) == variable
    assert assert_type(table.codes, Codes).unavailable == []


def test_the_same_frame_each_time() -> None:
    """The variables of a table, and the codes of variables, are made once."""
    table = holidays().tables["Bookings"]
    assert table.variables is table.variables
    assert table.codes is table.codes
    assert table["boDest"].codes is table["boDest"].codes


def test_links_of_what_was_pickled() -> None:
    """Rows and frames that were pickled together lead to each other in one catalogue."""
    catalogue = holidays()
    whole = catalogue.tables["Bookings"], catalogue.variables["boDest"], catalogue.codes["boDest"]
    table, variable, codes = pickle.loads(pickle.dumps(whole))
    assert variable.table is table
    assert codes[0].table is table
    assert codes == variable.codes
    assert variable.folder == catalogue.variables["boDest"].folder
