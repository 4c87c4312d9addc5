"""How much a change matters, by the rules of :mod:`apteco_frames.analysis.rules`."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.analysis import rules
from apteco_frames.analysis.movement import TOLERANCE
from apteco_frames.schema import SEVERITIES
from apteco_frames.support.arrays import integers, scalar


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
    for rule in rules.RULES:
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
    return pc.greater(happened.moved, scalar(float(limit / part) + TOLERANCE))


_CONDITIONS: dict[str, Callable[[Happened], pa.Array]] = {
    rules.VIRTUAL: lambda happened: happened.is_virtual,
    rules.FELL: _fell,
    rules.MOVED_MORE: lambda happened: _moved_more(happened, 1),
    rules.MOVED_SOMEWHAT: lambda happened: _moved_more(happened, 5),
    rules.WITHDRAWN: lambda happened: happened.old,
    rules.LOST: lambda happened: pc.and_not(happened.old, happened.right_gained()),
    rules.UNSAID: lambda happened: pc.or_(pc.is_null(happened.old), pc.is_null(happened.new)),
}
