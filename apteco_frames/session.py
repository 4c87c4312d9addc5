"""The session: a catalogue with a live connection."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, Self, Unpack

from apteco_frames.catalogue import AnyCatalogue, Catalogue, contents_of, restored
from apteco_frames.codes import Codes
from apteco_frames.errors import AptecoFramesError
from apteco_frames.folders import Folders
from apteco_frames.links import links_of
from apteco_frames.live import Access, LiveCatalogue
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.deadline import Deadline
from apteco_frames.orbit.login import USER_FIELDS, session_values
from apteco_frames.orbit.options import Options, lists_options
from apteco_frames.orbit.redact import Secret, require_sendable
from apteco_frames.orbit.url import require_name
from apteco_frames.render import card
from apteco_frames.storage import stream
from apteco_frames.storage.snapshot import DAMAGE
from apteco_frames.support.apteco_names import attributes
from apteco_frames.support.arguments import not_a, require_progress, require_text
from apteco_frames.support.progress import Progress
from apteco_frames.support.text import truncate
from apteco_frames.system import system_info_of
from apteco_frames.systems import Systems
from apteco_frames.tables import Tables
from apteco_frames.uses import Uses
from apteco_frames.variables import Variables


class User(NamedTuple):
    """The user who is logged in, as the ``apteco`` documentation describes it.

    Attributes:
        username: name used to log in.
        first_name: first name; ``None`` if the API gives none.
        surname: surname; likewise.
        email_address: e-mail address; likewise.
    """

    username: str
    first_name: str | None
    surname: str | None
    email_address: str | None


class Session(AnyCatalogue):
    """A catalogue with a live connection; :func:`login` makes one.

    It ends with :meth:`logout`, or at the end of ``with login(...) as session:``. What
    was read stays usable. A session may be used from several threads.
    """

    _access: Access
    _user: User
    _is_opened: bool  # by another session, whose block ends the login of both
    _api_clients: dict[str, Any]
    _live: LiveCatalogue
    _systems: Systems | None

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise TypeError(
            "A Session cannot be made directly. Use login(base_url, data_view, system, user) or "
            "login_with_password(base_url, data_view, system, user, password)."
        )

    @classmethod
    def _new(cls, access: Access, user: User, *, is_opened: bool = False) -> Session:
        """A session without a catalogue, which is read next."""
        session = object.__new__(cls)
        session._access = access
        session._is_opened = is_opened
        session._user = user
        session._api_clients = {}
        session._systems = None
        return session

    def _read(self, deadline: Deadline, *, anew: bool = False) -> LiveCatalogue:
        return LiveCatalogue.read(self, self._access, deadline, anew=anew)

    @property
    def _client(self) -> OrbitClient:
        return self._access.client

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
            from apteco_frames.orbit.api_client import new_api_client

            # In one step, so that all threads have the same.
            self._api_clients.setdefault("", new_api_client(self._client))
        return self._api_clients[""]

    @property
    def token_expires_at(self) -> datetime | None:
        """When the token expires, in UTC (``exp`` of the JWT); ``None`` if it does not say.

        The signature is not checked here; that is the server's job.
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

    @property
    def system(self) -> str:
        """Name of the FastStats system."""
        return self._access.system

    @property
    def user(self) -> User:
        """The user who is logged in."""
        return self._user

    @property
    def catalogue(self) -> Catalogue:
        """The offline part: the catalogue, without token and network."""
        return self._live.catalogue

    @property
    def tables(self) -> Tables:
        """The tables of the system."""
        return self._live.tables

    @property
    def variables(self) -> Variables:
        """The variables of the system."""
        return self._live.variables

    @property
    def folders(self) -> Folders:
        """The folders of the system, read on first use and kept.

        Raises:
            ApiResultsError: the system was rebuilt since; call :meth:`refresh`.
            AptecoFramesError: another error of ``apteco_frames.errors``.
        """
        return self._live.folders

    @property
    def systems(self) -> Systems:
        """The systems that the DataView lists, read on first use and kept.

        Raises:
            AptecoFramesError: the API could not be reached, or refused.

        >>> from apteco_frames.demo import DemoServer
        >>> with DemoServer() as demo, demo.login() as session:
        ...     [system.name for system in session.systems]
        ['holidays']
        """
        if self._systems is None:
            rows = self._client.systems(self._client.new_deadline())
            self._systems = Systems(rows, self._live, self.data_view)
        return self._systems

    def open(self, system: str) -> Session:
        """A session on another system of the same DataView, without logging in again.

        Both sessions share one token and its connections. Ending or renewing the login of one
        does so for both: after :meth:`logout` of either, requests of the other raise
        ``SessionExpiredError``, while what was read stays usable. The end of
        ``with session.open(...) as other:`` does not log out, so ``session`` stays open.

        Args:
            system: name of the system, one of :attr:`systems`.

        Raises:
            TypeError: the name is not text.
            InvalidUrlError: the name is empty, or would change the path of a URL.
            ApiError: the system does not exist, or you may not use it.
            SessionExpiredError: the session has ended.
            AptecoFramesError: another error of ``apteco_frames.errors``.
        """
        require_name(system, "system")
        access = self._access._replace(system=system)
        opened = Session._new(access, self._user, is_opened=True)
        opened._live = opened._read(self._client.new_deadline())
        return opened

    def load_codes(
        self,
        variables: Variables | None = None,
        *,
        unavailable: Literal["error", "skip"] = "error",
        progress: Progress = None,
    ) -> Codes:
        """Read the codes of variables that have not been read; ``.codes`` does so on first use.

        The codes of each variable are read once and shared by all frames of the session, 8
        variables at a time unless ``max_connections=`` was given at login.

        Args:
            variables: the variables, a frame such as ``session.variables.filter(...)``; all
                unless given.
            unavailable: what to do if the API refuses the codes of a variable (status 400, 403
                or 404): ``"error"`` reads the others, then raises an error that names it;
                ``"skip"`` leaves it out. ``codes.unavailable`` lists what was left out.
            progress: ``True``, ``False``, or a callable that takes the number of variables read
                so far and the total; by default as at login.

        Returns:
            the codes, in the order of the variables.

        Raises:
            CodesError: the API refuses the codes of a variable.
            ApiResultsError: the system was rebuilt since the session read it (call
                :meth:`refresh`), or answers contradict each other.
            ValueError: ``unavailable`` is something else.
            TypeError: ``variables`` is not a frame of variables, or ``progress`` is invalid.
            AptecoFramesError: another error of ``apteco_frames.errors``.

        >>> from apteco_frames.demo import DemoServer
        >>> with DemoServer() as demo, demo.login() as session:
        ...     codes = session.load_codes(session.variables.filter(table_name="Bookings"))
        >>> codes["Destination"]["Sweden"].code
        '29'
        """
        if unavailable not in ("error", "skip"):
            raise ValueError(f"unavailable= takes 'error' or 'skip', not {unavailable!r}")
        chosen = self.variables if variables is None else variables
        if not isinstance(chosen, Variables):
            raise TypeError(
                "load_codes() takes a frame of variables, such as session.variables.filter(...), "
                f"not a {type(chosen).__name__}. The codes of a variable or a table are its .codes."
            )
        # A frame may be of the build before.
        links, live = links_of(chosen), self._live
        if links.session is self and isinstance(links.owner, LiveCatalogue):
            live = links.owner
        return live.load_codes(chosen, unavailable == "skip", require_progress(progress))

    @property
    def uses(self) -> Uses:
        """What uses the variables, read on first use and kept; without selection files.

        :meth:`load_uses` reads it anew, with selection files.

        Raises:
            ApiResultsError: an audience, a dashboard or a composition is malformed; it is named.
            AptecoFramesError: another error of ``apteco_frames.errors``.
        """
        return self._live.uses

    def load_uses(
        self, files: str | Collection[str] | None = None, progress: Progress = None
    ) -> Uses:
        """Read which audiences, dashboards, compositions and selection files use which variables.

        Reading changes nothing on the server: a list of each kind, then one request for each
        resource, 8 at a time unless ``max_connections=`` was given at login. What is gone
        meanwhile is left out; what is refused is counted in ``uses.unavailable``. Audiences and
        dashboards of all users are listed to administrators (OrbitAdmin) only. Others get those
        of their own and those shared with them; a ``CatalogueWarning`` says so. Older servers
        list the user's dashboards only.

        Codes of variables are also read where blanks may have been left out of a code.

        Args:
            files: a directory, such as ``"Public"``, or several, in which and below which to look
                for selection files; ``""`` for all directories. Reading them needs a licence
                (AdvancedQuery); a ``CatalogueWarning`` says how many were refused. None unless
                given.
            progress: as of :meth:`load_codes`.

        Returns:
            the uses, which ``session.uses`` and ``variable.uses`` return from now on.

        Raises:
            ApiError: the directory does not exist, or you may not read it.
            ApiResultsError: a resource is malformed; its kind, id and title are named.
            TypeError: ``files`` is not text or a list of texts, or ``progress`` is invalid.
            AptecoFramesError: another error of ``apteco_frames.errors``.

        >>> from apteco_frames.demo import DemoServer
        >>> with DemoServer() as demo, demo.login() as session:
        ...     uses = session.load_uses(files="Public")
        >>> sorted({use.kind for use in session.variables["boDest"].uses})
        ['audience', 'dashboard', 'file']
        """
        if files is not None and not isinstance(files, list | tuple | set | frozenset | str):
            raise not_a("files= takes the path of a directory, or a list of them", files)
        folders = [files] if isinstance(files, str) else files or ()
        paths = [require_text(folder, "files=") for folder in folders]
        return self._live.load_uses(paths, require_progress(progress))

    def refresh(self) -> bool:
        """Read the catalogue again if the system has been rebuilt.

        A system without a build date is read again each time and compared. Codes and folders
        of the old build are forgotten; existing frames and rows do not change. With a cache
        (``cache=`` of :func:`login`) everything is read from the server again, rebuilt or
        not, the cache is replaced, and codes and folders are always forgotten. Tables and
        variables that are still the same stay the same objects.

        Returns:
            whether the system was rebuilt, or its tables or variables have changed.

        Raises:
            AptecoFramesError: the API could not be reached, or refused.
        """
        deadline = self._client.new_deadline()
        if not self._access.options.get("cache") and self.system_info.build_date is not None:
            return self._read_if_rebuilt(deadline)
        live = self._read(deadline, anew=True)
        self._systems = None
        if self._live.take_over(live):
            return False
        self._live = live
        return True

    def _read_if_rebuilt(self, deadline: Deadline) -> bool:
        info = system_info_of(self._client.system(self.system, deadline))
        if info == self.system_info:
            return False
        self._live, self._systems = self._read(deadline), None
        return True

    def logout(self) -> None:
        """End the session on the server; the catalogue stays usable.

        This also ends sessions that share the login: see ``Session.open``.

        Calling it again, or on a session that has ended, does nothing.

        Raises:
            AptecoFramesError: the API could not be reached, or refused.
        """
        client = self._client
        with client.turn.taken(client.new_deadline(), client.base_url):
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

    def renew(self, password: str) -> None:
        """Log in again as the same user, and keep this session object.

        The catalogue is read again only if the system has been rebuilt. The old session is
        ended on the server if possible.

        Args:
            password: the user's password.

        Raises:
            TypeError: the password is not text.
            LoginError: the password was not accepted.
            AptecoFramesError: another error of ``apteco_frames.errors``.
        """
        secret = Secret(password)
        require_sendable(secret, "password")
        deadline = self._client.new_deadline()
        self._log_in_again(self._user.username, secret, deadline)
        self._read_if_rebuilt(deadline)

    def _log_in_again(self, user: str, password: Secret, deadline: Deadline) -> None:
        """Take a new token and session id, and end the old session if possible."""
        client = self._client
        old = None
        try:
            with client.turn.taken(deadline, client.base_url):
                if client.session_id is not None and not client.has_ended:
                    old = client.session_id, client.token
                client.log_in(user, password, deadline)
        finally:  # also if Ctrl-C came after the server had accepted the password
            now = client.session_id
            if old and now and old[0].reveal() != now.reveal():
                client.end(*old)

    def serialize(self, *, include_catalogue: bool = False) -> str:
        """The session as a string, in the JSON layout of ``apteco`` 0.8.2.

        The string contains the access token: until the session ends, anyone who has the
        string has your access. Treat it like a password, keep it in a file that only you
        can read, and delete it after use::

            file = os.open("session.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(file, "w", encoding="utf-8") as stream:
                stream.write(session.serialize())

        Args:
            include_catalogue: whether to include the catalogue, so that restoring needs no
                request.
        """
        values: dict[str, Any] = {
            "base_url": self.base_url,
            "data_view": self.data_view,
            "session_id": self.session_id,
            "access_token": self.access_token,
            "user": self.user._asdict(),
            "system": self.system,
        }
        if include_catalogue:
            values["catalogue"] = stream.to_json(*contents_of(self.catalogue))
        return json.dumps(values)

    @staticmethod
    @lists_options
    def deserialize(s: str, **options: Unpack[Options]) -> Session:
        """Restore a session from a string, written by this package or by ``apteco`` 0.8.2.

        The catalogue is read from the server unless the string contains it.

        Args:
            s: what :meth:`serialize` returned.
            options: the keyword arguments of :func:`login`.

        Raises:
            TypeError: it is not text.
            DeserializeError: the string is not a serialised session; it says what is missing.
            SessionExpiredError: the session has ended, or its token has expired.
            AptecoFramesError: another error of ``apteco_frames.errors``.
        """
        values = session_values(Secret(s), User._fields)
        client = OrbitClient(values["base_url"], values["data_view"], options)
        client.restore(values["session_id"], values["access_token"])
        user = User(**{field: values["user"].get(field) for field in User._fields})
        access = Access(client, options, values["system"], user.username)
        session = Session._new(access, user)
        if "catalogue" in values:
            session._live = LiveCatalogue(session, access, _restored(values["catalogue"]))
        else:
            session._live = session._read(client.new_deadline())
        return session

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A Session cannot be pickled, since it holds a token. Pickle session.catalogue; or use "
            "session.serialize(), whose result grants access."
        )

    def __repr__(self) -> str:
        date = self.system_info.build_date
        lines = [
            f"Session with system {truncate(self.system)!r} "
            f"({truncate(self.system_info.description)})",
            f"  {len(self.tables):,} tables, {len(self.variables):,} variables, "
            + (f"built {date}" if date else "build date not known"),
            f"  as {truncate(self.user.username)!r} "
            f"in DataView {truncate(self.data_view)!r} at {self.base_url}",
        ]
        return self._client.secrets.without_issued("\n".join(lines))

    def _repr_html_(self) -> str:
        held = f"{len(self.tables):,} tables, {len(self.variables):,} variables"
        if self.catalogue.has_codes:
            held += f", {len(self.codes):,} codes"
        if self.catalogue.has_folders:
            held += f", {len(self.folders):,} folders"
        person = " ".join(filter(None, (self.user.first_name, self.user.surname)))
        without = self._client.secrets.without_issued
        info = self.system_info
        return card.session(
            info._replace(name=without(info.name), description=without(info.description))._asdict(),
            held,
            truncate(self.user.username) + (f" ({truncate(person)})" if person else ""),
            {"data_view": self.data_view, "base_url": self.base_url},
            self.token_expires_at,
        )


