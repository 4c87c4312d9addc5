"""Search: what a person expects first, and the rules by which it is found and ranked."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_cases import SYNONYMS, cases, with_others
from search_cases import catalogue as of_cases
from strategies import Item, catalogue_of, table_item, texts, variable_item

from apteco_frames import schema
from apteco_frames.analysis.query import Query, is_small, parse
from apteco_frames.analysis.search import Index
from apteco_frames.analysis.words import parts, words
from apteco_frames.catalogue import Catalogue, contents_of
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.matches import Matches


def names(found: Matches) -> list[str]:
    """The names of what was found, the best first."""
    return [match.name for match in found]


@pytest.mark.parametrize(("name", "kind", "query", "expected"), [*cases()])
def test_people_find_what_they_expect(name: str, kind: str, query: str, expected: str) -> None:
    """What a person expects comes first."""
    synonyms = SYNONYMS if kind == "synonyms" else {}
    assert names(of_cases(name).search(query, synonyms=synonyms))[:1] == [expected]


# The rules, once more and simply


def errors(one: str, other: str) -> int:
    """Letters too many, missing or wrong, and neighbours swapped, between two words."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and (a, one[i - 2]) == (other[j - 2], b):
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def fit(asked: str, word: str, *, is_own: bool) -> int:
    """6 to the letter, 4 as the start, 3 with an error, 2 with two, 1 inside, or 0."""
    if asked == word:
        return 6
    if is_small(word):
        return 0
    if word.startswith(asked):
        return 4
    if word.isdecimal() or not is_own:
        return 0
    allowed = 0 if len(asked) < 5 or re.search("[0-9]", asked) else 1 if len(asked) < 9 else 2
    number = errors(asked, word)
    if number <= allowed:
        return 4 - number
    return int(len(asked) > 2 and asked in word)


def texts_of(noun: str, row: Item, about: Item | None) -> Iterator[tuple[int, list[str]]]:
    """The words of each text of a row, and how much it matters where they stand."""
    places = {
        "table": {"name": 3, "singular": 3, "plural": 3},
        "variable": {
            **{"name": 3, "description": 3, "notes": 2, "folder_name": 1, "table_name": 1}
        },
        "folder": {"name": 3, "description": 3},
        "code": {"code": 0, "description": 0},
    }
    for column, place in places[noun].items():
        yield place, words(row[column] or "")
        if column in ("name", "singular", "plural"):
            yield place, parts(row[column])
    if about:
        yield from ((1, words(about[column])) for column in ("singular", "plural"))


class Text:
    """How the words of a text fit a query: each word asked for, and each that is there."""

    def __init__(self, query: Query, place: int, there: list[str]) -> None:
        self.place, self.there = place, there
        self.hows = [0] * len(query.words)
        self.fits = [0] * len(there)
        for way in query.ways:
            is_several = len(way.parts) > 1
            if is_several:
                fits = [5 * (word in way.parts) for word in there]
                fits = fits if set(way.parts) <= set(there) else [0] * len(there)
            else:
                (part,) = way.parts
                fits = [min(way.most, fit(part, word, is_own=way.is_own)) for word in there]
            self.fits = list(map(max, self.fits, fits))
            for number in way.covers:
                self.hows[number] = max(self.hows[number], *fits, 0)

    def whole(self, query: Query, most: int) -> tuple[int, bool]:
        """How well it is all that was asked for, and whether it has no small words besides."""
        counted = [
            fits
            for word, fits in zip(self.there, self.fits, strict=True)
            if fits and (query.is_small or not is_small(word))
        ]
        content = [word for word in self.there if not is_small(word)] or self.there
        length = len(self.there) if query.is_small else len(content)
        is_whole = length == len(counted) > 0 and sum(map(bool, self.hows)) >= most
        score = min(counted) * 4 + self.place if is_whole else 0
        return score, is_whole and len(counted) == len(self.there)


