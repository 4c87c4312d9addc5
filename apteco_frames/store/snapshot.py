"""A catalogue on disk (Parquet files in a folder) and in a string (Arrow IPC).

The files of a folder belong together: each names the snapshot it is part of. A new
snapshot is first written whole beside the old files; moving ``tables.parquet`` into
place makes it the current one. If that is interrupted before ``variables.parquet`` is
moved too, readers take it from where it was written. Readers need not wait for a
writer; but two writers at a time are one too many.
"""

from __future__ import annotations

import base64
import json
import uuid
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from apteco_frames.errors import AptecoFramesError, DeserializeError, SnapshotError
from apteco_frames.orbit.times import decode_time
from apteco_frames.store import files

if TYPE_CHECKING:
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.system import FastStatsSystem

VERSION = 1
"""Version of the layout; it rises only when a column goes or changes its type."""

_KEY = b"apteco_frames"
_FIRST, _SECOND = "tables", "variables"
_READ_ATTEMPTS = 3

# What is raised about values that are not those that were written.
_DAMAGE = (AptecoFramesError, LookupError, TypeError, ValueError, OSError, NotImplementedError)


def write(catalogue: Catalogue, directory: Path) -> list[Path]:
    """Write a catalogue to a folder; see ``Catalogue.write_parquet``."""
    directory.mkdir(parents=True, exist_ok=True)
    current = _current(directory)
    for kind in (_FIRST, _SECOND):
        _check_replaceable(directory / f"{kind}.parquet")
    if current:
        _finish(directory, current)
    snapshot = uuid.uuid4().hex
    parts = {kind: _part(directory, kind, snapshot) for kind in (_FIRST, _SECOND)}
    try:
        for kind, frame in ((_FIRST, catalogue.tables), (_SECOND, catalogue.variables)):
            label = _label(catalogue.system_info, kind, snapshot)
            arrow = frame.arrow.replace_schema_metadata(label)
            pq.write_table(arrow, parts[kind], write_page_checksum=True)
            files.sync(parts[kind])
        paths = [directory / f"{kind}.parquet" for kind in (_FIRST, _SECOND)]
        for path, part in zip(paths, parts.values(), strict=True):
            part.replace(path)
    except BaseException:
        if _current(directory) != snapshot:
            for part in parts.values():
                part.unlink(missing_ok=True)
        raise
    return paths


def read(directory: Path) -> Catalogue:
    """Read a catalogue from a folder; see ``Catalogue.read_parquet``."""
    from apteco_frames.catalogue import Catalogue

    first, second = (directory / f"{kind}.parquet" for kind in (_FIRST, _SECOND))
    for _ in range(_READ_ATTEMPTS):  # again, should a writer have come between
        tables, label = _read_file(first)
        # In this order: the second is where the part is moved to.
        part = _part(directory, _SECOND, label["snapshot"])
        variables, other = _read_file(part, or_else=second)
        if other["snapshot"] == label["snapshot"]:
            break
    else:
        raise SnapshotError(
            f"{first} and {second} are not of one catalogue. Write the catalogue again, and "
            "keep the two files together."
        )
    try:
        info = _system_info(label["system_info"])
        return Catalogue(info, tables, variables, source=str(directory))
    except _DAMAGE as error:
        raise SnapshotError(f"The catalogue of {first} and {second} is damaged: {error}") from None


def to_json(catalogue: Catalogue) -> dict[str, Any]:
    """The catalogue as JSON values: compressed Arrow IPC streams in Base64."""
    values = {
        "version": VERSION,
        "system_info": _info_values(catalogue.system_info),
        _FIRST: _pack(catalogue.tables.arrow),
        _SECOND: _pack(catalogue.variables.arrow),
    }
    return {**values, "checksum": _checksum(values)}


def from_json(values: Any) -> Catalogue:
    """The catalogue that :func:`to_json` wrote.

    Raises:
        DeserializeError: the values are damaged or of a newer version.
    """
    from apteco_frames.catalogue import Catalogue

    try:
        if _version(values) > VERSION:
            raise DeserializeError(
                "The catalogue in the string was written by a newer version of apteco_frames. "
                "Install that version: python -m pip install --upgrade apteco-frames"
            )
        if values["checksum"] != _checksum(values):
            raise ValueError("checksum")
        info = _system_info(values["system_info"])
        return Catalogue(info, _unpack(values[_FIRST]), _unpack(values[_SECOND]))
    except DeserializeError:
        raise
    except _DAMAGE as error:
        raise DeserializeError(
            f"The catalogue in the string is damaged ({type(error).__name__}). Deserialise a "
            "string without a catalogue, or log in again."
        ) from None


