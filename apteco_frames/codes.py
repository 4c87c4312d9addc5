"""Codes: the frame, the row, and the codes that are known of a build."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.errors import CodesError
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner, links_of
from apteco_frames.render import card
from apteco_frames.schema.column import api_schema, describe
from apteco_frames.support.arrays import integers, spans_of, strings
from apteco_frames.support.fork import ProcessLock
from apteco_frames.support.text import clipped

if TYPE_CHECKING:
    from apteco_frames.nouns import Table, Variable

# What a variable's codes have of their own; the other columns follow from the variable.
_OWN_SCHEMA = api_schema(schema.CODES)
_OWN = _OWN_SCHEMA.names
_SAVED_SCHEMA = pa.schema([schema.CODES_SCHEMA.field("variable_name"), *_OWN_SCHEMA])

# Unlike Arrow's own, it gives back at once what a large array took while it grew.
_POOL = pa.system_memory_pool()


class Code(Row):
    """One category of a variable: a code and what it means."""

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
        """The variable that the code is of."""
        return links_of(self).variable(self.variable_name)

    @property
    def table(self) -> Table:
        """The table that the variable is from."""
        return links_of(self).table(self.table_name)

    def _describe(self) -> str:
        place = f"at position {self.position} of variable {clipped(self.variable_name)!r}"
        return f"{clipped(self.code)!r} ({clipped(self.description)!r} {place})"

    def __hash__(self) -> int:
        return hash((self.variable_name, self.position))

    def __repr__(self) -> str:
        return f"<Code {clipped(self.code)!r}: {clipped(self.description)!r}>"

    def _repr_html_(self) -> str:
        return card.code(self.to_dict(), self.table.total_records)


class Codes(CatalogueFrame[Code]):  # noqa: D101 - it has one, with the columns
    __doc__ = f"""The codes of variables: in the API's order, variable after variable.

    ``codes["boDest"]`` are the codes of one variable, looked up by name or description;
    of those ``["29"]`` and ``["Sweden"]`` are single codes, looked up by code, then by
    description; blanks around a code may be left out if nothing else fits. The columns:

    {describe(schema.CODES).replace(chr(10), chr(10) + " " * 4)}
    """

    schema: ClassVar[pa.Schema] = schema.CODES_SCHEMA
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
        self._by_variable: dict[str, Codes] = {}

    @property
    def unavailable(self) -> list[str]:
        """Names of the variables whose codes the API refused, and which were left out."""
        names = self._variables.arrow["name"].to_pylist()
        return [name for name in names if name in self._refused]

    @overload  # type: ignore[override]
    def __getitem__(self, key: str) -> Any: ...
    @overload
    def __getitem__(self, key: int) -> Code: ...
    @overload
    def __getitem__(self, key: slice) -> Self: ...
    def __getitem__(self, key: str | int | slice) -> Any:
        """A variable's codes, or of these one code; by position, a code; or a slice.

        Raises:
            UnknownKeyError: nothing has that key; the message names the nearest.
            AmbiguousKeyError: several have it; the message names them.
            RowIndexError: there is no code at that position.
            TypeError: the key is of another type.
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
        """Whether there are codes of that variable; of one variable: whether it has the code."""
        if isinstance(key, Code):
            return any(row == key for row in self._rows_of(key))
        if self._variable is None:
            return key in self._variables
        return isinstance(key, str) and bool(self._code_positions(key))

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
        codes = self._by_variable.get(key)
        if codes is None:
            codes = self._by_variable[key] = self._of_name(self._variables[key].name)
        return codes

    def _of_name(self, name: str) -> Codes:
        start, stop = self._spans.get(name, (0, 0))
        rows = self.arrow.slice(start, stop - start)
        return Codes(rows, links_of(self).owner, self._variables, self._refused, name)

    def _code_positions(self, key: str) -> list[int]:
        """Where the codes of one variable have a code, or else a description."""
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
        """Where the codes of each variable stand: they stand together."""
        return spans_of(self._arrays["variable_name"])

    @property
    def _further(self) -> tuple[Any, ...]:
        return self._variables, self._refused, self._variable

    @property
    def _system(self) -> str:
        """What the rows are of, for titles and errors: here a variable, or a whole system."""
        system = super()._system
        of_one = self._variable is not None
        return f"variable {clipped(self._variable)!r} of {system}" if of_one else system


