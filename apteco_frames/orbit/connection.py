"""Connections whose every wait ends at the deadline of the load that it is for.

What comes over them is unpacked (gzip, deflate) as it comes, in small pieces, so that who reads
it can end it. ``urllib3`` does as much, but with gzip of several members version 2.8 raises an
error of zlib's, or goes on for ever.
"""

from __future__ import annotations

import http.client
import io
import os
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

ACCEPTED = "gzip, deflate"
"""What a request says that its answer may be packed with."""

_PIECE_BYTES = 2**18
_MOST_PACKINGS = 5
_GZIP = frozenset({"gzip", "x-gzip"})
# Nobody is asked for these. Other words are no packing: servers put names of alphabets there.
_NOT_ACCEPTED = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})

# Whose time the thread's request takes.
reading: ContextVar[Deadline] = ContextVar("reading")


class _TimedReader(io.RawIOBase):
    """What a server sends, until the time is up.

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
    """The same kind of connection (http, https, through SOCKS), with timed waits."""
    return type("Timed" + connection.__name__, (_TimedConnection, connection), {})


class _TimedAdapter(requests.adapters.HTTPAdapter):
    """Does as a plain adapter does, over timed connections of its own."""

    poolmanager: Any
    proxy_manager: dict[str, Any]

    def __init__(self, plain: Any) -> None:
        # As requests itself pickles an adapter: retries, size and blocking of pools.
        vars(self).update(plain.__getstate__(), proxy_manager={}, config={})
        # The last answer that was tried again for its status says more than that it was.
        self.max_retries = self.max_retries.new(raise_on_status=False)
        self.init_poolmanager(plain._pool_connections, plain._pool_maxsize, plain._pool_block)
        self._plain = plain
        _take_over(self.poolmanager, plain.poolmanager)

    @property
    def waits_in_time(self) -> bool:
        """Whether it waits for connections alone: not between attempts, nor for its turn."""
        return self.max_retries.total == 0 and not self._plain._pool_block

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **options)
        if not known and proxy in self._plain.proxy_manager:
            _take_over(manager, self._plain.proxy_manager[proxy])
        return manager

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if not issubclass(pool.ConnectionCls, _TimedConnection):
            pool.ConnectionCls = _timed_kind(pool.ConnectionCls)
        return pool


def _take_over(manager: Any, other: Any) -> None:
    """Give a manager of connections another's settings (TLS, sockets), but no connection."""
    vars(manager).update({**vars(other), "pools": manager.pools})


_PLAIN = requests.adapters.HTTPAdapter
_SETTINGS = vars(_PLAIN()).keys()
_SESSION_SETTINGS = vars(requests.Session()).keys()


def _is_plain(adapter: Any) -> bool:
    """Whether an adapter has settings only, and nothing that it does its own way."""
    return type(adapter) is _PLAIN and vars(adapter).keys() <= _SETTINGS


class _Timed:
    """A ``requests.Session`` over another's state: what is plain of its adapters is timed.

    The cookies are its own: those of two logins may be of two users.
    """

    _timed: dict[Any, _TimedAdapter]
    _own: dict[str, Any]

    @property
    def cookies(self) -> Any:
        return self._own["cookies"]

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        self._own["cookies"] = cookies

    def get_adapter(self, url: str) -> Any:
        adapter = super().get_adapter(url)  # type: ignore[misc]
        if not _is_plain(adapter):
            return adapter
        if adapter not in self._timed:
            self._timed.setdefault(adapter, _TimedAdapter(adapter))
        return self._timed[adapter]

    def close(self) -> None:
        """Close the connections that were made here."""
        for adapter in list(self._timed.values()):
            adapter.close()


def timed(http: requests.Session) -> requests.Session:
    """The same session, headers and all, with connections that end in time.

    Where its adapters are plain, timed ones with their settings take their place here;
    others are used as they are. Cookies are those that it has now, and what comes to them
    here. The session itself is not changed, shares no connection with this one, and is the
    user's to close.
    """
    cookies = RequestsCookieJar()
    cookies.update(http.cookies)
    policy = getattr(http.cookies, "_policy", None)  # which RequestsCookieJar.copy() takes, too
    if policy is not None:
        cookies.set_policy(policy)
    members = {"_timed": {}, "_own": {"cookies": cookies}}
    session: requests.Session = object.__new__(type("Timed", (_Timed, type(http)), members))
    session.__dict__ = http.__dict__
    return session


