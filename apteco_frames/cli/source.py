"""Where a catalogue comes from: a saved one, or a system that the user logs in to.

Of what tells the system, the command line goes before environment variables, and these
before the profile. A password comes from ``--password-command`` or ``--password-stdin``, else
from ``APTECO_PASSWORD`` (all three in :mod:`apteco_frames.cli.passwords`), else from the person
who is asked; never from the command line, which others can see, and never from a profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from apteco_frames.cli import configuration, passwords
from apteco_frames.cli.paths import PATH

if TYPE_CHECKING:
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.orbit.options import Options
    from apteco_frames.session import Session

_EXPORT = "apteco-frames export DIR --profile NAME"
_SYSTEM = ("base_url", "data_view", "system", "user")
_HELP = {
    "base_url": "URL of the Orbit API, normally ending /OrbitAPI.",
    "data_view": "Name of the DataView.",
    "system": "Name of the FastStats system.",
    "user": "User name.",
    "certificate": "File of the authorities that signed the server's certificate.",
}


class Source(NamedTuple):
    """What the user said of where the catalogue is.

    Attributes:
        catalogue: folder of a saved catalogue; None for a system.
        profile: name of a profile, likewise.
        values: ``base_url``, ``data_view``, ``system``, ``user`` and ``certificate``, as far as
            the command line or the environment has them.
        password_command: a command that prints the password.
        password_stdin: whether the password is the first line of standard input.
        cache: whether catalogues are kept on this machine.
    """

    catalogue: Path | None
    profile: str | None
    values: dict[str, str | None]
    password_command: str | None
    password_stdin: bool
    cache: bool

    @contextmanager
    def opened(self) -> Iterator[Catalogue | Session]:
        """The saved catalogue, or a session that ends afterwards.

        Raises:
            UsageError: it was not said which, or only in part.
            ClickException: there is no such profile, or no password.
            AptecoFramesError: what was saved cannot be read, or the login failed.
        """
        if self.catalogue is not None:
            from apteco_frames.catalogue import Catalogue
            from apteco_frames.errors import NotLoadedError

            try:
                yield Catalogue.read_parquet(self.catalogue)
            except NotLoadedError as error:
                raise NotLoadedError(f"{error} On the command line: {_EXPORT}.") from None
        else:
            with self.session() as session:
                yield session

    def session(self) -> Session:
        """Log in.

        Raises:
            UsageError: it was not said where, or only in part.
            ClickException: there is no such profile, or no password.
            AptecoFramesError: the login failed.
        """
        from apteco_frames.errors import AptecoFramesError, PasswordPromptError
        from apteco_frames.logins import login, login_with_password
        from apteco_frames.support.arguments import require_path

        found = self._system()
        base_url, data_view, system, user = (found[name] or "" for name in _SYSTEM)
        where = base_url, data_view, system, user
        certificate = found["certificate"]
        try:
            verify = str(require_path(certificate, "--certificate")) if certificate else None
        except ValueError as error:
            raise click.ClickException(str(error)) from None
        options: Options = {"cache": self.cache, "verify": verify}
        password = self._password()
        try:
            if password is None:
                return login(*where, **options)
            return login_with_password(*where, password, **options)
        except PasswordPromptError as error:
            raise PasswordPromptError(
                f"{error} On the command line: set {passwords.VARIABLE}, or use "
                "--password-command or --password-stdin."
            ) from None
        except AptecoFramesError:
            raise
        except (TypeError, ValueError) as error:
            raise click.ClickException(str(error)) from None

    def _system(self) -> dict[str, str | None]:
        """Where to log in."""
        profile = configuration.profile(self.profile) if self.profile else {}
        found = {name: value or profile.get(name) for name, value in self.values.items()}
        missing = [f"--{name.replace('_', '-')}" for name in _SYSTEM if not found[name]]
        if len(missing) == len(_SYSTEM):
            context = click.get_current_context()
            saved = "--catalogue DIR for a saved catalogue, or " * ("catalogue" in context.params)
            raise click.UsageError(
                f"no system is named: use {saved}--profile NAME, or --base-url, --data-view, "
                "--system and --user",
                context,
            )
        if missing:
            of = f"profile {self.profile!r} and the options" if self.profile else "the options"
            are = "is" if len(missing) == 1 else "are"
            raise click.UsageError(
                f"of {of}, {' and '.join(missing)} {are} missing", click.get_current_context()
            )
        return found

    def _password(self) -> str | None:
        """The password; None if the user is to be asked."""
        if self.password_command:
            return passwords.of_command(self.password_command)
        if self.password_stdin:
            return passwords.of_input()
        return passwords.of_environment()


def with_source(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for a catalogue; it is called with ``source=``."""
    return _with_options(function, offline=True)


def with_login(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for a login; it is called with ``source=``."""
    return _with_options(function, offline=False)


def _with_options(function: Callable[..., Any], *, offline: bool) -> Callable[..., Any]:
    @wraps(function)
    def command(
        profile: str | None,
        password_command: str | None,
        password_stdin: bool,
        no_cache: bool,
        catalogue: Path | None = None,
        **rest: Any,
    ) -> Any:
        values = {name: rest.pop(name) for name in _HELP}
        _check_combination(catalogue is not None)
        source = Source(catalogue, profile, values, password_command, password_stdin, not no_cache)
        return function(source=source, **rest)

    options = [
        click.option(
            "--profile",
            metavar="NAME",
            envvar="APTECO_PROFILE",
            show_envvar=True,
            help="Log in as this profile says (see: profile add).",
        ),
        *system_options(environment=True),
        click.option(
            "--password-command",
            metavar="COMMAND",
            help="A command that prints the password as its first line, such as "
            "'pass show orbit'. It is run without a shell.",
        ),
        click.option(
            "--password-stdin",
            is_flag=True,
            help="The password is the first line of standard input. It can also be in "
            f"{passwords.VARIABLE}; else it is asked for.",
        ),
        click.option(
            "--no-cache",
            is_flag=True,
            help="Read all from the server, and keep nothing on this machine.",
        ),
    ]
    if offline:
        text = "Read a saved catalogue (see: export), without a login."
        options.insert(
            0,
            click.option("--catalogue", type=PATH, metavar="DIR", help=text),
        )
    for option in reversed(options):
        command = option(command)
    return command


def system_options(*, environment: bool) -> list[Callable[[Any], Any]]:
    """The options that name a system, as decorators.

    Args:
        environment: whether environment variables stand for those that are not given.
    """
    return [
        click.option(
            f"--{name.replace('_', '-')}",
            name,
            metavar="FILE" if name == "certificate" else "URL" if name == "base_url" else "NAME",
            envvar=f"APTECO_{name.upper()}" if environment else None,
            show_envvar=environment,
            help=text,
        )
        for name, text in _HELP.items()
    ]


def _check_combination(offline: bool) -> None:
    """See that the command line, not the environment, names one source."""
    context = click.get_current_context()
    given = [
        f"--{name.replace('_', '-')}"
        for name in ("profile", *_HELP, "password_command", "password_stdin")
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE
    ]
    if offline and given:
        raise click.UsageError(f"--catalogue needs no login, so no {given[0]} either", context)
    if given[-2:] == ["--password-command", "--password-stdin"]:
        raise click.UsageError(f"{' and '.join(given[-2:])} both give the password", context)
