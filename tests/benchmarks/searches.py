"""Searches of a catalogue: measured in a process of its own, which prints JSON.

``python searches.py VARIABLES CODES``.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median

from differences import nouns

from apteco_frames.catalogue import Catalogue
from apteco_frames.system import FastStatsSystem

REPEATS = 5
# Of one word to four, with and without typing errors, found in a few rows and in many.
QUERIES = (
    *("measure", "va0012345", "customer 4711", "measuer customer", "date of the customer"),
    *("meaning 123456", "measure 77 table17 customer", "folder 12 date", "mesurment"),
)


def seconds(catalogue: Catalogue, query: str) -> float:
    """How long a search takes."""
    start = time.perf_counter()
    catalogue.search(query)
    return time.perf_counter() - start


def main() -> None:
    """Measure the first search, and the others."""
    arrows = nouns(*map(int, sys.argv[1:]))
    info = FastStatsSystem("benchmark", "", None, "")
    catalogue = Catalogue(info, arrows["tables"], arrows["variables"], arrows["codes"])
    assert len(catalogue.codes) == len(arrows["codes"])
    first = seconds(catalogue, QUERIES[0])
    others = [seconds(catalogue, query) for _ in range(REPEATS) for query in QUERIES]
    print(json.dumps({"first": first, "seconds": median(others), "slowest": max(others)}))


if __name__ == "__main__":
    main()
