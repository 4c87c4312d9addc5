"""Archives: the catalogues of many systems, build by build, side by side."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.analysis.history import CodeFacts, history, moved, unclassified_share
from apteco_frames.catalogue import AnyCatalogue, Catalogue, contents_of, restored
from apteco_frames.errors import AptecoFramesError, ArchiveError, UnknownKeyError, warn
from apteco_frames.frame.keys import nearest
from apteco_frames.storage.archive_layout import (
    NOUNS,
    ArchivedBuild,
    file_schema,
    named_date,
    system_in,
)
from apteco_frames.storage.archive_store import ArchiveStore
from apteco_frames.storage.location import is_uri, redact
from apteco_frames.storage.retention import kept
from apteco_frames.storage.snapshot import DAMAGE
from apteco_frames.support.arguments import not_a, require_number, require_path, require_text
from apteco_frames.support.arrays import strings, table_of
from apteco_frames.support.fork import import_polars
from apteco_frames.support.text import truncate

if TYPE_CHECKING:
    import polars as pl

# A history reads several builds at a time where that is faster, but not many large ones, whose
# codes need not be in memory together.
_BUILDS_AT_ONCE = 8
_CODES_AT_ONCE = 50_000

Key = tuple[str, str]
"""The name of a system, and of a build."""


class Added(NamedTuple):
    """What became of one system.

    Attributes:
        system: name of the system.
        is_added: whether a build was added; False if it was there, or failed.
        error: why it failed; None if it did not.
    """

    system: str
    is_added: bool
    error: AptecoFramesError | None


class Archive:
    """Many systems and builds side by side, on disk or on object storage.

    A hive dataset for each noun, as other programs (polars, DuckDB, Spark) read it::

        variables/system=NAME/build=2026-11-01T03-00-00-3f9a2c1e/….parquet

    likewise ``tables``, ``codes``, ``folders``, and ``builds`` with a row for each build.
    NAME is percent-encoded, and cut where it is too long for a folder. ``build`` is the build
    date and eight digits of a digest of the contents: of the system's description and all
    values that the API gave, in their order, but not of how Arrow and Parquet store them. In
    the files are the columns of the noun, and ``row_number``, ``system_name`` and
    ``build_date``. Rows are sorted by variable, in groups of 20,000.

    What is not in ``builds`` does not exist. Where somebody is just adding, or was killed
    meanwhile, another program that reads a noun's folder may see rows of a ``system`` and
    ``build`` that ``builds`` does not have: it leaves them out by joining the two. This class
    never shows them; :meth:`clean` removes what was left.

    Any number of programs may add at once, on any storage that can list, read and write
    files: those that add the same write the same files. Adding changes and removes nothing
    that is there, so whoever reads it may go on. There are no locks: let nobody read what
    :meth:`prune` is removing.

    Where ``root`` is a file, or a URI of no file system that ``pyarrow.fs`` knows, the first
    use is an ``ArchiveError``.

    Args:
        root: a folder, in which ``~`` stands for the user's own; or a URI such as
            ``s3://bucket/path``, as ``pyarrow.fs`` takes it; or a path in ``filesystem``. It
            need not be there yet.
        filesystem: a file system of ``pyarrow.fs``, or of fsspec (s3fs, adlfs and others);
            the one that ``root`` names, if not given.

    Raises:
        TypeError: ``root`` is no path, or ``filesystem`` no file system.

    >>> from tempfile import TemporaryDirectory
    >>> from apteco_frames.demo import holidays
    >>> with TemporaryDirectory() as folder:
    ...     archive = Archive(folder)
    ...     archive.add(holidays()), archive.add(holidays())
    ...     archive.catalogue("holidays") == holidays()
    (True, False)
    True
    """

    def __init__(self, root: str | Path, *, filesystem: Any = None) -> None:
        folder, given = require_path(root, "Archive()"), os.fspath(root)
        is_local = filesystem is None and not is_uri(given)
        self._store = ArchiveStore(folder if is_local else given, filesystem)

    @property
    def root(self) -> str:
        """Where it is, without the credentials that a URI may hold."""
        return self._store.root

    def add(self, catalogue: AnyCatalogue, *, uses: bool = False) -> bool:
        """Add a catalogue, whole or not at all: its codes and folders, too, if it holds them.

        A second catalogue of one build date that differs (virtual variables may have been
        made since) is kept beside the first. One that only holds less of the same, no codes
        or no folders, is there already. To add again what is there restores files of it that
        are gone; and where another catalogue of its date has come since, it is the latest
        again.

        Args:
            catalogue: the catalogue, or a session with it.
            uses: whether what uses its variables goes with it, in place of what is there of the
                same build. It holds titles and names of users. A session reads it on first use.

        Returns:
            whether it was added: False if it is there already. Of programs that add the same
            at the same time, each may have added it.

        Raises:
            TypeError: it is neither a catalogue nor a session.
            NotLoadedError: the catalogue does not hold what uses its variables.
            ArchiveError: the archive cannot be listed, or a file there is damaged.
            OSError: a file cannot be written.
        """
        if not isinstance(catalogue, AnyCatalogue):
            raise not_a("add() takes a catalogue, or a session with it", catalogue)
        rows = catalogue.uses.arrow if uses else None
        return self._store.add(*contents_of(catalogue.catalogue), uses=rows)

    def add_all(self, session: Any, *, codes: bool = False, uses: bool = False) -> list[Added]:
        """Add each system of a session's DataView in turn, with its one login.

        One that fails does not stop the others; there is a warning, and it is reported.

        Args:
            session: a session.
            codes: whether codes and folders are read and added, too: a request for each
                variable with codes. Those that the API refuses are left out.
            uses: whether what uses the variables is read and added, too; see :meth:`add`.

        Returns:
            what became of each system, in the order of ``session.systems``.

        Raises:
            TypeError: it is no session.
            AptecoFramesError: the systems could not be listed.
            OSError: a file cannot be written.
        """
        if not hasattr(type(session), "open"):
            raise not_a("add_all() takes a session", session)
        done = []
        for system in session.systems:
            try:
                opened = session.open(system.name)
                if codes:
                    opened.load_codes(unavailable="skip")
                    _ = opened.folders
                done.append(Added(system.name, self.add(opened, uses=uses), None))
            except AptecoFramesError as error:
                warn(f"System {truncate(system.name)!r} was not added to the archive: {error}")
                done.append(Added(system.name, False, error))
        return done

    @property
    def builds(self) -> pl.DataFrame:
        """The builds of all systems, by system, then the oldest first.

        Raises:
            ArchiveError: a file is damaged, or of a newer version of this package.
            OSError: the archive cannot be read.
        """
        rows = self._store.entries(self._store.builds())
        arrow = table_of(rows, schema.BUILDS_SCHEMA)
        return import_polars().DataFrame(arrow)  # type: ignore[no-any-return]

    def catalogue(self, system: str, build: str | datetime | None = None) -> Catalogue:
        """The catalogue of a build; its codes and folders are read when they are used.

        Args:
            system: name of the system.
            build: what ``builds`` calls it, or its build date, as a ``datetime`` or written
                as in those names; the latest if not given. Of several that fit, the one that
                holds the most, with all codes before some and none, and with folders; of
                several that hold as much, the one that was added last.

        Raises:
            TypeError: ``system`` is no text, or ``build`` neither text nor a ``datetime``.
            UnknownKeyError: there is no such build.
            ArchiveError: a file is damaged, or of a newer version of this package.
            OSError: the archive cannot be read.
        """
        if not isinstance(build, str | datetime | None):
            raise not_a("build= takes what builds calls it (str), or a datetime", build)
        found = self._of(system)
        if build is not None:
            names = [b.name for b in reversed(found)]
            dates = {None: "unknown"} | {b.date: named_date(b.date) for b in found if b.date}
            found = [b for b in found if build in (b.name, b.date, dates[b.date])]
            if not found:
                raise UnknownKeyError(
                    f"The archive at {self.root} has no build {truncate(build)!r} of system "
                    f"{truncate(system)!r}. It has {_listed(names)}."
                )
        saved = self._store.read(found[-1])
        try:
            return restored(saved, self.root)
        except DAMAGE as error:
            raise self._damaged(found[-1], error) from None

    def scan(self, noun: str) -> pl.LazyFrame:
        """The rows of a noun, of all builds of all systems, read when they are collected.

        What is asked of ``system`` and ``build`` decides which files are opened at all.
        ``system`` and ``build`` are texts, as the folders are called; other columns are those
        of the noun's frame, with ``row_number``, ``system_name`` and ``build_date``. Builds
        that are added later are not seen.

        Args:
            noun: ``tables``, ``variables``, ``codes`` or ``folders``.

        Raises:
            TypeError: ``noun`` is no text.
            UnknownKeyError: there is no such noun.
            OSError: the archive cannot be listed.
        """
        if require_text(noun, "scan()") not in NOUNS:
            raise UnknownKeyError(
                f"An archive has no {truncate(noun)!r}. It has {_listed(list(NOUNS))}."
            )
        return self._lazy(noun, self._store.builds())

    def _lazy(self, noun: str, builds: Iterable[ArchivedBuild]) -> pl.LazyFrame:
        """The rows of a noun in some builds."""
        pl = import_polars()
        builds = [build for build in builds if build.has(noun)]
        texts = dict.fromkeys(("system", "build"), pl.String)
        columns = dict(pl.DataFrame(pa.Table.from_batches([], file_schema(noun))).schema)
        root = self._store.local_root
        is_told = all(build.system == system_in(build.folder) for build in builds)
        if not builds:
            lazy = pl.LazyFrame(schema={**columns, **texts})
        elif root and is_told and "=" not in str(root):
            lazy = pl.scan_parquet(
                [root / noun / build.path for build in builds],
                glob=False,
                schema=columns,
                hive_schema=texts,
                missing_columns="insert",
                extra_columns="ignore",
            )
        else:
            # polars reads local files only as we do, takes "=" above them for partitions, and
            # has no other names of systems than those of the folders.
            lazy = pl.scan_pyarrow_dataset(self._store.dataset(noun, builds))
        enums = {c.name: pl.Enum(c.values) for c in NOUNS[noun] if c.values}
        return lazy.with_columns(pl.col(name).cast(enum) for name, enum in enums.items())  # type: ignore[no-any-return]

    def history(self, variable_name: str, *, system: str | None = None) -> pl.DataFrame:
        """What became of a variable from build to build.

        Args:
            variable_name: name of the variable.
            system: name of the system; all of them if not given.

        Returns:
            a row for each build: ``system``, ``build``, ``build_date``; ``is_there``; its
            ``type``, ``num_codes``, ``var_code_min_count``, ``var_code_max_count`` there;
            ``is_changed``, whether it is not as in the build before, null in the first; and
            ``changed_columns``, those of the variable's columns that are not, and ``codes``
            where there are other ones, or in another order, or with another meaning, than
            where they were last known. Builds without codes, and those where the API refused
            them, do not count for that. ``unclassified_share`` is the share of the records that
            are Unclassified, and ``moved`` the share whose code must have changed since the build
            before, as in ``diff``; null where the codes do not tell.

        Raises:
            TypeError: ``variable_name`` or ``system`` is no text.
            UnknownKeyError: no build has such a variable, or there is no such system.
            ArchiveError: a file is damaged, or of a newer version of this package.
            OSError: the archive cannot be read.
        """
        require_text(variable_name, "history()")
        pl = import_polars()
        builds = self._store.builds() if system is None else self._of(system)
        wanted = pl.col("name") == variable_name
        variables = self._collected(self._lazy("variables", builds).filter(wanted)).to_dicts()
        if not variables:
            raise self._no_variable(variable_name, system, builds)
        entries = self._store.entries(builds)
        known = [
            build
            for build, entry in zip(builds, entries, strict=True)
            if build.has("codes") and variable_name not in entry["unavailable"]
        ]
        keys = [(str(build.system), build.name) for build in builds]
        before = {new: old for old, new in pairwise(keys) if old[0] == new[0]}
        of = {(row["system"], row["build"]): row for row in variables}
        arrow = history(entries, variables, self._code_facts(known, before, of))
        enum = {"type": pl.Enum(schema.VARIABLE_TYPES)}
        return pl.DataFrame(arrow, schema_overrides=enum)  # type: ignore[no-any-return]

    def _code_facts(
        self,
        known: Sequence[ArchivedBuild],
        before: Mapping[Key, Key],
        variables: Mapping[Key, Any],
    ) -> dict[Key, CodeFacts]:
        """What the codes of a variable in each build say, by system and build.

        Args:
            known: the builds whose codes are known, each system's oldest first.
            before: the build before each, of the same system.
            variables: the variable in each build that has it.
        """
        pl = import_polars()
        found = {(str(b.system), b.name): CodeFacts((0, None)) for b in known}
        known = [build for build in known if (str(build.system), build.name) in variables]
        names = {row["name"] for row in variables.values()}
        table_names = {row["table_name"] for row in variables.values()}
        tables = self._lazy("tables", known).filter(pl.col("name").is_in(table_names))
        records = _by_build(self._collected(tables))
        for build in known:
            if (str(build.system), build.name) not in records:
                raise self._damaged(build, "the variable's table is missing")
        code = pl.struct("position", "code", "description").hash()
        latest: tuple[Key, dict[str, pa.Table]] | None = None
        left, at_once = list(known), 1
        while left:
            some, left = left[:at_once], left[at_once:]
            rows = self._lazy("codes", some).filter(pl.col("variable_name").is_in(names))
            codes = _by_build(self._collected(rows))
            most = max((each.height for each in codes.values()), default=0)
            at_once = max(1, min(_BUILDS_AT_ONCE, _CODES_AT_ONCE // max(1, most)))
            for key in ((str(build.system), build.name) for build in some):
                if key not in codes:
                    latest = None
                    continue
                of = codes.pop(key).sort("position")
                one = {
                    "tables": _declared(records[key], schema.TABLES_SCHEMA),
                    "variables": table_of([variables[key]], schema.VARIABLES_SCHEMA),
                    "codes": _declared(of, schema.CODES_SCHEMA),
                }
                share = unclassified_share(one)
                is_next = latest is not None and before.get(key) == latest[0]
                went = moved(one, latest[1]) if latest is not None and is_next else None
                fingerprint = of.height, of.select(code.sum()).item()
                found[key] = CodeFacts(fingerprint, share, went)
                latest = key, one
        return found

    def clean(
        self, older_than: timedelta = timedelta(days=1), *, dry_run: bool = False
    ) -> list[str]:
        """Remove what is of no build: left over by programs that were killed while they added.

        No other files are removed than those that are named as this package names them, below
        ``root``, and not through links.

        Args:
            older_than: for how long a file has not changed, by the clocks of the storage and
                of this machine; more than any program takes to add a catalogue. 0 if nobody is
                adding.
            dry_run: whether nothing is removed.

        Returns:
            the paths of the files, below ``root``.

        Raises:
            TypeError: ``older_than`` is no ``timedelta``.
            ValueError: it is negative.
            ArchiveError: the archive cannot be listed.
            OSError: a file cannot be removed.
        """
        if not isinstance(older_than, timedelta):
            raise not_a("older_than= takes a datetime.timedelta", older_than)
        if older_than < timedelta():
            raise ValueError(f"older_than= takes a time from 0 on, not {older_than!r}.")
        return self._store.clean(older_than.total_seconds(), dry_run=dry_run)

    def prune(
        self,
        *,
        keep_last: int | None = None,
        keep_daily: int | None = None,
        keep_weekly: int | None = None,
        keep_monthly: int | None = None,
        keep_yearly: int | None = None,
        dry_run: bool = False,
    ) -> pl.DataFrame:
        """Remove all builds of each system but those that a rule keeps.

        Where there are fewer days, weeks, months or years than a rule keeps, the oldest build
        is kept as well. A build that a link leads to stays, too.

        Args:
            keep_last: keep so many of the latest builds.
            keep_daily: keep the latest build of each of the last so many days on which there
                was a build.
            keep_weekly: likewise of weeks, which begin on Monday.
            keep_monthly: likewise of months.
            keep_yearly: likewise of years.
            dry_run: whether nothing is removed.

        Returns:
            the builds that were removed, or would be: ``system``, ``build``, ``build_date``.

        Raises:
            TypeError: a number is no whole number.
            ValueError: a number is less than 1, or there is none.
            ArchiveError: the archive cannot be listed.
            OSError: a file cannot be removed.
        """
        given = {
            "last": keep_last,
            "daily": keep_daily,
            "weekly": keep_weekly,
            "monthly": keep_monthly,
            "yearly": keep_yearly,
        }
        rules = {
            rule: require_number(number, f"keep_{rule}=")
            for rule, number in given.items()
            if number is not None
        }
        if not rules:
            raise ValueError("prune() takes at least one rule, such as keep_last=30.")
        removed = []
        for _, group in groupby(self._store.builds(), key=lambda build: build.system):
            builds = list(group)[::-1]
            keep = kept([build.date for build in builds], rules)
            left = [b for n, b in enumerate(builds) if n not in keep]
            removed += [b for b in left[::-1] if not self._store.is_linked(b)]
        if not dry_run:
            for build in removed:
                self._store.remove(build)
        rows = [(build.system, build.name, build.date) for build in removed]
        pl = import_polars()
        columns = {"system": pl.String, "build": pl.String, "build_date": pl.Datetime("us")}
        return pl.DataFrame(rows, columns, orient="row")  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<Archive at {self.root}>"

    def _of(self, system: str) -> list[ArchivedBuild]:
        """The builds of a system, the latest last."""
        found = self._store.builds(require_text(system, "system="))
        if not found:
            names = sorted({str(build.system) for build in self._store.builds()})
            raise UnknownKeyError(
                f"The archive at {self.root} has no system {truncate(system)!r}. "
                f"It has {_listed(nearest(system, [strings(names)]) or names)}."
            )
        return found

    def _collected(self, lazy: pl.LazyFrame) -> pl.DataFrame:
        polars = import_polars()
        try:
            return lazy.collect()
        except (polars.exceptions.PolarsError, pa.ArrowException, OSError) as error:
            raise ArchiveError(
                f"Of the archive at {self.root}, not all files can be read: {redact(str(error))}. "
                "Restore those that are damaged, or remove them and add their builds again."
            ) from None

    def _damaged(self, build: ArchivedBuild, reason: object) -> ArchiveError:
        return ArchiveError(
            f"The archive at {self.root} is damaged: build {build.name!r} of system "
            f"{truncate(str(build.system))!r}: {reason}"
        )

    def _no_variable(
        self, name: str, system: str | None, builds: Iterable[ArchivedBuild]
    ) -> UnknownKeyError:
        names = self._lazy("variables", builds).select("name").drop_nulls().unique()
        near = nearest(name, [strings(self._collected(names)["name"])])
        hint = f" Nearest: {_listed(near)}." if near else ""
        of = "" if system is None else f" of system {truncate(system)!r}"
        return UnknownKeyError(
            f"No build{of} in the archive at {self.root} has a variable {truncate(name)!r}.{hint}"
        )


def _listed(names: list[str]) -> str:
    if not names:
        return "none"
    rest = len(names) - 10
    more = f" and {rest:,} more" if rest > 0 else ""
    return ", ".join(repr(truncate(name)) for name in names[:10]) + more


def _by_build(rows: pl.DataFrame) -> dict[Key, pl.DataFrame]:
    """The rows of each build."""
    keys = rows.select("system", "build").unique().iter_rows()
    return {(system, build): rows.filter(system=system, build=build) for system, build in keys}


def _declared(rows: pl.DataFrame, wanted: pa.Schema) -> pa.Table:
    """Rows under a declared schema, each column in one piece."""
    return rows.select(wanted.names).to_arrow().cast(wanted).combine_chunks()
