"""The program as a whole: how it starts, and how it ends."""

from __future__ import annotations

import errno
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from cli.running import Command, in_process, shell

from apteco_frames import __version__
from apteco_frames.cli.commands import commands

COMPARISONS = [["diff", "older", "newer"], ["archive", "check", "my-archive"]]


def paths(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of all commands, groups among them."""
    yield above
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from paths(one, (*above, name))
        else:
            yield (*above, name)


ALL = list(paths(commands))

READING = "pyarrow.parquet"
"""A module that is imported when a comparison begins its work."""

# As ``python -m apteco_frames`` does, with something that happens where a module is imported
# that comparisons need and nothing else does.
AT_IMPORT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from apteco_frames.cli import program

class PanicException(BaseException):
    pass

class Trouble:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            {what}

sys.meta_path.insert(0, Trouble())
program()
"""


def test_help_is_quick() -> None:
    """No command imports what is heavy to print its help, or to be completed."""
    program = f"""
import sys
from apteco_frames.cli import main
for words in {ALL!r}:
    try:
        main([*words, "--help"])
    except SystemExit as ended:
        assert ended.code == 0
heavy = {{"pyarrow", "polars", "requests", "numpy", "pandas"}} & set(sys.modules)
print(sorted(heavy), file=sys.stderr)
"""
    done = in_process(program=program)
    assert done.err == "[]\n"
    assert done.out.count("Usage: apteco-frames") == len(ALL)
    assert "`" not in done.out  # which is for docstrings


def test_all_commands_are_there() -> None:
    """The commands are those that the documentation names."""
    assert [" ".join(words) for words in ALL] == [
        "",
        *("demo", "tables", "variables", "codes", "folders", "show", "search", "sql"),
        *("quality", "lint", "export"),
        *("dictionary", "diff", "archive", "archive add", "archive list", "archive history"),
        *(
            "archive check",
            "archive clean",
            "archive prune",
            "systems",
            "uses",
            "serve",
            "mcp",
            "cache",
            "cache dir",
            "cache list",
        ),
        *("cache clean", "profile", "profile add", "profile list", "profile check"),
        "profile remove",
    ]


def test_version(command: Command) -> None:
    """``--version`` prints the version, and nothing else."""
    assert command("--version") == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_what_is_unknown_is_usage(command: Command, words: tuple[str, ...]) -> None:
    """An option that is not there is status 2, after a line of usage."""
    status, out, err = command(*words, "--no-such-option")
    assert (status, out) == (2, "")
    assert err.startswith(f"Usage: {' '.join(('apteco-frames', *words))} ")
    assert "apteco-frames: No such option" in err


@pytest.mark.parametrize("arguments", COMPARISONS, ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("module", "what", "shown"),
    [
        (READING, "raise PanicException('index out of bounds')", "index out of bounds"),
        (READING, "raise OSError('no disk')", "apteco-frames: "),
        ("click", "raise MemoryError", "MemoryError"),
    ],
    ids=["panic", "disk", "memory"],
)
def test_unforeseen_trouble_is_no_answer(
    place: Path, arguments: list[str], module: str, what: str, shown: str
) -> None:
    """A comparison that fails, for whatever reason and whenever, ends with 2."""
    done = in_process(*arguments, program=AT_IMPORT.format(module=module, what=what))
    assert (done.status, done.out) == (2, "")
    assert shown in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
@pytest.mark.parametrize("arguments", COMPARISONS, ids=lambda words: words[0])
def test_interrupted_comparison(place: Path, arguments: list[str]) -> None:
    """Ctrl-C is no answer either, and quiet."""
    program = AT_IMPORT.format(module=READING, what="os.kill(os.getpid(), signal.SIGINT)")
    done = in_process(*arguments, program=program)
    assert done == (130, "", "")


needs_full = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs a file that is always full"
)


@needs_full
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(COMPARISONS[0], 2), pytest.param(["demo"], 1, marks=pytest.mark.slow)],
    ids=["diff", "demo"],
)
def test_answer_that_cannot_be_written(place: Path, arguments: list[str], expected: int) -> None:
    """Output that cannot be written is an error of one line; a comparison has failed then."""
    with open("/dev/full", "wb") as full:
        status, _, err = in_process(*arguments, out=full)
    assert status == expected
    assert re.fullmatch(r"apteco-frames: .*No space left on device\n", err)


