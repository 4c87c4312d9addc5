"""The modules of the ``apteco`` package: which of their names are here, and which stay there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

STAYS = (
    "selections, counts, cubes and data grids stay with `apteco`, to which "
    "apteco.Session.deserialize(session.serialize()) hands the session over."
)
"""The end of a sentence for those who look for something that is not here."""

_COUNTING = frozenset(
    {
        # apteco.cube and apteco.datagrid
        *("Cube", "DataGrid"),
        # apteco.statistics
        *("Statistic", "Sum", "Mean", "Populated", "Min", "Max", "Median", "Mode", "Variance"),
        *("StdDev", "LowerQuartile", "UpperQuartile", "InterQuartileRange", "CountDistinct"),
        "CountMode",
        # apteco.query
        *("APIController", "Selection", "SelectionCount", "TableMixin", "logic_clause"),
        *("InvalidValuesError", "OperationError", "SelectorClauseMixin", "LogicClauseMixin"),
        *("Clause", "CriteriaClause", "SelectorClause", "CombinedCategoriesClause"),
        *("NumericClause", "TextClause", "ArrayClause", "FlagArrayClause", "DateListClause"),
        *("DateRangeClause", "TimeRangeClause", "DateTimeRangeClause", "ReferenceClause"),
        *("BooleanClause", "TableClause", "SubSelectionClause", "BaseLimitClause", "LimitClause"),
        *("TopNClause", "NPerVariableClause", "NPerTableClause"),
        # apteco.variables
        *("CombinedCategoriesVariable", "DateAccessor"),
    }
)
_LOGGING_IN = frozenset(
    {
        *("Credentials", "SimpleLoginAlgorithm"),
        *("InitializeTablesAlgorithm", "InitializeVariablesAlgorithm"),
    }
)


def attributes(module: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module that has the name of one of ``apteco``.

    Args:
        module: its name.
        homes: names that it has there and that are elsewhere here, with where they are below
            ``apteco_frames``, such as ``logins.login``; imported on first use.

    >>> attributes("apteco_frames.session", {"Table": "tables.Table"})("Table").__module__
    'apteco_frames.tables'
    """

    def get(name: str) -> Any:
        if name in homes:
            home, _, own = homes[name].rpartition(".")
            return getattr(import_module(f"apteco_frames.{home}"), own)
        raise not_here(module, name)

    return get


def not_here(module: str, name: str) -> Exception:
    """The error for a name that a module does not have.

    What ``apteco`` has is an ``ImportError``: ``from ... import`` puts a text without the hint
    in place of any ``AttributeError``.
    """
    if name in _COUNTING:
        return ImportError(f"{module} has no {name}: {STAYS}", name=module)
    if name in _LOGGING_IN:
        return ImportError(
            f"{module} has no {name}: a session is made by login() or login_with_password().",
            name=module,
        )
    return AttributeError(f"module {module!r} has no attribute {name!r}")
