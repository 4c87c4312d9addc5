"""The page on assistants: its settings are JSON, and name a command line that there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.running import in_process
from examples import ROOT, examples

PAGE = ROOT.joinpath("docs", "how-to", "assistants.md").read_text(encoding="utf-8")
SETTINGS = [json.loads(block.text) for block in examples(PAGE, "json")]


def test_there_are_three() -> None:
    """There are settings for three assistants."""
    assert len(SETTINGS) == 3


@pytest.mark.parametrize("number", range(3))
def test_settings_start_a_server(saved: Path, number: int) -> None:
    """The command of the settings starts, with what is saved in place of what the page names."""
    (servers,) = SETTINGS[number].values()
    (told,) = servers.values()
    assert told["command"].endswith("/apteco-frames")
    *arguments, path = told["args"]
    done = in_process(*arguments, str(saved / Path(path).name))
    assert (done.status, done.err) == (0, "")


def test_options_are_those_that_there_are() -> None:
    """The page's options are those of the command."""
    from apteco_frames.cli.mcp import mcp

    options = {option for parameter in mcp.params for option in parameter.opts}
    assert {option for option in options if f"`{option}" not in PAGE} <= {"--help", "-h"}
