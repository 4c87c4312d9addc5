"""Adds to an archive in processes that are killed, and looks at what is there.

Run as a program with a folder, how many programs to kill, how many of them add the same at
the same time, and whether the storage can rename; it prints what it found as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from faults.killing import Killer
from storage.arrows import SYSTEM, codes_of, folder_of
from storage.filesystems import Deleting, lacking
from strategies import catalogue_of, variable_item

from apteco_frames.storage.archive_store import ArchiveStore

VARIABLES = catalogue_of(None, [variable_item(f"v{i}") for i in range(300)])
ROWS = {
    "tables": VARIABLES.tables.arrow,
    "variables": VARIABLES.variables.arrow,
    "codes": codes_of("v0", 3_000),
    "folders": folder_of(["v0"]),
}
SYSTEMS = ("a", "b")


def catalogue(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is added as the one with that number, of two systems in turn."""
    date = SYSTEM["build_date"] + timedelta(minutes=number)
    name = SYSTEMS[number % 2]
    return {**SYSTEM, "name": name, "build_date": date, "description": str(number)}, ROWS


def store_in(folder: Path, can_rename: bool) -> ArchiveStore:
    """The archive, on a disk or a storage that can only list, read, write and remove."""
    if can_rename:
        return ArchiveStore(folder / "archive")
    return ArchiveStore("archive", lacking(Deleting(folder)))


def add_for_ever(store: ArchiveStore, acknowledged: Path, first: int) -> Iterator[None]:
    """Add one after the other, and write down what was acknowledged."""
    with acknowledged.open("ab", buffering=0) as file:
        for number in count(first):
            store.add(*catalogue(number))
            file.write(f"{number}\n".encode())
            yield


def seen(store: ArchiveStore) -> Iterator[int]:
    """The numbers of the builds that are there, each of them whole."""
    for build in store.builds():
        found = store.read(build)
        assert found.codes
        assert found.folders
        system, rows = catalogue(int(found.system["description"]))
        assert found.system == system
        assert found.codes() == rows["codes"]
        assert found.folders() == rows["folders"]
        assert (found.tables, len(found.variables)) == (rows["tables"], 300)
        yield int(found.system["description"])


def files_of(root: Path) -> set[str]:
    """All files of the archive."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def expected(store: ArchiveStore) -> set[str]:
    """The files of the builds."""
    return {f"{noun}/{build.path}" for build in store.builds() for noun in ("builds", *ROWS)}


def main(folder: Path, kills: int, writers: int, can_rename: bool) -> None:
    """Kill, look, count."""
    root, acknowledged = folder / "archive", folder / "acknowledged"
    acknowledged.touch()
    # Here, too: what it imports when first asked is then there.
    ArchiveStore(folder / "first").add(*catalogue(1))
    store = store_in(folder, can_rename)
    found = dict.fromkeys(("acknowledged", "not acknowledged", "lost", "with left over files"), 0)
    killer = Killer()
    told: set[int] = set()
    there: set[int] = set()
    rounds = max(1, kills // writers)
    for kill in range(rounds):
        works = [add_for_ever(store, acknowledged, kill * 1000) for _ in range(writers)]
        killer.kill_all(works)
        told = set(map(int, acknowledged.read_text().split()))
        # Those of earlier kills were looked at then.
        if kill % 10 == 9 or kill == rounds - 1:
            there = set(seen(store))
            found["lost"] += len(told - there)
        found["with left over files"] += files_of(root) != expected(store)
    store.clean(store.leftovers(-1))
    found["acknowledged"], found["not acknowledged"] = len(told), len(there - told)
    found["left over"] = len(files_of(root) - expected(store))
    found["missing"] = len(expected(store) - files_of(root))
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "can rename")
