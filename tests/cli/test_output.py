"""Rows on standard output: the same on terminals, in pipes, and in formats for programs."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import polars.testing
import pyarrow.parquet as pq
import pytest
from cli.running import Command, in_process_on_terminal, on_terminal, shell
from hypothesis import given
from hypothesis import strategies as st
from strategies import ODD_TEXTS, catalogue_of, table_item, variable_item

from apteco_frames import Catalogue
from apteco_frames.cli import main
from apteco_frames.cli.output import escaped
from apteco_frames.demo import holidays
from apteco_frames.support.text import display_width

OFFLINE = ("--catalogue", "holidays")


def unescaped(text: str) -> str:
    """What was escaped for one field."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape")


@given(st.text() | st.sampled_from(ODD_TEXTS))
def test_fields_are_on_one_line(text: str) -> None:
    """A field has no tab, line break or control character, and can be read back."""
    field = escaped(text)
    assert "\t" not in field
    assert len(field.splitlines()) <= 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in field)
    assert unescaped(field) == text


def test_pipe(command: Command) -> None:
    """In a pipe fields are whole, with tabs between, under the names of their columns."""
    rows = command("variables", *OFFLINE, "--columns", "name,is_virtual,min_date,num_codes").rows()
    assert rows[0] == ["name", "is_virtual", "min_date", "num_codes"]
    assert len(rows) == 95
    date = holidays().variables["boDate"].to_dict()
    assert rows[1] == ["hoURN", "false", "", ""]
    assert ["boDate", "false", date["min_date"].isoformat(), str(date["num_codes"])] in rows


def test_no_header(command: Command) -> None:
    """``--no-header`` leaves the line of columns out, for programs that read lines."""
    names = [table.name for table in holidays().tables]
    given = ("tables", *OFFLINE, "--columns", "name", "--no-header")
    assert command(*given).out == "".join(f"{name}\n" for name in names)


def test_formats_are_equal(command: Command) -> None:
    """JSON, JSON lines, CSV and Parquet hold the same rows, with all columns."""
    expected = holidays().tables.arrow.to_pylist()
    assert json.loads(command("tables", *OFFLINE, "--format", "json").out) == expected
    lines = command("tables", *OFFLINE, "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == expected
    csv = command("tables", *OFFLINE, "--format", "excel-csv").out
    holidays().tables.write_csv("tables.csv")
    assert csv == "\ufeff" + Path("tables.csv").read_text(encoding="utf-8")
    assert csv == "\ufeff" + command("tables", *OFFLINE, "--format", "csv").out


def test_parquet(place: Path) -> None:
    """Parquet goes to a file or a pipe, and is what ``write_parquet`` writes."""
    done = shell("apteco-frames codes boDest --catalogue holidays --format parquet > x", place)
    assert done == (0, "", "")
    table = pq.read_table(place / "x")
    assert table.equals(holidays().codes["boDest"].arrow)


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "excel-csv"])
def test_to_a_file(command: Command, place: Path, form: str) -> None:
    """``--to`` writes what a pipe gets into a file, in UTF-8 whatever the locale has."""
    variables = [variable_item(f"pe{n}", description=text) for n, text in enumerate(ODD_TEXTS)]
    catalogue_of([table_item()], variables).write_parquet(place / "odd")
    given = ("variables", "--catalogue", "odd", "--format", form)
    expected = command(*given).out.encode()
    assert command(*given, "--to", "rows") == (0, "", "")
    assert (place / "rows").read_bytes() == expected


def test_parquet_to_a_file(place: Path) -> None:
    """From a terminal, too, Parquet goes to a file that is named."""
    given = ("codes", "boDest", *OFFLINE, "--format", "parquet", "--to", "rows.parquet")
    assert on_terminal(*given) == (0, "", "")
    assert pq.read_table(place / "rows.parquet").equals(holidays().codes["boDest"].arrow)


