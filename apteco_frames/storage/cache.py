"""Catalogues kept on disk between logins: snapshots of builds, for each system and user.

A snapshot is written whole beside its place and moved into it, without locks; then the
snapshots that it replaces are removed. Codes and folders are added once they are loaded.
Whatever cannot be read counts as missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.errors import CacheWarning, Hint, SnapshotError, warn
from apteco_frames.storage import snapshot
from apteco_frames.support.arrays import table_of

FOLDER_VARIABLE = "APTECO_FRAMES_CACHE_DIR"
"""The environment variable that names the folder."""

CACHED_SCHEMA = pa.schema(
    [
        pa.field("system", pa.string(), False),
        pa.field("description", pa.string(), False),
        pa.field("build_date", pa.timestamp("us"), False),
        pa.field("has_codes", pa.bool_(), False),
        pa.field("has_folders", pa.bool_(), False),
        pa.field("bytes", pa.int64(), False),
        pa.field("folder", pa.string(), False),
    ]
)
"""The columns of :func:`cached`; ``folder`` is that of the snapshot."""

# Of a system, for each user.
_MOST_BUILDS = 3

# What was being written for so long was left behind by a process that was ended.
_LEFT_BEHIND_SECONDS = 86_400

_PART = ".part"
_SCHEMAS = schema.TABLES_SCHEMA, schema.VARIABLES_SCHEMA
_SNAPSHOT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6})-[0-9a-f]{32}")


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

    def read(
        self, system: Mapping[str, Any], variables: int
    ) -> tuple[snapshot.Snapshot, CacheEntry] | None:
        """The catalogue of a build, if it is kept, and where its codes and folders are.

        Its notes have ``warnings``, in sentences.

        Args:
            system: ``name``, ``description``, ``build_date``, ``view_name`` of the system.
            variables: how many variables it has now.
        """
        date = system["build_date"]
        if date is None or not self._is_ours():
            return None
        for folder in self._folder.glob(f"{_stamp(date)}-*"):
            with suppress(SnapshotError, OSError):
                saved = snapshot.read(folder)
                # Another version may read more from the same answers.
                found = saved.system, len(saved.variables), saved.notes.get("version")
                schemas = saved.tables.schema, saved.variables.schema
                if (found, schemas) == ((dict(system), variables, _version()), _SCHEMAS):
                    return saved, CacheEntry(folder)
        return None

    def write(
        self,
        system: Mapping[str, Any],
        rows: Mapping[str, pa.Table],
        warnings: Iterable[str] = (),
    ) -> CacheEntry | None:
        """Keep the tables and variables of a build, in place of what is kept of it.

        Args:
            system: ``name``, ``description``, ``build_date``, ``view_name`` of the system.
            rows: ``tables`` and ``variables``, under their declared schemas.
            warnings: what was odd about them, in sentences.

        Returns:
            where its codes and folders go; None if it cannot be kept, or if nothing
            tells one build from another.

        Warns:
            CacheWarning: it cannot be kept.
        """
        date = system["build_date"]
        if date is None or not self._is_made():
            return None
        digits = uuid.uuid4().hex
        folder, part = self._folder / f"{_stamp(date)}-{digits}", self._folder / f".{digits}{_PART}"
        notes = {"version": _version(), "warnings": list(warnings)}
        try:
            part.mkdir(mode=0o700)
            for path in snapshot.write(part, dict(system), rows, notes=notes):
                path.chmod(0o600)
            part.rename(folder)
        except OSError as error:
            _warn(self._folder, "cannot be written", error)
            return None
        self._prune(folder)
        return CacheEntry(folder)

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
            _warn(self._folder, "cannot be made", error)
            return False
        if not self._is_ours():
            _warn(self._folder, "belongs to somebody else, or others can use it, too")
            return False
        return True

    def _prune(self, newest: Path) -> None:
        """Remove what a snapshot replaces, all but the newest builds, and what was left behind."""
        with suppress(OSError):
            dates = {path: _date_in(path) for path in self._folder.iterdir()}
            date = dates.pop(newest)
            others = sorted({*filter(None, dates.values())} - {date})
            kept = {None, *others[-(_MOST_BUILDS - 1) :]}
            stale = [path for path, date in dates.items() if date not in kept]
            until = time.time() - _LEFT_BEHIND_SECONDS
            parts = list(self._folder.rglob(f"*{_PART}"))
            for path in [*stale, *(part for part in parts if part.stat().st_mtime < until)]:
                with suppress(OSError):  # somebody was faster, or on Windows holds it open
                    _remove(path)


class CacheEntry(NamedTuple):
    """A catalogue in the cache, to which its codes and folders are added once they are loaded.

    Attributes:
        folder: where it is.
    """

    folder: Path

    def read(self, noun: str) -> tuple[pa.Table, tuple[str, ...]] | None:
        """The ``codes``, ``folders`` or ``uses``, if they are kept, and of whom codes are not."""
        with suppress(SnapshotError, OSError):
            saved = snapshot.read(self.folder)
            readers = {"codes": saved.codes, "folders": saved.folders, "uses": saved.uses}
            reader = readers[noun]
            rows = reader() if reader else None
            return None if rows is None else (rows, saved.unavailable)
        return None

    def write(self, noun: str, rows: pa.Table, unavailable: Iterable[str] | None = None) -> None:
        """Keep ``codes``, ``folders`` or ``uses``, unless another catalogue has taken this place.

        Args:
            noun: which of them.
            rows: the rows, under the declared schema.
            unavailable: names of the variables whose codes are not among them.

        Warns:
            CacheWarning: they cannot be kept.
        """
        try:
            snapshot.add(self.folder, noun, rows, unavailable)
        except (SnapshotError, FileNotFoundError):
            pass  # it was removed
        except OSError as error:
            _warn(self.folder, "cannot be written", error)


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
            f"There is no folder for a cache ({error}), so nothing was kept.",
            CacheWarning,
            hint=Hint.NAME_CACHE,
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


def cached(folder: Path) -> pa.Table:
    """The builds that are kept, for each user, by system and date.

    Args:
        folder: where all caches are; it need not be there.

    Returns:
        a table under :data:`CACHED_SCHEMA`. What is damaged is left out, as a login does.

    Raises:
        OSError: the folder cannot be read.
    """
    rows = []
    for path in (path for cache in _caches(folder) for path in cache.iterdir() if _date_in(path)):
        with suppress(SnapshotError, OSError):
            saved = snapshot.read(path)
            rows.append(
                {
                    "system": saved.system["name"],
                    "description": saved.system["description"],
                    "build_date": saved.system["build_date"],
                    "has_codes": saved.codes is not None,
                    "has_folders": saved.folders is not None,
                    "bytes": sum(file.stat().st_size for file in path.iterdir()),
                    "folder": str(path),
                }
            )
    rows.sort(key=lambda row: (row["system"], row["build_date"], row["folder"]))
    return table_of(rows, CACHED_SCHEMA)


def clean(folder: Path) -> tuple[int, int]:
    """Remove all that is kept.

    Args:
        folder: where all caches are; it need not be there.

    Returns:
        how many files were removed, and how many bytes they took.

    Raises:
        OSError: the folder cannot be read, or a file not be removed.
    """
    sizes = []
    for cache in _caches(folder):
        for path in cache.iterdir():
            if _date_in(path) or path.suffix == _PART:
                sizes += _remove(path)
        with suppress(OSError):  # a file of another origin, or of a login just now
            cache.rmdir()
    return len(sizes), sum(sizes)


def _caches(folder: Path) -> Iterator[Path]:
    """The folders of each system and user, which are named by a hash."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if re.fullmatch("[0-9a-f]{32}", path.name) and path.is_dir() and not path.is_symlink():
                yield path


