"""The catalogue of a system: its frames, linked with each other, without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.codes import Codes, KnownCodes, with_codes
from apteco_frames.errors import NotLoadedError, SnapshotError
from apteco_frames.folders import Folders
from apteco_frames.links import Links
from apteco_frames.normalize.folders import arrange, nodes_of
from apteco_frames.normalize.tables import relate
from apteco_frames.normalize.variables import check, count_by_table, tell_kinds, warn_of_unknown
from apteco_frames.schema.column import Column
from apteco_frames.storage import snapshot, strings
from apteco_frames.storage.label import DAMAGE
from apteco_frames.support.arguments import checked_path, not_a
from apteco_frames.support.fork import ProcessLock
from apteco_frames.support.text import clipped
from apteco_frames.system import FastStatsSystem
from apteco_frames.system_frames import LOADED_BY, SystemFrames
from apteco_frames.tables import Tables
from apteco_frames.variables import Variables

if TYPE_CHECKING:
    from apteco_frames.analysis.search import Index


class Catalogue(SystemFrames):
    """The tables and variables of one build of a FastStats system, offline.

    It holds no token and uses no network. Catalogues compare by their contents.

    Args:
        system_info: the system that the catalogue is of.
        tables: the tables; anything that gives an Arrow stream with the columns of
            ``Tables`` that come from the API. Derived columns are computed anew.
        variables: the variables, likewise with the columns of ``Variables``.
        codes: the codes of all variables, likewise with ``variable_name`` and the columns
            of ``Codes`` that come from the API; or a function that gives them, which is
            called on first use. None if they are not known.
        folders: the folders, likewise with the columns of ``Folders``.
        unavailable: names of variables whose codes the API refused.
        source: where they came from, a URL or a path, for error messages.

    Raises:
        TypeError: ``system_info`` is no ``FastStatsSystem``, or what should be rows is no
            table.
        TablesError: the tables do not form one tree.
        VariablesError: a variable is on a table that is not there, or a name comes twice.
        CodesError: there are codes of what is no variable.
        FoldersError: the folders do not form a tree, or hold what is no variable.

    >>> from apteco_frames.demo import holidays
    >>> whole = holidays()
    >>> few = Catalogue(whole.system_info, whole.tables, whole.variables[:5])
    >>> [variable.name for variable in few.variables] == whole.variables.frame["name"][:5].to_list()
    True
    >>> few.has_codes, whole.has_codes
    (False, True)
    """

    def __init__(
        self,
        system_info: FastStatsSystem,
        tables: Any,
        variables: Any,
        codes: Any = None,
        folders: Any = None,
        *,
        unavailable: Iterable[str] = (),
        source: str = "",
    ) -> None:
        if not isinstance(system_info, FastStatsSystem):
            raise not_a("Catalogue() takes a FastStatsSystem as system_info", system_info)
        place = source or f"system {clipped(system_info.name)!r}"
        raw_tables = _from_api(tables, schema.TABLES)
        raw_variables = _from_api(variables, schema.VARIABLES)
        counts = count_by_table(raw_variables)
        related = relate(raw_tables, counts, place)
        check(raw_variables, counts, related["name"].to_pylist(), place)
        known = _known(codes, raw_variables["name"], unavailable, place)
        reader = _folder_reader(folders, raw_variables["name"], place)
        self._hold(system_info, related, tell_kinds(raw_variables), known, reader)
        warn_of_unknown(self._variables.arrow, place)

    @classmethod
    def _of_frames(
        cls, system_info: FastStatsSystem, tables: pa.Table, variables: pa.Table, source: str
    ) -> Catalogue:
        """A catalogue of the tables that another one's frames had, which were checked there."""
        catalogue = object.__new__(cls)
        known = KnownCodes(variables["name"], source=source)
        catalogue._hold(system_info, tables, variables, known, None)
        warn_of_unknown(variables, source)
        return catalogue

    def _hold(
        self,
        system_info: FastStatsSystem,
        tables: pa.Table,
        variables: pa.Table,
        known_codes: KnownCodes,
        read_folders: Callable[[], pa.Table] | None,
    ) -> None:
        """Set all that a catalogue holds, from wherever it comes."""
        self._system_info = system_info
        self._links = Links(self, self._codes_of, lambda: known_codes.state)
        self._tables = Tables(tables, self)
        self._variables = Variables(variables, self)
        self._known_codes = known_codes
        self._read_folders = read_folders
        self._indexed: tuple[tuple[int, bool], Index, tuple[str, ...]] | None = None
        self._index_lock = ProcessLock()

    @property
    def has_codes(self) -> bool:
        """Whether the codes of all variables are known, but for those that were refused."""
        return not self._known_codes.missing(self._variables.arrow)

    @cached_property
    def folders(self) -> Folders:
        """The folders of the system.

        Raises:
            NotLoadedError: they are not known.
        """
        if self._read_folders is None:
            raise NotLoadedError(
                f"The catalogue of system {clipped(self.system_info.name)!r} holds no folders. "
                "Log in, use session.folders once, and take or write session.catalogue after that."
            )
        return Folders(self._read_folders(), self)

    @property
    def has_folders(self) -> bool:
        """Whether the folders are known."""
        return self._read_folders is not None

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue itself."""
        return self

    @property
    def links(self) -> Links:
        """How its frames lead to each other; for them alone."""
        return self._links

    def _codes_of(self, variables: Variables) -> tuple[object, Codes]:
        missing = self._known_codes.missing(variables.arrow)
        if missing:
            all_of_them = len(missing) == len(with_codes(variables.arrow))
            which = "no codes" if all_of_them else f"no codes of {_listed(missing)}"
            raise NotLoadedError(
                f"The catalogue of system {clipped(self.system_info.name)!r} holds {which}. Log "
                "in, call session.load_codes(), and take or write session.catalogue after that."
            )
        known = self._known_codes
        state = known.state
        return state, Codes(known.of(variables.arrow), self, variables, known.refused)

    def _index(self) -> tuple[Index, tuple[str, ...]]:
        """The words of all that is known, and what is not, in a sentence each.

        Made once, and anew if codes or folders were loaded since.
        """
        # Here, since it loads rapidfuzz.
        from apteco_frames.analysis.search import Index

        known = self._known_codes
        known.read()
        state = known.variable_count, self.has_folders
        with self._index_lock.own:
            if self._indexed is None or self._indexed[0] != state:
                rows = self._arrows()
                if "codes" not in rows and known.variable_count:
                    rows["codes"] = known.of(self._variables.arrow)
                missing = len(known.missing(self._variables.arrow))
                self._indexed = state, Index(rows), tuple(_not_searched(rows, missing))
            return self._indexed[1:]

    def _keep_folders(self, arrow: pa.Table) -> None:
        """Hold the folders that a session has loaded."""
        self._read_folders = lambda: arrow

    def write_parquet(self, directory: str | Path) -> list[Path]:
        """Write the catalogue to a folder, one Parquet file per collection.

        The files ``system.parquet``, ``tables.parquet`` and ``variables.parquet`` replace
        those of an older catalogue there; at any moment the folder holds the older
        catalogue or the new one, whole. Files of another origin are never overwritten.

        Args:
            directory: the folder; made if it is not there.

        Returns:
            the paths written.

        Raises:
            TypeError: ``directory`` is no path.
            SnapshotError: a file there is no catalogue file.
            OSError: the folder cannot be written.
        """
        return snapshot.write(checked_path(directory, "write_parquet()"), *self._values())

    @classmethod
    def read_parquet(cls, directory: str | Path) -> Catalogue:
        """Read a catalogue that :meth:`write_parquet` wrote.

        Args:
            directory: the folder.

        Raises:
            TypeError: ``directory`` is no path.
            SnapshotError: a file is missing, damaged, of another origin, or written by
                a newer version of this package.
        """
        folder = checked_path(directory, "read_parquet()")
        saved = snapshot.read(folder)
        try:
            return cls._restored(saved, str(folder))
        except DAMAGE as error:
            raise SnapshotError(
                f"The catalogue of {folder / 'tables.parquet'} is damaged: {error}"
            ) from None

    def _to_json(self) -> dict[str, Any]:
        """The catalogue as JSON values, which go into a serialised session."""
        return strings.to_json(*self._values())

    @classmethod
    def _from_json(cls, values: Any) -> Catalogue:
        """The catalogue that :meth:`_to_json` wrote.

        Raises:
            DeserializeError: the values are damaged or of a newer version.
        """
        saved = strings.from_json(values)
        try:
            return cls._restored(saved)
        except DAMAGE as error:
            raise strings.damaged(error) from None

    @classmethod
    def _restored(cls, saved: snapshot.Snapshot, source: str = "") -> Catalogue:
        system_info = FastStatsSystem(**saved.system)
        rows = saved.tables, saved.variables, saved.codes, saved.folders
        return cls(system_info, *rows, unavailable=saved.unavailable, source=source)

    def _values(self) -> tuple[dict[str, Any], dict[str, pa.Table], list[str]]:
        """The system, the rows of all that is known, and whose codes were refused."""
        return self._system_info._asdict(), self._arrows(), sorted(self._known_codes.refused)

    def _arrows(self) -> dict[str, pa.Table]:
        """The rows of all that is known, by noun."""
        rows = {"tables": self._tables.arrow, "variables": self._variables.arrow}
        if self.has_codes:
            rows["codes"] = self.codes.arrow
        if self.has_folders:
            rows["folders"] = self.folders.arrow
        return rows

    def _compared(self) -> tuple[dict[str, pa.Table], frozenset[str]]:
        """The rows of all that is known, and of which variables the codes are not."""
        known, variables = self._known_codes, self._variables.arrow
        rows, lacking = self._arrows(), frozenset(known.missing(variables)) | known.refused
        known.read()
        if "codes" not in rows and known.variable_count:
            rows["codes"] = known.of(variables)
        return rows, lacking

    def _dictionary(self) -> dict[str, Any]:
        """What the data dictionary shows: all that is known, and what is not."""
        known, variables = self._known_codes, self._variables.arrow
        return {
            "system": self._system_info._asdict(),
            "rows": {**self._arrows(), "codes": known.of(variables)},
            "unread": known.missing(variables),
            "refused": sorted(known.refused),
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Catalogue):
            return NotImplemented
        mine = self.system_info, self.has_codes, self.has_folders
        if mine != (other.system_info, other.has_codes, other.has_folders):
            return False
        return (
            self.tables == other.tables
            and self.variables == other.variables
            and (not self.has_folders or self.folders == other.folders)
            and (not self.has_codes or self.codes == other.codes)
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        _, rows, refused = self._values()
        kinds = ("tables", "variables", "codes", "folders")
        return _unpickled, (self.system_info, *map(rows.get, kinds), refused)

    def __repr__(self) -> str:
        return (
            f"<Catalogue of system {clipped(self.system_info.name)!r}, "
            f"built {self.system_info.build_date}: {self.tables._counted}, "
            f"{self.variables._counted}>"
        )


def _unpickled(*values: Any) -> Catalogue:
    *given, refused = values
    return Catalogue(*given, unavailable=refused)


def _known(codes: Any, names: pa.ChunkedArray, refused: Iterable[str], source: str) -> KnownCodes:
    if codes is None or callable(codes):
        return KnownCodes(names, codes, refused, source)
    arrow = _arrow_table(codes)
    known = KnownCodes(names, lambda: arrow, refused, source)
    known.read()
    return known


def _folder_reader(
    folders: Any, names: pa.ChunkedArray, source: str
) -> Callable[[], pa.Table] | None:
    """What gives the folders, checked; a table is checked at once."""
    if folders is None:
        return None

    def read() -> pa.Table:
        arrow = _arrow_table(folders() if callable(folders) else folders)
        return arrange(nodes_of(arrow, source), names, source)

    if callable(folders):
        return read
    checked = read()
    return lambda: checked


def _not_searched(rows: Mapping[str, pa.Table], missing: int) -> Iterator[str]:
    """What a search leaves out, in a sentence each.

    Args:
        rows: what is searched.
        missing: of how many variables the codes are not known.
    """
    if "folders" not in rows:
        yield f"Folders were not searched: they are not loaded; {LOADED_BY['folders']}."
    if missing:
        of = f" of {missing:,} variable{'' if missing == 1 else 's'}" if "codes" in rows else ""
        yield f"Codes{of} were not searched: they are not loaded; {LOADED_BY['codes']}."


def _listed(names: list[str]) -> str:
    listed = ", ".join(repr(clipped(name)) for name in names[:10])
    return listed if len(names) <= 10 else f"{listed} and {len(names) - 10:,} more variables"


def _arrow_table(data: Any) -> pa.Table:
    if isinstance(data, pa.Table):
        return data
    wanted = "Catalogue() takes rows as a frame, a table, or another Arrow stream"
    if isinstance(data, list | tuple):  # which pyarrow takes for columns without names
        raise not_a(wanted, data)
    try:
        return pa.table(data)
    except TypeError:
        raise not_a(wanted, data) from None


def _from_api(data: Any, columns: tuple[Column, ...]) -> pa.Table:
    """The columns that the API has, under their declared types."""
    arrow = _arrow_table(data)
    fields = [pa.field(c.name, c.type, c.nullable) for c in columns if c.api_field]
    for field in fields:
        # Saved by an earlier version, which did not know the column yet.
        if field.nullable and field.name not in arrow.column_names:
            arrow = arrow.append_column(field, pa.nulls(len(arrow), field.type))
    return arrow.select([field.name for field in fields]).cast(pa.schema(fields))
