"""HTTP: time-outs, retries, redirects and limits.

Requests that change nothing are retried after connection failures, truncated answers and
the statuses 429, 502, 503 and 504, with exponential backoff and jitter; others only if
they cannot have arrived. Every wait ends at the deadline of the whole load, or when the
load is given up.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit
from zlib import error as ZlibError

import requests
import urllib3

from apteco_frames.errors import Hint, OrbitConnectionError
from apteco_frames.orbit.connection import (
    ACCEPTED,
    UnpackError,
    new_session,
    reading,
    retries_itself,
    unpacked,
    with_own_cookies,
)
from apteco_frames.orbit.deadline import Deadline
from apteco_frames.orbit.outcome import TIME_IS_UP, Failure, Response, describe
from apteco_frames.orbit.redact import Secret, Secrets
from apteco_frames.orbit.url import is_loopback, redirect_target, shown_location
from apteco_frames.support.text import truncate

logger = logging.getLogger("apteco_frames")

MAX_ANSWER_BYTES = 256 * 2**20
MAX_LOAD_BYTES = 2 * 2**30
"""What all answers of one load may add up to, unpacked: fifty times the largest system known."""
_ATTEMPTS = 5
_BACKOFF_SECONDS = 0.2
_LONGEST_BACKOFF_SECONDS = 5.0
_LONGEST_RETRY_AFTER_SECONDS = 30.0
_RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_CHUNK_BYTES = 2**18
_LOCATION = "Location set aside"
_LONGEST_QUOTED = 200


class _Shown:
    """A URL of ours without secrets, which are looked for only when it is shown."""

    def __init__(self, url: str, secrets: Secrets) -> None:
        self._url = url
        self._secrets = secrets

    def __str__(self) -> str:
        return self._secrets.without_issued(self._url)


class _Request(NamedTuple):
    """What is sent, and with which token; ``content`` is as in ``requests``, with secrets hidden.

    ``authorise`` is True for the token of the session at that time.
    """

    method: str
    url: str
    authorise: bool | Secret
    headers: Mapping[str, str]
    content: dict[str, Any]

    def __repr__(self) -> str:
        return f"<{self.method} request>"  # the rest may hold a password or a token


class Transport:
    """Sends requests to one host.

    Args:
        verify: ``False`` not to check certificates, or the path of a CA bundle;
            ``None`` leaves it to ``http``.
        max_connections: connections kept open, and requests under way at most.
        http: a ``requests.Session`` with the user's proxies, certificates, adapters;
            it is not changed or closed, and our cookies stay out of it.
    """

    def __init__(
        self,
        *,
        verify: bool | str | None,
        max_connections: int,
        http: requests.Session | None,
    ) -> None:
        self.max_connections = max_connections
        self.secrets = Secrets()
        self._token: Secret | None = None
        self._verify = verify
        self._is_own = http is None
        self._http = new_session(max_connections) if http is None else with_own_cookies(http)
        self._slots = threading.BoundedSemaphore(max_connections)
        self._process = os.getpid()
        for name in _LOGS_OF_URLLIB3:
            logging.getLogger(name).addFilter(_without_issued)

    @property
    def token(self) -> Secret | None:
        """The token that requests are sent with; None before logging in."""
        return self._token

    @token.setter
    def token(self, token: Secret) -> None:
        self._token = token
        self.secrets.issue(token)

    def close(self) -> None:
        """Close the connections, but nothing of a ``requests.Session`` of the user's."""
        if self._is_own:
            self._http.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        deadline: Deadline,
        authorise: bool | Secret = True,
        headers: Mapping[str, str] | None = None,
        changes_nothing: bool = False,
        when_too_large: Hint | str = "Check the base URL, and what you ask for.",
        **content: Any,
    ) -> Response:
        """Send a request, retry it if necessary, and read the answer.

        Args:
            method: the HTTP method.
            url: where to send it.
            deadline: how long it may take.
            authorise: whether to send the token, or another token to send.
            headers: further headers.
            changes_nothing: whether it may be sent again, although its method does not say so.
            when_too_large: what to advise if the answer is too large.
            content: ``params=``, ``data=`` or ``json=``, as in ``requests``; values may be
                secrets.

        Returns:
            the answer, also if its status is an error.

        Raises:
            OrbitConnectionError: there was no answer, it was too large, or it redirected
                to another host.
        """
        if self._process != os.getpid():
            self._leave_to_parent()
        changes_nothing = changes_nothing or method in ("GET", "HEAD", "OPTIONS")
        request = _Request(method, url, authorise, headers or {}, content)
        shown = _Shown(url, self.secrets)
        last: Response | Failure
        before = ""
        for attempt in range(_ATTEMPTS):
            started = time.monotonic()
            last = self._follow(request, deadline)
            again = changes_nothing
            pause = min(_LONGEST_BACKOFF_SECONDS, _BACKOFF_SECONDS * 2**attempt)
            pause *= random.uniform(0.5, 1.0)
            if isinstance(last, Response):
                took = time.monotonic() - started
                logger.debug("%s %s: status %d, %.3f s", method, shown, last.status, took)
                again = again and last.status in _RETRIED_STATUSES
                asks_to_wait = "Retry-After" in last.headers
                again = again and not retries_itself(
                    self._http, method, url, last.status, asks_to_wait
                )
                pause = max(pause, _retry_after(last))
                if pause > _LONGEST_RETRY_AFTER_SECONDS:
                    break
            else:
                logger.debug("%s %s: %s", method, shown, last.what)
                again = (again or last.never_sent) and not last.final
                again = again and (
                    last.in_body or not retries_itself(self._http, method, url, None)
                )
            if deadline.seconds_left():
                before = f"status {last.status}" if isinstance(last, Response) else last.what
            if not again or attempt == _ATTEMPTS - 1 or not deadline.pause(pause):
                break
        if isinstance(last, Response):
            return last
        if not deadline.seconds_left():
            raise deadline.too_late(str(shown), before)
        raise OrbitConnectionError(
            f"{method} {shown} failed: {last.what}.", hint=last.hint or when_too_large
        )

    def _leave_to_parent(self) -> None:
        """After a fork: do not share connections with the parent process."""
        self._slots = threading.BoundedSemaphore(self.max_connections)
        if self._is_own:
            cookies = self._http.cookies
            self._http = new_session(self.max_connections)
            self._http.cookies = cookies
        for adapter in self._http.adapters.values():
            adapter.close()
        self._process = os.getpid()

    def _follow(self, request: _Request, deadline: Deadline) -> Response | Failure:
        """One attempt; redirects on the same host are followed."""
        shown: _Shown | str = _Shown(request.url, self.secrets)
        target = None
        for _ in range(_MOST_REDIRECTS):
            answer = self._send(request, deadline)
            if isinstance(answer, Failure):
                return answer
            if answer.status not in _REDIRECTS:
                return answer if target is None else answer._replace(asked=str(shown))
            location = answer.headers.get(_LOCATION) or answer.headers.get("Location", "")
            kept = request.method == "GET" or answer.status in (307, 308)
            target = redirect_target(request.url, location) if kept else None
            without = self.secrets.without  # also before an escape hides what is said
            shown_target = without(shown_location(request.url, without(location)))
            if target is None:
                raise OrbitConnectionError(
                    f"{shown} redirects to {shown_target}, which was not followed: passwords and "
                    "tokens are sent on to the same host and port only, or from http to https, and "
                    "a login is not turned into a GET (statuses 301 to 303). If the new address is "
                    "right, use it as the base URL."
                )
            shown = shown_target
            request = request._replace(url=target, content={**request.content, "params": None})
        raise OrbitConnectionError(
            f"{request.method} {shown} failed: it redirects to itself. Check the base URL."
        )

    def _send(self, request: _Request, deadline: Deadline) -> Response | Failure:
        # Ctrl-C comes between any two steps of the main thread, which might be those of taking
        # something and of giving it back. Nor can it wait for a server, since where polars is
        # loaded such waits go on after Ctrl-C.
        if threading.current_thread() is threading.main_thread():
            return deadline.run_aside(partial(self._send_in_turn, request, deadline)) or TIME_IS_UP
        return self._send_in_turn(request, deadline)

    def _send_in_turn(self, request: _Request, deadline: Deadline) -> Response | Failure:
        if not deadline.wait_for(lambda seconds: self._slots.acquire(timeout=seconds)):
            return TIME_IS_UP
        try:
            exchange = partial(self._exchange, request, deadline)
            # A thread costs half of what a small request does.
            if self._is_own:
                return exchange()
            return deadline.run_aside(exchange) or TIME_IS_UP
        finally:
            self._slots.release()

    def _exchange(self, request: _Request, deadline: Deadline) -> Response | Failure:
        left = deadline.seconds_left()
        if not left:
            return TIME_IS_UP
        reading.set(deadline)
        _issued.set(self.secrets)
        http = self._http
        verify = self._verify
        if verify is None and http.verify is not True:
            verify = http.verify  # or the environment's would come before it
        host = urlsplit(request.url).hostname or ""
        try:
            with http.request(
                request.method,
                request.url,
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": ACCEPTED,
                    **request.headers,
                },
                auth=_Authorisation(
                    self.token if request.authorise is True else request.authorise,
                    http.auth,
                ),
                timeout=(min(deadline.timeout.connect, left), min(deadline.timeout.read, left)),
                verify=verify,
                # No proxy of the environment, nor of the operating system, leads back to here.
                proxies={"no_proxy": host} if is_loopback(host) else None,
                allow_redirects=False,
                hooks=_hooks(http),
                stream=True,
                **_revealed(request.content),
            ) as response:
                return self._answer(response, request, deadline)
        except requests.HTTPError as error:  # of a hook, by raise_for_status()
            if error.response is None:
                return describe(error, deadline.timeout, self.secrets.without)
            with error.response as response:
                return self._answer(response, request, deadline)
        except _ERRORS as error:
            # Described here and raised outside: the error holds the request, and the
            # request holds the password or the token.
            if not self._is_own and _is_elsewhere(error):
                return self._failed_elsewhere(error)
            return describe(error, deadline.timeout, self.secrets.without)
        except Exception as error:
            if not self._is_own:  # likewise: a traceback would show the request
                return self._failed_elsewhere(error)
            if not isinstance(error, ValueError):
                raise
            # Of http.client or a codec, with the header that it is about.
            return Failure("no request can be made of these values", "Check them.", final=True)

    def _failed_elsewhere(self, error: Exception) -> Failure:
        """An error in the user's own hook, adapter, session class or authentication."""
        said = type(error).__name__
        if not isinstance(error, ValueError):  # http.client's quotes the header that it is about
            said += f": {truncate(self.secrets.without(str(error)), _LONGEST_QUOTED)}"
        frames = extract_tb(error.__traceback__)
        where = frames[_hook_in([frame.name for frame in frames])]
        what = f"a hook or an adapter of http= raised {said} ({Path(where.filename).name}, line "
        return Failure(f"{what}{where.lineno})", "Correct it.", final=True)

    def _answer(
        self, response: requests.Response, request: _Request, deadline: Deadline
    ) -> Response | Failure:
        try:
            body = _read_body(response, deadline)
        except _ERRORS as error:
            return describe(error, deadline.timeout, self.secrets.without)._replace(in_body=True)
        if isinstance(body, Failure):
            return body
        reason = response.reason or ""
        status, headers = response.status_code, response.headers
        return Response(status, reason, headers, body, request.url, self.secrets)


