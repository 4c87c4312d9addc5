"""What is served: one catalogue, or the newest builds of an archive."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from apteco_frames import schema
from apteco_frames.analysis.locked_sql import LockedSql
from apteco_frames.archive import Archive
from apteco_frames.catalogue import Catalogue, contents_of
from apteco_frames.errors import ArchiveError, NotLoadedError, UnknownKeyError
from apteco_frames.support.arguments import not_a
from apteco_frames.support.arrays import table_of
from apteco_frames.support.text import list_names, truncate
from apteco_frames.support.times import latest_time

if TYPE_CHECKING:
    import polars as pl

    from apteco_frames.changes import Changes
    from apteco_frames.codes import Codes
    from apteco_frames.quality import Quality
    from apteco_frames.uses import Uses

_KEPT_CHANGES = 4


class CatalogueBuild:
    """A catalogue, and what its tools need again and again."""

    def __init__(self, name: str, catalogue: Catalogue) -> None:
        self.name = name
        self.catalogue = catalogue
        self._lock = threading.Lock()
        self._sql: LockedSql | None = None
        self._codes: Codes | None = None
        self._quality: Quality | None = None

    @property
    def head(self) -> dict[str, Any]:
        """What each answer begins with."""
        info = self.catalogue.system_info
        return {"system": info.name, "build_date": info.build_date}

    @property
    def codes(self) -> Codes:
        """The codes of all variables, made once, whoever asks at the same time."""
        with self._lock:
            if self._codes is None:
                self._codes = self.catalogue.codes
            return self._codes

    @property
    def quality(self) -> Quality:
        """How well codes describe the records."""
        with self._lock:
            if self._quality is None:
                self._quality = self.catalogue.quality()
            return self._quality

    @property
    def has_uses(self) -> bool:
        """Whether the catalogue was saved with what uses its variables."""
        return self.catalogue.has_uses

    @property
    def uses(self) -> Uses:
        """What uses the variables."""
        return self.catalogue.uses

    @property
    def sql(self) -> LockedSql:
        """What answers queries."""
        with self._lock:
            if self._sql is None:
                info, rows, _ = contents_of(self.catalogue)
                rows["system"] = table_of([info], schema.SYSTEMS_SCHEMA)
                missing = {
                    noun: f"This catalogue was saved without {noun}."
                    for noun in ("codes", "folders")
                    if noun not in rows
                }
                self._sql = LockedSql(rows, missing)
            return self._sql

    def warm(self, *, sql: bool) -> None:
        """Read and make what would keep the first who ask waiting."""
        self.catalogue.search("a", limit=1)
        with suppress(NotLoadedError):
            _ = self.codes
            _ = self.quality
        if sql:
            _ = self.sql


class Library:
    """The one catalogue that is served, and perhaps an older one."""

    has_systems = False

    def __init__(self, catalogue: Catalogue, older: Catalogue | None) -> None:
        self._build = CatalogueBuild("", catalogue)
        self._older = older
        self._lock = threading.Lock()
        self._changes: Changes | None = None

    @property
    def has_changes(self) -> bool:
        """Whether there is an older catalogue."""
        return self._older is not None

    @property
    def has_uses(self) -> bool:
        """Whether it was saved what uses the variables."""
        return self._build.has_uses

    def systems(self) -> list[str]:
        """The names of the systems."""
        return [self._build.catalogue.system_info.name]

    def build(self, system: str) -> CatalogueBuild:
        """The newest build of a system."""
        return self._build

    def changes(self, system: str, since: str, until: str) -> Changes:
        """What changed."""
        if since or until:
            raise UnknownKeyError(
                "There are but two builds to compare here: leave since and until out."
            )
        with self._lock:
            if self._changes is None:
                assert self._older is not None
                self._changes = self._build.catalogue.diff(self._older)
            return self._changes

    def warm(self, *, sql: bool) -> None:
        """Read and make what would keep the first who ask waiting."""
        self._build.warm(sql=sql)
        if self._older is not None:
            _ = self.changes("", "", "").title


class ArchiveLibrary:
    """The newest builds of an archive, looked up anew now and then."""

    has_changes = True

    def __init__(self, archive: Archive, system: str | None, fresh_seconds: float) -> None:
        self._archive = archive
        self._fresh_seconds = fresh_seconds
        self._only = system
        self._lock = threading.Lock()
        self._listed: tuple[float, pl.DataFrame] | None = None
        self._builds: dict[str, CatalogueBuild] = {}
        self._changes: dict[tuple[str, str, str], Changes] = {}
        if system is not None:
            archive.catalogue(system)  # or an error that names the nearest
        elif not self.systems():
            raise ArchiveError(
                f"There is no build in the archive at {archive.root}. Add one with archive.add(), "
                "or with: apteco-frames archive add"
            )

    @property
    def has_systems(self) -> bool:
        """Whether it must be said which system is meant."""
        return self._only is None

    @property
    def has_uses(self) -> bool:
        """Whether it was saved what uses the variables of a system."""
        return any(self.build(system).has_uses for system in self.systems())

    def systems(self) -> list[str]:
        """The names of the systems."""
        if self._only is not None:
            return [self._only]
        return self._rows()["system"].unique(maintain_order=True).to_list()

    def build(self, system: str) -> CatalogueBuild:
        """The newest build of a system."""
        system = self._system(system)
        newest = self._rows(system)["build"].to_list()[-1]
        with self._lock:
            kept = self._builds.get(system)
            if kept is None or kept.name != newest:
                kept = CatalogueBuild(newest, self._archive.catalogue(system, newest))
                self._builds[system] = kept
            return kept

    def changes(self, system: str, since: str, until: str) -> Changes:
        """What changed from one build to another."""
        system = self._system(system)
        builds = [_Dated(*row) for row in self._rows(system)["build", "build_date"].iter_rows()]
        newer = self._found(system, builds, until) if until else builds[-1]
        if since:
            older = self._found(system, builds, since)
        else:
            earlier = [
                build for build in builds if newer.date and build.date and build.date < newer.date
            ]
            if not earlier:
                raise UnknownKeyError(
                    f"No build of system {truncate(system)!r} is older than {newer.name!r}: there "
                    "is nothing to compare it with yet."
                )
            older = earlier[-1]
        key = system, older.name, newer.name
        newest = self.build(system)
        with self._lock:
            if key not in self._changes:
                is_newest = newer.name == newest.name
                after = newest.catalogue if is_newest else self._catalogue(system, newer)
                changes = after.diff(self._catalogue(system, older))
                while len(self._changes) >= _KEPT_CHANGES:
                    del self._changes[next(iter(self._changes))]
                self._changes[key] = changes
            return self._changes[key]

    def warm(self, *, sql: bool) -> None:
        """Read and make what would keep the first who ask waiting, of one system alone."""
        for system in self.systems()[:1]:
            self.build(system).warm(sql=sql)
            with suppress(UnknownKeyError):
                _ = self.changes(system, "", "").title

    def _rows(self, system: str | None = None) -> pl.DataFrame:
        """The builds, the oldest of each system first, as they were a moment ago."""
        with self._lock:
            now = time.monotonic()
            if self._listed is None or now - self._listed[0] > self._fresh_seconds:
                self._listed = now, self._archive.builds
            rows = self._listed[1]
        return rows if system is None else rows.filter(system=system)

    def _system(self, system: str) -> str:
        if self._only is not None:
            return self._only
        names = self.systems()
        if system in names:
            return system
        if not system and len(names) == 1:
            return names[0]
        wrong = f"There is no system {truncate(system)!r}. " if system else ""
        raise UnknownKeyError(f"{wrong}Say which system: {list_names(names, 50)}.")

    def _catalogue(self, system: str, build: _Dated) -> Catalogue:
        return self._archive.catalogue(system, build.name)

    def _found(self, system: str, builds: list[_Dated], text: str) -> _Dated:
        """The build of that name; or the newest of that date, or before it."""
        named = [build for build in builds if build.name == text]
        date = latest_time(text)
        if date is not None:
            named = [build for build in builds if build.date and build.date <= date]
        if named:
            return named[-1]
        raise UnknownKeyError(
            f"System {truncate(system)!r} has no build {truncate(text)!r}, nor one from before "
            f"that date. It has {list_names([build.name for build in builds[::-1]])}."
        )


class _Dated(NamedTuple):
    name: str
    date: datetime | None


def library_of(
    source: Catalogue | Archive,
    system: str | None,
    older: Catalogue | None,
    fresh_seconds: float,
) -> Library | ArchiveLibrary:
    """What is served, of what a user gave.

    Raises:
        TypeError: it is neither a catalogue nor an archive.
        ValueError: an older catalogue does not go with an archive.
        UnknownKeyError: there is no such system.
        ArchiveError: the archive has no build, or cannot be listed.
    """
    if isinstance(source, Archive):
        if older is not None:
            raise ValueError("older= goes with a catalogue; an archive has its older builds.")
        return ArchiveLibrary(source, system, fresh_seconds)
    if not isinstance(source, Catalogue):
        raise not_a(
            "server() takes a saved catalogue (session.catalogue is one), or an archive", source
        )
    if older is not None and not isinstance(older, Catalogue):
        raise not_a("older= takes a catalogue", older)
    if system is not None and system != source.system_info.name:
        raise UnknownKeyError(
            f"The catalogue is of system {truncate(source.system_info.name)!r}, not of "
            f"{truncate(system)!r}."
        )
    return Library(source, older)
