"""Catalogues kept on disk between logins: one folder for each system and user.

In it are up to three files for a build: its tables and variables, its codes, its folders.
Files never change: they are written beside their place and moved into it, without locks.
What cannot be read, for whatever reason, counts as not there.

A file of codes or folders names the tables and variables that it belongs to by their hash,
so those of a catalogue that was replaced since are not taken for those of another.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.errors import CacheWarning, warn
from apteco_frames.storage import packed
from apteco_frames.storage.label import pack_system
from apteco_frames.support import files

FOLDER_VARIABLE = "APTECO_FRAMES_CACHE_DIR"
"""The environment variable that names the folder."""

BUILDS = 3
"""How many builds of a system are kept, for each user."""

CATALOGUE = "catalogue"
SCHEMAS: dict[str, dict[str, pa.Schema]] = {
    CATALOGUE: {"tables": schema.TABLES_SCHEMA, "variables": schema.VARIABLES_SCHEMA},
    "codes": {"codes": schema.CODES_SCHEMA},
    "folders": {"folders": schema.FOLDERS_SCHEMA},
}
"""What there is a file of for each build, and the tables in it."""

# What was being written for so long was left behind by a process that was ended.
_LEFT_BEHIND_SECONDS = 86_400


class Kept(NamedTuple):
    """What one file holds.

    Attributes:
        rows: tables by their names, under the declared schemas.
        about: what else is said of them, as JSON values.
        build: where the codes and folders are that belong to the file's catalogue.
    """

    rows: dict[str, pa.Table]
    about: dict[str, Any]
    build: KeptBuild


class KeptBuild(NamedTuple):
    """A catalogue in the cache, and where what belongs to it is kept.

    Attributes:
        cache: where it is.
        date: when the system was built.
        catalogue: the hash of the tables and variables.
    """

    cache: Cache
    date: datetime
    catalogue: str

    def read(self, kind: str) -> Kept | None:
        """What is kept of the ``codes`` or ``folders`` of this catalogue, if anything is."""
        return self.cache._read(self.date, kind, self.catalogue)

    def write(self, kind: str, rows: pa.Table, about: Mapping[str, Any]) -> None:
        """Keep ``codes`` or ``folders`` of this catalogue.

        Args:
            kind: which of the two.
            rows: the rows, under the declared schema.
            about: JSON values to read back with them.

        Warns:
            CacheWarning: they cannot be kept.
        """
        self.cache._write(self.date, kind, {kind: rows}, about, self.catalogue)


class Cache:
    """The builds of one system that are kept for one user.

    Args:
        folder: where all caches are; made if it is not there.
        key: what tells them apart: the server's URL, the DataView, the system and the user.
            It goes into the name of a folder as a hash.
    """

    def __init__(self, folder: Path, key: Iterable[str]) -> None:
        self._root = folder
        self._folder = folder / hashlib.sha256(json.dumps(list(key)).encode()).hexdigest()[:32]

    def read(self, system: Mapping[str, Any], variables: int) -> Kept | None:
        """The tables and variables of a build, if they are kept.

        Args:
            system: ``name``, ``description``, ``build_date``, ``view_name`` of the system.
            variables: how many variables it has now.
        """
        date = system["build_date"]
        kept = self._read(date, CATALOGUE) if date else None
        if kept is None or kept.about.get("system") != pack_system(dict(system)):
            return None
        return kept if len(kept.rows["variables"]) == variables else None

    def write(
        self,
        system: Mapping[str, Any],
        rows: Mapping[str, pa.Table],
        warnings: Iterable[str] = (),
        *,
        anew: bool = False,
    ) -> KeptBuild | None:
        """Keep the tables and variables of a build.

        Args:
            system: ``name``, ``description``, ``build_date``, ``view_name`` of the system.
            rows: ``tables`` and ``variables``, under their declared schemas.
            warnings: what was odd about them, in sentences.
            anew: whether codes and folders that are there of the same build are to go.

        Returns:
            where its codes and folders are kept; None if nothing can be, or if nothing
            tells one build from another.

        Warns:
            CacheWarning: it cannot be kept.
        """
        date = system["build_date"]
        if date is None:
            return None
        if anew:
            for kind in SCHEMAS:
                _remove(self._place(date, kind))
        about = {"system": pack_system(dict(system)), "warnings": list(warnings)}
        catalogue = self._write(date, CATALOGUE, rows, about)
        self._prune(date)
        return KeptBuild(self, date, catalogue) if catalogue else None

    def _read(self, date: datetime, kind: str, catalogue: str | None = None) -> Kept | None:
        if not self._is_ours():
            return None
        try:
            with pa.OSFile(os.fsencode(self._place(date, kind))) as file:
                found = packed.unpack(file.read_buffer(), SCHEMAS[kind])
        except packed.FAULTS:
            return None
        # Of another version, which may read more from the same answers; or of other variables.
        if found.about["version"] != _version() or catalogue not in (None, found.about["of"]):
            return None
        return Kept(found.rows, found.about, KeptBuild(self, date, found.about["of"]))

    def _write(
        self,
        date: datetime,
        kind: str,
        rows: Mapping[str, pa.Table],
        about: Mapping[str, Any],
        catalogue: str | None = None,
    ) -> str | None:
        """Put a file in place, unless an equal one is there; the hash of the catalogue."""
        if not self._is_made():
            return None
        place = self._place(date, kind)
        streams = packed.streams(rows[name] for name in SCHEMAS[kind])
        catalogue = catalogue or packed.hash_of(streams)
        parts = packed.pack(streams, {**about, "of": catalogue, "version": _version()})
        try:
            if not _holds(place, parts):  # somebody was faster
                files.replace(place, lambda part: _fill(part, parts), mode=0o600)
        except OSError as error:
            self._cannot("cannot be written", error)
            return None
        return catalogue

    def _is_ours(self) -> bool:
        """Whether the folder is there, and nobody else could have put anything into it."""
        try:
            found = self._folder.lstat()
        except OSError:
            return False
        if os.name == "nt":
            return stat.S_ISDIR(found.st_mode)
        return (
            stat.S_ISDIR(found.st_mode)
            and found.st_uid == os.getuid()
            and not stat.S_IMODE(found.st_mode) & 0o077
        )

    def _is_made(self) -> bool:
        """Whether the folder is there now, for its owner only."""
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            self._cannot("cannot be made", error)
            return False
        if not self._is_ours():
            self._cannot("belongs to somebody else, or others can use it, too")
            return False
        return True

    def _cannot(self, what: str, error: Exception | None = None) -> None:
        reason = f" ({type(error).__name__}: {error})" if error else ""
        warn(
            f"The folder {self._folder} {what}{reason}. The catalogue was read from the server, "
            f"and is not kept. Name another folder with cache= or {FOLDER_VARIABLE}.",
            CacheWarning,
        )

    def _place(self, date: datetime, kind: str) -> Path:
        return self._folder / f"{_stamp(date)}.{kind}"

    def _prune(self, date: datetime) -> None:
        """Remove all but the newest builds and the one at hand, and what was left behind."""
        by_build: dict[str, list[Path]] = {}
        with suppress(OSError):
            for path in self._folder.iterdir():
                if path.name.endswith(".part"):
                    with suppress(OSError):
                        if path.stat().st_mtime < time.time() - _LEFT_BEHIND_SECONDS:
                            _remove(path)
                elif path.suffix[1:] in SCHEMAS:
                    by_build.setdefault(path.stem, []).append(path)
        others = sorted(by_build.keys() - {_stamp(date)})
        for build in others[: len(others) - (BUILDS - 1)] if len(others) >= BUILDS else []:
            for path in by_build[build]:
                _remove(path)


def cache_of(option: bool | str | os.PathLike[str] | None, key: Iterable[str]) -> Cache | None:
    """The cache that ``cache=`` means, if any.

    Args:
        option: True, a folder, or nothing.
        key: as of :class:`Cache`.

    Warns:
        CacheWarning: the user has no home to keep it in.
    """
    if not option:
        return None
    try:
        folder = default_folder() if option is True else Path(option).expanduser()
    except RuntimeError as error:
        warn(
            f"There is no folder for a cache ({error}), so nothing is kept. Name one with cache= "
            f"or {FOLDER_VARIABLE}.",
            CacheWarning,
        )
        return None
    return Cache(folder, key)


def default_folder() -> Path:
    """Where caches are unless told otherwise.

    The folder that ``APTECO_FRAMES_CACHE_DIR`` names; without it ``apteco-frames`` in the
    platform's folder for caches, such as ``~/.cache``.

    Raises:
        RuntimeError: the user has no home.
    """
    if folder := os.environ.get(FOLDER_VARIABLE):
        return Path(folder).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("apteco-frames", appauthor=False, opinion=False)


def _stamp(date: datetime) -> str:
    """A date as part of a file's name, which sorts as dates do."""
    return date.isoformat(timespec="microseconds").replace(":", "-")


def _version() -> str:
    from apteco_frames import __version__

    return __version__


def _holds(place: Path, parts: list[Any]) -> bool:
    """Whether a file has these parts, undamaged."""
    try:
        return place.read_bytes() == b"".join(parts)
    except OSError:
        return False


def _fill(part: Path, parts: list[Any]) -> None:
    with part.open("wb") as file:
        file.writelines(parts)


def _remove(path: Path) -> None:
    with suppress(OSError):  # somebody was faster, or on Windows holds it open
        path.unlink()
