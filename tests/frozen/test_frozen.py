"""Programs frozen with PyInstaller have all that the package needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the frozen program."""
    folder = tmp_path_factory.mktemp("frozen")
    program = Path(__file__).with_name("program.py")
    given = [str(program), "--specpath", ".", "--noconfirm", "--log-level", "WARN"]
    subprocess.run([sys.executable, "-m", "PyInstaller", *given], cwd=folder, check=True)
    return folder / "dist/program"


def test_frozen_program(built: Path, tmp_path: Path) -> None:
    """It runs where there is no Python, and writes the data dictionary with style and script."""
    done = subprocess.run(
        [built / "program", tmp_path],
        cwd=tmp_path,
        env={"PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1 + 10
    page = (tmp_path / "holidays.html").read_text(encoding="utf-8")
    assert "<style>" in page
    assert "<script" in page
