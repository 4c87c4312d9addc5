"""The session: a catalogue with a live connection."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple, NoReturn, Unpack

from apteco_frames.catalogue import AnyCatalogue, Catalogue, contents_of, restored
from apteco_frames.codes import Codes
from apteco_frames.folders import Folders
from apteco_frames.links import links_of
from apteco_frames.live import LiveCatalogue
from apteco_frames.logged_in import LoggedIn, Login
from apteco_frames.orbit.arguments import (
    Options,
    checked_name,
    checked_progress,
    checked_text,
    lists_options,
)
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.secret import Secret
from apteco_frames.orbit.serialized import session_values
from apteco_frames.orbit.task import Task
from apteco_frames.render import card
from apteco_frames.storage import strings
from apteco_frames.storage.label import DAMAGE
from apteco_frames.support.progress import Progress
from apteco_frames.support.text import clipped
from apteco_frames.system import system_info_of
from apteco_frames.systems import Systems
from apteco_frames.tables import Tables
from apteco_frames.variables import Variables


class User(NamedTuple):
    """The user who is logged in, as the ``apteco`` documentation describes it.

    Attributes:
        username: name used to log in.
        first_name: first name.
        surname: surname.
        email_address: e-mail address.
    """

    username: str
    first_name: str
    surname: str
    email_address: str


class Session(LoggedIn, AnyCatalogue):
    """A catalogue with a live connection; :func:`login` makes one.

    It ends with :meth:`logout`, or at the end of ``with login(...) as session:``. What
    was read stays usable after that. A session may be used from many threads.
    """

    _system: str
    _user: User
    _live: LiveCatalogue
    _systems: Systems | None

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise TypeError(
            "A Session is not made directly. Use login(base_url, data_view, system, user) or "
            "login_with_password(base_url, data_view, system, user, password)."
        )

    @classmethod
    def _new(
        cls,
        client: OrbitClient,
        system: str,
        login: str | Login,
        user: User,
    ) -> Session:
        """A session without a catalogue, which is read next."""
        session = object.__new__(cls)
        session._client = client
        session._system = system
        session._is_opened = isinstance(login, Login)
        session._login = login if isinstance(login, Login) else Login(login)
        session._user = user
        session._api_client = None
        session._systems = None
        return session

    def _read(self, task: Task, *, anew: bool = False) -> LiveCatalogue:
        return LiveCatalogue.read(
            self, self._client, self._system, self._user.username, task, anew=anew
        )

    @property
    def system(self) -> str:
        """Name of the FastStats system."""
        return self._system

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
            AptecoFramesError: the API could not be asked, or refused.

        >>> from apteco_frames.demo import DemoServer
        >>> with DemoServer() as demo, demo.login() as session:
        ...     [system.name for system in session.systems]
        ['holidays']
        """
        if self._systems is None:
            rows = self._client.systems(self._client.new_task())
            self._systems = Systems(rows, self._live, self.data_view)
        return self._systems

    def open(self, system: str) -> Session:
        """A session on another system of the same DataView, without logging in again.

        Both sessions have one token, and use the same connections. What ends or renews the
        login of one does so for both: after :meth:`logout` of either, requests of the other
        end in a ``SessionExpiredError``, while what was read stays usable. The end of
        ``with session.open(...) as other:`` does not log out, so that ``session`` goes on.

        Args:
            system: name of the system, one of :attr:`systems`.

        Raises:
            TypeError: the name is no text.
            InvalidUrlError: the name is empty, or a URL would take it for another place.
            ApiError: there is no such system, or no right to use it.
            SessionExpiredError: the session has ended.
            AptecoFramesError: another error of ``apteco_frames.errors``.
        """
        checked_name(system, "system")
        return session_on(self._client, system, self._login, self._user, self._client.new_task())

    def load_codes(
        self,
        variables: Variables | None = None,
        *,
        unavailable: Literal["error", "skip"] = "error",
        progress: Progress = None,
    ) -> Codes:
        """Read the codes of variables that are not there yet; ``.codes`` does so on first use.

        Each variable is asked for once, and kept for all frames of the session. Several are
        asked for at a time: 8, unless ``max_connections=`` was given at login.

        Args:
            variables: the variables, a frame such as ``session.variables.filter(...)``; all
                unless given.
            unavailable: what to do about variables whose codes the API refuses (status 400,
                403 or 404): ``"error"`` to raise an error that names them, after the others
                were read; or ``"skip"`` to leave them out and go on. ``codes.unavailable``
                lists what was left out.
            progress: ``True``, ``False``, or a callable that takes the number of variables done
                so far, and of all; as at login unless given.

        Returns:
            the codes, in the order of the variables.

        Raises:
            CodesError: the API refuses the codes of a variable.
            ApiResultsError: the system was rebuilt since the session read it (call
                :meth:`refresh`), or answers contradict each other.
            ValueError: ``unavailable`` is neither of the two.
            TypeError: ``variables`` is no frame of variables, or ``progress`` none of these.
            AptecoFramesError: another error of ``apteco_frames.errors``.

        >>> from apteco_frames.demo import DemoServer
        >>> with DemoServer() as demo, demo.login() as session:
        ...     codes = session.load_codes(session.variables.filter(table_name="Bookings"))
        >>> codes["Destination"]["Sweden"].code
        '29'
        """
        if unavailable not in ("error", "skip"):
            raise ValueError(f"unavailable= takes 'error' or 'skip', not {unavailable!r}")
        wanted = self.variables if variables is None else variables
        if not isinstance(wanted, Variables):
            raise TypeError(
                "load_codes takes a frame of variables, such as session.variables.filter(...), not "
                f"a {type(wanted).__name__}. The codes of a variable or a table are its .codes."
            )
        # A frame may be of the build before.
        links, live = links_of(wanted), self._live
        if links.session is self and isinstance(links.owner, LiveCatalogue):
            live = links.owner
        return live.load_codes(wanted, unavailable == "skip", checked_progress(progress))

    def refresh(self) -> bool:
        """Read the catalogue anew if the system was rebuilt since.

        Codes and folders are forgotten with the build that they were of; frames and rows
        that are there already stay as they are. Where catalogues are kept on disk (``cache=``
        of :func:`login`) all is read from the server anew, rebuilt or not, and what is kept
        is replaced; codes and folders are forgotten in any case. Tables and variables that are
        the same stay the same objects.

        Returns:
            whether the system was rebuilt, or its tables or variables are others now.

        Raises:
            AptecoFramesError: the API could not be asked, or refused.
        """
        task = self._client.new_task()
        if not self._client.cache:
            return self._read_if_rebuilt(task)
        live = self._read(task, anew=True)
        self._systems = None
        if self._live.take_over(live):
            return False
        self._live = live
        return True

    def _read_if_rebuilt(self, task: Task) -> bool:
        info = system_info_of(self._client.system(self._system, task))
        if info == self.system_info:
            return False
        self._live, self._systems = self._read(task), None
        return True

    def renew(self, password: str) -> None:
        """Log in again in place, as the same user.

        The catalogue is read anew only if the system was rebuilt meanwhile. The session
        that this one was before is ended on the server, if that can be done.

        Args:
            password: the user's password.

        Raises:
            TypeError: the password is no text.
            LoginError: the password was not accepted.
            AptecoFramesError: another error of ``apteco_frames.errors``.
        """
        secret = Secret(checked_text(password, "password"))
        task = self._client.new_task()
        self._log_in_again(self._user.username, secret, task)
        self._read_if_rebuilt(task)

    def serialize(self, *, include_catalogue: bool = False) -> str:
        """The session as a string, in the JSON layout of ``apteco`` 0.8.2.

        The string holds the access token: while the session lasts, whoever has the
        string has your access. Keep it as you would a password, in a file that only
        you can read, and delete it after use::

            file = os.open("session.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(file, "w", encoding="utf-8") as stream:
                stream.write(session.serialize())

        Args:
            include_catalogue: whether the catalogue goes into the string too, so that
                restoring needs no request.
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
            values["catalogue"] = strings.to_json(*contents_of(self.catalogue))
        return json.dumps(values)

    @staticmethod
    @lists_options
    def deserialize(s: str, **options: Unpack[Options]) -> Session:
        """The session that a string holds, written here or by ``apteco`` 0.8.2.

        The catalogue is read from the server unless the string holds it.

        Args:
            s: what :meth:`serialize` returned.
            options: the keyword arguments of :func:`login`.

        Raises:
            TypeError: it is no string.
            DeserializeError: the string is no serialised session; says what is missing.
            SessionExpiredError: the session has ended, or its token has expired.
            AptecoFramesError: another error of ``apteco_frames.errors``.
        """
        values = session_values(s, User._fields)
        client = OrbitClient(values["base_url"], values["data_view"], options)
        client.token = Secret(values["access_token"])
        client.secrets.issue(Secret(values["session_id"]))
        system = values["system"]
        user = User(**{field: values["user"][field] for field in User._fields})
        session = Session._new(client, system, values["session_id"], user)
        if "catalogue" in values:
            session._live = LiveCatalogue(session, client, system, _restored(values["catalogue"]))
        else:
            session._live = session._read(client.new_task())
        return session

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A Session is not pickled, since it holds a token. Pickle session.catalogue, or use "
            "session.serialize() knowingly."
        )

    def __repr__(self) -> str:
        lines = [
            f"Session with system {clipped(self.system)!r} "
            f"({clipped(self.system_info.description)})",
            f"  {len(self.tables):,} tables, {len(self.variables):,} variables, "
            f"built {self.system_info.build_date}",
            f"  as {clipped(self.user.username)!r} "
            f"in DataView {clipped(self.data_view)!r} at {self.base_url}",
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        held = f"{len(self.tables):,} tables, {len(self.variables):,} variables"
        if self.catalogue.has_codes:
            held += f", {len(self.codes):,} codes"
        if self.catalogue.has_folders:
            held += f", {len(self.folders):,} folders"
        person = f"{self.user.first_name} {self.user.surname}".strip()
        return card.session(
            self.system_info._asdict(),
            held,
            f"{clipped(self.user.username)} ({clipped(person)})",
            {"data_view": self.data_view, "base_url": self.base_url},
            self.token_expires_at,
        )


def session_on(
    client: OrbitClient, system: str, login: str | Login, user: User, task: Task
) -> Session:
    """A session on a system, whose catalogue is read.

    Args:
        client: whom to ask, with a token.
        system: name of the system.
        login: the session id, or the login of the session that opens this one.
        user: the user who is logged in.
        task: whose time it takes.
    """
    session = Session._new(client, system, login, user)
    session._live = session._read(task)
    return session


def _restored(values: Any) -> Catalogue:
    """The catalogue of a serialised session.

    Raises:
        DeserializeError: the values are damaged or of a newer version.
    """
    saved = strings.from_json(values)
    try:
        return restored(saved)
    except DAMAGE as error:
        raise strings.damaged(error) from None
