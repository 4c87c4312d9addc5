"""The browser of ``tests/browser``, and the folder that commands work in of ``tests/cli``."""

from __future__ import annotations

from browser.conftest import browser, chromium, pictures
from cli.conftest import place, prepared, server

__all__ = ["browser", "chromium", "pictures", "place", "prepared", "server"]
