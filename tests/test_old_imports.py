"""Imports of scripts for ``apteco`` run once ``apteco`` is ``apteco_frames``."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest

import apteco_frames
from apteco_frames import errors, logins, session, system, tables, variables

# As the documentation and the tutorials of ``apteco`` have them, and as scripts import types.
LINES = {
    "from apteco import login": logins.login,
    "from apteco import login_with_password": logins.login_with_password,
    "from apteco import Session": session.Session,
    "from apteco.session import login": logins.login,
    "from apteco.session import login_with_password": logins.login_with_password,
    "from apteco.session import Session": session.Session,
    "from apteco.session import User": session.User,
    "from apteco.session import FastStatsSystem": system.FastStatsSystem,
    "from apteco.session import Table": tables.Table,
    "from apteco.session import TablesAccessor": tables.Tables,
    "from apteco.session import Variable": variables.Variable,
    "from apteco.session import SelectorVariable": variables.SelectorVariable,
    "from apteco.session import DateTimeVariable": variables.DateTimeVariable,
    "from apteco.session import VariablesAccessor": variables.Variables,
    "from apteco.session import TablesError": errors.TablesError,
    "from apteco.tables import Table": tables.Table,
    "from apteco.tables import TablesAccessor": tables.Tables,
    "from apteco.tables import VariablesAccessor": variables.Variables,
    "from apteco.variables import Variable": variables.Variable,
    "from apteco.variables import BaseSelectorVariable": variables.BaseSelectorVariable,
    "from apteco.variables import NumericVariable": variables.NumericVariable,
    "from apteco.variables import VariableType": variables.VariableType,
    "from apteco.variables import VariablesAccessor": variables.Variables,
    "from apteco.variables import VariableNamesAccessor": variables.VariableKeys,
    "from apteco.variables import VariableDescsAccessor": variables.VariableKeys,
    "from apteco.common import VariableType": variables.VariableType,
    "from apteco.exceptions import AptecoException": errors.AptecoFramesError,
    "from apteco.exceptions import AptecoWarning": errors.AptecoFramesWarning,
    "from apteco.exceptions import AptecoDeprecationWarning": DeprecationWarning,
    "from apteco.exceptions import ApiResultsError": errors.ApiResultsError,
    "from apteco.exceptions import DeserializeError": errors.DeserializeError,
    "from apteco.exceptions import TablesError": errors.TablesError,
    "from apteco.exceptions import VariablesError": errors.VariablesError,
    "import apteco; it = apteco.login": logins.login,
    "import apteco.session; it = apteco.session.login": logins.login,
    "import apteco.tables as t; it = t.Table": tables.Table,
    "import apteco.exceptions as e; it = e.TablesError": errors.TablesError,
}


def ran(line: str) -> Any:
    """What the line imports, once ``apteco`` is ``apteco_frames``."""
    names: dict[str, Any] = {}
    exec(line.replace("apteco", "apteco_frames"), names)
    return names.get("it", names.get(line.rpartition(" ")[2]))


@pytest.mark.parametrize("line", LINES)
def test_imports(line: str) -> None:
    """Each name is the one that the package has for it."""
    assert ran(line) is LINES[line]


@pytest.mark.parametrize(
    "line",
    [
        "from apteco_frames import Cube",
        "from apteco_frames import DataGrid",
        "from apteco_frames import TopNClause",
        "from apteco_frames.cube import Cube",
        "from apteco_frames.datagrid import DataGrid",
        "from apteco_frames.query import Selection, TableClause",
        "from apteco_frames.query import logic_clause",
        "from apteco_frames.statistics import Mean",
        "from apteco_frames.session import Cube",
        "from apteco_frames.tables import NPerTableClause",
        "from apteco_frames.variables import SelectorClause",
        "import apteco_frames.query as q; q.BooleanClause",
    ],
)
def test_what_stays_with_apteco(line: str) -> None:
    """What selects and counts is an error that says where it is."""
    with pytest.raises(ImportError, match=r"has no \w+: selections, .* stay with `apteco`"):
        exec(line, {})


@pytest.mark.parametrize("name", ["Credentials", "SimpleLoginAlgorithm"])
def test_what_logs_in(name: str) -> None:
    """What was inside the login says what there is instead."""
    with pytest.raises(ImportError, match=r"a session is made by login\(\)"):
        getattr(session, name)


@pytest.mark.parametrize(
    "module", ["", "session", "tables", "variables", "exceptions", "common", "query"]
)
def test_other_names(module: str) -> None:
    """What neither package has is the usual error."""
    owner = importlib.import_module(f"apteco_frames.{module}".rstrip("."))
    assert not hasattr(owner, "nothing")
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec(f"from {owner.__name__} import nothing", {})
    assert apteco_frames.__all__  # the package is as it was


def test_offline_stays_light() -> None:
    """Old names for what works offline load nothing of the network."""
    program = (
        "import sys\n"
        "from apteco_frames.common import VariableType\n"
        "from apteco_frames.exceptions import AptecoException\n"
        "from apteco_frames.tables import Table, TablesAccessor, VariablesAccessor\n"
        "from apteco_frames.variables import Variable, VariableNamesAccessor\n"
        "print([name for name in ('requests', 'urllib3', 'polars') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
