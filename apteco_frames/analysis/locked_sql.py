"""SQL over a catalogue for untrusted queries, by DuckDB: no files, no network, no settings.

polars' SQL can read files, and nothing stops it. Here each query has a database of its own in
memory, with the tables of the catalogue, which is discarded after the query.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from apteco_frames.analysis.sql import failed
from apteco_frames.errors import MissingDependencyError, SqlError, how_to_install
from apteco_frames.support.text import is_unicode, truncate

# The last one is final. Access to files is removed after the database was opened: a database
# opened without it may still read and write beside its own name.
_SETTINGS = {
    "memory_limit": "'1GB'",
    "temp_directory": "''",
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_persistent_secrets": "false",
    "secret_directory": "'none'",
    "extension_directory": "'none'",
    "python_enable_replacements": "false",
    "enable_external_access": "false",
    "disabled_filesystems": "'LocalFileSystem'",
    "lock_configuration": "true",
}
_LONGEST_REASON = 500
# After so many characters no further rows are read, which would take the memory once more.
_LONGEST_ANSWER = 10_000_000


class Answered(NamedTuple):
    """The answer to a query.

    Attributes:
        columns: the names of its columns.
        rows: its rows.
        is_all: whether these are all rows.
    """

    columns: list[str]
    rows: list[tuple[Any, ...]]
    is_all: bool


class LockedSql:
    """Answers queries over the tables of a catalogue, each in a database of its own.

    Args:
        catalogue: the tables to query, by name.
        missing: the tables that are not loaded, with a sentence on each.

    Raises:
        MissingDependencyError: DuckDB is not installed.
    """

    def __init__(self, catalogue: Mapping[str, pa.Table], missing: Mapping[str, str]) -> None:
        self._duckdb = import_duckdb()
        self._catalogue = dict(catalogue)
        self._missing = dict(missing)

    def answer(self, query: str, *, most: int, seconds: float) -> Answered:
        """The answer to a query; of several statements, to the last.

        Args:
            query: statements in the SQL of DuckDB.
            most: the largest number of rows to read; fewer are read of very long ones.
            seconds: the time limit.

        Raises:
            SqlError: the SQL is invalid, takes too long, or names something unknown or not
                allowed.
        """
        if not is_unicode(query):
            raise self._refused(query, "it is not valid Unicode")
        database = self._duckdb.connect(":memory:")
        is_late = threading.Event()

        def break_off() -> None:
            is_late.set()
            database.interrupt()

        timer = threading.Timer(seconds, break_off)
        timer.daemon = True
        try:
            for name, value in _SETTINGS.items():
                if name == "lock_configuration":
                    for table, arrow in self._catalogue.items():
                        database.register(table, arrow)
                database.execute(f"SET {name} = {value}")
            timer.start()
            result = database.execute(query)
            if result is None or result.description is None:
                raise self._refused(query, "it is not a statement")
            columns = [column[0] for column in result.description]
            rows: list[tuple[Any, ...]] = []
            row, length = result.fetchone(), 0
            while row is not None and len(rows) < most and length < _LONGEST_ANSWER:
                rows.append(row)
                length += sum(len(v) if isinstance(v, str | bytes) else len(str(v)) for v in row)
                row = result.fetchone()
        except self._duckdb.Error as error:
            if is_late.is_set():
                raise SqlError(
                    f"The query {truncate(query)!r} was stopped after {seconds:g} seconds. "
                    "Ask for less: filter before you join, and join on names."
                ) from None
            raise self._refused(query, str(error)) from None
        finally:
            timer.cancel()
            database.close()
        return Answered(columns, rows, row is None)

    def _refused(self, query: str, reason: str) -> SqlError:
        lines = [line for line in reason.splitlines() if line.strip(" ^")]
        told = " ".join(lines).strip().rstrip(".")
        told = truncate(told, _LONGEST_REASON)
        return SqlError(failed(query, told, self._catalogue, self._missing)[0])


def import_duckdb() -> Any:
    """DuckDB.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise MissingDependencyError(
            "Queries in SQL need DuckDB, which is not installed. Install it with: python -m pip "
            f"install duckdb; or with this package, {how_to_install('mcp-sql')}"
        ) from None
    return duckdb
