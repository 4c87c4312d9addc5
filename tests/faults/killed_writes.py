"""Writes catalogues to a folder in processes that are killed, and reads what is there.

Run as a program with a folder and a number of kills; it prints what it found as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from itertools import cycle
from pathlib import Path

from strategies import catalogue_of, table_item, tree_items, variable_item

from apteco_frames import Catalogue

A = catalogue_of([table_item()], [variable_item(f"a{i}") for i in range(300)], description="A")
B = catalogue_of(
    tree_items({"People": "", "Orders": "People"}),
    [variable_item(f"b{i}", "Orders", "Numeric") for i in range(500)],
    description="B",
)


def write_for_ever(folder: Path) -> None:
    """Write one catalogue after the other, until killed."""
    for catalogue in cycle([B, A]):
        catalogue.write_parquet(folder)


def kill_one(folder: Path, seconds: float) -> None:
    """Kill a process that writes, after so many seconds."""
    child = os.fork()
    if not child:
        try:
            write_for_ever(folder)
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the process ended by itself"


def main(folder: Path, kills: int) -> None:
    """Kill, read, count."""
    A.write_parquet(folder)
    started = time.perf_counter()
    for _ in range(5):
        A.write_parquet(folder)
    # Some processes are to be killed in their first write, and some in one that follows.
    longest = 4 * (time.perf_counter() - started) / 5
    found = {"A": 0, "B": 0, "neither": 0, "half moved": 0, "part files": 0}
    draw = random.Random(20191127)
    for _ in range(kills):
        kill_one(folder, draw.uniform(0, longest))
        parts = [path.name for path in folder.iterdir() if path.suffix == ".part"]
        found["part files"] += bool(parts)
        found["half moved"] += len(parts) == 1 and parts[0].startswith(".variables")
        read = Catalogue.read_parquet(folder)
        for name, catalogue in (("A", A), ("B", B)):
            if read == catalogue and read.system_info == catalogue.system_info:
                found[name] += 1
                break
        else:
            found["neither"] += 1
    A.write_parquet(folder)
    found["left over"] = len(list(folder.iterdir())) - 2
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
