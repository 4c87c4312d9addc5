"""The catalogue of a system: its frames, linked with each other, without a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from apteco_frames.orbit import schema
from apteco_frames.orbit.text import clipped
from apteco_frames.system import FastStatsSystem
from apteco_frames.tables import Tables, relate
from apteco_frames.variables import Variables, check, count_by_table, tell_kinds


class Catalogue:
    """The tables and variables of one build of a FastStats system, offline.

    It holds no token and uses no network. Catalogues compare by their contents.

    Args:
        system_info: the system that the catalogue is of.
        tables: the tables; anything that gives an Arrow stream with the columns of
            ``Tables`` that come from the API. Derived columns are computed anew.
        variables: the variables, likewise with the columns of ``Variables``.
        source: where they came from, a URL or a path, for error messages.

    Raises:
        TablesError: the tables do not form one tree.
        VariablesError: a variable is on a table that is not there, or a name comes twice.

    >>> from apteco_frames.demo import holidays
    >>> catalogue = holidays()
    >>> Catalogue(catalogue.system_info, catalogue.tables, catalogue.variables) == catalogue
    True
    """

    _session = None

    def __init__(
        self, system_info: FastStatsSystem, tables: Any, variables: Any, *, source: str = ""
    ) -> None:
        place = source or f"system {clipped(system_info.name)!r}"
        raw_tables = _from_api(tables, schema.TABLES)
        raw_variables = _from_api(variables, schema.VARIABLES)
        counts = count_by_table(raw_variables)
        related = relate(raw_tables, counts, place)
        check(raw_variables, counts, related["name"].to_pylist(), place)
        self._system_info = system_info
        self._tables = Tables(related, self)
        self._variables = Variables(tell_kinds(raw_variables), self)

    @property
    def system_info(self) -> FastStatsSystem:
        """The system that the catalogue is of."""
        return self._system_info

    @property
    def tables(self) -> Tables:
        """The tables of the system."""
        return self._tables

    @property
    def variables(self) -> Variables:
        """The variables of the system."""
        return self._variables

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue itself."""
        return self

    def write_parquet(self, directory: str | Path) -> list[Path]:
        """Write the catalogue to a folder, one Parquet file per collection.

        The files ``tables.parquet`` and ``variables.parquet`` replace those of an older
        catalogue there; at any moment the folder holds the older catalogue or the new
        one, whole. Files of another origin are never overwritten.

        Args:
            directory: the folder; made if it is not there.

        Returns:
            the paths written.

        Raises:
            SnapshotError: a file there is no catalogue file.
            OSError: the folder cannot be written.
        """
        from apteco_frames.store import snapshot

        return snapshot.write(self, Path(directory))

    @classmethod
    def read_parquet(cls, directory: str | Path) -> Catalogue:
        """Read a catalogue that :meth:`write_parquet` wrote.

        Args:
            directory: the folder.

        Raises:
            SnapshotError: a file is missing, damaged, of another origin, or written by
                a newer version of this package.
        """
        from apteco_frames.store import snapshot

        return snapshot.read(Path(directory))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Catalogue):
            return NotImplemented
        return (
            self.system_info == other.system_info
            and self.tables == other.tables
            and self.variables == other.variables
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Catalogue, (self.system_info, self.tables.arrow, self.variables.arrow)

    def __repr__(self) -> str:
        return (
            f"<Catalogue of system {clipped(self.system_info.name)!r}, "
            f"built {self.system_info.build_date}: {len(self.tables):,} tables, "
            f"{len(self.variables):,} variables>"
        )


def _from_api(data: Any, columns: tuple[schema.Column, ...]) -> pa.Table:
    """The columns that the API has, under their declared types."""
    arrow = data if isinstance(data, pa.Table) else pa.table(data)
    fields = [pa.field(c.name, c.type, c.nullable) for c in columns if c.api_field]
    for field in fields:
        # Saved by an earlier version, which did not know the column yet.
        if field.nullable and field.name not in arrow.column_names:
            arrow = arrow.append_column(field, pa.nulls(len(arrow), field.type))
    return arrow.select([field.name for field in fields]).cast(pa.schema(fields))
