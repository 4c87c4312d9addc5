"""The browser of ``tests/browser``, and the folder that commands work in of ``tests/cli``."""

from __future__ import annotations

from browser.conftest import asked, chromium, page
from cli.conftest import place, prepared, server

__all__ = ["asked", "chromium", "page", "place", "prepared", "server"]
