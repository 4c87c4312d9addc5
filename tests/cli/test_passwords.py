"""Passwords that no person types: one rule, whatever they come from."""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
import time
from collections.abc import Callable

import click
import pytest
from cli.running import environment

from apteco_frames.cli import passwords

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs sh")

Get = Callable[[bytes], str | None]


def by_environment(given: bytes, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The password, with the environment variable set to that."""
    monkeypatch.setenv(passwords.VARIABLE, given.decode(errors="surrogateescape"))
    return passwords.of_environment()


def by_input(given: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """The password, with that on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="ascii"))
    return passwords.of_input()


def by_command(given: bytes, _: pytest.MonkeyPatch) -> str:
    """The password, of a command that prints that."""
    octal = "".join(f"\\{byte:04o}" for byte in given)
    return passwords.of_command(f"printf %b {shlex.quote(octal)}")


@pytest.fixture(params=[by_environment, by_input, by_command], ids=lambda by: by.__name__)
def get(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Get:
    """Gives the password, whichever way that text comes."""
    return lambda given: request.param(given, monkeypatch)


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nmore\n", "\n\n"])
@pytest.mark.parametrize("password", ["sesame", " päss wörd\t", "x\ufeff"])
def test_first_line(get: Get, start: str, password: str, end: str) -> None:
    """The password is the first line to the letter, without its end and a byte order mark."""
    assert get(f"{start}{password}{end}".encode()) == password


@pytest.mark.parametrize("given", ["\n", "\r\n", "\ufeff", "\nsesame\n"], ids=repr)
def test_no_password(get: Get, given: str) -> None:
    """An empty first line is an error that shows nothing of the rest."""
    with pytest.raises(click.ClickException, match="no password in its first line") as caught:
        get(given.encode())
    assert "sesame" not in str(caught.value)


def test_empty_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable is none: the person is asked."""
    monkeypatch.setenv(passwords.VARIABLE, "")
    assert passwords.of_environment() is None


@pytest.mark.parametrize(
    ("command", "password"),
    [
        ("yes", "y"),
        ("sh -c 'echo x; sleep 15 &'", "x"),
        ("sh -c 'echo x; sleep 15'", "x"),
        ("sh -c 'printf x; sleep 15 &'", "x"),
        ("sh -c 'echo x; seq 100000'", "x"),
    ],
)
def test_commands_that_go_on(command: str, password: str) -> None:
    """A command that goes on after its first line is ended, and not waited for."""
    start = time.monotonic()
    assert passwords.of_command(command) == password
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("command", ["cat /dev/zero", "sh -c 'yes | tr -d \"\\n\"'"])
def test_commands_without_a_line_end(command: str) -> None:
    """No more is read of a line than a password may have."""
    with pytest.raises(click.ClickException, match="line of more than 65,536 bytes"):
        passwords.of_command(command)


@pytest.mark.parametrize("command", ["printf 'x\0y'", "x\0", "\udc80\ud800"], ids=ascii)
def test_what_is_no_command(command: str) -> None:
    """What no process can be started with is an error of one sentence."""
    with pytest.raises(click.ClickException, match="could not be started"):
        passwords.of_command(command)


def test_failing_after_the_password() -> None:
    """A command that fails after it printed something has not given a password."""
    with pytest.raises(click.ClickException, match=r"failed with status 3\. Nothing was sent"):
        passwords.of_command("sh -c 'echo x; exit 3'")


def test_input_without_a_line_end() -> None:
    """No more is read of standard input than a password may have, though it goes on."""
    program = "from apteco_frames.cli.passwords import of_input; of_input()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdin
        assert child.stderr
        child.stdin.write(b"x" * 65_537)
        child.stdin.flush()  # and it stays open
        assert b"more than 65,536 bytes" in child.stderr.read()
        child.kill()
