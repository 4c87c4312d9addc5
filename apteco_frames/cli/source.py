"""Where a catalogue comes from: a saved one, an archive, or a system that the user logs in to.

Of what tells the system, the command line goes before environment variables, and these
before the profile. A password comes from ``--password-command`` or ``--password-stdin``, else
from ``APTECO_PASSWORD`` (all three in :mod:`apteco_frames.cli.passwords`), else from the person
who is asked; never from the command line, which others can see, and never from a profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from apteco_frames.cli import completion, configuration, passwords
from apteco_frames.cli.command import LOGIN, Option
from apteco_frames.cli.paths import PATH, ROOT
from apteco_frames.support.text import list_names, truncate

if TYPE_CHECKING:
    import pyarrow as pa

    from apteco_frames.archive import Archive
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.orbit.options import Options
    from apteco_frames.session import Session

_SYSTEM = ("base_url", "data_view", "system", "user")
_HELP = {
    "base_url": "URL of the Orbit API, normally ending /OrbitAPI.",
    "data_view": "Name of the DataView.",
    "system": "Name of the FastStats system. The command systems lists them.",
    "user": "User name.",
    "certificate": "File of the authorities that signed the server's certificate.",
}


class Source(NamedTuple):
    """What the user said of where the catalogue is.

    Attributes:
        catalogue: folder of a saved catalogue; None for an archive or a system.
        archive: root of an archive, likewise.
        build: name or date of a build in the archive; None for the latest.
        profile: name of a profile, likewise.
        values: ``base_url``, ``data_view``, ``system``, ``user`` and ``certificate``, as far as
            the command line or the environment has them.
        password_command: a command that prints the password.
        password_stdin: whether the password is the first line of standard input.
        cache: whether catalogues are kept on this machine.
    """

    catalogue: Path | None
    archive: str | None
    build: str | None
    profile: str | None
    values: dict[str, str | None]
    password_command: str | None
    password_stdin: bool
    cache: bool

    @property
    def is_offline(self) -> bool:
        """Whether nothing is asked of a server."""
        return self.catalogue is not None or self.archive is not None

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

            yield Catalogue.read_parquet(self.catalogue)
        elif self.archive is not None:
            yield self._archived(self.archive)
        else:
            with self.session() as session:
                yield session

    def _archived(self, root: str) -> Catalogue:
        from apteco_frames.archive import Archive

        archive = Archive(root)
        system = _given("system") or only_system(archive)
        return archive.catalogue(system, self.build)

    def session(self) -> Session:
        """Log in.

        Raises:
            UsageError: it was not said where, or only in part.
            ClickException: there is no such profile, or no password.
            AptecoFramesError: the login failed.
        """
        from apteco_frames.logins import login_with_password

        found = self._system(_SYSTEM)
        log_in = partial(login_with_password, system=found["system"])
        session: Session = self._logged_in(found, log_in)
        return session

    def systems(self) -> pa.Table:
        """The systems of the DataView, or of what was saved, with the columns of ``Systems``.

        Raises:
            UsageError, ClickException, AptecoFramesError: as of :meth:`opened`.
        """
        from apteco_frames.schema import SYSTEMS_SCHEMA
        from apteco_frames.support.arrays import table_of

        if self.catalogue is not None:
            with self.opened() as saved:
                infos = [saved.system_info]
        elif self.archive is not None:
            from apteco_frames.archive import Archive

            archive = Archive(self.archive)
            infos = [archive.catalogue(name).system_info for name in systems_in(archive)]
        else:
            from apteco_frames.logins import list_systems

            found = self._system(tuple(name for name in _SYSTEM if name != "system"))
            return self._logged_in(found, list_systems)
        return table_of([info._asdict() for info in infos], SYSTEMS_SCHEMA)

    def _logged_in(self, found: dict[str, str], log_in: Callable[..., Any]) -> Any:
        """What a login gives that still lacks its user, place, password and options."""
        from apteco_frames.errors import AptecoFramesError

        options: Options = {"cache": self.cache, "verify": verify(found["certificate"])}
        where = {name: found[name] for name in ("base_url", "data_view", "user")}
        try:
            password = self._password(found)
            return log_in(**where, password=password, **options)
        except AptecoFramesError:
            raise
        except (TypeError, ValueError) as error:
            raise click.ClickException(str(error)) from None

    def _system(self, needed: tuple[str, ...]) -> dict[str, str]:
        """Where to log in; what is not needed may be empty."""
        context = click.get_current_context()
        profile = configuration.profile(self.profile) if self.profile else {}
        found = {name: value or profile.get(name) or "" for name, value in self.values.items()}
        missing = [name for name in needed if not found[name]]
        if len(missing) == len(needed):
            saved = ", --catalogue DIR or --archive ROOT" * ("catalogue" in context.params)
            raise click.UsageError(
                f"no system is named: use --profile NAME{saved} (or {_listed(needed)}). Make a "
                "profile with: apteco-frames profile add",
                context,
            )
        if missing:
            where = f" (profile {self.profile!r} has none)" if self.profile else ""
            known = "; apteco-frames systems lists those that there are" * (missing == ["system"])
            noun = "option" if len(missing) == 1 else "options"
            raise click.UsageError(f"missing {noun} {_listed(missing)}{where}{known}", context)
        return found

    def _password(self, found: dict[str, str]) -> str:
        """The password; of the person at the terminal, if nothing else gives it."""
        if self.password_command:
            return passwords.of_command(self.password_command)
        if self.password_stdin:
            return passwords.of_input()
        return passwords.of_environment() or passwords.of_person(
            found["user"], found["base_url"], found["system"]
        )


def only_system(archive: Archive) -> str:
    """The system of an archive that holds one.

    Raises:
        UsageError: it holds several.
        ClickException: it holds none.
    """
    names = systems_in(archive)
    if len(names) > 1:
        raise click.UsageError(
            f"which system? The archive at {archive.root} holds {list_names(names)}. Choose one "
            "with --system",
            click.get_current_context(),
        )
    return names[0]


def systems_in(archive: Archive) -> list[str]:
    """The systems of which an archive holds builds.

    Raises:
        ClickException: there are none.
    """
    names = archive.builds["system"].unique(maintain_order=True).to_list()
    if not names:
        raise click.ClickException(
            f"There is no build in the archive at {archive.root}. Add one with: apteco-frames "
            "archive add"
        )
    return names


def verify(certificate: str) -> str | None:
    """The whole path of a file of certificate authorities; None for an empty text.

    Raises:
        ClickException: there is no such file, or it holds none.
    """
    if not certificate:
        return None
    import ssl

    from apteco_frames.support.arguments import require_path

    try:
        path = require_path(certificate, "--certificate")
        if not path.is_dir():
            ssl.create_default_context(cafile=str(path))
    except FileNotFoundError:
        raise click.ClickException(
            f"--certificate names {truncate(certificate)!r}, and there is no such file."
        ) from None
    except ssl.SSLError:
        raise click.ClickException(
            f"--certificate names {truncate(certificate)!r}, which holds no certificate in PEM."
        ) from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    return str(path.absolute())


def with_source(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for a catalogue; it is called with ``source=``."""
    return _with_options(function, offline=True)


