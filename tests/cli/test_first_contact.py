"""What a new user meets first: help, usage, profiles that ask, sources, messages, completion."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from cli.running import (
    Command,
    NotingServer,
    environment,
    in_process,
    on_terminal,
    terminal,
)
from lanes import PATIENCE

import apteco_frames
from apteco_frames import Archive, Catalogue, errors, schema
from apteco_frames.cli import messages
from apteco_frames.cli.read import TYPES
from apteco_frames.demo import holidays
from apteco_frames.errors import Hint

GROUPS = [(), ("archive",), ("cache",), ("profile",)]


@pytest.mark.parametrize("words", GROUPS, ids=" ".join)
def test_a_bare_command_shows_its_help(command: Command, words: tuple[str, ...]) -> None:
    """Without a command, the commands are listed, and nothing is wrong."""
    bare = command(*words)
    assert bare == command(*words, "--help")
    assert bare.status == 0


def test_options_of_a_login_stand_apart(command: Command) -> None:
    """The help lists a command's own options first, and those of a login last."""
    shown = command("search", "--help").out
    headings = re.findall(r"^(\w[\w ]*):$", shown, re.MULTILINE)
    assert headings == ["Options", "Where the catalogue comes from", "Output", "Login"]
    own, _, rest = shown.partition("Where the catalogue comes from:")
    login = rest.partition("Login:")[2]
    listed = re.findall(r"^  (?:-h, )?(--\w+)", own, re.MULTILINE)
    assert listed == ["--limit", "--synonyms", "--codes", "--help"]
    for option in ("--base-url", "--data-view", "--user", "--password-stdin", "--no-cache"):
        assert option in login
        assert option not in own


# Where the catalogue comes from.


@pytest.fixture
def two(place: Path) -> str:
    """An archive with two systems."""
    archive = Archive(place / "two")
    whole = holidays()
    archive.add(whole)
    archive.add(Catalogue(whole.system_info._replace(name="other"), whole.tables, whole.variables))
    return "two"


def test_systems_need_no_system(command: Command, server: NotingServer) -> None:
    """The systems of a DataView are listed to whoever does not know the name of one."""
    given = ("--base-url", server.base_url, "--data-view", "Holidays", "--user", server.user)
    done = command("systems", *given, "--columns", "name", "--no-header")
    assert done == (0, "holidays\n", "")
    assert server.open == set()
    assert (
        "Missing option --system. To list the systems: apteco-frames systems"
        in command("tables", *given).err
    )


@pytest.mark.parametrize("kept", [[], ["--no-cache"]], ids=str)
def test_a_wrong_system_names_those_that_are(command: Command, kept: list[str]) -> None:
    """A system that is not there is told with those that are, with a cache and without."""
    status, _, err = command("tables", "--profile", "orbit", "--system", "holiday", *kept)
    assert status == 1
    assert "There is no system 'holiday'" in err
    assert "There are: 'holidays'." in err


def test_archives_are_a_source(command: Command) -> None:
    """What a catalogue can be read for, an archive can, too: the latest build, or another."""
    given = ("sql", "select count(*) as n from variables", "--no-header", "--archive", "my-archive")
    assert command(*given) == (0, "93\n", "")
    first = Archive("my-archive").builds["build"][0]
    assert command(*given, "--build", first) == (0, "94\n", "")
    assert command(*given, "--build", "2019-11-27T15-57-24").out == "94\n"
    codes = command("codes", "boDest", "--archive", "my-archive")
    assert codes == command("codes", "boDest", "--catalogue", "newer")
    assert command("export", "out", "--archive", "my-archive").status == 0
    assert Catalogue.read_parquet("out") == Catalogue.read_parquet("newer")


