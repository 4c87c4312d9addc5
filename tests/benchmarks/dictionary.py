"""The data dictionary in a browser: measured in a process of its own, which prints JSON.

``python dictionary.py VARIABLES CODES``: how long writing it takes, how large it is, how soon
it is open, and how long after a key is pressed the page shows what was found.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from browser.chromium import PROGRAM, Browser
from differences import nouns

from apteco_frames.render import dictionary

SYSTEM = {"name": "benchmark", "description": "", "build_date": None, "view_name": "Benchmark"}
OPENINGS = 5
QUERIES = ("measure 77 customer", "meaning 1234", "date", "va0001", "e")
# From a letter's arrival until the frame that shows all that was found is drawn.
WATCH = """(() => {
  window.took = [];
  let since = 0;
  addEventListener("input", (event) => (since = event.timeStamp), { capture: true });
  const isShown = () => setTimeout(() => took.push(performance.now() - since));
  new MutationObserver(() => requestAnimationFrame(isShown))
    .observe(document.getElementById("status"), { childList: true });
})()"""


def written(path: Path, variables: int, codes: int) -> float:
    """Seconds that writing a dictionary of that size takes."""
    rows = nouns(variables, codes)
    start = time.perf_counter()
    path.write_text(dictionary.page(SYSTEM, rows), encoding="utf-8")
    return time.perf_counter() - start


def keys(page: Browser) -> list[float]:
    """Milliseconds from each key to what it shows."""
    page.run(WATCH)
    pressed = 0
    for query in QUERIES:
        page.run("(query => { query.focus(); query.value = '' })(document.getElementById('query'))")
        for letter in query:
            page.press(letter)
            pressed += 1
            page.wait_for("took.length === $0", pressed)
    took: list[float] = page.run("took")
    return took


def main() -> None:
    """Write it, open it some times, type into it."""
    if PROGRAM is None:
        print(json.dumps({}))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dictionary.html"
        measured: dict[str, Any] = {"write": written(path, *map(int, sys.argv[1:]))}
        measured["bytes"] = path.stat().st_size
        opened = []
        with Browser(Path(folder) / "profile") as page:
            for _ in range(OPENINGS):
                page.open(path)
                opened.append(float(page.run("document.documentElement.dataset.opened")) / 1000)
            time.sleep(2)  # what is searched is made ready
            took = keys(page)
    measured |= {"open": median(opened), "key": median(took) / 1000, "slowest": max(took) / 1000}
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
