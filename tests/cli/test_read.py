"""Commands that show what a system consists of: offline, and of a system, alike."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest
from cli.running import Command, in_process

from apteco_frames import Catalogue
from apteco_frames.demo import holidays

SOURCES = [("--catalogue", "holidays"), ("--profile", "orbit")]
PREVIEWS = {
    "tables": ["name", "plural", "parent_name", "total_records", "variable_count"],
    "variables": ["name", "description", "type", "table_name", "folder_name"],
    "folders": ["path", "description", "variable_count", "total_variable_count"],
    "systems": ["name", "description", "build_date"],
}


@pytest.mark.parametrize("noun", PREVIEWS)
def test_nouns(command: Command, noun: str) -> None:
    """Each noun is printed, the same offline and of a system."""
    offline, online = (command(noun, *source) for source in SOURCES)
    assert offline == online
    assert (offline.status, offline.err) == (0, "")
    header, *rows = offline.rows()
    assert header == PREVIEWS[noun]
    whole = holidays()
    expected = {
        "tables": len(whole.tables),
        "variables": len(whole.variables),
        "folders": len(whole.folders),
        "systems": 1,
    }
    assert len(rows) == expected[noun]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", ["boDest", "Destination"])
def test_codes(command: Command, source: tuple[str, str], name: str) -> None:
    """Codes are of one variable, by its name or its description."""
    header, *rows = command("codes", name, *source).rows()
    assert header == ["code", "description", "count"]
    assert ["29", "Sweden", "25207"] in rows
    assert len(rows) == len(holidays().codes["boDest"])


def test_codes_of_what_is_not_there(command: Command) -> None:
    """A name that no variable has is an error of one line, with the nearest."""
    status, out, err = command("codes", "boDst", "--catalogue", "holidays")
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "Nearest: 'boDest'" in err


def test_what_was_not_saved(command: Command) -> None:
    """A catalogue without codes says so, and what to do on the command line."""
    for words in (["codes", "boDest"], ["folders"]):
        status, out, err = command(*words, "--catalogue", "without-codes")
        assert (status, out) == (1, "")
        assert err.startswith("apteco-frames: The catalogue of system 'holidays' has no ")
        assert err.endswith(
            "Save it with them: apteco-frames export, or apteco-frames archive add.\n"
        )


def test_search(command: Command) -> None:
    """Words are searched for, with typing errors, the best first."""
    done = command("search", "travle", "date", "--catalogue", "holidays", "--columns", "name")
    assert done == (0, "name\nboTrav\nPoTrave1\n", "")


def test_search_tells_what_it_left_out(command: Command) -> None:
    """What was not searched, or not shown, is said beside the answer."""
    given = ("search", "sweden", "--profile", "orbit", "--columns", "noun,name")
    done = command(*given, "--no-codes")
    assert done.out == "noun\tname\n"
    assert "Codes were not searched: they are not loaded; --codes reads them." in done.err
    assert command(*given) == (0, 'noun\tname\ncode\tboDest["29"]\n', "")
    done = command("search", "sweden", "--catalogue", "without-codes")
    assert "Codes were not searched: they are not loaded.\n" in done.err
    done = command("search", "date", "--catalogue", "holidays", "--limit", "2")
    assert len(done.rows()) == 3
    assert done.err.startswith("apteco-frames: These are the best 2 of ")


def test_search_for_nothing_that_is_there(command: Command) -> None:
    """Where nothing is found, the nearest words are named, and the status is 0."""
    done = command("search", "xyzzyx", "--catalogue", "holidays")
    assert (done.status, len(done.rows())) == (0, 1)
    assert "No match for 'xyzzyx'." in done.err


def test_search_and_dictionary_with_synonyms(command: Command) -> None:
    """A file of synonyms is named, or beside the profiles; the dictionary takes them in."""
    Path("ours.toml").write_text('income = ["salary"]\n', encoding="utf-8")
    given = ("search", "salary", "--catalogue", "holidays", "--columns", "name")
    assert command(*given).out == "name\n"
    assert command(*given, "--synonyms", "ours.toml").rows()[1] == ["peIncome"]
    plain = command("dictionary", "plain.html", "--catalogue", "holidays")
    own = command("dictionary", "own.html", "--catalogue", "holidays", "--synonyms", "ours.toml")
    assert plain.status == own.status == 0
    assert Path("plain.html").read_bytes() != Path("own.html").read_bytes()
    assert "ours.toml" not in command(*given, "--synonyms", "ours.toml").err
    missing = command(*given, "--synonyms", "none.toml")
    assert (missing.status, "none.toml" in missing.err) == (1, True)


@pytest.mark.parametrize("source", SOURCES)
def test_sql(command: Command, source: tuple[str, str]) -> None:
    """Queries can name codes and folders, which are read then."""
    query = "select count(*) as n from {}"
    whole = holidays()
    for noun, number in (
        ("tables", 9),
        ("variables", 94),
        ("codes", len(whole.codes)),
        ("folders", len(whole.folders)),
        ("system", 1),
    ):
        assert command("sql", query.format(noun), *source) == (0, f"n\n{number}\n", "")


def test_sql_that_is_none(command: Command) -> None:
    """A query that names what is not there is an error of one line."""
    done = command("sql", "select nam from\ntables", "--catalogue", "holidays")
    assert (done.status, done.out, len(done.err.splitlines())) == (1, "", 1)


def test_catalogue_that_is_not_there(command: Command, place: Path) -> None:
    """A folder without a catalogue is an error of one line."""
    status, out, err = command("tables", "--catalogue", "nothing")
    assert (status, out) == (1, "")
    assert err.startswith("apteco-frames: There is no folder nothing. Name a folder that ")


def test_a_panic_of_polars_is_one_line(place: Path) -> None:
    """Where a query makes polars panic, its own message on standard error is not shown."""
    for query in ("select columns('(') from tables", "select greatest()"):
        status, out, err = in_process("sql", query, "--catalogue", "holidays")
        assert (status, out, len(err.splitlines())) == (1, "", 1)
        assert err.startswith("apteco-frames: The query ")


def test_an_answer_that_arrow_cannot_hold(command: Command) -> None:
    """Values of a kind that Arrow lacks are an error that says what to do."""
    status, out, err = command("sql", "select cast(1 as int128)", "--catalogue", "holidays")
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert "Cast them in the query" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["codes", "boDest"], "warning: The API refused the codes of 'boDest' of system "),
        (["search", "sweden"], "Codes of 'boDest' were not searched: the API refused them."),
        (["sql", "select * from codes"], "The table codes lacks those of 'boDest': the API "),
        (["export", "saved"], "the API refused the codes of 'boDest'; they are left out"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_refused_codes(command: Command, place: Path, words: list[str], said: str) -> None:
    """A command that needs codes says once whose are not known, as the API refused them."""
    whole = holidays()
    rest = whole.codes.filter(pl.col("variable_name") != "boDest")
    Catalogue(
        whole.system_info,
        whole.tables,
        whole.variables,
        rest,
        whole.folders,
        unavailable=["boDest"],
    ).write_parquet(place / "partial")
    status, _, err = command(*words, "--catalogue", "partial")
    assert status == 0
    assert err.count("refused") == 1
    assert said in err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with a name")
@pytest.mark.parametrize("name", ["system", "tables", "variables"])
def test_pipes(command: Command, place: Path, name: str) -> None:
    """A pipe in place of a file is refused: it would be waited for without an end."""
    file = place / f"holidays/{name}.parquet"
    file.unlink()
    os.mkfifo(file)
    status, out, err = command("variables", "--catalogue", "holidays")
    assert (status, out) == (1, "")
    assert (
        f"{name}.parquet is damaged, incomplete, or not a Parquet file "
        "(it is not a regular file)" in err
    )
    assert command("export", "holidays", "--catalogue", "older").status == 1
