"""A catalogue as JSON values: compressed Arrow IPC streams in Base64."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa

from apteco_frames.errors import DeserializeError, how_to_install
from apteco_frames.storage.label import (
    DAMAGE,
    KINDS,
    VERSION,
    names,
    pack_system,
    unpack_system,
    version_of,
)
from apteco_frames.storage.snapshot import Snapshot


def to_json(
    system: dict[str, Any], arrows: Mapping[str, pa.Table], unavailable: Iterable[str] = ()
) -> dict[str, Any]:
    """A catalogue as JSON values; see ``snapshot.write`` for the arguments."""
    values: dict[str, Any] = {
        "version": VERSION,
        "system_info": pack_system(system),
        **{kind: _pack(arrows[kind]) for kind in KINDS if kind in arrows},
        "unavailable": list(unavailable),
    }
    return {**values, "checksum": _checksum(values)}


def from_json(values: Any) -> Snapshot:
    """The catalogue that :func:`to_json` wrote, of this version or an earlier one.

    Raises:
        DeserializeError: the values are damaged or of a newer version.
    """
    try:
        if version_of(values) > VERSION:
            raise DeserializeError(
                "The catalogue in the string was written by a newer version of apteco_frames. "
                f"Install that version, {how_to_install()}"
            )
        if values["checksum"] != _checksum(values):
            raise ValueError("checksum")
        return Snapshot(
            unpack_system(values["system_info"]),
            _unpack(values["tables"]),
            _unpack(values["variables"]),
            _given(values.get("codes")),
            _given(values.get("folders")),
            names(values.get("unavailable", [])),
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
    parts = [json.dumps(values["system_info"], sort_keys=True)]
    parts += [values[kind] for kind in KINDS if kind in values]
    if version_of(values) > 1:
        parts.append(json.dumps(values["unavailable"]))
    return zlib.crc32("\n".join(parts).encode())


def _given(text: str | None) -> Callable[[], pa.Table] | None:
    if text is None:
        return None
    arrow = _unpack(text)
    return lambda: arrow


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