def _remove(path: Path) -> list[int]:
    """Remove a file, or a folder with the files of ours in it; how many bytes each had."""
    sizes = []
    is_folder = path.is_dir() and not path.is_symlink()
    for file in path.iterdir() if is_folder else [path]:
        if not is_folder or file.suffix in (".parquet", _PART):
            with suppress(FileNotFoundError):  # somebody was faster
                size = file.lstat().st_size
                file.unlink()
                sizes.append(size)
    if is_folder:
        with suppress(OSError):  # somebody was faster, or has put something else into it
            path.rmdir()
    return sizes


def _warn(folder: Path, what: str, error: Exception | None = None) -> None:
    reason = f" ({type(error).__name__}: {error})" if error else ""
    warn(
        f"The folder {folder} {what}{reason}. The catalogue was read from the server, "
        "and not kept.",
        CacheWarning,
        hint=Hint.NAME_CACHE,
    )


def _stamp(date: datetime) -> str:
    """A date as the beginning of a name, which sorts as dates do."""
    return date.isoformat(timespec="microseconds").replace(":", "-")


def _date_in(path: Path) -> str | None:
    """The date of a build in the name of a snapshot, if it is one."""
    found = _SNAPSHOT.fullmatch(path.name)
    return found and found[1]


def _version() -> str:
    from apteco_frames import __version__

    return __version__
