"""Cards for notebooks: what they say, how they are made, and that no text does anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from strategies import (
    ODD_TEXTS,
    catalogue_of,
    catalogues,
    table_item,
    variable_item,
    with_codes_and_folders,
)

from apteco_frames import Catalogue
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.render.card import card
from apteco_frames.support.text import escape_controls, truncate
from apteco_frames.variables import VariableType

LIMIT = 20_000
TAGS = {"div", "p", "strong", "code", "span", "table", "thead", "tbody", "tr", "th", "td"}


class Card(HTMLParser):
    """What a browser sees of a card: its head, and its facts by their labels."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append((self.tags[-1], data))

    @property
    def facts(self) -> dict[str, str]:
        """The values by their labels."""
        labels = [text for tag, text in self.texts if tag == "th"]
        values = [text for tag, text in self.texts if tag == "td"]
        return dict(zip(labels, values, strict=True))

    def of(self, tag: str) -> str:
        """The first text within a tag."""
        return next(text for where, text in self.texts if where == tag)


def everything(catalogue: Catalogue) -> Iterator[Any]:
    """All that a notebook shows of a catalogue with its codes and folders."""
    frames: list[Any] = [catalogue.tables, catalogue.variables, catalogue.codes, catalogue.folders]
    for frame in frames:
        yield frame
        yield from frame[:40]


def test_card_of_a_variable() -> None:
    """What applies to the kind is there, and nothing else; the kind stands by its name."""
    variables = holidays().variables
    destination = Card(variables["boDest"]._repr_html_())
    assert destination.of("strong") == "Destination"
    assert destination.of("code") == "boDest"
    assert destination.of("span") == "Selector"
    told = {"Table": "Bookings", "Codes": "20", "Selector": "SingleValue, Categorical"}
    assert told.items() <= destination.facts.items()
    assert destination.facts["Records per code"] == "154 to 561,842"
    assert not {"Values", "Currency", "Dates", "Virtual"} & set(destination.facts)
    cost = Card(variables["boCost"]._repr_html_())
    assert cost.of("span") == "Numeric"
    assert cost.facts["Values"] == "18.5 to 28,400.99"
    assert "Codes" not in cost.facts
    dated = Card(variables["boDate"]._repr_html_())
    assert dated.facts["Dates"] == "2016-01-02 to 2021-12-31"
    some = variable_item("n", kind="Numeric", isVirtual=True, numericInfo={"minimum": 0.5})
    virtual = Card(catalogue_of(None, [some]).variables[0]._repr_html_())
    assert virtual.facts["Virtual"] == "yes"
    assert virtual.facts["Values"] == "0.5 to …"


def test_blanks_of_codes_are_shown() -> None:
    """A blank at the beginning of a code is there to be seen, in a fact as in a head."""
    html = holidays().variables["boDest"]._repr_html_()
    assert re.search(r'<td style="[^"]*white-space: pre-wrap"> !, Unclassified</td>', html)


def test_card_of_a_table() -> None:
    """Records, variables and relatives; what is further below only where there is more."""
    people = Card(holidays().tables["People"]._repr_html_())
    assert people.of("strong") == "People"
    assert people.facts["Records"] == "1,156,553"
    assert people.facts["Parent"].endswith("Households")
    assert "Content" in people.facts["All below"]
    assert "Content" not in people.facts["Children"]
    assert people.facts["Is"] == "the default table, of people"
    assert "All below" not in Card(holidays().tables["Communications"]._repr_html_()).facts


def test_card_of_a_folder() -> None:
    """A folder's path, what is in it, and the first of many names."""
    folders = holidays().folders
    inner = next(folder for folder in folders if folder.parent)
    found = Card(inner._repr_html_())
    assert found.of("code") == inner.path
    assert found.facts["Is in"] == inner.parent_path
    large = max(folders, key=lambda folder: folder.variable_count)
    names = Card(large._repr_html_()).facts["Their names"]
    assert names.startswith(", ".join(large.variable_names[:8]))
    assert names.endswith(f" and {large.variable_count - 8} more")


def test_card_of_a_code() -> None:
    """What it means, where it is, its records and their share; blanks of a code stay."""
    codes = holidays().codes["boDest"]
    sweden = Card(codes["Sweden"]._repr_html_())
    assert (sweden.of("strong"), sweden.of("code")) == ("Sweden", "29")
    assert sweden.facts["Records"] == "25,207 (1.2% of the table's)"
    assert sweden.facts["Its name"] == "boDest"
    assert Card(codes[0]._repr_html_()).of("code") == codes[0].code == " !"
    uncounted = [code for code in holidays().codes if code.count is None]
    for code in uncounted[:1]:
        assert Card(code._repr_html_()).facts["Records"] == "not known"


