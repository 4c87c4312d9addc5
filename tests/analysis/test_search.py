"""Search: what a person expects first, and the rules by which it is found and ranked."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Item, catalogue_of, table_item, texts, variable_item

from apteco_frames import schema
from apteco_frames.analysis.search import Index
from apteco_frames.analysis.words import parts, words
from apteco_frames.catalogue import Catalogue, contents_of
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.matches import Matches

# What people ask of Holidays, and what they expect to find.
HOLIDAYS = {
    # as it is written
    "travel date": "boTrav",
    "Destination": "boDest",
    "income": "peIncome",
    "email address": "peEmail",
    "household size": "ho1M3XQB",
    "people": "People",
    "Bookings": "Bookings",
    "web visits": "WebVisits",
    "booking behaviour": "Person/Booking Behaviour",
    "days until travel": "PoDaysUn",
    "cost": "boCost",
    "percentage attributed": "raPercen",
    "age": "pe1NB6RY",
    "booking": "Bookings",
    "date": "boDate",
    "email": "peEmail",
    "type": "deType",
    "response": "Responses Attributed",
    "url": "wvURL",
    "urn": "hoURN",
    "spend": "pe1E8SAK",
    "visit": "WebVisits",
    "journey": "Journey History",
    "communication date": "ReCommun",
    "drive time": "ho1T8ZKE",
    "number of bookings": "pe1V4CJP",
    # in other words' order, in other cases
    "date travel": "boTrav",
    "size household": "ho1M3XQB",
    "GENDER": "peGender",
    "channel response": "raChanel",
    "permission contact": "peContac",
    # names, and their parts
    "boDest": "boDest",
    "bodest": "boDest",
    "dest": "boDest",
    "pe1L6YTO": "pe1L6YTO",
    "fs$PSS": "fs$PSS",
    "premiu": "PoPremiu",
    "peocc": "peOccu",
    # only the beginning
    "occup": "peOccu",
    "newsp": "peNews",
    "cont top": "ctTopics",
    "post sect": "hoPSect",
    "telep": "hoTel",
    "attrib perc": "raPercen",
    # with typing errors
    "travle date": "boTrav",
    "destnation": "boDest",
    "ocupation": "peOccu",
    "incmoe": "peIncome",
    "telephnoe": "hoTel",
    "surnmae": "peSName",
    "campagin": "cmCampgn",
    "polciy date": "PoPolic1",
    "comunication time": "cmCommTm",
    "newspappers": "peNews",
    "pepole": "People",
    # what is said of it, and where it is
    "taxes": "PoPremiu",
    "country of the resort": "boDest",
    "date policies": "PoPolic1",
    "destination details type": "deType",
    "lifestyle newspapers": "peNews",
    "where people came from": "Person/Marketing",
    "travel insurance": "Policy",
    # codes
    "sweden": 'boDest["29"]',
    "sweden destination": 'boDest["29"]',
    "citroen": 'HHCarmak["CIT"]',
    "aston martn": 'HHCarmak["ASM"]',
    "daily mail": 'peNews["Daily Mail"]',
    "swimming pool": 'deFacil["Pool"]',
    "retail worker": 'peOccu["6"]',
    "CCHI1234": 'boKeyCd["CCHI1234"]',
    "win back": 'fJnyName["02"]',
}
# The same of a bank with 100 variables that are called alike.
BANK = {
    "mortgage balance lifetime": "moBalLt",
    "balance mortgage": "moBalLm",
    "credit card fees last year": "ccFeeLy",
    "crdit card fees": "ccFeeLm",
    "savings interest lifetme": "saIntLt",
    "moBalLt": "moBalLt",
    "current account branch": "cuBranch",
    "branch": "cuBranch",
    "geneve": 'cuBranch["03"]',
    "zurich": 'cuBranch["02"]',
    "account": "Accounts",
    "accuonts": "Accounts",
    "overdraft": "cuOdLim",
    "limit overdraft": "cuOdLim",
    "kredit": "Accounts/Lending",
}


def bank() -> Catalogue:
    """A generated system: five products, each with three periods of six measures."""
    products = {
        **{"cu": "Current Account", "sa": "Savings", "cc": "Credit Card"},
        **{"mo": "Mortgage", "lo": "Loan"},
    }
    measures = {
        **{"Bal": "Balance", "Int": "Interest", "Fee": "Fees", "Pay": "Payments"},
        **{"Trn": "Transactions", "Cmp": "Complaints"},
    }
    periods = {"Lm": "Last Month", "Ly": "Last Year", "Lt": "Lifetime"}
    items = [
        variable_item(
            f"{product}{measure}{period}",
            "Accounts",
            "Numeric",
            description=f"{products[product]} {measures[measure]} {periods[period]}",
            folderName=products[product],
            notes=None,
        )
        for product, measure, period in itertools.product(products, measures, periods)
    ]
    others = {
        f"{product}{name}": f"{text} {description}"
        for product, text in products.items()
        for name, description in {"Branch": "Branch", "Opened": "Opened"}.items()
    }
    others["cuOdLim"] = "Limit of Overdraft"
    items += [
        variable_item(name, "Accounts", description=text, folderName=None, notes=None)
        for name, text in others.items()
    ]
    towns = ("Unclassified", "Basel", "Zürich", "Genève", "Neuchâtel")
    codes = [
        {"variable_name": "cuBranch", "code": f"{n:02}", "description": town, "count": 1}
        for n, town in enumerate(towns)
    ]
    folder: Item = {"parent_path": None, "variable_names": []}
    folders = [
        {"path": "Accounts", "name": "Accounts", "description": "", **folder},
        {
            **folder,
            "path": "Accounts/Lending",
            "name": "Lending",
            "description": "Kredite, loans and mortgages",
            "parent_path": "Accounts",
        },
    ]
    tables = [
        table_item(name, parent, not parent, singularDisplayName=name[:-1], pluralDisplayName=name)
        for name, parent in {"Customers": "", "Accounts": "Customers"}.items()
    ]
    return with_others(catalogue_of(tables, items), codes, folders)


def with_others(catalogue: Catalogue, codes: list[Item], folders: list[Item]) -> Catalogue:
    """A catalogue with codes and folders."""
    nouns = ((codes, schema.CODES_SCHEMA), (folders, schema.FOLDERS_SCHEMA))
    arrows = [
        pa.Table.from_pylist(rows, pa.schema([f for f in fields if f.name in rows[0]]))
        if rows
        else None
        for rows, fields in nouns
    ]
    return Catalogue(catalogue.system_info, catalogue.tables, catalogue.variables, *arrows)


def names(found: Matches) -> list[str]:
    """The names of what was found, the best first."""
    return [match.name for match in found]


def reciprocal_ranks(catalogue: Catalogue, expected: Mapping[str, str]) -> dict[str, float]:
    """One by the place at which the expected answer comes, 0 if it is not there."""
    ranks = {}
    for query, name in expected.items():
        found = names(catalogue.search(query))
        ranks[query] = 1 / (found.index(name) + 1) if name in found else 0.0
    return ranks


def test_people_find_what_they_expect(capsys: pytest.CaptureFixture[str]) -> None:
    """What a person expects comes first: the mean reciprocal rank is above 0.95."""
    ranks = reciprocal_ranks(holidays(), HOLIDAYS) | reciprocal_ranks(bank(), BANK)
    assert len(ranks) >= 60
    mean = sum(ranks.values()) / len(ranks)
    with capsys.disabled():
        others = {query: rank for query, rank in ranks.items() if rank < 1}
        print(f"\nmean reciprocal rank of {len(ranks)} queries: {mean:.3f}; not first: {others}")
    assert mean > 0.95
    assert min(ranks.values()) > 0


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


def fit(asked: str, word: str) -> int:
    """4 to the letter, 3 as the start, 2 with an error, 1 with two, or 0."""
    if word.startswith(asked):
        return 4 if word == asked else 3
    allowed = 0 if len(asked) < 5 else 1 if len(asked) < 9 else 2
    number = errors(asked, word)
    is_number = asked.isdecimal() or word.isdecimal()
    return 3 - number if number <= allowed and not is_number else 0


def texts_of(noun: str, row: Item) -> Iterator[tuple[int, list[str]]]:
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


def best(asked: list[str], texts: list[tuple[int, list[str]]]) -> list[tuple[int, int]]:
    """How each word fits best, and where."""
    return [
        max([(fit(a, w), place) for place, there in texts for w in there if fit(a, w)] or [(0, 0)])
        for a in asked
    ]


def ranked(catalogue: Catalogue, query: str) -> list[tuple[str, int]]:
    """What a search should find: each noun and position, the best first."""
    asked = list(dict.fromkeys(words(query)))
    arrows = contents_of(catalogue)[1]
    around = {
        row["name"]: best(asked, list(texts_of("variable", row)))
        for row in arrows["variables"].to_pylist()
    }
    found = []
    for order, noun in enumerate(schema.CHANGED_NOUNS):
        for position, row in enumerate(arrows.get(f"{noun}s", pa.table({})).to_pylist()):
            texts = list(texts_of(noun, row))
            fits = best(asked, texts)
            if noun == "code" and any(how for how, _ in fits):
                of_variable = around[row["variable_name"]]
                pairs = zip(fits, of_variable, strict=True)
                fits = [own if own[0] else (how, 0) for own, (how, _) in pairs]
            if not asked or not all(how for how, _ in fits):
                continue
            worst = min(how for how, _ in fits), min(place for _, place in fits)
            is_whole = any(
                len(there) >= len(asked)
                and all(any(fit(a, w) for a in asked) for w in there)
                and (min(max(fit(a, w) for a in asked) for w in there), place) >= worst
                for place, there in texts
                if there
            )
            score = (worst[0] * 4 + worst[1]) * 2 + is_whole
            found.append((-score, order, position))
    return [(schema.CHANGED_NOUNS[order], position) for _, order, position in sorted(found)]


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
    assert (len(found), found.nearest["20170307"] != ()) == (0, True)


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
    one, other = Index(whole).search("destination date", 10), Index(parts).search("date", 10)
    assert other.rows.equals(Index(whole).search("date", 10).rows)
    assert one.total == 0


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
        ("😀 %", []),
        ("☃", []),
        ("happy 😀", ["part"]),
    ],
)
def test_symbols(query: str, names: list[str]) -> None:
    """Emoji and other symbols are found where nothing else is asked for, in names and codes."""
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
    assert holidays().search("☃").remarks[0] == "There is nothing like '☃'."


@given(texts(), texts())
def test_any_symbol_is_found(before: str, after: str) -> None:
    """Whatever stands around it, a symbol is found."""
    item = variable_item(description=f"{before}★{after}")
    assert [m.name for m in catalogue_of([table_item()], [item]).search("★")] == ["peVar"]
