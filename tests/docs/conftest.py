"""The browser of ``tests/browser``."""

from __future__ import annotations

from browser.conftest import browser, chromium, pictures

__all__ = ["browser", "chromium", "pictures"]
