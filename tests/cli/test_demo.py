"""The command line: what it prints and writes, run as users run it where that matters."""

from __future__ import annotations

import io
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli.running import environment, in_process, serving
from strategies import as_logged_in

from apteco_frames import Catalogue, login_with_password
from apteco_frames.cli import main
from apteco_frames.demo import DemoServer, holidays

SHOWN = """\
Demo server at {base_url}, logged in as Administrator

9 tables:
  742,565 Households
1,156,553 People
2,130,081 Bookings
  213,567 Policies
  279,538 WebVisits
   70,705 Communications
   55,653 Journeys
  153,041 Content
    1,549 Responses
Master table: Households

94 variables, 9 of them about dates:
  boDate: Booking Date
  boTrav: Travel Date
bo1O9ZTR: Busy dates
PoPolic1: Policy Date
PoTrave1: Policy Travel Date
PoBooki1: Policy Booking Date
cmCommDt: Date of Communication
raRspDat: Response Date
ReCommun: Communication Date

1,032 codes; with one for Sweden: boDest: Destination, 25,207 bookings
"""
WRITTEN = """
The catalogue as Parquet:
  {system}
  {tables}
  {variables}
  {codes}
  {folders}
Carry on from there, offline:
  apteco-frames search travel date --catalogue {folder}
  apteco-frames dictionary holidays.html --open --catalogue {folder}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_demo(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The demo prints what the documentation prints, and writes the catalogue; twice over."""
    for apart in (True, False):
        if apart:
            status, out, err = in_process("demo")
            assert (status, err) == (0, "")
        else:
            assert main(["demo"]) == 0
            out = capsys.readouterr().out
        match = re.match(r"Demo server at (http://127\.0\.0\.1:\d+/OrbitAPI),", out)
        assert match
        folder = Path("holidays-catalogue")
        kinds = ("system", "tables", "variables", "codes", "folders")
        paths = {kind: folder / f"{kind}.parquet" for kind in kinds}
        written = WRITTEN.format(**paths, folder=str(folder))
        assert out == SHOWN.format(base_url=match[1]) + written
        assert sorted(path.relative_to(here) for path in here.rglob("*")) == sorted(
            [folder, *paths.values()]
        )
        assert Catalogue.read_parquet(folder) == holidays()


