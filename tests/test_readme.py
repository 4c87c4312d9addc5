"""The README keeps its promises; its ``>>>`` examples are doctests of their own."""

from __future__ import annotations

import getpass
import re
from pathlib import Path

import pytest

from apteco_frames import Catalogue, errors
from apteco_frames.cli import main
from apteco_frames.demo import DemoServer

ROOT = Path(__file__).parents[1]
README = ROOT.joinpath("README.md").read_text(encoding="utf-8")
PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")


def blocks(language: str) -> list[str]:
    """The fenced blocks in that language, without the indentation they have in lists."""
    fenced = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", README, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in fenced]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_two_commands_do_everything() -> None:
    """The two commands stand there as one line each."""
    assert blocks("sh") == [
        "python -m pip install . && apteco-frames demo\n",
        "python -m pip install tox && tox\n",
    ]


def test_the_demo_prints_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The output of the demo command is that of the README, but for the port."""
    assert main(["demo"]) == 0
    (shown,) = blocks("text")
    assert PORT.sub("PORT", capsys.readouterr().out) == PORT.sub("PORT", shown)


def test_the_scripts_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """All Python blocks run one after the other, with the demo server in place of the site."""
    script = "\n".join(blocks("python"))
    prompts = []

    def answer(prompt: str) -> str:
        prompts.append(prompt)
        return demo.password

    with DemoServer() as demo:
        names = {
            "https://orbit.my-site.com/OrbitAPI": demo.base_url,
            "my_data_view": demo.data_view,
            "my_system": demo.system,
            "jdoe": demo.user,
        }
        for name, replacement in names.items():
            assert script.count(f'"{name}"') == 4
            script = script.replace(f'"{name}"', repr(replacement))
        monkeypatch.setenv("ORBIT_PASSWORD", demo.password)
        monkeypatch.setenv("APTECO_FRAMES_CACHE_DIR", "kept")
        # As a notebook puts its own hidden input in place.
        monkeypatch.setattr(getpass, "getpass", answer)
        # Looked for, but not used on plain http.
        for file in "client.pem", "client.key", "my-company-ca.pem":
            Path(file).touch()
        exec(compile(script, "README.md", "exec"), {})
    assert prompts == ["Enter your password: "] * 3
    assert len(list(Path("kept").glob("*/*.catalogue"))) == 1
    assert len(Catalogue.read_parquet("my-catalogue").variables) == 94
    assert Path("variables.csv").read_text(encoding="utf-8").count("\n") == 95


def test_every_error_of_the_table_exists() -> None:
    """The errors at a glance are names of the package."""
    names = re.findall(r"`(\w+(?:Error|Warning))`", README)
    assert len(set(names)) > 10
    assert [name for name in names if not hasattr(errors, name)] == []


def test_links_lead_somewhere() -> None:
    """What the README links to in the repository is there."""
    targets = re.findall(r"\]\((?!https://)([^)]+)\)", README)
    notebooks = [
        f"notebooks/{name}.ipynb" for name in ("quickstart", "data_dictionary", "what_changed")
    ]
    assert targets == [*notebooks, "LICENSE", "CHANGELOG.md"]
    assert [target for target in targets if not ROOT.joinpath(target).is_file()] == []
