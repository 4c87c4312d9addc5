"""Writes catalogues to a folder in processes that are killed, and reads what is there.

Run as a program with a folder and a number of kills; it prints what it found as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from faults.killing import Killer
from storage.arrows import codes_of, folder_of
from strategies import catalogue_of, table_item, tree_items, variable_item

from apteco_frames import Catalogue
from apteco_frames.storage import snapshot

A = catalogue_of([table_item()], [variable_item(f"a{i}") for i in range(300)], description="A")
B = catalogue_of(
    tree_items({"People": "", "Orders": "People"}),
    [variable_item(f"b{i}", "Orders", "Numeric") for i in range(500)],
    description="B",
)

# The one without codes, which must not keep those of the other.
SAVED = {
    "A": (A.system_info._asdict(), {"tables": A.tables.arrow, "variables": A.variables.arrow}),
    "B": (
        B.system_info._asdict(),
        {
            "tables": B.tables.arrow,
            "variables": B.variables.arrow,
            "codes": codes_of("b0", 3_000),
            "folders": folder_of(["b0"]),
        },
    ),
}


def write(folder: Path, name: str) -> None:
    """Write one of the two catalogues."""
    snapshot.write(folder, *SAVED[name])


def is_whole(folder: Path, name: str) -> bool:
    """Whether one of the two catalogues is what the folder holds."""
    found = snapshot.read(folder)
    arrows = {"tables": found.tables, "variables": found.variables}
    arrows |= {"codes": found.codes()} if found.codes else {}
    arrows |= {"folders": found.folders()} if found.folders else {}
    return bool((found.system, arrows) == SAVED[name])


def write_for_ever(folder: Path, first: str) -> Iterator[None]:
    """Write one catalogue after the other."""
    for name in cycle("AB" if first == "A" else "BA"):
        write(folder, name)
        yield


def main(folder: Path, kills: int) -> None:
    """Kill, read, count."""
    write(folder, "A")
    found = {"A": 0, "B": 0, "neither": 0, "half moved": 0, "part files": 0}
    killer = Killer()
    there = "A"
    for _ in range(kills):
        killer.kill_one(write_for_ever(folder, "B" if there == "A" else "A"))
        parts = [path.name for path in folder.iterdir() if path.suffix == ".part"]
        found["part files"] += bool(parts)
        found["half moved"] += len(parts) > 0 and not any(".tables" in part for part in parts)
        for name in SAVED:
            if is_whole(folder, name):
                found[name] += 1
                there = name
                break
        else:
            found["neither"] += 1
    write(folder, "A")
    found["left over"] = len(list(folder.iterdir())) - 3
    assert Catalogue.read_parquet(folder) == A
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
