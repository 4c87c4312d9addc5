"""The frame of matches: how it is shown, and what it keeps."""

from __future__ import annotations

import pickle
import re
from html import escape

import polars as pl
import pytest
from strategies import ODD_TEXTS, catalogue_of, table_item, variable_item

from apteco_frames import schema
from apteco_frames.demo import holidays
from apteco_frames.errors import AmbiguousKeyError, UnknownKeyError
from apteco_frames.matches import Match, Matches
from apteco_frames.support.text import escape_controls


def test_matches_at_a_prompt() -> None:
    """The best come first, each with the column that fits."""
    assert repr(holidays().search("travle date")).split("\n") == [
        "2 matches in system 'holidays' for 'travle date'",
        "noun      name      description         table_name  matched_in   matched_text",
        "variable  boTrav    Travel Date         Bookings    description  Travel Date",
        "variable  PoTrave1  Policy Travel Date  Policies    description  Policy Travel Date",
    ]


def test_more_than_the_limit_is_said() -> None:
    """Title and footer say of how many these are the best, also of a part of them."""
    found = holidays().search("a", limit=15)
    assert len(found) == 15
    assert found.total > 15
    for shown_matches, footer in (
        (found, f"15 of {found.total} matches, 12 shown"),
        (found[:3], f"3 of {found.total} matches, all shown"),
    ):
        title = f"{footer.partition(',')[0]} in system 'holidays' for 'a'"
        assert repr(shown_matches).startswith(f"{title}\n")
        html = shown_matches._repr_html_()
        assert f"<p>{escape(title)}</p>" in html
        assert f"<p>{footer}</p>" in html


def test_nouns_have_a_quiet_colour() -> None:
    """In a notebook each noun is marked in a colour of its own, as the kinds of variables are."""
    found = holidays().search("policy", limit=100)
    html = found._repr_html_()
    nouns = list(dict.fromkeys(match.noun for match in found[:12]))
    assert len(nouns) > 1
    marks = {noun: re.findall(rf'<span style="([^"]*)">{noun}</span>', html) for noun in nouns}
    assert [len(set(styles)) for styles in marks.values()] == [1] * len(nouns)
    assert len({styles[0] for styles in marks.values()}) == len(nouns)
    assert type(found[0].noun) is str


def test_several_are_called_matches() -> None:
    """The word for several of them is right below the rows and in an error, too."""
    found = holidays().search("a", limit=15)
    assert f"<p>15 of {found.total} matches, 12 shown</p>" in found._repr_html_()
    everything = holidays().search("a", limit=1000)
    assert f"<p>{everything.total} matches, 12 shown</p>" in everything._repr_html_()
    with pytest.raises(KeyError, match="There are 15 matches"):
        found["zzz"]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    """A search for nothing is a mistake."""
    with pytest.raises(ValueError, match="limit= takes a whole number from 1 on"):
        holidays().search("date", limit=limit)


def test_a_word_without_a_match_names_the_nearest() -> None:
    """For a word that fits nothing, the words most like it stand in text and HTML."""
    found = holidays().search("destnashun")
    assert len(found) == found.total == 0
    assert list(found.nearest) == ["destnashun"]
    assert "destination" in found.nearest["destnashun"]
    assert "No match for 'destnashun'. Did you mean: 'destination'" in repr(found)
    assert escape("'destination'") in found._repr_html_()


def test_no_word_is_suggested_that_is_hardly_alike() -> None:
    """What has but some letters in common is no suggestion."""
    items = [variable_item("v1", description="Edge of the city")]
    found = catalogue_of(None, items).search("budget")
    assert found.nearest == {"budget": ()}
    assert found.remarks[0] == "No match for 'budget' in what was searched."


def test_matches_without_all_words_say_so() -> None:
    """Where nothing has all words, title, remarks and an attribute tell how many there are."""
    found = holidays().search("travel date yesterday")
    assert found[0].name == "boTrav"
    assert not found.has_all_words
    first, *_, word, advice = repr(found).split("\n")
    assert first.endswith(
        " matches with 2 of the 3 words in system 'holidays' for 'travel date yesterday'"
    )
    assert word == "No match for 'yesterday'."
    assert advice == "No result contains all of these words. Try fewer: these contain 2 of 3."
    assert escape(advice) in found._repr_html_()
    assert max(match.score for match in found) <= 2 / 3
    assert holidays().search("travel date").has_all_words


