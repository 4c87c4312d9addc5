"""What prompts and notebooks show: short, readable, and obeyed by no terminal or browser."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from lanes import up_to
from strategies import ODD_TEXTS, catalogue_of, catalogues, table_item, tree_items, variable_item

from apteco_frames import Catalogue
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.support.text import escape_controls, truncate

HARMFUL = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def is_harmless(text: str) -> bool:
    """Whether a terminal would only show the text: no escapes, no changes of direction."""
    return all(c == "\n" or unicodedata.category(c) not in HARMFUL for c in text)


class Reader(HTMLParser):
    """The tags and the text that a browser sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """Note a tag; attributes of ours say how it looks, and what a header is of."""
        assert {name for name, _ in attrs} <= {"class", "style", "scope"}
        assert not any("url" in value or "<" in value for _, value in attrs)
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


def all_reprs(catalogue: Catalogue) -> Iterator[str]:
    """The repr of everything that a user might type at a prompt."""
    yield repr(catalogue)
    yield repr(catalogue.variables.names)
    yield repr(catalogue.variables.descs)
    for frame in (catalogue.tables, catalogue.variables):
        yield repr(frame)
        yield repr(frame[:1])
        yield from map(repr, frame)


# Readable


def test_tables_at_a_prompt() -> None:
    """The first line says what it is; the rest is a table, with numbers to the right."""
    items = tree_items({"People": "", "Visits": "People"})
    items[1]["totalRecords"] = 1234567
    assert repr(catalogue_of(items, [variable_item()]).tables).split("\n") == [
        "2 tables of system 'testing'",
        "name    plural      total_records  parent_name  variable_count",
        "People  all People            100                            1",
        "Visits  all Visits      1,234,567  People                    0",
    ]


def test_variables_at_a_prompt() -> None:
    """Names, descriptions, kinds and tables stand in columns."""
    items = [variable_item("boCost", kind="Numeric", description="Cost"), variable_item("b")]
    assert repr(catalogue_of(None, items).variables).split("\n") == [
        "2 variables of system 'testing'",
        "name    description       type      table_name",
        "boCost  Cost              Numeric   People",
        "b       Description of b  Selector  People",
    ]


def test_rows_at_a_prompt() -> None:
    """A row says its kind, its name and, for a variable, its description."""
    catalogue = holidays()
    assert repr(catalogue.tables["People"]) == "<Table 'People'>"
    destination = catalogue.variables["boDest"]
    assert repr(destination) == "<SelectorVariable 'boDest': 'Destination'>"
    unknown = catalogue_of(None, [variable_item("u", kind="Unknown")]).variables[0]
    assert repr(unknown) == "<UnknownVariable 'u': 'Description of u'>"


def test_a_catalogue_at_a_prompt() -> None:
    """A catalogue says of which system it is, when that was built, and how large it is."""
    assert repr(holidays()) == (
        "<Catalogue of system 'holidays', built 2019-11-27 15:57:24: 9 tables, 94 variables>"
    )


def test_names_at_a_prompt() -> None:
    """The look-ups by name or description say what they hold."""
    variables = holidays().variables
    assert repr(variables.names) == "<94 names of 94 variables of system 'holidays'>"
    assert "descriptions of 94 variables" in repr(variables.descs)


def test_a_session_at_a_prompt() -> None:
    """A session says system, size, user and place, and neither token nor password."""
    with DemoServer() as demo, demo.login() as session:
        shown = repr(session), session._repr_html_()
        for text in shown:
            assert "9 tables, 94 variables" in text
            assert demo.base_url in text
            assert demo.user in text
            assert "2019-11-27" in text
            assert demo.password not in text
            assert session.access_token not in text
            assert session.session_id not in text
        assert {"table", "th", "td"} < set(Reader(shown[1]).tags)
        assert len(shown[0].split("\n")) < 6


def test_html_of_a_frame() -> None:
    """A notebook shows the same rows and columns in a plain HTML table."""
    reader = Reader(holidays().tables._repr_html_())
    assert reader.tags.count("table") == 1
    assert (reader.tags.count("th"), reader.tags.count("tr")) == (5, 10)
    assert "9 tables of system 'holidays'" in reader.texts
    assert {"Households", "742,565"} < set(reader.texts)


def test_empty_frames_are_shown() -> None:
    """A frame without rows says that there are none, and of which system."""
    for frame in (catalogue_of().variables, catalogue_of().tables[:0]):
        assert repr(frame).startswith("0 ")
        assert "\n" not in repr(frame)
        assert repr(frame) in Reader(frame._repr_html_()).texts


# Short


