"""Catalogues of many systems and builds: Parquet files that any engine reads as they are.

A hive dataset for each noun, and one for the builds; :mod:`apteco_frames.storage.archive_layout`
has their names. The file in ``builds``, of one row, is what makes a build exist: it is put
in place last. Whoever adds a catalogue writes the same files as anybody else who adds it,
so nobody has to wait for anybody, and nothing has to be cleared before.

What else reads a noun's folder may meet rows of a build that is just being added, or of a
program that was killed meanwhile: only those whose ``system`` and ``build`` are in ``builds``
count.
"""

from __future__ import annotations

import os
import stat
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.errors import ArchiveError, how_to_install
from apteco_frames.storage import location
from apteco_frames.storage.archive_layout import (
    BUILDS_FOLDER,
    ENTRY_SCHEMA,
    LAYOUT_VERSION,
    NOUNS,
    PARTITIONS,
    PARTS,
    USES,
    ArchivedBuild,
    build_at,
    build_file,
    build_of,
    file_of,
    file_schema,
    folders_of,
    is_part,
    known,
    system_in,
)
from apteco_frames.storage.snapshot import Snapshot
from apteco_frames.support import files

# What is written there can be seen before it is whole, but can be moved.
_MOVED = ("local", "hdfs")
# There it is whole, or not there.
_WHOLE = ("s3", "gcs", "abfs")
_READERS = 8
_FAULTS = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, OverflowError)

# Of each file in "builds" that was read in this process, what it holds: that never changes.
_entries: dict[tuple[str, ArchivedBuild], dict[str, Any]] = {}


class _File(NamedTuple):
    """A file as it is listed: its path, its size in bytes, and its time in nanoseconds."""

    path: str
    size: int
    modified: int

    @property
    def folder(self) -> str:
        """The topmost folder that it is in."""
        return self.path.partition("/")[0]

    @property
    def below(self) -> str:
        """Its path below that."""
        return self.path.partition("/")[2]