class KnownCodes:
    """What is known of a build's codes, by variable: filled as they are loaded.

    Args:
        names: the names of all variables of the build.
        saved: gives the codes of a saved catalogue, as a table with the columns of
            ``schema.CODES`` that are not derived, and ``variable_name``; called on first use.
        refused: names of the variables whose codes the API refused.
        source: where they came from, for error messages.
    """

    def __init__(
        self,
        names: pa.ChunkedArray,
        saved: Callable[[], pa.Table] | None = None,
        refused: Iterable[str] = (),
        source: str = "",
    ) -> None:
        self.refused = frozenset(refused)
        self.state = object()
        """Another one whenever other codes are refused."""
        self._names = names
        self._saved = saved
        self._complete = saved is not None
        self._source = source
        self._tables: dict[str, pa.Table] = {}
        self._lock = ProcessLock(threading.RLock)

    @property
    def variable_count(self) -> int:
        """Of how many variables the codes are known, once they were read."""
        return len(self._tables)

    def missing(self, variables: pa.Table, again: bool = False) -> list[str]:
        """Names of those of the variables whose codes are not known.

        Args:
            variables: a table under ``schema.VARIABLES_SCHEMA``.
            again: whether those that were refused are missing, too.
        """
        if self._complete:
            return []
        known = self._tables.keys() | (frozenset() if again else self.refused)
        return [name for name in with_codes(variables) if name not in known]

    def add(self, tables: Mapping[str, pa.Table], refused: Iterable[str] = ()) -> None:
        """Take in codes as they came.

        Args:
            tables: by variable, the columns ``code``, ``description`` and ``count``.
            refused: names of the variables whose codes the API refused.
        """
        with self._lock.own:  # or what another thread adds could be lost
            now_refused = (self.refused | frozenset(refused)) - tables.keys()
            if now_refused != self.refused:
                self.refused, self.state = now_refused, object()
            self._tables = {**self._tables, **tables}

    def add_rows(self, codes: pa.Table, names: Iterable[str]) -> dict[str, int]:
        """Take in codes as :meth:`of` gave them.

        Args:
            codes: a table under ``schema.CODES_SCHEMA``.
            names: whose codes they are: each variable's are all there, or it has none.

        Returns:
            how many each of them has.
        """
        own = codes.select(_OWN).combine_chunks()
        spans = spans_of(codes["variable_name"])
        places = {name: spans.get(name, (0, 0)) for name in names}
        self.add({n: own.slice(start, stop - start) for n, (start, stop) in places.items()})
        return {name: stop - start for name, (start, stop) in places.items()}

    def of(self, variables: pa.Table) -> pa.Table:
        """The codes of variables, under ``schema.CODES_SCHEMA``, in the variables' order.

        Args:
            variables: a table under ``schema.VARIABLES_SCHEMA``, of which none is missing.

        Raises:
            CodesError: saved codes are of no variable, or not in order.
        """
        self.read()
        all_names = variables["name"].to_pylist()
        chosen = variables.take(integers(i for i, n in enumerate(all_names) if n in self._tables))
        own, sizes = self._joined(chosen["name"].to_pylist())
        starts = integers(accumulate(sizes, initial=0))
        rows = pa.arange(0, len(own))
        places = pc.list_parent_indices(pa.LargeListArray.from_arrays(starts, rows))
        repeated = partial(pc.take, indices=places, memory_pool=_POOL)
        columns = {
            "position": pc.subtract(rows, repeated(starts), memory_pool=_POOL),
            "variable_name": repeated(chosen["name"].combine_chunks()),
            "variable_description": repeated(chosen["description"].combine_chunks()),
            "table_name": repeated(chosen["table_name"].combine_chunks()),
            **{name: own[name] for name in _OWN},
        }
        return pa.table([columns[c.name] for c in schema.CODES], schema=schema.CODES_SCHEMA)

    def _joined(self, names: list[str]) -> tuple[pa.Table, list[int]]:
        """The codes of variables one after the other, and how many each has."""
        known = self._tables
        tables = [known[name] for name in names]
        sizes = list(map(len, tables))
        own = pa.concat_tables([pa.Table.from_batches([], _OWN_SCHEMA), *tables]).combine_chunks(
            _POOL
        )
        if len(names) == len(known):
            # What is kept are views of the whole, so that nothing is held twice.
            starts = accumulate(sizes, initial=0)
            self.add({n: own.slice(at, k) for n, at, k in zip(names, starts, sizes, strict=False)})
        return own, sizes

    def read(self) -> None:
        """Read the codes of a saved catalogue, unless that was done before.

        Raises:
            CodesError: there are codes of what is no variable.
        """
        with self._lock.own:
            if self._saved is not None:
                self._take_in(self._saved())
                self._saved = None

    def _take_in(self, saved: pa.Table) -> None:
        saved = saved.select(_SAVED_SCHEMA.names).cast(_SAVED_SCHEMA)
        places = pc.index_in(saved["variable_name"], self._names.combine_chunks())
        places = places.combine_chunks()
        if places.null_count:
            strange = pc.unique(saved["variable_name"].filter(pc.is_null(places)))
            raise CodesError(
                f"There are codes of {clipped(strange[0].as_py())!r}, which is no variable of "
                f"{self._source}. Nothing of the codes was used. Read the catalogue anew."
            )
        if not pc.all(pc.less_equal(places[:-1], places[1:]), min_count=0).as_py():
            # Stable, so that the API's order stays within each variable.
            order = pc.array_sort_indices(places)
            saved = saved.take(order)
        self.add_rows(saved, pc.unique(saved["variable_name"]).to_pylist())


def with_codes(variables: pa.Table) -> list[str]:
    """Names of the variables that can have codes: those that the API calls selectors."""
    chosen = pc.equal(variables["api_type"], strings(["Selector"])[0])
    return variables["name"].filter(chosen).to_pylist()  # type: ignore[no-any-return]