def test_no_words_at_all() -> None:
    """A query without words finds nothing, and is told so."""
    assert repr(holidays().search("  ")).split("\n")[1:] == ["The query has no words."]


def test_what_was_not_searched_is_said() -> None:
    """Codes and folders that are not loaded are named, whether something was found or not."""
    catalogue = catalogue_of(None, [variable_item(), variable_item("peOther")])
    for query in ("people", "nothing"):
        assert repr(catalogue.search(query)).split("\n")[-2:] == [
            "Folders were not searched: they are not loaded; session.folders reads them.",
            "Codes were not searched: they are not loaded; session.load_codes() reads them.",
        ]


def test_remarks_are_all_that_is_said_besides() -> None:
    """What stands below the rows is there as texts, too."""
    few = catalogue_of(None, [variable_item()])
    for query, advice in (("people", 0), ("zzzz", 1)):
        found = few.search(query)
        assert found.remarks[advice:] == found.not_searched
        assert repr(found).endswith("\n".join(("", *found.remarks)))
    assert holidays().search("date").remarks == ()


def test_rows_of_matches() -> None:
    """A row has the columns as attributes; a code goes by its variable and code."""
    row = holidays().search("Sweden")[0]
    assert isinstance(row, Match)
    assert (row.noun, row.name, row.description, row.table_name) == (
        *("code", 'boDest["29"]', "Sweden", "Bookings"),
    )
    assert (row.matched_in, row.matched_text) == ("description", "Sweden")
    assert 0 < row.score < 1
    assert repr(row) == "<Match code 'boDest[\"29\"]': 'Sweden'>"
    folder = holidays().search("travel insurance")[0]
    assert (folder.noun, folder.name, folder.table_name) == ("folder", "Policy", None)


def test_parts_keep_the_query() -> None:
    """A filtered frame is one of matches; the closed sets are enums."""
    found = holidays().search("booking", limit=100)
    part = found.filter(noun="variable")
    assert type(part) is Matches
    assert (part.query, part.total) == ("booking", found.total)
    assert part.frame.equals(found.frame.filter(noun="variable"))
    assert found.frame.schema["noun"] == pl.Enum(schema.CHANGED_NOUNS)
    assert found.arrow.schema == Matches.schema


def test_matches_are_looked_up_by_name() -> None:
    """A name finds its match; of several the message shows each."""
    found = holidays().search("booking", limit=100)
    assert found["boDate"].description == "Booking Date"
    with pytest.raises(UnknownKeyError, match="boDate"):
        found["boDat"]
    catalogue = catalogue_of([table_item("People")], [variable_item("People")])
    with pytest.raises(AmbiguousKeyError, match=r"matches .* name 'People': table .*filter"):
        catalogue.search("people")["People"]


def test_pickled_matches_come_back() -> None:
    """A pickle holds the matches, and what is said of them."""
    for query in ("date", "destnashun", "travel date yesterday"):
        found = holidays().search(query)
        restored = pickle.loads(pickle.dumps(found))
        assert restored == found
        assert repr(restored) == repr(found)


@pytest.mark.parametrize("text", ODD_TEXTS, ids=lambda t: ascii(t[:12]))
def test_odd_texts_are_searched_and_shown_harmlessly(text: str) -> None:
    """Names, values and queries that a terminal or browser would obey are shown as escapes."""
    items = [variable_item("peOdd", description=f"findme {text}", notes=text, folderName=text)]
    catalogue = catalogue_of(None, items)
    assert catalogue.search("findme")[0].description == f"findme {text}"
    for query in ("findme", text):
        found = catalogue.search(query)
        lines = repr(found).split("\n")
        assert [escape_controls(line) for line in lines] == lines
        assert "<script" not in found._repr_html_()