def ranked(catalogue: Catalogue, text: str) -> list[tuple[str, int]]:
    """What a search should find: each noun and position, the best first."""
    query = parse(text)
    arrows = contents_of(catalogue)[1]
    tables = {row["name"]: row for row in arrows["tables"].to_pylist()}

    def fitting(noun: str, row: Item) -> tuple[list[Text], list[tuple[int, int]]]:
        about = tables[row["table_name"]] if noun == "variable" else None
        of_row = [Text(query, *each) for each in texts_of(noun, row, about)]
        none = (0, 0)
        best = [
            max(((t.hows[at], t.place) for t in of_row if t.hows[at]), default=none)
            for at in range(len(query.words))
        ]
        return of_row, best

    around = {row["name"]: fitting("variable", row)[1] for row in arrows["variables"].to_pylist()}
    found = []
    for order, noun in enumerate(schema.CHANGED_NOUNS):
        for position, row in enumerate(arrows.get(f"{noun}s", pa.table({})).to_pylist()):
            of_row, best = fitting(noun, row)
            if noun == "code" and any(how for how, _ in best):
                pairs = zip(best, around[row["variable_name"]], strict=True)
                best = [own if own[0] else (min(how, 5), 0) for own, (how, _) in pairs]
            found.append((sum(bool(how) for how, _ in best), order, position, of_row, best))
    most = max((had for had, *_ in found), default=0)
    scored = []
    for had, order, position, of_row, best in found:
        if had and had == most:
            worst = min(how for how, _ in best if how), min(place for how, place in best if how)
            wholes = [each.whole(query, most) for each in of_row]
            is_whole = max(score for score, _ in wholes) >= worst[0] * 4 + worst[1]
            lacking = sum(all(word not in t.there for t in of_row) for word in query.small)
            score = (*worst, is_whole, -min(3, lacking), any(is_all for _, is_all in wholes))
            scored.append((score, -order, -position))
    return [
        (schema.CHANGED_NOUNS[-order], -position)
        for _, order, position in sorted(scored, reverse=True)
    ]


WORDS = (
    *("date", "dates", "travel", "travle", "traveller", "destination", "Destnation", "Café"),
    *("boDest", "cafes", "2015", "20155", "20156", "a", "of the", "d", "incomes", "income"),
)
phrases = st.lists(st.sampled_from(WORDS), min_size=0, max_size=3).map(" ".join)


@st.composite
def systems(draw: st.DrawFn) -> Catalogue:
    """Small systems whose texts are much alike, with codes and folders or without."""
    tables = [
        table_item("Travel", has_children=True, singularDisplayName=draw(phrases)),
        table_item("boDates", "Travel", pluralDisplayName=draw(phrases)),
    ]
    names = draw(st.lists(phrases.filter(bool), unique=True, max_size=5))
    items = [
        variable_item(
            name,
            draw(st.sampled_from(["Travel", "boDates"])),
            description=draw(phrases),
            notes=draw(st.none() | phrases),
            folderName=draw(st.none() | phrases),
        )
        for name in names
    ]
    codes = [
        {"variable_name": name, "code": draw(phrases), "description": draw(phrases), "count": 1}
        for name in names
        for _ in range(draw(st.integers(0, 2)))
    ]
    paths = draw(st.lists(phrases.filter(bool), unique=True, max_size=3))
    folders: list[Item] = [
        {"path": p, "name": p, "description": draw(phrases), "parent_path": None}
        | {"variable_names": []}
        for p in paths
    ]
    return with_others(catalogue_of(tables, items), codes, folders)


