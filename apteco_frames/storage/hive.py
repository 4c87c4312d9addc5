"""Catalogues of many systems and builds: Parquet files that any engine reads as they are.

A hive dataset for each noun, and one for the builds::

    variables/system=NAME/build=2026-11-01T03-00-00/….parquet
    builds/system=NAME/build=2026-11-01T03-00-00/….parquet

NAME is percent-encoded, and cut where it is too long. A file holds the columns of its noun,
and ``row_number``, ``system_name`` and ``build_date``. Enums are texts there. A build of a
date that the system has already, but with other contents, gets a name of its own, which
ends in some digits of them. The files of a build go by one name, which says whether it has
codes and folders.

The file in ``builds``, of one row, is what makes a build exist: it is put in place last,
and whole. Files are written in ``adding`` and moved, which takes a moment on a disk, and
is a copy on an object storage, where what is copied is there whole or not at all. They
never change after that, and never go. What else reads a noun's folder may meet rows of a
build that is just being added, or of a program that was killed while it moved its files,
until somebody adds again: only those whose ``system`` and ``build`` are in ``builds``
count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.errors import ArchiveError, how_to_install
from apteco_frames.storage import claims, content
from apteco_frames.storage.layout import (
    BUILDS,
    IDENT,
    NOUNS,
    PARTITIONS,
    VERSION,
    Build,
    build_file,
    build_of,
    file_of,
    file_schema,
    has,
    known,
    paths_of,
    system_folder,
)
from apteco_frames.storage.snapshot import Snapshot
from apteco_frames.support import files
from apteco_frames.support.text import clipped

_KIND_OF_STORAGE = {"s3", "gcs", "abfs"}
_READERS = 8
_FAULTS = (pa.ArrowException, OSError, ValueError, KeyError)


class Hive:
    """An archive's files.

    Args:
        root: a folder, a URI of ``pyarrow.fs``, or a path in the file system that is given.
        filesystem: a ``pyarrow.fs.FileSystem``.
    """

    def __init__(self, root: str | Path, filesystem: Any = None) -> None:
        self._given = filesystem
        is_uri = filesystem is None and isinstance(root, str) and "://" in root
        self._root = str(root) if filesystem or is_uri else Path(root).absolute().as_posix()
        self._is_uri = is_uri
        self._filesystem: Any = None
        self._known: dict[str, Build] = {}

    @property
    def place(self) -> str:
        """Where it is, without the credentials that a URI may hold."""
        if not self._is_uri:
            return self._root
        parts = urlsplit(self._root)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def __reduce__(self) -> tuple[type[Hive], tuple[Any, ...]]:
        return Hive, (self._root, self._given)

    @property
    def files(self) -> Any:
        """The file system, the archive at its root.

        Raises:
            ArchiveError: the archive would be in a file, or in no file system that is known.
        """
        if self._filesystem is None:
            from pyarrow import fs

            found, path = self._given or fs.LocalFileSystem(), self._root
            if self._is_uri:
                found, path = self._of_uri()
            (info,) = found.get_file_info([path])
            if info.is_file:
                raise ArchiveError(
                    f"{self.place} is a file, and an archive is a folder. Name the folder that it "
                    "is in, or one that is not there yet."
                )
            self._filesystem = fs.SubTreeFileSystem(path, found)
        return self._filesystem

    def _of_uri(self) -> tuple[Any, str]:
        """The file system that the URI names, and the path in it."""
        from pyarrow import fs

        try:
            return fs.FileSystem.from_uri(self._root)  # type: ignore[no-any-return]
        except pa.ArrowInvalid as error:
            # No more of it, as it may repeat the URI with the credentials in it.
            reason = str(error).partition(":")[0]
            raise ArchiveError(
                f"No archive can be at {self.place} ({reason}). Name a folder; a URI that begins "
                "file:///, s3://, gs://, abfs:// or hdfs://, as pyarrow.fs takes it; or give "
                "another file system with filesystem=."
            ) from None

    @property
    def local_root(self) -> Path | None:
        """The folder, if it is one of this machine."""
        is_local = self.files.base_fs.type_name == "local"
        return Path(self.files.base_path) if is_local else None

    def add(
        self,
        system: dict[str, Any],
        arrows: Mapping[str, pa.Table],
        unavailable: Iterable[str] = (),
    ) -> bool:
        """Add a catalogue, and remove what others that were killed have left.

        See ``snapshot.write`` for the arguments.

        Returns:
            whether it was added; False if it is there.

        Raises:
            ArchiveError: it took too long; a file there is damaged; or the file system does
                not tell the system's name from another's.
            OSError: a file cannot be written.
        """
        unavailable = sorted(unavailable)
        told = content.digest(system, arrows, unavailable)
        paths = paths_of(system, arrows, told)
        with claims.alone(self.files, paths[0].rpartition("/")[0], paths) as held:
            self._clear(held.now)
            builds = self._in_folder(system["name"])
            self._check_apart(system["name"], builds)
            date = system["build_date"]
            if any((b.values["build_date"], b.content) == (date, told) for b in builds):
                return False
            taken = {build.file.rpartition("/")[0] for build in builds}
            path = paths[paths[0].rpartition("/")[0] in taken]
            file = path.replace(IDENT, held.claim.ident)
            written = {noun: file_of(noun, rows, system) for noun, rows in arrows.items()}
            written[BUILDS] = build_file(system, arrows, unavailable, file, told)
            parts = {noun: f"{claims.FOLDER}/{held.claim.ident}.{noun}" for noun in written}
            try:
                for noun, part in parts.items():
                    self._write(part, written[noun])
                for noun, part in parts.items():
                    if noun == BUILDS:
                        held.check()
                    self._move(part, f"{noun}/{file}")
            except BaseException:
                self._remove(held.claim.ident, paths)
                raise
        return True

    def builds(self, system: str | None = None) -> list[Build]:
        """The builds, of all systems or of one, by system and date.

        Raises:
            ArchiveError: a file is damaged, or of a newer version of this package.
        """
        found = self._in_folder(system)
        return [build for build in found if system in (None, build.values["system"])]

    def _in_folder(self, system: str | None) -> list[Build]:
        """The builds in the folder of a system; another's too, where its folder is the same."""
        listed = self._list(system)
        new = [path for path in listed if path not in self._known]
        if new:
            self._known.update(zip(new, self._read_builds(new), strict=True))
        found = [self._known[path] for path in listed]
        return sorted(found, key=lambda build: (build.values["system"], *build.order))

    def _check_apart(self, name: str, builds: list[Build]) -> None:
        """See that a system's folder is its own: other engines tell systems by folders.

        Raises:
            ArchiveError: the file system takes it for that of another system.
        """
        others = {build.values["system"] for build in builds} - {name}
        if others:
            raise ArchiveError(
                f"The archive at {self.place} has a system {clipped(min(others))!r}, from which "
                f"its file system does not tell {clipped(name)!r}. Nothing was added. Keep one of "
                "the two in another archive."
            )

    def read(self, build: Build) -> Snapshot:
        """The catalogue of a build; codes and folders are read when they are asked for.

        Raises:
            ArchiveError: a file is damaged.
        """
        values = build.values
        readers = {
            noun: None if values[noun] is None else partial(self._rows, noun, build.file)
            for noun in ("codes", "folders")
        }
        return Snapshot(
            {
                "name": values["system"],
                **{name: values[name] for name in ("description", "build_date", "view_name")},
            },
            self._rows("tables", build.file),
            self._rows("variables", build.file),
            readers["codes"],
            readers["folders"],
            tuple(values["unavailable"]),
        )

    def files_of(self, noun: str, system: str | None = None) -> list[str]:
        """The paths of a noun's files, of all builds that exist or those of one system."""
        return [path for path in self._list(system) if has(path, noun)]

    def fragments(self, noun: str, system: str | None = None) -> Any:
        """A noun's files as a ``pyarrow.dataset.Dataset`` that also has the partitions."""
        from pyarrow import dataset

        form = dataset.ParquetFileFormat(page_checksum_verification=True)
        partitioning = dataset.HivePartitioning(PARTITIONS)
        found = [
            form.make_fragment(f"{noun}/{path}", self.files, partitioning.parse(path))
            for path in self.files_of(noun, system)
        ]
        whole = pa.schema([*file_schema(noun), *PARTITIONS])
        return dataset.FileSystemDataset(found, whole, form, self.files)

    def _list(self, system: str | None) -> list[str]:
        """The paths of the files of all builds that exist, or of those of one system."""
        from pyarrow.fs import FileSelector

        folder = BUILDS if system is None else f"{BUILDS}/{system_folder(system)}"
        found = self.files.get_file_info(FileSelector(folder, allow_not_found=True, recursive=True))
        paths = [info.path.removeprefix(f"{BUILDS}/") for info in found if info.is_file]
        return sorted(path for path in paths if path.endswith(".parquet"))

    def _read_builds(self, paths: list[str]) -> list[Build]:
        with ThreadPoolExecutor(_READERS) as pool:  # which matters where each is a request
            found = list(pool.map(lambda path: self._read(f"{BUILDS}/{path}"), paths))
        rows = [row for arrow in found for row in arrow.to_pylist()]
        newest = max(row.get("version", 0) for row in rows)
        if newest > VERSION:
            raise ArchiveError(
                f"The archive at {self.place} was written by a newer version of apteco_frames "
                f"(layout {newest}, known here: {VERSION}). Install it, "
                f"{how_to_install()}"
            )
        return [build_of(row) for row in rows]

    def _read(self, path: str) -> pa.Table:
        from pyarrow import parquet

        try:
            with self.files.open_input_file(path) as source:
                return parquet.ParquetFile(source, page_checksum_verification=True).read()
        except _FAULTS as error:
            raise self._damaged(path, error) from None

    def _rows(self, noun: str, file: str) -> pa.Table:
        """The rows of a file, in their order in the catalogue."""
        path = f"{noun}/{file}"
        arrow = self._read(path)
        try:
            return known(arrow.take(pc.sort_indices(arrow["row_number"])), noun)
        except _FAULTS as error:
            raise self._damaged(path, error) from None

    def _damaged(self, path: str, error: Exception) -> ArchiveError:
        return ArchiveError(
            f"Of the archive at {self.place}, {path} cannot be read ({type(error).__name__}). If "
            "it is damaged, restore it, or remove all files of its build and add that again."
        )

    def _write(self, path: str, written: pa.Buffer) -> None:
        with self.files.open_output_stream(path) as sink:
            sink.write(written)
        if self.local_root:
            files.sync(self.local_root / path)

    def _move(self, part: str, path: str) -> None:
        # On an object storage a folder would be an object of its own, in the way of engines.
        if self.files.base_fs.type_name not in _KIND_OF_STORAGE:
            self.files.create_dir(path.rpartition("/")[0], recursive=True)
        self.files.move(part, path)

    def _clear(self, now: float) -> None:
        """Remove what programs that were killed have left."""
        for claim, paths in claims.dead(self.files, now):
            self._remove(claim.ident, paths)
            claims.remove(self.files, claim.path)

    def _remove(self, ident: str, paths: Iterable[str]) -> None:
        """Remove what one program has written, unless it has finished."""
        files = [path.replace(IDENT, ident) for path in paths]
        gone = [f"{claims.FOLDER}/{ident}.{noun}" for noun in (*NOUNS, BUILDS)]
        is_there = self.files.get_file_info([f"{BUILDS}/{file}" for file in files])
        if not any(info.is_file for info in is_there):
            gone += [f"{noun}/{file}" for noun in NOUNS for file in files]
        for path in gone:
            claims.remove(self.files, path)
