"""The outcome of a request, an answer or a failure, and the error to raise for it."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    InvalidHeader,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    ResponseError,
)

from apteco_frames.errors import (
    ApiError,
    AptecoFramesError,
    GatewayError,
    Hint,
    SessionExpiredError,
)
from apteco_frames.orbit.connection import UnpackError
from apteco_frames.orbit.json_text import said
from apteco_frames.orbit.options import Timeout
from apteco_frames.orbit.redact import Secrets
from apteco_frames.support.text import truncate

CHECK_NETWORK = "Check the base URL, your network, VPN and proxy."
REFUSED = frozenset({400, 403, 404})
"""Statuses that say that a list is not to be had, while others may be."""

IF_NO_HELP = "If that is no help, show this message to your administrator"
"""What to do next where the API itself says what is wrong: no guess of ours."""


class Response(NamedTuple):
    """An HTTP answer, whatever its status.

    Attributes:
        status: the status code.
        reason: the status in words.
        headers: the headers; names match in any case.
        body: the body, unpacked.
        asked: the URL that answered.
        secrets: what the rest must be shown without.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    asked: str
    secrets: Secrets

    @property
    def url(self) -> str:
        """The URL that answered, without secrets."""
        return self.secrets.without_issued(self.asked)

    @property
    def shown_reason(self) -> str:
        """The reason phrase, without secrets."""
        # HTTP loses the blanks around it; those that a message puts there may be a password's.
        return self.secrets.without(f" {self.reason} ").strip()

    def __repr__(self) -> str:
        return f"<answer with status {self.status}>"  # the rest may hold a token

    def without_secrets(self) -> Response:
        """The answer without secrets, its body cut to 32,768 bytes."""
        without = self.secrets.without
        names = map(without, self.headers)
        values = map(without, self.headers.values())
        return self._replace(
            reason=self.shown_reason,
            headers=CaseInsensitiveDict(zip(names, values, strict=True)),
            body=without(self.body.decode("latin-1")).encode("latin-1"),
        )


class Failure(NamedTuple):
    """Why there is no answer.

    Attributes:
        what: what happened.
        hint: what to do next.
        never_sent: whether the request certainly did not arrive.
        final: whether retrying is pointless.
        in_body: whether the answer had started.
    """

    what: str
    hint: Hint | str = CHECK_NETWORK
    never_sent: bool = False
    final: bool = False
    in_body: bool = False


TIME_IS_UP = Failure("the time for the whole load is up", "")


