"""Programs that are killed while they add to an archive."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.adding import check_kills


@pytest.mark.slow
def test_killed_while_adding(tmp_path: Path) -> None:
    """Killed 20 times at random: what was acknowledged is there, whole, and no more than that."""
    check_kills(tmp_path, 20)
