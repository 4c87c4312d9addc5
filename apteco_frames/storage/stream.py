"""A saved catalogue as JSON values: the bytes of its Parquet files, in Base64."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from apteco_frames.errors import DeserializeError, how_to_install
from apteco_frames.storage import snapshot

_VERSION = 4
_OR_ELSE = "Deserialise a string without a catalogue, or log in again."


def to_json(
    system: dict[str, Any], arrows: Mapping[str, pa.Table], unavailable: Iterable[str] = ()
) -> dict[str, Any]:
    """A catalogue as JSON values; see ``snapshot.write`` for the arguments."""
    packed = snapshot.pack(system, arrows, unavailable)
    files = {kind: base64.b64encode(source).decode() for kind, source in packed.items()}
    return {"version": _VERSION, "files": files, "checksum": _checksum(files)}


def from_json(values: Any) -> snapshot.Snapshot:
    """The catalogue that :func:`to_json` wrote.

    Raises:
        DeserializeError: the values are damaged, or of another version of this package.
    """
    try:
        version = values["version"]
        if version == _VERSION:
            files = values["files"]
            if values["checksum"] != _checksum(files):
                raise ValueError("checksum")
            decoded = {kind: base64.b64decode(text) for kind, text in files.items()}
            return snapshot.unpack({kind: pa.py_buffer(each) for kind, each in decoded.items()})
        is_newer = version > _VERSION
    except (*snapshot.DAMAGE, AttributeError) as error:
        raise damaged(error) from None
    written = "The catalogue in the string was written by"
    if is_newer:
        how = f"Install that version, {how_to_install()}"
        raise DeserializeError(f"{written} a newer version of apteco_frames. {how}")
    raise DeserializeError(f"{written} an earlier version of apteco_frames. {_OR_ELSE}")


def damaged(error: Exception) -> DeserializeError:
    """The error for a string whose contents are not what was written."""
    return DeserializeError(
        f"The catalogue in the string is damaged ({type(error).__name__}). {_OR_ELSE}"
    )


def _checksum(files: dict[str, str]) -> int:
    """A number that changes with the contents; it guards against damage, not intent."""
    return zlib.crc32(json.dumps(files, sort_keys=True).encode())
