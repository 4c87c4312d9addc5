"""SQL of assistants: it reaches the catalogue and nothing else, and comes to an end."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from assistants.asking import ask

from apteco_frames.demo import holidays
from apteco_frames.mcp import server

SECRET = "K9-Sentinel-on-this-machine"
ESCAPES = [
    *("select * from 'FILE'", 'select * from "FILE"', "from read_csv('FILE')"),
    *("select * from \"read_csv\"('FILE')", "select * from READ_CSV_AUTO('FILE')"),
    *("from read_text('FILE')", "from read_blob('FILE')", "from read_json('FILE')"),
    *("from read_parquet('FILE')", "from sniff_csv('FILE')", "from glob('FOLDER/*')"),
    *("from query('from read_text(''FILE'')')", "from query_table('FILE')"),
    "select * from (select * from read_text('FILE')) as inside",
    "with inside as (from read_text('FILE')) select * from inside",
    "create view inside as from read_text('FILE'); from inside",
    "create macro inside() as table from read_text('FILE'); from inside()",
    "prepare inside as from read_text('FILE'); execute inside",
    "explain analyze from read_text('FILE')",
    "from json_execute_serialized_sql(json_serialize_sql('from read_text(''FILE'')'))",
    *("copy tables to 'FOLDER/out.csv'", "copy (select 1) to ':memory:'"),
    *("create table t (x text); copy t from 'FILE'", "export database 'FOLDER/out'"),
    *(
        "import database 'FOLDER'",
        "attach 'FOLDER/out.db' as out",
        "attach ':memory:x' (type sqlite)",
    ),
    *("install httpfs", "force install httpfs", "load httpfs", "load 'FOLDER/x.duckdb_extension'"),
    *("update extensions", "from 'http://127.0.0.1:9/x.parquet'", "from 's3://bucket/x.parquet'"),
    *("set enable_external_access = true", "set lock_configuration = false"),
    *("reset enable_external_access", "pragma enable_external_access = true"),
    *("set disabled_filesystems = ''", "set allowed_directories = ['FOLDER']"),
    *("set python_enable_replacements = true", "set temp_directory = 'FOLDER'"),
    *("set secret_directory = 'FOLDER'", "pragma enable_profiling"),
    *("set log_query_path = 'FOLDER/log'", "set global memory_limit = '100GB'"),
    *("select getenv('SECRET')", "from local_variable", "from SECRETS", "from os"),
    *("from pandas_scan(0)", "from arrow_scan(1, 2, 3)", "from arrow_scan_dumb(1, 2, 3)"),
    *("create persistent secret s (type s3, key_id 'x')", "from duckdb_extensions()"),
    *("from st_read('FILE')", "from sqlite_scan('FILE', 'x')"),
]


@cache
def served() -> Any:
    """A server that answers queries, and breaks them off early."""
    return server(holidays(), sql=True, query_seconds=0.3)


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_escape(escape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement reads or writes a file, a variable of this process, or another setting."""
    monkeypatch.setenv("SECRET", SECRET)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "file.csv"
    file.write_text(f"{SECRET}\n{SECRET}\n")
    # Beside the name of the database, which is not on any disk.
    (tmp_path / ":memory:").write_text(SECRET)
    before = sorted(tmp_path.iterdir())
    told = ask(
        served(), "query", sql=escape.replace("FILE", str(file)).replace("FOLDER", str(tmp_path))
    )
    assert told.is_error, told.text
    assert SECRET not in told.text
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / ":memory:").read_text() == SECRET


