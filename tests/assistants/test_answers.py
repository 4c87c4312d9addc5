"""Answers: whole rows within a budget, all of which can be had, and nothing cut in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import polars as pl
import pytest
from assistants.asking import ask
from hypothesis import given
from hypothesis import strategies as st

from apteco_frames import Catalogue
from apteco_frames.demo import holidays
from apteco_frames.mcp import server
from apteco_frames.render.answer import answer

BUDGET = 1_500
LONG = "x" * 50_000


@cache
def small_answers() -> Any:
    """A server of Holidays whose answers are short."""
    return server(holidays(), sql=True, budget=BUDGET)


def pages(tool: str, **given: Any) -> Iterator[dict[str, Any]]:
    """All answers to a question, going on as each says."""
    offset: int | None = 0
    while offset is not None:
        told = ask(small_answers(), tool, offset=offset, **given)
        assert len(told.text) <= BUDGET
        page = told.json
        assert page.get("offset", 0) == offset
        yield page
        offset = page.get("next_offset")


@pytest.mark.parametrize(
    ("tool", "given", "key"),
    [
        ("list_tables", {}, "name"),
        ("list_variables", {}, "name"),
        (
            "describe_variables",
            {"names": holidays().variables.frame["name"][:20].to_list()},
            "name",
        ),
        ("list_codes", {"variable": "hoTown"}, "code"),
        ("query", {"sql": "select name from variables order by name"}, "name"),
        ("search", {"text": "date", "limit": 50}, "name"),
    ],
)
def test_pages_are_everything(tool: str, given: dict[str, Any], key: str) -> None:
    """Following next_offset gives each row once, as many as total says, all in order."""
    read = list(pages(tool, **given))
    rows = [row[key] for page in read for row in page["rows"]]
    assert {page["total"] for page in read} == {len(rows)}
    assert len(read) > 1 or tool in ("list_tables", "query")
    whole = server(holidays(), sql=True, budget=1_000_000)
    assert rows == [row[key] for row in ask(whole, tool, **given).rows]


def test_the_best_of_very_many_matches() -> None:
    """Of a word that stands nearly everywhere the best thousand can be read, which is said."""
    whole = holidays()
    codes = whole.codes.frame.with_columns(description=pl.lit("Everywhere"))
    named = whole.variables.frame.with_columns(description=pl.lit("Everywhere"))
    served = server(Catalogue(whole.system_info, whole.tables, named, codes), budget=1_000_000)
    offset: int | None = 0
    seen: list[str] = []
    while offset is not None:
        page = ask(served, "search", text="everywhere", limit=100, offset=offset).json
        seen += [row["name"] for row in page["rows"]]
        assert "There are 1,126 matches: these are of the best 1,000." in page["notes"][-1]
        offset = page.get("next_offset")
    assert page["total"] == len(set(seen)) == 1_000
    assert ask(served, "search", text="everywhere", offset=10**9).rows == []


def test_default_budget() -> None:
    """An answer has 20,000 characters at most, and tells of which system and build it is."""
    told = ask(server(holidays()), "list_codes", words="a")
    assert 19_000 < len(told.text) <= 20_000
    page = told.json
    assert page["total"] > len(page["rows"]) == page["next_offset"]
    assert (page["system"], page["build_date"]) == ("holidays", "2019-11-27T15:57:24")


def test_long_text_is_cut_aloud() -> None:
    """A text that is too long for an answer ends in how long it is, and the answer says so."""
    whole = holidays()
    noted = whole.variables.frame.with_columns(
        notes=pl.when(pl.col("name") == "boDest").then(pl.lit(LONG)).otherwise("notes")
    )
    catalogue = Catalogue(whole.system_info, whole.tables, noted, whole.codes, whole.folders)
    told = ask(server(catalogue), "describe_variables", names=["boDest", "boCost"])
    page = told.json
    assert len(told.text) <= 20_000
    assert [row["name"] for row in page["rows"]] == ["boDest", "boCost"]
    assert page["rows"][0]["notes"].endswith("of 50,000 characters]")
    assert "too long for an answer" in page["notes"][0]


def test_beyond_the_end() -> None:
    """An offset behind the last row gives none, and says where the last is."""
    page = ask(server(holidays()), "list_tables", offset=9).json
    assert (page["total"], page["rows"]) == (9, [])
    assert page["notes"] == ["There are 9: the last has the offset 8."]


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3_000)
ROWS = st.lists(st.dictionaries(st.text(max_size=9), VALUES | st.lists(VALUES, max_size=200)))


@given(ROWS, st.integers(1_000, 5_000), st.lists(st.text(max_size=500), max_size=8))
def test_any_rows(rows: list[dict[str, Any]], budget: int, notes: list[str]) -> None:
    """Whatever the rows, an answer is JSON within its budget, and goes on until the end."""
    offset, seen = 0, 0
    while True:
        text = answer(
            rows[offset:], budget=budget, offset=offset, total=len(rows), notes=notes, system="x"
        )
        assert len(text) <= budget
        page = json.loads(text)
        seen += len(page["rows"])
        assert page["total"] == len(rows)
        if "next_offset" not in page:
            break
        assert page["next_offset"] > offset
        offset = page["next_offset"]
    assert seen == len(rows)
