"""What is compared between the vendor's client and ours, attribute by attribute."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable
from enum import Enum
from itertools import product
from typing import Any

import apteco.tables
import apteco.variables
import pytest

from apteco_frames.errors import AmbiguousKeyError

# Not in the documentation: these only help the vendor's own code to build queries.
_INTERNAL = {
    apteco.tables.Table: {"table", "_name"},
    apteco.variables.Variable: {"year", "quarter", "month", "day"},
}
_OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge")
_RELATIONS = ("is_ancestor", "is_descendant", "is_related")
# The look-ups of a collection of variables, and what of a variable each takes.
_KEYS = {
    "": ("name", "description"),
    "names": ("name",),
    "descs": ("description",),
    "descriptions": ("description",),
}


class Judge:
    """Compares values and counts them, by what they belong to."""

    def __init__(self) -> None:
        self._compared: Counter[str] = Counter()
        self._different: Counter[str] = Counter()

    def equal(self, what: str, theirs: Any, ours: Any) -> None:
        """Both are the same value of the same type; ``what`` begins with a word to count by."""
        self._compared[what] += 1
        if repr(theirs) != repr(ours):  # tells True from 1, and 0.0 from -0.0
            self._different[what] += 1
            raise AssertionError(f"{what}: {theirs!r} in the vendor's client, {ours!r} in ours")

    def report(self, passed: bool) -> list[str]:
        """The score in words, the total last; ``passed`` if no test failed for other reasons."""
        words: Counter[str] = Counter()
        for what, count in self._compared.items():
            words.update({re.split(r"\W", what)[0]: count})
        lines = [f"{count:>9,}  {word}" for word, count in sorted(words.items())]
        total = f"{self._compared.total():>9,}  attributes compared"
        if self._different:
            total += f", {self._different.total():,} differ: {', '.join(sorted(self._different))}"
        elif passed and self._compared:
            total += ", all equal"
        return [*lines, total]

    def sessions(self, theirs: Any, ours: Any) -> None:
        """All that two sessions with one system know of it."""
        for name in ("base_url", "data_view", "system"):
            self.equal(f"Session.{name}", getattr(theirs, name), getattr(ours, name))
        for name in ("user", "system_info"):
            what, pair = f"Session.{name}", (getattr(theirs, name), getattr(ours, name))
            self.equal(f"{what}: class", *(type(value).__name__ for value in pair))
            self.equal(f"{what}: fields", *(value._fields for value in pair))
            for field in pair[0]._fields:
                self.equal(f"{what}.{field}", *(getattr(value, field) for value in pair))
        self.equal("Session.master_table", theirs.master_table.name, ours.master_table.name)
        self.tables(theirs, ours)
        self.variables(theirs, ours)

    def tables(self, theirs: Any, ours: Any) -> None:
        """The tables: each attribute of each, look-ups, and how any two relate."""
        self.equal("tables: len", len(theirs.tables), len(ours.tables))
        self.equal("tables: order", _names(theirs.tables), _names(ours.tables))
        both = list(zip(theirs.tables, ours.tables, strict=True))
        for their_table, our_table in both:
            self._attributes(their_table, our_table, theirs, ours)
            self.equal("tables: look-up", theirs.tables[our_table.name].name, our_table.name)
            self.equal("tables: look-up", our_table.name, ours.tables[our_table.name].name)
            self.accessors("Table.variables", their_table.variables, our_table.variables)
            for key in _texts(our_table.variables):
                self._look_up("Table[...]", their_table, our_table, our_table.variables, key)
        for (their_a, our_a), (their_b, our_b) in product(both, repeat=2):
            for name in _OPERATORS:
                compare: Callable[..., bool] = getattr(operator, name)
                self.equal(f"Table: {name}", compare(their_a, their_b), compare(our_a, our_b))
            self.equal("Table.is_same", their_a.is_same(their_b), our_a.is_same(our_b))
            for name, same in product(_RELATIONS, ((), (False,), (True,))):
                their_result = getattr(their_a, name)(their_b, *same)
                self.equal(f"Table.{name}", their_result, getattr(our_a, name)(our_b, *same))

    def variables(self, theirs: Any, ours: Any) -> None:
        """The variables: each attribute of each, and look-ups."""
        self.accessors("variables", theirs.variables, ours.variables)
        for their_variable, our_variable in zip(theirs.variables, ours.variables, strict=True):
            self._attributes(their_variable, our_variable, theirs, ours)

    def accessors(self, what: str, theirs: Any, ours: Any) -> None:
        """The variables of a system or of a table, as a collection and by each key."""
        self.equal(f"{what}: len", len(theirs), len(ours))
        self.equal(f"{what}: order", _names(theirs), _names(ours))
        texts = _texts(ours)
        for name, columns in _KEYS.items():
            their_keys, our_keys = (getattr(v, name) if name else v for v in (theirs, ours))
            if name:
                self.equal(f"{what}.{name}: order", list(their_keys), list(our_keys))
            for key in texts:
                self._look_up(f"{what}.{name}[...]", their_keys, our_keys, ours, key, columns)

    def _attributes(self, theirs: Any, ours: Any, their_session: Any, our_session: Any) -> None:
        """Whatever the vendor's object keeps, and its class."""
        base = next(kind for kind in _INTERNAL if isinstance(theirs, kind))
        kind = type(theirs).__name__
        self.equal(f"{kind}: class", *(_classes(row, base.__name__) for row in (theirs, ours)))
        for name in sorted({*vars(theirs), *_properties(base)} - _INTERNAL[base]):
            our_name = "api_type" if name == "_model_type" else name
            their_value, our_value = getattr(theirs, name), getattr(ours, our_name)
            if name == "session":
                assert their_value is their_session
                their_value, our_value = True, our_value is our_session
            self.equal(f"{kind}.{our_name}", plain(their_value), plain(our_value))

    def _look_up(
        self,
        what: str,
        theirs: Any,
        ours: Any,
        variables: Any,
        key: str,
        columns: Iterable[str] = _KEYS[""],
    ) -> None:
        """A key gives the same variable, or a KeyError; ours also if it fits several."""
        fitting = [v.name for v in variables if key in [getattr(v, c) for c in columns]]
        if len(fitting) <= 1:
            self.equal(what, _found(theirs, key), _found(ours, key))
            return
        # apteco knows the last variable with a description only. Ours doesn't guess.
        assert _found(theirs, key) in (*fitting, KeyError)
        with pytest.raises(AmbiguousKeyError):
            ours[key]


def _found(keys: Any, key: str) -> Any:
    try:
        return keys[key].name
    except KeyError:
        return KeyError


def _texts(variables: Any) -> list[str]:
    """Every name and description, in a fixed order, and a text that is none of them."""
    texts = [text for v in variables for text in (v.name, v.description)]
    return [*dict.fromkeys(texts), "no such key"]


def _names(rows: Iterable[Any]) -> list[str]:
    return [row.name for row in rows]


def _classes(row: Any, base: str) -> list[str]:
    """Names of the row's class and of those above it, up to the one that all share."""
    names = [kind.__name__ for kind in type(row).__mro__]
    return names[: names.index(base) + 1]


def _properties(kind: type) -> list[str]:
    return [name for name, value in vars(kind).items() if isinstance(value, property)]


def plain(value: Any) -> Any:
    """Kinds by their texts and rows by their names, which are comparable across clients."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value)) if type(value) in (list, tuple) else value
    if isinstance(value, str) or not (hasattr(value, "name") or hasattr(value, "__iter__")):
        return value
    return value.name if hasattr(value, "name") else _names(value)
