"""Where a platform has the files that programs keep for a user."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def user_folder(
    told: str, *, windows: tuple[str, str], macos: str, others: tuple[str, str]
) -> Path:
    """Our folder in the platform's place for such.

    Args:
        told: the environment variable that names the folder itself.
        windows: the environment variable that names the place on Windows, and what is
            taken below the user's home without it.
        macos: the place on macOS, below the user's home.
        others: as for Windows, elsewhere (XDG Base Directory Specification).

    Raises:
        RuntimeError: the user has no home.
    """
    folder = os.environ.get(told)
    if folder:
        return Path(folder).expanduser()
    if sys.platform == "darwin":
        return Path.home() / macos / "apteco-frames"
    variable, below_home = windows if sys.platform == "win32" else others
    # Paths that are not absolute are to be ignored.
    place = Path(os.environ.get(variable) or ".")
    return (place if place.is_absolute() else Path.home() / below_home) / "apteco-frames"
