"""Apteco FastStats metadata as dataframes.

>>> from apteco_frames.demo import DemoServer
>>> with DemoServer() as demo, demo.login() as session:
...     session.master_table.name
'Households'
"""

from __future__ import annotations

from apteco_frames import errors
from apteco_frames.catalogue import Catalogue
from apteco_frames.session import Session, login, login_with_password

__version__ = "0.1.0"

__all__ = ["Catalogue", "Session", "errors", "login", "login_with_password"]
