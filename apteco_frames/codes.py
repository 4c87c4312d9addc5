"""Codes: the frame and the row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, overload

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.errors import Hint, UnknownKeyError, warn
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner, links_of
from apteco_frames.render import card
from apteco_frames.support.arrays import integers, spans_of
from apteco_frames.support.text import list_names, truncate

if TYPE_CHECKING:
    from apteco_frames.nouns import Table, Uses, Variable


class Code(Row):
    """One category of a variable: a code and its meaning."""

    __slots__ = ()

    variable_name: str = attribute(schema.CODES, "variable_name")
    variable_description: str = attribute(schema.CODES, "variable_description")
    table_name: str = attribute(schema.CODES, "table_name")
    position: int = attribute(schema.CODES, "position")
    code: str = attribute(schema.CODES, "code")
    description: str = attribute(schema.CODES, "description")
    count: int | None = attribute(schema.CODES, "count")

    @property
    def variable(self) -> Variable:
        """The variable the code belongs to."""
        return links_of(self).variable(self.variable_name)

    @property
    def table(self) -> Table:
        """The table of that variable."""
        return links_of(self).table(self.table_name)

    @property
    def uses(self) -> Uses:
        """The certain uses of the code; see :class:`Uses`.

        A session reads the uses on first use.

        Raises:
            NotLoadedError: a saved catalogue has no uses.
            AptecoFramesError: the API could not be reached, or refused.
        """
        return links_of(self).uses_of([self.variable_name], self.code)

    def _describe(self) -> str:
        where = f"at position {self.position} of variable {truncate(self.variable_name)!r}"
        return f"{truncate(self.code)!r} ({truncate(self.description)!r} {where})"

    def __hash__(self) -> int:
        return hash((self.variable_name, self.position))

    def __repr__(self) -> str:
        return f"<Code {truncate(self.code)!r}: {truncate(self.description)!r}>"

    def _repr_html_(self) -> str:
        return card.code(self.to_dict(), self.table.total_records)


class Codes(CatalogueFrame[Code], columns=schema.CODES):
    """The codes of variables, in the API's order, variable by variable.

    ``codes["boDest"]`` returns the codes of one variable, looked up by name or description.
    There, ``["29"]`` and ``["Sweden"]`` return a single code, looked up by code, then by
    description; blanks around a code may be left out if that is unambiguous. The columns:

    [columns]
    """

    _noun = "code"
    _row_type = Code
    _keys = ("code", "description")
    _preview = ("variable_name", "code", "description", "count")

    def __init__(
        self,
        arrow: pa.Table,
        catalogue: Owner,
        variables: CatalogueFrame[Any],
        refused: frozenset[str] = frozenset(),
        variable: str | None = None,
    ) -> None:
        super().__init__(arrow, catalogue)
        self._variables = variables
        self._refused = refused
        self._variable = variable
        self._by_name: dict[str, Codes] = {}
        self._by_key: dict[str, Codes] = {}

    @property
    def unavailable(self) -> list[str]:
        """Names of the variables whose codes are missing because the API refused them."""
        alone = self._variable
        names = self._variables.arrow["name"].to_pylist() if alone is None else [alone]
        return [name for name in names if name in self._refused]

    @overload  # type: ignore[override]
    def __getitem__(self, key: str) -> Any: ...
    @overload
    def __getitem__(self, key: int) -> Code: ...
    @overload
    def __getitem__(self, key: slice) -> Self: ...
    def __getitem__(self, key: str | int | slice) -> Any:
        """The codes of a variable; on these, a single code; by position, a code; or a slice.

        Raises:
            UnknownKeyError: nothing has that key (the message names the nearest), or the API
                refused the codes of that variable.
            AmbiguousKeyError: several have it; the message names them.
            RowIndexError: there is no code at that position.
            TypeError: the key has the wrong type.
        """
        if not isinstance(key, str):
            return super().__getitem__(key)
        if self._variable is None:
            return self._of(key)
        positions = self._code_positions(key)
        if len(positions) == 1:
            return self._row(positions[0])
        raise self._lookup_error(key, positions, self._keys)

    def __contains__(self, key: object) -> bool:
        """Whether that variable has codes; of the codes of one variable, whether one matches.

        If the API refused the codes of the variable, that is unknown, and a warning says so.
        """
        if isinstance(key, Code):
            return any(row == key for row in self._rows_of(key))
        if not isinstance(key, str):
            return self._variable is None and key in self._variables
        if self._variable is not None:
            return bool(self._code_positions(key))
        variables = self._variables
        found = variables._positions(key, variables._keys)
        names = variables.arrow["name"].take(integers(found)).to_pylist()
        if any(name in self._spans for name in names):
            return True
        self._warn_of_refused(names)
        return False

    @property
    def _remarks(self) -> list[str]:
        refused = self.unavailable
        return [f"The API refused the codes of {list_names(refused)}."] if refused else []

    def _ipython_key_completions_(self) -> list[str]:
        if self._variable is None:
            return self._variables._ipython_key_completions_()
        return super()._ipython_key_completions_()

    def _rows_of(self, code: Code) -> Iterable[Code]:
        if self._variable not in (None, code.variable_name):
            return []
        found = self._of_name(code.variable_name)
        return map(found._row, found._positions(code.code, ("code",)))

    def _of(self, key: str) -> Codes:
        codes = self._by_key.get(key)
        if codes is None:
            name = self._variables[key].name
            if name in self._refused:
                raise UnknownKeyError(self._why_unknown([name]), hint=Hint.ASK_FOR_CODES_AGAIN)
            codes = self._by_key[key] = self._of_name(name)
        return codes

    def _warn_of_refused(self, names: Iterable[str]) -> None:
        refused = [name for name in names if name in self._refused]
        if refused:
            warn(self._why_unknown(refused), hint=Hint.ASK_FOR_CODES_AGAIN)

    def _why_unknown(self, refused: Sequence[str]) -> str:
        return (
            f"The API refused the codes of {list_names(refused)} of {super()._system}, so they are "
            "not known."
        )

    def _of_name(self, name: str) -> Codes:
        codes = self._by_name.get(name)
        if codes is None:
            start, stop = self._spans.get(name, (0, 0))
            rows, owner = self.arrow.slice(start, stop - start), links_of(self).owner
            codes = Codes(rows, owner, self._variables, self._refused, name)
            self._by_name[name] = codes
        return codes

    def _code_positions(self, key: str) -> list[int]:
        """Positions of a code, or else of a description, among the codes of one variable."""
        for column in self._keys:
            positions = self._positions(key, (column,))
            if positions:
                return positions
        return self._positions_without_blanks.get(key.strip(" "), [])

    @cached_property
    def _positions_without_blanks(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for position, code in enumerate(self._arrays["code"].to_pylist()):
            found.setdefault(code.strip(" "), []).append(position)
        return found

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int]]:
        """The start and stop of the codes of each variable, which are neighbours."""
        return spans_of(self._arrays["variable_name"])

    @property
    def _further(self) -> tuple[Any, ...]:
        return self._variables, self._refused, self._variable

    @property
    def _system(self) -> str:
        """The variable or the system, for titles and errors."""
        system = super()._system
        of_one = self._variable is not None
        return f"variable {truncate(self._variable)!r} of {system}" if of_one else system


def codes_of(codes: Codes, variable: str) -> Codes:
    """The codes of the variable with that name; if refused, none, with a warning."""
    codes._warn_of_refused([variable])
    return codes._of_name(variable)
