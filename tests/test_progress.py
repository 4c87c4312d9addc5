"""How far a load is: shown where a person is looking, and told to whoever asks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from apteco_frames.demo import DemoServer
from apteco_frames.demo.api import Answer, Request
from apteco_frames.demo.server import DemoHandler

SLOW = """
import sys, time

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[2].split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
from apteco_frames.support.progress import progress_of
progress = {"None": None, "True": True, "False": False}[sys.argv[1]]
with progress_of("codes of variables", progress) as report:
    for done in range(1, 9):
        if report:
            report(done, 1234)
        time.sleep(float(sys.argv[3]))
print(sorted({"tqdm", "rich"} & set(sys.modules)))
"""


def run(
    progress: str = "None",
    hidden: str = "",
    pause: float = 0.15,
    *,
    tty: bool,
    kind: str = "xterm",
) -> str:
    """What a program writes to standard error, a terminal or a pipe, while it reports."""
    command = [sys.executable, "-W", "error", "-c", SLOW, progress, hidden, str(pause)]
    if not tty:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return done.stderr
    ours, theirs = pytest.importorskip("pty").openpty()
    pytest.importorskip("termios").tcsetwinsize(theirs, (24, 80))
    environment = {**os.environ, "TERM": kind}
    with subprocess.Popen(
        command, stderr=theirs, stdout=subprocess.DEVNULL, env=environment
    ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says so where the other side is closed
                break
            if not part:
                break
            written += part
    os.close(ours)
    assert process.returncode == 0, written
    return written.decode()


@pytest.mark.parametrize("hidden", ["", "tqdm", "tqdm rich"])
def test_on_a_terminal(hidden: str) -> None:
    """After half a second it is shown how far a load is, by what is there; then it goes away."""
    written = run(hidden=hidden, tty=True)
    assert "codes of variables" in written
    if hidden != "tqdm":
        assert re.search(r"[4-8]\S* ?(/|of) ?1,?234", written)
        assert "1/1234" not in written
    last = re.split(r"[\r\n]|\x1b\[2K", written.rstrip("\r\n"))[-1]
    assert re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", last).strip() == ""


def test_short_loads_show_nothing() -> None:
    """A load that is over at once leaves the terminal as it was."""
    assert run(pause=0.01, tty=True) == ""


def test_in_a_pipe() -> None:
    """Where nobody is looking nothing is shown, unless asked for."""
    assert run(tty=False) == ""
    assert run(tty=True, kind="dumb") == ""  # what was written there could not be wiped out
    assert "codes of variables" in run("True", "tqdm rich", tty=False)
    assert run("False", tty=True) == ""


def test_without_standard_error() -> None:
    """A program without standard error, as a window's, loads as any other."""
    script = SLOW.replace("import sys, time", "import sys, time; sys.stderr = None", 1)
    command = [sys.executable, "-c", script, "None", "", "0.1"]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0


def test_in_a_notebook(tmp_path: Path) -> None:
    """A notebook shows it below the cell, and takes it away at the end."""
    script = SLOW.replace("sys.argv[1]", "'None'").replace("sys.argv[2]", "''")
    heard: list[Any] = []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment |= {"IPYTHONDIR": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1"}
    manager, client = start_new_kernel(kernel_name="python3", env=environment)
    try:
        client.execute_interactive(
            script.replace("sys.argv[3]", "0.15"), output_hook=heard.append, timeout=120
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    shown = [
        message["content"]["data"]["text/plain"]
        for message in heard
        if message["msg_type"] in ("display_data", "update_display_data")
    ]
    assert len(shown) > 2
    assert re.fullmatch(r"codes of variables: [4-8] of 1,234", shown[1])
    assert shown[-1] == ""
    assert not [m for m in heard if m["content"].get("name") == "stderr"]


class Slow(DemoHandler):
    """Takes a while for each variable's codes, and for each folder."""

    def answer(self, request: Request) -> Answer:
        if "/Codes" in request.target or "/Folders" in request.target:
            time.sleep(0.06)
        return super().answer(request)


class SlowServer(DemoServer):
    """A server that does."""

    handler = Slow


def test_what_a_session_reads_is_told_to_the_login_s_callable() -> None:
    """A callable of login hears of the catalogue, and of codes and folders on first use."""
    told: list[tuple[int, int]] = []
    with DemoServer() as server:
        session = server.login(progress=lambda *numbers: told.append(numbers))
        assert told[-1] == (94, 94)
        told.clear()
        selectors = len(session.variables.filter(api_type="Selector"))
        assert len(session.codes) == 1032
        assert told == [(done, selectors) for done in range(1, selectors + 1)]
        told.clear()
        folders = len(session.folders)
        assert told[-1] == (folders, folders)
        assert [done for done, _ in told] == list(range(1, folders + 1))
        assert session.codes == session.codes
        assert len(told) == folders


def test_a_load_may_be_told_otherwise() -> None:
    """What is given for one load goes before what was given at login."""
    at_login: list[tuple[int, int]] = []
    here: list[tuple[int, int]] = []
    with DemoServer() as server:
        session = server.login(progress=lambda *numbers: at_login.append(numbers))
        at_login.clear()
        bookings = session.variables.filter(table_name="Bookings")
        session.load_codes(bookings, progress=lambda *numbers: here.append(numbers))
        assert here
        session.load_codes(session.tables["People"].variables, progress=False)
        assert at_login == []


def test_a_slow_load_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Codes and folders that take their time show themselves on standard error, if told to."""
    with SlowServer() as server:
        session = server.login(progress=True, max_connections=1)
        capsys.readouterr()
        session.load_codes()
        assert "codes of variables" in capsys.readouterr().err
        assert len(session.folders) == 17
        assert "folders" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["yes", 1, 0.5, []])
def test_progress_of_another_type(wrong: Any) -> None:
    """What is neither a truth value nor a callable is an error before anything is sent."""
    with DemoServer() as server, pytest.raises(TypeError, match="progress= takes True, False"):
        server.login(progress=wrong)
    with DemoServer() as server:
        session = server.login()
        with pytest.raises(TypeError, match="progress= takes True, False"):
            session.load_codes(progress=wrong)