@pytest.mark.parametrize(
    "query",
    [
        "from duckdb_settings()",
        "from duckdb_secrets()",
        "from which_secret('s3://x', 's3')",
        "from duckdb_databases()",
        "from duckdb_variables()",
        "from pragma_database_list",
        "select current_setting('home_directory'), current_setting('secret_directory')",
        "from duckdb_logs()",
    ],
)
def test_nothing_of_the_machine(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What DuckDB tells of itself names no folder of this machine and no variable."""
    monkeypatch.setenv("SECRET", SECRET)
    told = ask(served(), "query", sql=query).text
    for private in (SECRET, str(Path.home()), str(Path.cwd())):
        assert private not in told


@pytest.mark.parametrize(
    "runaway",
    [
        "select count(*) from codes a, codes b, codes c, codes d",
        "with recursive n as (select 1 as n union all select n + 1 from n) select max(n) from n",
        "select sum(length(regexp_replace(description, '(a*)*b', 'x', 'g'))) "
        "from codes, range(1000000000)",
        "from codes a, codes b, codes c order by hash(a.code || b.code || c.code)",
    ],
)
def test_runaways_are_broken_off(runaway: str) -> None:
    """A query that would take for ever is broken off, and the next is answered."""
    start = time.monotonic()
    told = ask(served(), "query", sql=runaway)
    assert told.is_error
    assert "stopped after 0.3 seconds" in told.text or "Out of Memory" in told.text
    assert time.monotonic() - start < 10
    assert ask(served(), "query", sql="select 1 as one").rows == [{"one": 1}]


def test_rows_are_limited() -> None:
    """Of many rows the first thousand are read, which is said; a stream without an end, too."""
    patient = server(holidays(), sql=True, budget=100_000)
    page = ask(patient, "query", sql="from range(1000000000000)").json
    assert page["total"] == len(page["rows"]) == 1_000
    assert page["notes"] == ["Rows read: 1,000. There are more."]
    assert "notes" not in ask(patient, "query", sql="from range(1000)").json


def test_long_rows_are_limited() -> None:
    """Of very long rows only the first are read, so that they do not fill the memory twice."""
    patient = server(holidays(), sql=True)
    long = "select repeat('x', 1000000) as x from range({})"
    page = ask(patient, "query", sql=long.format(20)).json
    assert page["total"] == 10
    assert page["notes"][0] == "Rows read: 10. There are more."
    page = ask(patient, "query", sql=long.format(10)).json
    assert page["total"] == 10
    assert len(page["notes"]) == 1


def test_what_is_made_is_gone() -> None:
    """Tables, views and settings of a query are of that query alone; the catalogue stays."""
    for statement in (
        "create table mine as select 1 as x; from mine",
        "create or replace view codes as select 2 as x; select x from codes",
        "set variable mine = 1; select getvariable('mine') as x",
    ):
        ask(served(), "query", sql=statement)
    assert ask(served(), "query", sql="from mine").is_error
    assert ask(served(), "query", sql="select getvariable('mine') as x").rows == [{"x": None}]
    counted = ask(served(), "query", sql="select count(*) as n from codes").rows
    assert counted == [{"n": len(holidays().codes)}]
    for statement in ("delete from codes", "drop table codes", "update codes set code = ''"):
        ask(served(), "query", sql=statement)
        assert ask(served(), "query", sql="select count(*) as n from codes").rows == counted


def test_answers() -> None:
    """Queries see what the frames hold; odd values and columns of one name arrive, too."""
    rows = ask(served(), "query", sql="select name, total_records from tables").rows
    assert rows == holidays().tables.frame.select("name", "total_records").to_dicts()
    odd = (
        "select 1 as a, 2 as a, 'nan'::double as b, date '2026-11-30' as c, 1.5::decimal(4,2) as d,"
        " [1, null] as e, {'f': 2} as f, map {[1]: 2} as g, interval 1 day as h, 'a'::blob as i"
    )
    (row,) = ask(served(), "query", sql=odd).rows
    assert (row["a"], row["a_2"], row["b"], row["c"]) == (1, 2, "nan", "2026-11-30")
    assert (row["d"], row["e"], row["f"]) == ("1.50", [1, None], {"f": 2})
    assert ask(served(), "query", sql="select name from system").rows == [{"name": "holidays"}]
    assert ask(served(), "query", sql="pivot variables on is_virtual using count(*)").rows


@pytest.mark.parametrize(
    "query", ["", ";", "-- nothing", "selec 1", "select 1 from nowhere", "\ud800"]
)
def test_no_query(query: str) -> None:
    """What is no query is an error that names the tables."""
    told = ask(served(), "query", sql=query)
    assert told.is_error
    assert "Tables: tables, variables, codes, folders, system." in told.text