def test_card_of_a_session() -> None:
    """System, build, user, place, counts and the end of the token; neither token nor password."""
    with DemoServer() as server, server.login() as session:
        first = Card(session._repr_html_()).facts
        assert first["Holds"] == "9 tables, 94 variables"
        assert first["Built"] == "2019-11-27 15:57:24"
        assert first["At"] == server.base_url
        assert first["DataView"] == server.data_view
        assert server.user in first["User"]
        assert session.token_expires_at
        assert first["Token ends"] == f"{session.token_expires_at:%Y-%m-%d %H:%M} UTC"
        assert (len(session.codes), len(session.folders)) == (1032, 17)
        html = session._repr_html_()
        assert Card(html).facts["Holds"] == "9 tables, 94 variables, 1,032 codes, 17 folders"
        for secret in (session.access_token, session.session_id, server.password):
            assert secret not in html


def test_a_card_asks_no_server() -> None:
    """Looking at a session or at what it gave needs no request, and loads nothing."""
    with DemoServer() as server:
        session = server.login()
        shown_first: list[Any] = [session.tables[0], session.variables["boDest"], session]
        session.logout()
    for thing in shown_first:
        assert len(thing._repr_html_()) > 500
    assert not session.catalogue.has_codes


def test_kinds_have_colours_of_their_own() -> None:
    """Each kind of variable stands by its name on a colour that lets the page shine through."""
    marks = [card("x", "x", [], kind) for kind in VariableType]
    assert (
        len({mark.replace(kind, "") for mark, kind in zip(marks, VariableType, strict=True)}) == 9
    )
    assert all("60%, 50%, .2)" in mark for mark in marks)
    html = holidays().variables._repr_html_()
    assert html.count("<span") == 12
    assert html.count(">Reference</span>") == 1


@pytest.mark.parametrize("text", ODD_TEXTS, ids=lambda text: ascii(text[:12]))
def test_odd_texts_are_shown(text: str) -> None:
    """Any text is shown, as text, in a card of bounded size."""
    bare = catalogue_of(
        [table_item(text, pluralDisplayName=text, singularDisplayName=text)],
        [variable_item(text, text, description=text, notes=text, path=text)],
        name=text,
    )
    for thing in (bare.tables[0], bare.variables[0], bare.tables, bare.variables):
        html = thing._repr_html_()
        seen = Card(html)
        assert len(html.encode()) < LIMIT
        assert set(seen.tags) <= TAGS
        short = truncate(text, 80), truncate(text)
        assert any(s in found for s in short for _, found in seen.texts)


@settings(max_examples=up_to(15))
@given(st.data())
def test_any_catalogue_is_shown_small_and_harmless(data: st.DataObject) -> None:
    """Whatever the texts: below 20 KB, no tag and no attribute but ours, nothing obeyed."""
    for thing in everything(data.draw(with_codes_and_folders(data.draw(catalogues())))):
        html = thing._repr_html_()
        assert len(html.encode()) < LIMIT
        assert Card(html).attributes <= {"class", "style", "scope"}
        assert set(Card(html).tags) <= TAGS
        assert all(escape_controls(line) == line for line in html.split("\n"))


def test_the_largest_card_is_small() -> None:
    """Where every text is long and all of it has to be escaped, a card stays below 20 KB."""
    long = '"' * 5_000
    names = [f"{long}{number}" for number in range(30)]
    items = [variable_item(name, long, description=name, notes=long, path=long) for name in names]
    catalogue = catalogue_of([table_item(long, pluralDisplayName=long)], items, name=long)
    for thing in (
        catalogue.variables[0],
        catalogue.tables[0],
        catalogue.variables,
        catalogue.tables,
    ):
        assert len(thing._repr_html_().encode()) < LIMIT


def test_nothing_is_typeset_as_mathematics() -> None:
    """JupyterLab takes ``$10,000 - $20,000`` for mathematics, but not in what we show."""
    whole = holidays()
    fewer = Catalogue(whole.system_info, whole.tables, whole.variables[1:])
    with DemoServer(whole) as server, server.login() as session:
        things: list[Any] = [
            *(session, session.tables, session.variables, session.codes, session.folders),
            *(session.systems, session.tables[0], session.variables[0], session.codes[0]),
            *(session.folders[0], session.tables.tree(), session.folders.tree()),
            *(
                session.search("travel"),
                session.search("zzz"),
                whole.diff(fewer),
                whole.diff(whole),
            ),
        ]
        for thing in things:
            html = thing._repr_html_()
            root = Roots(html).roots
            assert len(root) == 1, html
            assert {"mathjax_ignore", "tex2jax_ignore"} <= set(root[0].split())


class Roots(HTMLParser):
    """The classes of each element that stands in no other."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.roots: list[str] = []
        self._depth = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if not self._depth:
            self.roots.append(dict(attrs).get("class") or "")
        self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        self._depth -= 1


def test_the_card_of_a_catalogue() -> None:
    """It tells the system, when it was built, and what the catalogue holds."""
    html = holidays()._repr_html_()
    assert "9 tables, 94 variables, 1,032 codes, 17 folders" in html
    assert "2019-11-27 15:57:24" in html
    whole = holidays()
    bare = Catalogue(whole.system_info, whole.tables, whole.variables)
    assert "9 tables, 94 variables<" in bare._repr_html_()
