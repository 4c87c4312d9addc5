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
    """Log in to a FastStats system, and ask for the password.

    The password is asked for in the terminal, without echo; in a notebook, in its own hidden
    input; otherwise in a pop-up box.

    Args:
        base_url: URL of the Orbit API, normally ending ``/OrbitAPI``.
        data_view: name of the DataView to log in to.
        system: name of the FastStats system to connect to.
        user: user name.
        timeout: seconds to wait: one number for connecting and for each part of an answer,
            or ``(connect, read)``, or ``(connect, read, total)``; by default 10, 60 and 600.
        verify: ``False`` not to check the server's certificate (warns), or the path of
            a file of certificate authorities.
        page_size: items to request at a time; by default 1,000, then 5,000, and all codes of
            a variable at once.
        max_connections: the most requests at a time; by default 4, and 8 for codes and
            folders.
        progress: whether to show a progress bar while reading the catalogue, codes or folders
            takes more than half a second: ``True``, ``False``, or by default on a terminal and
            in a notebook; or a callable that takes the number done so far and the total.
        http: your own ``requests.Session``, with proxies, certificates, adapters, hooks; it is
            not changed, and its cookies are copied at login.
        cache: ``True``, or a folder, to keep catalogues on this machine. The next login takes
            the catalogue from there if the system's build date and number of variables are
            still the same; so it does with folders, and with codes once those of all
            variables were read. A cache misses changes to neither: a virtual variable that
            replaces another, a new description, a change of your rights;
            ``session.refresh()`` reads everything again. The newest three builds of a system
            are kept, readable only by you, in ``APTECO_FRAMES_CACHE_DIR`` or the platform's
            folder for caches, without passwords or tokens. A system without a build date is
            not kept.
        uses: ``True`` to keep uses of variables in the cache as well, including titles and names
            of users. ``session.load_uses()`` reads them again.

    Returns:
        a session with the system's catalogue.

    Raises:
        TypeError: an argument is not text, or an option is unknown or of the wrong type.
        ValueError: an option is out of its range, or a text cannot be sent.
        PasswordPromptError: there was no way to ask, or the prompt was cancelled.
        LoginError: the user name or password was not accepted, the user may not log in, or the
            server wants a second factor, which this package cannot supply.
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
    """Log in to a FastStats system with a given password.

    Keep passwords out of code: :func:`login` asks instead. Apart from ``password``, arguments,
    result and errors are those of :func:`login`.

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
