"""A browser for the tests of this folder, and a place for their pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.chromium import PROGRAM, launched
from playwright.sync_api import Browser, Dialog, Page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium, shared by the tests of a module."""
    if PROGRAM is None:
        pytest.skip("there is no chromium; .ci/run installs Debian's")
    with launched() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page, wide and light; no dialog may open, and nothing complain."""
    complaints: list[str] = []

    def close(dialog: Dialog) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.accept()

    with chromium.new_context(viewport={"width": 1400, "height": 900}) as context:
        page = context.new_page()
        page.on("dialog", close)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
    assert complaints == []


@pytest.fixture
def asked(page: Page) -> set[str]:
    """The URLs that the page asks for, itself among them."""
    urls: set[str] = set()
    page.on("request", lambda request: urls.add(request.url))
    return urls


@pytest.fixture
def pictures(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Where a test leaves its pictures: below ``PICTURES``, if that is set, under its name."""
    folder = Path(os.environ.get("PICTURES", tmp_path), request.node.name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
