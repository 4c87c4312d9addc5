"""Connections on which every wait ends at the deadline of the load.

Answers are decompressed (gzip) as they come, in small pieces, so that the reader can stop.
``urllib3`` does as much, but with gzip of several members version 2.8 raises an error of zlib's, or
loops forever.
"""

from __future__ import annotations

import http.client
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from functools import cache
from typing import Any

import requests
import requests.adapters
from requests.cookies import RequestsCookieJar
from urllib3.util import Retry

from apteco_frames.orbit.deadline import Deadline

ACCEPTED = "gzip"
"""The compression that requests accept for answers."""

_PIECE_BYTES = 2**18
_GZIP_BITS = zlib.MAX_WBITS + 16
_GZIP = ("gzip", "x-gzip")
# Nobody is asked for these. Other words are no packing: servers put names of alphabets there.
_NOT_ACCEPTED = frozenset({*_GZIP, "deflate", "br", "zstd", "compress", "x-compress"})

# Whose time the thread's request takes.
reading: ContextVar[Deadline] = ContextVar("reading")


class _TimedReader(io.RawIOBase):
    """Reads what a server sends, until the time is up.

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


class _TimedConnection:
    response_class = _TimedResponse

    def connect(self) -> None:
        """Connect, but wait no longer for that than the load may."""
        deadline = reading.get()

        def connected() -> bool:
            super(_TimedConnection, self).connect()  # type: ignore[misc]
            in_time = deadline.seconds_left() > 0
            if not in_time:  # perhaps nobody waits any more
                self.close()  # type: ignore[attr-defined]
            return in_time

        if not deadline.run_aside(connected):
            raise TimeoutError("the time for the whole load is up")


@cache
def _timed_kind(connection: type) -> type:
    """The same class of connection (http, https, SOCKS), with timed waits."""
    return type("Timed" + connection.__name__, (_TimedConnection, connection), {})


class _TimedAdapter(requests.adapters.HTTPAdapter):
    """Makes timed connections; it does not retry by itself."""

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if not issubclass(pool.ConnectionCls, _TimedConnection):
            pool.ConnectionCls = _timed_kind(pool.ConnectionCls)
        return pool


def new_session(max_connections: int) -> requests.Session:
    """A ``requests.Session`` with this many timed connections."""
    session = requests.Session()
    adapter = _TimedAdapter(pool_maxsize=max_connections, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def with_own_cookies(http: requests.Session) -> requests.Session:
    """A user's session, with all that is or will be set on it, but a copy of its cookies."""
    policy = getattr(http.cookies, "_policy", None)  # which RequestsCookieJar.copy() takes, too
    cookies = RequestsCookieJar(policy)
    cookies.update(http.cookies)
    held = [cookies]
    own = property(lambda _: held[0], lambda _, new: held.__setitem__(0, new))
    session: requests.Session = object.__new__(type("Session", (type(http),), {"cookies": own}))
    session.__dict__ = http.__dict__
    return session


def retries_itself(
    http: requests.Session, method: str, url: str, status: int | None, asks_to_wait: bool = False
) -> bool:
    """Whether the user's own adapter has already retried what failed.

    Args:
        http: the session.
        method: the HTTP method.
        url: where the request went.
        status: the status of the answer; None if there was none.
        asks_to_wait: whether the answer says how long to wait.
    """
    try:
        retries = getattr(http.get_adapter(url), "max_retries", None)
    except requests.RequestException:  # the session has no adapter for such URLs
        return False
    if not isinstance(retries, Retry) or retries.total in (0, False):
        return False
    return status is None or retries.is_retry(method, status, asks_to_wait)


class UnpackError(Exception):
    """An answer is not compressed as it says; the message is part of a sentence."""


def unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Decompress an answer.

    Args:
        pieces: the parts of the body.
        encoding: its header ``Content-Encoding``.

    Returns:
        parts of the body, some of them empty, so that the reader can stop at any time.

    Raises:
        UnpackError: it is compressed in another way, damaged or truncated.

    >>> import gzip
    >>> b"".join(unpacked([gzip.compress(b"People, "), gzip.compress(b"Bookings")], "gzip"))
    b'People, Bookings'
    """
    packing = encoding.strip().lower()
    if packing in _GZIP:
        return _inflated(pieces)
    if not _NOT_ACCEPTED.isdisjoint(re.split("[ ,]+", packing)):
        raise UnpackError(f"it is packed as {packing!r}, which was not asked for")
    return iter(pieces)


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    member: Any = None  # of gzip, which may have several
    for piece in pieces:
        held = piece
        yield b""
        while held:
            if member is None:
                held = held.lstrip(b"\0")  # what some programs fill up blocks with
                member = zlib.decompressobj(_GZIP_BITS) if held else None
                continue
            try:
                out = member.decompress(held, _PIECE_BYTES)
                yield out
                while not member.unconsumed_tail and len(out) == _PIECE_BYTES:
                    out = member.decompress(b"", _PIECE_BYTES)
                    yield out
            except zlib.error:
                raise UnpackError("it is not packed as its headers say") from None
            held = member.unconsumed_tail or member.unused_data
            if member.eof:
                member = None
    if member is not None:
        raise UnpackError("it was cut off")
