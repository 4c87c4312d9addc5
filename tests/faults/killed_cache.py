"""Keeps builds in a cache in processes that are killed, and reads what is there.

Run as a program with a folder and a number of kills; it prints what it found as JSON.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from faults.killed_writes import SAVED
from faults.killing import Killer
from storage.arrows import SYSTEM

from apteco_frames.storage.cache import Cache

DAYS = [datetime(2026, 11, 1) + timedelta(days=day) for day in range(4)]
ROWS = {
    name: {noun: rows[noun] for noun in ("tables", "variables")}
    for name, (_, rows) in SAVED.items()
}
CODES = SAVED["B"][1]["codes"]


def write(cache: Cache, number: int) -> None:
    """Keep one of two catalogues under one of four builds, and codes."""
    system = {**SYSTEM, "build_date": DAYS[number % 4]}
    build = cache.write(system, ROWS["AB"[number % 3 % 2]])
    assert build is not None
    build.write("codes", CODES, [])


def write_for_ever(cache: Cache) -> Iterator[None]:
    """Keep one catalogue after the other, from any of them on."""
    for number in count(random.randrange(60)):
        write(cache, number)
        yield


def found(cache: Cache, day: datetime) -> str:
    """What is kept of a build: nothing, or one of the two catalogues, with codes or without."""
    for name, rows in ROWS.items():
        kept = cache.read({**SYSTEM, "build_date": day}, len(rows["variables"]))
        if kept:
            saved, entry = kept
            codes = entry.read("codes")
            is_same = (saved.tables, saved.variables) == (rows["tables"], rows["variables"])
            whole = is_same and (codes is None or codes[0] == CODES)
            return f"{name} with codes" if whole and codes else name if whole else "damaged"
    return "nothing"


def main(folder: Path, kills: int) -> None:
    """Kill, read, count."""
    cache = Cache(folder, ("a", "b"))
    write(cache, 0)  # here, too: what it imports when first asked is then there
    killer = Killer()
    results: Counter[str] = Counter()
    for _ in range(kills):
        killer.kill_one(write_for_ever(cache))
        results.update(found(cache, day) for day in DAYS)
    results["left over"] = sum(path.suffix == ".part" for path in folder.rglob("*"))
    for path in folder.rglob("*.part"):
        os.utime(path, times=(0, 0))
    for number in range(4):
        write(cache, number)
    results["left over after a day"] = sum(path.suffix == ".part" for path in folder.rglob("*"))
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
