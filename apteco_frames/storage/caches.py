"""What the caches of all systems and users hold, and how they are emptied.

Of a folder of caches only what :mod:`apteco_frames.storage.cache` made is looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from apteco_frames.storage import packed
from apteco_frames.storage.cache import CATALOGUE, SCHEMAS
from apteco_frames.storage.label import unpack_system

KEPT_SCHEMA = pa.schema(
    [
        pa.field("system", pa.string(), False),
        pa.field("description", pa.string(), False),
        pa.field("build_date", pa.timestamp("us"), False),
        pa.field("has_codes", pa.bool_(), False),
        pa.field("has_folders", pa.bool_(), False),
        pa.field("bytes", pa.int64(), False),
        pa.field("folder", pa.string(), False),
    ]
)
"""The columns of :func:`kept`; ``folder`` is that of one system and user."""


def kept(folder: Path) -> pa.Table:
    """The builds that are kept, for each user, by system and date.

    Args:
        folder: where all caches are; it need not be there.

    Returns:
        a table under :data:`KEPT_SCHEMA`. What is damaged is left out, as a login does.

    Raises:
        OSError: the folder cannot be read.
    """
    rows = [
        row
        for cache in _caches(folder)
        for path in cache.glob(f"*.{CATALOGUE}")
        if (row := _row(path))
    ]
    rows.sort(key=lambda row: (row["system"], row["build_date"], row["folder"]))
    return pa.Table.from_pylist(rows, KEPT_SCHEMA)


def clean(folder: Path) -> tuple[int, int]:
    """Remove all that is kept.

    Args:
        folder: where all caches are; it need not be there.

    Returns:
        how many files were removed, and how many bytes they took.

    Raises:
        OSError: the folder cannot be read, or a file not be removed.
    """
    sizes = []
    for cache in _caches(folder):
        for path in cache.iterdir():
            if path.suffix[1:] in (*SCHEMAS, "part"):
                with suppress(FileNotFoundError):  # somebody was faster
                    size = path.stat().st_size
                    path.unlink()
                    sizes.append(size)
        with suppress(OSError):  # a file of another origin, or of a login just now
            cache.rmdir()
    return len(sizes), sum(sizes)


def _caches(folder: Path) -> Iterator[Path]:
    """The folders of each system and user, which are named by a hash."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if re.fullmatch("[0-9a-f]{32}", path.name) and path.is_dir() and not path.is_symlink():
                yield path


def _row(path: Path) -> dict[str, Any] | None:
    """What is kept of a build, as told by the file with its tables and variables."""
    try:
        with pa.OSFile(os.fsencode(path)) as file:
            about = packed.unpack(file.read_buffer(), SCHEMAS[CATALOGUE]).about
        system = unpack_system(about["system"])
        sizes = {kind: _size(path.with_suffix(f".{kind}")) for kind in SCHEMAS}
    except packed.FAULTS:
        return None
    return {
        "system": system["name"],
        "description": system["description"],
        "build_date": system["build_date"],
        "has_codes": sizes["codes"] > 0,
        "has_folders": sizes["folders"] > 0,
        "bytes": sum(sizes.values()),
        "folder": str(path.parent),
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
