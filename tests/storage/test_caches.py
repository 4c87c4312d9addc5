"""What the caches of all systems and users hold, and how they are emptied."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from apteco_frames.demo import DemoServer
from apteco_frames.storage.caches import KEPT_SCHEMA, clean, kept


def test_kept_and_cleaned(tmp_path: Path) -> None:
    """Each build is listed with what is kept of it, and nothing is left of all."""
    with DemoServer() as server:
        with server.login(cache=tmp_path) as session:
            _ = session.folders
        with server.login(cache=tmp_path / "other"):
            pass
    (row,) = kept(tmp_path).to_pylist()
    assert kept(tmp_path).schema == KEPT_SCHEMA
    assert (row["system"], row["has_codes"], row["has_folders"]) == ("holidays", False, True)
    files = list(Path(row["folder"]).iterdir())
    assert row["bytes"] == sum(path.stat().st_size for path in files)
    assert clean(tmp_path) == (2, row["bytes"])
    assert clean(tmp_path) == (0, 0)
    assert len(kept(tmp_path / "other")) == 1


def test_nothing_is_there(tmp_path: Path) -> None:
    """Where no cache is, there is nothing to list or to remove."""
    assert len(kept(tmp_path / "none")) == 0
    assert clean(tmp_path / "none") == (0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right of their own")
def test_links_are_not_followed(tmp_path: Path) -> None:
    """What is elsewhere stays, however it is called."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.catalogue").write_text("mine")
    (tmp_path / "caches").mkdir()
    (tmp_path / "caches" / ("0" * 32)).symlink_to(elsewhere)
    assert clean(tmp_path / "caches") == (0, 0)
    assert (elsewhere / "mine.catalogue").read_text() == "mine"
