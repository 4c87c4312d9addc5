"""Programs that are killed while they add to an archive, many of them.

Not part of plain ``tox``, which kills fewer.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.adding import check_kills


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["disk", "no renaming"])
@pytest.mark.parametrize("writers", [1, 2, 8])
def test_killed_while_adding(tmp_path: Path, writers: int, storage: str) -> None:
    """200 are killed at random: what was acknowledged is there, whole; the rest is cleaned."""
    check_kills(tmp_path, 200, writers, storage)
