"""A catalogue in a folder: Parquet files that belong together.

Each file names the snapshot it is part of and what else belongs to it. A new snapshot
is first written whole beside the old files; moving ``tables.parquet`` into place makes
it the current one. If the process ends before the other files are moved too, readers take
them from where they were written. Readers need not wait for a writer; but two
writers at a time are one too many.

Layout 1 had ``tables.parquet`` and ``variables.parquet`` alone; it is still read.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from apteco_frames.errors import SnapshotError
from apteco_frames.schema import CODES_SCHEMA, FOLDERS_SCHEMA
from apteco_frames.schema.column import STRING, TIMESTAMP
from apteco_frames.storage.label import DAMAGE, KINDS, Label
from apteco_frames.support import files

if TYPE_CHECKING:
    from apteco_frames.storage.parquet import LabelledFile

SYSTEM_SCHEMA = pa.schema(
    [
        pa.field("name", STRING, False),
        pa.field("description", STRING, False),
        pa.field("build_date", TIMESTAMP),
        pa.field("view_name", STRING, False),
    ]
)
"""The columns of the one row of ``system.parquet``."""

_FIRST = "tables"
_READ_ATTEMPTS = 3


class Snapshot(NamedTuple):
    """A saved catalogue, as far as it is read.

    Attributes:
        system: ``name``, ``description``, ``build_date``, ``view_name`` of the system.
        tables: the tables, with at least the columns that the API has.
        variables: the variables, likewise.
        codes: reads the codes, under ``CODES_SCHEMA``; None if they were not saved.
            What it reads belongs to the same build, whatever was written to the folder
            since: it holds the bytes of the file. Raises ``SnapshotError`` if the file is
            damaged.
        folders: reads the folders, under ``FOLDERS_SCHEMA``; likewise.
        unavailable: names of the variables whose codes the API refused.
    """

    system: dict[str, Any]
    tables: pa.Table
    variables: pa.Table
    codes: Callable[[], pa.Table] | None
    folders: Callable[[], pa.Table] | None
    unavailable: tuple[str, ...]


def write(
    directory: Path,
    system: dict[str, Any],
    arrows: Mapping[str, pa.Table],
    unavailable: Iterable[str] = (),
) -> list[Path]:
    """Write a catalogue to a folder, in place of one that is there.

    Args:
        directory: the folder; made if it is not there.
        system: ``name``, ``description``, ``build_date``, ``view_name`` of the system.
        arrows: the rows of ``tables`` and ``variables``, and where they are known of
            ``codes`` and ``folders``. Files that an older catalogue has of what is not
            given are removed.
        unavailable: names of the variables whose codes the API refused.

    Returns:
        the paths written.

    Raises:
        SnapshotError: a file there is no catalogue file.
        OSError: the folder cannot be written.
    """
    from apteco_frames.storage import parquet

    try:
        directory.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        reason = "It is no folder: name a folder for the files"
        raise NotADirectoryError(errno.ENOTDIR, reason, os.fspath(directory)) from None
    rows = {"system": pa.Table.from_pylist([system], SYSTEM_SCHEMA), **arrows}
    kinds = tuple(kind for kind in KINDS if kind in rows)
    current = _current(directory)
    unfinished = _unfinished(directory, current)
    for kind in KINDS:
        if kind in kinds or kind in unfinished:
            _check_replaceable(_place(directory, kind))
    for kind, part in unfinished.items():
        files.move(part, _place(directory, kind))
    if current:
        _clear(directory)
    snapshot = uuid.uuid4().hex
    parts = {kind: _part(directory, kind, snapshot) for kind in kinds}
    try:
        for kind, part in parts.items():
            columns = tuple(rows[kind].column_names)
            label = Label(kind, columns, snapshot, kinds, system, tuple(unavailable))
            with files.told_of(_place(directory, kind)):
                parquet.write(rows[kind], part, label)
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
    return [_place(directory, kind) for kind in kinds]


def read(directory: Path) -> Snapshot:
    """Open the catalogue of a folder; codes and folders are not read yet.

    Raises:
        SnapshotError: a file is missing, damaged, of another origin, or written by
            a newer version of this package.
    """
    for attempts_left in reversed(range(_READ_ATTEMPTS)):
        try:
            opened = _open(directory)
            break
        except SnapshotError:
            if not attempts_left:
                raise
            # Again, since a writer may have come between.
    label = opened[_FIRST].label
    return Snapshot(
        label.system,
        opened["tables"].rows(),
        opened["variables"].rows(),
        _reader(opened.get("codes"), CODES_SCHEMA),
        _reader(opened.get("folders"), FOLDERS_SCHEMA),
        label.unavailable,
    )


def _open(directory: Path) -> dict[str, LabelledFile]:
    """The files of the current snapshot."""
    from apteco_frames.storage import parquet

    first = parquet.read(_place(directory, _FIRST))
    snapshot = first.label.snapshot
    found = {_FIRST: first}
    for kind in first.label.kinds:
        if kind != _FIRST:
            # In this order: the second is where the first is moved to.
            part, place = _part(directory, kind, snapshot), _place(directory, kind)
            found[kind] = parquet.read(part, or_else=place)
    for kind, file in found.items():
        if (file.label.kind, file.label.snapshot) != (kind, snapshot):
            raise SnapshotError(
                f"{first.path} and {file.path} are not of one catalogue. Write the catalogue "
                "again, and keep its files together."
            )
    return found


def _reader(file: LabelledFile | None, schema: pa.Schema) -> Callable[[], pa.Table] | None:
    """Reads the rows of a file when it is called."""
    if file is None:
        return None
    return partial(_declared, file, schema)


def _declared(file: LabelledFile, schema: pa.Schema) -> pa.Table:
    """The rows under the declared schema: later versions may have more columns."""
    from apteco_frames.storage import parquet

    arrow = file.rows()
    try:
        return arrow.select(schema.names).cast(schema)
    except DAMAGE as error:
        raise parquet.damaged(file.path, type(error).__name__) from None


def _place(directory: Path, kind: str) -> Path:
    return directory / f"{kind}.parquet"


def _part(directory: Path, kind: str, snapshot: str) -> Path:
    return directory / f".{kind}.parquet.{snapshot}.part"


def _current(directory: Path) -> str | None:
    """The snapshot that the folder holds; None if it holds none that can be read."""
    from apteco_frames.storage import parquet

    try:
        return parquet.read(_place(directory, _FIRST)).label.snapshot
    except SnapshotError:
        return None


def _unfinished(directory: Path, current: str | None) -> dict[str, Path]:
    """The files of the current snapshot that an interrupted write did not move yet."""
    parts = {kind: _part(directory, kind, current) for kind in KINDS if current}
    return {kind: part for kind, part in parts.items() if part.exists()}


def _move(directory: Path, parts: Mapping[str, Path]) -> None:
    """Put the files of a snapshot in place, as far as they are not; remove those of other kinds."""
    from apteco_frames.storage import parquet

    for kind in sorted(parts, key=lambda kind: kind != _FIRST):
        if parts[kind].exists():
            files.move(parts[kind], _place(directory, kind))
    for kind in set(KINDS) - set(parts):
        if parquet.is_ours(_place(directory, kind)):
            files.remove(_place(directory, kind))


def _clear(directory: Path) -> None:
    """Remove what interrupted writes left behind."""
    for kind in KINDS:
        for path in directory.glob(_part(Path(), kind, "*").name):
            files.remove(path)


def _check_replaceable(path: Path) -> None:
    from apteco_frames.storage import parquet

    if path.exists() and not parquet.is_ours(path):
        raise SnapshotError(
            f"{path} is there already and is no catalogue file of apteco_frames; it was left as "
            "it is. Choose another folder, or move the file away."
        )
