"""The pictures of README and site: ``python docs/pictures.py``, with the group ``docs`` installed.

They are taken by the Chromium of the tests: the data dictionary of Holidays at one variable, and
the notebook ``quickstart.ipynb`` with the outputs that it is committed with.
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from markdown_it import MarkdownIt
from playwright.sync_api import Browser
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from apteco_frames.demo import holidays

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
WIDTH = 1000
sys.path.insert(0, str(ROOT / "tests"))

from browser.chromium import launched, open_drawn  # noqa: E402 - a folder of the tests

FORMAT = HtmlFormatter(nowrap=True, noclasses=True)
PAGE = """<!doctype html><html lang="en" data-opened="yes"><meta charset="utf-8"><style>
body { margin: 20px 24px; font: 14px/1.5 system-ui, sans-serif; color: #222; background: #fff }
.cell { display: grid; grid-template-columns: 4em minmax(0, 1fr); margin: 6px 0 }
.cell > :first-child { color: #307fc1; font: 12px/1.7 monospace; text-align: right }
.cell > :first-child { padding: 4px 8px }
.in { background: #f5f5f5; border: 1px solid #e0e0e0; padding: 4px 8px; margin: 0 }
.out { padding: 2px 8px; margin: 0; overflow: hidden }
h1 { font-size: 24px; margin: 0 } h2 { font-size: 19px; margin: 8px 0 0 } p { margin: 4px 0 }
pre { font: 13px/1.4 monospace; margin: 2px 0 }
table { border-collapse: collapse; font-size: 12px }
td, th { padding: .2em .6em; text-align: right }
</style>%s</html>"""


def cell(label: str, kind: str, content: str) -> str:
    """A row of the notebook: what stands at its left, and its content."""
    return f'<div class="cell"><div>{label}</div><div class="{kind}">{content}</div></div>'


def notebook(cells: list[dict[str, Any]]) -> str:
    """A page that shows cells as a notebook does."""
    shown = []
    for one in cells:
        source = "".join(one["source"])
        if one["cell_type"] == "markdown":
            shown.append(cell("", "text", MarkdownIt().render(source)))
            continue
        number = one["execution_count"]
        code = highlight(source, PythonLexer(), FORMAT)
        shown.append(cell(f"[{number}]:", "in", f"<pre>{code}</pre>"))
        for output in one["outputs"]:
            data = output.get("data", {"text/plain": output.get("text", "")})
            html = "".join(data.get("text/html", ""))
            text = f"<pre>{escape(''.join(data.get('text/plain', '')))}</pre>"
            shown.append(cell(f"[{number}]:", "out", html or text))
    return PAGE % "".join(shown)


def take(browser: Browser, file: Path, height: int, picture: Path, fragment: str = "") -> None:
    """Write a picture of the upper part of a page."""
    page = browser.new_page(viewport={"width": WIDTH, "height": height})
    open_drawn(page, file, fragment)
    page.screenshot(path=picture)


def take_all(pictures: Path) -> None:
    """Take the pictures anew, into a folder."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        quickstart = json.loads(ROOT.joinpath("notebooks", "quickstart.ipynb").read_text("utf-8"))
        page = place / "notebook.html"
        page.write_text(notebook(quickstart["cells"][2:9]), encoding="utf-8")
        dictionary = holidays().write_html(place / "holidays.html")
        with launched() as browser:
            take(browser, page, 720, pictures / "notebook.png")
            take(browser, dictionary, 1080, pictures / "dictionary.png", "#boDest")


if __name__ == "__main__":
    take_all(PICTURES)
