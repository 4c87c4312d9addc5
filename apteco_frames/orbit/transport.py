"""HTTP: time-outs, retries, redirects and limits. Above ``connection`` and ``failure``.

Requests that change nothing are tried again on connection failures, cut-off answers and
the statuses 429, 502, 503 and 504, with exponential backoff and jitter; others only if
they cannot have arrived. Every wait ends at the deadline of the whole task, or when the
task is given up, whatever the connection still does.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from apteco_frames.errors import OrbitConnectionError
from apteco_frames.orbit.connection import new_session, reading, timed, waits_in_time
from apteco_frames.orbit.failure import TIME_IS_UP, Failure, describe
from apteco_frames.orbit.redact import Secret, Secrets
from apteco_frames.orbit.task import Task
from apteco_frames.orbit.url import redirect_target, shown_location

logger = logging.getLogger("apteco_frames")

MAX_ANSWER_BYTES = 256 * 2**20
_ATTEMPTS = 5
_BACKOFF_SECONDS = 0.2
_LONGEST_BACKOFF_SECONDS = 5.0
_LONGEST_RETRY_AFTER_SECONDS = 30.0
_RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_CHUNK_BYTES = 2**18
_LOCATION = "Location set aside"


class Answer(NamedTuple):
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

    def without_secrets(self) -> Answer:
        """The answer as it may be shown, its body cut to 32,768 bytes."""
        without = self.secrets.without
        names = map(without, self.headers)
        values = map(without, self.headers.values())
        return self._replace(
            reason=self.shown_reason,
            headers=CaseInsensitiveDict(zip(names, values, strict=True)),
            body=without(self.body.decode("latin-1")).encode("latin-1"),
        )


class _Shown:
    """A URL of ours as it may be shown; looked through only when it is."""

    def __init__(self, url: str, secrets: Secrets) -> None:
        self._url = url
        self._secrets = secrets

    def __str__(self) -> str:
        return self._secrets.without_issued(self._url)


class _Request(NamedTuple):
    """What is sent, and whether with the token; ``content`` is as in ``requests``."""

    method: str
    url: str
    authorise: bool
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
            it is neither changed nor closed.
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
        self._given = new_session(max_connections) if http is None else http
        self._http = timed(self._given)
        self._slots = threading.BoundedSemaphore(max_connections)
        self._process = os.getpid()

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
        self._http.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        task: Task,
        authorise: bool = True,
        headers: Mapping[str, str] | None = None,
        when_too_large: str = "Check the base URL, and what you ask for.",
        **content: Any,
    ) -> Answer:
        """Send a request, again if need be, and read its answer.

        Args:
            method: the HTTP method.
            url: where to send it.
            task: whose time it takes.
            authorise: whether the token is sent.
            headers: further headers.
            when_too_large: what to do if the answer is beyond the limit.
            content: ``params=``, ``data=`` or ``json=``, as in ``requests``.

        Returns:
            the answer, also if its status is an error.

        Raises:
            OrbitConnectionError: there was no answer, it was too large, or it led to
                another host.
        """
        if self._process != os.getpid():
            self._leave_to_parent()
        changes_nothing = method in ("GET", "HEAD", "OPTIONS")
        request = _Request(method, url, authorise, headers or {}, content)
        shown = _Shown(url, self.secrets)
        last: Answer | Failure
        before = ""
        for attempt in range(_ATTEMPTS):
            started = time.monotonic()
            last = self._follow(request, task)
            again = changes_nothing
            pause = min(_LONGEST_BACKOFF_SECONDS, _BACKOFF_SECONDS * 2**attempt)
            pause *= random.uniform(0.5, 1.0)
            if isinstance(last, Answer):
                took = time.monotonic() - started
                logger.debug("%s %s: status %d, %.3f s", method, shown, last.status, took)
                again = again and last.status in _RETRIED_STATUSES
                pause = max(pause, _retry_after(last))
                if pause > _LONGEST_RETRY_AFTER_SECONDS:
                    break
            else:
                logger.debug("%s %s: %s", method, shown, last.what)
                again = (again or last.never_sent) and not last.final
            if task.seconds_left():
                before = f"status {last.status}" if isinstance(last, Answer) else last.what
            if not again or attempt == _ATTEMPTS - 1 or not task.pause(pause):
                break
        if isinstance(last, Answer):
            return last
        if not task.seconds_left():
            raise task.too_late(str(shown), before)
        hint = last.hint or when_too_large
        raise OrbitConnectionError(f"{method} {shown} failed: {last.what}. {hint}")

    def _leave_to_parent(self) -> None:
        """After a fork: share no connection with the process that it came from."""
        self._slots = threading.BoundedSemaphore(self.max_connections)
        self._http = timed(self._given)
        self._process = os.getpid()

    def _follow(self, request: _Request, task: Task) -> Answer | Failure:
        """One attempt, with redirects on the same host followed."""
        shown: _Shown | str = _Shown(request.url, self.secrets)
        target = None
        for _ in range(_MOST_REDIRECTS):
            answer = self._send(request, task)
            if isinstance(answer, Failure):
                return answer
            if answer.status not in _REDIRECTS:
                return answer if target is None else answer._replace(asked=str(shown))
            location = answer.headers.get(_LOCATION, "")
            kept = request.method == "GET" or answer.status in (307, 308)
            target = redirect_target(request.url, location) if kept else None
            without = self.secrets.without  # also before an escape hides what is said
            shown_target = without(shown_location(request.url, without(location)))
            if target is None:
                raise OrbitConnectionError(
                    f"{shown} redirects to {shown_target}, which was not followed: passwords "
                    "and tokens are sent to the host of the base URL only, and never from https to "
                    "http. If the new address is right, use it as the base URL."
                )
            shown = shown_target
            request = request._replace(url=target, content={**request.content, "params": None})
        raise OrbitConnectionError(
            f"{request.method} {shown} failed: it redirects in a circle. Check the base URL."
        )

    def _send(self, request: _Request, task: Task) -> Answer | Failure:
        if not task.wait_for(lambda seconds: self._slots.acquire(timeout=seconds)):
            return TIME_IS_UP
        try:
            exchange = partial(self._exchange, request, task)
            # A thread costs half of what a small request does. But the main one can wait for
            # no server, since where polars is loaded such waits go on after Ctrl-C.
            is_main = threading.current_thread() is threading.main_thread()
            if is_main or not waits_in_time(self._http, request.url):
                return task.run_aside(exchange) or TIME_IS_UP
            return exchange()
        finally:
            self._slots.release()

    def _exchange(self, request: _Request, task: Task) -> Answer | Failure:
        left = task.seconds_left()
        if not left:
            return TIME_IS_UP
        reading.set(task)
        try:
            with self._http.request(
                request.method,
                request.url,
                headers={"Accept": "application/json", **request.headers},
                auth=_Authorisation(self.token if request.authorise else None),
                timeout=(min(task.timeout.connect, left), min(task.timeout.read, left)),
                verify=self._verify,
                allow_redirects=False,
                hooks=_hooks(self._http),
                stream=True,
                **request.content,
            ) as response:
                body = _read_body(response, task)
                if isinstance(body, Failure):
                    return body
                reason = response.reason or ""
                status, headers = response.status_code, response.headers
                return Answer(status, reason, headers, body, request.url, self.secrets)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # Described here and raised outside: the error holds the request, and the
            # request holds the password or the token.
            return describe(error, task.timeout)
        except ValueError:  # of http.client or a codec, with the header that it is about
            return Failure("no request can be made of these values", "Check them.", final=True)


class _Authorisation(requests.auth.AuthBase):
    """Sets the token; also keeps ``requests`` from sending a password from ``.netrc``."""

    def __init__(self, token: Secret | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


def check_verify(verify: bool | str | None) -> None:
    """Check that the certificate authorities are there.

    Raises:
        OrbitConnectionError: they are not; nothing was sent.
    """
    if isinstance(verify, str) and not Path(verify).exists():
        raise OrbitConnectionError(
            f"verify={verify!r}: there is no such file or folder of certificate authorities. "
            "Nothing was sent."
        )


def _hooks(http: requests.Session) -> dict[str, list[Any]]:
    own = http.hooks.get("response") or []
    return {"response": [*([own] if callable(own) else own), _set_location_aside]}


def _set_location_aside(response: requests.Response, *args: Any, **options: Any) -> None:
    """Leave a redirect to us: ``requests`` would read its body whole, however large."""
    if response.is_redirect:
        response.headers[_LOCATION] = response.headers.pop("Location")


def _read_body(response: requests.Response, task: Task) -> bytes | Failure:
    """The body, unpacked: read as it comes, so that time and size stay bounded."""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            return Failure(
                f"the answer is larger than {MAX_ANSWER_BYTES // 2**20} MiB, and was not read on",
                "",  # who asked knows what to do
                final=True,
            )
        if not task.seconds_left():
            return TIME_IS_UP
    if not size and response.status_code not in (204, 304) and not _is_framed(response):
        return Failure("the connection broke: the answer was cut off")
    return b"".join(chunks)


def _is_framed(response: requests.Response) -> bool:
    """Whether the headers say where the answer ends."""
    return bool({"content-length", "transfer-encoding"} & {k.lower() for k in response.headers})


def _retry_after(answer: Answer) -> float:
    """Seconds that the answer asks to wait; 0 if it does not say."""
    text = answer.headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        # By the server's own clock, which need not be right.
        moments = [text, answer.headers.get("Date", "")]
        until, now = (parsedate_to_datetime(moment).astimezone(UTC) for moment in moments)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, (until - now).total_seconds())
