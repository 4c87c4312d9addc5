"""The endpoints of the Orbit API, one method each."""

from __future__ import annotations

import logging
import math
import sys
import time
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.errors import (
    ApiError,
    ApiResultsError,
    AptecoFramesError,
    Hint,
    LoginError,
    SessionExpiredError,
)
from apteco_frames.orbit.deadline import Deadline, Turn
from apteco_frames.orbit.decode import Page, decode_object, decode_page
from apteco_frames.orbit.json_text import said
from apteco_frames.orbit.login import can_be_sent, opened_session, session_details
from apteco_frames.orbit.options import Options, Timeout, require_options
from apteco_frames.orbit.outcome import (
    IF_NO_HELP,
    Response,
    api_error,
    raise_for_status,
)
from apteco_frames.orbit.paging import read_list
from apteco_frames.orbit.redact import Secret, Secrets
from apteco_frames.orbit.transport import Transport
from apteco_frames.orbit.url import require_base_url, require_name, warn_if_insecure
from apteco_frames.schema.column import STRING, TIMESTAMP, Column, required_texts
from apteco_frames.support.fork import ProcessLock
from apteco_frames.support.text import list_items, truncate

logger = logging.getLogger("apteco_frames")

FIRST_PAGE_SIZE = 1_000
"""Items of a first page: few, since the other connections wait for the total."""
MAX_CONNECTIONS = 4
# For codes and folders, many small answers. Measured on 827 variables with 562,740 codes: with
# 4, 8, 12, 16 connections 2.3, 2.2, 2.1, 1.9 s; with 20 ms added to each answer 5.1, 2.6, 2.4,
# 1.7 s. More would gain little, and a server has other users.
CODE_CONNECTIONS = 8
# What servers answer that were asked for more items than they give at a time.
_PERHAPS_TOO_MANY = (400, 413, 500)
_SMALLER_PAGES = (FIRST_PAGE_SIZE, 100)

# A token that has expired by this clock may still be good by the server's.
_CLOCK_SKEW_SECONDS = 60
_LOG_OUT_SECONDS = 10.0
# What Ctrl-C leaves for the answer to a login, and for the end of a session that nobody holds.
_LAST_SECONDS = 1.0
_MOST_NAMES = 20


_SYSTEM = pa.struct(
    [
        *required_texts("name", "description", "viewName"),
        pa.field("fastStatsBuildDate", TIMESTAMP),
    ]
)
NAME_COLUMNS = (Column("name", STRING, False, "name", ""),)
"""What of the items of a list is read where their names are enough."""


