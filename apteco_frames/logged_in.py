"""A login, and what a session is by it: whom it asks, with which token, and until when."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from apteco_frames.errors import AptecoFramesError
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.redact import Secret
from apteco_frames.orbit.task import Task


class LoggedIn:
    """What a session is by its login; it ends with :meth:`logout`, or with a ``with`` block."""

    _client: OrbitClient
    _is_opened: bool  # by another session, whose block ends the login of both
    _api_clients: dict[str, Any]

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
        session_id = self._client.session_id
        assert session_id is not None
        return session_id.reveal()

    @property
    def api_client(self) -> Any:
        """A real ``apteco_api.ApiClient``, made on first use.

        Its requests go through this session's connection: same token, time-outs, retries
        and certificates. ``apteco_api.QueriesApi(session.api_client)`` and every other
        generated controller work with it, and raise ``apteco_api.ApiException``.
        """
        if not self._api_clients:
            from apteco_frames.orbit.bridge import new_api_client

            # In one step, so that all threads have the same.
            self._api_clients.setdefault("", new_api_client(self._client))
        return self._api_clients[""]

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
        client = self._client
        with client.turn.taken(client.new_task(), client.base_url):
            if not client.has_ended:
                client.log_out()

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
        client = self._client
        old = None
        try:
            with client.turn.taken(task, client.base_url):
                if client.session_id is not None and not client.has_ended:
                    old = client.session_id, client.token
                client.log_in(user, password, task)
        finally:  # also if Ctrl-C came after the server had accepted the password
            now = client.session_id
            if old and now and old[0].reveal() != now.reveal():
                client.end(*old)
