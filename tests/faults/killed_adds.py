"""Adds to an archive in processes that are killed, and looks at what is there.

Run as a program with a folder, how many programs to kill, how many of them add the same at
the same time, and the storage: ``disk``, ``no renaming``, or the URL of an object storage with
a bucket ``archives``. It prints what it found as JSON.

The processes are forked from this one, which has imported all that they need. It reaches the
object storage only once they are dead: threads of its client do not outlive a fork.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from faults.killing import Killer
from pyarrow import fs
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


def store_in(folder: Path, storage: str) -> ArchiveStore:
    """The archive, as a process of its own reaches it."""
    if storage == "disk":
        return ArchiveStore(folder / "archive")
    if storage == "no renaming":
        return ArchiveStore("archive", lacking(Deleting(folder)))
    options = {"region": "eu-west-1", "endpoint_override": storage}
    files = fs.S3FileSystem(access_key="KEY", secret_key="SECRET", **options)
    return ArchiveStore("archives/killed", files)


def add_for_ever(folder: Path, storage: str, first: int) -> Iterator[None]:
    """Add one after the other, and write down what was acknowledged."""
    store = store_in(folder, storage)
    with (folder / "acknowledged").open("ab", buffering=0) as file:
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


def files_of(store: ArchiveStore) -> set[str]:
    """All files of the archive."""
    found = store.files.get_file_info(fs.FileSelector("", recursive=True))
    return {info.path for info in found if info.is_file}


def expected(store: ArchiveStore) -> set[str]:
    """The files of the builds."""
    return {f"{noun}/{build.path}" for build in store.builds() for noun in ("builds", *ROWS)}


def main(folder: Path, kills: int, writers: int, storage: str) -> None:
    """Kill, look, count."""
    # Here, too: what it imports when first asked is then there.
    ArchiveStore(folder / "first").add(*catalogue(1))
    killer = Killer(0.5)
    for kill in range(0, kills, writers):
        now = min(writers, kills - kill)
        killer.kill_all([add_for_ever(folder, storage, kill * 1000) for _ in range(now)])
    store = store_in(folder, storage)
    told = set(map(int, (folder / "acknowledged").read_text().split()))
    there = set(seen(store))
    before = files_of(store) - expected(store)
    while store.clean(0):
        pass  # again: a server may still be at what a killed program had sent
    found = {
        "acknowledged": len(told),
        "not acknowledged": len(there - told),
        "lost": len(told - there),
        "left before cleaning": len(before),
        "left over": len(files_of(store) - expected(store)),
        "missing": len(expected(store) - files_of(store)),
    }
    print(json.dumps(found), flush=True)
    os._exit(0)  # not by way of the client of an object storage, which may wait


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
