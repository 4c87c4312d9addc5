"""A folder with what commands work on, and a server that they log in to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from cli.running import PASSWORD, Command, NotingServer

from apteco_frames import Archive, Catalogue
from apteco_frames.demo import holidays


@pytest.fixture(scope="session")
def server() -> Iterator[NotingServer]:
    """A demo server that notes tokens, and what others can see of processes."""
    with NotingServer() as running:
        yield running


@pytest.fixture(scope="session")
def prepared(server: NotingServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is copied for each test: saved catalogues, an archive of two builds, a profile.

    The newer build lost a variable, and nine policies in ten.
    """
    folder = tmp_path_factory.mktemp("prepared")
    whole = holidays()
    records = pl.when(pl.col("name") == "Policies").then(21_357).otherwise("total_records")
    info = whole.system_info
    assert info.build_date
    newer = Catalogue(
        info._replace(build_date=info.build_date + timedelta(days=1)),
        whole.tables.frame.with_columns(total_records=records),
        whole.variables[1:],
        whole.codes,
        whole.folders.frame.with_columns(pl.col("variable_names").list.set_difference(["hoURN"])),
    )
    for name, catalogue in (("holidays", whole), ("older", whole), ("newer", newer)):
        catalogue.write_parquet(folder / name)
    Catalogue(info, whole.tables, whole.variables).write_parquet(folder / "without-codes")
    archive = Archive(folder / "my-archive")
    assert archive.add(whole)
    assert archive.add(newer)
    (folder / "config").mkdir()
    (folder / "config/profiles.toml").write_text(
        f'[orbit]\nbase_url = "{server.base_url}"\ndata_view = "Holidays"\n'
        'system = "holidays"\nuser = "Administrator"\n'
    )
    return folder


@pytest.fixture
def place(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a copy of what is prepared; nothing else of the user's is there."""
    folder = tmp_path / "place"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    for name in os.environ:
        if name.startswith("APTECO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("APTECO_FRAMES_CONFIG_DIR", str(folder / "config"))
    monkeypatch.setenv("APTECO_FRAMES_CACHE_DIR", str(folder / "cache"))
    monkeypatch.setenv("APTECO_PASSWORD", PASSWORD)
    return folder


@pytest.fixture
def command(place: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process, in the folder."""
    return Command(capsys)