_ERRORS = (
    *(requests.RequestException, urllib3.exceptions.HTTPError, OSError),
    *(UnpackError, ZlibError),  # the last one out of urllib3, where a hook has read the answer
)


def _is_elsewhere(error: Exception) -> bool:
    """Whether an error is not of the network, but of a file or of JSON that the user's part read.

    What a hook reads of the answer itself may fail as the network does, but not with a plain error.
    """
    if type(error).__module__ != "builtins":
        return isinstance(error, requests.exceptions.InvalidJSONError)
    names = [frame.name for frame in extract_tb(error.__traceback__)]
    return getattr(error, "filename", None) is not None or _hook_in(names) > 0


def _hook_in(names: list[str]) -> int:
    """Where a hook is among the functions of a traceback; -1, the last one, if none is."""
    return names.index("dispatch_hook") + 1 if "dispatch_hook" in names else -1


def _revealed(content: Any) -> Any:
    """The contents of a request with its secrets revealed, for the library only."""
    if isinstance(content, Secret):
        return content.reveal()
    if isinstance(content, dict):
        return {name: _revealed(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(map(_revealed, content))
    return content


class _Authorisation(requests.auth.AuthBase):
    """Sets the token, after the authentication of the user's own session, such as a gateway's.

    It also keeps ``requests`` from sending a password from ``.netrc``.
    """

    def __init__(self, token: Secret | Literal[False] | None, own: Any) -> None:
        self._token = token
        self._own = requests.auth.HTTPBasicAuth(*own) if isinstance(own, tuple) else own

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._own:
            request = self._own(request)
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


_LOGS_OF_URLLIB3 = ("urllib3.connectionpool", "urllib3.util.retry")
# The secrets of the transport that the thread sends for.
_issued: ContextVar[Secrets] = ContextVar("issued")


def _without_issued(record: logging.LogRecord) -> bool:
    """Keep session ids, which are part of URLs, out of urllib3's logs."""
    secrets = _issued.get(None)
    if secrets and isinstance(record.args, tuple):
        record.args = tuple(
            secrets.without_issued(value) if isinstance(value, str) else value
            for value in record.args
        )
    return True


def _hooks(http: requests.Session) -> dict[str, list[Any]]:
    own: Any = http.hooks.get("response") or []
    return {"response": [*([own] if callable(own) else own), _set_location_aside]}


def _set_location_aside(response: requests.Response, *args: Any, **options: Any) -> None:
    """Leave redirects to us: ``requests`` would read the whole body, however large."""
    if response.is_redirect:
        response.headers[_LOCATION] = response.headers.pop("Location")


def _read_body(response: requests.Response, deadline: Deadline) -> bytes | Failure:
    """The decompressed body, read as it comes, so that time and size stay bounded."""
    chunks: list[bytes] = []
    size = 0
    if _is_lost(response):
        return Failure(
            "a hook or an adapter of http= has already read the answer's body",
            "Let it read response.content, which can be read again.",
            final=True,
        )
    for chunk in _chunks(response):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            return Failure(
                f"the answer is larger than {MAX_ANSWER_BYTES // 2**20} MiB; the rest was not read",
                "",  # who asked knows what to do
                final=True,
            )
        if deadline.receive(len(chunk)) > MAX_LOAD_BYTES:
            return Failure(
                f"what the API sends adds up to more than {MAX_LOAD_BYTES // 2**20:,} MiB, the "
                "limit for one load; the rest was not read",
                "Nothing was used. Check the base URL, or load codes of fewer variables at a time.",
                final=True,
            )
        if not deadline.seconds_left():
            return TIME_IS_UP
    is_cut = not size and response.status_code not in (204, 304) and not _is_framed(response)
    if is_cut and _content(response) is False:
        return Failure("the connection broke: the answer was cut off", in_body=True)
    return b"".join(chunks)


def _content(response: requests.Response) -> Any:
    """The body if something has already read and kept it; False otherwise."""
    return vars(response).get("_content", False)


def _is_lost(response: requests.Response) -> bool:
    """Whether something has read part of the body without keeping it."""
    if _content(response) is not False:
        return False
    raw = response.raw
    has_begun = isinstance(raw, urllib3.HTTPResponse) and raw.tell() > 0
    return has_begun or bool(vars(response).get("_content_consumed"))


def _chunks(response: requests.Response) -> Iterator[bytes]:
    raw = response.raw
    if _content(response) is not False:  # a hook, an adapter or a kind of session has read it
        yield response.content or b""
    elif isinstance(raw, urllib3.HTTPResponse):
        packed = iter(lambda: raw.read1(_CHUNK_BYTES, decode_content=False), b"")
        yield from unpacked(packed, raw.headers.get("Content-Encoding", ""))
    else:  # a stand-in, such as vcrpy's
        yield from response.iter_content(_CHUNK_BYTES)


def _is_framed(response: requests.Response) -> bool:
    """Whether the headers say where the body ends."""
    return bool({"content-length", "transfer-encoding"} & {k.lower() for k in response.headers})


def _retry_after(answer: Response) -> float:
    """Seconds to wait, as the answer asks; 0 if it does not say."""
    try:
        return urllib3.Retry().parse_retry_after(answer.headers.get("Retry-After", "0"))
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return 0.0
