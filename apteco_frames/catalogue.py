"""The catalogue of a system: its frames, and everything that works without a network."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.analysis.diff import difference
from apteco_frames.analysis.quality import facts, quality
from apteco_frames.analysis.sql import answer
from apteco_frames.analysis.uses import declared, resolved, with_users
from apteco_frames.changes import Changes
from apteco_frames.codes import Codes
from apteco_frames.errors import (
    AptecoFramesError,
    CodesError,
    ConfigurationError,
    Hint,
    NotLoadedError,
    SnapshotError,
    VariablesError,
    warn,
)
from apteco_frames.findings import Findings
from apteco_frames.folders import Folders
from apteco_frames.links import Links, links_of
from apteco_frames.matches import Matches
from apteco_frames.normalize.codes import CodeStore, with_codes
from apteco_frames.normalize.folders import arrange, nodes_of
from apteco_frames.normalize.tables import relate, warn_of_children
from apteco_frames.normalize.variables import check, count_by_table, tell_kinds, warn_of_unknown
from apteco_frames.quality import Quality
from apteco_frames.render import card, dictionary, workbook
from apteco_frames.render.users import users_of
from apteco_frames.schema.column import INT, TIMESTAMP, Column
from apteco_frames.storage import snapshot
from apteco_frames.storage.snapshot import DAMAGE
from apteco_frames.support import files
from apteco_frames.support.arguments import (
    not_a,
    require_number,
    require_path,
    require_progress,
    require_text,
)
from apteco_frames.support.arrays import table_of
from apteco_frames.support.fork import ProcessLock
from apteco_frames.support.progress import Progress
from apteco_frames.support.synonyms import SynonymsLike, read_synonyms
from apteco_frames.support.text import is_unicode, list_names, truncate
from apteco_frames.system import FastStatsSystem
from apteco_frames.tables import Table, Tables
from apteco_frames.uses import Uses
from apteco_frames.variables import Variables

if TYPE_CHECKING:
    import polars as pl

    from apteco_frames.analysis.search import Index

# The first and the last microsecond of the years that a datetime can hold, since 1970.
_FIRST_TIME, _LAST_TIME = -62_135_596_800_000_000, 253_402_300_799_999_999

_LOADED_BY = {
    "codes": "session.load_codes() reads them",
    "folders": "session.folders reads them",
}
"""How to load them, for messages."""


class AnyCatalogue(ABC):
    """What a catalogue and a session share: the frames of a build, and the methods on them."""

    @property
    @abstractmethod
    def catalogue(self) -> Catalogue:
        """The offline part, without a token and without a network."""

    @property
    def system_info(self) -> FastStatsSystem:
        """The FastStats system; its build date is in the server's local time, without a zone."""
        return self.catalogue.system_info

    @property
    @abstractmethod
    def tables(self) -> Tables:
        """The tables of the system."""

    @property
    @abstractmethod
    def variables(self) -> Variables:
        """The variables of the system."""

    @property
    def codes(self) -> Codes:
        """The codes of all variables; a session reads them on first use.

        Raises:
            NotLoadedError: the catalogue has no codes, or lacks some.
            CodesError: the API refused the codes of a variable.
            AptecoFramesError: the API could not be reached, or its answers contradict each other.
        """
        return self.variables.codes

    @property
    @abstractmethod
    def uses(self) -> Uses:
        """Which audiences, dashboards, compositions and selection files use which variables.

        A session reads them on first use; see ``Session.load_uses``.

        Raises:
            NotLoadedError: the catalogue has no uses.
            AptecoFramesError: the API could not be reached, or refused.
        """

    def diff(
        self,
        older: AnyCatalogue,
        *,
        drop: float | None = 0.5,
        moved: float | None = 0.5,
        uses: Uses | None = None,
    ) -> Changes:
        """Compare with an older catalogue: what changed, and how much each change matters.

        Tables and variables are compared, and folders and codes if both catalogues have them.
        Nothing is read from a server; ``.not_compared`` lists what was left out. The rules that
        make a change ``breaking``, ``notable`` or ``routine`` are listed in
        :class:`~apteco_frames.changes.Changes`.

        Args:
            older: the catalogue of an older build, or a session with it.
            drop: a fraction. If a table loses a larger part of its records, or a variable of its
                codes, the change is ``breaking``. None turns the rule off.
            moved: a fraction of a table's records. If more of them must have moved to another
                code of a variable, or into or out of Unclassified, the change is ``breaking``;
                above a fifth of it, ``notable``. None turns this off. The share is a lower bound,
                since only counts are known: half the sum of the differences of the codes' shares,
                or for arrays, where a record has several codes, the largest difference.
            uses: what uses the variables, such as ``session.uses``. Each change then counts its
                users, and removing something that is used is ``breaking``.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: ``drop`` or ``moved`` is not between 0 and 1.

        >>> from apteco_frames import Catalogue
        >>> from apteco_frames.demo import holidays
        >>> whole = holidays()
        >>> fewer = Catalogue(whole.system_info, whole.tables, whole.variables[1:])
        >>> [(row.change, row.noun, row.name, row.severity) for row in fewer.diff(whole)][0]
        ('removed', 'variable', 'hoURN', 'breaking')
        """
        if not isinstance(older, AnyCatalogue):
            raise not_a("diff() takes the older catalogue, or a session with it", older)
        before, after = older.catalogue, self.catalogue
        new, old = after._rows(partly=True), before._rows(partly=True)
        lacking = after._lacking(), before._lacking()
        found = difference(new, old, drop=drop, moved=moved, lacking=lacking)
        rows = found.changes if uses is None else _with_users(found.changes, uses, old, new)
        return Changes(rows, after, before.system_info, found.left_out)

    def quality(self) -> Quality:
        """Profile each variable with codes: its Unclassified, unused and undescribed codes.

        A session reads the codes on first use, as ``.codes`` does.

        Raises:
            NotLoadedError: the catalogue has no codes, or lacks some.
            CodesError: the API refused the codes of a variable.
            AptecoFramesError: the API could not be reached, or its answers contradict each other.

        >>> from apteco_frames.demo import holidays
        >>> row = holidays().quality()["boDest"]
        >>> row.num_codes, row.unused_codes, round(row.unclassified_share, 3)
        (20, 0, 0.031)
        >>> row.top_description, round(row.effective_codes, 1)
        ('United States', 6.2)
        """
        codes = self.codes.arrow
        known = {"tables": self.tables.arrow, "variables": self.variables.arrow, "codes": codes}
        return Quality(quality(known), links_of(self.tables).owner)

    def lint(
        self,
        select: Iterable[str] | None = None,
        ignore: Iterable[str] | None = None,
        *,
        config: str | Path | None = None,
    ) -> Findings:
        """Check for problems to fix: personal data that may be exported, empty folders, and more.

        A session reads codes and folders on first use. If a catalogue lacks them, the rules that
        need them are skipped, and listed in ``.not_checked``. The reference lists all rules, with
        the reason for each.

        Args:
            select: names of the rules to check, or ``all``; by default those that are on.
            ignore: names of rules to leave out.
            config: a file, normally called ``lint.toml``, with thresholds and exceptions.

        Raises:
            TypeError: ``select`` or ``ignore`` is not a list of names, or ``config`` not a path.
            UnknownKeyError: no rule has that name.
            ConfigurationError: the file cannot be read, or contains something unknown.
            CodesError: the API refused the codes of a variable.
            AptecoFramesError: the API could not be reached, or its answers contradict each other.

        >>> from apteco_frames.demo import holidays
        >>> for finding in holidays().lint(["empty-folder", "mostly-unclassified"]):
        ...     print(finding.severity, finding.name, finding.message)
        notable boKeyCd 79% of the records are Unclassified.
        routine Segments The folder contains no variables.
        """
        # Here, since few use it, and it reads TOML.
        from apteco_frames.analysis import lint

        only = None if select is None else _names(select, "select= takes the names of rules")
        without = _names(ignore or (), "ignore= takes the names of rules")
        rules = lint.chosen(only, without)
        settings = lint.Settings()
        if config is not None:
            path = require_path(config, "lint()")
            settings = lint.settings_of(_text_of(path), str(path))
        rows = {"tables": self.tables.arrow, "variables": self.variables.arrow}
        left_out = []
        for noun in ("codes", "folders"):
            needed = [rule.name for rule in rules if rule.needs == noun]
            try:
                rows |= {noun: getattr(self, noun).arrow} if needed else {}
            except NotLoadedError:
                left_out += [f"Not checked, as the catalogue has no {noun}: {', '.join(needed)}."]
        found = lint.findings(lint.Known(rows, self.system_info.build_date), rules, settings)
        return Findings(found, links_of(self.tables).owner, tuple(left_out))

    def search(
        self,
        text: str,
        *,
        limit: int = 20,
        synonyms: SynonymsLike = None,
    ) -> Matches:
        """Search for everything that contains all words of a text, the best first.

        The search looks at names, descriptions and notes, at the folders and tables of
        variables, and at codes with their variables. It only finds codes and folders that are
        loaded: nothing is read from a server. If nothing contains all words, the results
        contain as many as possible: :attr:`Matches.has_all_words
        <apteco_frames.matches.Matches.has_all_words>` is then false, and the printed matches say
        so.

        Case, accents and the order of words do not matter. Parts of names count as words:
        ``dest`` is one of ``boDest``. Small words such as ``of`` and ``the`` (in English,
        German, French and Dutch) and emoji only decide between results that are otherwise
        equal. Symbols are searched for only if the text has no words.

        A word may match, from best to worst:

        * exactly;
        * in another spelling, as ``postcode`` for ``post code``, ``email`` for ``e-mail``,
          ``10,000`` for ``10000``, ``Zürich`` for ``zuerich``, or by a synonym;
        * as the start of a longer word;
        * with typing errors: none in words of up to 4 letters or with a digit, one in words of
          up to 8, otherwise two;
        * inside a word, as ``phone`` in ``Telephone``.

        The word of a result that matches worst decides. Of equal results, names and descriptions
        come before notes, notes before folders and tables, and codes last; a whole text comes
        before a part. Otherwise the order is the API's.

        The first search takes longer, as it builds an index.

        Args:
            text: the words.
            limit: the largest number of matches to return; ``.total`` counts all of them.
            synonyms: words or phrases that mean the same, such as
                ``{"income": ["salary", "earnings"]}``, or the path of a TOML file with them.
                By default ``synonyms.toml`` beside the profiles is used, if it exists; an
                empty mapping turns synonyms off.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: ``limit`` is less than 1.
            ConfigurationError: the file of synonyms cannot be read.

        >>> from apteco_frames.demo import holidays
        >>> [(match.name, match.description) for match in holidays().search("travle date")]
        [('boTrav', 'Travel Date'), ('PoTrave1', 'Policy Travel Date')]
        >>> holidays().search("salary", synonyms={"income": ["salary"]})[0].name
        'peIncome'
        """
        require_text(text, "search()")
        most = require_number(limit, "limit=")
        index, left_out = self.catalogue._index()
        found = index.search(text, most, read_synonyms(synonyms))
        owner = links_of(self.tables).owner
        words = (found.had, found.asked)
        return Matches(found.rows, owner, text, found.total, found.nearest, left_out, words)

    def sql(self, query: str) -> pl.DataFrame:
        """Run a query in SQL, in the dialect of ``polars.SQLContext``.

        The tables are ``tables``, ``variables``, ``codes``, ``folders`` and ``system``, with
        the columns of the frames of these names; enums are text, so that
        ``type like 'D%'`` works. ``codes`` and ``folders`` exist once they are loaded: nothing
        is read from a server. If a query names codes, a ``CatalogueWarning`` lists the
        variables whose codes the API refused. ``notebooks/data_dictionary.ipynb`` in the
        repository answers six questions in SQL and by filters.

        Do not run queries from people you do not trust: polars' SQL can read files
        (``read_csv``, ``read_parquet`` …), and a very long or endlessly recursive query can end
        or hang the process.

        Args:
            query: one statement.

        Raises:
            TypeError: the query is not text.
            SqlError: the SQL is invalid, or names an unknown table or column (the message lists
                those that exist), or a file that cannot be read.

        >>> from apteco_frames.demo import holidays
        >>> query = "select name from variables where type like 'Date%' and is_virtual"
        >>> holidays().sql(query)["name"].to_list()
        ['pe1R0UXG', 'pe1ZD7MN']
        """
        require_text(query, "sql()")
        info, saved, refused = contents_of(self.catalogue)
        rows = {**saved, "system": table_of([info], schema.SYSTEMS_SCHEMA)}
        missing = {
            noun: f"Not all {noun} are loaded." for noun in ("codes", "folders") if noun not in rows
        }
        answered = answer(query, rows, missing)
        if refused and re.search(r"\bcodes\b", query, re.IGNORECASE):
            warn(f"The table codes lacks those of {list_names(refused)}: the API refused them.")
        return answered

    def write_html(
        self, path: str | Path, *, uses: bool = False, synonyms: SynonymsLike = None
    ) -> Path:
        """Write the data dictionary: one HTML file to search and read in a browser, offline.

        It contains the tables, the variables, and the codes and folders that are loaded, and
        lists the variables whose codes are missing. Nothing is read from a server, and the page
        loads nothing either: it contains its script and style, and its Content-Security-Policy
        forbids everything else. Its address keeps what is shown: ``#boDest`` opens that
        variable, ``#?q=date`` that search.

        The page searches by the rules of :meth:`search`.

        Args:
            path: the file; an existing file is replaced.
            uses: whether to list the users of each variable, with titles and user names. A
                session reads them on first use.
            synonyms: as for :meth:`search`; the page's search uses them, too.

        Returns:
            the path written.

        Raises:
            TypeError: ``path`` is not a path.
            ValueError: ``path`` is empty.
            ConfigurationError: the file of synonyms cannot be read.
            NotLoadedError: the catalogue has no uses.
            OSError: the file cannot be written; an older file is unchanged.
        """
        target = require_path(path, "write_html()")
        known = read_synonyms(synonyms)
        shown = self.catalogue._dictionary()
        shown["facts"] = facts(shown["rows"])
        if uses:
            shown["facts"]["Used by"] = users_of(self.uses.arrow, self.variables.arrow["name"])
        text = dictionary.page(**shown, synonyms=known).encode()
        files.replace(target, lambda part: part.write_bytes(text))
        return target

    def write_excel(self, path: str | Path, *, progress: Progress = None) -> Path:
        """Write the data dictionary as an Excel workbook (needs the extra ``excel``).

        Its sheets are the system, the tables, the variables and, if they are loaded, the codes,
        with their shares and folders. Nothing is read from a server; the first sheet lists what
        is missing. Tables link to their variables, and variables to their codes. The sheets
        print in landscape, as wide as the page, with headers on each page. Rows that do not fit
        a sheet continue on another; a text beyond Excel's 32,767 characters is cut, and marked
        as cut.

        Texts stay texts: none becomes a formula or a link.

        Args:
            path: the file, normally ending ``.xlsx``; an existing file is replaced, whole or
                not at all.
            progress: a callable that takes the rows written so far and their total; True to show
                a progress bar, False for none, None to show one only in a terminal or notebook.

        Returns:
            the path written.

        Raises:
            TypeError: ``path`` is not a path, or ``progress`` has the wrong type.
            ValueError: ``path`` is empty.
            MissingDependencyError: XlsxWriter is not installed.
            OSError: the file cannot be written.
        """
        target = require_path(path, "write_excel()")
        shown = require_progress(progress)
        workbook.write(target, *contents_of(self.catalogue), progress=shown)
        return target

    @property
    def master_table(self) -> Table:
        """The one table without a parent."""
        return next(table for table in self.tables if not table.parent_name)


