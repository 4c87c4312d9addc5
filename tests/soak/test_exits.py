"""Processes that do one thing last end cleanly, every time.

Not part of plain ``tox``, which tries each less often.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.exits import CLEAN, LAST_THINGS, endings

TIMES = 150


@pytest.mark.parametrize("thing", LAST_THINGS)
def test_processes_end(tmp_path: Path, thing: str) -> None:
    """150 processes that do a thing last end with status 0 and without a word."""
    found = endings(tmp_path, thing, TIMES)
    print(f"{thing}: {found[CLEAN]} of {TIMES} clean")
    assert found == {CLEAN: TIMES}
