"""Passwords: of a command, of standard input, of the environment, or of a person who is asked.

Wherever it comes from but a person, the password is the first line of what is there, without its
end and without the byte order mark that some editors and shells begin a text with. No error here
shows any part of it, nor of the command, which may be a password by mistake.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO

import click

from apteco_frames.support.text import truncate

VARIABLE = "APTECO_PASSWORD"
"""The environment variable that holds a password."""

_LONGEST = 65_536
_PATIENCE = 1.0
_PAUSE = 0.02
# How to have a shell run a command.
_SHELL = 'cmd /c "..."' if os.name == "nt" else "sh -c '...'"


def of_environment() -> str | None:
    """The password in :data:`VARIABLE`; None where it is not set, or empty.

    Raises:
        ClickException: it begins with an empty line.
    """
    text = os.environ.get(VARIABLE)
    return _password(text, f"{VARIABLE} has") if text else None


def of_input() -> str:
    """The password on standard input; no more than its first line is read.

    Raises:
        ClickException: it is a terminal, which would show it; or has no password.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise click.ClickException(
            "With --password-stdin a terminal would show the password. Leave the option out to be "
            "asked for it."
        )
    return _decoded(sys.stdin.buffer.readline(_LONGEST + 1), "Standard input has")


def of_person(user: str, base_url: str, system: str) -> str:
    """The password that the person at the terminal types, unseen.

    Args:
        user: whose password; the question names them, and the host.
        base_url: URL of the Orbit API.
        system: name of the system; empty if none is chosen yet.

    Raises:
        InvalidUrlError: it is not the URL of an Orbit API.
        PasswordPromptError: nobody can be asked, or the question was cancelled.
    """
    from urllib.parse import urlsplit

    from apteco_frames.orbit.url import require_base_url
    from apteco_frames.password import ask_password

    host = urlsplit(require_base_url(base_url)).netloc
    prompt = f"Password for {truncate(user)} at {truncate(host)}: "
    return ask_password(user, system or host, prompt)


def of_command(command: str) -> str:
    """The password that a command prints; it is ended soon after that.

    Its standard error and input are ours, so that it can ask for a PIN.

    Args:
        command: the command line; no shell has a part in it.

    Raises:
        ClickException: it cannot be started, fails, or prints no password.
    """
    try:
        words = command if os.name == "nt" else shlex.split(command)
        child = subprocess.Popen(words, stdout=subprocess.PIPE, bufsize=0)
    except (OSError, ValueError, IndexError) as error:  # as of quotes, a NUL, or no word at all
        why = error.strerror if isinstance(error, OSError) else "it is not a valid command line"
        raise click.ClickException(
            f"The password command could not be started: {why}. It is run without a shell; for "
            f"pipes and variables, use: {_SHELL}."
        ) from None
    assert child.stdout
    read = bytearray()
    reader = threading.Thread(target=_read_line, args=(child.stdout, read), daemon=True)
    reader.start()
    try:
        while not _has_line(read) and reader.is_alive() and child.poll() is None:
            time.sleep(_PAUSE)
        # It may have more to print and to tidy up, but not for long.
        with suppress(subprocess.TimeoutExpired):
            child.wait(_PATIENCE)
        if not _has_line(read):  # what it left in the background may keep its output open
            reader.join(_PATIENCE)
    finally:
        status = child.poll()
        child.kill()
        child.wait()
    if status:
        raise click.ClickException(
            f"The password command failed with status {status}. Nothing was sent."
        )
    return _decoded(bytes(read), "The password command printed")


def _has_line(read: bytearray) -> bool:
    return b"\n" in read or len(read) > _LONGEST


def _read_line(printed: IO[bytes], read: bytearray) -> None:
    """Read to the end of the output, without which the command could fail; keep the beginning."""
    with printed:
        while part := printed.read(_LONGEST):
            if not _has_line(read):
                read += part


def _decoded(printed: bytes, whose: str) -> str:
    """The password at the beginning of what a program printed."""
    line = printed.partition(b"\n")[0]
    if len(line) > _LONGEST:
        raise click.ClickException(
            f"{whose} a first line of more than {_LONGEST:,} bytes, which is no password. Nothing "
            "was sent."
        )
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = None
    # Outside of the except block: the context of the error would hold the line.
    if text is None:
        raise click.ClickException(f"{whose} a first line that is not UTF-8. Nothing was sent.")
    return _password(text, whose)


def _password(text: str, whose: str) -> str:
    """The password in a text, however it came."""
    password = text.removeprefix("\ufeff").partition("\n")[0].rstrip("\r")
    if not password:
        raise click.ClickException(f"{whose} no password in its first line. Nothing was sent.")
    return password
