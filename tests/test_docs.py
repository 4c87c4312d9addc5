"""The Python on the pages of ``docs/`` runs, and shows what the pages show.

What is typed into a terminal there runs in ``tests/docs``, which ``tox -e docs`` runs.
"""

from __future__ import annotations

import builtins
import getpass
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples import PAGES, ROOT, examples, run

from apteco_frames import errors
from apteco_frames.demo import DemoServer

WITH_PYTHON = [
    path for path in PAGES if any(examples(path.read_text(encoding="utf-8"), "python", "pycon"))
]
ERROR = re.compile(r"`([A-Z]\w+(?:Error|Warning))`")


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    """The system that the pages mean by ``https://orbit.my-site.com``."""
    with DemoServer() as server:
        yield server


@pytest.mark.parametrize(
    "path", WITH_PYTHON, ids=lambda path: path.relative_to(ROOT / "docs").with_suffix("").as_posix()
)
def test_the_python_of_a_page_runs(
    path: Path, demo: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All Python of a page, one block after the other, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORBIT_PASSWORD", demo.password)
    monkeypatch.setenv("APTECO_FRAMES_CACHE_DIR", str(tmp_path / "cache"))
    # As a notebook puts its own hidden input in place.
    monkeypatch.setattr(getpass, "getpass", lambda prompt: demo.password)
    # Looked for, but not used on plain http.
    for file in "client.pem", "client.key", "my-company-ca.pem":
        Path(file).touch()
    names = run(path, demo)
    if started := names.get("demo"):
        started.close()


def test_there_are_pages() -> None:
    """The test above has something to run."""
    assert {"tutorial"} <= {path.stem for path in WITH_PYTHON}


def test_errors_that_are_named_exist() -> None:
    """Pages name errors of the package or of Python; their own page has all of the package's."""
    named = {page.stem: set(ERROR.findall(page.read_text(encoding="utf-8"))) for page in PAGES}
    known = {name for name in vars(errors) if ERROR.fullmatch(f"`{name}`")}
    assert {name for names in named.values() for name in names} <= known | vars(builtins).keys()
    assert named["errors"] >= known
