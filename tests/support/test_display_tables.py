"""Tables of text and HTML: aligned, short, and harmless whatever they show."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ODD_TEXTS

from apteco_frames.demo import holidays
from apteco_frames.support.display import html_table, line_width, text_table
from apteco_frames.support.text import escape_controls, truncate

UNSHOWN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
HOSTILE = st.one_of(
    st.text(max_size=60),
    st.text("日本語ｆ🙂é\u0301", max_size=60),
    st.sampled_from(ODD_TEXTS),
)
CELLS: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | HOSTILE
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[object]]]:
    """A header and rows of as many cells."""
    header = draw(st.lists(HOSTILE, min_size=1, max_size=14))
    row = st.lists(CELLS, min_size=len(header), max_size=len(header))
    return header, draw(st.lists(row, max_size=4))


def columns(text: str) -> int:
    """What a terminal needs for the text, wide characters taken as two."""
    return sum(2 if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in text)


class Tags(HTMLParser):
    """The tags and the texts of a piece of HTML, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag in ("th", "td"):
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data


def test_numbers_stand_on_the_right_with_separators() -> None:
    """A column of numbers is aligned to the right with its header; null leaves a gap."""
    rows: list[list[object]] = [
        ["Households", 742565, None],
        ["People", None, "a"],
        ["Bookings", 2130081, "b"],
    ]
    assert text_table(["name", "records", "note"], rows).splitlines() == [
        "name          records  note",
        "Households    742,565",
        "People                 a",
        "Bookings    2,130,081  b",
    ]


def test_truth_values_and_mixed_columns_are_text() -> None:
    """Truth values are no numbers, and a column with any text is aligned to the left."""
    assert text_table(["yes", "mixed"], [[True, 1000], [False, "x"]]).splitlines() == [
        "yes    mixed",
        "True   1,000",
        "False  x",
    ]


def test_a_table_without_rows_is_its_header() -> None:
    """Without rows there is a header in text, and an empty body in HTML."""
    assert text_table(["name", "type"], []) == "name  type"
    html = Tags(html_table(["name"], []))
    assert html.tags == ["table", "thead", "tr", "th", "tbody"]
    assert html.attributes == [("style", "text-align: left")]


def test_the_widest_columns_give_way() -> None:
    """Columns that would not fit into a line are cut to equal widths; the others stay whole."""
    lines = text_table(["id", "a", "b", "c"], [["short", "a" * 50, "b" * 50, "c" * 50]])
    assert lines.splitlines()[1] == f"short  {'a' * 28}…  {'b' * 28}…  {'c' * 28}…"


@given(tables())
def test_lines_are_short_and_do_nothing_to_a_terminal(
    table: tuple[list[str], list[list[object]]],
) -> None:
    """No line is longer than 100 columns, each row is one line, and no character is obeyed."""
    header, rows = table
    lines = text_table(header, rows).split("\n")
    assert len(lines) == 1 + len(rows)
    assert max(map(columns, lines)) <= 100
    assert not {unicodedata.category(c) for c in "".join(lines)} & UNSHOWN


@given(HOSTILE, st.integers(2, 50))
def test_clipping_keeps_what_fits_and_marks_what_does_not(text: str, width: int) -> None:
    """A short text is kept; of a longer one as much as fits, with a mark at its end."""
    result = truncate(text, width)
    if columns(escape_controls(text)) <= width:
        assert result == escape_controls(text)
    else:
        assert result[-1] == "…"
        assert escape_controls(text).startswith(result[:-1])
        assert width - 1 <= columns(result) <= width


@given(tables())
def test_html_shows_texts_and_nothing_else(
    table: tuple[list[str], list[list[object]]],
) -> None:
    """Whatever the cells hold, the tags are those of a table, and nothing but style is set."""
    header, rows = table
    html = Tags(html_table(header, rows))
    body = ["tr", *["td"] * len(header)] * len(rows)
    assert html.tags == ["table", "thead", "tr", *["th"] * len(header), "tbody", *body]
    assert {name for name, _ in html.attributes} == {"style"}
    assert html.texts[: len(header)] == [truncate(name) for name in header]


@pytest.mark.parametrize("value", [1156553, 2.5])
def test_html_aligns_numbers_and_sets_no_colours(value: float) -> None:
    """Numbers stand on the right, texts on the left; light and dark pages keep their colours."""
    html = Tags(html_table(["name", "records"], [["People", value]]))
    styles = [style for _, style in html.attributes]
    left, right = "text-align: left", "text-align: right; font-variant-numeric: tabular-nums"
    assert styles == [left, right, left, right]
    assert html.texts == ["name", "records", "People", f"{value:,}"]


@given(tables(), st.integers(60, 100))
def test_lines_keep_within_any_width(table: tuple[list[str], list[list[object]]], n: int) -> None:
    """No line is longer than the width asked for, down to what 14 columns need."""
    assert all(columns(line) <= n for line in text_table(*table, n).split("\n"))


def test_texts_are_cut_before_numbers() -> None:
    """In a narrow terminal the numbers stay whole, and the texts give way."""
    rows: list[list[object]] = [["Responses Attributed", 742565, "Communications"]]
    assert text_table(["name", "total_records", "parent_name"], rows, 25).splitlines() == [
        "name     total_…  parent…",
        "Respon…  742,565  Commun…",
    ]


@pytest.mark.parametrize(("terminal", "width"), [("60", 60), ("250", 100), ("0", 100), ("", 100)])
def test_tables_shrink_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch, terminal: str, width: int
) -> None:
    """Lines take the terminal's width, but never more than 100 columns."""
    monkeypatch.setenv("COLUMNS", terminal)
    assert line_width() == width
    wide = max(map(columns, repr(holidays().tables).split("\n")))
    assert wide <= width
    assert (wide <= 60) is (width == 60)