class OrbitClient:
    """The endpoints of one DataView of one Orbit API.

    Args:
        base_url: URL of the API, normally ending ``/OrbitAPI``.
        data_view: name of the DataView.
        options: how to connect.

    Raises:
        InvalidUrlError: the URL is not one of an API, or the DataView has no name.
        OrbitConnectionError: the file of certificate authorities does not exist.
        TypeError: an argument is not text, or there is no such option.
        ValueError: an option is out of its range.
    """

    def __init__(self, base_url: str, data_view: str, options: Options) -> None:
        given = require_options(options)
        self.base_url = require_base_url(base_url)
        self.data_view = require_name(data_view, "data_view")
        verify, http = given["verify"], given["http"]
        warn_if_insecure(self.base_url, http.verify if http and verify is None else verify)
        self._timeout = Timeout.of(given["timeout"])
        self.max_connections = given["max_connections"] or MAX_CONNECTIONS
        self.code_connections = given["max_connections"] or CODE_CONNECTIONS
        self.page_size = given["page_size"]
        self.transport = Transport(verify=verify, max_connections=self.code_connections, http=http)
        self.session_id: Secret | None = None
        """The id of the session that the token is of; None before logging in."""
        self.has_ended = False
        """Whether the session was ended here."""
        self._turn = ProcessLock(Turn)
        self._told = False
        self._issued = -math.inf
        self._most_items = sys.maxsize  # that the server gives at a time

    @property
    def turn(self) -> Turn:
        """Whose it is to log in or out: for one thread at a time."""
        return self._turn.own  # type: ignore[no-any-return]

    def restore(self, session_id: Secret, token: Secret) -> None:
        """Go on with a session that was begun elsewhere.

        Raises:
            ApiResultsError: no request can carry the token.
        """
        self.secrets.issue(session_id)
        self.token = token
        self.session_id = session_id

    @property
    def token(self) -> Secret:
        """The access token; it is set by :meth:`log_in`, or from a serialised session.

        Setting it raises ``ApiResultsError`` if no request can carry it. The old one may
        still be valid, and is hidden as before.
        """
        token = self.transport.token
        assert token is not None
        return token

    @token.setter
    def token(self, token: Secret) -> None:
        if not can_be_sent(token):
            raise ApiResultsError(
                f"The access token for {self.base_url} is invalid: it contains characters that are "
                "not allowed in an HTTP header. Nothing was sent with it. Log in again."
            )
        self.transport.token = token
        self.has_ended = self._told = False
        self._issued = -math.inf

    @property
    def secrets(self) -> Secrets:
        """What no error and no log line may show."""
        return self.transport.secrets

    @property
    def token_expires_at(self) -> float | None:
        """``exp`` of the token, in seconds since 1970; None if it is no JWT or has none."""
        import jwt

        try:
            claims = jwt.decode(self.token.reveal(), options={"verify_signature": False})
            expires: Any = claims.get("exp")
            seconds = float(expires) if type(expires) in (int, float, str) else math.nan
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
            return None
        return seconds if math.isfinite(seconds) else None

    def new_deadline(self) -> Deadline:
        """A deadline from now on, as far off as the options say."""
        return Deadline(self._timeout)

    def request(self, method: str, url: str, *, deadline: Deadline, **options: Any) -> Response:
        """Send a request with the token; see ``Transport.request``.

        Raises:
            SessionExpiredError: the session was ended here, or its token has expired
                for certain; nothing was sent.
            OrbitConnectionError: there was no answer.
        """
        self._check_session(url)
        token = self.transport.token
        answer = self.send(method, url, deadline=deadline, **options)
        # Another thread may have renewed the session, which ended that of before.
        if answer.status == 401 and self.transport.token is not token and not self.has_ended:
            answer = self.send(method, url, deadline=deadline, **options)
        return answer

    def send(self, method: str, url: str, *, deadline: Deadline, **options: Any) -> Response:
        """Send a request with the token, expired or not.

        Raises:
            OrbitConnectionError: there was no answer.
        """
        return self.transport.request(method, url, deadline=deadline, **options)

    def _check_session(self, url: str) -> None:
        if self.has_ended:
            raise SessionExpiredError(
                f"The session was ended, so nothing was sent to {url}. What was read stays usable.",
                url=url,
                hint=Hint.LOG_IN_AGAIN,
            )
        if time.monotonic() - self._issued < _CLOCK_SKEW_SECONDS:
            return  # just issued, so it is good, however wrong this machine's clock may be
        expires = self.token_expires_at
        if expires is None:
            return
        left = expires - time.time()
        if left < -_CLOCK_SKEW_SECONDS:
            raise SessionExpiredError(
                f"The session's token expired {_span(-left)} ago, so nothing was sent to "
                f"{url}. What was read stays usable.",
                url=url,
                hint=Hint.LOG_IN_AGAIN,
            )
        if left < _CLOCK_SKEW_SECONDS and not self._told:
            self._told = True
            when = f"expires in {_span(left)}" if left > 0 else f"expired {_span(-left)} ago"
            logger.warning("The token of the session at %s %s.", self.base_url, when)

    def log_in(self, user: str, password: Secret, deadline: Deadline) -> dict[str, Any]:
        """``POST /{dataView}/Sessions/SimpleLogin``: the ``SessionDetails``.

        The token is kept, and sent with the requests that follow; so is the session's id.
        Ctrl-C waits a second for the answer, and leaves a session that was begun until then.

        Raises:
            LoginError: user name or password is not accepted, or not enough.
            AptecoFramesError: another error of the tree.
        """
        url = self._url(self.data_view, "Sessions", "SimpleLogin")
        part = deadline.part()
        ask = partial(self._ask_to_log_in, url, user, password, part)
        details = part.run_aside(ask, patience=_LAST_SECONDS)
        if details is None:
            raise deadline.too_late(url)
        return details

    def _ask_to_log_in(
        self, url: str, user: str, password: Secret, deadline: Deadline
    ) -> dict[str, Any]:
        form = {"UserLogin": user, "Password": password}
        with self.secrets.with_password(password):
            answer = self.transport.request(
                "POST", url, deadline=deadline, authorise=False, data=form
            )
            if answer.status in (401, 403):
                raise _login_error(answer, user)
            if answer.status == 404:
                raise self._unknown(
                    answer, "DataView", self.data_view, ["About", "DataViews"], deadline
                )
            is_kept = False
            try:
                details = session_details(answer, url)
                if deadline.seconds_left():  # somebody still waits for it
                    self.restore(details["sessionId"], details["accessToken"])
                    self._issued = time.monotonic()
                    is_kept = True
            finally:
                opened = None if is_kept else opened_session(answer)
                if opened:
                    self.end(*opened)
        return details

    def log_out(self, *, within: float = _LOG_OUT_SECONDS) -> None:
        """``DELETE /{dataView}/Sessions/{sessionId}``; a session that has ended is fine.

        Requests that follow, those of a load under way among them, end in a
        ``SessionExpiredError``. Connections that are kept open are closed.

        Args:
            within: seconds that it may take at most.

        Raises:
            AptecoFramesError: the API could not be asked, or refused.
        """
        assert self.session_id is not None
        answer = self._delete(self.session_id, True, within)
        if answer.status not in (401, 404):
            raise_for_status(answer)
        self.has_ended = True
        self.transport.close()

    def leave(self) -> None:
        """End a session that nobody holds, if there is one and it can be ended in a second."""
        if self.session_id is not None and not self.has_ended:
            with suppress(AptecoFramesError):
                self.log_out(within=_LAST_SECONDS)

    def end(self, session_id: Secret, token: Secret) -> None:
        """End another session, by its own token; at best, and within ten seconds."""
        self.secrets.issue(session_id)
        with suppress(AptecoFramesError):
            self._delete(session_id, token, _LOG_OUT_SECONDS)

    def _delete(self, session_id: Secret, authorise: bool | Secret, within: float) -> Response:
        url = self._url(self.data_view, "Sessions", session_id.reveal())
        deadline = Deadline(self._timeout._replace(total=min(self._timeout.total, within)))
        return self.transport.request("DELETE", url, deadline=deadline, authorise=authorise)

    def system(self, name: str, deadline: Deadline) -> dict[str, Any]:
        """``GET /{dataView}/FastStatsSystems/{system}``: the ``FastStatsSystemDetail``.

        Raises:
            AptecoFramesError: an error of the tree; an unknown system names those there are.
        """
        url = self._url(self.data_view, "FastStatsSystems", require_name(name, "system"))
        answer = self.request("GET", url, deadline=deadline)
        if answer.status == 404:
            raise self._unknown(
                answer, "system", name, [self.data_view, "FastStatsSystems"], deadline
            )
        with self.secrets.kept_out():
            return decode_object(raise_for_status(answer), _SYSTEM, url)

    def systems(self, deadline: Deadline) -> pa.Table:
        """``GET /{dataView}/FastStatsSystems``: all of them, with the columns of ``SYSTEMS``.

        Raises:
            AptecoFramesError: an error of the tree.
        """
        url = self._url(self.data_view, "FastStatsSystems")
        fetch = partial(self.page, url, schema.SYSTEMS, deadline)
        return read_list(fetch, self.page_size or FIRST_PAGE_SIZE, url)

    def page(
        self,
        url: str,
        columns: tuple[Column, ...],
        deadline: Deadline,
        offset: int,
        count: int,
        *,
        may_be_refused: frozenset[int] = frozenset(),
    ) -> Page:
        """``GET`` one page of a list: ``count`` items from ``offset`` on, or the first of them.

        A server that refuses so many is asked for fewer, unless the user said how many.

        ``may_be_refused`` are the statuses that are the API's own without a word, too.

        Raises:
            AptecoFramesError: an error of the tree.
        """
        count = min(count, self._most_items)
        sizes = [count]
        if self.page_size is None:
            sizes += [size for size in _SMALLER_PAGES if size < count]
        for size in sizes:
            answer = self.request(
                "GET",
                url,
                deadline=deadline,
                params={"offset": offset, "count": size},
                when_too_large=_smaller(self.page_size),
            )
            if answer.status not in _PERHAPS_TOO_MANY:
                break
        if size < count and answer.status < 300:
            self._most_items = size
        if answer.status in may_be_refused and not answer.body.strip():
            # No gateway's: the API answered for the system right before.
            answer = answer._replace(body=b"{}")
        with self.secrets.kept_out():
            return decode_page(raise_for_status(answer), columns, url)

    def data_view_url(self, *segments: str) -> str:
        """The URL of what belongs to the DataView; each segment is encoded by itself."""
        return self._url(self.data_view, *segments)

    def system_url(self, system: str, *segments: str) -> str:
        """The URL of what belongs to a system; each segment is encoded by itself."""
        return self._url(self.data_view, "FastStatsSystems", system, *segments)

    def _unknown(
        self, answer: Response, kind: str, name: str, where: list[str], deadline: Deadline
    ) -> AptecoFramesError:
        """The error for a DataView or system that is not there, with those that are."""
        what = f"There is no {kind} {name!r}"
        hint = f"Check its name, and the base URL {self.base_url}"
        try:
            url = self._url(*where)
            authorise = self.transport.token is not None
            listing = self.transport.request(
                "GET", url, deadline=deadline, authorise=authorise, params={"count": 100}
            )
            page = decode_page(raise_for_status(listing), NAME_COLUMNS, url)
        except AptecoFramesError:
            return api_error(ApiError, answer, f"{what}, or nothing at this address", hint)
        names = page.rows["name"].to_pylist()
        if name in names:
            what = f"The API has a {kind} {name!r}, but not what was asked of it"
            return api_error(ApiError, answer, what, IF_NO_HELP)
        without = self.secrets.without
        listed = [repr(truncate(without(name))) for name in names[:_MOST_NAMES]]
        hint = f"There are: {list_items(listed, page.total)}"
        return api_error(ApiError, answer, what, hint)

    def _url(self, *segments: str) -> str:
        return "/".join([self.base_url, *(quote(segment, safe="") for segment in segments)])


def _smaller(page_size: int | None) -> Hint | str:
    if page_size is None:
        return Hint.SMALLER_PAGES
    return f"Ask for less at a time: page_size={max(1, min(100, page_size // 10))}."


def _login_error(answer: Response, user: str) -> AptecoFramesError:
    """The error for a login that was refused: status 401 or 403."""
    what = f"The user {user!r} could not log in"
    hint = "Check that the user may use this DataView"
    if answer.status == 401:
        what += ": user name or password was not accepted"
        hint = "Check both, and that the user may use this DataView"
    words = said(answer.body)
    if words.message and not words.is_page:
        hint = IF_NO_HELP
    return api_error(LoginError, answer, what, hint)


def _span(seconds: float) -> str:
    number, unit = (seconds, "second") if seconds < 3600 else (seconds / 3600, "hour")
    return f"{number:,.0f} {unit}{'' if round(number) == 1 else 's'}"