class ArchiveStore:
    """An archive's files.

    Args:
        root: a folder, a URI of ``pyarrow.fs``, or a path in the file system that is given.
        filesystem: a file system of ``pyarrow.fs``, or of fsspec.

    Raises:
        TypeError: ``filesystem`` is no file system.
    """

    def __init__(self, root: str | Path, filesystem: Any = None) -> None:
        if filesystem is None:
            is_uri = isinstance(root, str) and location.is_uri(root)
            self._root = str(root) if is_uri else Path(root).absolute().as_posix()
        else:
            self._root = str(root)
            filesystem = location.require_filesystem(filesystem)
        self._given = filesystem
        self._files: Any = None

    @property
    def root(self) -> str:
        """Where it is, without the credentials that a URI may hold."""
        return location.without_credentials(self._root)

    def __reduce__(self) -> tuple[type[ArchiveStore], tuple[Any, ...]]:
        return ArchiveStore, (self._root, self._given)

    @property
    def files(self) -> Any:
        """The file system, the archive at its root.

        Raises:
            ArchiveError: the archive would be in a file, or in no file system that is known.
        """
        if self._files is None:
            found = location.open_folder(self._root, self._given)
            local = location.local_folder(found)
            if local and local.exists() and not local.is_dir():
                raise ArchiveError(
                    f"{self.root} is a file, and an archive is a folder. Name the folder that it "
                    "is in, or one that is not there yet."
                )
            self._files = found
        return self._files

    @property
    def local_root(self) -> Path | None:
        """The folder, if it is one of this machine."""
        return location.local_folder(self.files)

    @property
    def _kind(self) -> str:
        """What kind of file system it is, as pyarrow calls it."""
        return str(self.files.base_fs.type_name)

    @property
    def _is_python(self) -> bool:
        """Whether the file system is written in Python, as those of fsspec are."""
        return hasattr(self.files.base_fs, "handler")

    @property
    def _fsspec(self) -> Any:
        """The file system of fsspec, if it is one."""
        return getattr(getattr(self.files.base_fs, "handler", None), "fs", None)

    # What is there

    def systems(self) -> list[str]:
        """The names of all systems, as far as the folders tell."""
        found = set()
        for folder in self._folders():
            name = system_in(folder)
            builds = self._builds_in(f"/{folder}") if name is None and "~" in folder else []
            found |= {name, *(build.system for build in builds)}
        return sorted(name for name in found if name is not None)

    def builds(self, system: str | None = None) -> list[ArchivedBuild]:
        """The builds, of all systems or of one, by system, the latest last.

        Nothing is read but the listing, and a file of each system whose name is too long for
        a folder.

        Raises:
            ArchiveError: the archive cannot be listed, or such a file is damaged.
        """
        folders = [""] if system is None else [f"/{folder}" for folder in folders_of(system)]
        found = [build for folder in folders for build in self._builds_in(folder, system)]
        distinct = {build.path: build for build in found}  # some file systems take two for one
        return sorted(distinct.values(), key=lambda build: (str(build.system), *build.order))

    def _builds_in(self, folder: str, system: str | None = None) -> list[ArchivedBuild]:
        found = []
        for file in self._list(f"{BUILDS_FOLDER}{folder}"):
            build = build_at(file.below, file.modified, file.size, system)
            if build and build.size:  # one without a byte was not written to its end
                found.append(build)
        unnamed = {build.folder: build for build in found if build.system is None}
        named = {folder: self.entry(build)["system"] for folder, build in unnamed.items()}
        return [build._replace(system=named.get(build.folder, build.system)) for build in found]

    def entry(self, build: ArchivedBuild) -> dict[str, Any]:
        """What ``builds`` holds of a build, with the columns of ``schema.BUILDS``.

        Raises:
            ArchiveError: the file is damaged, or of a newer version of this package.
        """
        key = f"{self._kind} {self.root}", build._replace(system=None)
        if key not in _entries:
            _entries[key] = self._entry(build)
        return _entries[key]

    def entries(self, builds: Iterable[ArchivedBuild]) -> list[dict[str, Any]]:
        """What ``builds`` holds of each build: a small read for each, once in a process.

        Raises:
            ArchiveError: a file is damaged, or of a newer version of this package.
        """
        with ThreadPoolExecutor(_READERS) as pool:  # which matters where each is a request
            return list(pool.map(self.entry, builds))

    def read(self, build: ArchivedBuild) -> Snapshot:
        """The catalogue of a build; codes and folders are read when they are asked for.

        Raises:
            ArchiveError: a file is damaged.
        """
        entry = self.entry(build)
        readers = {
            noun: partial(self._rows, noun, build.path) if build.has(noun) else None
            for noun in ("codes", "folders")
        }
        return Snapshot(
            {
                "name": entry["system"],
                **{name: entry[name] for name in ("description", "build_date", "view_name")},
            },
            self._rows("tables", build.path),
            self._rows("variables", build.path),
            readers["codes"],
            readers["folders"],
            tuple(entry["unavailable"]),
            uses=partial(self._uses, build.path),
        )

    def dataset(self, noun: str, builds: Iterable[ArchivedBuild]) -> Any:
        """A noun's files as a ``pyarrow.dataset.Dataset`` that also has the partitions.

        Of a file system that is written in Python it is as much of one as polars asks for.
        """
        from pyarrow import dataset

        is_python = self._is_python
        form = dataset.ParquetFileFormat(page_checksum_verification=True, pre_buffer=not is_python)
        system, name = (dataset.field(field) for field in PARTITIONS.names)
        found = [
            form.make_fragment(
                f"{noun}/{build.path}",
                self.files,
                (system == build.system) & (name == build.name),
            )
            for build in builds
        ]
        whole = pa.schema([*file_schema(noun), *PARTITIONS])
        files = dataset.FileSystemDataset(found, whole, form, self.files)
        return _ReadWhole(files, self._bytes) if is_python else files

    # Adding

    def add(
        self,
        system: dict[str, Any],
        arrows: Mapping[str, pa.Table],
        unavailable: Iterable[str] = (),
        uses: pa.Table | None = None,
    ) -> bool:
        """Add a catalogue, unless it is there with all that it holds.

        Of a build of which files are gone, those are written again. See ``snapshot.write``
        for the arguments; ``uses`` are put in place of those that are there.

        Returns:
            whether it was added, or mended.

        Raises:
            ArchiveError: the archive cannot be listed.
            OSError: a file cannot be written.
        """
        refused = sorted(unavailable)
        date = system["build_date"]
        listed = [build for build in self.builds(system["name"]) if build.date == date]
        new = build_of(system, arrows, refused, listed)
        others = [build for build in listed if build.path != new.path]
        covering = next((b for b in others if self._digested(b).covers(new)), None)
        if uses is not None:
            path = (covering or new).path
            self._put(f"{USES}/{path}", file_of(USES, uses, system), again=True)
        if covering:
            return False
        entry = build_file(new, system, arrows, refused)
        is_there = self._is_whole(new, entry.size)
        if is_there and not self._is_hidden(new, listed):
            return False
        written = {
            f"{noun}/{new.path}": file_of(noun, arrows[noun], system)
            for noun in (() if is_there else arrows)
        }
        for path, whole in written.items():
            self._put(path, whole)
        # It is written again even where it is there: its time says what was added last.
        self._put(f"{BUILDS_FOLDER}/{new.path}", entry, again=is_there)
        if self._kind not in (*_MOVED, *_WHOLE):
            for path, whole in written.items():  # what was left there may just have been cleaned
                self._put(path, whole)
        return not is_there

    def _digested(self, build: ArchivedBuild) -> ArchivedBuild:
        """A build with its digests: layout 1 does not tell them by its names."""
        if build.core:
            return build
        found = self.read(build)
        readers = {"codes": found.codes, "folders": found.folders}
        arrows = {noun: read() for noun, read in readers.items() if read}
        arrows |= {"tables": found.tables, "variables": found.variables}
        return build_of(found.system, arrows, sorted(found.unavailable))

    def _is_whole(self, build: ArchivedBuild, size: int) -> bool:
        """Whether all files of a build are there; its entry has that size, or can be read."""
        nouns = [noun for noun in NOUNS if build.has(noun)]
        (entry,) = self.files.get_file_info([f"{BUILDS_FOLDER}/{build.path}"])
        if not entry.is_file or not entry.size:
            return False
        if entry.size != size:  # cut off, or written by another version of pyarrow
            try:
                self._entry(build)
            except ArchiveError:
                return False
        found = self.files.get_file_info([f"{noun}/{build.path}" for noun in nouns])
        return all(info.is_file and info.size for info in found)

    def _is_hidden(self, new: ArchivedBuild, listed: Sequence[ArchivedBuild]) -> bool:
        """Whether another catalogue of the date that has as much was added after it."""
        latest = max(listed, key=lambda build: build.order, default=new)
        return latest.path != new.path and latest.fullness == new.fullness

    def _put(self, path: str, written: pa.Buffer, *, again: bool = False) -> None:
        """Put a file in place; errors on this machine name it.

        Args:
            path: of the file.
            written: what it holds.
            again: whether it is written also where it is there.
        """
        root = self.local_root
        with files.told_of(root / path) if root else nullcontext():
            self._put_whole(path, written, again)

    def _put_whole(self, path: str, written: pa.Buffer, again: bool) -> None:
        """Put a file in place, whole as far as the file system lets us."""
        if self._kind in _MOVED:
            part = f"{PARTS}/{uuid.uuid4().hex}.part"
            try:
                self._into_folder(part, lambda: self._write(part, written))
                with suppress(OSError, NotImplementedError):
                    self._into_folder(path, lambda: self.files.move(part, path))
                    return
            finally:
                with suppress(OSError):  # it was moved, or perhaps nothing can be removed
                    self.files.delete_file(part)
        if self._kind not in _WHOLE and not again:
            (info,) = self.files.get_file_info([path])
            if info.size == written.size:
                return  # somebody else has put it there
        self._into_folder(path, lambda: self._write(path, written))

    def _into_folder(self, path: str, write: Callable[[], Any]) -> None:
        """Write a file; make the folder that it is in where a file system needs that."""
        try:
            write()
        except FileNotFoundError:
            self.files.create_dir(path.rpartition("/")[0], recursive=True)
            write()

    def _write(self, path: str, written: pa.Buffer) -> None:
        if self._fsspec:  # in one go, which opening and writing is not
            self._fsspec.pipe_file(f"{self.files.base_path}{path}", written.to_pybytes())
            return
        with self.files.open_output_stream(path) as sink:
            sink.write(written)
        if self.local_root:
            files.sync(self.local_root / path)

    # Removing

    def is_linked(self, build: ArchivedBuild) -> bool:
        """Whether a link leads to what makes a build exist, so that nothing removes it."""
        return self._is_linked(f"{BUILDS_FOLDER}/{build.path}")

    def remove(self, build: ArchivedBuild) -> None:
        """Remove a build: first what makes it exist, then its rows.

        Raises:
            OSError: a file cannot be removed.
        """
        for noun in (BUILDS_FOLDER, USES, *(noun for noun in NOUNS if build.has(noun))):
            self._remove(f"{noun}/{build.path}")

    def clean(self, seconds: float, *, dry_run: bool = False) -> list[str]:
        """Remove the files that belong to no build and have not changed for some time.

        Args:
            seconds: for how long.
            dry_run: whether nothing is removed.

        Returns:
            their paths.

        Raises:
            ArchiveError: the archive cannot be listed.
            OSError: one cannot be removed.
        """
        # The builds last: what was added since the files were listed has not been left over.
        files = [
            file for folder in (PARTS, USES, *NOUNS, BUILDS_FOLDER) for file in self._list(folder)
        ]
        there = {file.below for file in files if file.folder == BUILDS_FOLDER and file.size}
        left = defaultdict(list)
        for file in files:
            is_ours = is_part(file.below) if file.folder == PARTS else build_at(file.below)
            if is_ours and file.below not in there:
                left[file.below].append(file.path)
        removed = []
        for below, paths in left.items():
            # Again, now: somebody may have added it meanwhile.
            entry, *infos = self.files.get_file_info([f"{BUILDS_FOLDER}/{below}", *paths])
            if (entry.is_file and entry.size) or self._is_linked(below, BUILDS_FOLDER):
                continue  # nobody knows what was there where a link leads to no folder
            until = time.time() - seconds
            for info in infos:
                is_old = info.is_file and self._modified(info) <= until
                if is_old and not self._is_linked(info.path):
                    removed.append(info.path)
                    if not dry_run:
                        self._remove(info.path)
        return sorted(removed)

    def _modified(self, info: Any) -> float:
        """When a file was written, by its storage's clock; now, if that does not say."""
        if info.mtime is not None:
            return float(info.mtime.timestamp())
        try:
            return float(self._fsspec.modified(f"{self.files.base_path}{info.path}").timestamp())
        except (AttributeError, NotImplementedError, LookupError, OSError):
            return time.time()

    def _is_linked(self, path: str, folder: str = "") -> bool:
        """Whether a file of this machine is reached by a link below the root, or a folder there."""
        root = self.local_root
        if root is None:
            return False
        top = os.path.realpath(root / folder)
        return os.path.realpath(Path(top, path)) != str(Path(top, path))

    def _remove(self, path: str) -> None:
        """Remove a file, unless somebody else has, or a link leads to it."""
        if self._is_linked(path):
            return
        root = self.local_root
        with suppress(FileNotFoundError):
            self.files.delete_file(path)
        if root:  # of other file systems, most have no folders
            with suppress(OSError):  # it is not empty
                for folder in list(Path(path).parents)[:-2]:
                    (root / folder).rmdir()

    # Reading

    def _list(self, folder: str) -> Iterator[_File]:
        """The files in a folder, and in those below it; none if it is not there."""
        if self.local_root:
            try:
                yield from _walk(self.local_root, folder)
            except OSError as error:
                raise self._unlisted(error) from None
            return
        if self._fsspec:
            yield from self._find(folder)
            return
        for info in self._select(folder, recursive=True):
            if info.is_file:
                yield _File(info.path, info.size or 0, info.mtime_ns or 0)

    def _find(self, folder: str) -> Iterator[_File]:
        """Likewise in a file system of fsspec, of whose times pyarrow has few."""
        base = self.files.base_path
        self._fsspec.invalidate_cache()
        try:
            found = self._fsspec.find(f"{base}{folder}", detail=True)
        except FileNotFoundError:
            return
        except Exception as error:  # of whatever library it is made with
            raise self._unlisted(error) from None
        for path, info in found.items():
            if info["type"] == "file":
                below = path.strip("/")[len(base.strip("/")) :].lstrip("/")
                yield _File(below, info["size"] or 0, _modified(info))

    def _folders(self) -> list[str]:
        """The folders of systems."""
        if self.local_root:
            with suppress(OSError):
                return os.listdir(self.local_root / BUILDS_FOLDER)  # noqa: PTH208
            return []
        return [info.base_name for info in self._select(BUILDS_FOLDER, recursive=False)]

    def _select(self, folder: str, *, recursive: bool) -> Any:
        from pyarrow.fs import FileSelector

        selector = FileSelector(folder, allow_not_found=True, recursive=recursive)
        try:
            if self._fsspec:  # s3fs keeps lists for as long as it lives
                self._fsspec.invalidate_cache()
            return self.files.get_file_info(selector)
        except _FAULTS as error:
            raise self._unlisted(error) from None

    def _entry(self, build: ArchivedBuild) -> dict[str, Any]:
        path = f"{BUILDS_FOLDER}/{build.path}"
        arrow = self._read(path)
        try:
            version = max(arrow["version"].to_pylist())
            if version > LAYOUT_VERSION:
                raise ArchiveError(
                    f"The archive at {self.root} was written by a newer version of apteco_frames "
                    f"(layout {version}, known here: {LAYOUT_VERSION}). Install that version, "
                    f"{how_to_install()}"
                )
            (row,) = arrow.select(ENTRY_SCHEMA.names).cast(ENTRY_SCHEMA).to_pylist()
            is_of = (
                build.folder in folders_of(row["system_name"]) and row["build_date"] == build.date
            )
            if not is_of or any((row[noun] is not None) != build.has(noun) for noun in NOUNS):
                raise ValueError("another build")
            row |= {"system": row["system_name"], "build": build.name, "added_at": build.added_at}
            return {name: row[name] for name in schema.BUILDS_SCHEMA.names}
        except _FAULTS as error:
            raise self._damaged(path, error) from None

    def _read(self, path: str) -> pa.Table:
        """A file, read whole and then looked into: a request or two where others take five."""
        from pyarrow import parquet

        try:
            if self.local_root and not (self.local_root / path).is_file():
                raise FileNotFoundError  # or a pipe, at which we would wait
            whole = self._bytes(path)
            # Without threads of Arrow's, which may outlive the interpreter.
            return parquet.ParquetFile(
                whole, page_checksum_verification=True, pre_buffer=False
            ).read(use_threads=False)
        except _FAULTS as error:
            raise self._damaged(path, error) from None

    def _bytes(self, path: str) -> pa.Buffer:
        """The bytes of a file, in memory of Arrow's: its threads may free it after Python ended."""
        if self._fsspec:  # whose open file others may share
            whole = self._fsspec.cat_file(f"{self.files.base_path}{path}")
        else:
            with self.files.open_input_stream(path) as source:
                whole = source.read_buffer()
        if not self._is_python:
            return whole
        sink = pa.BufferOutputStream()
        sink.write(whole)
        return sink.getvalue()

    def _rows(self, noun: str, file: str) -> pa.Table:
        """The rows of a file, in their order in the catalogue."""
        path = f"{noun}/{file}"
        arrow = self._read(path)
        try:
            return known(arrow.take(pc.sort_indices(arrow["row_number"])), noun)
        except _FAULTS as error:
            raise self._damaged(path, error) from None

    def _uses(self, file: str) -> pa.Table | None:
        """What uses the variables of a build, if it was added."""
        (info,) = self.files.get_file_info([f"{USES}/{file}"])
        return self._rows(USES, file) if info.is_file else None

    def _unlisted(self, error: Exception) -> ArchiveError:
        return ArchiveError(
            f"The archive at {self.root} cannot be listed ({type(error).__name__}: "
            f"{location.redact(str(error))}). See whether it can be reached, and whether you "
            "may read it."
        )

    def _damaged(self, path: str, error: Exception) -> ArchiveError:
        return ArchiveError(
            f"Of the archive at {self.root}, {path} cannot be read ({type(error).__name__}). If "
            "it is damaged, restore it, or remove it and add its build again."
        )


