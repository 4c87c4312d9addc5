"""A browser for the tests of this folder, and a place for their pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.chromium import PROGRAM, Browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium, shared by the tests of a module."""
    if PROGRAM is None:
        pytest.skip("there is no chromium; .ci/run installs Debian's")
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """The browser as a test begins with it: wide, light, nothing noted."""
    chromium.look(1400)
    for noted in (chromium.asked, chromium.alerts, chromium.complaints):
        noted.clear()
    return chromium


@pytest.fixture
def pictures(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Where a test leaves its pictures: below ``PICTURES``, if that is set, under its name."""
    folder = Path(os.environ.get("PICTURES", tmp_path), request.node.name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
