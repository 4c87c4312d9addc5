"""What is wrong is said in a line that leads on, with a status, and never in a traceback."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from cli.running import Command

TABLES = ("tables", "--catalogue", "holidays")
DIGITS = "9" * 5_000
EMPTY = "it is empty: is a variable not set?"
NUL = "no path has a NUL in it"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        # What is missing, unknown or too much.
        ("nothing", "No such command 'nothing'."),
        ("codes", "Missing argument 'NAME'."),
        ("diff older", "Missing argument 'NEW'."),
        ("export", "Missing argument 'DIR'."),
        ("dictionary", "Missing argument 'FILE'."),
        ("search", "Missing argument 'WORDS...'."),
        ("tables --limit", "No such option"),
        ("tables --catalogue", "Option '--catalogue' requires an argument."),
        ("tables --catalogue holidays x", "Got 1 unexpected extra argument."),
        ("diff older newer third x", "Got 2 unexpected extra arguments."),
        ("sql", "Give a query: QUERY, - for standard input, or --file FILE."),
        ("sql 'select 1' --file x", "QUERY and --file FILE are two queries: give one."),
        ("tables", "Which system? Use --profile NAME, --catalogue DIR or --archive ROOT (or --ba"),
        ("profile check", "Which system? Use --profile NAME (or --base-url, --data-view, --system"),
        ("archive prune my-archive", "Give at least one of --keep-last to --keep-yearly."),
        ("archive add x --catalogue holidays --all", "--all needs a login, so no --catalogue."),
        ("uses --catalogue holidays --files Public", ""),
        ("mcp", "Missing --catalogue DIR or --archive ROOT."),
        # What contradicts itself.
        ("tables --archive my-archive --catalogue holidays", "both say what to read."),
        (
            "tables --archive my-archive --profile orbit",
            "needs no login, so no --profile",
        ),
        ("tables --build x --catalogue holidays", "--build is one of an archive"),
        ("tables --catalogue holidays --system x", "--catalogue needs no login, so no --system"),
        ("tables --catalogue holidays --profile orbit", "needs no login, so no --profile either."),
        ("tables --catalogue holidays --password-stdin", "needs no login, so no --password-stdin"),
        ("tables --profile orbit --password-stdin --password-command x", "both give the password."),
        (
            "dictionary d.xlsx --catalogue holidays --uses",
            "--uses needs a FILE that ends in ",
        ),
        # Values that are none, odd ones, too.
        ("dictionary d.pdf --catalogue x", "'FILE': 'd.pdf' ends neither in .html nor in .xlsx"),
        ("tables --catalogue holidays --columns nothing", "no column 'nothing'; there are name, "),
        ("tables --catalogue holidays --columns name,name", "'name' comes twice"),
        (f"tables --catalogue holidays --columns {DIGITS}", "no column '999"),
        ("tables --format xls", "'--format': 'xls' is not one of"),
        ("tables --format \x1b[31mred", "'--format': '\\x1b[31mred' is not one of"),
        ("tables --catalogue holi\0days", f"'--catalogue': {NUL}"),
        ("export a\0b --catalogue holidays", f"'DIR': {NUL}"),
        ("archive list a\0b", f"'ROOT': {NUL}"),
        ("tables --catalogue ''", f"'--catalogue': {EMPTY}"),
        ("export '' --catalogue holidays", f"'DIR': {EMPTY}"),
        ("diff '' ''", f"'OLD': {EMPTY}"),
        ("diff older ''", f"'NEW': {EMPTY}"),
        ("archive check ''", f"'ROOT': {EMPTY}"),
        ("profile add '' --user c", EMPTY),
        ("profile add ' ' --user c", EMPTY),
        *((f"demo --port {port}", "'--port': ") for port in ("x", "-1", "65536", "8.5", "²")),
        (f"demo --port {DIGITS}", "'--port': "),
        *((f"search x --limit {n}", "'--limit': ") for n in ("many", DIGITS, "1e9999999", "nan")),
        *((f"archive clean x --older-than {n}", "'--older-than'") for n in ("-1", "nan", "inf")),
        ("archive prune x --keep-last 0", "'--keep-last'"),
        *(
            (f"diff older newer --drop {share}", f"'--drop': '{share[:9]}")
            for share in (
                *("20", "0%", "1/0", "some", "1e-400", "1e400", "1e-99999999", "1e-99999999%"),
                *("1e99999999%", f"1e{'9' * 20}", "sNaN%", "9" * 100_000),
            )
        ),
        (
            "diff a b --ignore-column cuont",
            "no column 'cuont' is compared; those are ",
        ),
        ("diff a b --fail-on routine", "'--fail-on': 'routine' is not one of "),
        ("diff a b --only system", "'--only': 'system' is not one of 'table', 'variable', "),
        ("diff a b --only systems", "'--only': 'systems' is not one of 'table', 'variable', "),
        ("diff a b --format xml", "'--format': 'xml' is not one of "),
        ("archive check my-archive --accept ' '", "--accept: give a reason"),
    ],
    ids=lambda value: ascii(value[:50]),
)
def test_usage_errors_lead_on(
    place: Path, command: Command, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    """What is wrong is named as the help names it, below the usage and where to read more."""
    given = shlex.split(line)
    if "" in given:
        monkeypatch.chdir(place / "holidays")  # which an empty text could stand for
    status, out, err = command(*given)
    assert (status, out) == (2, "")
    usage, lead, what = err.splitlines()
    assert usage.startswith("Usage: apteco-frames ")
    words = lead.removeprefix("Try 'apteco-frames").removesuffix("--help' for help.").split()
    assert words == ([] if line == "nothing" else given[: len(words) or 1])
    assert said in what
    assert what.startswith("apteco-frames: ")
    assert len(err) < 4_000
    assert "\x1b" not in err


LONG = "x" * 100_000
URL = "--base-url https://127.0.0.1:1/OrbitAPI"
RESAVE = "Save it with them: apteco-frames export, or apteco-frames archive add."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tables --catalogue nothing", "There is no folder nothing. Name a folder that apteco-fr"),
        ("tables --catalogue holidays --to no/x.csv", "There is no folder no, so "),
        ("dictionary no/x.html --catalogue holidays", "There is no folder no, so "),
        ("serve nothing", "There is no folder nothing."),
        ("codes boDst --catalogue holidays", "Nearest: 'boDest'"),
        ("show Destinatoin --catalogue holidays", "called 'Destinatoin'. Nearest: 'Destination'."),
        ("show Hous --catalogue holidays", "called 'Hous'. Nearest: 'Households', 'Household"),
        ("codes Dest --catalogue holidays", "Nearest: 'Destination', "),
        ("variables --catalogue holidays --table Boking", "Nearest: 'Bookings'"),
        ("archive history my-archive hoUNR", "Nearest: 'hoURN'"),
        ("codes boDest --catalogue without-codes", RESAVE),
        ("folders --catalogue without-codes", RESAVE),
        ("quality --catalogue without-codes", RESAVE),
        ("uses --catalogue holidays", "export --uses"),
        ("sql 'select nam from\ntables' --catalogue holidays", "The query "),
        ("sql --file nothing.sql --catalogue holidays", "nothing.sql: No such file"),
        ("sql 'select cast(1 as int128)' --catalogue holidays", "Cast them in the query"),
        ("search x --catalogue holidays --synonyms none.toml", "none.toml"),
        ("tables --archive none", "There is no build in the archive at "),
        ("tables --profile obrit", "There is no profile 'obrit' in "),
        ("profile remove obrit", "There is: 'orbit'."),
        ("tables --profile orbit --user \udc80", ""),
        ("profile check orbit --password-command 'echo wrong'", "not accepted"),
        (f"tables --profile orbit {URL} --certificate none.pem", "There is no file 'none.pem'."),
        (f"tables --profile orbit {URL} --certificate ~no-such-user/none.pem", "none.pem"),
        (f"tables --profile orbit {URL} --certificate a\0b", "'a\\x00b' has a character that no p"),
        (
            "tables --profile orbit --certificate config/profiles.toml",
            "no certificate in PEM ",
        ),
        ("sql \udcff --catalogue holidays", ""),
        ("archive add \udcff --catalogue holidays", ""),
        (f"tables --catalogue {LONG}", ""),
        (f"codes {LONG} --catalogue holidays", ""),
        (f"sql {'(' * 100_000!r} --catalogue holidays", ""),
        (f"export {LONG} --catalogue holidays", ""),
        (f"tables --profile {LONG}", ""),
        (f"archive history my-archive {LONG}", ""),
        # Of what compares trouble is 2.
        ("archive check my-archive --system \udcff", ""),
        ("archive check my-archive --system nothing", "nothing"),
        ("archive check nothing", "Add one with: apteco-frames archive add"),
        ("diff older nothing", "There is no folder nothing."),
        ("lint --catalogue holidays --config none.toml", "none.toml"),
        (
            "lint --catalogue holidays --select empty",
            "no rule 'empty'. Nearest: 'empty-folder'",
        ),
        (
            "lint --catalogue holidays --ignore empty",
            "no rule 'empty'. Nearest: 'empty-folder'",
        ),
        ("uses --broken=nothing --profile orbit", "There is no folder nothing."),
    ],
    ids=lambda value: ascii(value[:50]),
)
def test_errors_are_a_line(command: Command, line: str, said: str) -> None:
    """An error is one line, which says what is wrong, and repeats nothing in full length."""
    status, out, err = command(*shlex.split(line))
    compares = line.startswith(("diff", "lint", "archive check", "uses --broken"))
    assert (status, out, len(err.splitlines())) == (2 if compares else 1, "", 1)
    assert err.startswith("apteco-frames: ")
    assert said in err
    assert len(err) < 4_000


@pytest.mark.parametrize("limit", ["1", "9" * 30, "9" * 4_000])
def test_large_limits(command: Command, limit: str) -> None:
    """A limit may be larger than anything."""
    status, out, _ = command("search", "date", *TABLES[1:], "--limit", limit)
    assert status == 0
    assert len(out.splitlines()) > 1


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
