"""Archives: the catalogues of many systems, build by build, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.analysis.history import history
from apteco_frames.catalogue import AnyCatalogue, Catalogue, contents_of, restored
from apteco_frames.errors import AptecoFramesError, ArchiveError, UnknownKeyError, warn
from apteco_frames.frame.keys import nearest
from apteco_frames.storage.hive import Hive
from apteco_frames.storage.label import DAMAGE
from apteco_frames.storage.layout import NOUNS, Build, file_schema
from apteco_frames.support.arguments import checked_path, checked_text, not_a
from apteco_frames.support.arrays import strings
from apteco_frames.support.fork import import_polars
from apteco_frames.support.text import clipped

if TYPE_CHECKING:
    import polars as pl


class Opened(Protocol):
    """A session on a system."""

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of its system."""

    @property
    def folders(self) -> Any:
        """The folders, read on first use."""

    def load_codes(self, *, unavailable: Any) -> Any:
        """Read the codes of all variables."""


class Opener(Protocol):
    """A session that knows the other systems of its DataView."""

    @property
    def systems(self) -> Iterable[Any]:
        """The systems, each with a ``name``."""

    def open(self, system: str) -> Opened:
        """A session on another system."""


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

        variables/system=NAME/build=2026-11-01T03-00-00/….parquet

    likewise ``tables``, ``codes``, ``folders``, and ``builds`` with a row for each build.
    NAME is percent-encoded, and cut where it is too long for a folder; ``build`` is the
    build date, or begins with it. In the files are the columns of the noun, and
    ``row_number``, ``system_name`` and ``build_date``. Rows are sorted by variable, in groups
    of 20,000.

    What is not in ``builds`` does not exist. Where somebody is just adding, or was killed
    while he did, another program that reads a noun's folder may see rows of a ``system`` and
    ``build`` that ``builds`` does not have: it leaves them out by joining the two. This class
    never shows them, and the next :meth:`add` removes what was left.

    Files never change and are never removed, so whoever reads them may go on while others
    add. Any number of programs may add at once; they wait for each other where they add the
    same build of a system. A program that was killed is recognised at once on a machine with
    a ``/proc`` that is its own; elsewhere its build cannot be added by others for ten minutes.

    Where ``root`` is a file, or a URI of no file system that ``pyarrow.fs`` knows, the first
    use is an ``ArchiveError``.

    Args:
        root: a folder, in which ``~`` stands for the user's own; or a URI such as
            ``s3://bucket/path``, as ``pyarrow.fs`` takes it; or a path in ``filesystem``. It
            need not be there yet.
        filesystem: a ``pyarrow.fs.FileSystem``; the one that ``root`` names, if not given.

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
        folder = checked_path(root, "Archive()")
        if filesystem is not None:
            from pyarrow import fs

            if not isinstance(filesystem, fs.FileSystem):
                raise not_a("filesystem= takes a pyarrow.fs.FileSystem", filesystem)
        is_elsewhere = filesystem is not None or (isinstance(root, str) and "://" in root)
        self._hive = Hive(root if is_elsewhere else folder, filesystem)

    def add(self, catalogue: AnyCatalogue) -> bool:
        """Add a catalogue, whole or not at all: its codes and folders, too, if it holds them.

        A second catalogue of one build date that differs (virtual variables may have been
        made since) is kept beside the first. One that only holds less of the same, no codes
        or no folders, is there already: it would hide them as the latest.

        Args:
            catalogue: the catalogue, or a session with it.

        Returns:
            whether it was added: False, and nothing was changed, if it is there already.

        Raises:
            TypeError: it is neither a catalogue nor a session.
            ArchiveError: it took too long, or a file there is damaged; or the file system
                takes the system's name for that of another system which is there.
            OSError: a file cannot be written.
        """
        if not isinstance(catalogue, AnyCatalogue):
            raise not_a("add() takes a catalogue, or a session with it", catalogue)
        given = catalogue.catalogue
        if not (given.has_codes and given.has_folders) and self._covers(given):
            return False
        return self._hive.add(*contents_of(given))

    def _covers(self, given: Catalogue) -> bool:
        """Whether a build is here that has all of a catalogue, and perhaps more."""
        info = given.system_info
        for build in self._hive.builds(info.name):
            if build.values["build_date"] != info.build_date:
                continue
            kept = self.catalogue(info.name, build.values["build"])
            if (
                (kept.system_info, kept.tables, kept.variables)
                == (info, given.tables, given.variables)
                and (not given.has_codes or (kept.has_codes and kept.codes == given.codes))
                and (not given.has_folders or (kept.has_folders and kept.folders == given.folders))
            ):
                return True
        return False

    def add_all(self, session: Opener, *, codes: bool = False) -> list[Added]:
        """Add each system of a session's DataView in turn, with its one login.

        One that fails does not stop the others; there is a warning, and it is reported.

        Args:
            session: a session.
            codes: whether codes and folders are read and added, too: a request for each
                variable with codes. Those that the API refuses are left out.

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
                done.append(Added(system.name, self.add(opened.catalogue), None))
            except AptecoFramesError as error:
                warn(f"System {clipped(system.name)!r} was not added to the archive: {error}")
                done.append(Added(system.name, False, error))
        return done

    @property
    def builds(self) -> pl.DataFrame:
        """The builds of all systems, by system, then the oldest first.

        Raises:
            ArchiveError: a file is damaged, or of a newer version of this package.
            OSError: the archive cannot be read.
            ForkedProcessError: polars was used before this process was forked.
        """
        rows = [build.values for build in self._hive.builds()]
        arrow = pa.Table.from_pylist(rows, schema.BUILDS_SCHEMA)
        return import_polars().DataFrame(arrow)  # type: ignore[no-any-return]

    def catalogue(self, system: str, build: str | datetime | None = None) -> Catalogue:
        """The catalogue of a build; its codes and folders are read when they are used.

        Args:
            system: name of the system.
            build: what ``builds`` calls it, or its build date; the latest if not given. Of
                several that fit, the one that was added last.

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
            column = "build_date" if isinstance(build, datetime) else "build"
            names = [b.values["build"] for b in reversed(found)]
            found = [b for b in found if b.values[column] == build]
            if not found:
                raise UnknownKeyError(
                    f"The archive at {self._hive.place} has no build {clipped(build)!r} of system "
                    f"{clipped(system)!r}. It has {_listed(names)}."
                )
        saved = self._hive.read(found[-1])
        try:
            return restored(saved, self._hive.place)
        except DAMAGE as error:
            raise ArchiveError(
                f"The archive at {self._hive.place} is damaged: build "
                f"{found[-1].values['build']!r} of system {clipped(system)!r}: {error}"
            ) from None

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
            ForkedProcessError: polars was used before this process was forked.
        """
        if checked_text(noun, "scan()") not in NOUNS:
            raise UnknownKeyError(
                f"An archive has no {clipped(noun)!r}. It has {_listed(list(NOUNS))}."
            )
        return self._scan(noun)

    def _scan(self, noun: str, system: str | None = None) -> pl.LazyFrame:
        pl = import_polars()
        texts = dict.fromkeys(("system", "build"), pl.String)
        columns = dict(pl.DataFrame(file_schema(noun).empty_table()).schema)
        files = self._hive.files_of(noun, system)
        root = self._hive.local_root
        if not files:
            lazy = pl.LazyFrame(schema={**columns, **texts})
        elif root and "=" not in str(root):
            lazy = pl.scan_parquet(
                [root / noun / file for file in files],
                glob=False,
                schema=columns,
                hive_schema=texts,
                missing_columns="insert",
                extra_columns="ignore",
            )
        else:  # polars reads local files only as we do, and takes "=" above them for partitions
            lazy = pl.scan_pyarrow_dataset(self._hive.fragments(noun, system))
        if system is not None:  # a file system may take it for another that differs in case
            lazy = lazy.filter(system_name=system)
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
            where both builds have codes and other ones, or in another order, or with another
            meaning.

        Raises:
            TypeError: ``variable_name`` or ``system`` is no text.
            UnknownKeyError: no build has such a variable, or there is no such system.
            ArchiveError: a file is damaged, or of a newer version of this package.
            OSError: the archive cannot be read.
            ForkedProcessError: polars was used before this process was forked.
        """
        checked_text(variable_name, "history()")
        pl = import_polars()
        builds = self._hive.builds() if system is None else self._of(system)
        variables = self._rows("variables", system, name=variable_name)
        codes = self._rows("codes", system, variable_name=variable_name)
        if not variables:
            raise self._no_variable(variable_name, system)
        arrow = history([build.values for build in builds], variables, codes)
        enum = {"type": pl.Enum(schema.VARIABLE_TYPES)}
        return pl.DataFrame(arrow, schema_overrides=enum)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<Archive at {self._hive.place}>"

    def _of(self, system: str) -> list[Build]:
        """The builds of a system, the latest last."""
        found = self._hive.builds(checked_text(system, "system="))
        if not found:
            names = {build.values["system"] for build in self._hive.builds()}
            raise UnknownKeyError(
                f"The archive at {self._hive.place} has no system {clipped(system)!r}. "
                f"It has {_listed(nearest(system, [strings(names)]) or sorted(names))}."
            )
        return found

    def _rows(self, noun: str, system: str | None, **wanted: str) -> list[dict[str, Any]]:
        """The rows of a noun with certain values, of all systems or of one."""
        return self._collected(self._scan(noun, system).filter(**wanted)).to_dicts()

    def _collected(self, lazy: pl.LazyFrame) -> pl.DataFrame:
        import polars.exceptions

        try:
            return lazy.collect()
        except (polars.exceptions.PolarsError, pa.ArrowException, OSError) as error:
            raise ArchiveError(
                f"Of the archive at {self._hive.place}, not all files can be read: {error}. "
                "Restore those that are damaged, or remove all files of their builds and add "
                "them again."
            ) from None

    def _no_variable(self, name: str, system: str | None) -> UnknownKeyError:
        names = self._scan("variables", system).select("name").unique()
        near = nearest(name, [strings(self._collected(names)["name"])])
        hint = f" Nearest: {_listed(near)}." if near else ""
        of = "" if system is None else f" of system {clipped(system)!r}"
        return UnknownKeyError(
            f"No build{of} in the archive at {self._hive.place} has a variable "
            f"{clipped(name)!r}.{hint}"
        )


def _listed(names: list[str]) -> str:
    if not names:
        return "none"
    rest = len(names) - 10
    more = f" and {rest:,} more" if rest > 0 else ""
    return ", ".join(repr(clipped(name)) for name in names[:10]) + more
