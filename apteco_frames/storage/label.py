"""What a saved catalogue says of itself: its layout, its system, what else belongs to it."""

from __future__ import annotations

import json
import uuid
import zlib
from typing import Any, NamedTuple

from apteco_frames.errors import AptecoFramesError
from apteco_frames.support.times import decode_time

VERSION = 2
"""Version of the layout; it rises only when a column or a file goes or changes its type."""

KINDS = ("system", "tables", "variables", "codes", "folders")
"""What a catalogue may consist of, one file each."""

_ALWAYS = ("tables", "variables")  # and all that layout 1 had

# What is raised about values that are not those that were written.
DAMAGE = (AptecoFramesError, LookupError, TypeError, ValueError, OSError, NotImplementedError)


class Label(NamedTuple):
    """What a file of a saved catalogue carries.

    Attributes:
        kind: what the file holds, one of :data:`KINDS`.
        columns: names of the file's columns.
        snapshot: which files belong together: 32 hexadecimal digits.
        kinds: what the whole catalogue consists of.
        system: ``name``, ``description``, ``build_date``, ``view_name`` of the system.
        unavailable: names of the variables whose codes the API refused.
    """

    kind: str
    columns: tuple[str, ...]
    snapshot: str
    kinds: tuple[str, ...]
    system: dict[str, Any]
    unavailable: tuple[str, ...]

    def to_json(self) -> str:
        """The label as a JSON object."""
        return json.dumps({**self._values(), "checksum": self._checksum()})

    def _values(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "kind": self.kind,
            "columns": self.columns,
            "snapshot": self.snapshot,
            "kinds": self.kinds,
            "system_info": pack_system(self.system),
            "unavailable": self.unavailable,
        }

    def _checksum(self) -> int:
        """Parquet keeps checksums of the rows, but none of what is said about them."""
        return zlib.crc32(json.dumps(self._values(), sort_keys=True).encode())

    @classmethod
    def of(cls, values: dict[str, Any]) -> Label:
        """The label that JSON values are, of this layout or an earlier one.

        Raises:
            LookupError, TypeError, ValueError, AttributeError, AptecoFramesError: it is
                none, or it is damaged.
        """
        is_first = version_of(values) == 1
        label = cls(
            values["kind"],
            () if is_first else names(values["columns"]),
            uuid.UUID(hex=values["snapshot"]).hex,  # it is part of a file's name
            _ALWAYS if is_first else names(values["kinds"]),
            unpack_system(values["system_info"]),
            () if is_first else names(values["unavailable"]),
        )
        if not is_first and values["checksum"] != label._checksum():
            raise ValueError("checksum")
        if not set(_ALWAYS) <= set(label.kinds):
            raise ValueError("kinds")
        # A later version may know more kinds.
        return label._replace(kinds=tuple(kind for kind in KINDS if kind in label.kinds))


def version_of(values: dict[str, Any]) -> int:
    """The version of the layout.

    Raises:
        LookupError, TypeError: there is none.
    """
    version = values["version"]
    if type(version) is not int:
        raise TypeError("version")
    return version


def names(values: Any) -> tuple[str, ...]:
    """A list of texts.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("a list of texts")
    return tuple(values)


def pack_system(system: dict[str, Any]) -> dict[str, Any]:
    """The description of a system as JSON values.

    >>> from datetime import datetime
    >>> pack_system({"name": "holidays", "build_date": datetime(2019, 11, 27)})
    {'name': 'holidays', 'build_date': '2019-11-27T00:00:00'}
    """
    date = system["build_date"]
    return {**system, "build_date": date.isoformat() if date else None}


def unpack_system(values: dict[str, Any]) -> dict[str, Any]:
    """The description of a system that JSON values are.

    Raises:
        LookupError, TypeError, AptecoFramesError: they are none.
    """
    date = values["build_date"]
    texts = {name: values[name] for name in ("name", "description", "view_name")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError("system_info")
    return {**texts, "build_date": None if date is None else decode_time(date)}