def test_no_file_after_an_error(command: Command, place: Path) -> None:
    """What is in the file stays there where the command fails, or cannot write."""
    (place / "rows").write_text("mine")
    assert command("sql", "select nothing", *OFFLINE, "--to", "rows").status == 1
    assert (place / "rows").read_text() == "mine"
    status, out, err = command("tables", *OFFLINE, "--to", "holidays")
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert "holidays" in err


def test_columns(command: Command) -> None:
    """``--columns`` holds in each format, in its order."""
    given = ("tables", *OFFLINE, "--columns", "total_records, name")
    assert command(*given).rows()[:2] == [["total_records", "name"], ["742565", "Households"]]
    assert command(*given, "--format", "csv").out.startswith('"total_records","name"\n742565,"')
    assert json.loads(command(*given, "--format", "json").out)[0] == {
        "total_records": 742565,
        "name": "Households",
    }


def test_empty_answers(command: Command) -> None:
    """No rows are no rows, in each format."""
    query = "select name, depth from tables where depth > 100"
    outs = {
        form: command("sql", query, *OFFLINE, "--format", form).out
        for form in ("table", "json", "jsonl", "csv")
    }
    assert outs == {
        "table": "name\tdepth\n",
        "json": "[\n]\n",
        "jsonl": "",
        "csv": '"name","depth"\n',
    }


def test_odd_values_of_queries(command: Command) -> None:
    """Whatever a query gives has a text: lists, durations, numbers that JSON lacks."""
    query = (
        "select array_agg(name) as names, cast('nan' as double) as nothing, "
        "interval '1 hour' as hour from tables where depth = 0"
    )
    assert command("sql", query, *OFFLINE).rows()[1] == ["Households", "nan", "1:00:00"]
    (row,) = json.loads(command("sql", query, *OFFLINE, "--format", "json").out)
    assert row == {"names": ["Households"], "nothing": None, "hour": "1:00:00"}
    assert command("sql", query, *OFFLINE, "--format", "csv").status == 0


def widest(lines: Sequence[str]) -> int:
    """The columns of the widest line."""
    return max(map(display_width, lines))


@pytest.mark.parametrize("columns", [40, 120])
def test_terminal(place: Path, columns: int) -> None:
    """A terminal shows the same fields, aligned, and no line is wider than it is."""
    done = in_process_on_terminal("tables", *OFFLINE, columns=columns, NO_COLOR="1")
    lines = done.out.splitlines()
    assert done.status == 0
    no_room = "parent_name, total_records, variable_count" * (columns < 120)
    assert (no_room in done.err) if no_room else (done.err == "")
    assert widest(lines) <= columns
    assert len(lines) == 10
    if columns == 120:
        assert lines[0].split() == [
            *("name", "plural", "parent_name", "total_records", "variable_count")
        ]
        assert lines[1].split() == ["Households", "Households", "742,565", "13"]


def test_numbers_are_aligned(place: Path) -> None:
    """Numbers are to the right, where some are not there, too."""
    given = ("variables", *OFFLINE, "--columns", "num_codes,name", "--no-header")
    lines = on_terminal(*given, NO_COLOR="1").out.splitlines()
    assert lines[:3] == ["           hoURN", "       15  hoRegion", "      216  hoTown"]


def test_more_columns_than_the_terminal_has(place: Path) -> None:
    """Where even one letter of each column is too much, lines are cut."""
    names = ",".join(holidays().variables.arrow.column_names)
    done = on_terminal("variables", *OFFLINE, "--columns", names, columns=20, NO_COLOR="1")
    assert widest(done.out.splitlines()) <= 20


def test_colour(place: Path) -> None:
    """The line of columns is bold on a terminal, not where the user says no, nor in a pipe."""
    assert on_terminal("tables", *OFFLINE).out.startswith("\x1b[1mname")
    assert "\x1b" not in on_terminal("tables", *OFFLINE, NO_COLOR="1").out
    assert "\x1b" not in on_terminal("tables", *OFFLINE, TERM="dumb").out
    assert "\x1b" not in shell("apteco-frames tables --catalogue holidays", place).out


