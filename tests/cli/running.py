"""Commands, run in this process, in others, or on a terminal."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lanes import PATIENCE
from servers import RecordingServer

import apteco_frames
from apteco_frames.cli import main
from apteco_frames.demo.api import Answer, Request

PASSWORD = "K9-Sentinel-Passw0rd"


class NotingServer(RecordingServer):
    """A demo server with a password that stands nowhere by chance.

    Attributes:
        tokens: the tokens and session ids that it gave.
        broken: a part of the URLs for which it has but an error.
        open: the ids of the sessions that did not log out.
        seen: the command lines of all processes, as they were during each login.
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.api.password = PASSWORD
        self.tokens: list[str] = []
        self.open: set[str] = set()
        self.seen: list[str] = []
        self.broken: str | None = None

    def answer(self, request: Request) -> Answer:
        """What the API answers, with the secrets in it noted."""
        if self.broken and self.broken in request.target:
            return Answer(500, b"{}")
        answer = super().answer(request)
        if request.target.endswith("/SimpleLogin"):
            self.seen += command_lines()
            if answer.status == 201:
                details = json.loads(answer.body)
                self.tokens += [details["accessToken"], details["sessionId"]]
                self.open.add(details["sessionId"])
        elif request.method == "DELETE":
            self.open.discard(request.target.rpartition("/")[2])
        return answer


def command_lines() -> Iterator[str]:
    """What everybody can see of the processes of this machine."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")


class Ran(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str

    def rows(self) -> list[list[str]]:
        """What it printed as fields between tabs."""
        return [line.split("\t") for line in self.out.splitlines()]


class Command:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        try:
            status: Any = main(arguments)
        except SystemExit as ended:
            status = ended.code
        return Ran(status, *self._capsys.readouterr())


# A child of a background job would pass Ctrl-C over.
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from apteco_frames.cli import program
program()
"""


def environment(**changes: str | None) -> dict[str, str]:
    """The environment of a child process that runs the package under test."""
    package = Path(apteco_frames.__file__).resolve().parents[1]
    values = {**os.environ, "PYTHONPATH": str(package), "PYTHONIOENCODING": "utf-8", **changes}
    return {name: value for name, value in values.items() if value is not None}


def in_process(
    *arguments: str,
    given: Any = "",
    program: str = "",
    out: Any = subprocess.PIPE,
    err: Any = subprocess.PIPE,
    **changes: Any,
) -> Ran:
    """Run a command in a process of its own, or a program in Python with its arguments.

    Args:
        arguments: the command line.
        given: its standard input: a text, or a file.
        program: the program.
        out: its standard output, if that is not to be told.
        err: its standard error, likewise.
        changes: to the environment.
    """
    what = ["-c", program] if program else ["-m", "apteco_frames"]
    done = subprocess.run(
        [sys.executable, *what, *arguments],
        env=environment(**changes),
        **{"input" if isinstance(given, str) else "stdin": given},
        stdout=out,
        stderr=err,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    return Ran(done.returncode, done.stdout or "", done.stderr or "")


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A command while it serves, and the lines that it printed by then; it ends in any case."""
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as child:
        assert child.stdout
        try:
            yield child, [child.stdout.readline().rstrip("\n") for _ in range(6)]
        finally:
            child.kill()


@contextmanager
def terminal(columns: int) -> Iterator[tuple[int, bytearray]]:
    """A terminal of that width: where to write, and what it has shown by the end."""
    fcntl, pty, termios = map(pytest.importorskip, ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    shown = bytearray()

    def read() -> None:
        with suppress(OSError):  # Linux has an error in place of an end
            while part := os.read(ours, 65536):
                shown.extend(part.replace(b"\r\n", b"\n"))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield theirs, shown
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)


ON_TERMINAL = {"COLUMNS": None, "NO_COLOR": None, "TERM": "xterm"}


def on_terminal(*arguments: str, columns: int = 80, **changes: str | None) -> Ran:
    """Run a command in this process, with a terminal of that width as standard output."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ON_TERMINAL, **changes}.items():
            patch.delenv(name, raising=False) if value is None else patch.setenv(name, value)
        with terminal(columns) as (theirs, shown):
            err = io.StringIO()
            with open(theirs, "w", encoding="utf-8", closefd=False) as out:
                for stream in ("stdout", "__stdout__"):  # the other is asked for its width
                    patch.setattr(sys, stream, out)
                patch.setattr(sys, "stderr", err)
                try:
                    status: Any = main(arguments)
                except SystemExit as ended:
                    status = ended.code
    return Ran(status, shown.decode(), err.getvalue())


def in_process_on_terminal(*arguments: str, columns: int = 80, **changes: str | None) -> Ran:
    """Run a command in a process of its own, with a terminal as standard output."""
    with terminal(columns) as (theirs, shown):
        options: dict[str, Any] = {**ON_TERMINAL, **changes}
        done = in_process(*arguments, out=theirs, **options)
    return done._replace(out=shown.decode())


def shell(script: str, folder: Path, **changes: str | None) -> Ran:
    """Run a script with ``sh``, for which ``apteco-frames`` is the package under test."""
    if not shutil.which("sh"):
        pytest.skip("needs sh")
    program = folder / "bin/apteco-frames"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m apteco_frames "$@"\n')
    program.chmod(0o755)
    changes["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", script],
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=2 * PATIENCE,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)
