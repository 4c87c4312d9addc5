"""Changes as a page to mail."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from strategies import ODD_TEXTS, catalogue_of, variable_item

from apteco_frames import Catalogue
from apteco_frames.changes import html_page
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.render import report

MOST = 300_000


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)
        self.text = " ".join(self.text.split())  # as it is shown

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def grown() -> Catalogue:
    """Holidays in which all counts changed, and all destinations were lost."""
    whole = holidays()
    count = pl.when(pl.col("position") == 0).then(2_130_081).otherwise(0)
    codes = whole.codes.frame.with_columns(
        count=pl.when(pl.col("variable_name") == "boDest")
        .then(count)
        .otherwise(pl.col("count") + 1)
        .alias("count")
    )
    return Catalogue(whole.system_info, whole.tables, whole.variables, codes, whole.folders)


def test_the_most_severe_come_first_and_the_rest_is_counted(tmp_path: Path) -> None:
    """A page has the most severe changes, and says how many it leaves out."""
    changes = grown().diff(holidays())
    path = changes.write_html(tmp_path / "changes.html")
    page = Elements(path.read_text(encoding="utf-8"))
    assert path.stat().st_size < MOST
    levels = re.findall(r">(\w+)</span></td>", path.read_text(encoding="utf-8"))
    assert len(levels) == report.MOST_ROWS
    assert levels[:2] == ["breaking", "breaking"]
    assert set(levels[2:]) == {"routine"}
    assert "variable boDest, moved 97 %" in page.text
    assert "3.1 % → 100 %" in page.text
    hidden = len(changes) - report.MOST_ROWS
    assert f"… and {hidden:,} more: {hidden:,} routine." in page.text
    assert page.tags <= {
        *("html", "head", "meta", "title", "body", "h1", "h2", "p"),
        *("table", "tr", "td", "span", "br"),
    }
    assert not {name for name in page.attributes if name.startswith("on")}


@pytest.mark.parametrize("text", ODD_TEXTS, ids=lambda text: ascii(text[:12]))
def test_texts_stay_texts(text: str) -> None:
    """Nothing in a text of a system is markup, or long."""
    old = catalogue_of(None, [variable_item(description="x")], name=text or "x")
    new = catalogue_of(None, [variable_item(description=text)], name=text or "x")
    written = html_page([new.diff(old)])
    assert "<script" not in written
    assert "\x1b" not in written
    assert len(written) < 10_000


def test_both_values_are_told(tmp_path: Path) -> None:
    """Of two long texts the beginning of each is told, and by how many it is used."""
    whole = holidays()
    is_it = pl.col("name") == "boDest"

    def described(letter: str) -> Catalogue:
        text = pl.when(is_it).then(pl.lit(letter * 500)).otherwise("description")
        variables = whole.variables.frame.with_columns(description=text)
        return Catalogue(whole.system_info, whole.tables, variables)

    with DemoServer() as server, server.login() as session:
        changes = described("B").diff(described("A"), uses=session.uses)
    path = changes.write_html(tmp_path / "changes.html")
    text = Elements(path.read_text(encoding="utf-8")).text
    assert f"{'A' * 80}… → {'B' * 80}…" in text
    assert f"variable boDest, description{changes[0].summary.partition('B' * 500)[2]} A" in text
    assert "(used by " in text


def test_many_systems_are_one_page() -> None:
    """The systems that changed most severely come first, however many there are."""
    worst = grown().diff(holidays())
    none = holidays().diff(holidays())
    written = html_page([none, worst, *[worst.filter(severity="routine")] * 1_000])
    assert len(written.encode()) < MOST
    assert "FastStats builds: 2 breaking" in written
    assert written.index("2 breaking,", 400) < written.index(": 1,0", 800)
    assert "more systems." in written
    assert "no changes" in html_page([none])
    hostile = "\N{GRINNING FACE}\"\U000e0001'<>" * 400
    line = report.Line("breaking", hostile, [hostile] * 2)
    section = report.Section(hostile, {"breaking": 250}, [line] * 250, [hostile] * 3)
    written = report.page([section] * 500)
    assert len(written.encode()) < MOST
    # The longest line that mail may have.
    assert max(len(each.encode()) for each in written.splitlines()) <= 998