@pytest.mark.skipif(sys.platform == "win32", reason="takes no such name for a folder")
def test_printed_commands_work(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The two commands that the demo prints at its end carry on from there."""
    folder = 'it\'s a "folder"'
    assert main(["demo", folder]) == 0
    lines = capsys.readouterr().out.partition("Carry on from there, offline:\n")[2]
    search, dictionary = (shlex.split(line)[1:] for line in lines.splitlines())
    assert main(search) == 0
    assert "Travel Date" in capsys.readouterr().out
    dictionary.remove("--open")
    assert main(dictionary) == 0
    assert (here / "holidays.html").is_file()


@pytest.mark.parametrize("name", ["tables.parquet", "variables.parquet"])
@pytest.mark.parametrize("content", [b"not parquet", None])
def test_foreign_files_are_left_alone(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None
) -> None:
    """A file of another origin stays as it is, and the folder gets no other file."""
    path = here / name
    if content is None:
        pq.write_table(pa.table({"mine": [1]}), path)
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    assert main(["demo", "."]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"apteco-frames: {name} exists and is not a catalogue file")
    assert len(error.splitlines()) == 1
    assert path.read_bytes() == before
    assert list(here.iterdir()) == [path]


def test_folder_that_cannot_be_made(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An output that is a file is an error of one line."""
    (here / "file").write_text("mine", encoding="utf-8")
    assert main(["demo", "file"]) == 1
    assert re.fullmatch(r"apteco-frames: file: It is no folder.*\n", capsys.readouterr().err)
    assert (here / "file").read_text(encoding="utf-8") == "mine"


def test_narrow_console(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A console without the characters of a path shows escapes, and all goes well."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["demo", "Kataloge-\u20ac"]) == 0
    sys.stdout.flush()
    assert b"Kataloge-\\u20ac" in raw.getvalue()


@contextmanager
def started(
    folder: Path, *arguments: str, on_interrupt: Any = signal.default_int_handler
) -> Iterator[tuple[subprocess.Popen[str], TextIO]]:
    """Python with these arguments, and its output; at the latest it ends here."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        # A child of a background job would ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, on_interrupt),
    ) as child:
        try:
            yield child, cast(TextIO, child.stdout)
        finally:
            child.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
def test_serve(here: Path) -> None:
    """``--serve`` prints the five values of a login, which works, and ends at Ctrl-C.

    ``--port`` says where to serve.
    """
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    with serving("demo", "--serve", "--port", str(port)) as (child, lines):
        values = [line.split("  ")[-1].strip() for line in lines[:5]]
        labels = [
            line.removesuffix(value).strip() for line, value in zip(lines, values, strict=False)
        ]
        assert labels == ["base URL", "DataView", "system", "user", "password"]
        assert lines[5] == "Serving until Ctrl-C."
        base_url, data_view, system, user, password = values
        assert base_url == f"http://127.0.0.1:{port}/OrbitAPI"
        with login_with_password(base_url, data_view, system, user, password) as session:
            assert session.catalogue == as_logged_in(holidays())
        time.sleep(0.2)  # it prints first and waits then
        child.send_signal(signal.SIGINT)
        out, errors = child.communicate(timeout=60)
        assert (child.returncode, out, errors) == (0, "\nStopped.\n", "")
    assert list(here.iterdir()) == []


# As ``python -m apteco_frames`` does, with a line once the package is in control: at its first
# import after that.
PROGRAM = """
import sys
from apteco_frames.cli import program

class Telling:
    def find_spec(self, name, path=None, target=None):
        if name == "apteco_frames.cli.demo":
            print("here", flush=True)

sys.meta_path.insert(0, Telling())
program()
"""


@contextmanager
def telling(
    folder: Path, program: str, *arguments: str, on_interrupt: Any = signal.default_int_handler
) -> Iterator[subprocess.Popen[str]]:
    """A program in Python, once it has said "here"."""
    command = ("-c", program, *arguments)
    with started(folder, *command, on_interrupt=on_interrupt) as (child, output):
        assert output.readline() == "here\n"
        yield child


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
@pytest.mark.parametrize(
    "moments", [(2,), pytest.param(tuple(range(12)), marks=pytest.mark.slow)], ids=["one", "many"]
)
@pytest.mark.parametrize("arguments", [["demo"], ["demo", "--serve"]], ids=" ".join)
def test_interrupted_at_any_moment(
    tmp_path: Path, arguments: list[str], moments: tuple[int, ...]
) -> None:
    """Ctrl-C ends the program quietly: while it imports, works, serves, or is about to end."""
    statuses = set()
    for moment in moments:
        with telling(tmp_path, PROGRAM, *arguments) as child:
            time.sleep(moment**2 / 60)  # most of the moments fall into the imports
            child.send_signal(signal.SIGINT)
            out, errors = child.communicate(timeout=60)
        assert errors == ""
        statuses.add(child.returncode)
        # It went on to its end, or it was ended.
        assert child.returncode == 130 or "Stopped." in out or "Carry on from there" in out
        assert not list(tmp_path.rglob("*.part"))
    assert 130 in statuses
    assert statuses <= {0, 130, -signal.SIGINT}  # the last at the very end of Python


# Ctrl-C comes while Python runs a callback, from which no exception gets out.
IN_A_CALLBACK = """
import os, signal, weakref
from apteco_frames.cli import program
from apteco_frames.demo import DemoServer

class Thing:
    pass

def start(server, start=DemoServer.start):
    thing = Thing()
    reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT))
    print("here", flush=True)
    del thing
    return start(server)

DemoServer.start = start
program()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
def test_interrupted_in_a_callback(tmp_path: Path) -> None:
    """Ctrl-C is not lost, and nothing is said, where Python passes exceptions over."""
    with telling(tmp_path, IN_A_CALLBACK, "demo", "--serve") as child:
        out, errors = child.communicate(timeout=60)
    assert errors == ""
    assert child.returncode == 130 or "Stopped." in out


@pytest.mark.slow
def test_passed_over_interrupt(tmp_path: Path) -> None:
    """Where Ctrl-C is to be passed over, as for ``command &`` in a script, it is."""
    if sys.platform == "win32":
        pytest.skip("Windows sends no SIGINT to a child")
    with telling(tmp_path, PROGRAM, "demo", on_interrupt=signal.SIG_IGN) as child:
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert "Carry on from there" in out


@pytest.mark.parametrize("serve", [["--serve"], []])
def test_port_in_use(here: Path, capsys: pytest.CaptureFixture[str], serve: list[str]) -> None:
    """A port that is taken is an error of one line."""
    with DemoServer() as server:
        port = server.base_url.split(":")[2].split("/")[0]
        assert main(["demo", *serve, "--port", port]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(r"apteco-frames: .*in use.*\n", shown.err)
