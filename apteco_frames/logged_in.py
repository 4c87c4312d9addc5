"""A login, and what a session is by it: whom it asks, with which token, and until when."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from apteco_frames.errors import AptecoFramesError
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.redact import Secret
from apteco_frames.orbit.task import Task
from apteco_frames.support.fork import ProcessLock


class Login:
    """What the sessions that were opened with one login share: it ends for all of them."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.ended = False
        self._lock = ProcessLock()

    @property
    def lock(self) -> threading.Lock:
        """Held while it changes."""
        return self._lock.own  # type: ignore[no-any-return]


class LoggedIn:
    """What a session is by its login; it ends with :meth:`logout`, or with a ``with`` block."""

    _client: OrbitClient
    _login: Login
    _is_opened: bool  # by another session, whose block ends the login
    _api_client: Any

    @property
    def base_url(self) -> str:
        """URL of the Orbit API, without a trailing slash."""
        return self._client.base_url

    @property
    def data_view(self) -> str:
        """Name of the DataView."""
        return self._client.data_view

    @property
    def access_token(self) -> str:
        """The token that authenticates requests, a JWT; treat it as a password."""
        return self._client.token.reveal()

    @property
    def session_id(self) -> str:
        """The traditional FastStats session id."""
        return self._login.session_id

    @property
    def api_client(self) -> Any:
        """A real ``apteco_api.ApiClient``, made on first use.

        Its requests go through this session's connection: same token, time-outs, retries
        and certificates. ``apteco_api.QueriesApi(session.api_client)`` and every other
        generated controller work with it, and raise ``apteco_api.ApiException``.
        """
        with self._login.lock:
            if self._api_client is None:
                from apteco_frames.orbit.bridge import new_api_client

                self._api_client = new_api_client(self._client)
            return self._api_client

    @property
    def token_expires_at(self) -> datetime | None:
        """When the token expires, in UTC (``exp`` of the JWT); ``None`` if it does not say.

        The token's signature is the server's to check, and is not checked here.
        """
        seconds = self._client.token_expires_at
        if seconds is None:
            return None
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):  # in no year that a datetime can hold
            return None

    @property
    def is_expired(self) -> bool:
        """Whether the token has expired by this machine's clock."""
        seconds = self._client.token_expires_at
        return seconds is not None and seconds <= time.time()

    def logout(self) -> None:
        """End the session on the server; the catalogue stays usable.

        It ends for all sessions that share the login, too: see ``Session.open``.

        Calling it again, or on a session that has ended, does nothing.

        Raises:
            AptecoFramesError: the API could not be asked, or refused.
        """
        login = self._login
        with login.lock:
            if not login.ended:
                self._client.log_out(login.session_id)
                login.ended = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_opened:
            return
        try:
            self.logout()
        except AptecoFramesError:
            if error is None:  # otherwise the error on its way says more
                raise

    def _log_in_again(self, user: str, password: Secret, task: Task) -> None:
        """Take another token and session id; those of before are ended, if that can be done."""
        login = self._login
        with login.lock:
            old = None if login.ended else (login.session_id, self._client.token)
            details = self._client.log_in(user, password, task)
            login.session_id, login.ended = details["sessionId"], False
        if old and old[0] != login.session_id:
            self._client.end(*old)
