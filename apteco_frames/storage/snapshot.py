"""A saved catalogue: Parquet files that belong together, in a folder or packed as bytes.

The metadata of each file names its snapshot and the other files of that. A new snapshot is
first written whole beside the old files; moving ``tables.parquet`` into place makes it the
current one. If the process ends before it has moved the other files, readers take them from
where they were written. Readers never wait for a writer; two writers at a time are not
supported.

Layout 1 had only ``tables.parquet`` and ``variables.parquet``; it can still be read.

Arrow opens files itself, not through Python's file objects: its threads may outlive the
interpreter, and freeing such an object then ends the process (apache/arrow issue 50482).
"""

from __future__ import annotations

import errno
import json
import os
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from apteco_frames.errors import AptecoFramesError, Hint, SnapshotError, how_to_install
from apteco_frames.schema import CODES_SCHEMA, FOLDERS_SCHEMA, SYSTEMS_SCHEMA, USES_SCHEMA
from apteco_frames.support import files
from apteco_frames.support.arrays import table_of
from apteco_frames.support.times import decode_time

SNAPSHOT_VERSION = 2
"""Version of the layout; it rises only if a column or a file is removed or changes type."""

KINDS = ("system", "tables", "variables", "codes", "folders", "uses")
"""The possible files of a catalogue."""

DAMAGE = (AptecoFramesError, LookupError, TypeError, ValueError, OSError, NotImplementedError)
"""What reading may raise if the values are not those that were written."""

_FIRST = "tables"
_ALWAYS = (_FIRST, "variables")  # and all that layout 1 had
_ADDED = {"codes": CODES_SCHEMA, "folders": FOLDERS_SCHEMA, "uses": USES_SCHEMA}
# It holds personal data: whoever passes a catalogue on may delete it.
_REMOVABLE = "uses"
_READ_ATTEMPTS = 3
_KEY = b"apteco_frames"
_FAULTS = (pa.ArrowException, OSError, ValueError)

# Who looks for the codes of one variable among half a million reads a part of the file.
_ROWS_PER_GROUP = 20_000


class Snapshot(NamedTuple):
    """A saved catalogue.

    Attributes:
        system: ``name``, ``description``, ``build_date``, ``view_name`` of the system.
        tables: the tables, with at least the columns that the API has.
        variables: the variables, likewise.
        codes: reads the codes, under ``CODES_SCHEMA``; None if they were not saved. It has the
            bytes of the file, so they are of the same build whatever was written to the folder
            since. Raises ``SnapshotError`` if the file is damaged.
        folders: reads the folders, under ``FOLDERS_SCHEMA``; likewise.
        unavailable: names of the variables whose codes the API refused.
        notes: other JSON values saved with it.
        uses: reads the uses, under ``USES_SCHEMA``, like ``codes``; it may return None.
    """

    system: dict[str, Any]
    tables: pa.Table
    variables: pa.Table
    codes: Callable[[], pa.Table] | None
    folders: Callable[[], pa.Table] | None
    unavailable: tuple[str, ...]
    notes: Mapping[str, Any] = {}
    uses: Callable[[], pa.Table | None] | None = None


