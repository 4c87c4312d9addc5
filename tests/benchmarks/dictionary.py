"""The data dictionary in a browser: measured in a process of its own, which prints JSON.

``python dictionary.py VARIABLES CODES``: how long writing it takes, how large it is, how soon
it is open, and how long after a key is pressed the page shows what was found: of everything, and
of the 200,000 codes of one variable.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from browser.chromium import PROGRAM, launched, open_drawn
from differences import nouns
from playwright.sync_api import Page

from apteco_frames.render import dictionary

SYSTEM = {"name": "benchmark", "description": "", "build_date": None, "view_name": "Benchmark"}
OPENINGS = 5
QUERIES = ("measure 77 customer", "meaning 1234", "date", "va0001", "e")
CODES_OF_ONE = 200_000
WITHIN = ("meaning 1234", "199", "mea 77", "e")
# From a letter's arrival until the frame that shows all that was found is drawn.
WATCH = """(() => {
  window.took = [];
  let since = 0;
  addEventListener("input", (event) => (since = event.timeStamp), { capture: true });
  const isShown = () => setTimeout(() => took.push(performance.now() - since));
  new MutationObserver(() => requestAnimationFrame(isShown))
    .observe(document.querySelector("STATUS"), { childList: true });
})()"""


def written(path: Path, variables: int, codes: int) -> float:
    """Seconds that writing a dictionary of that size takes."""
    rows = nouns(variables, codes)
    start = time.perf_counter()
    path.write_text(dictionary.page(SYSTEM, rows), encoding="utf-8")
    return time.perf_counter() - start


def keys(page: Page, box: str, status: str, queries: tuple[str, ...]) -> list[float]:
    """Seconds from each key to what it shows: typed into a box, told by a status."""
    page.evaluate(WATCH.replace("STATUS", status))
    pressed = 0
    for query in queries:
        page.locator(box).evaluate("(box) => { box.focus(); box.value = ''; }")
        for letter in query:
            page.keyboard.type(letter)
            pressed += 1
            while page.evaluate("took.length") < pressed:
                pass
    took: list[float] = page.evaluate("took")
    return [milliseconds / 1000 for milliseconds in took]


def main() -> None:
    """Write it, open it some times, type into it."""
    if PROGRAM is None:
        print(json.dumps({}))
        return
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        path = Path(folder) / "dictionary.html"
        measured: dict[str, Any] = {"write": written(path, *map(int, sys.argv[1:]))}
        measured["bytes"] = path.stat().st_size
        opened = []
        page = browser.new_page()
        for _ in range(OPENINGS):
            open_drawn(page, path)
            opened.append(float(page.evaluate("document.documentElement.dataset.opened")) / 1000)
        time.sleep(2)  # what is searched is made ready
        took = keys(page, "#query", "#status", QUERIES)
        written(path, 1, CODES_OF_ONE)
        open_drawn(page, path)
        page.locator("#variables a").click()
        time.sleep(1)
        within = keys(page, "#page input", "#its-codes .unseen", WITHIN)
    measured |= {"open": median(opened), "key": median(took), "slowest": max(took)}
    measured |= {"within": median(within), "slowest within": max(within)}
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