class _ReadWhole:
    """A dataset of which each file is read whole, in the thread that asks.

    Threads of Arrow's that call a file system in Python may wait for ever.

    Args:
        files: the dataset.
        read: gives the bytes of a file.
    """

    def __init__(self, files: Any, read: Callable[[str], pa.Buffer]) -> None:
        self._files, self._read = files, read
        self.schema: pa.Schema = files.schema

    # The names of arguments are Arrow's.
    def to_batches(
        self,
        *,
        filter: Any = None,  # noqa: A002
        **options: Any,
    ) -> Iterator[pa.RecordBatch]:
        """The rows that a filter takes, of the files in which there may be some."""
        for fragment in self._files.get_fragments(filter):
            one = fragment.format.make_fragment(
                self._read(fragment.path), partition_expression=fragment.partition_expression
            )
            yield from one.to_batches(self.schema, filter=filter, use_threads=False, **options)

    def to_table(self, *, columns: list[str] | None = None, **options: Any) -> pa.Table:
        """Likewise, as polars before version 2 asks."""
        names = self.schema.names if columns is None else columns
        schema = pa.schema([self.schema.field(name) for name in names])
        return pa.Table.from_batches(self.to_batches(columns=columns, **options), schema)

    def head(self, rows: int, **options: Any) -> pa.Table:
        """The first rows, as polars before version 2 asks."""
        return self.to_table(**options).slice(0, rows)


def _modified(info: Mapping[str, Any]) -> int:
    """When a file was written, as a file system of fsspec tells it, each by another name."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "modified", "created"):
        at = info.get(name)
        if isinstance(at, datetime):
            at = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        if isinstance(at, int | float):
            return int(at * 1e6) * 1000
    return 0


def _walk(root: Path, folder: str) -> Iterator[_File]:
    """The files in a folder, and in those of systems and builds below it, as links lead there."""

    def fail(error: OSError) -> None:
        # Not where there is no folder (any more), but where a link leads to none: a disk that
        # is not there now may have the builds of all rows.
        if not isinstance(error, FileNotFoundError) or os.path.islink(error.filename):  # noqa: PTH114
            raise error

    for at, folders, names in os.walk(root / folder, onerror=fail, followlinks=True):
        below = Path(at).relative_to(root)
        if len(below.parts) == len(("noun", "system", "build")):
            folders.clear()  # nor does a link that leads upwards lead on for ever
        for name in names:
            with suppress(OSError):  # it has gone
                info = os.stat(os.path.join(at, name))  # noqa: PTH116, PTH118
                if stat.S_ISREG(info.st_mode):
                    path = (below / name).as_posix()
                    yield _File(path, info.st_size, info.st_mtime_ns)
