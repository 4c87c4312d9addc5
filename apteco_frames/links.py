"""How the nouns of a catalogue lead to each other.

A table has variables, a variable has codes and a folder, a code belongs to a variable, and
that to a table: the nouns form a circle, which their modules must not. So a noun imports only
the nouns it contains: tables and folders import variables, and variables import codes. The
ways back, from a code to its variable, or from a variable to its table and folder, are known
only here: each catalogue has :class:`Links`, which its frames and rows use.

For type checkers, ``nouns.pyi`` names the nouns that a module cannot import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.analysis.uses import resolved
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row
from apteco_frames.normalize.codes import CodeStore
from apteco_frames.support.arrays import integers, spans_of, strings

if TYPE_CHECKING:
    from apteco_frames.nouns import Folder, Folders, Table, Tables, Uses, Variable, Variables


class Owner(Protocol):
    """The owner of frames: a catalogue, or a live catalogue."""

    @property
    def catalogue(self) -> Any:
        """The catalogue, offline; of a catalogue itself."""

    @property
    def links(self) -> Links:
        """How its nouns lead to each other."""

    @property
    def tables(self) -> Tables:
        """The tables."""

    @property
    def variables(self) -> Variables:
        """The variables."""

    @property
    def folders(self) -> Folders:
        """The folders; a live catalogue reads them on first use."""

    @property
    def uses(self) -> Uses:
        """The uses of its variables; likewise."""


class Links:
    """The ways between the rows of a catalogue.

    Args:
        owner: the catalogue.
        codes: returns the codes that are loaded.
        read_codes: likewise, after loading the codes of the variables given.
        session: the session; None offline.
    """

    def __init__(
        self,
        owner: Owner,
        codes: Callable[[], CodeStore],
        read_codes: Callable[[pa.Table], CodeStore],
        session: Any = None,
    ) -> None:
        self.owner = owner
        self.codes = codes
        self.read_codes = read_codes
        self.session = session
        self._of_table: dict[str, Variables] = {}
        self._alone: dict[str, Variables] = {}
        self._in_folders: tuple[Folders | None, dict[str, int]] = None, {}

    @property
    def catalogue(self) -> Any:
        """The catalogue, offline."""
        return self.owner.catalogue

    def table(self, name: str) -> Table:
        """The table of a variable or a code."""
        return self.owner.tables[name]

    def variable(self, name: str) -> Variable:
        """The variable of a code."""
        return self.owner.variables.names[name]

    def variables_of(self, table: str) -> Variables:
        """The variables on a table, in the API's order; the same frame each time."""
        variables = self._of_table.get(table)
        if variables is None:
            rows, spans = self._by_table
            start, stop = spans.get(table, (0, 0))
            part = self.owner.variables._part(rows.slice(start, stop - start))
            variables = self._of_table[table] = part
        return variables

    def variables_named(self, names: Iterable[str]) -> Variables:
        """The variables of these names, in this order."""
        variables = self.owner.variables
        positions = variables._index("name")
        return variables._part(variables.arrow.take(integers(positions[name] for name in names)))

    def alone(self, variable: str) -> Variables:
        """A variable as a frame, which keeps its codes; the same frame each time."""
        variables = self._alone.get(variable)
        if variables is None:
            variables = self._alone[variable] = self.variables_named([variable])
        return variables

    def folder_of(self, variable: str) -> Folder | None:
        """The first folder that a variable is in; None if it is in none."""
        folders = self.owner.folders
        of, positions = self._in_folders
        if of is not folders:
            positions = {}
            for position, names in enumerate(folders.arrow["variable_names"].to_pylist()):
                for name in names:
                    positions.setdefault(name, position)
            self._in_folders = folders, positions
        found = positions.get(variable)
        return None if found is None else folders[found]

    def uses_of(self, variables: Iterable[str], code: str | None = None) -> Uses:
        """The uses of variables, or of one of their codes, with or without its blanks."""
        uses, names = self.owner.uses, list(variables)
        fits = pc.is_in(uses._arrays["variable_name"], value_set=strings(names))
        rows = uses.arrow.filter(fits)
        if code is not None:
            rows = resolved(rows, self.codes().of(self.variables_named(names).arrow))
            rows = rows.filter(pc.equal(rows["code"], strings([code])[0]))
        return uses._part(rows)

    @cached_property
    def _by_table(self) -> tuple[pa.Table, dict[str, tuple[int, int]]]:
        """The variables ordered by table, and the start and stop of each table."""
        variables = self.owner.variables
        # Stable, so that the API's order stays within each table.
        order = pc.array_sort_indices(variables._arrays["table_name"].dictionary_encode().indices)
        rows = variables.arrow.take(order)
        return rows, spans_of(rows["table_name"])


def links_of(of: CatalogueFrame[Any] | Row) -> Links:
    """The links of a frame or a row."""
    return of._links  # type: ignore[no-any-return]
