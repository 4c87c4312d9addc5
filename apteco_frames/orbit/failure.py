"""Why a request got no answer, in words."""

from __future__ import annotations

import http.client
import re
import socket
from typing import Any, NamedTuple

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    InvalidHeader,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from apteco_frames.orbit.task import Timeout

CHECK_NETWORK = "Check the base URL, your network, VPN and proxy."
# The environment's proxies would otherwise come before those of the session.
PROXY_LOGIN = (
    "Give its user and password in http=: http = requests.Session(); http.trust_env = False; "
    "http.proxies = {'https': 'http://user:password@proxy:8080'}"
)


class Failure(NamedTuple):
    """Why there is no answer, in words.

    Attributes:
        what: what happened.
        hint: what to do next.
        never_sent: whether the request cannot have arrived.
        final: whether it would happen again however often it is tried.
    """

    what: str
    hint: str = CHECK_NETWORK
    never_sent: bool = False
    final: bool = False


TIME_IS_UP = Failure("the time for the whole task is up", "")


def describe(error: Exception, timeout: Timeout) -> Failure:
    """What an error of the network means."""
    causes = _causes(error)

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if has(requests.exceptions.SSLError):
        what = "the TLS connection failed: " + _reason(causes, "certificate not accepted")
        hint = "If the certificate is from an authority of your own, name it: verify='ca.pem'."
        return Failure(what, hint)
    where = " to the proxy" if has(ProxyError) else ""
    if has(NewConnectionError):
        return Failure(f"no connection{where}: " + _reason(causes, "refused"), never_sent=True)
    if has(ConnectTimeoutError):
        return Failure(f"no connection{where} within {timeout.connect:g} seconds", never_sent=True)
    return (
        _unsendable(causes)
        or _refused_by_proxy(causes)
        or _malformed(causes)
        or Failure(
            f"no answer within {timeout.read:g} seconds"
            if has(ReadTimeoutError, TimeoutError)
            else "the connection broke: " + _reason(causes, "the answer was cut off")
        )
    )


def _unsendable(causes: list[BaseException]) -> Failure | None:
    """Requests that cannot even be tried."""
    for cause in causes:
        if isinstance(cause, requests.exceptions.InvalidSchema) and "SOCKS" in str(cause):
            what = "the proxy is a SOCKS proxy, and the package PySocks is not installed"
            hint = "Install it: pip install 'requests[socks]'."
        elif isinstance(cause, LocationValueError | requests.exceptions.InvalidURL):
            what = "the URL, or that of the proxy, has a name or port that no host can have"
            hint = "Check the base URL and your proxy."
        else:
            continue
        return Failure(what, hint, never_sent=True, final=True)
    return None


def _refused_by_proxy(causes: list[BaseException]) -> Failure | None:
    """The answer of a proxy that was asked for a connection to the API, and made none."""
    for cause in causes:
        found = re.match(r"Tunnel connection failed: (\d{3})\b", str(cause))
        if isinstance(cause, OSError) and found:
            status = int(found[1])
            if status == 407:
                what = "the proxy asks for a login, or did not accept it (status 407)"
                return Failure(what, PROXY_LOGIN + ".", never_sent=True, final=True)
            # Its reason phrase is the server's, and might hold anything.
            phrase = http.client.responses.get(status, "no standard status")
            what = f"the proxy made no connection to it: status {status}, {phrase}"
            return Failure(what, never_sent=True, final=status < 500)
    return None


def _malformed(causes: list[BaseException]) -> Failure | None:
    """An answer that breaks the rules of HTTP. Nothing of it is repeated."""
    for cause in causes:
        if isinstance(cause, DecodeError | requests.exceptions.ContentDecodingError):
            return Failure("the answer cannot be unpacked: it is not packed as its headers say")
        if type(cause) in (http.client.LineTooLong, http.client.HTTPException):
            # "got more than 65536 bytes when reading header line", "got more than 100 headers"
            return Failure(f"the answer goes beyond a limit: {cause}")
        if isinstance(cause, InvalidHeader):
            return Failure("the answer's headers contradict each other about its length")
        if type(cause) is http.client.BadStatusLine:
            if str(cause).startswith("HTTP/"):
                return Failure("the answer is cut off or malformed in its first line")
            return Failure("what answered does not speak HTTP")
        if type(cause) is ValueError:  # of int(), for the length of a chunk
            return Failure("the answer is cut off or malformed between two chunks")
    return None


def _causes(error: BaseException) -> list[BaseException]:
    """The error and all that it wraps, outermost first."""
    found: list[BaseException] = []
    pending: list[Any] = [error]
    while pending:
        current = pending.pop(0)
        if isinstance(current, BaseException) and current not in found:
            found.append(current)
            wrapped = [getattr(current, "reason", None), current.__cause__, current.__context__]
            pending += [*wrapped, *current.args]
    return found


def _reason(causes: list[BaseException], otherwise: str) -> str:
    """What the operating system said, if it said anything."""
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return "the name of the host is not known"
        if isinstance(cause, OSError) and isinstance(cause.strerror, str):
            return cause.strerror.lower()
    return otherwise
