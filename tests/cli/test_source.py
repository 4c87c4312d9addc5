"""Where a catalogue comes from, and the password; which nobody gets to see."""

from __future__ import annotations

import io
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from cli.running import INTERRUPTIBLE, PASSWORD, Command, NotingServer, environment, in_process

from apteco_frames.demo import DemoServer

CHECK = ("profile", "check", "--no-cache")


def said(out: str, label: str) -> str:
    """What ``profile check`` said of something."""
    return next(line for line in out.splitlines() if line.startswith(label)).split()[-1]


@pytest.fixture
def three(
    place: Path, server: NotingServer, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str, str]:
    """Three spellings of the server's URL: the profile's, the environment's, another."""
    url = server.base_url
    monkeypatch.setenv("APTECO_PROFILE", "orbit")
    return url, url.replace("OrbitAPI", "orbitapi"), url.replace("OrbitAPI", "ORBITAPI")


def test_precedence(
    command: Command, three: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line goes before the environment, and this before the profile."""
    profile, environment, line = three
    assert said(command(*CHECK).out, "base URL") == profile
    monkeypatch.setenv("APTECO_BASE_URL", environment)
    assert said(command(*CHECK).out, "base URL") == environment
    assert said(command(*CHECK, "--base-url", line).out, "base URL") == line


def test_environment_alone(
    command: Command, server: NotingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment can name all of a system; a variable that is empty is not there."""
    for name in ("base_url", "data_view", "system", "user"):
        monkeypatch.setenv(f"APTECO_{name.upper()}", getattr(server, name))
    assert command("tables").status == 0
    monkeypatch.setenv("APTECO_USER", "")
    status, _, err = command("tables")
    assert status == 2
    assert err.endswith("apteco-frames: Missing option --user.\n")


def test_command_line_alone(command: Command, server: NotingServer) -> None:
    """The command line can name all of a system."""
    names = ("base_url", "data_view", "system", "user")
    given = [part for n in names for part in (f"--{n.replace('_', '-')}", getattr(server, n))]
    assert command("tables", *given).status == 0


def test_catalogue_goes_before_the_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved catalogue is read whatever the environment says."""
    monkeypatch.setenv("APTECO_PROFILE", "no-such-profile")
    assert command("tables", "--catalogue", "holidays").status == 0


def test_cache(command: Command, place: Path) -> None:
    """What is read is kept on this machine, unless the user says no."""
    assert command("tables", "--profile", "orbit", "--no-cache").status == 0
    assert not (place / "cache").exists()
    assert command("tables", "--profile", "orbit").status == 0
    assert list((place / "cache").glob("*/*/tables.parquet"))


def test_sessions_end(command: Command, server: NotingServer) -> None:
    """No session is left on the server, after an error neither."""
    for words in (["tables"], ["codes", "nothing"], ["tables", "--columns", "nothing"]):
        command(*words, "--profile", "orbit")
    assert server.tokens
    assert server.open == set()


# The password; and one that anybody can see while its command runs.

OTHER = "Q3-Sentinel-0ther"

PRINTS = f"{shlex.quote(sys.executable)} -c 'print(open(\"password\").read())'"


@pytest.fixture
def unset(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is in a file only."""
    monkeypatch.delenv("APTECO_PASSWORD")
    (place / "password").write_text(f"{PASSWORD}\nsecond line\n")


@pytest.mark.usefixtures("unset")
def test_password_command(command: Command) -> None:
    """The password is the first line that a command prints."""
    assert command("tables", "--profile", "orbit", "--password-command", PRINTS).status == 0


@pytest.mark.usefixtures("unset")
def test_password_stdin(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is the first line of standard input."""
    text = io.TextIOWrapper(io.BytesIO(f"\ufeff{PASSWORD}\r\nmore".encode()), encoding="ascii")
    monkeypatch.setattr(sys, "stdin", text)
    assert command("tables", "--profile", "orbit", "--password-stdin").status == 0


def test_order_of_passwords(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command line says of the password goes before the environment."""
    monkeypatch.setenv("APTECO_PASSWORD", "not-the-password")
    (Path("password")).write_text(PASSWORD)
    assert command("tables", "--profile", "orbit").status == 1
    assert command("tables", "--profile", "orbit", "--password-command", PRINTS).status == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (f"{OTHER}", "could not be started: No such file or directory"),
        (f"'{OTHER}", "could not be started: it is not a valid command line"),
        (f"{sys.executable} -c exit({OTHER!r})", "failed with status 1"),
        (f"{sys.executable} -c 'pass' {OTHER}", "printed no password in its first line"),
        (
            f"{sys.executable} -c 'import sys; sys.stdout.buffer.write(b\"{OTHER}\\xff\")'",
            "printed a first line that is not UTF-8",
        ),
        (" ", "could not be started"),
    ],
    ids=["none", "quotes", "fails", "silent", "binary", "blank"],
)
@pytest.mark.usefixtures("unset")
def test_password_commands_that_fail(command: Command, asked: str, said: str) -> None:
    """A command that gives no password is an error, which shows nothing of it."""
    status, out, err = command("tables", "--profile", "orbit", "--password-command", asked)
    assert (status, out) == (1, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert OTHER not in err


@pytest.mark.parametrize(
    "given",
    [
        ["--password", OTHER],
        [f"--password={OTHER}"],
        ["--password-stdin", OTHER],
        [f"--password-stdin={OTHER}"],
        ["-p", OTHER],
        [f"-p{OTHER}"],
        ["--base-url", f"https://me:{OTHER}@127.0.0.1/OrbitAPI"],
    ],
    ids=lambda given: given[0].partition("=")[0],
)
def test_passwords_are_no_arguments(command: Command, given: list[str]) -> None:
    """A password among the arguments is refused, wherever it stands, and not said again."""
    status, out, err = command("tables", "--profile", "orbit", *given)
    assert (status, out) == (1 if given[0] == "--base-url" else 2, "")
    assert OTHER not in err


@pytest.mark.usefixtures("unset")
def test_no_password_on_standard_input() -> None:
    """Standard input without a password is an error."""
    done = in_process("tables", "--profile", "orbit", "--password-stdin")
    assert done.status == 1
    assert done.err == (
        "apteco-frames: Standard input has no password in its first line. Nothing was sent.\n"
    )


@pytest.mark.usefixtures("unset")
@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of its own")
@pytest.mark.parametrize("interrupted", [False, True])
def test_password_is_asked_for(place: Path, interrupted: bool) -> None:
    """Where nothing gives the password, the person at the terminal does, unseen."""
    import pty

    ours, theirs = pty.openpty()
    program = "import os; os.setsid(); os.close(os.open(os.ttyname(0), os.O_RDWR))\n"
    program += INTERRUPTIBLE
    with subprocess.Popen(
        [sys.executable, "-c", program, "tables", "--profile", "orbit"],
        env=environment(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as child:
        os.close(theirs)
        shown = b""
        while b"Password for Administrator at 127.0.0.1:" not in shown:
            shown += os.read(ours, 1024)
        time.sleep(0.2)  # it asks first, and hides what is typed then
        if interrupted:
            child.send_signal(signal.SIGINT)
        else:
            os.write(ours, f"{PASSWORD}\n".encode())
        out, err = child.communicate(timeout=60)
    os.set_blocking(ours, False)
    with suppress(OSError):  # there is nothing more
        shown += os.read(ours, 1024)
    os.close(ours)
    assert PASSWORD.encode() not in shown
    if interrupted:
        assert (child.returncode, out) == (130, "")
    else:
        assert (child.returncode, err) == (0, "")
        assert out.startswith("name\t")


@pytest.mark.usefixtures("unset")
@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
def test_terminals_do_not_show_passwords() -> None:
    """``--password-stdin`` from a terminal is refused: it would show what is typed."""
    import pty

    ours, theirs = pty.openpty()
    done = in_process("tables", "--profile=orbit", "--password-stdin", given=theirs)
    os.close(theirs)
    os.close(ours)
    assert done.status == 1
    assert "a terminal would show the password" in done.err


@pytest.mark.usefixtures("unset")
def test_nobody_to_ask(place: Path) -> None:
    """Where nobody can be asked, it is said what else there is."""
    program = "import os; os.setsid()\n" + INTERRUPTIBLE
    changes = {"DISPLAY": None, "WAYLAND_DISPLAY": None}
    done = in_process("tables", "--profile", "orbit", program=program, **changes)
    assert done.status == 1
    assert done.err.startswith("apteco-frames: No password for user 'Administrator'")
    assert done.err.endswith(
        "Set APTECO_PASSWORD, or use --password-command or --password-stdin.\n"
    )


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
@pytest.mark.usefixtures("unset")
def test_nobody_sees_a_secret(place: Path, server: NotingServer) -> None:
    """No password and no token is in any output, file or process list, errors included."""
    printing = ("--password-command", "cat password")
    wrong = ("--password-command", "echo not-the-password-either")
    outs = []
    for words, status in (
        (["tables", "--profile", "orbit", *printing], 0),
        (["export", "saved", "--profile", "orbit", *printing], 0),
        (["dictionary", "d.html", "--profile", "orbit", *printing], 0),
        (["archive", "add", "a", "--all", "--profile", "orbit", *printing], 0),
        (["tables", "--profile", "orbit", *wrong], 1),
        (["profile", "check", "orbit", "--system", "none", *printing], 1),
        (["sql", "select", "--profile", "orbit", *printing], 1),
    ):
        done = in_process(*words)
        assert done.status == status, done.err
        outs += [done.out, done.err]
    given = ("tables", "--profile", "orbit", "--password-stdin")
    outs += [*in_process(*given, given=PASSWORD)[1:]]
    outs += [*in_process("tables", "--profile", "orbit", APTECO_PASSWORD=PASSWORD)[1:]]
    (place / "password").unlink()
    files = [path.read_bytes() for path in place.rglob("*") if path.is_file()]
    assert len(server.tokens) > 6
    assert any("--password-command" in line for line in server.seen)
    for secret in (PASSWORD, *server.tokens):
        assert not [out for out in outs if secret in out]
        assert not [line for line in server.seen if secret in line]
        assert not [content for content in files if secret.encode() in content]
    assert not [out for out in outs if "not-the-password-either" in out]


def test_warnings_are_lines(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is odd but usable is a line on standard error, without a place in our code."""
    (place / "in-the-way").write_text("mine")
    monkeypatch.setenv("APTECO_FRAMES_CACHE_DIR", str(place / "in-the-way"))
    status, out, err = command("tables", "--profile", "orbit")
    assert (status, len(err.splitlines())) == (0, 1)
    assert err.startswith("apteco-frames: warning: The folder ")
    assert out.startswith("name\t")


def test_servers_that_are_down(command: Command) -> None:
    """A server that does not answer is an error of one line."""
    with DemoServer() as down:
        url = down.base_url
    status, _, err = command("tables", "--profile", "orbit", "--base-url", url)
    assert (status, len(err.splitlines())) == (1, 1)
    assert url in err
