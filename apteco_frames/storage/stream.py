"""A catalogue as JSON values: its rows in one stream of Arrow's IPC, compressed, in Base64."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from apteco_frames.errors import DeserializeError, how_to_install
from apteco_frames.storage.snapshot import (
    DAMAGE,
    KINDS,
    Snapshot,
    names_of,
    pack_system,
    unpack_system,
    version_of,
)
from apteco_frames.support.arrays import integers

_STREAM_VERSION = 3


def to_json(
    system: dict[str, Any], arrows: Mapping[str, pa.Table], unavailable: Iterable[str] = ()
) -> dict[str, Any]:
    """A catalogue as JSON values; see ``snapshot.write`` for the arguments."""
    values = {
        "version": _STREAM_VERSION,
        "system_info": pack_system(system),
        "rows": _pack(arrows),
        "unavailable": list(unavailable),
    }
    return {**values, "checksum": _checksum(values)}


def from_json(values: Any) -> Snapshot:
    """The catalogue that :func:`to_json` wrote, of this version or an earlier one.

    Raises:
        DeserializeError: the values are damaged or of a newer version.
    """
    try:
        version = version_of(values)
        if version > _STREAM_VERSION:
            raise DeserializeError(
                "The catalogue in the string was written by a newer version of apteco_frames. "
                f"Install that version, {how_to_install()}"
            )
        if version < _STREAM_VERSION:  # a stream for each noun
            rows = {kind: _read(values[kind]) for kind in KINDS if kind in values}
        elif values["checksum"] != _checksum(values):
            raise ValueError("checksum")
        else:
            rows = _unpack(values["rows"])
        codes, folders = rows.get("codes"), rows.get("folders")
        return Snapshot(
            unpack_system(values["system_info"]),
            rows["tables"],
            rows["variables"],
            None if codes is None else lambda: codes,
            None if folders is None else lambda: folders,
            names_of(values.get("unavailable", [])),
        )
    except DeserializeError:
        raise
    except DAMAGE as error:
        raise damaged(error) from None


def damaged(error: Exception) -> DeserializeError:
    """The error of a string that holds something else than was written."""
    return DeserializeError(
        f"The catalogue in the string is damaged ({type(error).__name__}). Deserialise a "
        "string without a catalogue, or log in again."
    )


def _checksum(values: dict[str, Any]) -> int:
    """A number that changes with the contents; a guard against damage, not against intent."""
    told = {name: value for name, value in values.items() if name != "checksum"}
    return zlib.crc32(json.dumps(told, sort_keys=True).encode())


def _pack(arrows: Mapping[str, pa.Table]) -> str:
    """Tables as a stream of one row, in which each is a list of its rows."""
    lists = {}
    for kind, arrow in arrows.items():
        batches = arrow.combine_chunks().to_batches()
        (batch,) = batches or [_empty(arrow.schema)]
        rows = batch.to_struct_array()
        lists[kind] = pa.ListArray.from_arrays(integers([0, len(rows)], pa.int32()), rows)
    whole = pa.table(lists)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, whole.schema, options=options) as writer:
        writer.write_table(whole)
    return base64.b64encode(sink.getvalue()).decode()


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    """No rows."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, each.type) for each in schema], schema=schema)


def _unpack(text: str) -> dict[str, pa.Table]:
    (row,) = _read(text).to_batches()
    batches = {
        kind: pa.RecordBatch.from_struct_array(row[kind].flatten()) for kind in row.schema.names
    }
    return {kind: pa.Table.from_batches([batch]) for kind, batch in batches.items()}


def _read(text: str) -> pa.Table:
    with pa.ipc.open_stream(base64.b64decode(text, validate=True)) as reader:
        arrow = reader.read_all()
    arrow.validate(full=True)
    return arrow