def test_systems_of_an_archive(command: Command, two: str) -> None:
    """Of an archive with several systems one is chosen; those that are there are named."""
    status, _, err = command("tables", "--archive", two)
    assert status == 2
    assert "holds 'holidays', 'other'. Choose one with --system" in err
    assert command("tables", "--archive", two, "--system", "other").status == 0
    assert "It has " in command("tables", "--archive", two, "--system", "nothing").err
    assert (
        command("systems", "--archive", two, "--columns", "name").out == "name\nholidays\nother\n"
    )
    assert "There is no build in the archive at " in command("tables", "--archive", "none").err


# What is shown.


def test_variables_of_a_table_a_type_and_a_folder(command: Command) -> None:
    """Variables are those of a table, of types, and in a folder with those below it."""
    whole = holidays()
    given = ("variables", "--catalogue", "holidays", "--columns", "name", "--no-header")
    rows = whole.variables.frame
    for options, wanted in (
        (["--table", "Bookings"], pl.col("table_name") == "Bookings"),
        (["--type", "date", "--type", "DateTime"], pl.col("type").is_in(["Date", "DateTime"])),
        (
            ["--table", "People", "--type", "Text"],
            (pl.col("table_name") == "People") & (pl.col("type") == "Text"),
        ),
    ):
        assert command(*given, *options).out.split() == rows.filter(wanted)["name"].to_list()
    below = command(*given, "--folder", "Booking").out.split()
    assert len(below) == whole.folders["Booking"].total_variable_count
    assert "Nearest: 'Bookings'" in command(*given, "--table", "Boking").err
    assert command(*given, "--table", "Content", "--type", "Date") == (
        0,
        "",
        "apteco-frames: no variable matches\n",
    )
    assert tuple(schema.VARIABLE_TYPES) == TYPES


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("boDest", ["boDest: Destination (Selector)", "Table ", "Bookings"]),
        ("Destination", ["boDest: Destination (Selector)"]),
        ("Bookings", ["Bookings (table)", "2,130,081"]),
        ("Booking/Destination Details", ["Destination Details (folder)"]),
    ],
)
@pytest.mark.parametrize("source", [("--catalogue", "holidays"), ("--profile", "orbit")])
def test_show(command: Command, source: tuple[str, str], name: str, shown: list[str]) -> None:
    """A variable, table or folder is shown as a card of text."""
    status, out, err = command("show", name, *source)
    assert (status, err) == (0, "")
    assert [part for part in shown if part not in out] == []


def test_what_has_no_codes_says_so(command: Command) -> None:
    """No codes are told from codes that are not there."""
    done = command("codes", "hoURN", "--catalogue", "holidays", "--no-header")
    said = "variable 'hoURN' (Household URN), of type Reference, has no codes"
    assert done == (0, "", f"apteco-frames: {said}\n")