def test_parquet_is_not_for_terminals(place: Path) -> None:
    """Parquet to a terminal is status 2, with what to do instead."""
    done = on_terminal("tables", *OFFLINE, "--format", "parquet")
    assert (done.status, done.out) == (2, "")
    assert "send it to a file" in done.err


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "excel-csv"])
def test_terminals_obey_no_texts(place: Path, form: str) -> None:
    """What a server says cannot make a terminal do anything, in any format."""
    variables = [
        variable_item(f"pe{number}", description=text)
        for number, text in enumerate(ODD_TEXTS)
        if "\x00" not in text
    ]
    odd = catalogue_of([table_item()], variables)
    odd.write_parquet(place / "odd")
    done = on_terminal("variables", "--catalogue", "odd", "--format", form, NO_COLOR="1")
    assert done.status == 0
    shown = done.out.replace("\n", "")
    assert not [c for c in shown if ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u2028"]


def test_json_keeps_what_it_escapes(command: Command, place: Path) -> None:
    """Texts of all kinds are to the letter in JSON, in CSV, and in a pipe once read back."""
    variables = [variable_item(f"pe{n}", description=text) for n, text in enumerate(ODD_TEXTS)]
    catalogue_of([table_item()], variables).write_parquet(place / "odd")
    given = ("variables", "--catalogue", "odd", "--columns", "description")
    rows = json.loads(command(*given, "--format", "json").out)
    assert [row["description"] for row in rows] == list(ODD_TEXTS)
    fields = command(*given, "--no-header").out.split("\n")[:-1]
    assert [unescaped(field) for field in fields] == list(ODD_TEXTS)
    csv = pl.read_csv(io.StringIO(command(*given, "--format", "csv").out), infer_schema=False)
    assert csv["description"].to_list() == list(ODD_TEXTS)
    excel = command(*given, "--format", "excel-csv").out.removeprefix("\ufeff")
    Catalogue.read_parquet("odd").variables.write_csv("odd.csv")
    expected = pl.read_csv("odd.csv", infer_schema=False, columns=["description"])
    polars.testing.assert_frame_equal(pl.read_csv(io.StringIO(excel), infer_schema=False), expected)


def test_nothing_to_write_to(place: Path) -> None:
    """Without standard output there is nothing to say, and no error."""
    done = shell("apteco-frames tables --catalogue holidays >&-", place)
    assert done == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit of that kind")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_parquet_that_is_cut_off(place: Path, unbuffered: str) -> None:
    """Parquet of which a part alone can be written is an error."""
    script = "ulimit -f 8; apteco-frames variables --catalogue holidays --format parquet > rows"
    # The limit is for each file of the process: that of rows is to be the only one.
    changes = {"PYTHONDONTWRITEBYTECODE": "1", "COVERAGE_PROCESS_CONFIG": None}
    done = shell(script, place, PYTHONUNBUFFERED=unbuffered, **changes)
    assert (done.status, len(done.err.splitlines())) == (1, 1)
    assert 0 < (place / "rows").stat().st_size <= 4096


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_rows_for_programs_are_utf_8(
    place: Path, monkeypatch: pytest.MonkeyPatch, form: str, encoding: str
) -> None:
    """Programs get UTF-8 where the locale has another encoding, as on Windows."""
    whole = holidays()
    text = "Żółw 日本 👩\nand more"
    variables = whole.variables.frame.with_columns(description=pl.lit(text))[:1]
    Catalogue(whole.system_info, whole.tables, variables).write_parquet(place / "odd")
    with open(place / "rows", "w", encoding=encoding) as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", file)
        given = ("variables", "--catalogue", "odd", "--columns", "description", "--format", form)
        assert main(given) == 0
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        "json": pl.read_json,
        "jsonl": pl.read_ndjson,
        "csv": pl.read_csv,
    }
    assert readers[form](place / "rows").to_dicts() == [{"description": text}]


def test_decimals_are_numbers(command: Command) -> None:
    """What is reckoned with a literal such as 1.5, a decimal, is a number in JSON, too."""
    query = "select name, 1.5 * depth as share from tables limit 2"
    out = command("sql", query, *OFFLINE, "--format", "json").out
    assert [row["share"] for row in json.loads(out)] == [0, 1.5]