def log_in(
    base_url: str,
    data_view: str,
    system: str,
    user: str,
    options: Options,
    password: Callable[[], Secret],
) -> Session:
    """A session on a system, after a login; none is left on the server if it cannot be read.

    See ``logins.login``; ``password`` is called once the other arguments have been checked.
    """
    client = OrbitClient(base_url, data_view, options)
    require_name(system, "system")
    require_sendable(Secret(user), "user")
    secret = password()
    require_sendable(secret, "password")
    deadline = client.new_deadline()
    try:
        person = client.log_in(user, secret, deadline)["user"]
        member = User(*(person.get(field) for field in USER_FIELDS))
        session = Session._new(Access(client, options, system, member.username), member)
        session._live = session._read(deadline)
        return session
    except BaseException:
        client.leave()
        raise


def _restored(values: Any) -> Catalogue:
    """The catalogue of a serialised session.

    Raises:
        DeserializeError: the values are damaged or of a newer version.
    """
    saved = stream.from_json(values)
    try:
        return restored(saved)
    except DAMAGE as error:
        raise stream.damaged(error) from None


if not TYPE_CHECKING:  # type checkers would take any name for an attribute
    __getattr__ = attributes(
        __name__,
        {
            "login": "logins.login",
            "login_with_password": "logins.login_with_password",
            "FastStatsSystem": "system.FastStatsSystem",
            "Table": "tables.Table",
            "TablesAccessor": "tables.Tables",
            "VariablesAccessor": "variables.Variables",
            **{
                f"{kind}Variable": f"variables.{kind}Variable"
                for kind in (
                    *("", "Selector", "Numeric", "Text", "Array", "FlagArray"),
                    *("Date", "DateTime", "Reference"),
                )
            },
            **{
                f"{what}Error": f"errors.{what}Error"
                for what in ("ApiResults", "Deserialize", "Tables", "Variables")
            },
        },
    )