def waits_in_time(http: requests.Session, url: str) -> bool:
    """Whether a request of a session that :func:`timed` gave ends with its deadline by itself.

    Not so where something of the user's own has a part in it.
    """
    if type(http).__bases__[1:] != (requests.Session,) or http.hooks.get("response"):
        return False
    if not vars(http).keys() <= _SESSION_SETTINGS or callable(http.auth):  # its own way
        return False
    try:
        adapter = http.get_adapter(url)
    except requests.RequestException:  # it comes again where the request is sent
        return False
    return isinstance(adapter, _TimedAdapter) and adapter.waits_in_time


def tries_again(
    http: requests.Session,
    method: str,
    url: str,
    status: int | None,
    *,
    never_sent: bool = False,
    asks_to_wait: bool = False,
) -> bool:
    """Whether an adapter of the user's has tried again by itself what failed.

    Args:
        http: the session.
        method: the HTTP method.
        url: where the request went.
        status: the status of the answer; None if there was none.
        never_sent: whether there was no connection.
        asks_to_wait: whether the answer says how long to wait.
    """
    try:
        retries = getattr(http.get_adapter(url), "max_retries", None)
    except requests.RequestException:
        return False
    if not isinstance(retries, Retry) or retries.total in (0, False):
        return False
    if status is not None:
        return retries.is_retry(method, status, asks_to_wait)
    return (retries.connect if never_sent else retries.read) not in (0, False)


def files_named(http: requests.Session, verify: bool | str | None) -> list[tuple[str, str]]:
    """Files of certificates that settings name, each with the setting as the user knows it."""
    named: list[tuple[str, Any]] = []
    if isinstance(verify, str):
        named.append(("verify=", verify))
    elif verify is None and isinstance(http.verify, str | os.PathLike):
        named.append(("http.verify", http.verify))
    elif http.trust_env and verify is not False and http.verify is not False:
        variables = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # the first one that is set counts
        named += [(name, os.environ[name]) for name in variables if os.environ.get(name)][:1]
    certificates: Any = http.cert or ()
    if isinstance(certificates, str | os.PathLike):
        certificates = (certificates,)
    named += [("http.cert", path) for path in certificates]
    return [(setting, os.fspath(path)) for setting, path in named]


def new_session(max_connections: int) -> requests.Session:
    """A ``requests.Session`` for so many connections, without retries of its own."""
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=max_connections, max_retries=0)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class UnpackError(Exception):
    """What came is not packed as it says; the message says how, in a part of a sentence."""


def unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """What comes, unpacked.

    Args:
        pieces: the parts of an answer's body.
        encoding: its header ``Content-Encoding``.

    Returns:
        parts of the body, some of them empty, so that nothing goes on unseen.

    Raises:
        UnpackError: it is packed in another way, or was cut off.

    >>> import gzip
    >>> b"".join(unpacked([gzip.compress(b"People, "), gzip.compress(b"Bookings")], "gzip"))
    b'People, Bookings'
    """
    packings = [word.strip().lower() for word in encoding.split(",")]
    if len(packings) > _MOST_PACKINGS:
        raise UnpackError(f"it is packed {len(packings)} times over")
    for packing in reversed(packings):
        if packing in _NOT_ACCEPTED:
            raise UnpackError(f"it is packed as {packing!r}, which was not asked for")
        if packing in _GZIP or packing == "deflate":
            pieces = _inflated(pieces, packing)
    return iter(pieces)


def _inflated(pieces: Iterable[bytes], packing: str) -> Iterator[bytes]:
    is_gzip = packing in _GZIP
    member = None
    held = b""
    for piece in pieces:
        held += piece
        yield b""
        while held:
            if member is None:
                if is_gzip:
                    held = held.lstrip(b"\0")  # what some programs fill up blocks with
                if len(held) < 2:
                    break
                member = zlib.decompressobj(zlib.MAX_WBITS + 16 if is_gzip else _window(held))
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
                if not is_gzip:  # which has one member only
                    return
                member = None
    if member is not None or held:
        raise UnpackError("it was cut off")


def _window(start: bytes) -> int:
    """What zlib is to be told of a deflate stream, which comes with a header or without."""
    has_header = start[0] & 15 == zlib.DEFLATED and int.from_bytes(start[:2]) % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS
