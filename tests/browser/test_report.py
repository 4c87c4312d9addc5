"""The page of changes to mail, in a browser: narrow and wide, with hostile texts."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Page

from apteco_frames import Catalogue
from apteco_frames.demo import holidays

HOSTILE = "</td></table><script>document.title = 'run'</script><img src=https://x.example/a.png>"


@pytest.mark.parametrize("width", [360, 1_000])
def test_the_page_to_mail(page: Page, asked: set[str], tmp_path: Path, width: int) -> None:
    """It fits the window, and a text of the system is shown, not run or loaded."""
    whole = holidays()
    described = pl.when(pl.col("name") == "boDest").then(pl.lit(f"{HOSTILE}{'W' * 500}"))
    variables = whole.variables.frame.with_columns(description=described.otherwise("description"))
    changes = Catalogue(whole.system_info, whole.tables, variables).diff(whole)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(changes.write_html(tmp_path / "changes.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.title() == "FastStats builds: 1 notable"
    assert HOSTILE[:70] in page.locator("td").last.inner_text()
    assert page.locator("tr").count() == 1
    assert {url for url in asked if not url.startswith("file:")} == set()
