"""What a catalogue and a session share: the frames of a build, and what is asked of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from apteco_frames.analysis.diff import changes, not_compared, without_codes_of
from apteco_frames.analysis.sql import answer
from apteco_frames.changes import Changes
from apteco_frames.codes import Codes
from apteco_frames.links import Owner, links_of
from apteco_frames.matches import Matches
from apteco_frames.render import dictionary, workbook
from apteco_frames.storage import snapshot
from apteco_frames.support import files
from apteco_frames.support.arguments import checked_number, checked_path, checked_text, not_a
from apteco_frames.system import FastStatsSystem
from apteco_frames.tables import Table, Tables
from apteco_frames.variables import Variables

if TYPE_CHECKING:
    import polars as pl

    from apteco_frames.analysis.search import Index

LOADED_BY = {
    "codes": "session.load_codes() reads them",
    "folders": "session.folders reads them",
}
"""How codes and folders come into the catalogue of a session."""


class Contents(Owner, Protocol):
    """What is known of a build, offline: its catalogue."""

    @property
    def system_info(self) -> FastStatsSystem:
        """The FastStats system."""

    @property
    def tables(self) -> Tables:
        """The tables of the system."""

    @property
    def variables(self) -> Variables:
        """The variables of the system."""

    @property
    def codes(self) -> Codes:
        """The codes of all variables, if they are known."""

    @property
    def has_codes(self) -> bool:
        """Whether the codes of all variables are known."""

    @property
    def has_folders(self) -> bool:
        """Whether the folders are known."""

    def _arrows(self) -> dict[str, pa.Table]:
        """The rows of all that is known, by noun."""

    def _compared(self) -> tuple[dict[str, pa.Table], frozenset[str]]:
        """The rows of all that is known, and of which variables the codes are not."""

    def _values(self) -> tuple[dict[str, Any], dict[str, pa.Table], list[str]]:
        """The system, the rows of all that is known, and whose codes were refused."""

    def _dictionary(self) -> dict[str, Any]:
        """What the data dictionary shows."""

    def _index(self) -> tuple[Index, tuple[str, ...]]:
        """The words of all that is known, and what is not, in a sentence each."""


class SystemFrames(ABC):
    """What a catalogue and a session share: one build of a system, and its frames."""

    _system_info: FastStatsSystem
    _tables: Tables
    _variables: Variables

    @property
    @abstractmethod
    def catalogue(self) -> Contents:
        """The offline part: the catalogue, without token and network."""

    @property
    def system_info(self) -> FastStatsSystem:
        """The FastStats system; its build date is a local time without a zone."""
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
    def codes(self) -> Codes:
        """The codes of all variables; a session reads them on first use.

        Raises:
            NotLoadedError: a catalogue does not hold them, or not all.
            CodesError: the API refuses the codes of a variable.
            AptecoFramesError: the API could not be asked, or its answers contradict each other.
        """
        return self.variables.codes

    def diff(self, older: SystemFrames, *, drop: float | None = None) -> Changes:
        """What changed since an older catalogue, and how much each change matters.

        Tables, variables and, where both have them, folders and codes are compared, codes
        variable by variable; nothing is read from a server. ``.not_compared`` says what was
        left out. :class:`~apteco_frames.changes.Changes` says what is compared
        with what, and which change is ``breaking``, ``notable`` or ``routine``.

        Args:
            older: the catalogue of an older build, or a session with it.
            drop: a fraction, such as 0.2: a fall of a table's records, or of a variable's
                number of codes, by more than that is ``breaking``.

        Raises:
            TypeError: ``older`` is neither a catalogue nor a session, or ``drop`` no number.
            ValueError: ``drop`` is not between 0 and 1.

        >>> from apteco_frames import Catalogue
        >>> from apteco_frames.demo import holidays
        >>> whole = holidays()
        >>> fewer = Catalogue(whole.system_info, whole.tables, whole.variables[1:])
        >>> [(row.change, row.noun, row.name, row.severity) for row in fewer.diff(whole)][0]
        ('removed', 'variable', 'hoURN', 'breaking')
        """
        if not isinstance(older, SystemFrames):
            raise not_a("diff() takes the older catalogue, or a session with it", older)
        before, after = older.catalogue, self.catalogue
        (new, new_lacks), (old, old_lacks) = after._compared(), before._compared()
        pair = [without_codes_of(rows, new_lacks | old_lacks) for rows in (new, old)]
        left_out = not_compared(new, old, lacking=(new_lacks, old_lacks))
        return Changes(changes(*pair, drop=drop), after, before.system_info, left_out)

    def search(self, text: str, *, limit: int = 20) -> Matches:
        """What has all words of a text, the best first.

        Names, descriptions and notes are searched, the folders and tables of variables,
        and codes with their variables; of codes and folders those that are loaded, since
        nothing is read from a server. Case, accents and the order of words do not matter.
        Names are searched as they are and by their parts: ``dest`` is one of ``boDest``.

        A word is found to the letter, as the start of another, or with typing errors: none
        in words of up to 4 letters and in numbers, one in up to 8, otherwise two; a swap
        of neighbours is one. What has all words to the letter comes first, then what has
        one only as a start, then with an error. Of these, names and descriptions come
        before notes, these before folders and tables, and codes last; a whole text comes
        before a part; and tables, variables, folders and codes are in the API's order.

        The first search takes longer, and keeps an index.

        Args:
            text: the words.
            limit: how many matches at most; ``.total`` says how many there are.

        Raises:
            TypeError: ``text`` is no text, or ``limit`` no whole number.
            ValueError: ``limit`` is less than 1.

        >>> from apteco_frames.demo import holidays
        >>> [(match.name, match.description) for match in holidays().search("travle date")]
        [('boTrav', 'Travel Date'), ('PoTrave1', 'Policy Travel Date')]
        """
        checked_text(text, "search()")
        most = checked_number(limit, "limit=")
        index, left_out = self.catalogue._index()
        found = index.search(text, most)
        owner = links_of(self.tables).owner
        return Matches(found.rows, owner, text, found.total, found.nearest, left_out)

    def sql(self, query: str) -> pl.DataFrame:
        """The answer to a query in SQL, in the dialect of ``polars.SQLContext``.

        Its tables are ``tables``, ``variables``, ``codes``, ``folders`` and ``system``, with
        the columns of the frames of these names; enums are text, so that
        ``type like 'D%'`` works. ``codes`` and ``folders`` are there once they are loaded:
        nothing is read from a server. ``notebooks/data_dictionary.ipynb`` in the repository
        has six questions with their SQL, and the same as a filter.

        The SQL of polars can read files (``read_csv``, ``read_parquet`` …), so no query that
        comes from somebody else belongs in here. One that is very long, or recursive without an
        end, can end or hang the process, too.

        Args:
            query: one statement.

        Raises:
            TypeError: it is no text.
            SqlError: it names a table or column that is not there, and says which are; or
                a file that cannot be read; or it is no query that polars understands.
            ForkedProcessError: polars was used before this process was forked.

        >>> from apteco_frames.demo import holidays
        >>> query = "select name from variables where type like 'Date%' and is_virtual"
        >>> holidays().sql(query)["name"].to_list()
        ['pe1R0UXG', 'pe1ZD7MN']
        """
        checked_text(query, "sql()")
        catalogue = self.catalogue
        system = pa.Table.from_pylist([self.system_info._asdict()], snapshot.SYSTEM_SCHEMA)
        rows = {**catalogue._arrows(), "system": system}
        missing = {
            noun: f"Not all {noun} are loaded; {how}."
            for noun, how in LOADED_BY.items()
            if noun not in rows
        }
        return answer(query, rows, missing)

    def write_html(self, path: str | Path) -> Path:
        """Write the data dictionary: one HTML file to search and read in a browser, offline.

        It holds the tables, the variables, and the codes and folders that are loaded, and
        says of which variables the codes are not; nothing is read from a server. The page
        asks for nothing either: its script and its style are in it, and a
        Content-Security-Policy forbids all else. Add ``#`` and the name of a variable to its
        address to open it at that variable.

        Args:
            path: the file; an existing file is replaced.

        Returns:
            the path written.

        Raises:
            TypeError: ``path`` is no path.
            OSError: the file cannot be written; an older one is still as it was.
        """
        target = checked_path(path, "write_html()")
        text = dictionary.page(**self.catalogue._dictionary()).encode()
        files.replace(target, lambda part: part.write_bytes(text))
        return target

    def write_excel(self, path: str | Path) -> Path:
        """Write a data dictionary as an Excel workbook (needs the extra ``excel``).

        Its sheets are the system, the tables, the variables and, where they are loaded, the
        codes; nothing is read from a server. The first sheet says what is not there. A
        table's name leads to its variables, a variable's to its codes. What does not fit a
        sheet goes on in another; a text beyond Excel's 32,767 characters ends in a mark.

        Texts stay texts, whatever they look like: none becomes a formula or an address.

        Args:
            path: the file, normally ending ``.xlsx``; an existing file is replaced, whole or
                not at all.

        Returns:
            the path written.

        Raises:
            TypeError: ``path`` is no path.
            MissingDependencyError: XlsxWriter is not installed.
            OSError: the file cannot be written.
        """
        target = checked_path(path, "write_excel()")
        workbook.write(target, *self.catalogue._values())
        return target

    @property
    def master_table(self) -> Table:
        """The one table without a parent."""
        return next(table for table in self.tables if not table.parent_name)
