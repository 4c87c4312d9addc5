"""What the pages type into a terminal shows there what the pages show."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from cli.running import NotingServer, in_process
from docs.terminal import SITE, Terminal, is_as_shown, typed
from examples import PAGES, ROOT, examples

from apteco_frames.cli.commands import commands

TRANSCRIPTS = [path for path in PAGES if any(examples(path.read_text(encoding="utf-8"), "console"))]


@pytest.fixture
def terminal(place: Path, server: NotingServer) -> Terminal:
    """A terminal in a folder with saved catalogues, an archive of two builds, and a profile."""
    told = {name: value for name, value in os.environ.items() if name.startswith("APTECO_")}
    return Terminal(place, server.base_url, told)


@pytest.mark.parametrize(
    "path", TRANSCRIPTS, ids=lambda path: str(path.relative_to(ROOT / "docs").with_suffix(""))
)
def test_a_transcript_is_true(path: Path, terminal: Terminal) -> None:
    """All commands of a page, one after the other, in one folder."""
    wrong = []
    for block in examples(path.read_text(encoding="utf-8"), "console"):
        for what in typed(block.text):
            really = terminal.run(what)
            if not is_as_shown(what.shown, really):
                wrong.append(f"line {block.line}: $ {what.command}\n{really}")
    assert not wrong, "\n".join(wrong)


def test_the_profile_is_one(place: Path) -> None:
    """The file with a profile that the reference shows is taken as it stands."""
    page = ROOT.joinpath("docs", "reference", "terminal.md").read_text(encoding="utf-8")
    (profiles,) = examples(page, "toml")
    place.joinpath("config", "profiles.toml").write_text(profiles.text)
    listed = in_process("profile", "list", "--format", "jsonl")
    assert listed.status == 0
    assert json.loads(listed.out)["base_url"] == SITE


def leaves(group: click.Group, *above: str) -> Iterator[tuple[str, ...]]:
    """All commands that do something, with the groups that they are in."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, *above, name)
        else:
            yield (*above, name)


def test_every_command_is_in_the_reference() -> None:
    """The page on the terminal has the help of each command, and a transcript."""
    page = ROOT.joinpath("docs", "reference", "terminal.md").read_text(encoding="utf-8")
    run = [what.command for block in examples(page, "console") for what in typed(block.text)]
    for command in map(" ".join, leaves(commands)):
        assert f"{{command}} {command}\n" in page
        assert any(f"apteco-frames {command} " in f"{line} " for line in run), command
