"""What a catalogue holds, as one text that is the same wherever and whenever it is made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.storage.label import pack_system

if TYPE_CHECKING:
    from hashlib import _Hash

# What follows from other columns is left out: later versions may derive more.
_COLUMNS = {
    "tables": [column.name for column in schema.TABLES if column.api_field],
    "variables": [column.name for column in schema.VARIABLES if column.api_field],
    "codes": schema.CODES_SCHEMA.names,
    "folders": schema.FOLDERS_SCHEMA.names,
}


def digest(
    system: dict[str, Any], arrows: Mapping[str, pa.Table], unavailable: Iterable[str] = ()
) -> str:
    """The SHA-256 of what a catalogue holds; see ``snapshot.write`` for the arguments.

    Columns without a value count for nothing, so that a later version, which has more of
    them, finds the same. How Arrow keeps the values (chunks, slices, dictionaries, what lies
    under nulls) counts for nothing either.

    Returns:
        64 hexadecimal digits.
    """
    told = hashlib.sha256(json.dumps([pack_system(system), sorted(unavailable)]).encode())
    for kind, names in _COLUMNS.items():
        if kind in arrows:
            arrow = arrows[kind]
            told.update(f"{kind} {len(arrow)}".encode())
            for name in names:
                if arrow[name].null_count < len(arrow):
                    told.update(f"{name} ".encode())
                    _tell(told, arrow[name].combine_chunks())
    return told.hexdigest()


def _tell(told: _Hash, values: pa.Array) -> None:
    """Add an array, each value with its length, to what is hashed."""
    if values.null_count:
        _tell(told, pc.is_valid(values))
        values = values.drop_null()
    kind = values.type
    if not len(values):
        return
    if pa.types.is_dictionary(kind):
        _tell(told, values.dictionary_decode())
    elif pa.types.is_list(kind):
        _tell(told, pc.list_value_length(values))
        _tell(told, pc.list_flatten(values))
    elif pa.types.is_string(kind):
        _tell(told, pc.binary_length(values))
        _, offsets, texts = values.buffers()
        bounds = memoryview(offsets).cast("i")
        if texts is not None:
            start, stop = bounds[values.offset], bounds[values.offset + len(values)]
            told.update(memoryview(texts)[start:stop])
    elif pa.types.is_boolean(kind):
        _tell(told, values.cast(pa.uint8()))
    else:
        width = kind.bit_width // 8
        start = values.offset * width
        told.update(memoryview(values.buffers()[1])[start : start + len(values) * width])
