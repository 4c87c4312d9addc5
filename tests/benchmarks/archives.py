"""Archives: measured in a process of its own, which prints JSON.

``python archives.py VARIABLES CODES``: a catalogue of that size is added, and added again;
then one system of 200 small ones is read, by what is asked of a scan and whole.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import differences

from apteco_frames.archive import Archive
from apteco_frames.storage.archive_store import ArchiveStore

REPEATS = 5
SYSTEMS = 200
SMALL = 500, 5_000


def about(name: str) -> dict[str, Any]:
    """The description of a system."""
    date = datetime(2026, 11, 1, 3)
    return {"name": name, "description": "", "build_date": date, "view_name": name}


def seconds(action: Callable[[], Any]) -> float:
    """How long an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> None:
    """Measure."""
    large = differences.nouns(*map(int, sys.argv[1:]))
    small = differences.nouns(*SMALL)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        # The first finds the room, and loads what is needed.
        names = [f"large {n}" for n in range(REPEATS + 1)]
        one = ArchiveStore(root / "one")
        added = [seconds(partial(one.add, about(name), large)) for name in names]
        again = [seconds(partial(one.add, about(name), large)) for name in names]
        for number in range(SYSTEMS):
            assert ArchiveStore(root / "many").add(about(f"small {number}"), small)

        def scan() -> None:
            lazy = Archive(root / "many").scan("codes").filter(system="small 77")
            assert lazy.collect().height == SMALL[1]

        def catalogue() -> None:
            assert len(Archive(root / "many").catalogue("small 77").codes) == SMALL[1]

        scan()
        found = {
            "add": min(added[1:]),
            "again": min(again),
            "scan": min(seconds(scan) for _ in range(REPEATS)),
            "catalogue": min(seconds(catalogue) for _ in range(REPEATS)),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