def test_large_frames_are_cut() -> None:
    """Of thousands of rows ten are shown, and how many more there are."""
    names = [f"T{i}" for i in range(1200)]
    catalogue = catalogue_of(
        tree_items({"M": "", **dict.fromkeys(names, "M")}),
        [variable_item(f"v{i}", "M") for i in range(2345)],
    )
    assert repr(catalogue.tables).startswith("1,201 tables of system")
    assert repr(catalogue.tables).endswith("… and 1,191 more")
    assert repr(catalogue.variables).endswith("… and 2,335 more")
    assert len(repr(catalogue.variables).split("\n")) == 13
    texts = Reader(catalogue.variables._repr_html_()).texts
    assert "2,345 variables, 12 shown" in texts
    assert {"v11", "Description of v11"} <= set(texts)
    assert "v12" not in texts
    assert "12 variables, all shown" in Reader(catalogue.variables[:12]._repr_html_()).texts
    assert "more" not in repr(catalogue.variables[:10])
    assert "… and 1 more" in repr(catalogue.variables[:11])


def test_long_texts_are_cut() -> None:
    """No text makes a row, a frame or a catalogue long."""
    long = "x" * 100_000
    catalogue = catalogue_of(
        [table_item(long, pluralDisplayName=long)],
        [variable_item(long, long, description=long, type=long)],
        name=long,
        description=long,
    )
    for text in all_reprs(catalogue):
        assert max(map(len, text.split("\n"))) < 130
        assert "xxx" in text
        assert "…" in text
    for frame in (catalogue.tables, catalogue.variables):
        assert len(frame._repr_html_()) < 2000


# Harmless


@pytest.mark.parametrize("text", [t for t in ODD_TEXTS if t.strip()], ids=lambda t: ascii(t[:12]))
def test_odd_texts_are_shown_harmlessly(text: str) -> None:
    """Texts that a terminal or browser would obey are shown as escapes, and still differ."""
    catalogue = catalogue_of(
        [table_item(text, pluralDisplayName=text)],
        [variable_item(text, text, description=text, folderName=text)],
        name=text,
    )
    for representation in all_reprs(catalogue):
        assert is_harmless(representation)
    for frame in (catalogue.tables, catalogue.variables):
        html = frame._repr_html_()
        assert is_harmless(html)
        reader = Reader(html)
        tags = {"div", "p", "table", "thead", "tbody", "tr", "th", "td"}
        assert set(reader.tags) - {"span"} == tags
        assert truncate(text) in reader.texts


@settings(max_examples=up_to(25))
@given(catalogues(max_variables=12))
def test_any_catalogue_is_shown_harmlessly(catalogue: Catalogue) -> None:
    """Whatever the texts, what is shown is short, plain, and in HTML no more than a table."""
    for representation in all_reprs(catalogue):
        assert is_harmless(representation)
        assert len(representation) < 4000
    for frame in (catalogue.tables, catalogue.variables):
        reader = Reader(frame._repr_html_())
        assert reader.tags.count("td") == min(len(frame), 12) * reader.tags.count("th")
        tags = {"div", "p", "table", "thead", "tbody", "tr", "th", "td", "span"}
        assert set(reader.tags) <= tags


def test_what_a_terminal_obeys_is_shown_as_an_escape() -> None:
    """Each dangerous character appears by its number; harmless ones of any script stay."""
    assert escape_controls("a\x1b[31m\x00\x9b\u202e\u2066\u200f\u2028") == (
        r"a\x1b[31m\x00\x9b\u202e\u2066\u200f\u2028"
    )
    assert escape_controls("line\nbreak\r\ttab") == r"line\nbreak\r\ttab"
    for text in ("Größe £ €", "שלום", "e\u0301", "日本語", "🏖"):
        assert escape_controls(text) == text
    assert (escape_controls(None), escape_controls(5), truncate(None)) == ("", "5", "")


def test_clipping() -> None:
    """A text of the full width stays; one that is longer ends in an ellipsis at that width."""
    assert truncate("x" * 40) == "x" * 40
    assert truncate("x" * 41) == "x" * 39 + "…"
    assert len(truncate("\x00" * 40)) == 40
    assert truncate("abc", 2) == "a…"


def test_wide_characters_are_counted_as_wide() -> None:
    """Columns line up where characters take two places, and no line is over 100 places long."""
    names = ["日本語のテーブル", "ascii", "旅" * 60]
    catalogue = catalogue_of(
        tree_items({names[0]: "", names[1]: names[0], names[2]: names[0]}),
        [variable_item(name * 9, names[2], description=name * 9) for name in names],
    )
    for frame in (catalogue.tables, catalogue.variables):
        lines = repr(frame).split("\n")[1:]
        places = [sum(2 if ord(c) > 0x2E80 else 1 for c in line) for line in lines]
        assert max(places) <= 100
    ends = [
        sum(2 if ord(c) > 0x2E80 else 1 for c in line[: line.index("100") + 3])
        for line in repr(catalogue.tables).split("\n")[2:]
    ]
    assert len(set(ends)) == 1