def with_login(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for a login; it is called with ``source=``."""
    return _with_options(function, offline=False)


with_codes = click.option(
    "--codes/--no-codes",
    default=True,
    show_default=True,
    help="Whether codes and folders are read, too: a request for each variable with codes.",
)
"""Gives a command the option whether codes are wanted."""


def _with_options(function: Callable[..., Any], *, offline: bool) -> Callable[..., Any]:
    @wraps(function)
    def command(
        profile: str | None,
        password_command: str | None,
        password_stdin: bool,
        no_cache: bool,
        catalogue: Path | None = None,
        archive: str | None = None,
        build: str | None = None,
        **rest: Any,
    ) -> Any:
        values = {name: rest.pop(name) for name in _HELP}
        _check_combination()
        login = profile, values, password_command, password_stdin, not no_cache
        return function(source=Source(catalogue, archive, build, *login), **rest)

    options = [
        _option(
            "--profile",
            section=_SECTION if offline else LOGIN,
            metavar="NAME",
            envvar="APTECO_PROFILE",
            show_envvar=True,
            shell_complete=completion.profiles,
            help="Log in as this profile says (see: profile add).",
        ),
        *system_options(environment=True, section=LOGIN),
        _option(
            "--password-command",
            metavar="COMMAND",
            help="A command that prints the password as its first line, such as "
            "'pass show orbit'. It is run without a shell.",
        ),
        _option(
            "--password-stdin",
            is_flag=True,
            help="The password is the first line of standard input. It can also be in "
            f"{passwords.VARIABLE}; else it is asked for.",
        ),
        _option(
            "--no-cache",
            is_flag=True,
            help="Read all from the server, and keep nothing on this machine.",
        ),
    ]
    if offline:
        options = [
            _option(
                "--catalogue",
                section=_SECTION,
                type=PATH,
                metavar="DIR",
                help="Read a saved catalogue (see: export), without a login.",
            ),
            _option(
                "--archive",
                section=_SECTION,
                type=ROOT,
                metavar="ROOT",
                help="Read the latest build in an archive (see: archive), without a login. Of "
                "several systems, --system says which.",
            ),
            _option(
                "--build",
                section=_SECTION,
                metavar="NAME",
                shell_complete=completion.builds,
                help="Read this build of the archive: as archive list calls it, or its date.",
            ),
            *options,
        ]
    for option in reversed(options):
        command = option(command)
    return command


_SECTION = "Where the catalogue comes from"


def _option(*names: str, section: str = LOGIN, **kwargs: Any) -> Callable[[Any], Any]:
    return click.option(*names, cls=Option, section=section, **kwargs)


def system_options(*, environment: bool, section: str) -> list[Callable[[Any], Any]]:
    """The options that name a system, as decorators.

    Args:
        environment: whether environment variables stand for those that are not given.
        section: the heading in the help.
    """
    return [
        _option(
            f"--{name.replace('_', '-')}",
            name,
            section=section,
            metavar="FILE" if name == "certificate" else "URL" if name == "base_url" else "NAME",
            envvar=f"APTECO_{name.upper()}" if environment else None,
            show_envvar=environment,
            shell_complete=completion.systems if name == "system" and environment else None,
            help=text,
        )
        for name, text in _HELP.items()
    ]


def _listed(names: tuple[str, ...] | list[str]) -> str:
    """Options, as part of a sentence."""
    *others, last = [f"--{name.replace('_', '-')}" for name in names]
    return f"{', '.join(others)} and {last}" if others else last


def _given(name: str) -> Any:
    """What the command line says, not the environment; None if it says nothing."""
    context = click.get_current_context()
    is_given = context.get_parameter_source(name) == ParameterSource.COMMANDLINE
    return context.params[name] if is_given else None


def _check_combination() -> None:
    """See that the command line, not the environment, names one place for one thing."""
    context = click.get_current_context()
    saved = [f"--{name}" for name in ("catalogue", "archive") if _given(name) is not None]
    login = [
        f"--{name.replace('_', '-')}"
        for name in ("profile", *_HELP, "password_command", "password_stdin")
        if _given(name) is not None
    ]
    unneeded = [name for name in login if (name, saved) != ("--system", ["--archive"])]
    if len(saved) > 1:
        raise click.UsageError(f"{' and '.join(saved)} both say what to read", context)
    if saved and unneeded:
        raise click.UsageError(f"{saved[0]} needs no login, so no {unneeded[0]} either", context)
    if context.params.get("build") is not None and saved != ["--archive"]:
        raise click.UsageError("--build is one of an archive: add --archive ROOT", context)
    if login[-2:] == ["--password-command", "--password-stdin"]:
        raise click.UsageError(f"{' and '.join(login[-2:])} both give the password", context)
