"""Commands that keep builds, and say what changed; they end as diff(1) does."""

from __future__ import annotations

import csv
import io
import json
import re
from html import escape, unescape
from pathlib import Path

import polars as pl
import pytest
from cli.running import Command, in_process, on_terminal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lanes import up_to
from strategies import ODD_TEXTS, catalogue_of, table_item, variable_item

from apteco_frames import Catalogue
from apteco_frames.cli import main
from apteco_frames.demo import holidays
from apteco_frames.support.text import escape_controls

FELL = "~ table Policies, total_records: 213,567 → 21,357 (\N{MINUS SIGN}90 %)"


def test_diff(command: Command) -> None:
    """What changed is a line each, after a title; something found is status 1."""
    status, out, err = command("diff", "older", "newer")
    assert (status, err) == (1, "")
    assert out.splitlines()[1:3] == [
        f"breaking  {FELL}",
        "breaking  - variable hoURN: Household URN",
    ]
    assert out.splitlines()[0].startswith(
        "3 changes of system 'holidays', built 2019-11-28 15:57:24, since 2019-11-27 15:57:24: "
    )


def test_diff_of_equals(command: Command) -> None:
    """Nothing found is status 0."""
    status, out, err = command("diff", "holidays", "older")
    assert (status, err) == (0, "")
    assert out.startswith("0 changes of system 'holidays'")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (["--fail-on", "any"], 1),
        (["--fail-on", "notable"], 1),
        (["--fail-on", "breaking"], 1),
        (["--only", "table"], 1),
        (["--only", "table", "--fail-on", "notable"], 1),
        (["--only", "table", "--fail-on", "notable", "--drop", "off"], 0),
        (["--only", "table", "--fail-on", "breaking", "--drop", "20%"], 1),
        (["--only", "table", "--fail-on", "breaking", "--drop", "0.2"], 1),
        (["--only", "table", "--fail-on", "breaking", "--drop", "95 %"], 0),
        (["--only", "table", "--ignore-column", "total_records"], 0),
        (["--only", "code"], 0),
        (["--only", "breaking"], 1),
        (["--only", "breaking", "--only", "table", "--drop", "off"], 0),
        (["--only", "notable"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_level(command: Command, given: list[str], status: int) -> None:
    """The options say what is looked at, and what of it counts."""
    assert command("diff", "older", "newer", *given).status == status


def test_only(command: Command) -> None:
    """``--only`` shows nothing else; nouns, in the plural, too, are one of those named."""
    out = command("diff", "older", "newer", "--only", "variable", "--only", "table").out
    assert {line.split()[2] for line in out.splitlines()[1:]} == {"variable", "table"}
    assert command("diff", "older", "newer", "--only", "variables", "--only", "tables").out == out
    out = command("diff", "older", "newer", "--only", "breaking", "--drop", "off").out
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["breaking"]
    assert out.startswith("1 change of system ")


@pytest.mark.parametrize("file", ["tables.parquet", "codes.parquet", "folders.parquet"])
@pytest.mark.parametrize("which", ["older", "newer"])
def test_damage_is_trouble(command: Command, place: Path, which: str, file: str) -> None:
    """A catalogue that cannot be read is status 2, and nothing is said of changes."""
    path = place / which / file
    path.write_bytes(path.read_bytes()[:-200])
    status, out, err = command("diff", "older", "newer")
    assert (status, out, len(err.splitlines())) == (2, "", 1)


def test_what_was_not_compared(command: Command) -> None:
    """What one of them lacks is said on standard error."""
    status, out, err = command("diff", "holidays", "without-codes")
    assert (status, len(out.splitlines())) == (0, 1)
    assert err == (
        "apteco-frames: holidays: Folders were not compared: the newer catalogue has none.\n"
        "apteco-frames: holidays: Codes were not compared: the newer catalogue has none.\n"
    )


@pytest.mark.parametrize("noun", ["code", "folder"])
@pytest.mark.parametrize("pair", [("holidays", "without-codes"), ("without-codes",) * 2])
def test_nothing_of_what_was_asked_for(command: Command, pair: tuple[str, str], noun: str) -> None:
    """Where what ``--only`` asks for is not there, that is trouble, and not without changes."""
    status, out, err = command("diff", *pair, "--only", "table", "--only", noun)
    assert (status, out) == (2, "")
    assert f"{noun.capitalize()}s were not compared: " in err.splitlines()[-1]
    status, _, err = command("diff", *pair, "--only", "table", "--only", "breaking")
    assert (status, err) == (0, "")


def test_json_and_csv(command: Command) -> None:
    """Programs get the columns of changes, with the system's name."""
    older, newer = map(Catalogue.read_parquet, ("older", "newer"))
    expected = [{"system": "holidays", **row} for row in newer.diff(older).arrow.to_pylist()]
    for words in (["diff", "older", "newer"], ["archive", "check", "my-archive"]):
        assert json.loads(command(*words, "--format", "json").out) == expected
        rows = list(csv.DictReader(io.StringIO(command(*words, "--format", "csv").out)))
        assert [row["name"] for row in rows] == [row["name"] for row in expected]
        assert list(rows[0]) == list(expected[0])
    assert json.loads(command("diff", "older", "holidays", "--format", "json").out) == []


@pytest.mark.parametrize(
    "words", [("diff", "older", "newer"), ("archive", "check", "my-archive")], ids=lambda w: w[0]
)
def test_to_a_file(command: Command, place: Path, words: tuple[str, ...]) -> None:
    """``--to`` writes the changes into a file; the status says as ever whether there are any."""
    status, expected, _ = command(*words, "--format", "markdown")
    assert command(*words, "--format", "markdown", "--to", "changes.md") == (status, "", "")
    assert (place / "changes.md").read_text(encoding="utf-8") == expected
    assert status == 1


def test_markdown(command: Command) -> None:
    """Markdown has a table, or says that there is nothing."""
    lines = command("diff", "older", "newer", "--format", "markdown").out.splitlines()
    assert lines[:6] == [
        lines[0],
        "",
        "| severity | change | what | name | column | old | new |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| breaking | changed | table | `Policies` | `total_records` | `213567` | `21357` |",
        "| breaking | removed | variable | `hoURN` |  | `Household URN` |  |",
    ]
    assert lines[0].startswith("### `3 changes of system 'holidays', built 2019-11-28")


def test_github(command: Command) -> None:
    """GitHub Actions get a workflow command for each change."""
    lines = command("diff", "older", "newer", "--format", "github").out.splitlines()
    assert lines[:2] == [
        f"::error title=breaking%3A holidays::{FELL}".replace("%)", "%25)"),
        "::error title=breaking%3A holidays::- variable hoURN: Household URN",
    ]


HOSTILE = (
    *("a|b", "`code`", "<script>alert(1)</script>", "&amp;", "[x](y)", "**b**", "\\|", "100%0A"),
    *("::error::x", "a\n::stop-commands::x", "a\r\nb", "x,y:z", "##[error]x", "##vso[task]x"),
    *("@user", "@org/team", "#1", "org/repo#1", "GH-1", "!1", "~label", ":tada:", "$x^2$"),
    *("https://example.com/?a=b", "www.example.com", "jo@example.com", "<https://example.com>"),
    *("`", "``a", "a`b``", " a ", " ", "a\\", "\\`", "a`|`b", *ODD_TEXTS),
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two catalogues that differ in descriptions that mean something to formats."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, texts in (("old", HOSTILE), ("new", HOSTILE[1:] + HOSTILE[:1])):
        items = [variable_item(f"pe{n}", description=text) for n, text in enumerate(texts)]
        catalogue = catalogue_of([table_item()], items, name="s,y:s%")
        catalogue.write_parquet(folder / name)
    return folder


# A run of backticks, and what stands up to the next run of the same length.
CODE = re.compile(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)")


def test_markdown_is_code(hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in a text is alive: all is code, but for what would end a cell, by its number."""
    assert main(["diff", str(hostile / "old"), str(hostile / "new"), "--format=markdown"]) == 1
    lines = capsys.readouterr().out.split("\n")
    rows = [line for line in lines if line.startswith("| notable")]
    assert len(rows) == len(HOSTILE) == len(lines) - 6
    assert CODE.sub("", lines[0]) == "### "
    for row, text in zip(rows, HOSTILE, strict=True):
        bare = CODE.sub("", row).replace("&#124;", "").replace("&#35;", "")
        assert re.sub(" +", " ", bare) == "| notable | changed | variable | | | | |"
        assert not re.search(r"##\w*\[", row)
        cells = [cell[1:-1] for cell in row[1:-1].split("|")]
        old = CODE.sub(lambda code: read_as_code(code[2]), cells[5])
        assert unescape(old) == escape_controls(text)


def read_as_code(inside: str) -> str:
    """What Markdown shows of code, with nothing in it that HTML would change."""
    has_blanks = inside[:1] == inside[-1:] == " " and inside.strip(" ")
    return escape(inside[1:-1] if has_blanks else inside)


def test_a_log_is_given_no_commands(
    hostile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a pipe, as the log of a build is, no line is a command to whoever reads the log."""
    assert main(["diff", str(hostile / "old"), str(hostile / "new")]) == 1
    columns = ("--columns", "description,name,notes")
    assert main(["variables", "--catalogue", str(hostile / "old"), *columns]) == 0
    query = """select null as "::group::a", '::error::x' as "##[b]", 1 as n"""
    assert main(["sql", query, "--catalogue", str(hostile / "old")]) == 0
    assert main(["codes", "##[error]x", "--catalogue", str(hostile / "old")]) == 1
    captured = capsys.readouterr()
    lines = [*captured.out.splitlines(), *captured.err.splitlines()]
    assert len(lines) > 2 * len(HOSTILE)
    assert [line for line in lines if line.lstrip().startswith("::")] == []
    assert [line for line in lines if re.search(r"##\w*\[", line)] == []
    assert "\\x3a:error::x" in captured.out
    assert "\\x23#vso[task]x" in captured.out


@pytest.mark.parametrize("form", ["json", "github"])
def test_no_command_within_a_line(
    hostile: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """What a build server obeys anywhere in a line is escaped; JSON says the same as before."""
    assert main(["diff", str(hostile / "old"), str(hostile / "new"), "--format", form]) == 1
    out = capsys.readouterr().out
    assert not re.search(r"##\w*\[", out)
    assert "vso[task]x" in out
    if form == "json":
        assert {row["old"] for row in json.loads(out)} == set(HOSTILE)


def test_github_commands_are_whole(hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in a text begins a command, or a property of one."""
    assert main(["diff", str(hostile / "old"), str(hostile / "new"), "--format=github"]) == 1
    lines = capsys.readouterr().out.split("\n")[:-1]
    assert len(lines) == len(HOSTILE)
    start = "::warning title=notable%3A s%2Cy%3As%25::~ variable pe"
    assert [line for line in lines if not line.startswith(start)] == []
    assert any("100%250A" in line for line in lines)
    assert any("a%0A::stop-commands::x" in line for line in lines)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=up_to(10))
@given(st.text(max_size=30))
def test_every_format_takes_every_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """A line stays a line in each format for people, whatever texts there are."""
    for name, word in (("old", "before"), ("new", f"x{text}")):
        catalogue_of([table_item(singularDisplayName=word)]).write_parquet(tmp_path / name)
    numbers = {"text": 2, "markdown": 6, "github": 1}
    for form, number in numbers.items():
        assert main(["diff", str(tmp_path / "old"), str(tmp_path / "new"), f"--format={form}"]) == 1
        assert len(capsys.readouterr().out.splitlines()) == number


def test_terminal(place: Path) -> None:
    """On a terminal severities have colours, and changes fit its width."""
    done = on_terminal("diff", "older", "newer", columns=40)
    lines = done.out.splitlines()
    assert done.status == 1
    assert lines[1] == "\x1b[31mbreaking  ~ table Policies, total_recor…\x1b[0m"
    assert lines[2] == "\x1b[31mbreaking  - variable hoURN: Household U…\x1b[0m"


@pytest.mark.parametrize(
    "form",
    ["json", *(pytest.param(f, marks=pytest.mark.slow) for f in ("csv", "markdown", "github"))],
)
def test_changes_for_programs_are_utf_8(place: Path, form: str) -> None:
    """Programs get UTF-8 where the locale has another encoding, as on Windows."""
    whole = holidays()
    variables = whole.variables.frame.with_columns(description=pl.lit("Żółw 日本"))
    Catalogue(whole.system_info, whole.tables, variables).write_parquet(place / "odd")
    done = in_process(
        *("diff", "holidays", "odd", "--format", form), PYTHONIOENCODING="cp1252", PYTHONUTF8="0"
    )
    assert done.status == 1
    assert done.out.count("Żółw 日本") == len(whole.variables)
