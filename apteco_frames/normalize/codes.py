"""The codes that are known of a build, and what follows from whose they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.errors import CodesError
from apteco_frames.schema.column import api_schema
from apteco_frames.support.arrays import integers, spans_of, strings
from apteco_frames.support.fork import ProcessLock
from apteco_frames.support.text import truncate

# What a variable's codes have of their own; the other columns follow from the variable.
_OWN_SCHEMA = api_schema(schema.CODES)
_OWN = _OWN_SCHEMA.names
_SAVED_SCHEMA = pa.schema([schema.CODES_SCHEMA.field("variable_name"), *_OWN_SCHEMA])

# Unlike Arrow's own, it gives back at once what a large array took while it grew.
_POOL = pa.system_memory_pool()


class CodeStore:
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
            CodesError: saved codes belong to an unknown variable.
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
            CodesError: codes belong to an unknown variable.
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
                f"There are codes of {truncate(strange[0].as_py())!r}, which is not a variable of "
                f"{self._source}. None of the codes were used. Read the catalogue again."
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
