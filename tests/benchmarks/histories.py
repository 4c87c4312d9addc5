"""The history of a large variable: measured in a process of its own, which prints JSON.

``python histories.py CODES BUILDS``: so many builds of a variable with so many codes are
added; then its history is asked for, in another process that does nothing else.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from storage.arrows import SYSTEM, codes_of
from strategies import catalogue_of, variable_item

from apteco_frames.archive import Archive
from apteco_frames.storage.archive_store import ArchiveStore


def measure(root: Path) -> dict[str, float]:
    """The time and the memory that a history takes."""
    start, cpu = time.perf_counter(), time.process_time()
    found = Archive(root).history("large")
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert found["is_changed"].sum() == 0
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "cpu": cpu, "mebibytes": memory, "builds": found.height}


def main(codes: int, builds: int) -> None:
    """Add, and measure."""
    bare = catalogue_of(None, [variable_item("large")])
    rows = {
        "tables": bare.tables.arrow,
        "variables": bare.variables.arrow,
        "codes": codes_of("large", codes),
    }
    with TemporaryDirectory() as folder:
        store = ArchiveStore(Path(folder))
        for day in range(builds):
            date = datetime(2026, 1, 1) + timedelta(days=day)
            assert store.add({**SYSTEM, "build_date": date}, rows)
        command = [sys.executable, __file__, folder]
        print(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(measure(Path(sys.argv[1]))))
    else:
        main(*map(int, sys.argv[1:]))
