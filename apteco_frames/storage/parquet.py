"""One Parquet file of a catalogue: its label and its rows, both from the same bytes.

Arrow opens its files by itself. Its threads may outlive the interpreter, and one that
then lets go of a file object of Python's ends the process (apache/arrow issue 50482).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from apteco_frames.errors import SnapshotError, how_to_install
from apteco_frames.storage.label import DAMAGE, VERSION, Label, version_of
from apteco_frames.support import files

_KEY = b"apteco_frames"
_FAULTS = (pa.ArrowException, OSError, ValueError)

# Who looks for the codes of one variable among half a million reads a part of the file.
_ROWS_PER_GROUP = 20_000


class LabelledFile(NamedTuple):
    """A file whose bytes were read: it stays what it is, whatever comes in its place.

    Attributes:
        path: where it was.
        label: what it says of itself.
        source: its bytes.
    """

    path: Path
    label: Label
    source: pa.Buffer

    def rows(self) -> pa.Table:
        """All rows.

        Raises:
            SnapshotError: the file is damaged.
        """
        try:
            arrow = pq.ParquetFile(
                pa.BufferReader(self.source), page_checksum_verification=True
            ).read()
        except _FAULTS as error:
            raise damaged(self.path, type(error).__name__) from None
        if not set(self.label.columns) <= set(arrow.column_names):
            raise damaged(self.path, "a column is missing")
        return arrow


def write(arrow: pa.Table, path: Path, label: Label) -> None:
    """Write rows with a label; return when they are on the disk.

    Raises:
        OSError: the file cannot be written.
    """
    labelled = arrow.replace_schema_metadata({_KEY: label.to_json().encode()})
    with pa.OSFile(os.fsencode(path), "wb") as sink:
        pq.write_table(labelled, sink, row_group_size=_ROWS_PER_GROUP, write_page_checksum=True)
    files.sync(path)


def read(path: Path, or_else: Path | None = None) -> LabelledFile:
    """Read the bytes of a file and its label, but no rows; or another, where there is none.

    Raises:
        SnapshotError: there is no such file, it is damaged, of another origin, or
            written by a newer version of this package.
    """
    try:
        source = _bytes(path)
        metadata = pq.read_schema(pa.BufferReader(source)).metadata or {}
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        if or_else:
            return read(or_else)
        raise SnapshotError(
            f"There is no {path}. Name the folder that Catalogue.write_parquet() wrote."
        ) from None
    except _FAULTS as error:
        if isinstance(error, OSError) and error.errno:
            raise SnapshotError(f"{path} cannot be read: {os.strerror(error.errno)}.") from None
        raise damaged(path, type(error).__name__) from None
    return LabelledFile(path, _label(path, metadata), source)


def is_ours(path: Path) -> bool:
    """Whether a file there is one of a catalogue, of any version."""
    try:
        return _KEY in (pq.read_schema(pa.BufferReader(_bytes(path))).metadata or {})
    except (*_FAULTS, SnapshotError):
        return False


def damaged(path: Path, reason: str) -> SnapshotError:
    """The error of a file that holds something else than was written."""
    return SnapshotError(
        f"{path} is damaged, cut off, or no Parquet file ({reason}). Write the catalogue again."
    )


def _bytes(path: Path) -> pa.Buffer:
    """The bytes of a file; it is closed at once, since Windows replaces none that is open."""
    if path.is_dir():  # of which Arrow's error says nothing that a program can see
        raise IsADirectoryError
    if path.exists() and not path.is_file():  # for a pipe Arrow would wait without an end
        raise damaged(path, "it is not a regular file")
    with pa.OSFile(os.fsencode(path)) as file:
        return file.read_buffer()


def _label(path: Path, metadata: dict[bytes, bytes]) -> Label:
    try:
        values = json.loads(metadata[_KEY])
        version = version_of(values)
        if version <= VERSION:
            return Label.of(values)
    except (*DAMAGE, AttributeError, RecursionError):
        raise SnapshotError(
            f"{path} is a Parquet file, but no catalogue of apteco_frames. "
            "Name the folder that Catalogue.write_parquet() wrote."
        ) from None
    raise SnapshotError(
        f"{path} was written by a newer version of apteco_frames (layout {version}, known "
        f"here: {VERSION}). Install it, {how_to_install()}"
    )
