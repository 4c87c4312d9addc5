"""SQL over a catalogue: what it answers, and what it says where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.errors import SqlError

# Questions, in SQL and as a filter.
QUESTIONS: dict[str, tuple[str, Callable[[Catalogue], pl.DataFrame]]] = {
    "dates": (
        "select name from variables where type like 'Date%'",
        lambda c: c.variables.filter(pl.col("type").is_in(["Date", "DateTime"])).frame,
    ),
    "what can be exported for Bookings": (
        "select name from variables where table_name = 'Bookings' and is_exportable",
        lambda c: c.variables.filter(pl.col("is_exportable"), table_name="Bookings").frame,
    ),
    "the ten selectors with the most codes": (
        "select name from variables where num_codes is not null order by num_codes desc limit 10",
        lambda c: (
            c.variables.filter(pl.col("num_codes").is_not_null())
            .frame.sort("num_codes", descending=True, maintain_order=True)
            .head(10)
        ),
    ),
    "tables of more than a million records": (
        "select name from tables where total_records > 1000000",
        lambda c: c.tables.filter(pl.col("total_records") > 1_000_000).frame,
    ),
    "codes that nobody has": (
        "select variable_name as name from codes where count = 0",
        lambda c: c.codes.filter(count=0).frame.rename({"variable_name": "name"}),
    ),
    "folders within Person": (
        "select name from folders where parent_path = 'Person'",
        lambda c: c.folders.filter(parent_path="Person").frame,
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_in_sql_and_as_a_filter(question: str) -> None:
    """A query gives the same names as the filter for the question."""
    query, as_filter = QUESTIONS[question]
    catalogue = holidays()
    assert sorted(catalogue.sql(query)["name"]) == sorted(as_filter(catalogue)["name"])


def test_the_system_is_a_table() -> None:
    """The system is a table of one row, with naive local times."""
    answer = holidays().sql("select * from system")
    assert answer.to_dicts() == [holidays().system_info._asdict()]


def test_tables_can_be_joined_and_counted() -> None:
    """All tables are there at once; the type of variables is text."""
    answer = holidays().sql(
        "select t.plural, count(*) as n from variables v join tables t on v.table_name = t.name "
        "where v.type = 'Selector' group by t.plural order by n desc limit 1"
    )
    assert answer.columns == ["plural", "n"]
    kinds = holidays().sql("select distinct type from variables")
    assert kinds.schema == {"type": pl.String}


def test_a_missing_table_names_those_that_exist() -> None:
    """An unknown table is named, with all that there are."""
    with pytest.raises(SqlError, match=r"'variable' was not found.*Tables: tables, variables, "):
        holidays().sql("select * from variable")


@pytest.mark.parametrize(
    "query",
    [
        "select nam from folders",
        "select f.nam from folders as f",
        "select name from folders where nam = 'x'",
        "select name from folders order by nam",
    ],
)
def test_a_missing_column_names_those_that_exist(query: str) -> None:
    """An unknown column is named, with those of the table that was asked."""
    with pytest.raises(SqlError, match=r"nam\b.* Columns of folders: path, name, desc") as error:
        holidays().sql(query)
    assert "Columns of variables" not in str(error.value)
    assert "valid columns" not in str(error.value)


@pytest.mark.parametrize(
    "query", ["", "select", "selec name", "select 1; select 2", "select '\ud800'"]
)
def test_what_is_no_query_is_an_error(query: str) -> None:
    """What polars does not understand is a SqlError with its words."""
    with pytest.raises(SqlError, match=r"^The query .* failed: .*Tables: "):
        holidays().sql(query)


@pytest.mark.parametrize(
    "query",
    [
        "select columns('(') from tables",
        "select greatest() from tables",
        "select least()",
        f"select {'9' * 100}",
        f"select 1.{'9' * 100} from tables",
        "select cast(name as decimal(100, 5)) from tables",
        "select cast(1 as decimal(50, 60))",
    ],
)
def test_where_polars_panics(query: str) -> None:
    """A panic of polars, which is no Exception, is a SqlError, or the query is answered."""
    with suppress(SqlError):
        holidays().sql(query)
    assert len(holidays().sql("select * from system")) == 1


def test_a_panic_says_what_was_asked() -> None:
    """What polars said of its panic is kept, with the query and the tables."""
    with pytest.raises(SqlError, match=r"^The query .*columns.* polars broke off .*Tables: "):
        holidays().sql("select columns('(') from tables")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """SQL can read files; one that is not there is a SqlError, too."""
    query = f"select * from read_parquet('{(tmp_path / 'none.parquet').as_posix()}')"
    with pytest.raises(SqlError, match=r"^The query .* failed: .*Tables: "):
        holidays().sql(query)


def test_codes_and_folders_that_are_not_loaded_say_so() -> None:
    """On a session they are there once they were loaded; a query asks the server nothing."""
    with DemoServer() as demo:
        session = demo.login()
        for noun, way in {"codes": r"load_codes\(\)", "folders": r"session\.folders"}.items():
            with pytest.raises(SqlError, match=rf"Not all {noun} are loaded\..*{way}"):
                session.sql(f"select * from {noun}")
        assert len(session.codes)
        assert len(session.folders)
    assert session.sql("select count(*) as n from codes")["n"].to_list() == [1032]
    assert session.sql("select name from folders").height == len(session.folders)


def test_answers_are_independent() -> None:
    """What a query changes is gone with it."""
    catalogue = holidays()
    catalogue.sql("drop table variables")
    assert catalogue.sql("select count(*) as n from variables")["n"].to_list() == [94]