def test_queries_of_files(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query can stand in a file, or come on standard input."""
    query = "select name from tables where depth = 0"
    place.joinpath("q.sql").write_text(f"\ufeff{query}\n", encoding="utf-8")
    expected = (0, "Households\n", "")
    offline = ("--catalogue", "holidays", "--no-header")
    assert command("sql", "--file", "q.sql", *offline) == expected
    given = io.TextIOWrapper(io.BytesIO(query.encode()), encoding="ascii")
    monkeypatch.setattr(sys, "stdin", given)
    assert command("sql", "-", *offline) == expected
    assert "nothing.sql: No such file" in command("sql", "--file", "nothing.sql", *offline).err


def test_csv_for_programs_and_for_spreadsheets(command: Command, place: Path) -> None:
    """For programs each value is as it is; for a spreadsheet none runs as a formula."""
    whole = holidays()
    codes = whole.codes.frame.with_row_index("n").with_columns(
        code=pl.when(pl.col("n") < 3)
        .then(
            pl.concat_list(pl.lit("-1"), pl.lit("+44"), pl.lit("=1+1")).list.get(
                pl.col("n").clip(0, 2)
            )
        )
        .otherwise("code")
    )
    name = codes["variable_name"][0]
    Catalogue(whole.system_info, whole.tables, whole.variables, codes.drop("n")).write_parquet(
        "odd"
    )
    given = ("codes", name, "--catalogue", "odd", "--columns", "code", "--format")
    assert command(*given, "csv").out.splitlines()[:4] == ['"code"', '"-1"', '"+44"', '"=1+1"']
    excel = command(*given, "excel-csv", "--to", "codes.csv")
    assert excel == (0, "", "")
    lines = place.joinpath("codes.csv").read_bytes().decode("utf-8-sig").splitlines()
    assert place.joinpath("codes.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert lines[:4] == ['"code"', '"\'-1"', '"\'+44"', '"\'=1+1"']


@pytest.mark.parametrize("columns", [20, 30, 40, 60, 80])
@pytest.mark.parametrize(
    ("given", "key"),
    [
        (["tables"], "name"),
        (["variables"], "name"),
        (["folders"], "path"),
        (["search", "date"], "name"),
        (["codes", "boDest"], "code"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_keys_are_never_cut(place: Path, given: list[str], key: str, columns: int) -> None:
    """Whatever the terminal's width, what one types again is there whole."""
    options = ("--catalogue", "holidays", "--columns")
    whole = on_terminal(*given, *options, key, columns=200, NO_COLOR="1")
    narrow = on_terminal(*given, *options[:2], columns=columns, NO_COLOR="1")
    for text in (line.strip() for line in whole.out.splitlines()):
        assert text in narrow.out
    left_out = narrow.err.partition("no room for ")[2].partition(";")[0].split(", ")
    assert not {key} & set(left_out)


def test_builds_are_never_cut(place: Path) -> None:
    """The names of builds are whole in a narrow terminal, too."""
    done = on_terminal("archive", "list", "my-archive", columns=50, NO_COLOR="1")
    for build in Archive("my-archive").builds["build"]:
        assert build in done.out


# Messages.


def test_each_hint_has_words_of_the_terminal() -> None:
    """What to do next is said in the terminal's words, for each hint that there is."""
    assert set(messages.HINTS) == set(Hint)
    for words in messages.HINTS.values():
        assert not PYTHON.search(words), words


PYTHON = re.compile(r"\w\(|\bsession\.\w|\bcatalogue\.\w|(?<![\w-])[a-z_]+=(?!\w*[:/])")
ROOMS = ("analysis", "normalize", "orbit", "storage", "render", "frame", "support")


def raised() -> list[tuple[str, str]]:
    """The texts of errors and warnings of the package's own, with where they stand."""
    root = Path(apteco_frames.__file__).parent
    kinds = {name for name in vars(errors) if name.endswith(("Error", "Warning"))} | {"warn"}
    found = []
    paths = [path for room in ROOMS for path in root.joinpath(room).rglob("*.py")]
    for path in (*paths, *root.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds and node.args:
                texts = [
                    part.value
                    for part in ast.walk(node.args[0])
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                ]
                found.append((f"{path.relative_to(root)}:{node.lineno}", "".join(texts)))
    return found


# What only who writes Python can come to.
ONLY_IN_PYTHON = re.compile(
    r"unavailable= |progress= callable|an adapter of http=|hook of http=|verify=|to_pandas\(\)"
    r"|serialize\(\)|api_client|forked"
)


def test_errors_speak_no_python() -> None:
    """No error says how Python goes on but in its hint, which the terminal has words for."""
    found = raised()
    assert len(found) > 50
    wrong = [
        (where, text)
        for where, text in found
        if PYTHON.search(text) and not ONLY_IN_PYTHON.search(text)
    ]
    assert wrong == []


def test_a_port_that_is_in_use(command: Command, server: NotingServer) -> None:
    """A port that is taken is told by its number, with what to do."""
    port = server.base_url.split(":")[2].split("/")[0]
    status, out, err = command("serve", "holidays", "--port", port)
    said = f"Port {port} is in use by another program. Choose another with --port, or leave it out"
    assert (status, out) == (1, "")
    assert err.startswith(f"apteco-frames: {said}")


# Profiles.

OTHERS = (
    '# mine\n[first]\nuser = "me"\n\n# of the second\n[ "orbit" ] # it\nuser = "x"\n# apart\n\n'
)
REST = '# the last\n[last]\nuser = "you"\n'


def test_profiles_are_removed(command: Command, place: Path) -> None:
    """A profile is removed, and what else is in the file stays to the letter."""
    file = place / "config/profiles.toml"
    file.write_text(OTHERS + REST)
    assert command("profile", "remove", "orbit") == (
        0,
        "",
        f"apteco-frames: removed profile 'orbit' from {file}\n",
    )
    assert file.read_text() == '# mine\n[first]\nuser = "me"\n# apart\n\n' + REST
    status, _, err = command("profile", "remove", "orbit")
    assert status == 1
    assert "There is no profile 'orbit'" in err


def test_profiles_that_cannot_be_told_apart(command: Command, place: Path) -> None:
    """A profile that is written in another way is left to the user, and nothing is changed."""
    file = place / "config/profiles.toml"
    text = 'orbit = { user = "me" }\n[last]\nuser = "you"\n'
    file.write_text(text)
    status, _, err = command("profile", "remove", "orbit")
    assert (status, file.read_text()) == (1, text)
    assert "Remove it there yourself." in err


ANSWERS = [
    (b"Name of the profile", b"asked\n"),
    (b"Base URL", b"orbit.my-site.com\n"),
    (b"The base URL must be", b""),
    (b"Base URL", b"https://orbit.my-site.com/OrbitAPI\n"),
    (b"DataView", b"my_view\n"),
    (b"System", b"my_system\n"),
    (b"User name", b"jdoe\n"),
    (b"added profile", b""),
]


def asked(answers: list[tuple[bytes, bytes]]) -> int:
    """The status of ``profile add`` on a terminal, by what is shown and what is typed then."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "apteco_frames", "profile", "add"],
        env=environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as child:
        os.close(theirs)
        shown = b""
        for question, answer in answers:
            while question not in shown:
                shown += os.read(ours, 1024)
            assert b"Traceback" not in shown
            shown = shown.partition(question)[2]
            os.write(ours, answer)
        status = child.wait(PATIENCE)
    os.close(ours)
    return status


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of its own")
def test_profile_add_asks(place: Path) -> None:
    """On a terminal a profile is asked for what is not given, and again for what is wrong."""
    assert asked(ANSWERS) == 0
    listed = json.loads(in_process("profile", "list", "--format", "json").out)
    assert listed[-1] == {
        "name": "asked",
        "base_url": "https://orbit.my-site.com/OrbitAPI",
        "data_view": "my_view",
        "system": "my_system",
        "user": "jdoe",
        "certificate": None,
    }


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of its own")
@pytest.mark.parametrize("number", [0, 4])
def test_profile_add_is_cancelled(place: Path, number: int) -> None:
    """Whoever ends the input at a question adds no profile, and is told so in a line."""
    before = (place / "config/profiles.toml").read_bytes()
    question = ANSWERS[number][0]
    ends = [(question, b"\x04"), (b"\napteco-frames: Cancelled. Nothing was changed.", b"")]
    assert asked([*ANSWERS[:number], *ends]) == 1
    assert (place / "config/profiles.toml").read_bytes() == before


# Completion.


def completed(line: str, shell: str = "fish") -> list[str]:
    """What a shell is given to complete a line with, without descriptions."""
    *_, last = line.split(" ")
    words = {"COMP_WORDS": line, "COMP_CWORD": last}
    if shell == "bash":
        words["COMP_CWORD"] = str(len(line.split(" ")) - 1)
    done = in_process(_APTECO_FRAMES_COMPLETE=f"{shell}_complete", **words)
    assert (done.status, done.err) == (0, "")
    return [text.partition(",")[2].partition("\t")[0] for text in done.out.split("\n") if text]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("apteco-frames codes --catalogue holidays boDe", ["boDest"]),
        ("apteco-frames codes --archive my-archive boDe", ["boDest"]),
        ("apteco-frames variables --catalogue holidays --table Pol", ["Policies"]),
        ("apteco-frames variables --catalogue holidays --columns name,is_v", ["name,is_virtual"]),
        ("apteco-frames tables --profile or", ["orbit"]),
        ("apteco-frames profile remove or", ["orbit"]),
        ("apteco-frames archive history my-archive boDe", ["boDest"]),
        ("apteco-frames archive check my-archive --system hol", ["holidays"]),
        ("apteco-frames archive list my-archive --columns system,add", ["system,added_at"]),
        ("apteco-frames tables --archive my-archive --system hol", ["holidays"]),
        ("apteco-frames codes --catalogue nothing bo", []),
    ],
)
def test_names_complete(place: Path, line: str, expected: list[str]) -> None:
    """Variables, tables, columns, profiles and systems complete, without a server."""
    assert completed(line) == expected


def test_names_complete_after_a_login(command: Command) -> None:
    """What was kept of the last login completes the next line."""
    assert command("tables", "--profile", "orbit").status == 0
    assert completed("apteco-frames codes --profile orbit boDe") == ["boDest"]


def test_fish_gets_no_commas(place: Path) -> None:
    """Descriptions have no commas in fish, whose script would split there."""
    done = in_process(
        _APTECO_FRAMES_COMPLETE="fish_complete", COMP_WORDS="apteco-frames ", COMP_CWORD=""
    )
    descriptions = [line.partition("\t")[2] for line in done.out.splitlines()]
    assert "Show a variable; table or folder." in descriptions
    assert not [text for text in descriptions if "," in text]


def test_bash_gets_words_as_they_are_typed(place: Path) -> None:
    """A name with blanks is one word in bash."""
    line = "apteco-frames variables --catalogue holidays --table Resp"
    assert completed(line, "bash") == ["Responses\\ Attributed"]


# Time.

LIGHT = """
import sys
from apteco_frames.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
heavy = {"requests", "urllib3", "rapidfuzz", "tqdm", "apteco_frames.orbit"} & set(sys.modules)
print(sorted(heavy), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "given",
    [
        ["tables", "--catalogue", "holidays"],
        ["codes", "boDest", "--catalogue", "holidays"],
        ["show", "boDest", "--catalogue", "holidays"],
        ["sql", "select 1 as n", "--catalogue", "holidays"],
        ["tables", "--archive", "my-archive"],
        ["diff", "older", "newer"],
    ],
    ids=lambda given: f"{given[0]} {given[-2]}",
)
def test_offline_commands_start_light(place: Path, given: list[str]) -> None:
    """What needs no server imports nothing for HTTP."""
    assert in_process(*given, program=LIGHT).err == "[]\n"


SLOW = """
import time
from apteco_frames import Catalogue
from apteco_frames.cli import program, working
working.DELAY = working.PAUSE = 0.05
write = Catalogue.write_html
Catalogue.write_html = lambda *given, **more: (time.sleep(0.2), write(*given, **more))[1]
program()
"""


def test_work_that_takes_long_is_told(place: Path) -> None:
    """On a terminal it is said what is being done, and gone when it is done."""
    with terminal(80) as (theirs, shown):
        given = ("dictionary", "d.html", "--catalogue", "holidays")
        done = in_process(*given, program=SLOW, err=theirs, TERM="xterm")
    assert done == (0, "d.html\n", "")
    assert b"writing d.html" in shown
    assert shown.endswith(b"\r")


def test_dictionary_opens(place: Path, server: NotingServer) -> None:
    """``--open`` hands the page to the browser."""
    done = in_process(
        *("dictionary", "d.html", "--catalogue", "holidays", "--open"),
        BROWSER=f'{sys.executable} -c \'import sys; open("seen", "w").write(sys.argv[1])\' %s',
    )
    assert (done.status, done.out) == (0, "d.html\n")
    assert place.joinpath("seen").read_text() == (place / "d.html").as_uri()
