"""What help texts and the documentation say to type, typed."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cli.running import PASSWORD, NotingServer, serving, shell
from cli.test_program import ALL
from lanes import PATIENCE

from apteco_frames import Archive, Catalogue
from apteco_frames.cli import main
from apteco_frames.demo import holidays


def examples(help_text: str) -> Iterator[str]:
    """The commands in a help text, each on one line."""
    _, _, text = help_text.partition("Example:\n")
    text, _, _ = text.lstrip("\n").partition("\n\n")
    for line in text.replace("\\\n", " ").strip().splitlines():
        yield " ".join(line.split())


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh, and a SIGINT to send")
@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_examples(place: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """The examples of each command's help do what they say, where what they name is there."""
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    lines = list(examples(capsys.readouterr().out))
    assert lines
    for line in lines:
        assert " ".join(["apteco-frames", *words]) in line
        if words == ("profile", "add"):
            (place / "config/profiles.toml").unlink()
        if words == ("serve",):
            check_serving(line)
        elif set("|>") & set(line) or words == ("mcp",):  # which needs a standard input
            done = shell(line, place)
            assert (done.status, done.err) == (0, "")
        else:
            comparing = {"diff", "check", "lint"} & set(words[:2]) and words[0] != "profile"
            comparing = comparing or "--broken" in line
            assert main(shlex.split(line)[1:]) == (1 if comparing else 0)
            capsys.readouterr()


def check_serving(line: str) -> None:
    """See that an example serves until Ctrl-C."""
    with serving(*shlex.split(line)[1:]) as (child, lines):
        assert lines[-1] == "Serving until Ctrl-C."
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE)
    assert child.returncode in (0, 130)  # the other if it did not wait yet


NIGHTLY = """\
#!/bin/sh
set -e
export APTECO_PROFILE=orbit
apteco-frames archive add my-archive --all --no-codes --password-command 'cat password'
apteco-frames archive check my-archive --fail-on breaking --drop 20%
"""


def systems(nights: int, *, broken: bool) -> list[Catalogue]:
    """Two systems as they were built some nights after the first."""
    whole = holidays()
    info = whole.system_info
    assert info.build_date
    date = info.build_date + timedelta(days=nights)
    variables = whole.variables[1:] if broken else whole.variables
    return [
        Catalogue(info._replace(build_date=date), whole.tables, whole.variables),
        Catalogue(info._replace(name="second", build_date=date), whole.tables, variables),
    ]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs sh")
def test_nightly_job(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four lines archive all systems of a DataView, and fail when something broke."""
    monkeypatch.delenv("APTECO_PASSWORD")
    shelf = place / "shelf"
    shelf.mkdir()
    monkeypatch.chdir(shelf)
    (shelf / "password").write_text(PASSWORD)

    urls: list[str] = []

    def night(nights: int, *, broken: bool = False) -> tuple[int, str]:
        first, second = systems(nights, broken=broken)
        with NotingServer(first, others=[second]) as server:
            done = shell(NIGHTLY, place, APTECO_BASE_URL=server.base_url)
            assert server.open == set()
            urls.append(server.base_url)
        return done.status, done.out

    status, out = night(0)
    assert status == 0
    assert out == "system\toutcome\nholidays\tadded\nsecond\tadded\n"
    assert night(1)[0] == 0
    status, out = night(2, broken=True)
    assert status == 1
    assert out.endswith(
        "\n1 change of system 'second', built 2019-11-29 15:57:24, since 2019-11-28 15:57:24: "
        "1 breaking\nbreaking  - variable hoURN: Household URN\n"
    )
    assert night(3, broken=True)[0] == 0
    assert len(Archive("my-archive").builds) == 8
    # A night without a server is no night without changes.
    assert shell(NIGHTLY, place, APTECO_BASE_URL=urls[-1]).status == 1
