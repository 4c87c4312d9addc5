"""Logging in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.options import Options, lists_options
from apteco_frames.orbit.redact import Secret, require_sendable
from apteco_frames.session import Session, log_in

if TYPE_CHECKING:
    import pyarrow as pa


@lists_options
def login(
    base_url: str,
    data_view: str,
    system: str,
    user: str,
    **options: Unpack[Options],
) -> Session:
    """Log in to a FastStats system; the password is asked for.

    It is asked for in the terminal, without echo; in a notebook by the notebook's own
    hidden input; otherwise in a pop-up box.

    Args:
        base_url: URL of the Orbit API, normally ending ``/OrbitAPI``.
        data_view: name of the DataView to log in to.
        system: name of the FastStats system to connect to.
        user: user name.
        timeout: seconds to wait: a number for connecting and for each part of an
            answer, or ``(connect, read)``, or ``(connect, read, total)``; by default
            10, 60, and 600 for all of it.
        verify: ``False`` not to check the server's certificate (warns), or the path of
            a file of certificate authorities.
        page_size: items to ask for at a time; by default 1,000, then 5,000, and of codes as
            many as there are.
        max_connections: requests under way at the same time, at most; by default 4, and 8
            for codes and folders.
        progress: whether to show how far a load is that takes more than half a second, of the
            catalogue, codes or folders: ``True``, ``False``, or by default if a person is
            looking, on a terminal or in a notebook; or a callable that takes the numbers done
            so far and in all.
        http: a ``requests.Session`` of yours, with proxies, certificates, adapters, hooks; it is
            not changed, and its cookies are taken as they are at login.
        cache: ``True``, or the folder of your choice, to keep catalogues on this machine. The
            next login then takes the catalogue from there, if the system's build date and
            its number of variables are still the same; codes too, once those of all variables
            were read, and folders. What a cache cannot see is a change of neither: a virtual
            variable made in place of another, a new description, another right of yours;
            ``session.refresh()`` reads all anew. The newest three builds of a system are
            kept, readable for you alone, in ``APTECO_FRAMES_CACHE_DIR`` or the platform's
            place for caches; no password and no token is. A system that does not say when
            it was built is not kept.
        uses: ``True``, to keep what uses the variables in the cache, too, with titles and names
            of users. ``session.uses`` is as it was then; ``session.load_uses()`` reads it anew.

    Returns:
        a session with the system's catalogue.

    Raises:
        TypeError: an argument is no text, or an option is unknown or of a wrong type.
        ValueError: an option is out of its range, or a text cannot be sent.
        PasswordPromptError: nobody could be asked, or the question was cancelled.
        LoginError: user name or password was not accepted, the user may not log in, or the
            server asks for a second factor, which this package cannot give.
        AptecoFramesError: another error of ``apteco_frames.errors``.
    """
    from apteco_frames.password import ask_password

    def ask() -> Secret:
        return Secret(ask_password(user, system))

    return log_in(base_url, data_view, system, user, options, ask)


@lists_options
def login_with_password(
    base_url: str,
    data_view: str,
    system: str,
    user: str,
    password: str,
    **options: Unpack[Options],
) -> Session:
    """Log in to a FastStats system with a password at hand.

    Keep passwords out of code; :func:`login` asks for it instead. Arguments, result and
    errors are those of :func:`login`, and ``password``.

    >>> from apteco_frames.demo import DemoServer
    >>> with DemoServer() as demo:
    ...     session = login_with_password(
    ...         demo.base_url, demo.data_view, demo.system, demo.user, demo.password
    ...     )
    ...     session.logout()
    >>> len(session.tables), len(session.variables)
    (9, 94)
    """
    secret = Secret(password)
    return log_in(base_url, data_view, system, user, options, lambda: secret)


@lists_options
def list_systems(
    base_url: str,
    data_view: str,
    user: str,
    password: str,
    **options: Unpack[Options],
) -> pa.Table:
    """The systems of a DataView, for when you do not know the name of one yet.

    Arguments and errors are those of :func:`login_with_password`. The login ends with it.

    Returns:
        a table with the columns of ``session.systems``.

    >>> from apteco_frames.demo import DemoServer
    >>> with DemoServer() as demo:
    ...     systems = list_systems(demo.base_url, demo.data_view, demo.user, demo.password)
    >>> systems["name"].to_pylist()
    ['holidays']
    """
    client = OrbitClient(base_url, data_view, options)
    secret = Secret(password)
    require_sendable(Secret(user), "user")
    require_sendable(secret, "password")
    deadline = client.new_deadline()
    try:
        client.log_in(user, secret, deadline)
        return client.systems(deadline)
    finally:
        client.leave()
