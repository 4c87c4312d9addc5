"""The Holidays demo system, and a server that speaks enough of the Orbit API to try a client.

>>> from apteco_frames.demo import DemoServer
>>> with DemoServer() as server:
...     session = server.login()
...     len(session.variables)
94

The rest of the package never imports this one.
"""

from __future__ import annotations

from apteco_frames.demo.holidays import holidays
from apteco_frames.demo.server import DemoServer

__all__ = ["DemoServer", "holidays"]
