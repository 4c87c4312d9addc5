"""Adds to an archive in processes that are killed, and looks at what is there.

Run as a program with a folder and a number of kills; it prints what it found as JSON.
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
from strategies import catalogue_of, variable_item

from apteco_frames.storage.hive import Hive

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


def add_for_ever(root: Path, acknowledged: Path, first: int) -> Iterator[None]:
    """Add one after the other, and write down what was acknowledged."""
    with acknowledged.open("ab", buffering=0) as file:
        for number in count(first):
            if Hive(root).add(*catalogue(number)):
                file.write(f"{number}\n".encode())
            yield


def seen(root: Path) -> Iterator[int]:
    """The numbers of the builds that are there, each of them whole."""
    hive = Hive(root)
    for build in hive.builds():
        found = hive.read(build)
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


def main(folder: Path, kills: int) -> None:
    """Kill, look, count."""
    root, acknowledged = folder / "archive", folder / "acknowledged"
    acknowledged.touch()
    # Here, too: what it imports when first asked is then there.
    Hive(folder / "first").add(*catalogue(1))
    found = dict.fromkeys(("acknowledged", "not acknowledged", "lost", "with left over files"), 0)
    killer = Killer()
    told: set[int] = set()
    there: set[int] = set()
    for kill in range(kills):
        killer.kill_one(add_for_ever(root, acknowledged, kill * 1000))
        told = set(map(int, acknowledged.read_text().split()))
        # Those of earlier kills were looked at then.
        if kill % 10 == 9 or kill == kills - 1:
            there = set(seen(root))
            found["lost"] += len(told - there)
        hive = Hive(root)
        whole = {f"{noun}/{path}" for noun in ("builds", *ROWS) for path in hive.files_of("tables")}
        found["with left over files"] += files_of(root) != whole
    assert Hive(root).add(*catalogue(-1))
    paths = Hive(root).files_of("tables")
    whole = {f"{noun}/{path}" for noun in ("builds", *ROWS) for path in paths}
    found["acknowledged"], found["not acknowledged"] = len(told), len(there - told)
    found["left over"] = len(files_of(root) - whole)
    found["missing"] = len(whole - files_of(root))
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
