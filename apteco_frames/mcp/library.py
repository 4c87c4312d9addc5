"""What is served: the newest builds of an archive, or a catalogue as if it were one of two."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import cached_property
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
    from apteco_frames.changes import Changes
    from apteco_frames.quality import Quality

_KEPT_CHANGES = 4


class CatalogueBuild:
    """A catalogue, and what its tools need again and again."""

    def __init__(self, name: str, catalogue: Catalogue) -> None:
        self.name = name
        self.catalogue = catalogue
        self._lock = threading.Lock()
        self._quality: Quality | None = None

    @property
    def head(self) -> dict[str, Any]:
        """What each answer begins with."""
        info = self.catalogue.system_info
        return {"system": info.name, "build_date": info.build_date}

    @property
    def quality(self) -> Quality:
        """How well codes describe the records, made once, whoever asks at the same time."""
        with self._lock:
            if self._quality is None:
                self._quality = self.catalogue.quality()
            return self._quality

    @cached_property
    def sql(self) -> LockedSql:
        """What answers queries."""
        info, rows, _ = contents_of(self.catalogue)
        rows["system"] = table_of([info], schema.SYSTEMS_SCHEMA)
        missing = {
            noun: f"This catalogue was saved without {noun}."
            for noun in ("codes", "folders")
            if noun not in rows
        }
        return LockedSql(rows, missing)

    def warm(self) -> None:
        """Read and make what would keep the first who ask waiting."""
        self.catalogue.search("a", limit=1)
        with suppress(NotLoadedError):
            _ = self.quality


class Library:
    """The newest build of each system, looked up anew now and then.

    Args:
        source: an archive; or a catalogue, which is served as the newest of at most two builds.
        system: the one system of the archive to serve; all if None.
        older: the older of the two builds.
        fresh_seconds: for how many seconds builds are not listed again.

    Raises:
        TypeError: it is neither a catalogue nor an archive.
        ValueError: an older catalogue does not go with an archive.
        UnknownKeyError: there is no such system.
        ArchiveError: the archive has no build, or cannot be listed.
    """

    def __init__(
        self,
        source: Catalogue | Archive,
        system: str | None,
        older: Catalogue | None,
        fresh_seconds: float,
    ) -> None:
        self._fresh_seconds = fresh_seconds
        self._lock, self._comparing = threading.Lock(), threading.Lock()
        self._listed: tuple[float, dict[str, list[_Listed]]] | None = None
        self._builds: dict[str, CatalogueBuild] = {}
        self._changes: dict[tuple[str, str, str], Changes] = {}
        self._list: Callable[[], list[Any]]
        self._read: Callable[[str, str], Catalogue]
        if isinstance(source, Archive):
            if older is not None:
                raise ValueError("older= goes with a catalogue; an archive has its older builds.")
            self._list = lambda: source.builds["system", "build", "build_date"].rows()
            self._read = source.catalogue
            self._only = system
            if system is not None:
                source.catalogue(system)  # or an error that names the nearest
            elif not self.systems():
                raise ArchiveError(
                    f"There is no build in the archive at {source.root}. Add one with "
                    "archive.add(), or with: apteco-frames archive add"
                )
        else:
            two = _two(source, system, older)
            self._list = lambda: [(source.system_info.name, name, None) for name in two]
            self._read = lambda _, build: two[build]
            self._only = source.system_info.name
        self.has_systems = self._only is None
        """Whether it must be said which system is meant."""
        self.has_changes = isinstance(source, Archive) or older is not None
        """Whether there are, or may come, older builds."""

    @property
    def has_uses(self) -> bool:
        """Whether it was saved what uses the variables of a system."""
        return any(self.build(system).catalogue.has_uses for system in self.systems())

    def systems(self) -> list[str]:
        """The names of the systems."""
        return list(self._all_builds()) if self._only is None else [self._only]

    def build(self, system: str) -> CatalogueBuild:
        """The newest build of a system."""
        system, builds = self._builds_of(system)
        with self._lock:
            kept, name = self._builds.get(system), builds[-1].name
            if kept is None or kept.name != name:
                kept = self._builds[system] = CatalogueBuild(name, self._read(system, name))
            return kept

    def changes(self, system: str, since: str, until: str) -> Changes:
        """What changed from one build to another."""
        system, builds = self._builds_of(system)
        newer = _found(system, builds, until) if until else builds[-1]
        if since:
            older = _found(system, builds, since)
        else:
            before = builds[: builds.index(newer)]
            earlier = [each for each in before if each.date is None or each.date != newer.date]
            if not earlier:
                raise UnknownKeyError(
                    f"No build of system {truncate(system)!r} is older than {newer.name!r}: there "
                    "is nothing to compare it with yet."
                )
            older = earlier[-1]
        key = system, older.name, newer.name
        newest = self.build(system)
        with self._comparing:
            if key not in self._changes:
                is_newest = newer.name == newest.name
                after = newest.catalogue if is_newest else self._read(system, newer.name)
                changes = after.diff(self._read(system, older.name))
                while len(self._changes) >= _KEPT_CHANGES:
                    del self._changes[next(iter(self._changes))]
                self._changes[key] = changes
            return self._changes[key]

    def warm(self) -> None:
        """Read and make what would keep the first who ask waiting, of one system alone."""
        for system in self.systems()[:1]:
            self.build(system).warm()
            with suppress(UnknownKeyError):
                _ = self.changes(system, "", "").title

    def _all_builds(self) -> dict[str, list[_Listed]]:
        """The builds by system, the oldest first, as they were a moment ago."""
        with self._lock:
            now = time.monotonic()
            if self._listed is None or now - self._listed[0] > self._fresh_seconds:
                builds: dict[str, list[_Listed]] = {}
                for system, name, date in self._list():
                    builds.setdefault(system, []).append(_Listed(name, date))
                self._listed = now, builds
            return self._listed[1]

    def _builds_of(self, system: str) -> tuple[str, list[_Listed]]:
        """The system that is meant, and its builds."""
        builds, names = self._all_builds(), self.systems()
        if self._only is not None or (not system and len(names) == 1):
            system = names[0]
        if system in builds:
            return system, builds[system]
        wrong = f"There is no system {truncate(system)!r}. " if system else ""
        raise UnknownKeyError(f"{wrong}Say which system: {list_names(list(builds), 50)}.")


class _Listed(NamedTuple):
    name: str
    date: datetime | None


def _found(system: str, builds: list[_Listed], text: str) -> _Listed:
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


def _two(newer: Catalogue, system: str | None, older: Catalogue | None) -> dict[str, Catalogue]:
    """A catalogue and perhaps an older one, as builds by their names, the older first."""
    if not isinstance(newer, Catalogue):
        raise not_a(
            "server() takes a saved catalogue (session.catalogue is one), or an archive", newer
        )
    if older is not None and not isinstance(older, Catalogue):
        raise not_a("older= takes a catalogue", older)
    if system is not None and system != newer.system_info.name:
        raise UnknownKeyError(
            f"The catalogue is of system {truncate(newer.system_info.name)!r}, not of "
            f"{truncate(system)!r}."
        )
    return {"newer": newer} if older is None else {"older": older, "newer": newer}
