"""Synonyms of a user's own: as a mapping, as a file, and as the file beside the profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apteco_frames.demo import holidays
from apteco_frames.errors import ConfigurationError

INCOME = 'income = ["salary", "take-home pay"]\n'


def first(query: str, **options: Any) -> str | None:
    """The name of what is found first; None where a result lacks a word."""
    found = holidays().search(query, **options)
    return found[0].name if len(found) and found.has_all_words else None


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder of its own, empty at first."""
    monkeypatch.setenv("APTECO_FRAMES_CONFIG_DIR", str(tmp_path))
    return tmp_path


def test_a_mapping_or_a_file(tmp_path: Path) -> None:
    """A word is found by what means the same, in both directions; phrases, too."""
    path = tmp_path / "ours.toml"
    path.write_text(INCOME, encoding="utf-8")
    for given in ({"income": ["salary", "take-home pay"]}, path, str(path)):
        assert first("salary", synonyms=given) == "peIncome"
        assert first("take home pay", synonyms=given) == "peIncome"
    assert first("salary") is None


def test_the_file_beside_the_profiles(folder: Path) -> None:
    """It is used unless others are given, and need not be there."""
    assert first("salary") is None
    (folder / "synonyms.toml").write_text(INCOME, encoding="utf-8")
    assert first("salary") == "peIncome"
    assert first("salary", synonyms={}) is None


@pytest.mark.parametrize("text", ["income", 'income = "salary"', "income = [1]", "[income]\na = 1"])
def test_a_file_that_has_no_synonyms(folder: Path, text: str) -> None:
    """A file that cannot be used is named."""
    (folder / "synonyms.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"synonyms\.toml"):
        first("salary")
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        first("salary", synonyms="none.toml")


@pytest.mark.parametrize("given", [5, ["salary"], {"income": "pay"}, {"income": [1]}, {1: ["a"]}])
def test_what_is_not_synonyms(given: Any) -> None:
    """Anything else is refused with what is wanted."""
    with pytest.raises(TypeError, match="synonyms= takes a mapping"):
        first("salary", synonyms=given)
