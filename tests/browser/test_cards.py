"""Cards and tables of a notebook in a real browser: looked at, judged by axe, and attacked."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pytest
from browser.chromium import open_drawn
from faults.test_contents import odd_catalogue
from playwright.sync_api import Page

from apteco_frames.demo import DemoServer

pytestmark = pytest.mark.slow  # a browser starts

AXE = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
PAGE = """<!doctype html><html lang="en" data-opened="yes"><meta charset="utf-8">
<title>A notebook</title><style>
body {{ margin: 12px; font: 13px/1.5 system-ui, sans-serif; background: #fff; color: #222 }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #e0e0e0 }} }}
table {{ border-collapse: collapse }}
td, th {{ padding: .2em .6em; text-align: right }}
</style><main><h1>A notebook</h1>{}</main></html>
"""


def written(path: Path, things: list[Any]) -> Path:
    """A page that shows things as a notebook does."""
    path.write_text(PAGE.format("".join(t._repr_html_() for t in things)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card of each kind, and the frames."""
    with DemoServer() as server, server.login() as session:
        variables = session.variables
        things = [
            *(session, session.tables["People"], variables["boDest"], variables["boCost"]),
            *(variables["boDate"], session.folders[0], session.codes["boDest"]["Sweden"]),
            *(variables, session.codes["boDest"], session.tables, session.folders),
        ]
        return written(tmp_path_factory.mktemp("page") / "cards.html", things)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_cards_are_for_everybody(
    page: Page, path: Path, pictures: Path, scheme: Literal["light", "dark"], width: int
) -> None:
    """In both themes, wide and narrow: cards fit, and axe finds nothing serious."""
    page.set_viewport_size({"width": width, "height": 2400})
    page.emulate_media(color_scheme=scheme)
    open_drawn(page, path)
    page.screenshot(path=pictures / "cards.png")
    wide = "[...document.querySelectorAll('main > div[style]')].filter((card) =>"
    wide += (
        " card.scrollWidth > card.clientWidth || card.getBoundingClientRect().right > innerWidth)"
    )
    assert page.evaluate(f"{wide}.length") == 0
    page.evaluate(AXE)
    found = page.evaluate(
        "axe.run().then((r) => r.violations.map(({ id, impact }) => ({ id, impact })))"
    )
    assert [rule for rule in found if rule["impact"] in ("serious", "critical")] == []


def test_hostile_texts_do_nothing(page: Page, asked: set[str], tmp_path: Path) -> None:
    """Texts that are markup elsewhere open no dialog, ask for nothing and make no element."""
    catalogue = odd_catalogue()
    things = [catalogue.tables, catalogue.variables, *catalogue.tables, *catalogue.variables]
    there = written(tmp_path / "odd.html", things)
    open_drawn(page, there)
    assert page.locator("script, img, a, iframe").count() == 0
    assert asked == {there.as_uri()}
