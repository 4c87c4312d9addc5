"""How far a load is: shown where a person is looking, and told to whoever asks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from servers import RecordingServer

from apteco_frames.demo import DemoServer
from apteco_frames.demo.api import Answer, Request
from apteco_frames.errors import NotLoadedError

SLOW = """
import sys, time
from apteco_frames.support.progress import progress_of

def load(progress, pause):
    with progress_of("codes of variables", progress) as report:
        for done in range(1, 9):
            if report:
                report(done, 1234)
            time.sleep(pause)
"""


def run(
    progress: bool | None = None, pause: float = 0.15, *, tty: bool, kind: str = "xterm"
) -> str:
    """What a program writes to standard error, a terminal or a pipe, while it reports."""
    command = [sys.executable, "-W", "error", "-c", f"{SLOW}\nload({progress}, {pause})"]
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


def test_on_a_terminal() -> None:
    """After half a second it is shown how far a load is; then it goes away."""
    written = run(tty=True)
    assert re.search(r"codes of variables: .* [4-8]/1234", written)
    assert "1/1234" not in written
    assert "\n" not in written
    assert written.rpartition("\r")[0].rpartition("\r")[2].strip() == ""
    assert written.endswith("\r")


def test_short_loads_show_nothing() -> None:
    """A load that is over at once leaves the terminal as it was."""
    assert run(pause=0.01, tty=True) == ""


def test_in_a_pipe() -> None:
    """Where nobody is looking nothing is shown, unless asked for."""
    assert run(tty=False) == ""
    assert run(tty=True, kind="dumb") == ""  # what was written there could not be wiped out
    assert "codes of variables" in run(True, tty=False)
    assert run(False, tty=True) == ""


@pytest.mark.parametrize("progress", [None, True])
def test_without_standard_error(progress: bool | None) -> None:
    """A program without standard error, as a window's, loads as any other."""
    script = f"{SLOW}\nsys.stderr = None\nload({progress}, 0.1)"
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlockingKernelClient]:
    """A notebook in which warnings are errors."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment |= {"IPYTHONDIR": str(tmp_path_factory.mktemp("ipython"))}
    environment |= {"JUPYTER_PLATFORM_DIRS": "1"}
    manager, client = start_new_kernel(kernel_name="python3", env=environment)
    try:
        client.execute_interactive(SLOW, timeout=60)
        client.execute_interactive("import warnings; warnings.simplefilter('error')", timeout=60)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def shown(notebook: BlockingKernelClient, script: str) -> list[tuple[str, Any]]:
    """What a notebook hears of a cell, errors included: kinds of messages, and what they hold."""
    heard: list[Any] = []
    notebook.execute_interactive(script, output_hook=heard.append, timeout=120)
    return [(message["msg_type"], message["content"]) for message in heard]


def test_in_a_notebook_with_widgets(notebook: BlockingKernelClient) -> None:
    """A notebook shows a bar below the cell, also of a load that fails, and takes it away."""
    assert "display_data" not in dict(shown(notebook, "load(None, 0.01)"))
    broken = "with progress_of('codes', None) as report:"
    broken += "\n for done in (1, 2, 3): report(done, 9); time.sleep(0.3)\n 1 / 0"
    for script in ("load(None, 0.15)", broken):
        heard = shown(notebook, script)
        kinds = [kind for kind, _ in heard]
        assert "stream" not in kinds
        (bar,) = (content["data"] for kind, content in heard if kind == "display_data")
        model = bar["application/vnd.jupyter.widget-view+json"]["model_id"]
        assert model in [c["comm_id"] for kind, c in heard if kind == "comm_close"]


def test_in_a_notebook_without_widgets(notebook: BlockingKernelClient) -> None:
    """Where there is no ipywidgets, the bar is text, and wiped out at the end."""
    hide = "sys.modules['ipywidgets'] = None"
    heard = shown(notebook, f"{hide}\nload(None, 0.15)\ndel sys.modules['ipywidgets']")
    assert {kind for kind, _ in heard} == {"status", "execute_input", "stream"}
    written = "".join(content["text"] for kind, content in heard if kind == "stream")
    assert re.search(r"codes of variables: .* [4-8]/1234", written)
    assert written.rpartition("\r")[0].rpartition("\r")[2].strip() == ""


class SlowServer(RecordingServer):
    """Takes a while for each variable's codes, and for each folder."""

    def answer(self, request: Request) -> Answer:
        if "/Codes" in request.target or "/Folders" in request.target:
            time.sleep(0.06)
        return super().answer(request)


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


@pytest.mark.parametrize("loads", ["codes", "folders"])
@pytest.mark.parametrize("asks", ["codes", "folders"])
def test_callable_that_asks_for_more(loads: str, asks: str) -> None:
    """A callable that uses its session has what is there, and an error at once for the rest."""
    told: list[object] = []

    def tell(done: int, total: int) -> None:
        if session is not None and not told:
            told.append((len(session.tables), len(session.systems)))
            with pytest.raises(NotLoadedError, match=r"A progress= callable asked for codes or"):
                getattr(session, asks)
            told.append(done)

    session = None
    with DemoServer() as server:
        session = server.login(progress=tell)
        getattr(session, loads)
        assert told == [(9, 1), 1]
        assert len(getattr(session, asks)) > 10


@pytest.mark.parametrize("wrong", ["yes", 1, 0.5, []])
def test_progress_of_another_type(wrong: Any) -> None:
    """What is neither a truth value nor a callable is an error before anything is sent."""
    with DemoServer() as server, pytest.raises(TypeError, match="progress= takes True, False"):
        server.login(progress=wrong)
    with DemoServer() as server:
        session = server.login()
        with pytest.raises(TypeError, match="progress= takes True, False"):
            session.load_codes(progress=wrong)
