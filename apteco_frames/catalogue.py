"""The catalogue of a system: its frames, and what may be asked of them, without a network."""

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
from apteco_frames.support.text import list_names, truncate
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
"""How codes and folders come into the catalogue of a session."""


class AnyCatalogue(ABC):
    """What a catalogue and a session share: the frames of a build, and what may be asked of it."""

    @property
    @abstractmethod
    def catalogue(self) -> Catalogue:
        """The offline part: the catalogue, without token and network."""

    @property
    def system_info(self) -> FastStatsSystem:
        """The FastStats system; its build date is a local time without a zone."""
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
            NotLoadedError: a catalogue does not hold them, or not all.
            CodesError: the API refuses the codes of a variable.
            AptecoFramesError: the API could not be asked, or its answers contradict each other.
        """
        return self.variables.codes

    @property
    @abstractmethod
    def uses(self) -> Uses:
        """Which audiences, dashboards, compositions and selection files use which variables.

        A session reads them on first use; see ``Session.load_uses``.

        Raises:
            NotLoadedError: a catalogue does not hold them.
            AptecoFramesError: the API could not be asked, or refused.
        """

    def diff(
        self,
        older: AnyCatalogue,
        *,
        drop: float | None = 0.5,
        moved: float | None = 0.5,
        uses: Uses | None = None,
    ) -> Changes:
        """What changed since an older catalogue, and how much each change matters.

        Tables, variables and, where both have them, folders and codes are compared, codes
        variable by variable; nothing is read from a server. ``.not_compared`` says what was
        left out. :class:`~apteco_frames.changes.Changes` says what is compared
        with what, and which change is ``breaking``, ``notable`` or ``routine``.

        Args:
            older: the catalogue of an older build, or a session with it.
            drop: a fraction: a fall of a table's records, or of a variable's number of codes,
                by more than that is ``breaking``. None turns the rule off.
            moved: a fraction of a table's records: if more than that must have another code of
                a variable than before, or became or ceased to be Unclassified, the change is
                ``breaking``; above a fifth of it, ``notable``. None turns the rule off. What is
                told is a lower bound, since only counts are known: half the sum of the
                differences of the codes' shares, or for arrays, where a record has several
                codes, the largest difference.
            uses: what uses the variables, such as ``session.uses``: each change says by how many
                it is used, and a removal of what somebody uses is ``breaking``.

        Raises:
            TypeError: ``older`` is neither a catalogue nor a session, ``drop`` or ``moved`` no
                number, or ``uses`` no frame of uses.
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
        (new, new_lacks), (old, old_lacks) = after._compared(), before._compared()
        found = difference(new, old, drop=drop, moved=moved, lacking=(new_lacks, old_lacks))
        rows = found.changes if uses is None else _with_users(found.changes, uses, old, new)
        return Changes(rows, after, before.system_info, found.left_out)

    def quality(self) -> Quality:
        """How well codes describe the records: what is Unclassified, unused, undescribed.

        A session reads the codes on first use, as ``.codes`` does.

        Raises:
            NotLoadedError: a catalogue does not hold the codes, or not all.
            CodesError: the API refuses the codes of a variable.
            AptecoFramesError: the API could not be asked, or its answers contradict each other.

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
        """What somebody should mend: personal data that may be exported, empty folders, and more.

        A session reads codes and folders on first use; of a catalogue that does not hold them,
        ``.not_checked`` says which rules were passed over. The reference has
        all rules, each with its reason.

        Args:
            select: names of the rules to look by, or ``all``; those that are on by default, if
                not given.
            ignore: names of rules to leave out.
            config: a file, normally called ``lint.toml``, with thresholds and exceptions.

        Raises:
            TypeError: ``select`` or ``ignore`` is no list of names, or ``config`` no path.
            UnknownKeyError: there is no such rule.
            ConfigurationError: the file cannot be read, or is not as it should be.
            CodesError: the API refuses the codes of a variable.
            AptecoFramesError: the API could not be asked, or its answers contradict each other.

        >>> from apteco_frames.demo import holidays
        >>> for finding in holidays().lint(["empty-folder", "mostly-unclassified"]):
        ...     print(finding.severity, finding.name, finding.message)
        notable boKeyCd 79% of the records are Unclassified.
        routine Segments The folder contains no variables.
        """
        # Here, since few use it, and it reads TOML.
        from apteco_frames.analysis import lint
        from apteco_frames.analysis.lint_settings import settings_of

        only, without = _rule_names(select, "select="), _rule_names(ignore, "ignore=") or ()
        rules = lint.chosen(only, without)
        settings = lint.Settings()
        if config is not None:
            place = require_path(config, "lint()")
            settings = settings_of(_configuration(place), str(place))
        rows = {"tables": self.tables.arrow, "variables": self.variables.arrow}
        left_out = []
        for noun in ("codes", "folders"):
            needed = [rule.name for rule in rules if rule.needs == noun]
            try:
                if needed:
                    rows[noun] = getattr(self, noun).arrow
            except NotLoadedError:
                left_out.append(
                    f"Not checked, since the catalogue holds no {noun}: {', '.join(needed)}."
                )
        known = lint.Known(rows, self.system_info.build_date)
        found = lint.findings(known, rules, settings)
        return Findings(found, links_of(self.tables).owner, tuple(left_out))

    def search(
        self,
        text: str,
        *,
        limit: int = 20,
        synonyms: SynonymsLike = None,
    ) -> Matches:
        """Search for what has all words of a text, the best first.

        Names, descriptions and notes are searched, the folders and tables of variables, and
        codes with their variables; of codes and folders those that are loaded, since nothing is
        read from a server. Where nothing has all words, the results are those that have the
        most of them: :attr:`Matches.has_all_words <apteco_frames.matches.Matches.has_all_words>`
        is false then, and the printed matches say so.

        Case, accents and the order of words do not matter. A name is searched by its parts,
        too: ``dest`` is one of ``boDest``. Small words such as ``of`` and ``the`` (in English,
        German, French and Dutch) and emoji only decide between results that are equal
        otherwise. Symbols are looked for where nothing else is asked for.

        A word of a result fits best to the letter; then in another way, as ``postcode`` for
        ``post code``, ``email`` for ``e-mail``, ``10,000`` for ``10000``, ``Zürich`` for
        ``zuerich``, or a synonym; then as the start of a longer word; then with typing errors:
        none in words of up to 4 letters or with a digit, one in up to 8, otherwise two; and last
        as a part inside a word, as ``phone`` in ``Telephone``. The worst word of a result
        decides. Of equal ones, names and descriptions come before notes, these before folders
        and tables, and codes last; a whole text comes before a part; and tables, variables,
        folders and codes are in the API's order.

        The first search takes longer, and keeps an index.

        Args:
            text: the words.
            limit: how many matches at most; ``.total`` says how many there are.
            synonyms: words or phrases that mean the same, such as
                ``{"income": ["salary", "earnings"]}``, or the path of a TOML file with them.
                Unless given, ``synonyms.toml`` beside the profiles is used if it is there; an
                empty mapping uses none.

        Raises:
            TypeError: ``text`` is not a string, ``limit`` not a whole number, or ``synonyms``
                neither a mapping of lists nor a path.
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
        """The answer to a query in SQL, in the dialect of ``polars.SQLContext``.

        Its tables are ``tables``, ``variables``, ``codes``, ``folders`` and ``system``, with
        the columns of the frames of these names; enums are text, so that
        ``type like 'D%'`` works. ``codes`` and ``folders`` are there once they are loaded:
        nothing is read from a server. Where a query names codes, a ``CatalogueWarning`` names
        the variables whose codes the API refused. ``notebooks/data_dictionary.ipynb`` in the
        repository has six questions with their SQL, and the same as a filter.

        The SQL of polars can read files (``read_csv``, ``read_parquet`` …), so no query that
        comes from somebody else belongs in here. One that is very long, or recursive without an
        end, can end or hang the process, too.

        Args:
            query: one statement.

        Raises:
            TypeError: it is no text.
            SqlError: it names a table or column that is not there, and says which are; or
                a file that cannot be read; or it is no query that polars understands.

        >>> from apteco_frames.demo import holidays
        >>> query = "select name from variables where type like 'Date%' and is_virtual"
        >>> holidays().sql(query)["name"].to_list()
        ['pe1R0UXG', 'pe1ZD7MN']
        """
        require_text(query, "sql()")
        info, saved, refused = contents_of(self.catalogue)
        rows = {**saved, "system": table_of([info], snapshot.SYSTEM_SCHEMA)}
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

        It holds the tables, the variables, and the codes and folders that are loaded, and says
        whose codes are missing; nothing is read from a server. The page loads nothing either:
        its script and its style are in it, and a Content-Security-Policy forbids all else.
        Its address says what is shown: ``#boDest`` opens it at that variable, ``#?q=date`` with
        that search.

        Its search follows the rules of :meth:`search`.

        Args:
            path: the file; an existing file is replaced.
            uses: whether the page of each variable says who uses it, with titles and names of
                users. A session reads that on first use.
            synonyms: as :meth:`search` takes them; the page's search knows them, too.

        Returns:
            the path written.

        Raises:
            TypeError: ``path`` is not a path.
            ValueError: ``path`` is empty.
            ConfigurationError: the file of synonyms cannot be read.
            NotLoadedError: a catalogue does not hold what uses its variables.
            OSError: the file cannot be written; an older one is still as it was.
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
        """Write a data dictionary as an Excel workbook (needs the extra ``excel``).

        Its sheets are the system, the tables, the variables and, where they are loaded, the
        codes, with their shares and folders; nothing is read from a server. The first sheet
        says what is missing. A table links to its variables, a variable to its codes. The
        sheets print in landscape, as wide as the page, with their headers on each. What does
        not fit a sheet goes on in another; a text beyond Excel's 32,767 characters is cut,
        and says so.

        Texts stay texts, whatever they look like: none becomes a formula or an address.

        Args:
            path: the file, normally ending ``.xlsx``; an existing file is replaced, whole or
                not at all.
            progress: called with the rows written so far and their total; or True to show a
                progress bar, False for none, None to show one where somebody is looking.

        Returns:
            the path written.

        Raises:
            TypeError: ``path`` is no path, or ``progress`` is none of these.
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
    """What a catalogue holds; a live catalogue adds codes and folders.

    Attributes:
        system_info: the system.
        tables: a table under ``schema.TABLES_SCHEMA``.
        variables: a table under ``schema.VARIABLES_SCHEMA``.
        codes: the codes, as far as they are known.
        read_folders: gives the folders, under ``schema.FOLDERS_SCHEMA``; None if they are not
            known.
        read_uses: gives the uses, under ``schema.USES_SCHEMA``; likewise.
        unavailable_uses: how many resources were refused.
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
        uses: what uses the variables, likewise with the columns of ``Uses``. None if that is
            not known.
        source: where they came from, a URL or a path, for error messages.

    Raises:
        TypeError: ``system_info`` is no ``FastStatsSystem``, what should be rows is no
            table, or ``unavailable`` no list of names.
        TablesError: the tables do not form one tree.
        VariablesError: a variable is on a table that is not there, a name comes twice, or a
            date is in no year from 1 to 9999.
        CodesError: there are codes of what is no variable, or ``unavailable`` names such.
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
        uses: Any = None,
        source: str = "",
    ) -> None:
        if not isinstance(system_info, FastStatsSystem):
            raise not_a("Catalogue() takes a FastStatsSystem as system_info", system_info)
        source = source or f"system {truncate(system_info.name)!r}"
        raw_tables = _from_api(tables, schema.TABLES)
        raw_variables = _from_api(variables, schema.VARIABLES)
        counts = count_by_table(raw_variables)
        related = relate(raw_tables, counts, source)
        check(raw_variables, counts, related["name"].to_pylist(), source)
        names = raw_variables["name"]
        store = _known(codes, names, unavailable, source)
        reader = _folder_reader(folders, names, source)
        data = CatalogueData(system_info, related, tell_kinds(raw_variables), store, reader)
        data.read_uses = _uses_reader(uses)
        data.unavailable_uses = uses.unavailable if isinstance(uses, Uses) else 0
        self._data = data
        self._links = Links(self, lambda: data.codes, self._read_codes)
        self._frames: tuple[Tables, Variables] | None = None
        self._indexed: tuple[object, Index, dict[str, str]] | None = None
        self._lock, self._index_lock = ProcessLock(), ProcessLock()
        warn_of_children(data.tables, source)
        warn_of_unknown(data.variables, source)

    @property
    def system_info(self) -> FastStatsSystem:
        """The FastStats system; its build date is a local time without a zone."""
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
        """The frames, made on first use: a session has its own."""
        frames = self._frames
        if frames is None:
            with self._lock.own:  # each table is one object
                frames = self._frames
                if frames is None:
                    data = self._data
                    frames = Tables(data.tables, self), Variables(data.variables, self)
                    self._frames = frames
        return frames

    @property
    def has_codes(self) -> bool:
        """Whether the codes of all variables are known, but for those that were refused."""
        return not self._data.codes.missing(self._data.variables)

    @cached_property
    def folders(self) -> Folders:
        """The folders of the system.

        Raises:
            NotLoadedError: they are not known.
        """
        read = self._data.read_folders
        if read is None:
            raise NotLoadedError(
                f"The catalogue of system {truncate(self.system_info.name)!r} holds no folders.",
                hint=Hint.LOAD_FOLDERS,
            )
        return Folders(read(), self)

    @property
    def has_folders(self) -> bool:
        """Whether the folders are known."""
        return self._data.read_folders is not None

    @property
    def uses(self) -> Uses:
        """Which audiences, dashboards, compositions and selection files use which variables.

        Raises:
            NotLoadedError: that is not known.
        """
        rows = self._uses
        if rows is None:
            raise NotLoadedError(
                f"The catalogue of system {truncate(self.system_info.name)!r} does not hold what "
                "uses its variables.",
                hint=Hint.LOAD_USES,
            )
        return Uses(rows, self, self._data.unavailable_uses)

    @property
    def has_uses(self) -> bool:
        """Whether it is known what uses the variables."""
        return self._uses is not None

    @property
    def _uses(self) -> pa.Table | None:
        """The rows of the uses, read once; None if they are not known."""
        data = self._data
        rows = data.read_uses() if data.read_uses else None
        if rows is not None:
            data.read_uses = lambda: rows
        return rows

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue itself."""
        return self

    @property
    def links(self) -> Links:
        """How its rows lead to each other; for them alone."""
        return self._links

    def _read_codes(self, variables: pa.Table) -> CodeStore:
        store = self._data.codes
        missing = store.missing(variables)
        if missing:
            all_of_them = len(missing) == len(with_codes(variables))
            which = "no codes" if all_of_them else f"no codes of {list_names(missing)}"
            raise NotLoadedError(
                f"The catalogue of system {truncate(self.system_info.name)!r} holds {which}.",
                hint=Hint.LOAD_CODES,
            )
        return store

    def _index(self) -> tuple[Index, dict[str, str]]:
        """The words of all that is known, and what is not, as ``Matches`` take it.

        Made once, and anew if codes or folders were loaded since.
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

        The files ``system.parquet``, ``tables.parquet`` and ``variables.parquet`` replace
        those of an older catalogue there; at any moment the folder holds the older
        catalogue or the new one, whole. Files of another origin are never overwritten.

        ``codes.parquet``, ``folders.parquet`` and ``uses.parquet`` are there if they are known.
        The last of them holds titles and names of users, and nothing else does: leave it out,
        or delete it, before you pass the folder on.

        Args:
            directory: the folder; made if it is not there.
            uses: whether what uses the variables is written, where it is known.

        Returns:
            the paths written.

        Raises:
            TypeError: ``directory`` is no path.
            ValueError: ``directory`` is empty.
            SnapshotError: a file there is no catalogue file.
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
            TypeError: ``directory`` is no path.
            ValueError: ``directory`` is empty.
            SnapshotError: a file is missing, damaged, of another origin, or written by
                a newer version of this package.
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
        """The rows of all that is known, by noun.

        Args:
            partly: whether also codes of some variables, if those of others are not known.
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

    def _compared(self) -> tuple[dict[str, pa.Table], frozenset[str]]:
        """The rows of all that is known, and of which variables the codes are not."""
        store = self._data.codes
        lacking = frozenset(store.missing(self._data.variables)) | store.refused
        return self._rows(partly=True), lacking

    def _dictionary(self) -> dict[str, Any]:
        """What the data dictionary shows: all that is known, and what is not."""
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
    """What is saved of a catalogue: the system, all rows that are known, whose codes were refused.

    It is what ``storage`` and :mod:`~apteco_frames.render.workbook` write.
    """
    refused = sorted(catalogue._data.codes.refused)
    return catalogue.system_info._asdict(), catalogue._rows(), refused


def data_of(catalogue: Catalogue) -> CatalogueData:
    """What a catalogue holds, for a live catalogue to add to."""
    return catalogue._data


def _unpickled(*values: Any) -> Catalogue:
    *given, refused = values
    return Catalogue(*given, unavailable=refused)


def _rule_names(names: Iterable[str] | None, what: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    wanted = f"{what} takes the names of rules, as a list"
    try:
        given = (names,) if isinstance(names, str) else tuple(names)
    except TypeError:
        raise not_a(wanted, names) from None
    for name in given:
        if not isinstance(name, str):
            raise not_a(wanted, name)
    return given


def _configuration(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # as Windows PowerShell writes it
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from None


def _known(codes: Any, names: pa.ChunkedArray, refused: Iterable[str], source: str) -> CodeStore:
    """The codes that a catalogue is given, checked; ``refused`` are those that it lacks."""
    if isinstance(refused, str) or not isinstance(refused, Iterable):
        raise not_a("unavailable= takes the names of variables, as a list", refused)
    refused = list(refused)
    known_names = set(names.to_pylist()) if refused else set()
    strange = [name for name in refused if str(name) not in known_names]
    if strange:
        raise CodesError(
            f"unavailable= names {truncate(strange[0])!r}, which is no variable of {source}. "
            "Name variables of the catalogue whose codes could not be read."
        )
    if codes is None or callable(codes):
        return CodeStore(names, codes, refused, source)
    arrow = _arrow_table(codes)
    store = CodeStore(names, lambda: arrow, refused, source)
    store.read()
    return store


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


def _uses_reader(uses: Any) -> Callable[[], pa.Table | None] | None:
    """What gives the uses, checked; a table is checked at once."""
    if uses is None:
        return None
    if callable(uses):
        return lambda: None if (found := uses()) is None else declared(found)
    checked = declared(_arrow_table(uses))
    return lambda: checked


def _with_users(changed: pa.Table, uses: Uses, *catalogues: Mapping[str, pa.Table]) -> pa.Table:
    """Changes with the numbers of those who use what changed, be it in either catalogue."""
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
    """What a search leaves out, in a sentence each without its full stop, and how it is read.

    Args:
        rows: what is searched.
        missing: of how many variables the codes are not known.
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
    """The columns that the API has, under their declared types."""
    arrow = _arrow_table(data)
    fields = [pa.field(c.name, c.type, c.nullable) for c in columns if c.api_field]
    for field in fields:
        # Saved by an earlier version, which did not know the column yet.
        if field.nullable and field.name not in arrow.column_names:
            arrow = arrow.append_column(field, pa.nulls(len(arrow), field.type))
    expected = pa.schema(fields)
    rows = arrow if arrow.schema == expected else arrow.select(expected.names).cast(expected)
    for field in fields:
        if field.type == TIMESTAMP:
            _check_times(rows[field.name], field.name)
    return rows


def _check_times(times: pa.ChunkedArray, name: str) -> None:
    """See that all times are of years that Python, Excel and people have."""
    bounds = pc.min_max(times.cast(INT))
    for bound in (bounds["min"].as_py(), bounds["max"].as_py()):
        if bound is not None and not _FIRST_TIME <= bound <= _LAST_TIME:
            raise VariablesError(
                f"A {name} of the variables is in no year from 1 to 9999. Nothing was used. "
                "Correct it, or leave it null."
            )