# What OpenSSL says, as versions of it differ, where an answer is not of TLS at all.
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"})
_NOT_TLS |= {"HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}
# How TLS says that it does not understand, seen as text.
_TLS_ALERT = "\x15\x03"
_SPEAKS_TLS = "the server there speaks https"
_CHECK_FILES = (
    "Correct verify=, http.verify, http.cert, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, "
    "whichever is set."
)
# Numbers of OpenSSL for what may be wrong with a certificate besides its authority.
_NOT_VALID_NOW = (9, 10)
_OTHER_NAME = (62, 64)


def describe(error: Exception, timeout: Timeout, without: Callable[[str], str] = str) -> Failure:
    """What an error of the network means.

    Args:
        error: the error.
        timeout: how long was waited.
        without: leaves no secret in what is quoted.
    """
    causes = _causes(error)

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    found = next(filter(None, map(_misconfigured, causes)), None)
    if found or has(requests.exceptions.SSLError):
        return found or _tls(causes)
    is_socks = any(type(cause).__name__ == "ProxyConnectionError" for cause in causes)
    where = " to the proxy" if is_socks or has(ProxyError) else ""
    if has(NewConnectionError):
        return Failure(f"no connection{where}: " + _reason(causes, "refused"), never_sent=True)
    if has(ConnectTimeoutError, requests.ConnectTimeout):
        return Failure(f"no connection{where} within {timeout.connect:g} seconds", never_sent=True)
    found = next(filter(None, map(_status, causes)), None)
    if found:
        return found
    what = next(filter(None, map(_malformed, causes)), None)
    if what == _SPEAKS_TLS:
        return Failure(what, "Begin the base URL with https://.", final=True)
    if what is None and has(ReadTimeoutError, TimeoutError, requests.Timeout):
        what = f"no answer within {timeout.read:g} seconds"
    reason = without(_own_words(error)) or "the answer was cut off"
    return Failure(what or f"the connection broke: {_reason(causes, reason)}")


def _misconfigured(cause: BaseException) -> Failure | None:
    """Settings with which no request can even be tried."""
    text = str(cause)
    hint: Hint | str = "Check the base URL and your proxy."
    if type(cause) is OSError and re.match("Could not find .+, invalid path", text):  # of requests
        what, hint = text[:1].lower() + text[1:], _CHECK_FILES
    elif isinstance(cause, ssl.SSLError) and re.search("NO_CERTIFICATE_OR_CRL|PEM lib", text):
        what, hint = "a file of certificates or keys contains none in PEM", _CHECK_FILES
    elif isinstance(cause, ssl.SSLError) and re.search("NO_CERTIFICATE_ASS|VALUES_MISM", text):
        what, hint = "the key in http.cert is that of another certificate", "Correct http.cert."
    elif type(cause) is IsADirectoryError:
        what, hint = "a folder is set where a file of certificates or keys must be", _CHECK_FILES
    elif isinstance(cause, ProxyError) and "only use HTTP and not HTTPS" in text:
        what = f"no connection to the proxy: {cause.args[0]}"
    elif isinstance(cause, requests.exceptions.InvalidHeader) and text in cause.args:
        # Of a request (one of an answer wraps an error). What it says quotes the header.
        what, hint = "a header of http= has an invalid name or value", "Correct it."
    elif isinstance(cause, requests.exceptions.InvalidSchema) and "SOCKS" in text:
        what = "the proxy is a SOCKS proxy, and the package PySocks is not installed"
        hint = "Install it: pip install 'requests[socks]'."
    elif isinstance(cause, LocationValueError | requests.exceptions.InvalidURL):
        what = "the URL, or that of the proxy, has an invalid host name or port"
    else:
        return None
    return Failure(what, hint, never_sent=True, final=True)


def _tls(causes: list[BaseException]) -> Failure:
    """A connection that TLS did not come about on."""
    errors = [cause for cause in causes if isinstance(cause, ssl.SSLError)]
    if any(error.reason in _NOT_TLS for error in errors):
        return Failure(
            "the server there does not speak https",
            "Begin the base URL with http://, or give the port of https.",
            never_sent=True,
            final=True,
        )
    reason = _reason(causes, "the connection was cut")
    hint: Hint | str = CHECK_NETWORK
    for error in errors:
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = error.verify_message[:1].lower() + error.verify_message[1:].rstrip(".")
            if error.verify_code in _OTHER_NAME:
                hint = "Check the name of the host in the base URL."
            elif error.verify_code in _NOT_VALID_NOW:
                hint = "Check the clock of this machine, or tell your Orbit administrator."
            else:
                hint = Hint.NAME_AUTHORITY
    return Failure(f"the TLS connection failed: {reason}", hint)


def _status(cause: BaseException) -> Failure | None:
    """A status that is told in an error: a proxy's, or one that an adapter tried again for."""
    found = re.match(r"(Tunnel connection failed:|too many) (\d{3})\b", str(cause))
    if not (found and isinstance(cause, OSError | ResponseError)):
        return None
    status = int(found[2])
    # Its reason phrase is the server's, and might hold anything.
    told = f"status {status}, {http.client.responses.get(status, 'no standard status')}"
    if found[1] == "too many":
        what = f"{told}, as often as an adapter of http= asked"
        return Failure(what, "Try again later.", final=True)
    if status == 407:
        what = "the proxy asks for a login, or did not accept it (status 407)"
        return Failure(what, Hint.PROXY_LOGIN, never_sent=True, final=True)
    what = f"the proxy made no connection to it: {told}"
    return Failure(what, never_sent=True, final=status < 500)


def _malformed(cause: BaseException) -> str | None:
    """How an answer breaks the rules of HTTP. Nothing of it is repeated."""
    if isinstance(cause, UnpackError):
        return f"the answer cannot be unpacked: {cause}"
    if isinstance(cause, DecodeError | requests.exceptions.ContentDecodingError | zlib.error):
        return "the answer cannot be unpacked: it is not packed as its headers say"
    if type(cause) in (http.client.LineTooLong, http.client.HTTPException):
        # "got more than 65536 bytes when reading header line", "got more than 100 headers"
        return f"the answer goes beyond a limit: {cause}"
    if isinstance(cause, InvalidHeader):
        return "the answer's headers contradict each other about its length"
    if type(cause) is http.client.BadStatusLine:
        if str(cause).startswith(_TLS_ALERT):
            return _SPEAKS_TLS
        return "the server does not speak HTTP, or its answer was cut off in the first line"
    if type(cause) is ValueError:  # of int(), for the length of a chunk
        return "the answer is cut off or malformed between two chunks"
    return None


def _own_words(error: Exception) -> str:
    """What an error says that is not of the libraries: of an adapter or of a test's stand-in."""
    kind = type(error)
    is_bare = kind in (requests.RequestException, requests.ConnectionError)
    is_bare = is_bare and isinstance(next(iter(error.args), None), str)
    if not is_bare and kind.__module__.partition(".")[0] in ("requests", "urllib3", "builtins"):
        return ""
    return truncate(" ".join(str(error).split()), 200)


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
            return "the host name could not be resolved"
        if isinstance(cause, OSError) and isinstance(cause.strerror, str):
            return cause.strerror.lower()
    return otherwise


def raise_for_status(answer: Response) -> bytes:
    """The body of a successful answer; otherwise the error that the status stands for.

    Raises:
        SessionExpiredError: the status is 401.
        GatewayError: the status is an error, but not from the API.
        ApiError: the status is another error.
    """
    status = answer.status
    if 200 <= status < 300:
        return answer.body
    words = said(answer.body)
    if status == 401:
        cause = "" if words.message else ": its token has expired, or it was ended"
        what = f"The session is no longer accepted{cause}"
        raise api_error(SessionExpiredError, answer, what, Hint.LOG_IN_AGAIN)
    told: dict[int, tuple[str, str | Hint]] = {
        400: ("The request was not accepted", "Check the names you gave"),
        403: ("The user may not do this", "Ask your administrator for the right to"),
        404: ("There is nothing at this address", "Check the base URL and the names you gave"),
        407: ("The proxy asks for a login, or did not accept it", Hint.PROXY_LOGIN),
        429: ("The API was asked too often", "Try again later"),
    }
    what, hint = told.get(status, ("The request was refused", "Tell your administrator"))
    if status >= 500:
        what = "The API failed" if words.is_json else "The server failed"
        hint = "Try again; if it stays so, tell your administrator"
    elif words.message and not words.is_page and status not in (407, 429):
        hint = IF_NO_HELP
    raise api_error(ApiError, answer, what, hint)


def api_error(
    kind: type[ApiError], answer: Response, what: str, hint: Hint | str
) -> AptecoFramesError:
    """The error for an answer, without any secret that the answer repeats.

    Args:
        kind: the class of the error, if it is the API that answered.
        answer: an answer whose status is an error.
        what: what went wrong, the beginning of a sentence.
        hint: what to do next; a text is a sentence without its full stop.

    Returns:
        an error of that class, or a ``GatewayError``.
    """
    without_secrets = answer.secrets.without
    words = said(answer.body)
    # Once they are decoded, or an escape could hide what they say.
    words = words._replace(
        message=without_secrets(words.message),
        parameters=tuple(map(without_secrets, words.parameters)),
    )
    status = f"status {answer.status} {truncate(answer.shown_reason)}".strip()
    wait = answer.headers.get("Retry-After")
    asks = ""
    if wait and answer.status in (429, 503):
        asks = f" It asks to wait: {truncate(without_secrets(wait))!r} (seconds, or a time)."
    next_step = hint if isinstance(hint, Hint) else f"{hint}."
    if words.is_page:
        title = f" ({words.shown})" if words.message else ""
        return GatewayError(
            f"{answer.url} answered with {status} and a web page{title}: a gateway or proxy "
            f"answered, not the API.{asks} Check the base URL, your VPN and your proxy.",
            hint=next_step,
        )
    if not words.is_json and not words.message:
        if kind is ApiError and answer.status != 404:
            return GatewayError(
                f"{answer.url} answered with {status} and no message: perhaps a gateway or proxy "
                f"answered, not the API.{asks} Check the base URL, your VPN and your proxy.",
                hint=next_step,
            )
        status += ", no message"
    who = "API" if words.is_json else "answer"
    says = f" The {who} says: {words.shown}." if words.message or words.parameters else ""
    number = f" Its error number for the administrator is {words.id}." if words.id else ""
    return kind(
        f"{what} ({answer.url}, {status}).{says}{number}{asks}",
        status=answer.status,
        url=answer.url,
        code=words.code,
        error_id=words.id,
        message=words.message or None,
        hint=next_step,
    )
