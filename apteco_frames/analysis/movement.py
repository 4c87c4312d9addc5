"""How many records must have changed their code from one build to another.

Single records are not known, only how many have each code: what is told are lower bounds.
Shares are compared, not counts, so that a table that grows moves nothing.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.analysis.groups import Groups
from apteco_frames.analysis.pairing import Pairs
from apteco_frames.analysis.shares import Shares
from apteco_frames.support.arrays import scalar

LEAST_RECORDS = 100
"""Of fewer records in the older build a movement says nothing."""

TOLERANCE = 1e-9
"""By so much more a share is no more, as 0.3 - 0.1 is no more than 0.2."""

_LEAST, _HALF, _ZERO, _ONE = map(scalar, (float(LEAST_RECORDS), 0.5, 0.0, 1.0))


class Movement(NamedTuple):
    """What moved in the variables that could be judged; each array has an item for each.

    Attributes:
        after: positions of the variables in the newer catalogue.
        before: their positions in the older one.
        moved: the share of records whose code must have changed.
        unclassified: the share of Unclassified in the newer catalogue, and in the older one;
            null where it is not known which code that is.
        not_judged: how many variables have codes and could not be judged.
    """

    after: pa.Array
    before: pa.Array
    moved: pa.Array
    unclassified: tuple[pa.Array, pa.Array]
    not_judged: int


def movement(new: Shares, old: Shares, variables: Pairs, codes: Pairs) -> Movement:
    """What moved between the codes of two catalogues.

    A variable is not judged where a count is missing, where one side has no codes of it or no
    records, or where the older counts add up to less than ``LEAST_RECORDS``.

    Args:
        new: the newer codes.
        old: the older codes.
        variables: which variables belong together.
        codes: which codes belong together.
    """
    after, before = (positions.cast(pa.int64()) for positions in variables.kept)
    numbers = new.by_variable.sizes.take(after), old.by_variable.sizes.take(before)
    has_codes = [pc.greater(number, scalar(0)) for number in numbers]
    is_known = [pc.is_finite(s.bases.take(at)) for s, at in ((new, after), (old, before))]
    # A sum of counts that is not known is no number, and not above any.
    new_total, old_total = new.totals.take(after), old.totals.take(before)
    enough = [pc.greater_equal(new_total, _ZERO), pc.greater_equal(old_total, _LEAST)]
    is_judged = reduce(pc.and_, [*has_codes, *is_known, *enough])
    total, largest = (part.take(after) for part in _differences(new, old, variables, codes))
    is_single = pc.and_(new.is_single.take(after), old.is_single.take(before))
    moved = pc.if_else(is_single, pc.multiply(total, _HALF), largest)
    moved = pc.min_element_wise(moved, _ONE, skip_nulls=False)
    shares = _unclassified(new, old, after, before, codes)
    return Movement(
        after.filter(is_judged),
        before.filter(is_judged),
        moved.filter(is_judged),
        (shares[0].filter(is_judged), shares[1].filter(is_judged)),
        pc.sum(pc.and_not(pc.or_(*has_codes), is_judged), min_count=0).as_py(),
    )


def _differences(
    new: Shares, old: Shares, variables: Pairs, codes: Pairs
) -> tuple[pa.Array, pa.Array]:
    """Of each newer variable the sum and the largest of the differences of its codes' shares.

    A code that came or went has a share of 0 on the other side.
    """
    number = len(new.variables)
    here = pc.fill_null(old.shares.take(codes.partners), _ZERO)
    here = pc.abs(pc.subtract(new.shares, here))
    gone = codes.removed
    # Of variables that are gone, too, which have no position any more.
    places = pc.index_in(old.positions.take(gone), variables.kept[1].cast(pa.int64()))
    went = Groups(variables.kept[0].cast(pa.int64()).take(places), number)
    lost = old.shares.take(gone)
    total = pc.add(new.by_variable.total_share(here), went.total_share(lost))
    of_arrays = pc.invert(new.is_single.take(new.positions))
    stayed = Groups(new.positions.filter(of_arrays), number)
    largest = pc.max_element_wise(stayed.largest(here.filter(of_arrays)), went.largest(lost))
    return total, largest


def _unclassified(
    new: Shares, old: Shares, after: pa.Array, before: pa.Array, codes: Pairs
) -> tuple[pa.Array, pa.Array]:
    """The shares of Unclassified on both sides, of each pair of variables.

    Where one side does not say which code it is, it is the same as on the other.
    """
    rows = new.unclassified.take(after), old.unclassified.take(before)
    kept = tuple(positions.cast(pa.int64()) for positions in codes.kept)
    is_there = pc.or_(*map(pc.is_valid, rows))
    shares = []
    for side, mine, theirs, places, others in (
        (new, *rows, *kept),
        (old, *reversed(rows), *reversed(kept)),
    ):
        missing = pc.and_(pc.is_null(mine), pc.is_valid(theirs))
        if pc.any(missing, min_count=0).as_py():
            same = places.take(pc.index_in(theirs, value_set=others))
            mine = pc.coalesce(mine, same)
        share = pc.fill_null(side.shares.take(mine), _ZERO)
        shares.append(pc.if_else(is_there, share, pa.nulls(len(share), pa.float64())))
    return shares[0], shares[1]
