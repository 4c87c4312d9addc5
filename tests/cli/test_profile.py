"""Profiles: where to log in, in a file of the user's; never a password."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import certifi
import pytest
from cli.running import Command, NotingServer, environment, in_process
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apteco_frames.cli import configuration

VALUES = {
    "base_url": "https://orbit.my-site.com/OrbitAPI",
    "data_view": "my_data_view",
    "system": "my_system",
    "user": "jdoe",
}
GIVEN = [part for key, v in VALUES.items() for part in (f"--{key.replace('_', '-')}", v)]


@pytest.fixture
def file(place: Path) -> Path:
    """The file with the profiles, which is not there yet, nor is its folder."""
    path = place / "config/profiles.toml"
    path.unlink()
    path.parent.rmdir()
    return path


def test_add(command: Command, file: Path) -> None:
    """A profile is written as TOML, for its owner alone; nothing is printed but where."""
    Path("ca.pem").write_bytes(Path(certifi.where()).read_bytes())
    done = command("profile", "add", "my orbit", *GIVEN, "--certificate", "ca.pem")
    assert done == (0, "", f"apteco-frames: added profile 'my orbit' to {file}\n")
    certificate = str(Path("ca.pem").resolve())
    assert tomllib.loads(file.read_text()) == {"my orbit": {**VALUES, "certificate": certificate}}
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    # On Windows the lock is removed with its release.
    assert {path.name for path in file.parent.iterdir()} - {"profiles.lock"} == {file.name}


def test_add_keeps_what_is_there(command: Command, file: Path) -> None:
    """What the user wrote stays to the letter; a name is given once."""
    file.parent.mkdir()
    file.write_text("# mine\n[other]\nuser = 'me' # and only me")
    assert command("profile", "add", "orbit", *GIVEN).status == 0
    assert command("profile", "add", "third", *GIVEN).status == 0
    text = file.read_text()
    assert text.startswith("# mine\n[other]\nuser = 'me' # and only me\n\n[\"orbit\"]\n")
    assert list(tomllib.loads(text)) == ["other", "orbit", "third"]
    status, out, err = command("profile", "add", "orbit", *GIVEN)
    assert (status, out) == (1, "")
    assert err.startswith(f"apteco-frames: There is a profile 'orbit' in {file} already.")
    assert file.read_text() == text


ADDING = """
import sys
from click import ClickException
from apteco_frames.cli import configuration
sys.stdin.read()
added = 0
for name in [*(f"{sys.argv[1]}-{number}" for number in range(10)), "the same"]:
    try:
        configuration.add(name, {"user": name})
        added += 1
    except ClickException as error:
        assert "There is a profile 'the same'" in str(error)
print(added)
"""


def test_many_at_once(place: Path, file: Path) -> None:
    """Of programs that add at the same time each keeps what it added, and one has each name."""
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", ADDING, str(number)],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(8)
    ]
    for program in programs:
        assert program.stdin
        program.stdin.close()  # all begin now
    added = []
    for program in programs:
        assert program.stdout
        with program.stdout as printed:
            added.append(int(printed.read()))
        assert program.wait(60) == 0
    assert sum(added) == 81
    names = {f"{one}-{two}" for one in range(8) for two in range(10)}
    assert configuration.profiles() == {name: {"user": name} for name in (*names, "the same")}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a signal that ends at once")
def test_a_program_that_was_killed(command: Command, file: Path) -> None:
    """A program that was killed while it added does not stand in the way of the next."""
    program = """
import os, signal
from pathlib import Path
from apteco_frames.cli import configuration
class Deadly(str):
    def __bool__(self): os.kill(os.getpid(), signal.SIGKILL)
