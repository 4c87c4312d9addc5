"""What is found where programs that add to an archive were killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from lanes import PATIENCE


def check_kills(folder: Path, kills: int, writers: int, storage: str = "disk") -> None:
    """Kill programs that add, and see that what they acknowledged is there, and nothing else.

    Args:
        folder: an empty one.
        kills: how many are killed.
        writers: how many of them add the same at the same time.
        storage: as ``killed_adds.py`` takes it.
    """
    here = Path(__file__).parent
    told = [str(folder), str(kills), str(writers), storage]
    command = [sys.executable, "-W", "error", str(here / "killed_adds.py"), *told]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here.parent), *sys.path])}
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=60 * PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(f"{kills} kills, {writers} at a time: {found}")
    assert found["acknowledged"] > 0
    assert found["left before cleaning"] > 0  # some kills do come in the middle of an add
    assert (found["lost"], found["left over"], found["missing"]) == (0, 0, 0)
