"""Where a platform keeps what programs have for a user."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from apteco_frames.support.user_folder import user_folder


def found() -> Path:
    """The folder, as the cache asks for it."""
    return user_folder(
        "TOLD",
        windows=("LOCALAPPDATA", "AppData/Local"),
        macos="Library/Caches",
        others=("XDG_CACHE_HOME", ".cache"),
    )


@pytest.mark.parametrize(
    ("platform", "variable", "below_home"),
    [
        ("win32", "LOCALAPPDATA", "AppData/Local"),
        ("darwin", None, "Library/Caches"),
        ("linux", "XDG_CACHE_HOME", ".cache"),
    ],
)
def test_of_each_platform(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    variable: str | None,
    below_home: str,
) -> None:
    """It is what the variable names, else the platform's place; a relative one is passed over."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    for name in ("TOLD", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    at_home = tmp_path / "home" / below_home / "apteco-frames"
    assert found() == at_home
    if variable:
        monkeypatch.setenv(variable, "relative")
        assert found() == at_home
        monkeypatch.setenv(variable, str(tmp_path))
        assert found() == tmp_path / "apteco-frames"
    monkeypatch.setenv("TOLD", str(tmp_path / "mine"))
    assert found() == tmp_path / "mine"