configuration.add("x", {"user": Deadly("me")})
"""
    done = in_process(program=program)
    assert done.status == -signal.SIGKILL
    assert command("profile", "add", "orbit", *GIVEN).status == 0


def test_byte_order_mark(command: Command, file: Path) -> None:
    """A file that begins with a byte order mark, as some editors write it, is read and kept."""
    file.parent.mkdir()
    file.write_text("\ufeff[other]\nuser = 'me'\n", encoding="utf-8")
    assert command("profile", "add", "orbit", *GIVEN).status == 0
    assert list(configuration.profiles()) == ["other", "orbit"]


def test_add_without_what_is_needed(command: Command, file: Path) -> None:
    """A profile needs all of a login but the password; the environment has no part in it."""
    status, _, err = command("profile", "add", "orbit", *GIVEN[:4])
    assert status == 2
    assert "Missing --system, --user. A terminal asks for them." in err
    assert "Missing NAME." in command("profile", "add", *GIVEN).err
    assert not file.exists()


@pytest.mark.parametrize(
    "url", ["https://jdoe:sesame-2026@orbit.my-site.com/", "https://orbit/?password=sesame-2026"]
)
def test_no_passwords_in_urls(command: Command, file: Path, url: str) -> None:
    """A URL with a password in it is no part of a profile either; it is not shown."""
    status, out, err = command("profile", "add", "orbit", *GIVEN, "--base-url", url)
    assert (status, out) == (2, "")
    assert "The base URL must be host and path only" in err
    assert "sesame" not in err
    assert not file.exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1), st.lists(st.text(min_size=1), min_size=4, max_size=4))
def test_all_texts_are_kept(file: Path, name: str, texts: list[str]) -> None:
    """Whatever text a name or a value is, it is read back as it was."""
    file.unlink(missing_ok=True)
    values = dict(zip(VALUES, texts, strict=True))
    values["base_url"] = values["base_url"].replace("@", "/")  # for no password has a place there
    configuration.add(name, values)
    assert configuration.profile(name) == values


def test_list(command: Command, server: NotingServer) -> None:
    """All profiles are listed."""
    assert command("profile", "add", "another", *GIVEN).status == 0
    rows = json.loads(command("profile", "list", "--format", "json").out)
    assert rows == [
        {
            "name": "orbit",
            "base_url": server.base_url,
            "data_view": "Holidays",
            "system": "holidays",
            "user": "Administrator",
            "certificate": None,
        },
        {"name": "another", **VALUES, "certificate": None},
    ]


def test_list_of_none(command: Command, file: Path) -> None:
    """Without a file there are no profiles, which is no error."""
    done = command("profile", "list", "--columns", "name")
    assert (done.status, done.out) == (0, "name\n")
    assert "there is no profile in " in done.err


@pytest.mark.parametrize("given", [["orbit"], ["--profile", "orbit"]], ids=" ".join)
def test_check(command: Command, server: NotingServer, given: list[str]) -> None:
    """``check`` logs in and says what it found."""
    status, out, err = command("profile", "check", *given)
    assert (status, err) == (0, "")
    assert out == (
        f"base URL  {server.base_url}\n"
        "DataView  Holidays\n"
        "user      Administrator\n"
        "system    holidays: Holidays Demo Database\n"
        "built     2019-11-27 15:57:24\n"
        "tables    9\n"
        "variables 94\n"
    )


def test_profile_in_part(command: Command, file: Path) -> None:
    """What a profile that was written by hand lacks has to come from the command line."""
    file.parent.mkdir()
    file.write_text(
        '[part]\nbase_url = "https://orbit.my-site.com"\ndata_view = "x"\nuser = "me"\n'
    )
    status, _, err = command("tables", "--profile", "part")
    assert status == 2
    assert "Missing option --system (profile 'part' has none). To list the systems: " in err


@pytest.mark.parametrize("key", ["password", "Password", "passwd", "pass", "token", "my_secret"])
def test_passwords_are_refused(command: Command, file: Path, key: str) -> None:
    """A file with a password is refused, whichever profile it is in; it is not shown."""
    file.parent.mkdir()
    file.write_text(f'[orbit]\nuser = "me"\n[other]\n{key} = "sesame-2026"\n')
    for words in (["profile", "list"], ["tables", "--profile", "orbit"]):
        status, out, err = command(*words)
        assert (status, out, len(err.splitlines())) == (1, "", 1)
        assert f"Profile 'other' in {file} has {key!r}. Do not store a password in the file" in err
        assert "sesame" not in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[orbit]\nbase-url = "x"',
            "has 'base-url', which is unknown. A profile may have ",
        ),
        ("[orbit]\nuser = 7", "has 'user', which is not text."),
        ('user = "me"', "has 'user' outside a profile."),
        ("[orbit", "is not valid TOML: "),
        ("[orbit]\nuser = \udcff", "is not valid TOML: "),
        (f"user = {'9' * 5_000}", "is not valid TOML: "),
        (f"user = 0x{'9' * 5_000}", "has 'user' outside a profile."),
        (f"[orbit]\nuser = {'[' * 3_000}{']' * 3_000}", "is not valid TOML: "),
        (f"[orbit]\nuser = {'{a = ' * 3_000}1{'}' * 3_000}", "is not valid TOML: "),
        (f"[orbit]\nuser.{'a.' * 3_000}a = 1", "has 'user', which is not text."),
        (f"[{'a.' * 3_000}a]", "has 'a', which is unknown."),
        (
            '[orbit]\nbase_url = "http://me:sesame@x"',
            "has a user name or password in its base_url. ",
        ),
    ],
    ids=[
        *("key", "type", "top", "syntax", "bytes", "digits", "hexadecimal", "lists", "tables"),
        *("dotted", "name", "login"),
    ],
)
def test_files_that_are_wrong(command: Command, file: Path, text: str, said: str) -> None:
    """What is wrong with the file is said in one line, and it stays as it is."""
    file.parent.mkdir()
    file.write_bytes(text.encode(errors="surrogateescape"))
    before = file.read_bytes()
    for words in (["profile", "list"], ["profile", "add", "new", *GIVEN]):
        status, out, err = command(*words)
        assert (status, out, len(err.splitlines())) == (1, "", 1)
        assert str(file) in err
        assert said in err
    assert file.read_bytes() == before


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="has a place of its own")
def test_place(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a folder of the user's choice, it is where the platform has such."""
    monkeypatch.delenv("APTECO_FRAMES_CONFIG_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", "not/absolute")
    assert configuration.profiles_path() == tmp_path / ".config/apteco-frames/profiles.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert configuration.profiles_path() == tmp_path / "xdg/apteco-frames/profiles.toml"
    monkeypatch.setenv("APTECO_FRAMES_CONFIG_DIR", "~/mine")
    assert configuration.profiles_path() == tmp_path / "mine/profiles.toml"


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="root may read all")
def test_file_that_cannot_be_read(command: Command, place: Path) -> None:
    """A file that is somebody else's is an error of one line."""
    (place / "config/profiles.toml").chmod(0)
    status, _, err = command("profile", "list")
    assert (status, len(err.splitlines())) == (1, 1)
