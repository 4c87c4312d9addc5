"""What comes of a request: an answer, or a failure; and what either means, in words."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
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
        """The URL that answered, as it may be shown."""
        return self.secrets.without_issued(self.asked)

    @property
    def shown_reason(self) -> str:
        """The status in words, without any secret."""
        # HTTP loses the blanks around it; those that a message puts there may be a password's.
        return self.secrets.without(f" {self.reason} ").strip()

    def __repr__(self) -> str:
        return f"<answer with status {self.status}>"  # the rest may hold a token

    def without_secrets(self) -> Response:
        """The answer as it may be shown, its body cut to 32,768 bytes."""
        without = self.secrets.without
        names = map(without, self.headers)
        values = map(without, self.headers.values())
        return self._replace(
            reason=self.shown_reason,
            headers=CaseInsensitiveDict(zip(names, values, strict=True)),
            body=without(self.body.decode("latin-1")).encode("latin-1"),
        )


class Failure(NamedTuple):
    """Why there is no answer, in words.

    Attributes:
        what: what happened.
        hint: what to do next.
        never_sent: whether the request cannot have arrived.
        final: whether it would happen again however often it is tried.
        in_body: whether an answer had begun.
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
# Numbers of OpenSSL for what may be wrong with a certificate besides its authority.
_NOT_VALID_NOW = (9, 10)
_OTHER_NAME = (62, 64)


def describe(
    error: Exception,
    timeout: Timeout,
    files: Sequence[tuple[str, str]] = (),
    without: Callable[[str], str] = str,
) -> Failure:
    """What an error of the network means.

    Args:
        error: the error.
        timeout: how long was waited.
        files: files that settings name, each with the setting.
        without: leaves no secret in what is quoted.
    """
    causes = _causes(error)

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    found = _unusable_file(causes, files) or _misnamed_proxy(causes)
    if found or has(requests.exceptions.SSLError):
        return found or _tls(causes)
    is_socks = any(type(cause).__name__ == "ProxyConnectionError" for cause in causes)
    where = " to the proxy" if is_socks or has(ProxyError) else ""
    if has(NewConnectionError):
        return Failure(f"no connection{where}: " + _reason(causes, "refused"), never_sent=True)
    if has(ConnectTimeoutError):
        return Failure(f"no connection{where} within {timeout.connect:g} seconds", never_sent=True)
    return (
        _unsendable(causes)
        or _refused_by_proxy(causes)
        or _tried_again(causes)
        or _malformed(causes)
        or Failure(
            f"no answer within {timeout.read:g} seconds"
            if has(ReadTimeoutError, TimeoutError)
            else "the connection broke: "
            + _reason(causes, without(_own_words(error)) or "the answer was cut off")
        )
    )


def _unusable_file(causes: list[BaseException], files: Sequence[tuple[str, str]]) -> Failure | None:
    """A file of certificates that is not there, or holds none."""
    said = {cause.reason or str(cause) for cause in causes if isinstance(cause, ssl.SSLError)}
    if any(type(cause) is OSError and cause.errno is None for cause in causes):  # of requests
        wrong = [(setting, path) for setting, path in files if not Path(path).exists()]
        fault = "but there is no such file"
    elif "NO_CERTIFICATE_OR_CRL_FOUND" in said:
        wrong = [(setting, path) for setting, path in files if setting != "http.cert"]
        fault = "which holds no certificate in PEM"
    elif any("PEM lib" in words for words in said):
        wrong = [(setting, path) for setting, path in files if setting == "http.cert"]
        fault = "which holds no certificate and key in PEM"
    else:
        return None
    for setting, path in wrong:
        what = f"{setting} names {path!r}, {fault}"
        return Failure(what, "Correct it, or leave it out.", never_sent=True, final=True)
    return None


def _misnamed_proxy(causes: list[BaseException]) -> Failure | None:
    """A proxy that is given as https, and is not: urllib3 says what to do."""
    for cause in causes:
        text = str(cause.args[0]) if cause.args else ""
        if isinstance(cause, ProxyError) and "only use HTTP and not HTTPS" in text:
            return Failure(f"no connection to the proxy: {text}", never_sent=True, final=True)
    return None


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


def _tried_again(causes: list[BaseException]) -> Failure | None:
    """A status that an adapter of the user's tried again for, until it had enough."""
    for cause in causes:
        found = re.fullmatch(r"too many (\d{3}) error responses", str(cause))
        if isinstance(cause, ResponseError) and found:
            phrase = http.client.responses.get(int(found[1]), "no standard status")
            what = f"status {found[1]}, {phrase}, as often as an adapter of http= asked"
            return Failure(what, "Try again later.", final=True)
    return None


def _unsendable(causes: list[BaseException]) -> Failure | None:
    """Requests that cannot even be tried."""
    for cause in causes:
        if isinstance(cause, requests.exceptions.InvalidSchema) and "SOCKS" in str(cause):
            what = "the proxy is a SOCKS proxy, and the package PySocks is not installed"
            hint = "Install it: pip install 'requests[socks]'."
        elif isinstance(cause, LocationValueError | requests.exceptions.InvalidURL):
            what = "the URL, or that of the proxy, has an invalid host name or port"
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
                return Failure(what, Hint.PROXY_LOGIN, never_sent=True, final=True)
            # Its reason phrase is the server's, and might hold anything.
            phrase = http.client.responses.get(status, "no standard status")
            what = f"the proxy made no connection to it: status {status}, {phrase}"
            return Failure(what, never_sent=True, final=status < 500)
    return None


def _malformed(causes: list[BaseException]) -> Failure | None:
    """An answer that breaks the rules of HTTP. Nothing of it is repeated."""
    for cause in causes:
        if isinstance(cause, UnpackError):
            return Failure(f"the answer cannot be unpacked: {cause}")
        if isinstance(cause, DecodeError | requests.exceptions.ContentDecodingError | zlib.error):
            return Failure("the answer cannot be unpacked: it is not packed as its headers say")
        if type(cause) in (http.client.LineTooLong, http.client.HTTPException):
            # "got more than 65536 bytes when reading header line", "got more than 100 headers"
            return Failure(f"the answer goes beyond a limit: {cause}")
        if isinstance(cause, InvalidHeader):
            return Failure("the answer's headers contradict each other about its length")
        if type(cause) is http.client.BadStatusLine:
            if str(cause).startswith("HTTP/"):
                return Failure("the answer is cut off or malformed in its first line")
            if str(cause).startswith(_TLS_ALERT):
                hint = "Begin the base URL with https://."
                return Failure("the server there speaks https", hint, final=True)
            return Failure("the server does not speak HTTP")
        if type(cause) is ValueError:  # of int(), for the length of a chunk
            return Failure("the answer is cut off or malformed between two chunks")
    return None


def _own_words(error: Exception) -> str:
    """What an error says that is not of the libraries: of an adapter or of a test's stand-in."""
    kind = type(error)
    is_bare = kind is requests.ConnectionError and isinstance(next(iter(error.args), None), str)
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
    """The body of an answer whose status is no error: the one place that maps statuses.

    Raises:
        SessionExpiredError: the status is 401.
        GatewayError: the status is an error, but it is not the API's.
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