@given(systems(), phrases)
def test_search_follows_the_rules(catalogue: Catalogue, query: str) -> None:
    """What is found, and its order, are those of the rules followed word by word."""
    found = catalogue.search(query, limit=1000)
    expected = ranked(catalogue, query)
    arrows = contents_of(catalogue)[1]
    keys = {"table": "name", "variable": "name", "folder": "path"}
    assert [(row.noun, row.description) for row in found] == [
        (noun, arrows[f"{noun}s"][_DESCRIBES[noun]][position].as_py())
        for noun, position in expected
    ]
    for row, (noun, position) in zip(found, expected, strict=True):
        values = arrows[f"{noun}s"].slice(position, 1).to_pylist()[0]
        assert row.name == values.get(keys.get(noun)) or row.name.startswith(
            f"{values.get('variable_name')}["
        )
        assert row.matched_text == values[row.matched_in]
    scores = [row.score for row in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert found.total == len(found)
    assert catalogue.search(query, limit=2).frame.equals(found.frame[:2])


_DESCRIBES = {
    **{"table": "plural", "variable": "description"},
    **{"folder": "description", "code": "description"},
}


def test_exact_before_start_before_error() -> None:
    """Words to the letter come first, then starts of words, then words with an error."""
    texts = {"v1": "Incmoe", "v2": "Incomes", "v3": "Income of a person", "v4": "Income"}
    items = [variable_item(n, description=t, notes=None) for n, t in texts.items()]
    assert names(catalogue_of(None, items).search("income")) == ["v4", "v3", "v2", "v1"]


def test_typing_errors_by_length() -> None:
    """Words of up to 4 letters have no error, of up to 8 one, then two; numbers none."""
    texts = ("dote", "datex", "destinatino", "dstinatino", "dsinatino", "2015x", "20151")
    items = [variable_item(f"v{n}", description=t, notes=None) for n, t in enumerate(texts)]
    catalogue = catalogue_of(None, items)
    assert names(catalogue.search("date")) == ["v1"]
    assert names(catalogue.search("dates")) == ["v1"]
    assert names(catalogue.search("destination")) == ["v2", "v3"]
    assert names(catalogue.search("20152")) == []


def test_numbers_of_other_digits_are_other_numbers() -> None:
    """No number is found for another one."""
    found = holidays().search("20170307")
    assert (len(found), found.nearest["20170307"] != ()) == (0, False)


def test_of_codes_the_best_are_shown_with_their_variable() -> None:
    """A code is found by words of its own and of its variable; not by the latter alone."""
    whole = holidays()
    assert names(whole.search("destination sweden")) == ['boDest["29"]']
    assert {row.noun for row in whole.search("destination", limit=100)} == {"variable", "folder"}


def test_an_index_is_made_once_from_many_threads() -> None:
    """Threads that search at once get the same answers from one index."""
    catalogue = holidays()
    answers: list[Any] = []
    search = lambda: answers.append((catalogue.search("travle date"), catalogue._index()[0]))  # noqa: E731
    threads = [threading.Thread(target=search) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len({id(index) for _, index in answers}) == 1
    assert all(found == answers[0][0] for found, _ in answers)


def test_a_session_searches_what_is_loaded_without_a_request() -> None:
    """Codes and folders are found once they are loaded; a search asks the server nothing."""
    with DemoServer() as demo:
        session = demo.login()
        nothing = session.search("sweden")
        assert len(nothing) == 0
        assert [sentence.split()[0] for sentence in nothing.not_searched] == ["Folders", "Codes"]
        assert session.search("travle date")[0].session is session
        codes = session.variables.filter(name="boDest").codes
        assert len(codes) == 20
        some = session.search("sweden")
        assert names(some) == ['boDest["29"]']
        assert "Codes of 57 variables were not searched" in repr(some)
        assert len(session.folders)
        assert len(session.codes)
    assert session.search("where people came from")[0].name == "Person/Marketing"
    assert names(session.search("aston martn")) == ['HHCarmak["ASM"]']
    assert session.search("aston martn").not_searched == ()


def test_an_empty_catalogue_is_searched() -> None:
    """A system without variables has its table, and nothing else."""
    assert names(catalogue_of().search("people")) == ["People"]
    assert names(catalogue_of().search("x")) == []


def test_the_index_takes_slices() -> None:
    """Arrow tables that are parts of others, or in many chunks, are searched alike."""
    whole = contents_of(holidays())[1]
    parts = {
        name: pa.concat_tables([arrow[:1], arrow[1:3], arrow[3:]]) for name, arrow in whole.items()
    }
    for query in ("date", "destination date"):
        one, other = Index(whole).search(query, 10), Index(parts).search(query, 10)
        assert other.rows.equals(one.rows)
        assert (one.total, one.had) == (other.total, other.had)


SYMBOLS = {
    "whole": "😀",
    "part": "Happy 😀",
    "family": "👩\u200d👩\u200d👧 homes",
    "offer": "50 % off, £5 & more",
}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("😀", ["whole", "part"]),
        (" 😀 ", ["whole", "part"]),
        ("👧", ["family"]),
        ("👩\u200d👧", ["family"]),
        ("%", ["offer"]),
        ("& £", ["offer"]),
        ("😀 %", ["whole", "part"]),
        ("☃", []),
        ("happy 😀", ["part"]),
    ],
)
def test_symbols(query: str, names: list[str]) -> None:
    """Emoji are words; other symbols are found where nothing else is asked for."""
    items = [variable_item(name, description=text) for name, text in SYMBOLS.items()]
    catalogue = catalogue_of([table_item()], items)
    assert [match.name for match in catalogue.search(query)] == names


def test_symbols_of_codes() -> None:
    """A code that is but a symbol is found, too, as "!" for Unclassified is."""
    found = holidays().search("!", limit=500)
    codes = [code for code in holidays().codes if "!" in code.code + code.description]
    assert len(codes) > 5
    assert found.total == len(codes)
    assert {match.noun for match in found} == {"code"}
    assert holidays().search("☃").remarks[0] == "No match for '☃'."


@given(texts(), texts())
def test_any_symbol_is_found(before: str, after: str) -> None:
    """Whatever stands around it, a symbol is found."""
    item = variable_item(description=f"{before}★{after}")
    assert [m.name for m in catalogue_of([table_item()], [item]).search("★")] == ["peVar"]
