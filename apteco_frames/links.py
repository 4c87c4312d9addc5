"""How the nouns of a catalogue lead to each other.

A table has variables, a variable has codes and is in a folder, a code is of a variable, which
is on a table: nouns go round in a circle, and their modules must not. So a noun imports only
those that it holds: tables and folders import variables, and variables import codes. What
leads back, from a code to its variable, or from a variable to its table and its folder, is
known here alone: each catalogue has its :class:`Links`, which its frames and rows go by.

Type checkers know the nouns that are imported by none below them from ``nouns.pyi``.
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
    """What frames belong to: a catalogue, or one that reads more on first use."""

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
        """What uses its variables; likewise."""


class Links:
    """The ways from the rows of a catalogue to others of its rows.

    Args:
        owner: the catalogue.
        codes: gives the codes that are known of the catalogue.
        read_codes: likewise, with those of all variables of a table that have codes.
        session: the session whose frames these are; None offline.
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
        """The variables on a table, in the API's order: each time the same frame."""
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
        """A variable as a frame, which keeps its codes: each time the same frame."""
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
        """The uses of variables; or of a code of theirs, be it without its blanks."""
        uses, names = self.owner.uses, list(variables)
        fits = pc.is_in(uses._arrays["variable_name"], value_set=strings(names))
        rows = uses.arrow.filter(fits)
        if code is not None:
            rows = resolved(rows, self.codes().of(self.variables_named(names).arrow))
            rows = rows.filter(pc.equal(rows["code"], strings([code])[0]))
        return uses._part(rows)

    @cached_property
    def _by_table(self) -> tuple[pa.Table, dict[str, tuple[int, int]]]:
        """The variables with those of each table together, and where each table's stand."""
        variables = self.owner.variables
        # Stable, so that the API's order stays within each table.
        order = pc.array_sort_indices(variables._arrays["table_name"].dictionary_encode().indices)
        rows = variables.arrow.take(order)
        return rows, spans_of(rows["table_name"])


def links_of(of: CatalogueFrame[Any] | Row) -> Links:
    """The links that a frame or a row goes by."""
    return of._links  # type: ignore[no-any-return]
