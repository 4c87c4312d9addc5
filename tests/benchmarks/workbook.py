"""A catalogue as an Excel workbook: measured in a process of its own, which prints JSON.

``python workbook.py VARIABLES CODES``: how long it takes, and how much memory it needs above
what the catalogue takes.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import differences

from apteco_frames.render import workbook
from apteco_frames.system import FastStatsSystem


def resident_mib(which: str) -> float:
    """The memory of this process: now (``VmRSS``) or at its peak (``VmHWM``)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{which}:")[2].split()[0]) / 1024


def main() -> None:
    """Write a workbook, and print what it took."""
    variables, codes = map(int, sys.argv[1:])
    rows = differences.nouns(variables, codes)
    small = {name: table.slice(0, 1) for name, table in rows.items()} | {"tables": rows["tables"]}
    details = FastStatsSystem("benchmark", "", None, "")._asdict()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workbook.xlsx"
        workbook.write(path, details, small)  # imports XlsxWriter
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is now
        before = resident_mib("VmRSS")
        start = time.perf_counter()
        workbook.write(path, details, rows)
        seconds = time.perf_counter() - start
        size = path.stat().st_size / 2**20
    print(json.dumps({"seconds": seconds, "mib": resident_mib("VmHWM") - before, "file mib": size}))


if __name__ == "__main__":
    main()
