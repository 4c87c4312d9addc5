r"""Which rows of two catalogues belong together, and what they are called.

Tables and variables go by their names, folders by their paths, codes by variable and
code. The name of a code is written as one looks it up, ``boDest["29"]``, with ``\"`` for a
quote in the code and ``\\`` for a backslash. Read from its end it can be of one variable
and code only, whatever their texts. If a variable has a code several times, they belong
together in their order, and the second is ``boDest["29"] (2)``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.support.arrays import integers, scalar, strings, whole

_KEYS = {
    "table": ("name",),
    "variable": ("name",),
    "folder": ("path",),
    "code": ("variable_name", "code"),
}


class Rows:
    """The rows of one noun in one catalogue.

    Args:
        noun: one of ``CHANGED_NOUNS``.
        catalogue: tables by name, as :func:`apteco_frames.analysis.diff.changes` takes them.
    """

    def __init__(self, noun: str, catalogue: Mapping[str, pa.Table]) -> None:
        self.arrow = catalogue[f"{noun}s"]
        self._noun = noun
        self._variables = catalogue["variables"]

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __getitem__(self, column: str) -> pa.Array:
        return whole(self.arrow[column])

    def names(self, positions: pa.Array, repeated: bool) -> pa.Array:
        """What rows are called; each name comes once.

        Args:
            positions: which rows.
            repeated: whether to tell rows apart that would have one name.
        """
        if repeated:
            return self.numbered.take(positions)
        texts = [self[column].take(positions) for column in _KEYS[self._noun]]
        return texts[0] if len(texts) == 1 else code_names(*texts)

    @cached_property
    def numbered(self) -> pa.Array:
        """The names of all rows, those that come again with their number."""
        seen: Counter[str] = Counter()
        names = []
        for name in self.names(integers(range(len(self))), False).to_pylist():
            seen[name] += 1
            names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
        return strings(names)

    def are_virtual(self, positions: pa.Array) -> pa.Array:
        """Whether rows are of virtual variables."""
        if self._noun not in ("variable", "code"):
            return pa.repeat(scalar(False), len(positions))
        variables = self[_KEYS[self._noun][0]].take(positions)
        return pc.is_in(variables, value_set=self._virtual)

    @cached_property
    def _virtual(self) -> pa.Array:
        return whole(self._variables["name"]).filter(whole(self._variables["is_virtual"]))


class Pairs(NamedTuple):
    """Which rows of two catalogues belong together.

    Attributes:
        kept: the rows that are in both: their positions in the newer catalogue, which
            rise, and those in the older one.
        added: the positions of rows that only the newer catalogue has.
        removed: the positions of rows that only the older catalogue has.
        repeated: whether a variable has a code several times in one of them.
        partners: of each row of the newer catalogue its position in the older one; null if it
            was added.
    """

    kept: tuple[pa.Array, pa.Array]
    added: pa.Array
    removed: pa.Array
    repeated: bool
    partners: pa.Array


class Sides:
    """The rows of one noun in both catalogues.

    Args:
        noun: one of ``CHANGED_NOUNS``.
        new: the newer rows.
        old: the older rows.
    """

    def __init__(self, noun: str, new: Rows, old: Rows) -> None:
        self.noun = noun
        self.new = new
        self.old = old

    @cached_property
    def pairs(self) -> Pairs:
        """Which rows belong together."""
        new = len(self.new)
        numbers, places = _places(_keys(self), new)
        repeated = sum(pc.count(place).as_py() for place in places) < len(numbers)
        if repeated:
            numbers, places = _places(pa.concat_arrays([self.new.numbered, self.old.numbered]), new)
        # The number of a row of the newer catalogue is its position.
        found = places[1][:new]
        return Pairs(
            kept=(pc.indices_nonzero(pc.is_valid(found)), found.drop_null()),
            added=pc.indices_nonzero(pc.is_null(found)),
            removed=pc.indices_nonzero(pc.greater_equal(numbers[new:], scalar(new))),
            repeated=repeated,
            partners=found,
        )


def _keys(both: Sides) -> pa.Array:
    """What rows are told apart by, those of the newer catalogue first."""
    columns = _KEYS[both.noun]
    texts = [pa.concat_arrays([both.new[column], both.old[column]]) for column in columns]
    if len(texts) == 1:
        return texts[0]
    variables, codes = (text.dictionary_encode() for text in texts)
    above = pc.multiply(variables.indices.cast(pa.int64()), scalar(len(codes.dictionary)))
    return pc.add(above, codes.indices.cast(pa.int64()))


def _places(keys: pa.Array, new: int) -> tuple[pa.Array, list[pa.Array]]:
    """Number the keys as they come, equal ones alike.

    Returns:
        the numbers; and, for the first ``new`` keys and then for the others, where each
        number is among them, null where it is not.
    """
    encoded = keys.dictionary_encode()
    numbers, last = encoded.indices, len(encoded.dictionary) - 1
    parts = numbers[:new], numbers[new:]
    return numbers, [pc.inverse_permutation(part, max_index=last) for part in parts]


def code_names(variables: pa.Array, codes: pa.Array) -> pa.Array:
    r"""What codes are called.

    >>> code_names(strings(["boDest"]), strings([' "']))[0].as_py()
    'boDest[" \\""]'
    """
    for special in ("\\", '"'):
        codes = pc.replace_substring(codes, special, "\\" + special)
    named = pc.binary_join_element_wise(variables, codes, scalar('["'))
    return pc.binary_join_element_wise(named, scalar('"]'), scalar(""))
