"""What is found where programs that add to an archive were killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from lanes import PATIENCE


def check_kills(folder: Path, kills: int) -> None:
    """Kill programs that add, and see that what they acknowledged is there, and nothing else."""
    here = Path(__file__).parent
    command = [sys.executable, "-W", "error", str(here / "killed_adds.py"), str(folder), str(kills)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here.parent), *sys.path])}
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=20 * PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(f"{kills} kills: {found}")
    assert found["acknowledged"] > 0
    assert found["with left over files"] > 0  # most kills do come in the middle of an add
    assert (found["lost"], found["left over"], found["missing"]) == (0, 0, 0)