def _part(directory: Path, kind: str, snapshot: str) -> Path:
    return directory / f".{kind}.parquet.{snapshot}.part"


def _current(directory: Path) -> str | None:
    """The snapshot that the folder holds; None if it holds none that can be read."""
    path = directory / f"{_FIRST}.parquet"
    try:
        with path.open("rb") as file:
            snapshot: str = _read_label(path, file)["snapshot"]
    except (SnapshotError, OSError):
        return None
    return snapshot


def _finish(directory: Path, snapshot: str) -> None:
    """Complete an interrupted move, and clear what interrupted writes left behind."""
    part = _part(directory, _SECOND, snapshot)
    if part.exists():
        part.replace(directory / f"{_SECOND}.parquet")
    for kind in (_FIRST, _SECOND):
        for path in directory.glob(_part(Path(), kind, "*").name):
            path.unlink(missing_ok=True)


def _check_replaceable(path: Path) -> None:
    if path.exists() and not _is_ours(path):
        raise SnapshotError(
            f"{path} is there already and is no catalogue file of apteco_frames; it was left as "
            "it is. Choose another folder, or move the file away."
        )


def _is_ours(path: Path) -> bool:
    try:
        return _KEY in (pq.read_schema(path).metadata or {})
    except (pa.ArrowInvalid, OSError):
        return False


def _label(info: FastStatsSystem, kind: str, snapshot: str) -> dict[bytes, bytes]:
    values = {
        "version": VERSION,
        "kind": kind,
        "snapshot": snapshot,
        "system_info": _info_values(info),
    }
    return {_KEY: json.dumps(values).encode()}


def _read_file(path: Path, or_else: Path | None = None) -> tuple[pa.Table, dict[str, Any]]:
    """The rows and the label of a file, both from the same one; or of another file."""
    try:
        with path.open("rb") as file:
            label = _read_label(path, file)
            try:
                return pq.ParquetFile(file, page_checksum_verification=True).read(), label
            except (pa.ArrowException, OSError, ValueError) as error:
                raise _damaged(path, error) from None
    except OSError as error:
        if or_else:
            return _read_file(or_else)
        raise _unreadable(path, error) from None


def _read_label(path: Path, source: Any) -> dict[str, Any]:
    try:
        metadata = pq.read_schema(source).metadata or {}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from None
    try:
        label: dict[str, Any] = json.loads(metadata[_KEY])
        version = _version(label)
        _ = label["system_info"], uuid.UUID(hex=label["snapshot"])  # it is part of a file's name
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError):
        raise SnapshotError(
            f"{path} is a Parquet file, but no catalogue of apteco_frames. "
            "Name the folder that Catalogue.write_parquet() wrote."
        ) from None
    if version > VERSION:
        raise SnapshotError(
            f"{path} was written by a newer version of apteco_frames (layout {version}, known "
            f"here: {VERSION}). Install it: python -m pip install --upgrade apteco-frames"
        )
    return label


def _version(values: dict[str, Any]) -> int:
    version = values["version"]
    if type(version) is not int:
        raise TypeError("version")
    return version


def _unreadable(path: Path, error: OSError) -> SnapshotError:
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return SnapshotError(
            f"There is no {path}. Name the folder that Catalogue.write_parquet() wrote."
        )
    return SnapshotError(f"{path} cannot be read: {error.strerror}.")


def _damaged(path: Path, error: Exception) -> SnapshotError:
    return SnapshotError(
        f"{path} is damaged, cut off, or no Parquet file ({type(error).__name__}). "
        "Write the catalogue again."
    )


def _info_values(info: FastStatsSystem) -> dict[str, Any]:
    date = info.build_date
    return {**info._asdict(), "build_date": date.isoformat() if date else None}


def _system_info(values: dict[str, Any]) -> FastStatsSystem:
    from apteco_frames.system import FastStatsSystem

    date = values["build_date"]
    texts = {name: values[name] for name in ("name", "description", "view_name")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError("system_info")
    return FastStatsSystem(**texts, build_date=None if date is None else decode_time(date))


def _checksum(values: dict[str, Any]) -> int:
    """A number that changes with the contents; a guard against damage, not against intent."""
    info = json.dumps(values["system_info"], sort_keys=True)
    return zlib.crc32("\n".join([info, values[_FIRST], values[_SECOND]]).encode())


def _pack(arrow: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, arrow.schema, options=options) as writer:
        writer.write_table(arrow)
    return base64.b64encode(sink.getvalue()).decode()


def _unpack(text: str) -> pa.Table:
    with pa.ipc.open_stream(base64.b64decode(text, validate=True)) as reader:
        arrow = reader.read_all()
    arrow.validate(full=True)
    return arrow
