"""How much a change matters: the rules, in one table.

The columns that are compared are those that the table names. Others follow from them
(``depth``, ``variable_count``, a code's ``table_name``) and would say the same twice.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from textwrap import wrap
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.analysis.movement import TOLERANCE
from apteco_frames.schema import SEVERITIES
from apteco_frames.support.arrays import floats, integers

CODE_ORDER = "codes"
"""What stands as the column where the order of a variable's codes changed."""

MOVED, UNCLASSIFIED = "moved", "unclassified_share"
"""What stands as the column where records changed their code, and where Unclassified did."""

_NO_COLUMNS = (CODE_ORDER, MOVED, UNCLASSIFIED)

_VIRTUAL = "the variable is virtual: after a rebuild it is gone until refreshed"
_FELL = "it fell by more than the fraction ``drop``"
_MOVED = "it is more than the fraction ``moved``; of ``unclassified_share``, what it changed by"
_MOVED_SOMEWHAT = "it is more than a fifth of ``moved``"
_WITHDRAWN = "the right was withdrawn"
_LOST = "the right was withdrawn, and none to export came for it"
_UNSAID = "one side has none, as with servers that do not send it"


class Rule(NamedTuple):
    """How severe a change is.

    Attributes:
        severity: one of ``SEVERITIES``.
        noun: what it happened to, one of ``CHANGED_NOUNS``.
        change: what happened, one of ``CHANGE_KINDS``.
        columns: the columns that the rule is about; none for what was added or removed.
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
    Rule("breaking", "table", "changed", ("total_records",), _FELL),
    Rule("notable", "table", "changed", ("singular", "plural", "is_default", "is_people")),
    Rule("notable", "table", "changed", ("child_relationship", "parent_relationship")),
    Rule("routine", "table", "changed", ("total_records", "has_children")),
    Rule("notable", "variable", "removed", (), _VIRTUAL),
    Rule("breaking", "variable", "removed"),
    Rule("notable", "variable", "added"),
    Rule("breaking", "variable", "changed", ("type", "table_name")),
    Rule("breaking", "variable", "changed", ("api_type", "selector_type", "sub_type")),
    Rule("breaking", "variable", "changed", ("is_selectable", "is_exportable"), _WITHDRAWN),
    Rule("breaking", "variable", "changed", ("is_browsable",), _LOST),
    Rule("notable", "variable", "changed", ("is_selectable", "is_exportable", "is_browsable")),
    Rule("breaking", "variable", "changed", ("num_codes",), _FELL),
    Rule("notable", "variable", "changed", ("description", "folder_name", "is_virtual")),
    Rule("notable", "variable", "changed", (CODE_ORDER, "var_code_order", "combined_from")),
    Rule("notable", "variable", "changed", ("is_currency", "currency_locale", "currency_symbol")),
    Rule(
        "routine",
        "variable",
        "changed",
        ("path", "notes", "unclassified_code", "unclassified_description", "reference_type"),
        _UNSAID,
    ),
    Rule("breaking", "variable", "changed", ("reference_type",)),
    Rule("notable", "variable", "changed", ("path", "notes")),
    Rule("notable", "variable", "changed", ("unclassified_code", "unclassified_description")),
    Rule("breaking", "variable", "changed", (MOVED, UNCLASSIFIED), _MOVED),
    Rule("notable", "variable", "changed", (MOVED, UNCLASSIFIED), _MOVED_SOMEWHAT),
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
"""The rules; the first that fits decides."""


class Limits(NamedTuple):
    """From where on something is breaking; None for never.

    Attributes:
        drop: the share of records, or of codes, that are gone.
        moved: the share of records whose code changed.
    """

    drop: Fraction | None = None
    moved: Fraction | None = None


class Happened(NamedTuple):
    """Changes of one kind to one column, or to whole rows.

    Attributes:
        noun: what they happened to.
        change: what happened.
        column: the column; empty for whole rows.
        old: the older values; none for whole rows.
        new: the newer values, likewise.
        is_virtual: whether each is of a virtual variable.
        right_gained: whether each variable may be exported now and might not before.
        limits: from where on they are breaking.
        moved: the share of records that each is about; of movements alone.
    """

    noun: str
    change: str
    column: str
    old: pa.Array
    new: pa.Array
    is_virtual: pa.Array
    right_gained: Callable[[], pa.Array]
    limits: Limits
    moved: pa.Array | None = None


def severities(happened: Happened) -> pa.Array:
    """The severity of each change, as a position in ``SEVERITIES`` (uint8)."""
    found = pa.nulls(len(happened.is_virtual), pa.uint8())
    for rule in RULES:
        if (rule.noun, rule.change) != (happened.noun, happened.change):
            continue
        if happened.column not in (rule.columns or ("",)):
            continue
        severity = integers([SEVERITIES.index(rule.severity)], pa.uint8())[0]
        if not rule.when:
            return pc.fill_null(found, severity)
        fits = _CONDITIONS[rule.when](happened)
        found = pc.if_else(pc.and_(pc.is_null(found), fits), severity, found)
    raise AssertionError(f"no rule for {happened.noun}.{happened.column} {happened.change}")


def _fell(happened: Happened) -> pa.Array:
    # Fractions of Python's integers: nothing overflows, and just a fifth is not more than that.
    drop = happened.limits.drop
    above, below = drop.as_integer_ratio() if drop else (1, 0)
    pairs = zip(happened.old.to_pylist(), happened.new.to_pylist(), strict=True)
    fits = (
        None not in (old, new) and old > 0 and (old - new) * below > old * above
        for old, new in pairs
    )
    return integers(fits, pa.uint8()).cast(pa.bool_())


def _moved_more(happened: Happened, part: int) -> pa.Array:
    """Where more moved than the limit, or a part of it."""
    limit = happened.limits.moved
    assert limit is not None  # movements are not looked for without
    return pc.greater(happened.moved, floats([float(limit / part) + TOLERANCE])[0])


_CONDITIONS: dict[str, Callable[[Happened], pa.Array]] = {
    _VIRTUAL: lambda happened: happened.is_virtual,
    _FELL: _fell,
    _MOVED: lambda happened: _moved_more(happened, 1),
    _MOVED_SOMEWHAT: lambda happened: _moved_more(happened, 5),
    _WITHDRAWN: lambda happened: happened.old,
    _LOST: lambda happened: pc.and_not(happened.old, happened.right_gained()),
    _UNSAID: lambda happened: pc.or_(pc.is_null(happened.old), pc.is_null(happened.new)),
}


def changing(noun: str) -> list[str]:
    """What may stand as the column of a change, for a noun."""
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
