"""Why a request got no answer, in words."""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

import requests
import urllib3

from apteco_frames.orbit.task import Timeout

CHECK_NETWORK = "Check the base URL, your network, VPN and proxy."


class Failure(NamedTuple):
    """Why there is no answer, in words; whether the request cannot have arrived."""

    what: str
    hint: str
    never_sent: bool


TIME_IS_UP = Failure("the time for the whole task is up", "", never_sent=False)


def describe(error: Exception, timeout: Timeout) -> Failure:
    """What an error of the network means."""
    never_sent = False
    causes = _causes(error)
    if any(isinstance(c, requests.exceptions.SSLError) for c in causes):
        what = "the TLS connection failed: " + _reason(causes, "certificate not accepted")
        hint = "If the certificate is from an authority of your own, name it: verify='ca.pem'."
        return Failure(what, hint, never_sent)
    if any(isinstance(c, urllib3.exceptions.NewConnectionError) for c in causes):
        what = "no connection: " + _reason(causes, "refused")
        never_sent = True
    elif any(isinstance(c, urllib3.exceptions.ConnectTimeoutError) for c in causes):
        what = f"no connection within {timeout.connect:g} seconds"
        never_sent = True
    elif any(isinstance(c, urllib3.exceptions.ReadTimeoutError | TimeoutError) for c in causes):
        what = f"no answer within {timeout.read:g} seconds"
    else:
        what = "the connection broke: " + _reason(causes, "the answer was cut off")
    return Failure(what, CHECK_NETWORK, never_sent)


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
