"""A cache that many processes share, and processes that are killed while they write to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults.conftest import Meet
from faults.server import FaultyServer, status
from lanes import PATIENCE

from apteco_frames.demo import DemoServer
from apteco_frames.errors import ApiError

ERROR = b'{"code": 403, "id": 1, "message": "no right"}'
HERE = Path(__file__).parent
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), *sys.path])}


def command(name: str, *arguments: object) -> list[str]:
    """The command that runs a program of this folder, with warnings as errors."""
    return [sys.executable, "-W", "error", str(HERE / name), *map(str, arguments)]


@pytest.mark.parametrize("number", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_many_processes(tmp_path: Path, number: int) -> None:
    """Processes share a cache, reading anew by turns: each has all, and none waits."""
    with DemoServer() as server:
        start = command("cached_logins.py", server.base_url, tmp_path, number)
        running = [
            subprocess.Popen(start, env=ENV, stderr=subprocess.PIPE, text=True)
            for _ in range(number)
        ]
        ends = [
            (process.communicate(timeout=10 * PATIENCE)[1], process.returncode)
            for process in running
        ]
    assert ends == [("", 0)] * number
    kept = {path.name for path in tmp_path.glob("*/*/*")}
    nouns = ("system", "tables", "variables", "codes", "folders")
    assert kept <= {f"{noun}.parquet" for noun in nouns}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_while_keeping(tmp_path: Path, kills: int) -> None:
    """Whoever is killed while it writes leaves whole files, or none."""
    done = subprocess.run(
        command("killed_cache.py", tmp_path, kills),
        env=ENV,
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(f"{kills} kills: {found}")
    assert set(found) <= {
        *("nothing", "A", "B", "A with codes", "B with codes"),
        *("left over", "left over after a day"),
    }
    assert found["left over"] > 0 or kills < 100  # kills do come in the middle of a write
    assert found["left over after a day"] == 0


def test_damaged_cache(meet: Meet, tmp_path: Path) -> None:
    """A cache in which every file is damaged is read anew."""
    with FaultyServer() as server:
        session = server.login(cache=tmp_path)
        session.codes, session.folders  # noqa: B018 - it reads them
        for path in tmp_path.rglob("*.parquet"):
            path.write_bytes(path.read_bytes()[:-100])
        meet(server, cache=tmp_path)
        assert len(server.login(cache=tmp_path).codes) == len(session.codes)


def test_refused_number_of_variables(meet: Meet, tmp_path: Path) -> None:
    """Whom the API refuses the variables has no catalogue from the cache, either."""
    with FaultyServer(status(403, ERROR), skip=2) as server:
        server.login(cache=tmp_path)
        meet(server, kind=ApiError, cache=tmp_path)
