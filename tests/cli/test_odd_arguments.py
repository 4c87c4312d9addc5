"""Arguments that nobody means end in one sentence, at once, and never in a traceback."""

from __future__ import annotations

import subprocess
import sys

import polars as pl
import pytest
from cli.running import Command

from apteco_frames import Catalogue
from apteco_frames.demo import holidays

TABLES = ("tables", "--catalogue", "holidays")
DIGITS = "9" * 5_000


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((*TABLES, "--columns", "name,name"), "option --columns: 'name' comes twice"),
        ((*TABLES, "--columns", "name, name"), "option --columns: 'name' comes twice"),
        ((*TABLES, "--columns", DIGITS), "option --columns: no column '999"),
        (("tables", "--catalogue", "holi\0days"), "option --catalogue: no path has a NUL in it"),
        (("export", "a\0b", *TABLES[1:]), "argument DIR: no path has a NUL in it"),
        (("archive", "list", "a\0b"), "argument ROOT: no path has a NUL in it"),
        (("demo", "--port", DIGITS), "option --port: '999"),
        (("demo", "--port", "65536"), "option --port: '65536' is not a port"),
        (("demo", "--port", "²"), "option --port: '²' is not a port"),
        (("demo", "--port", "1e9999999"), "option --port: '1e9999999' is not a port"),
        (("search", "x", *TABLES[1:], "--limit", DIGITS), "option --limit: "),
        (("search", "x", *TABLES[1:], "--limit", "1e9999999"), "option --limit: "),
        (("search", "x", *TABLES[1:], "--limit", "nan"), "option --limit: "),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_wrong_arguments(command: Command, given: tuple[str, ...], said: str) -> None:
    """What is wrong is said with the option's name, in a line that a person can read."""
    status, out, err = command(*given)
    assert (status, out) == (2, "")
    assert said in err.splitlines()[-1]
    assert len(err) < 4_000


@pytest.mark.parametrize(
    "given",
    [
        ("tables", "--catalogue", "x" * 100_000),
        ("codes", "x" * 100_000, "--catalogue", "holidays"),
        ("sql", "(" * 100_000, "--catalogue", "holidays"),
        ("export", "x" * 100_000, "--catalogue", "holidays"),
        ("tables", "--profile", "x" * 100_000),
        ("archive", "history", "my-archive", "x" * 100_000),
    ],
    ids=lambda given: given[0],
)
def test_long_arguments(command: Command, given: tuple[str, ...]) -> None:
    """What is wrong is not repeated in full length."""
    status, _, err = command(*given)
    assert (status, len(err.splitlines())) == (1, 1)
    assert len(err) < 4_000


@pytest.mark.parametrize("limit", ["1", "9" * 30, "9" * 4_000])
def test_large_limits(command: Command, limit: str) -> None:
    """A limit may be larger than anything."""
    status, out, _ = command("search", "date", *TABLES[1:], "--limit", limit)
    assert status == 0
    assert len(out.splitlines()) > 1


def test_certificates_with_nul(command: Command, server: object) -> None:
    """A NUL in the name of a file that only the login opens is an error of one line."""
    where = ("--data-view", "d", "--system", "s", "--user", "u", "--password-command", "echo x")
    given = ("--base-url", "https://127.0.0.1:1/OrbitAPI", "--certificate", "a\0b", *where)
    status, _, err = command("tables", *given)
    assert (status, len(err.splitlines())) == (1, 1)
    assert "--certificate takes a path, and 'a\\x00b' has a character that no path has." in err


@pytest.mark.parametrize("name", ["", " "])
def test_profiles_need_a_name(command: Command, name: str) -> None:
    """A name that --profile cannot have is refused."""
    given = ("--base-url", "http://a", "--data-view", "b", "--user", "c", name)
    status, _, err = command("profile", "add", *given)
    assert status == 2
    assert err.splitlines()[-1].endswith("argument NAME: it is empty: is a variable not set?")


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
@pytest.mark.parametrize(
    "times",
    [
        "cast(3000000 as date)",
        "cast(-2147483648 as date)",
        "cast(9223372036854775807 as timestamp)",
        "array_agg(cast(3000000 as date))",
    ],
)
def test_times_of_far_years(command: Command, times: str, form: str) -> None:
    """Times that Python lacks are an error of one line, with a way to have them all the same."""
    query = ("sql", f"select {times} as a from tables", *TABLES[1:], "--format", form)
    status, out, err = command(*query)
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert "Column 'a' has times that cannot be printed" in err
    assert command(*query[:-1], "parquet", "--to", "far.parquet")[0] == 0


def test_sql_over_codes_that_were_refused(command: Command) -> None:
    """An answer that lacks codes says so, in a process whose standard error is a file, too."""
    whole = holidays()
    others = whole.codes.filter(pl.col("variable_name") != "boDest")
    lacking = Catalogue(
        whole.system_info, whole.tables, whole.variables, others, unavailable=["boDest"]
    )
    lacking.write_parquet("lacking")
    query = ("sql", "select count(*) as n from codes", "--catalogue", "lacking")
    done = subprocess.run(
        [sys.executable, "-m", "apteco_frames", *query],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "The table codes lacks those of 'boDest': the API refused them." in done.stderr
