"""What pages show of a terminal: commands, typed one after the other, and what they print."""

from __future__ import annotations

import doctest
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cli.running import environment

COLUMNS = 100
TIMEOUT = 60.0
SITE = "https://orbit.my-site.com/OrbitAPI"
HOME = "/home/jdoe"
# What a command says that goes on until somebody stops it.
UNTIL_STOPPED = "until Ctrl-C"
PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")


class Typed(NamedTuple):
    """A command of a page.

    Attributes:
        command: what is typed.
        shown: what the page shows after it, standard output and error as they come.
        is_stopped: whether Ctrl-C ends it.
    """

    command: str
    shown: str
    is_stopped: bool


def typed(block: str) -> Iterator[Typed]:
    """The commands of a block: they stand after ``$``, and go on after ``>``."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = 1
        while end < len(lines) and lines[end].startswith("> "):
            end += 1
        command = "\n".join([lines[0], *(line[2:] for line in lines[1:end])])
        shown = "".join(f"{line}\n" for line in lines[end:])
        yield Typed(command, shown, "^C\n" in shown)


class Terminal:
    """A terminal in a folder, as wide as the pages; ``apteco-frames`` is what is tested.

    Args:
        folder: the folder, which pages call ``/home/jdoe``.
        base_url: what pages call ``https://orbit.my-site.com/OrbitAPI``.
        changes: to the environment.
    """

    def __init__(self, folder: Path, base_url: str, changes: Mapping[str, str]) -> None:
        self._folder = folder
        self._base_url = base_url
        self._status = 0
        program = folder / ".bin" / "apteco-frames"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m apteco_frames "$@"\n')
        program.chmod(0o755)
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        quiet = {"PATH": path, "COLUMNS": None, "NO_COLOR": "1", "TERM": "dumb", "TZ": "UTC"}
        self._environment = environment(**quiet, **changes)

    def run(self, what: Typed) -> str:
        """Type a command, and give what is shown until it ends, as pages write it."""
        # As a shell knows in $? how the command before has ended.
        script = f"(exit {self._status})\n{what.command.replace(SITE, self._base_url)}"
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        with subprocess.Popen(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as child:
            os.close(theirs)
            try:
                shown = self._shown(ours, child, what.is_stopped)
                self._status = child.wait(TIMEOUT)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                os.close(ours)
        return self._as_on_pages(shown)

    def _shown(self, ours: int, child: subprocess.Popen[bytes], is_stopped: bool) -> str:
        shown = bytearray()
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    piece = os.read(ours, 65536)
                except OSError:  # how Linux says that nobody writes any more
                    return shown.decode()
                if not piece:
                    return shown.decode()
                shown += piece
            if is_stopped and UNTIL_STOPPED.encode() in shown and shown.endswith(b"\n"):
                shown += b"^C\n"
                os.killpg(child.pid, signal.SIGINT)
                is_stopped = False
        raise TimeoutError(f"still waiting, after showing {shown.decode()!r}")

    def _as_on_pages(self, shown: str) -> str:
        text = shown.replace("\r\n", "\n").replace(self._base_url, SITE)
        text = text.replace(str(self._folder), HOME)
        return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def is_as_shown(shown: str, really: str) -> bool:
    """Whether a page shows what there really was; ``...`` stands for anything."""
    expected, got = (PORT.sub("PORT", text) for text in (shown, really))
    return doctest.OutputChecker().check_output(expected, got, doctest.ELLIPSIS)