@dataclass
class CatalogueData:
    """The contents of a catalogue; a live catalogue adds codes, folders and uses.

    Attributes:
        system_info: the system.
        tables: a table under ``schema.TABLES_SCHEMA``.
        variables: a table under ``schema.VARIABLES_SCHEMA``.
        codes: the codes that are loaded.
        read_folders: returns the folders, under ``schema.FOLDERS_SCHEMA``; None if they are not
            loaded.
        read_uses: returns the uses, under ``schema.USES_SCHEMA``; likewise.
        unavailable_uses: number of resources that the API refused.
    """

    system_info: FastStatsSystem
    tables: pa.Table
    variables: pa.Table
    codes: CodeStore
    read_folders: Callable[[], pa.Table] | None = None
    read_uses: Callable[[], pa.Table | None] | None = None
    unavailable_uses: int = 0


class Catalogue(AnyCatalogue):
    """The tables and variables of one build of a FastStats system, offline.

    It has no token and uses no network. Catalogues are equal if their contents are.

    Args:
        system_info: the system.
        tables: the tables: anything with an Arrow stream of the columns of ``Tables`` that come
            from the API. Derived columns are computed.
        variables: the variables, likewise with the columns of ``Variables``.
        codes: the codes of all variables, likewise with ``variable_name`` and the columns
            of ``Codes`` that come from the API; or a function that returns them, called on
            first use. None if they are not loaded.
        folders: the folders, likewise with the columns of ``Folders``.
        unavailable: names of variables whose codes the API refused.
        uses: what uses the variables, likewise with the columns of ``Uses``.
        source: a URL or a path for error messages, where the contents came from.

    Raises:
        TypeError: ``system_info`` is not a ``FastStatsSystem``, or has something else where text
            belongs; rows are not a table, or ``unavailable`` is not a list of names.
        TablesError: the tables do not form one tree.
        VariablesError: a variable is on an unknown table, two variables have one name, or a
            date is outside the years 1 to 9999.
        CodesError: codes or ``unavailable`` name an unknown variable.
        FoldersError: the folders do not form a tree, or name an unknown variable.
        AptecoFramesError: a text of ``system_info`` contains half of a surrogate pair.

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
        uses: Any = None,
        source: str = "",
    ) -> None:
        if not isinstance(system_info, FastStatsSystem):
            raise not_a("Catalogue() takes a FastStatsSystem as system_info", system_info)
        _check_texts(system_info)
        source = source or f"system {truncate(system_info.name)!r}"
        raw_tables = _from_api(tables, schema.TABLES)
        raw_variables = _from_api(variables, schema.VARIABLES)
        counts = count_by_table(raw_variables)
        related = relate(raw_tables, counts, source)
        check(raw_variables, counts, related["name"].to_pylist(), source)
        names = raw_variables["name"]
        store = _known(codes, names, unavailable, source)
        data = CatalogueData(system_info, related, tell_kinds(raw_variables), store)
        data.read_folders = _reader(folders, lambda f: arrange(nodes_of(f, source), names, source))
        data.read_uses = _reader(uses, declared)
        data.unavailable_uses = uses.unavailable if isinstance(uses, Uses) else 0
        self._data = data
        self.links = Links(self, lambda: data.codes, self._read_codes)
        self._frames: dict[str, tuple[Tables, Variables]] = {}
        self._indexed: tuple[object, Index, dict[str, str]] | None = None
        self._index_lock = ProcessLock()
        warn_of_children(data.tables, source)
        warn_of_unknown(data.variables, source)

    @property
    def system_info(self) -> FastStatsSystem:
        """The FastStats system; its build date is in the server's local time, without a zone."""
        return self._data.system_info

    @property
    def tables(self) -> Tables:
        """The tables of the system."""
        return self._made[0]

    @property
    def variables(self) -> Variables:
        """The variables of the system."""
        return self._made[1]

    @property
    def _made(self) -> tuple[Tables, Variables]:
        """The frames, made on first use, since a session has its own."""
        if not self._frames:
            frames = Tables(self._data.tables, self), Variables(self._data.variables, self)
            # In one step, so that all threads have the same: each table is one object.
            self._frames.setdefault("", frames)
        return self._frames[""]

    @property
    def has_codes(self) -> bool:
        """Whether the codes of all variables are loaded, apart from those the API refused."""
        return not self._data.codes.missing(self._data.variables)

    @cached_property
    def folders(self) -> Folders:
        """The folders of the system.

        Raises:
            NotLoadedError: the catalogue has no folders.
        """
        read = self._data.read_folders
        if read is None:
            raise self._not_loaded("no folders", Hint.LOAD_FOLDERS)
        return Folders(read(), self)

    @property
    def has_folders(self) -> bool:
        """Whether the folders are loaded."""
        return self._data.read_folders is not None

    @property
    def uses(self) -> Uses:
        """Which audiences, dashboards, compositions and selection files use which variables.

        Raises:
            NotLoadedError: the catalogue has no uses.
        """
        rows = self._uses
        if rows is None:
            raise self._not_loaded("no uses", Hint.LOAD_USES)
        return Uses(rows, self, self._data.unavailable_uses)

    @property
    def has_uses(self) -> bool:
        """Whether the uses are loaded."""
        return self._uses is not None

    @property
    def _uses(self) -> pa.Table | None:
        """The rows of the uses, read once; None if they are not loaded."""
        data = self._data
        rows = data.read_uses() if data.read_uses else None
        if rows is not None:
            data.read_uses = lambda: rows
        return rows

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue itself."""
        return self

    def _not_loaded(self, what: str, hint: Hint) -> NotLoadedError:
        name = truncate(self.system_info.name)
        return NotLoadedError(f"The catalogue of system {name!r} has {what}.", hint=hint)

    def _read_codes(self, variables: pa.Table) -> CodeStore:
        store = self._data.codes
        missing = store.missing(variables)
        if missing:
            is_all = len(missing) == len(with_codes(variables))
            which = "no codes" if is_all else f"no codes of {list_names(missing)}"
            raise self._not_loaded(which, Hint.LOAD_CODES)
        return store

    def _index(self) -> tuple[Index, dict[str, str]]:
        """The index of everything loaded, and what is not loaded, as ``Matches`` take it.

        It is built once, and again after more codes or folders were loaded.
        """
        # Here, since it loads rapidfuzz.
        from apteco_frames.analysis.search import Index

        store, variables = self._data.codes, self._data.variables
        store.read()
        state = store.variable_count, self.has_folders, store.refused
        with self._index_lock.own:
            if self._indexed is None or self._indexed[0] != state:
                rows = self._rows(partly=True)
                missing = len(store.missing(variables))
                left_out = dict(_not_searched(rows, missing, sorted(store.refused)))
                self._indexed = state, Index(rows), left_out
            return self._indexed[1:]

    def write_parquet(self, directory: str | Path, *, uses: bool = True) -> list[Path]:
        """Write the catalogue to a folder, one Parquet file per collection.

        ``system.parquet``, ``tables.parquet`` and ``variables.parquet`` are always written;
        ``codes.parquet``, ``folders.parquet`` and ``uses.parquet`` if they are loaded. They
        replace an older catalogue in the folder; at any moment it has the older catalogue or the
        new one, whole. Other files are never overwritten.

        Only ``uses.parquet`` contains titles and names of users: leave it out, or delete it,
        before you pass the folder on.

        Args:
            directory: the folder; created if necessary.
            uses: whether to write the uses, if they are loaded.

        Returns:
            the paths written.

        Raises:
            TypeError: ``directory`` is not a path.
            ValueError: ``directory`` is empty.
            SnapshotError: one of the files exists and is not part of a catalogue.
            OSError: the folder cannot be written.
        """
        info, rows, refused = contents_of(self)
        notes: dict[str, Any] = {}
        if uses and self.has_uses:
            rows["uses"] = self._uses
            notes["unavailable_uses"] = self._data.unavailable_uses
        target = require_path(directory, "write_parquet()")
        return snapshot.write(target, info, rows, refused, notes)

    @classmethod
    def read_parquet(cls, directory: str | Path) -> Catalogue:
        """Read a catalogue that :meth:`write_parquet` wrote.

        Args:
            directory: the folder.

        Raises:
            TypeError: ``directory`` is not a path.
            ValueError: ``directory`` is empty.
            SnapshotError: a file is missing, damaged, not part of a catalogue, or written by a
                newer version of this package.
        """
        folder = require_path(directory, "read_parquet()")
        saved = snapshot.read(folder)
        try:
            return restored(saved, str(folder))
        except DAMAGE as error:
            raise SnapshotError(
                f"The catalogue of {folder / 'tables.parquet'} is damaged: {error}"
            ) from None

    def _rows(self, *, partly: bool = False) -> dict[str, pa.Table]:
        """The rows of everything loaded, by noun.

        Args:
            partly: whether to include the codes that are loaded if others are not.
        """
        data, store = self._data, self._data.codes
        rows = {"tables": data.tables, "variables": data.variables}
        if self.has_codes:
            rows["codes"] = self.codes.arrow
        elif partly and store.variable_count:
            rows["codes"] = store.of(data.variables)
        if self.has_folders:
            rows["folders"] = self.folders.arrow
        return rows

    def _lacking(self) -> frozenset[str]:
        """Names of the variables whose codes are not loaded, or were refused."""
        store = self._data.codes
        return frozenset(store.missing(self._data.variables)) | store.refused

    def _dictionary(self) -> dict[str, Any]:
        """What the data dictionary shows: everything loaded, and what is missing."""
        store, variables = self._data.codes, self._data.variables
        return {
            "system": self.system_info._asdict(),
            "rows": {**self._rows(), "codes": store.of(variables)},
            "unread": store.missing(variables),
            "refused": sorted(store.refused),
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Catalogue):
            return NotImplemented
        if self.system_info != other.system_info:
            return False
        held = [
            ["tables", "variables", *["codes"] * each.has_codes, *["folders"] * each.has_folders]
            for each in (self, other)
        ]
        return held[0] == held[1] and all(
            getattr(self, noun) == getattr(other, noun) for noun in held[0]
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        _, rows, refused = contents_of(self)
        kinds = ("tables", "variables", "codes", "folders")
        return _unpickled, (self.system_info, *map(rows.get, kinds), refused)

    def __repr__(self) -> str:
        date = self.system_info.build_date
        built = f"built {date}" if date else "build date not known"
        return (
            f"<Catalogue of system {truncate(self.system_info.name)!r}, {built}: "
            f"{len(self.tables):,} tables, "
            f"{len(self.variables):,} variables>"
        )

    def _repr_html_(self) -> str:
        sizes = {"table": len(self.tables), "variable": len(self.variables)}
        sizes |= {"code": len(self.codes)} if self.has_codes else {}
        sizes |= {"folder": len(self.folders)} if self.has_folders else {}
        held = (f"{n:,} {noun}{'' if n == 1 else 's'}" for noun, n in sizes.items())
        return card.catalogue(self.system_info._asdict(), ", ".join(held))


def restored(saved: snapshot.Snapshot, source: str = "") -> Catalogue:
    """The catalogue that was saved."""
    rows = saved.tables, saved.variables, saved.codes, saved.folders
    system_info = FastStatsSystem(**saved.system)
    catalogue = Catalogue(
        system_info, *rows, unavailable=saved.unavailable, uses=saved.uses, source=source
    )
    catalogue._data.unavailable_uses = saved.notes.get("unavailable_uses", 0)
    return catalogue


def contents_of(catalogue: Catalogue) -> tuple[dict[str, Any], dict[str, pa.Table], list[str]]:
    """What is saved of a catalogue: the system, the rows, and the variables refused.

    ``storage`` and :mod:`~apteco_frames.render.workbook` write it.
    """
    refused = sorted(catalogue._data.codes.refused)
    return catalogue.system_info._asdict(), catalogue._rows(), refused


def data_of(catalogue: Catalogue) -> CatalogueData:
    """The contents of a catalogue, for a live catalogue to add to."""
    return catalogue._data


def _unpickled(*values: Any) -> Catalogue:
    *given, refused = values
    return Catalogue(*given, unavailable=refused)


def _names(names: Any, takes: str) -> tuple[str, ...]:
    """Names that a user gave: one, or several.

    Raises:
        TypeError: they are not names.
    """
    if isinstance(names, Iterable):
        given = (names,) if isinstance(names, str) else tuple(names)
        wrong = [name for name in given if not isinstance(name, str)]
        if not wrong:
            return given
        names = wrong[0]
    raise not_a(f"{takes}, as a list", names)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # as Windows PowerShell writes it
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from None


def _known(codes: Any, names: pa.ChunkedArray, refused: Iterable[str], source: str) -> CodeStore:
    """The codes given to a catalogue, checked; ``refused`` names the variables it lacks."""
    if isinstance(refused, str):
        raise not_a("unavailable= takes the names of variables, as a list", refused)
    refused = _names(refused, "unavailable= takes the names of variables")
    strange = sorted({*refused} - {*names.to_pylist()}) if refused else []
    if strange:
        raise CodesError(
            f"unavailable= names {truncate(strange[0])!r}, which is not a variable of {source}. "
            "Name variables of the catalogue whose codes could not be read."
        )
    if codes is None or callable(codes):
        return CodeStore(names, codes, refused, source)
    arrow = _arrow_table(codes)
    store = CodeStore(names, lambda: arrow, refused, source)
    store.read()
    return store


def _reader(given: Any, checked: Callable[[pa.Table], pa.Table]) -> Callable[[], Any] | None:
    """A function that returns rows given to a catalogue, checked; a table is checked at once."""
    if given is None:
        return None
    if callable(given):
        return lambda: None if (found := given()) is None else checked(_arrow_table(found))
    now = checked(_arrow_table(given))
    return lambda: now


def _with_users(changed: pa.Table, uses: Uses, *catalogues: Mapping[str, pa.Table]) -> pa.Table:
    """Changes with the number of their users, found in either catalogue."""
    if not isinstance(uses, Uses):
        raise not_a("uses= takes a frame of uses, such as session.uses", uses)
    rows = uses.arrow
    tables: dict[str, str] = {}
    for known in catalogues:
        columns = (known["variables"][name].to_pylist() for name in ("name", "table_name"))
        tables |= dict(zip(*columns, strict=True))
        if "codes" in known:
            rows = resolved(rows, known["codes"])
    return with_users(changed, rows, tables)


def _not_searched(
    rows: Mapping[str, pa.Table], missing: int, refused: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """What a search leaves out, each a sentence without its full stop, and how to load it.

    Args:
        rows: what is searched.
        missing: the number of variables whose codes are not loaded.
        refused: names of the variables whose codes the API refused.
    """
    if "folders" not in rows:
        yield "Folders were not searched: they are not loaded", _LOADED_BY["folders"]
    if missing:
        of = f" of {missing:,} variable{'' if missing == 1 else 's'}" if "codes" in rows else ""
        yield f"Codes{of} were not searched: they are not loaded", _LOADED_BY["codes"]
    if refused:
        yield f"Codes of {list_names(refused)} were not searched: the API refused them", ""


def _arrow_table(data: Any) -> pa.Table:
    if isinstance(data, pa.Table):
        return data
    expected = "Catalogue() takes rows as a frame, a table, or another Arrow stream"
    if isinstance(data, list | tuple):  # which pyarrow takes for columns without names
        raise not_a(expected, data)
    try:
        return pa.table(data)
    except TypeError:
        raise not_a(expected, data) from None


def _from_api(data: Any, columns: tuple[Column, ...]) -> pa.Table:
    """The columns that come from the API, with their declared types."""
    arrow = _arrow_table(data)
    fields = [pa.field(c.name, c.type, c.nullable) for c in columns if c.api_field]
    for field in fields:
        # An earlier version, which did not know the column yet, has saved it.
        if field.nullable and field.name not in arrow.column_names:
            arrow = arrow.append_column(field, pa.nulls(len(arrow), field.type))
    expected = pa.schema(fields)
    rows = arrow if arrow.schema == expected else arrow.select(expected.names).cast(expected)
    for field in fields:
        if field.type == TIMESTAMP:
            _check_times(rows[field.name], field.name)
    return rows


def _check_texts(system: FastStatsSystem) -> None:
    """Raise an error if a text of the system is something else, or cannot be encoded."""
    for field in ("name", "description", "view_name"):
        text = require_text(getattr(system, field), f"FastStatsSystem({field}=)")
        if not is_unicode(text):
            raise AptecoFramesError(
                f"The {field} of system {truncate(system.name)!r} contains half of a surrogate "
                "pair, as wrongly decoded text does. Nothing was used. Decode it again."
            )


def _check_times(times: pa.ChunkedArray, name: str) -> None:
    """Raise an error if a time is outside the years that Python and Excel support."""
    bounds = pc.min_max(times.cast(INT)).values()
    for bound in (each.as_py() for each in bounds):
        if bound is not None and not _FIRST_TIME <= bound <= _LAST_TIME:
            raise VariablesError(
                f"A {name} of the variables is outside the years 1 to 9999. Nothing was used. "
                "Correct it, or leave it null."
            )
