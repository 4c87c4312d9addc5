"""How well a word fits one that was asked for, and where it stands: numbers to rank by.

How it fits and where it stands go into one small number, the larger the better, so that
``pyarrow.compute`` ranks half a million rows by comparing numbers alone.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import OSA

from apteco_frames.support.arrays import integers

# How a word fits: 0 not at all, 1 with two typing errors, 2 with one, and then as below.
START, EXACT = 3, 4
"""How a word fits that only starts as it was asked for, and one to the letter."""

CODE, AROUND, NOTES, OWN = range(4)
"""Where a word stands: in a code, in what is around, in notes, in what names or describes."""
PLACES = 4
NUMBER = pa.uint8()
"""The type of all these numbers."""

# The longest words with no typing error, and with one; longer ones have two at most.
_LONGEST_EXACT, _LONGEST_WITH_ONE = 4, 8


def fit(asked: str, word: str) -> int:
    """How a word fits one that was asked for.

    >>> [fit("dest", word) for word in ("dest", "destination", "desk")]
    [4, 3, 0]
    >>> fit("destination", "destniation")
    2
    """
    if word.startswith(asked):
        return EXACT if word == asked else START
    most = 0 if word.isdecimal() else most_errors(asked)
    if abs(len(asked) - len(word)) > most:
        return 0
    errors = OSA.distance(asked, word, score_cutoff=most)
    return START - errors if 0 < errors <= most else 0


def most_errors(word: str) -> int:
    """How many typing errors a word may have; a number has none.

    >>> most_errors("boat"), most_errors("income"), most_errors("destination")
    (0, 1, 2)
    """
    if len(word) <= _LONGEST_EXACT or word.isdecimal():
        return 0
    return 1 if len(word) <= _LONGEST_WITH_ONE else 2


def small(value: int) -> pa.Scalar:
    """A number of this kind, for Arrow to calculate with."""
    return integers([value], NUMBER)[0]


def pack(how: pa.Array, place: pa.Array) -> pa.Array:
    """How words fit and where they stand as one number each, the larger the better, or 0."""
    packed = pc.add(pc.multiply(how, small(PLACES)), place)
    return pc.if_else(pc.equal(how, small(0)), small(0), packed)


def how_of(packed: pa.Array) -> pa.Array:
    """How words fit, of what :func:`pack` gave."""
    return pc.divide(packed, small(PLACES))


def place_of(packed: pa.Array) -> pa.Array:
    """Where words stand, of what :func:`pack` gave."""
    return pc.bit_wise_and(packed, small(PLACES - 1))


def as_code(packed: pa.Array) -> pa.Array:
    """How words fit, as :func:`pack` has it of what stands with a code; 0 for null."""
    return pc.multiply(how_of(packed), small(PLACES)).fill_null(small(0))


def spread(positions: pa.Array, values: pa.Array, size: int) -> pa.Array:
    """An array of zeros, but for the largest of the values at each position.

    Args:
        positions: where each value goes; null for nowhere.
        values: the values.
        size: the length of the array.

    >>> positions, values = integers([1, 1, 2]), integers([4, 3, 2], NUMBER)
    >>> spread(positions, values, 4).to_pylist()
    [0, 4, 2, 0]
    """
    order = pc.array_sort_indices(values)
    # Of several at one position, the last counts.
    places = pc.inverse_permutation(positions.take(order), max_index=size - 1)
    return values.take(order).take(places).fill_null(small(0))


def larger(one: pa.Array, other: pa.Array) -> pa.Array:
    """Of each two values the larger."""
    return pc.if_else(pc.greater(one, other), one, other)


def smaller(one: pa.Array, other: pa.Array) -> pa.Array:
    """Of each two values the smaller."""
    return pc.if_else(pc.less(one, other), one, other)