def write(
    directory: Path,
    system: dict[str, Any],
    arrows: Mapping[str, pa.Table],
    unavailable: Iterable[str] = (),
    notes: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write a catalogue to a folder, in place of an older one.

    Args:
        directory: the folder; created if necessary.
        system: ``name``, ``description``, ``build_date``, ``view_name`` of the system.
        arrows: the rows of ``tables`` and ``variables``, and of ``codes``, ``folders`` and
            ``uses`` if they are loaded. Other files of an older catalogue are removed.
        unavailable: names of the variables whose codes the API refused.
        notes: JSON values to read back with it.

    Returns:
        the paths written.

    Raises:
        SnapshotError: one of the files exists and is not part of a catalogue.
        OSError: the folder cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        reason = "It is no folder: name a folder for the files"
        raise NotADirectoryError(errno.ENOTDIR, reason, os.fspath(directory)) from None
    rows = {"system": table_of([system], SYSTEMS_SCHEMA), **arrows}
    metadata = _metadata_of(rows, system, unavailable, notes)
    snapshot, kinds = metadata.snapshot, metadata.kinds
    current = _current(directory)
    unfinished = _unfinished(directory, current)
    for kind in KINDS:
        if kind in kinds or kind in unfinished:
            _check_replaceable(_path(directory, kind))
    for kind, part in unfinished.items():
        files.move(part, _path(directory, kind))
    if current:
        _clear(directory)
    parts = {kind: _part(directory, kind, snapshot) for kind in kinds}
    try:
        for kind, part in parts.items():
            with files.told_of(_path(directory, kind)):
                _write(rows[kind], metadata._replace(kind=kind), part)
        _move(directory, parts)
    except BaseException:
        # It is the current one as soon as its first file is in place: the others follow.
        if _current(directory) == snapshot:
            with suppress(OSError):
                _move(directory, parts)
        else:
            for part in parts.values():
                with suppress(OSError):
                    files.remove(part)
        raise
    return [_path(directory, kind) for kind in kinds]


def add(
    directory: Path, kind: str, arrow: pa.Table, unavailable: Iterable[str] | None = None
) -> None:
    """Add codes, folders or uses to a saved catalogue; only its owner may read the files.

    Args:
        directory: the folder.
        kind: ``codes``, ``folders`` or ``uses``.
        arrow: the rows, under the declared schema.
        unavailable: names of the variables whose codes the API refused; unchanged if not given.

    Raises:
        SnapshotError: the folder contains no catalogue.
        OSError: the folder cannot be written.
    """
    first = _open_file(_path(directory, _FIRST))
    kinds = {*first.metadata.kinds, kind}
    metadata = first.metadata._replace(kinds=tuple(each for each in KINDS if each in kinds))
    if unavailable is not None:
        metadata = metadata._replace(unavailable=tuple(unavailable))
    for each, rows in ((kind, arrow), (_FIRST, first.rows())):  # the first says what is there
        write_rows = partial(_write, rows, metadata._replace(kind=each))
        files.replace(_path(directory, each), write_rows, mode=0o600)


def read(directory: Path) -> Snapshot:
    """Open the catalogue of a folder; codes and folders are not read yet.

    Raises:
        SnapshotError: a file is missing, damaged, not part of a catalogue, or written by a
            newer version of this package.
    """
    for attempts_left in reversed(range(_READ_ATTEMPTS)):
        try:
            opened = _open(directory)
            break
        except SnapshotError:
            if not attempts_left:
                raise
            # Again, since a writer may have come between.
    return _snapshot_of(opened)


def pack(
    system: dict[str, Any], arrows: Mapping[str, pa.Table], unavailable: Iterable[str] = ()
) -> dict[str, pa.Buffer]:
    """A catalogue as the bytes of its files; see :func:`write` for the arguments."""
    metadata = _metadata_of(arrows, system, unavailable)
    packed = {}
    for kind in metadata.kinds:
        sink = pa.BufferOutputStream()
        _encode(arrows[kind], metadata._replace(kind=kind), sink)
        packed[kind] = sink.getvalue()
    return packed


def unpack(packed: Mapping[str, pa.Buffer]) -> Snapshot:
    """The catalogue in bytes from :func:`pack`.

    Raises:
        SnapshotError: they are damaged, or incomplete.
    """
    files = {kind: _file_of(Path(kind), source) for kind, source in packed.items()}
    if {*_ALWAYS, *files} != {*files[_FIRST].metadata.kinds}:
        raise _damaged(Path(_FIRST), "a file is missing")
    return _snapshot_of(_checked(files))


def _metadata_of(
    rows: Iterable[str],
    system: dict[str, Any],
    unavailable: Iterable[str],
    notes: Mapping[str, Any] | None = None,
) -> _Metadata:
    """The metadata of a new snapshot."""
    kinds = tuple(kind for kind in KINDS if kind in rows)
    snapshot = uuid.uuid4().hex
    return _Metadata(_FIRST, (), snapshot, kinds, system, tuple(unavailable), notes or {})


def _snapshot_of(files: Mapping[str, _File]) -> Snapshot:
    metadata = files[_FIRST].metadata
    codes, folders, uses = (
        partial(files[kind].declared, rows_schema) if kind in files else None
        for kind, rows_schema in _ADDED.items()
    )
    tables, variables = (files[kind].rows() for kind in _ALWAYS)
    unavailable, notes = metadata.unavailable, metadata.notes
    return Snapshot(metadata.system, tables, variables, codes, folders, unavailable, notes, uses)


def pack_system(system: dict[str, Any]) -> dict[str, Any]:
    """The description of a system as JSON values.

    >>> from datetime import datetime
    >>> pack_system({"name": "holidays", "build_date": datetime(2019, 11, 27)})
    {'name': 'holidays', 'build_date': '2019-11-27T00:00:00'}
    """
    date = system["build_date"]
    return {**system, "build_date": date.isoformat() if date else None}


# The folder


def _open(directory: Path) -> dict[str, _File]:
    """The files of the current snapshot."""
    first = _open_file(_path(directory, _FIRST))
    snapshot = first.metadata.snapshot
    found = {_FIRST: first}
    for kind in first.metadata.kinds:
        if kind != _FIRST:
            # In this order: the second is where the first is moved to.
            part, path = _part(directory, kind, snapshot), _path(directory, kind)
            if kind == _REMOVABLE and not part.exists() and not path.exists():
                continue
            found[kind] = _open_file(part, or_else=path)
    return _checked(found)


def _checked(files: dict[str, _File]) -> dict[str, _File]:
    """The files, if they are of one snapshot."""
    first = files[_FIRST]
    for kind, file in files.items():
        if (file.metadata.kind, file.metadata.snapshot) != (kind, first.metadata.snapshot):
            raise SnapshotError(
                f"{first.path} and {file.path} do not belong to the same catalogue. Write the "
                "catalogue again, and keep its files together."
            )
    return files


def _path(directory: Path, kind: str) -> Path:
    return directory / f"{kind}.parquet"


def _part(directory: Path, kind: str, snapshot: str) -> Path:
    return directory / f".{kind}.parquet.{snapshot}.part"


def _current(directory: Path) -> str | None:
    """The snapshot in the folder; None if none can be read."""
    try:
        return _open_file(_path(directory, _FIRST)).metadata.snapshot
    except SnapshotError:
        return None


def _unfinished(directory: Path, current: str | None) -> dict[str, Path]:
    """The files of the current snapshot that an interrupted write did not move yet."""
    parts = {kind: _part(directory, kind, current) for kind in KINDS if current}
    return {kind: part for kind, part in parts.items() if part.exists()}


def _move(directory: Path, parts: Mapping[str, Path]) -> None:
    """Move the remaining files of a snapshot into place; remove those of other kinds."""
    for kind in sorted(parts, key=lambda kind: kind != _FIRST):
        if parts[kind].exists():
            files.move(parts[kind], _path(directory, kind))
    for kind in set(KINDS) - set(parts):
        if _is_ours(_path(directory, kind)):
            files.remove(_path(directory, kind))


def _clear(directory: Path) -> None:
    """Remove the remains of interrupted writes."""
    for kind in KINDS:
        for path in directory.glob(_part(Path(), kind, "*").name):
            files.remove(path)


def _check_replaceable(path: Path) -> None:
    if path.exists() and not _is_ours(path):
        raise SnapshotError(
            f"{path} exists and is not a catalogue file of apteco_frames; it was not changed. "
            "Choose another folder, or move the file."
        )


# A file


class _Metadata(NamedTuple):
    """The metadata of a file of a saved catalogue.

    Attributes:
        kind: one of :data:`KINDS`.
        columns: names of the file's columns.
        snapshot: 32 hexadecimal digits that the files of a catalogue share.
        kinds: the files of the catalogue.
        system: ``name``, ``description``, ``build_date``, ``view_name`` of the system.
        unavailable: names of the variables whose codes the API refused.
        notes: other JSON values.
    """

    kind: str
    columns: tuple[str, ...]
    snapshot: str
    kinds: tuple[str, ...]
    system: dict[str, Any]
    unavailable: tuple[str, ...]
    notes: Mapping[str, Any]

    def to_json(self) -> str:
        """The metadata as a JSON object."""
        values = {**self._asdict(), "version": SNAPSHOT_VERSION}
        values["system_info"] = pack_system(values.pop("system"))
        return json.dumps({**values, "checksum": _checksum(values)})

    @classmethod
    def of(cls, values: dict[str, Any]) -> _Metadata:
        """The metadata in JSON values, of this layout or an earlier one.

        Raises:
            LookupError, TypeError, ValueError, AttributeError, AptecoFramesError: they are
                something else, or damaged.
        """
        if values["version"] == 1:
            values = {"columns": (), "kinds": _ALWAYS, "unavailable": (), **values}
        elif _checksum(values) != values["checksum"]:
            raise ValueError("checksum")
        if not {*_ALWAYS} <= {*values["kinds"]}:
            raise ValueError("kinds")
        told = values["system_info"]
        system = {name: told[name] for name in SYSTEMS_SCHEMA.names}
        date = system["build_date"]
        return cls(
            values["kind"],
            tuple(values["columns"]),
            uuid.UUID(hex=values["snapshot"]).hex,  # it is part of a file's name
            # A later version may know more kinds.
            tuple(kind for kind in KINDS if kind in values["kinds"]),
            {**system, "build_date": date and decode_time(date)},
            tuple(values["unavailable"]),
            dict(values.get("notes", {})),
        )


def _checksum(values: Mapping[str, Any]) -> int:
    """Parquet has checksums of the rows, but none of the metadata."""
    told = {name: value for name, value in values.items() if name != "checksum"}
    return zlib.crc32(json.dumps(told, sort_keys=True).encode())


class _File(NamedTuple):
    """A file in memory, unchanged whatever takes its place.

    Attributes:
        path: its path, for errors.
        metadata: its metadata.
        source: its bytes.
    """

    path: Path
    metadata: _Metadata
    source: pa.Buffer

    def rows(self) -> pa.Table:
        """All rows.

        Raises:
            SnapshotError: the file is damaged.
        """
        import pyarrow.parquet as pq

        try:
            source = pa.BufferReader(self.source)
            arrow = pq.ParquetFile(source, page_checksum_verification=True).read()
        except _FAULTS as error:
            raise _damaged(self.path, type(error).__name__) from None
        if not set(self.metadata.columns) <= set(arrow.column_names):
            raise _damaged(self.path, "a column is missing")
        return arrow

    def declared(self, schema: pa.Schema) -> pa.Table:
        """The rows under the declared schema, since later versions may have more columns.

        Raises:
            SnapshotError: the file is damaged.
        """
        arrow = self.rows()
        try:
            return arrow.select(schema.names).cast(schema)
        except DAMAGE as error:
            raise _damaged(self.path, type(error).__name__) from None


def _write(arrow: pa.Table, metadata: _Metadata, path: Path) -> None:
    """Write rows with their metadata; return when they are on the disk.

    Raises:
        OSError: the file cannot be written.
    """
    with pa.OSFile(os.fsencode(path), "wb") as sink:
        _encode(arrow, metadata, sink)
    files.sync(path)


def _encode(arrow: pa.Table, metadata: _Metadata, sink: pa.NativeFile) -> None:
    import pyarrow.parquet as pq

    told = metadata._replace(columns=tuple(arrow.column_names)).to_json()
    whole = arrow.replace_schema_metadata({_KEY: told.encode()})
    pq.write_table(whole, sink, row_group_size=_ROWS_PER_GROUP, write_page_checksum=True)


def _open_file(path: Path, or_else: Path | None = None) -> _File:
    """Read the bytes of a file and its metadata, but no rows; or of another if it is missing.

    Raises:
        SnapshotError: there is no such file, or it is damaged, not part of a catalogue, or
            written by a newer version of this package.
    """
    try:
        return _file_of(path, _bytes(path))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        if or_else:
            return _open_file(or_else)
        raise SnapshotError(
            f"There is no {path if path.parent.is_dir() else f'folder {path.parent}'}.",
            hint=Hint.NAME_CATALOGUE,
        ) from None
    except _FAULTS as error:
        if isinstance(error, OSError) and error.errno:
            raise SnapshotError(f"{path} cannot be read: {os.strerror(error.errno)}.") from None
        raise _damaged(path, type(error).__name__) from None


def _file_of(path: Path, source: pa.Buffer) -> _File:
    import pyarrow.parquet as pq

    found = pq.read_schema(pa.BufferReader(source)).metadata or {}
    try:
        values = json.loads(found[_KEY])
        version = values["version"]
        if version <= SNAPSHOT_VERSION:
            return _File(path, _Metadata.of(values), source)
    except (*DAMAGE, AttributeError, RecursionError):
        raise SnapshotError(
            f"{path} is a Parquet file, but not one of a catalogue of apteco_frames.",
            hint=Hint.NAME_CATALOGUE,
        ) from None
    raise SnapshotError(
        f"{path} was written by a newer version of apteco_frames (layout {version}, known "
        f"here: {SNAPSHOT_VERSION}). Install it, {how_to_install()}"
    )


def _is_ours(path: Path) -> bool:
    """Whether a file is part of a catalogue, of any version."""
    import pyarrow.parquet as pq

    try:
        return _KEY in (pq.read_schema(pa.BufferReader(_bytes(path))).metadata or {})
    except (*_FAULTS, SnapshotError):
        return False


def _damaged(path: Path, reason: str) -> SnapshotError:
    """The error for a file whose contents are not what was written."""
    return SnapshotError(
        f"{path} is damaged, incomplete, or not a Parquet file ({reason}). Write the catalogue "
        "again."
    )


def _bytes(path: Path) -> pa.Buffer:
    """The bytes of a file, closed at once, since Windows cannot replace an open file."""
    if path.is_dir():  # of which Arrow's error says nothing that a program can see
        raise IsADirectoryError
    if path.exists() and not path.is_file():  # for a pipe Arrow would wait without an end
        raise _damaged(path, "it is not a regular file")
    with pa.OSFile(os.fsencode(path)) as file:
        return file.read_buffer()