@needs_full
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["diff", "older", "no-such-folder"], 2),
        (["diff", "older"], 2),
        pytest.param(["diff", "older", "without-codes"], 2, marks=pytest.mark.slow),
        pytest.param(["archive", "check", "no-such-archive"], 2, marks=pytest.mark.slow),
        pytest.param(["tables", "--catalogue", "no-such-folder"], 1, marks=pytest.mark.slow),
        pytest.param(["tables"], 2, marks=pytest.mark.slow),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_trouble_that_cannot_be_told(place: Path, arguments: list[str], status: int) -> None:
    """The status is right where a log is on a full disk."""
    with open("/dev/full", "wb") as full:
        assert in_process(*arguments, out=subprocess.DEVNULL, err=full).status == status


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["diff", "older", "no-such-folder"], 2),
        (["diff", "older"], 2),
        (["tables", "--catalogue", "no-such-folder"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_no_standard_error(place: Path, arguments: list[str], status: int) -> None:
    """Where there is no standard error, what is for it does not come between the rows."""
    done = shell(f"apteco-frames {' '.join(arguments)} 2>&-", place)
    assert (done.status, done.out) == (status, "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no broken pipes")
@pytest.mark.parametrize("unbuffered", ["", pytest.param("1", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "arguments",
    [
        ["variables", "--catalogue", "holidays"],
        COMPARISONS[0],
        pytest.param(["demo"], marks=pytest.mark.slow),
        pytest.param(["demo", "--serve"], marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_nobody_reads(place: Path, arguments: list[str], unbuffered: str) -> None:
    """Where the reader has gone (``| head``), commands end without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    done = in_process(*arguments, out=writing, PYTHONUNBUFFERED=unbuffered)
    os.close(writing)
    assert (done.status, done.err) == (141, "")


class Unread(io.StringIO):
    """Standard output that nobody reads, as Windows has it."""

    def __init__(self, refuses: str) -> None:
        super().__init__()
        self._refuses = refuses

    def write(self, text: str) -> int:
        if self._refuses == "write":
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return super().write(text)

    def flush(self) -> None:
        if self._refuses == "flush":
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


@pytest.mark.parametrize("refuses", ["write", "flush"])
@pytest.mark.parametrize("arguments", [["variables", "--catalogue", "holidays"], COMPARISONS[0]])
def test_nobody_reads_on_windows(
    command: Command, monkeypatch: pytest.MonkeyPatch, refuses: str, arguments: list[str]
) -> None:
    """A pipe that nobody reads is an invalid argument there, and ends commands without a word."""
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Unread(refuses))
        done = command(*arguments)
    assert (done.status, done.err) == (141, "")


PANIC = """
import os, signal, time
import polars as pl
from apteco_frames import Catalogue
from apteco_frames.cli import program

def interrupted(*given, **options):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    finally:
        pl.SQLContext(t=pl.DataFrame({"a": [1]})).execute("select columns('(') from t")

signal.signal(signal.SIGINT, signal.default_int_handler)
Catalogue.write_parquet = interrupted
program()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to itself")
def test_a_panic_at_an_interrupt_is_an_interrupt(place: Path) -> None:
    """Where polars panics, as an interrupt came in a callback, Ctrl-C ends the command as ever."""
    status, _, err = in_process("export", "saved", "--catalogue", "holidays", program=PANIC)
    assert (status, err) == (130, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """Each shell gets its script, which asks for what there is."""
    script = in_process(_APTECO_FRAMES_COMPLETE=f"{shell}_source")
    assert script.status == 0
    assert "_APTECO_FRAMES_COMPLETE" in script.out
    words = "apteco-frames archive "
    asked = {"COMP_WORDS": words, "COMP_CWORD": "2" if shell != "fish" else ""}
    found = in_process(_APTECO_FRAMES_COMPLETE=f"{shell}_complete", **asked)
    assert {"add", "list", "history", "check"} <= set(
        found.out.replace(",", "\n").replace("\t", "\n").split("\n")
    )


@pytest.mark.parametrize("instruction", ["bash_source", "bash_complete", "no_such"])
def test_completion_is_no_answer(
    command: Command, monkeypatch: pytest.MonkeyPatch, instruction: str
) -> None:
    """Where the variable of completion was exported, a comparison that fails still says so."""
    monkeypatch.setenv("_APTECO_FRAMES_COMPLETE", instruction)
    assert command("diff", "older", "newer").status == 1
    assert command("diff", "older", "no-such-folder").status == 2
