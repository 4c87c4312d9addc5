"""The endpoints of the Orbit API, one method each; and what each status means."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple
from urllib.parse import quote

import pyarrow as pa
import requests

from apteco_frames.errors import (
    ApiError,
    ApiResultsError,
    AptecoFramesError,
    GatewayError,
    InvalidUrlError,
    LoginError,
    SessionExpiredError,
)
from apteco_frames.orbit import schema
from apteco_frames.orbit.decode import Page, decode_error, decode_object, decode_page
from apteco_frames.orbit.paging import ListChangedError, Paging, Span
from apteco_frames.orbit.transport import (
    Answer,
    Task,
    Timeout,
    Transport,
    checked_base_url,
    warn_if_insecure,
)
from apteco_frames.secret import Secret

Progress = Callable[[int, int], object]

DEFAULT_PAGE_SIZE = 5_000
DEFAULT_MAX_CONNECTIONS = 4


def _required(*names: str) -> list[pa.Field]:
    return [pa.field(name, schema.STRING, nullable=False) for name in names]


_USER = pa.struct(_required("username", "firstname", "surname", "emailAddress"))
_SESSION = pa.struct(
    [*_required("accessToken", "sessionId"), pa.field("user", _USER, nullable=False)]
)
_SYSTEM = pa.struct(
    [
        *_required("name", "description", "viewName"),
        pa.field("fastStatsBuildDate", schema.TIMESTAMP),
    ]
)
_NAMES = (schema.Column("name", schema.STRING, False, "name", ""),)


class Options(NamedTuple):
    """How to connect; the keyword arguments of ``login``.

    Attributes:
        timeout: seconds: one number to connect and to read, ``(connect, read)`` or
            ``(connect, read, total)``; by default 10, 60 and 600.
        verify: ``False`` not to check certificates, or the path of a CA bundle.
        page_size: items to ask for at a time.
        max_connections: requests under way at most.
        progress: called with the variables read so far and in all.
        http: a ``requests.Session`` with proxies, certificates, adapters.
    """

    timeout: float | tuple[float, ...] | None = None
    verify: bool | str | None = None
    page_size: int = DEFAULT_PAGE_SIZE
    max_connections: int = DEFAULT_MAX_CONNECTIONS
    progress: Progress | None = None
    http: requests.Session | None = None


class Build(NamedTuple):
    """One build of a system as the API gives it: its details, tables and variables."""

    system: dict[str, Any]
    tables: pa.Table
    variables: pa.Table


class OrbitClient:
    """The endpoints of one DataView of one Orbit API.

    Args:
        base_url: URL of the API, normally ending ``/OrbitAPI``.
        data_view: name of the DataView.
        options: how to connect.

    Raises:
        InvalidUrlError: the URL is none, or the DataView has no name.
        ValueError: an option is out of its range.
    """

    def __init__(self, base_url: str, data_view: str, options: Options) -> None:
        if options.page_size < 1 or options.max_connections < 1:
            raise ValueError("page_size= and max_connections= must be at least 1")
        self.base_url = checked_base_url(base_url)
        self.data_view = _checked_name(data_view, "data_view")
        warn_if_insecure(self.base_url, options.verify)
        self._options = options
        self._timeout = Timeout.of(options.timeout)
        self.transport = Transport(
            verify=options.verify,
            max_connections=options.max_connections,
            http=options.http,
        )

    @property
    def token(self) -> Secret:
        """The access token; it is set by :meth:`log_in`, or from a serialised session."""
        token = self.transport.token
        assert token is not None
        return token

    @token.setter
    def token(self, token: Secret) -> None:
        self.transport.token = token

    @property
    def token_expires_at(self) -> int | None:
        """``exp`` of the token, in seconds since 1970; None if it is no JWT or has none."""
        import jwt

        try:
            claims = jwt.decode(self.token.reveal(), options={"verify_signature": False})
        except jwt.PyJWTError:
            return None
        expires = claims.get("exp")
        return expires if isinstance(expires, int) else None

    def new_task(self) -> Task:
        """A task that begins now and may take as long as the options say."""
        return Task(self._timeout)

    def log_in(self, user: str, password: Secret, task: Task) -> dict[str, Any]:
        """``POST /{dataView}/Sessions/SimpleLogin``: the ``SessionDetails``.

        The token is kept, and sent with the requests that follow.

        Raises:
            LoginError: user name or password is not accepted.
            AptecoFramesError: another error of the tree.
        """
        url = self._url(self.data_view, "Sessions", "SimpleLogin")
        form = {"UserLogin": user, "Password": password.reveal()}
        answer = self.transport.request("POST", url, task=task, authorise=False, data=form)
        if answer.status in (401, 403):
            raise _error(
                LoginError,
                answer,
                f"The user {user!r} could not log in: user name or password was not accepted",
                "Check both, and that the user may use this DataView",
            )
        if answer.status == 404:
            raise self._unknown(answer, "DataView", self.data_view, ["About", "DataViews"], task)
        details = decode_object(_checked(answer), _SESSION, url)
        self.token = Secret(details["accessToken"])
        return details

    def log_out(self, session_id: str) -> None:
        """``DELETE /{dataView}/Sessions/{sessionId}``; a session that has ended is fine.

        Raises:
            AptecoFramesError: the API could not be asked, or refused.
        """
        url = self._url(self.data_view, "Sessions", session_id)
        answer = self.transport.request("DELETE", url, task=self.new_task())
        if answer.status not in (401, 404):
            _checked(answer)

    def system(self, name: str, task: Task) -> dict[str, Any]:
        """``GET /{dataView}/FastStatsSystems/{system}``: the ``FastStatsSystemDetail``.

        Raises:
            AptecoFramesError: an error of the tree; an unknown system names those there are.
        """
        url = self._url(self.data_view, "FastStatsSystems", _checked_name(name, "system"))
        answer = self.transport.request("GET", url, task=task)
        if answer.status == 404:
            raise self._unknown(answer, "system", name, [self.data_view, "FastStatsSystems"], task)
        return decode_object(_checked(answer), _SYSTEM, url)

    def load(self, system: str, task: Task) -> Build:
        """Tables and variables of one build of a system, complete and in the API's order.

        ``GET …/Tables`` and ``GET …/Variables``, page by page on several connections. If
        the system was changed meanwhile, everything is read once more.

        Raises:
            ApiResultsError: answers are malformed or contradict each other, or the
                system was changed both times.
            AptecoFramesError: another error of the tree.
        """
        for last in (False, True):
            try:
                before, tables, variables = self._load_once(system, task.part())
            except ListChangedError:
                if last:
                    raise
                continue
            after = self.system(system, task)
            if before == after:
                return Build(after, tables, variables)
        raise ApiResultsError(
            f"The system {system!r} at {self.base_url} was rebuilt while it was read, twice: built "
            f"{before.get('fastStatsBuildDate')}, then {after.get('fastStatsBuildDate')}. Nothing "
            "was used. Try again once the build is over."
        )

    def _load_once(self, system: str, task: Task) -> tuple[dict[str, Any], pa.Table, pa.Table]:
        lists = {
            kind: Paging(
                self._options.page_size,
                self._url(self.data_view, "FastStatsSystems", system, kind),
            )
            for kind in ("Variables", "Tables")
        }
        columns = {"Variables": schema.VARIABLES, "Tables": schema.TABLES}
        pool = ThreadPoolExecutor(self.transport.max_connections, "apteco_frames")
        try:
            details = pool.submit(self.system, system, task)
            pending: dict[Future[Any], tuple[str, Span]] = {}
            while True:
                for kind, paging in lists.items():
                    while len(pending) < self.transport.max_connections:
                        span = paging.take()
                        if span is None:
                            break
                        url = self._url(self.data_view, "FastStatsSystems", system, kind)
                        future = pool.submit(self._page, url, span, columns[kind], task)
                        pending[future] = kind, span
                if not pending:
                    break
                finished, _ = wait(
                    pending, timeout=task.seconds_left(), return_when=FIRST_COMPLETED
                )
                if not finished:
                    raise task.too_late(self.base_url)
                for future in finished:
                    kind, span = pending.pop(future)
                    lists[kind].receive(span, future.result())
                variables = lists["Variables"]
                if self._options.progress and variables.total is not None:
                    self._options.progress(variables.received, variables.total)
            return details.result(), lists["Tables"].rows(), lists["Variables"].rows()
        except ApiError as error:
            if error.status == 404:
                details.result()  # which says it better: the system is not there
            raise
        finally:
            task.give_up()  # whatever is still under way
            pool.shutdown(wait=False, cancel_futures=True)

    def _page(self, url: str, span: Span, columns: tuple[schema.Column, ...], task: Task) -> Page:
        params = {"offset": span.offset, "count": span.count}
        answer = self.transport.request("GET", url, task=task, params=params)
        return decode_page(_checked(answer), columns, url)

    def _unknown(
        self, answer: Answer, kind: str, name: str, where: list[str], task: Task
    ) -> AptecoFramesError:
        """The error for a DataView or system that is not there, with those that are."""
        try:
            url = self._url(*where)
            authorise = self.transport.token is not None
            listing = self.transport.request(
                "GET", url, task=task, authorise=authorise, params={"count": 100}
            )
            names = decode_page(_checked(listing), _NAMES, url).rows["name"].to_pylist()
        except AptecoFramesError:
            names = []
        hint = f"There are: {', '.join(map(repr, names))}" if names else "Check its name"
        return _error(ApiError, answer, f"There is no {kind} {name!r}", hint)

    def _url(self, *segments: str) -> str:
        return "/".join([self.base_url, *(quote(segment, safe="") for segment in segments)])


def _checked(answer: Answer) -> bytes:
    """The body of an answer whose status is no error: the one place that maps statuses."""
    if 200 <= answer.status < 300:
        return answer.body
    if answer.status == 401:
        raise _error(
            SessionExpiredError,
            answer,
            "The session is no longer accepted: its token has expired, or it was ended",
            "Log in again with login() or session.renew(password)",
        )
    what, hint = {
        400: ("The request was not accepted", "Check the names you gave"),
        403: ("The user may not do this", "Ask your administrator for the right to"),
        404: ("There is nothing at this address", "Check the base URL and the names you gave"),
        407: ("The proxy asks for a login", "Give its user and password in http="),
        429: ("The API was asked too often", "Try again later"),
    }.get(
        answer.status,
        ("The API failed", "Try again; if it stays so, tell your administrator")
        if answer.status >= 500
        else ("The request was refused", "Tell your administrator"),
    )
    raise _error(ApiError, answer, what, hint)


def _error(kind: type[ApiError], answer: Answer, what: str, hint: str) -> AptecoFramesError:
    code, error_id, message = decode_error(answer.body)
    status = f"status {answer.status} {answer.reason}".strip()
    if message is None and not _is_json(answer):
        body = "a web page" if answer.body.lstrip()[:1] == b"<" else "no message"
        if kind is ApiError and answer.status != 404:
            return GatewayError(
                f"{answer.url} answered with {status} and {body}: a gateway or proxy answered, "
                f"not the API. {hint}. Check the base URL, your VPN and your proxy."
            )
    said = f" The API says: {message!r}." if message else ""
    number = f" Its error number for the administrator is {error_id}." if error_id else ""
    return kind(
        f"{what} ({answer.url}, {status}).{said}{number} {hint}.",
        status=answer.status,
        url=answer.url,
        code=code,
        error_id=error_id,
        message=message,
    )


def _is_json(answer: Answer) -> bool:
    return answer.body.lstrip()[:1] == b"{"


def _checked_name(name: str, what: str) -> str:
    if name.strip() in ("", ".", ".."):
        raise InvalidUrlError(f"{what} must be a name, not {name!r}. Nothing was sent.")
    return name
