"""Files are put in place whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any


def replace(target: Path, write: Callable[[Path], Any]) -> None:
    """Write a file beside its place, then move it there in one step.

    Args:
        target: the file to make or replace.
        write: called with the path of the part file to fill.

    Raises:
        OSError: the file cannot be written; an older one is still as it was.
    """
    # Without the name, which may be as long as the file system allows.
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        write(part)
        sync(part)
        part.replace(target)
    except OSError as error:
        if error.errno is None:
            raise
        # Of the part file nobody has heard.
        raise OSError(error.errno, os.strerror(error.errno), os.fspath(target)) from None
    finally:
        if part.exists():
            part.unlink()


def sync(path: Path) -> None:
    """Wait until the contents of a file are on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
