"""Apteco FastStats metadata as dataframes.

>>> from apteco_frames.demo import DemoServer
>>> with DemoServer() as demo, demo.login() as session:
...     session.master_table.name
'Households'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["Archive", "Catalogue", "Session", "errors", "login", "login_with_password"]

if TYPE_CHECKING:
    from apteco_frames import errors
    from apteco_frames.archive import Archive
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.logins import login, login_with_password
    from apteco_frames.session import Session
else:
    # Imported on first use: the command line has control before that, and ends quietly at
    # Ctrl-C while pyarrow and requests are loaded.
    _HOMES = {
        "Archive": "archive",
        "Catalogue": "catalogue",
        "Session": "session",
        "errors": "",
        "login": "logins",
        "login_with_password": "logins",
    }

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name not in _HOMES:
            from apteco_frames.support.apteco_names import not_here

            raise not_here(__name__, name)
        home = import_module(f"{__name__}.{_HOMES[name] or name}")
        value = globals()[name] = getattr(home, name) if _HOMES[name] else home
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
