"""Catalogues of many systems and builds: Parquet files that any engine can read.

A hive dataset for each noun, and one for the builds; :mod:`apteco_frames.storage.archive_layout`
defines their names. The file in ``builds``, of one row, makes a build exist: it is written last.
Whoever adds a catalogue writes the same files as anybody else who adds it, so nobody has to wait
for anybody, and nothing has to be cleaned up first.

Other programs that read a noun's folder may find rows of a build that is being added, or was left
by a program that was killed: only those whose ``system`` and ``build`` are in ``builds`` count.
"""

from __future__ import annotations

import os
import stat
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, partial
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
)
from apteco_frames.storage.snapshot import Snapshot
from apteco_frames.support import files

# Here nobody sees half of a file.
_OBJECT_STORAGE = ("s3", "gcs", "abfs")
_READERS = 8
_FAULTS = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, OverflowError)

# What each file in "builds" that this process has read holds: that never changes.
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
        root: a folder, a URI of ``pyarrow.fs``, or a path in the file system given.
        filesystem: a file system of ``pyarrow.fs`` or fsspec.

    Raises:
        TypeError: ``filesystem`` is not a file system.
    """

    def __init__(self, root: str | Path, filesystem: Any = None) -> None:
        if filesystem is None:
            is_uri = isinstance(root, str) and location.is_uri(root)
            self._root = str(root) if is_uri else Path(root).absolute().as_posix()
        else:
            self._root = str(root)
            filesystem = location.require_filesystem(filesystem)
        self._given = filesystem

    @property
    def root(self) -> str:
        """Where it is, without any credentials in a URI."""
        return location.without_credentials(self._root)

    @cached_property
    def files(self) -> Any:
        """The file system with the archive at its root.

        Raises:
            ArchiveError: ``root`` is a file, or names no known file system.
        """
        found = location.open_folder(self._root, self._given)
        local = location.local_folder(found)
        if local and local.exists() and not local.is_dir():
            raise ArchiveError(
                f"{self.root} is a file, and an archive is a folder. Name the folder that it "
                "is in, or one that is not there yet."
            )
        return found

    @property
    def local_root(self) -> Path | None:
        """The folder, if it is on this machine."""
        return location.local_folder(self.files)

    @property
    def _kind(self) -> str:
        """What kind of file system it is, as pyarrow calls it."""
        return str(self.files.base_fs.type_name)

    @property
    def _is_python(self) -> bool:
        """Whether the file system is written in Python, as those of fsspec are."""
        return hasattr(self.files.base_fs, "handler")

    # What is there

    def builds(self, system: str | None = None) -> list[ArchivedBuild]:
        """The builds of all systems, or of one, by system, the latest last.

        Reads nothing but the listing, and one file for each system whose name is too long for a
        folder.

        Raises:
            ArchiveError: the archive cannot be listed, or such a file is damaged.
        """
        folders = [""] if system is None else [f"/{folder}" for folder in folders_of(system)]
        listed = [file for folder in folders for file in self._list(f"{BUILDS_FOLDER}{folder}")]
        # A file without a byte was not written to its end.
        at = [build_at(f.below, f.modified, f.size, system) for f in listed if f.size]
        found = {build.path: build for build in at if build}  # on Windows, two folders may be one
        unnamed = {build.folder: build for build in found.values() if build.system is None}
        named = {folder: self.entry(build)["system"] for folder, build in unnamed.items()}
        whole = [b._replace(system=named.get(b.folder, b.system)) for b in found.values()]
        return sorted(whole, key=lambda build: (str(build.system), *build.order))

    def entry(self, build: ArchivedBuild) -> dict[str, Any]:
        """What ``builds`` says about a build, with the columns of ``schema.BUILDS``.

        Raises:
            ArchiveError: the file is damaged, or from a newer version of this package.
        """
        key = f"{self._kind} {self.root}", build._replace(system=None)
        if key not in _entries:
            _entries[key] = self._entry(build)
        return _entries[key]

    def entries(self, builds: Iterable[ArchivedBuild]) -> list[dict[str, Any]]:
        """What ``builds`` says about each build: one small read each, once per process.

        Raises:
            ArchiveError: a file is damaged, or from a newer version of this package.
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

        For a file system written in Python it has just the methods that polars calls.
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
        """Add a catalogue, unless all that it holds is there already.

        If files of the build are missing, they are written again. See ``snapshot.write`` for
        the arguments; ``uses`` replace those that are there.

        Returns:
            whether it was added, or repaired.

        Raises:
            ArchiveError: the archive cannot be listed.
            OSError: a file cannot be written.
        """
        refused = sorted(unavailable)
        new = build_of(system, arrows, refused)
        listed = [build for build in self.builds(system["name"]) if build.date == new.date]
        others = [build for build in listed if build.path != new.path]
        covering = next((b for b in others if self._digested(b).covers(new)), None)
        if uses is not None:
            path = (covering or new).path
            self._put(f"{USES}/{path}", file_of(USES, uses, system), again=True)
        if covering:
            return False
        is_there = self._is_whole(new)
        if is_there and not self._is_hidden(new, listed):
            return False
        written = {
            f"{noun}/{new.path}": file_of(noun, arrows[noun], system)
            for noun in (() if is_there else arrows)
        }
        for path, whole in written.items():
            self._put(path, whole)
        # Also if it is there: its time tells what was added last.
        entry = build_file(new, system, arrows, refused)
        self._put(f"{BUILDS_FOLDER}/{new.path}", entry, again=is_there)
        for path, whole in written.items():
            if self._may_be_skipped:  # and somebody may just have cleaned what was left there
                self._put(path, whole)
        return not is_there

    def _digested(self, build: ArchivedBuild) -> ArchivedBuild:
        """A build with its digests, which its path in layout 1 does not have."""
        if build.core:
            return build
        found = self.read(build)
        readers = {"codes": found.codes, "folders": found.folders}
        arrows = {noun: read() for noun, read in readers.items() if read}
        arrows |= {"tables": found.tables, "variables": found.variables}
        return build_of(found.system, arrows, sorted(found.unavailable))

    def _is_whole(self, build: ArchivedBuild) -> bool:
        """Whether all files of a build are there, and its entry can be read."""
        (entry,) = self.files.get_file_info([f"{BUILDS_FOLDER}/{build.path}"])
        if not entry.size:
            return False
        with suppress(ArchiveError):
            self._entry(build)
            nouns = [f"{noun}/{build.path}" for noun in NOUNS if build.has(noun)]
            return all(info.size for info in self.files.get_file_info(nouns))
        return False

    def _is_hidden(self, new: ArchivedBuild, listed: Sequence[ArchivedBuild]) -> bool:
        """Whether another catalogue of its date that has as much was added after it."""
        latest = max(listed, key=lambda build: build.order, default=new)
        return latest.path != new.path and latest.fullness == new.fullness

    @property
    def _may_be_skipped(self) -> bool:
        """Whether half a file could be seen, so that a whole one is not written again."""
        return not self.local_root and self._kind not in _OBJECT_STORAGE

    def _put(self, path: str, whole: pa.Buffer, again: bool = False) -> None:
        """Put a file in place, whole as far as the file system lets us.

        Args:
            path: of the file.
            whole: what it holds.
            again: whether to write it even if it is there.
        """
        if self.local_root:
            self._put_here(self.local_root, path, whole)
            return
        if self._may_be_skipped and not again:
            (info,) = self.files.get_file_info([path])
            is_entry = path.startswith(f"{BUILDS_FOLDER}/")
            if info.size == whole.size and (not is_entry or self._bytes(path).equals(whole)):
                return
        try:
            self._write(path, whole)
        except FileNotFoundError:
            self.files.create_dir(path.rpartition("/")[0], recursive=True)
            self._write(path, whole)

    def _write(self, path: str, whole: pa.Buffer) -> None:
        with self.files.open_output_stream(path) as sink:
            sink.write(whole)

    def _put_here(self, root: Path, path: str, whole: pa.Buffer) -> None:
        """Put a file in place on this machine; errors name it."""
        target, part = root / path, root / PARTS / f"{uuid.uuid4().hex}.part"
        with files.told_of(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.parent.mkdir(exist_ok=True)
            try:
                part.write_bytes(whole)
                files.sync(part)
                try:
                    files.move(part, target)
                except OSError:  # perhaps nothing can be renamed, as in a mounted bucket
                    target.write_bytes(whole)
            finally:
                with suppress(OSError):
                    part.unlink(missing_ok=True)

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
            dry_run: whether to remove nothing.

        Returns:
            their paths.

        Raises:
            ArchiveError: the archive cannot be listed.
            OSError: one cannot be removed.
        """
        # The builds last: what was added since the files were listed is not left over.
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
            # Look again: somebody may have added it meanwhile.
            entry, *infos = self.files.get_file_info([f"{BUILDS_FOLDER}/{below}", *paths])
            if (entry.is_file and entry.size) or self._is_linked(below, BUILDS_FOLDER):
                continue  # nobody knows what was there where a link leads to no folder
            now = time.time()
            for info in infos:
                age = now - info.mtime_ns / 1e9 if info.mtime_ns else 0  # some storages do not say
                if info.is_file and age >= seconds and not self._is_linked(info.path):
                    removed.append(info.path)
                    if not dry_run:
                        self._remove(info.path)
        return sorted(removed)

    def _is_linked(self, path: str, folder: str = "") -> bool:
        """Whether a link below the root, or below a folder there, leads to a file here."""
        root = self.local_root
        if root is None:
            return False
        top = os.path.realpath(root / folder)
        return os.path.realpath(Path(top, path)) != str(Path(top, path))

    def _remove(self, path: str) -> None:
        """Remove a file, unless somebody else has, or a link leads to it."""
        root = self.local_root
        if root is None:
            with suppress(FileNotFoundError):
                self.files.delete_file(path)
        elif not self._is_linked(path):
            files.remove(root / path)
            with suppress(OSError):  # until a folder is not empty
                for folder in list(Path(path).parents)[:-2]:
                    (root / folder).rmdir()

    # Reading

    def _list(self, folder: str) -> list[_File]:
        """The files in a folder and those below it; none if it does not exist."""
        from pyarrow.fs import FileSelector

        try:
            if self.local_root:
                return list(_walk(self.local_root, folder))
            selector = FileSelector(folder, allow_not_found=True, recursive=True)
            found = self.files.get_file_info(selector)
        except _FAULTS as error:
            raise ArchiveError(
                f"The archive at {self.root} cannot be listed ({type(error).__name__}: "
                f"{location.redact(str(error))}). Check that it can be reached, and that you may "
                "read it."
            ) from None
        return [_File(i.path, i.size or 0, i.mtime_ns or 0) for i in found if i.is_file]

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
            # Without threads of Arrow's, which may outlive the interpreter.
            source = parquet.ParquetFile(
                self._bytes(path), page_checksum_verification=True, pre_buffer=False
            )
            found = source.read(use_threads=False)
            found.validate(full=True)  # Parquet lets any bytes be text
        except _FAULTS as error:
            raise self._damaged(path, error) from None
        return found

    def _bytes(self, path: str) -> pa.Buffer:
        """The bytes of a file, in memory of Arrow's: its threads may free it after Python ended."""
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

    def _damaged(self, path: str, error: Exception) -> ArchiveError:
        return ArchiveError(
            f"{path} in the archive at {self.root} cannot be read ({type(error).__name__}). If "
            "it is damaged, restore it, or remove it and add its build again."
        )


class _ReadWhole:
    """A dataset of which each file is read whole, in the thread that asks.

    Arrow's threads may wait for ever if they call a file system written in Python.

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
        """The rows that a filter takes, from the files that may have some."""
        for fragment in self._files.get_fragments(filter):
            one = fragment.format.make_fragment(
                self._read(fragment.path), partition_expression=fragment.partition_expression
            )
            yield from one.to_batches(self.schema, filter=filter, use_threads=False, **options)

    def to_table(self, *, columns: list[str] | None = None, **options: Any) -> pa.Table:
        """The same, as polars before version 2 asks."""
        names = self.schema.names if columns is None else columns
        schema = pa.schema([self.schema.field(name) for name in names])
        return pa.Table.from_batches(self.to_batches(columns=columns, **options), schema)

    def head(self, rows: int, **options: Any) -> pa.Table:
        """The first rows, as polars before version 2 asks."""
        return self.to_table(**options).slice(0, rows)


def _walk(root: Path, folder: str) -> Iterator[_File]:
    """The files in a folder, and in those of systems and builds below it, following links."""

    def fail(error: OSError) -> None:
        # A folder may be missing, but a link that leads nowhere is an error: the disk that has
        # the builds of all rows may just not be mounted.
        if not isinstance(error, FileNotFoundError) or os.path.islink(error.filename):  # noqa: PTH114
            raise error

    for at, folders, names in os.walk(root / folder, onerror=fail, followlinks=True):
        below = Path(at).relative_to(root)
        if len(below.parts) == len(("noun", "system", "build")):
            folders.clear()  # so a link that leads upwards does not go on for ever
        for name in names:
            with suppress(OSError):  # it has gone
                info = os.stat(os.path.join(at, name))  # noqa: PTH116, PTH118
                if stat.S_ISREG(info.st_mode):
                    path = (below / name).as_posix()
                    yield _File(path, info.st_size, info.st_mtime_ns)
