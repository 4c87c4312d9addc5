"""The Chromium that is installed, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
# Without its sandbox it runs as root, too; it is not to look for anything on the network.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser, headless, as long as the block runs."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS) as browser,
    ):
        yield browser


def open_drawn(page: Page, path: Path, fragment: str = "") -> None:
    """Open a page of ours from disk, anew, and wait until it has drawn itself."""
    page.goto("about:blank")  # another fragment alone would not load the page again
    page.goto(path.as_uri() + fragment)
    # Not wait_for_function(), which the page's Content-Security-Policy forbids to look twice.
    page.locator("html[data-opened]").wait_for(state="attached")
