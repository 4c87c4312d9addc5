"""Programs that are killed while they add to an archive."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.adding import check_kills


@pytest.mark.slow
@pytest.mark.parametrize("writers", [1, 2])
def test_killed_while_adding(tmp_path: Path, writers: int) -> None:
    """20 are killed at random: what was acknowledged is there, whole; the rest is cleaned."""
    check_kills(tmp_path, 20, writers)
