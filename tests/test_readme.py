"""The README keeps its promises; its ``>>>`` examples are doctests of their own."""

from __future__ import annotations

import getpass
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from examples import ROOT, examples, with_demo

from apteco_frames import Catalogue
from apteco_frames.demo import DemoServer

README = ROOT.joinpath("README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks in that language."""
    return [example.text for example in examples(README, language)]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_two_commands_do_everything() -> None:
    """The two commands stand there as one line each."""
    assert blocks("sh") == [
        "python -m pip install . && apteco-frames demo\n",
        "python -m pip install tox && tox\n",
    ]


def test_the_scripts_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """All Python blocks run one after the other, with the demo server in place of the site."""
    script = "\n".join(blocks("python"))
    with DemoServer() as demo:
        # As a notebook puts its own hidden input in place.
        monkeypatch.setattr(getpass, "getpass", lambda prompt: demo.password)
        exec(compile(with_demo(script, demo), "README.md", "exec"), {})
    catalogue = Catalogue.read_parquet("my-catalogue")
    assert catalogue.has_codes
    assert catalogue.has_folders
    assert Path("holidays.html").is_file()


def test_links_lead_somewhere() -> None:
    """What the README links to in the repository is there, and it links to each how-to page."""
    targets = re.findall(r"\]\((?!https://)([^)]+)\)", README)
    assert [target for target in targets if not ROOT.joinpath(target).is_file()] == []
    pages = ROOT.joinpath("docs").glob("*-*/*.md")
    assert {page.relative_to(ROOT).as_posix() for page in pages} <= set(targets)


def test_links_hold_where_a_package_index_shows_it() -> None:
    """In the metadata of the package the same links and pictures have whole addresses."""
    shown = distribution("apteco-frames").metadata["Description"] or ""
    repository = "https://github.com/apteco-frames/apteco-frames/blob/main/"
    pictures = "https://raw.githubusercontent.com/apteco-frames/apteco-frames/main/"
    expected = {
        (pictures if is_picture else repository) + target
        for is_picture, target in re.findall(r"(!?)\[[^\]]*\]\((?!https://)([^)]+)\)", README)
    }
    targets = re.findall(r"\]\(([^)]+)\)", shown)
    assert [target for target in targets if not target.startswith("https://")] == []
    assert expected <= set(targets)


def test_pictures_are_small() -> None:
    """Each picture is quick to load."""
    pictures = list(ROOT.joinpath("docs", "pictures").glob("*.png"))
    assert len(pictures) == 2
    assert [path for path in pictures if path.stat().st_size > 150_000] == []
