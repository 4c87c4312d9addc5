"""The rules for the severity of changes, in one table.

The columns in the table are compared. Others follow from them (``depth``, ``variable_count``,
a code's ``table_name``) and would repeat the same change.

Nothing slow is imported here: the terminal's help shows the table.
"""

from __future__ import annotations

from textwrap import wrap
from typing import NamedTuple

CODE_ORDER = "codes"
"""The column of a change in the order of a variable's codes."""

MOVED, UNCLASSIFIED = "moved", "unclassified_share"
"""The columns of changes in which records moved, and of those of Unclassified."""

_NO_COLUMNS = (CODE_ORDER, MOVED, UNCLASSIFIED)

VIRTUAL = "the variable is virtual: after a rebuild it is gone until refreshed"
FELL = "it fell by more than the fraction ``drop``"
MOVED_MORE = "it is more than the fraction ``moved``; of ``unclassified_share``, what it changed by"
MOVED_SOMEWHAT = "it is more than a fifth of ``moved``"
WITHDRAWN = "the right was withdrawn"
LOST = "the right was withdrawn, and none to export came for it"
UNSAID = "one side has none, as with servers that do not send it"


class Rule(NamedTuple):
    """A rule for the severity of a change.

    Attributes:
        severity: one of ``SEVERITIES``.
        noun: what it happened to, one of ``CHANGED_NOUNS``.
        change: what happened, one of ``CHANGE_KINDS``.
        columns: the columns it applies to; none for whole rows.
        when: the condition, as a clause; empty if there is none.
    """

    severity: str
    noun: str
    change: str
    columns: tuple[str, ...] = ()
    when: str = ""


RULES = (
    Rule("breaking", "table", "removed"),
    Rule("notable", "table", "added"),
    Rule("breaking", "table", "changed", ("parent_name",)),
    Rule("breaking", "table", "changed", ("total_records",), FELL),
    Rule("notable", "table", "changed", ("singular", "plural", "is_default", "is_people")),
    Rule("notable", "table", "changed", ("child_relationship", "parent_relationship")),
    Rule("routine", "table", "changed", ("total_records", "has_children")),
    Rule("notable", "variable", "removed", (), VIRTUAL),
    Rule("breaking", "variable", "removed"),
    Rule("notable", "variable", "added"),
    Rule("breaking", "variable", "changed", ("type", "table_name")),
    Rule("breaking", "variable", "changed", ("api_type", "selector_type", "sub_type")),
    Rule("breaking", "variable", "changed", ("is_selectable", "is_exportable"), WITHDRAWN),
    Rule("breaking", "variable", "changed", ("is_browsable",), LOST),
    Rule("notable", "variable", "changed", ("is_selectable", "is_exportable", "is_browsable")),
    Rule("breaking", "variable", "changed", ("num_codes",), FELL),
    Rule("notable", "variable", "changed", ("description", "folder_name", "is_virtual")),
    Rule("notable", "variable", "changed", (CODE_ORDER, "var_code_order", "combined_from")),
    Rule("notable", "variable", "changed", ("is_currency", "currency_locale", "currency_symbol")),
    Rule(
        "routine",
        "variable",
        "changed",
        ("path", "notes", "unclassified_code", "unclassified_description", "reference_type"),
        UNSAID,
    ),
    Rule("breaking", "variable", "changed", ("reference_type",)),
    Rule("notable", "variable", "changed", ("path", "notes")),
    Rule("notable", "variable", "changed", ("unclassified_code", "unclassified_description")),
    Rule("breaking", "variable", "changed", (MOVED, UNCLASSIFIED), MOVED_MORE),
    Rule("notable", "variable", "changed", (MOVED, UNCLASSIFIED), MOVED_SOMEWHAT),
    Rule("routine", "variable", "changed", (MOVED, UNCLASSIFIED)),
    Rule("routine", "variable", "changed", ("num_codes", "code_length")),
    Rule("routine", "variable", "changed", ("var_code_min_count", "var_code_max_count")),
    Rule("routine", "variable", "changed", ("min_date", "max_date", "min_value", "max_value")),
    Rule("routine", "variable", "changed", ("max_length", "decimal_places", "reference_length")),
    Rule("notable", "folder", "removed"),
    Rule("notable", "folder", "added"),
    Rule("notable", "folder", "changed", ("name", "description", "parent_path")),
    Rule("routine", "folder", "changed", ("variable_names",)),
    Rule("notable", "code", "removed"),
    Rule("notable", "code", "added"),
    Rule("breaking", "code", "changed", ("description",)),
    Rule("routine", "code", "changed", ("count",)),
)
"""The rules; the first that applies decides."""


def changing(noun: str) -> list[str]:
    """The possible columns of a change, for a noun."""
    return list(
        dict.fromkeys(column for rule in RULES if rule.noun == noun for column in rule.columns)
    )


def compared(noun: str) -> list[str]:
    """The columns of a noun that are compared.

    >>> compared("code")
    ['description', 'count']
    """
    return [column for column in changing(noun) if column not in _NO_COLUMNS]


def describe() -> str:
    """The rules as lines of text.

    >>> print(describe().splitlines()[0])
    breaking  table removed
    """
    lines = []
    for rule in RULES:
        what = f"{rule.noun} {', '.join(rule.columns) or rule.change}"
        text = f"{rule.severity:<10}{what}{', if ' if rule.when else ''}{rule.when}"
        lines += wrap(text, 84, subsequent_indent=" " * 12)
    return "\n".join(lines)
