"""Connections whose every wait ends with the task that it is for."""

from __future__ import annotations

import http.client
import io
from contextvars import ContextVar
from typing import Any

import requests
import requests.adapters
import urllib3.connection

from apteco_frames.orbit.task import Task

# Whose time the thread's request takes.
reading: ContextVar[Task] = ContextVar("reading")


class _TimedReader(io.RawIOBase):
    """What a server sends, until the task's time is up.

    A socket's own time-out begins anew with every byte that comes.
    """

    def __init__(self, raw: io.RawIOBase, connection: Any) -> None:
        self._raw = raw
        self._connection = connection
        self._task = reading.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        with self._task.waiting_for(self._connection):
            return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, connection: Any, *args: Any, **options: Any) -> None:
        super().__init__(connection, *args, **options)
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), connection))


class _HttpConnection(urllib3.connection.HTTPConnection):
    response_class = _TimedResponse


class _HttpsConnection(urllib3.connection.HTTPSConnection):
    response_class = _TimedResponse


class _Adapter(requests.adapters.HTTPAdapter):
    """Reads answers under the task's deadline."""

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = _HttpsConnection if pool.scheme == "https" else _HttpConnection
        return pool


def new_session(max_connections: int) -> requests.Session:
    """A ``requests.Session`` that reads answers under the task's deadline."""
    session = requests.Session()
    adapter = _Adapter(pool_maxsize=max_connections, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
