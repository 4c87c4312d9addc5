"""Commands that write files, or serve them; and the cache."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from cli.running import Command, NotingServer, serving
from lanes import PATIENCE
from strategies import as_logged_in

from apteco_frames import Catalogue, login_with_password
from apteco_frames.demo import DemoServer, holidays

KINDS = ("system", "tables", "variables", "codes", "folders")


@pytest.mark.parametrize("source", [("--catalogue", "holidays"), ("--profile", "orbit")])
def test_export(command: Command, source: tuple[str, str]) -> None:
    """A catalogue is saved with codes and folders, and the files are printed."""
    done = command("export", "saved", *source)
    assert done == (0, "".join(f"{Path('saved', kind)}.parquet\n" for kind in KINDS), "")
    saved, whole = Catalogue.read_parquet("saved"), holidays()
    assert saved.codes == whole.codes
    assert saved.folders == whole.folders


def test_export_without_codes(command: Command) -> None:
    """``--no-codes`` leaves out what takes many requests."""
    done = command("export", "saved", "--profile", "orbit", "--no-codes", "--no-cache")
    assert len(done.out.splitlines()) == 3
    assert not Catalogue.read_parquet("saved").has_codes


def test_refused_codes_are_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes that the API refuses are left out, and it is said whose."""
    whole = holidays()
    codes = whole.codes.filter(~whole.codes.frame["variable_name"].eq("boDest"))
    partly = Catalogue(
        whole.system_info, whole.tables, whole.variables, codes, unavailable=["boDest"]
    )
    with DemoServer(partly) as server:
        login = ("--profile", "orbit", "--base-url", server.base_url)
        monkeypatch.setenv("APTECO_PASSWORD", server.password)
        status, _, err = command("export", "saved", *login, "--no-cache")
    assert status == 0
    assert "the API refused the codes of 'boDest'; they are left out" in err
    assert Catalogue.read_parquet("saved").codes.unavailable == ["boDest"]


@pytest.mark.parametrize("name", ["d.html", "d.xlsx", "D.HTML"])
def test_dictionary(command: Command, place: Path, name: str) -> None:
    """The end of the file's name says what is written."""
    assert command("dictionary", name, "--profile", "orbit") == (0, f"{name}\n", "")
    written = (place / name).read_bytes()
    assert written.startswith(b"PK" if name == "d.xlsx" else b"<!doctype html>")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
def test_serve(place: Path) -> None:
    """A saved catalogue is served until Ctrl-C, and can be logged in to as it says."""
    with serving("serve", "newer") as (child, lines):
        base_url, data_view, system, user, password = (line.split()[-1] for line in lines[:5])
        with login_with_password(base_url, data_view, system, user, password) as session:
            assert session.variables == as_logged_in(Catalogue.read_parquet("newer")).variables
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=PATIENCE)
    assert (child.returncode, err) in ((0, ""), (130, ""))  # the other if it did not wait yet


def test_cache(command: Command, place: Path, server: NotingServer) -> None:
    """What is kept is listed and removed, and nothing else in that folder."""
    assert command("cache", "dir") == (0, f"{place / 'cache'}\n", "")
    nothing = f"apteco-frames: the cache in {place / 'cache'} is empty\n"
    assert command("cache", "list", "--no-header") == (0, "", nothing)
    assert command("cache", "clean").err.startswith("apteco-frames: removed 0 files, 0 bytes")
    assert command("tables", "--profile", "orbit").status == 0
    assert command("export", "saved", "--profile", "orbit").status == 0
    header, row = command("cache", "list").rows()
    assert header == ["system", "build_date", "has_codes", "has_folders", "bytes"]
    files = [path for path in (place / "cache").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    assert row == ["holidays", "2019-11-27T15:57:24", "true", "true", str(size)]
    mine = [
        folder / "mine.txt" for folder in (place / "cache", files[0].parent, files[0].parent.parent)
    ]
    for path in mine:
        path.write_text("mine")
    done = command("cache", "clean")
    assert done == (
        0,
        "",
        f"apteco-frames: removed {len(files)} files, {size:,} bytes, from {place / 'cache'}\n",
    )
    assert {path for path in (place / "cache").rglob("*") if path.is_file()} == set(mine)
    assert command("cache", "list", "--no-header").out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="takes any name for a user's")
@pytest.mark.parametrize("words", ["dir", "list", "clean"])
def test_no_home_for_a_cache(command: Command, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """Where there is no folder of the user's, that is an error of one line."""
    monkeypatch.setenv("APTECO_FRAMES_CACHE_DIR", "~no-such-user/cache")
    status, out, err = command("cache", words)
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert "Name one with APTECO_FRAMES_CACHE_DIR." in err


def test_damaged_caches(command: Command, place: Path) -> None:
    """What is damaged is not listed, and is removed all the same."""
    assert command("tables", "--profile", "orbit").status == 0
    (kept,) = (place / "cache").glob("*/*/tables.parquet")
    kept.write_bytes(kept.read_bytes()[:-1])
    kept.with_name(".left.part").write_text("half")
    assert command("cache", "list", "--no-header").out == ""
    assert "removed 4 files" in command("cache", "clean").err
    assert list((place / "cache").iterdir()) == []
