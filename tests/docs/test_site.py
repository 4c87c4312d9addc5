"""The built site in a real browser: links, scripts and axe, on every page.

``sphinx-build`` makes it first, as ``tox -e docs`` does.
"""

from __future__ import annotations

from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import pytest
from examples import PAGES, ROOT
from playwright.sync_api import Page

SITE = ROOT / "docs" / "_build" / "html"
# What the page is found to lack, with the elements that lack it.
SERIOUS = """axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact))
  .map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 200))]))"""
AXE = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
# Made by Sphinx, beside those that are written.
MADE = {"genindex", "search"}
WRITTEN = {str(page.relative_to(ROOT / "docs").with_suffix("")) for page in PAGES}
BUILT = sorted(str(page.relative_to(SITE).with_suffix("")) for page in SITE.rglob("*.html"))

pytestmark = pytest.mark.skipif(
    not BUILT, reason="the site is not built; tox -e docs builds it, or sphinx-build"
)


class Document(HTMLParser):
    """What a page links to, what it loads, and what can be linked to on it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses and names of an element."""
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.add(values["href"])
        elif tag == "link" and values.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.add(values["href"])
        elif "src" in values:
            self.loaded.add(values["src"])


@pytest.fixture(scope="module")
def documents() -> dict[Path, Document]:
    """All pages, by their files."""
    return {path: Document(path) for path in SITE.rglob("*.html")}


def is_elsewhere(address: str) -> bool:
    """Whether an address is of another site."""
    return bool(urlsplit(address).scheme or urlsplit(address).netloc)


def test_every_page_is_built() -> None:
    """A page of the site for each that is written, and none that is left from before."""
    assert set(BUILT) == WRITTEN | MADE


def test_links_lead_somewhere(documents: dict[Path, Document]) -> None:
    """Each link within the site leads to a file that is there, and to an anchor in it."""
    broken = []
    for path, document in documents.items():
        for link in document.links | document.loaded:
            target, _, fragment = link.partition("#")
            file = (path.parent / unquote(urlsplit(target).path)).resolve() if target else path
            if is_elsewhere(link):
                continue
            there = file.is_file() and (
                not fragment
                or file.suffix != ".html"
                or unquote(fragment) in documents[file].anchors
            )
            if not there:
                broken.append(f"{path.relative_to(SITE)}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(documents: dict[Path, Document]) -> None:
    """Scripts, styles, fonts and pictures are the site's own."""
    loaded = {address for document in documents.values() for address in document.loaded}
    assert loaded
    assert {address for address in loaded if is_elsewhere(address)} == set()


def test_the_search_finds(page: Page) -> None:
    """The search works on pages that are opened from disk."""
    page.goto(f"{SITE.joinpath('search.html').as_uri()}?q=dictionary")
    page.locator("#search-results li a").nth(2).wait_for()


@pytest.mark.parametrize("name", BUILT)
def test_a_page_opens_for_everybody(page: Page, asked: set[str], name: str) -> None:
    """Nothing else is asked for, and axe finds nothing serious; light and dark."""
    found = {}
    schemes: list[tuple[Literal["light", "dark"], int]] = [("light", 1400), ("dark", 360)]
    for scheme, width in schemes:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto(SITE.joinpath(f"{name}.html").as_uri())
        page.evaluate(AXE)
        found[scheme] = page.evaluate(SERIOUS)
        if width == 360:
            # What is wide scrolls by itself; the page does not.
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert found == {"light": [], "dark": []}
    assert {url for url in asked if not url.startswith(("file:", "data:"))} == set()
