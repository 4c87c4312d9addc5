"""Where a catalogue comes from: a saved one, an archive, or a system that the user logs in to.

Of what tells the system, the command line goes before environment variables, and these
before the profile. A password comes from ``--password-command`` or ``--password-stdin``, else
from ``APTECO_PASSWORD`` (all three in :mod:`apteco_frames.cli.passwords`), else from the person
who is asked; never from the command line, which others can see, and never from a profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from apteco_frames.cli import completion, configuration, passwords
from apteco_frames.cli.command import LOGIN, SOURCE, Decorator, gathered, option
from apteco_frames.cli.paths import PATH, ROOT
from apteco_frames.support.text import list_names, truncate

if TYPE_CHECKING:
    import pyarrow as pa

    from apteco_frames.archive import Archive
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.session import Session

_HELP = {
    "base_url": "URL of the Orbit API, normally ending /OrbitAPI.",
    "data_view": "Name of the DataView.",
    "system": "Name of the FastStats system. The command systems lists them.",
    "user": "User name.",
    "certificate": "PEM file of the authorities that signed the server's certificate.",
}
_OF_LOGIN = ("profile", *_HELP, "password_command", "password_stdin")


@dataclass(frozen=True)
class Source:
    """What the user said of where the catalogue is.

    Attributes:
        profile: name of a profile.
        base_url: these as far as the command line or the environment has them.
        password_command: a command that prints the password.
        password_stdin: whether the password is the first line of standard input.
        no_cache: whether nothing is kept on this machine.
        catalogue: folder of a saved catalogue; None for an archive or a system.
        archive: root of an archive, likewise.
        build: name or date of a build in the archive; None for the latest.

    Raises:
        UsageError: the command line names two places for one thing.
    """

    profile: str | None
    base_url: str | None
    data_view: str | None
    system: str | None
    user: str | None
    certificate: str | None
    password_command: str | None
    password_stdin: bool
    no_cache: bool
    catalogue: Path | None = None
    archive: str | None = None
    build: str | None = None

    def __post_init__(self) -> None:
        context = click.get_current_context()
        typed = [name for name in vars(self) if _is_typed(context, name)]
        login = [name for name in _OF_LOGIN if name in typed]
        if self.catalogue is not None and self.archive is not None:
            context.fail("--catalogue and --archive both say what to read.")
        if self.archive is not None and "system" in login:
            login.remove("system")
        if self.is_offline and login:
            saved = "--archive" if self.catalogue is None else "--catalogue"
            context.fail(f"{saved} needs no login, so no {_listed(login[:1])} either.")
        if self.build is not None and self.archive is None:
            context.fail("--build is one of an archive: add --archive ROOT.")
        if self.password_command and self.password_stdin:
            context.fail("--password-command and --password-stdin both give the password.")

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
            from apteco_frames.archive import Archive

            archive = Archive(self.archive)
            # Not what the environment says, which is for logins.
            is_typed = _is_typed(click.get_current_context(), "system")
            system = self.system if self.system and is_typed else _only_system(archive)
            yield archive.catalogue(system, self.build)
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
        from apteco_frames.logins import login_with_password

        session: Session = self._logged_in(login_with_password, "system")
        return session

    def systems(self) -> pa.Table:
        """The systems of the DataView, or of what was saved, with the columns of ``Systems``.

        Raises:
            UsageError, ClickException, AptecoFramesError: as of :meth:`opened`.
        """
        from apteco_frames.schema import SYSTEMS_SCHEMA
        from apteco_frames.support.arrays import table_of

        if self.archive is not None:
            from apteco_frames.archive import Archive

            archive = Archive(self.archive)
            infos = [archive.catalogue(name).system_info for name in systems_in(archive)]
        elif self.catalogue is not None:
            with self.opened() as saved:
                infos = [saved.system_info]
        else:
            from apteco_frames.logins import list_systems

            return self._logged_in(list_systems)
        return table_of([info._asdict() for info in infos], SYSTEMS_SCHEMA)

    def _logged_in(self, log_in: Callable[..., Any], *more: str) -> Any:
        """What a login gives, which needs the place, the user, and what else is named."""
        from apteco_frames.errors import AptecoFramesError

        profile = configuration.profile(self.profile) if self.profile else {}
        found = {name: getattr(self, name) or profile.get(name) or "" for name in _HELP}
        needed = ("base_url", "data_view", *more, "user")
        self._check_login([name for name in needed if not found[name]], needed)
        try:
            return log_in(
                **{name: found[name] for name in needed},
                password=self._password(found),
                cache=not self.no_cache,
                verify=verify(found["certificate"]),
            )
        except AptecoFramesError:
            raise
        except (TypeError, ValueError) as error:
            raise click.ClickException(str(error)) from None

    def _check_login(self, missing: list[str], needed: tuple[str, ...]) -> None:
        context = click.get_current_context()
        if len(missing) == len(needed):
            saved = ", --catalogue DIR or --archive ROOT" * ("catalogue" in context.params)
            context.fail(
                f"Which system? Use --profile NAME{saved} (or {_listed(needed)}). To make a "
                "profile: apteco-frames profile add"
            )
        if missing:
            noun = "option" if len(missing) == 1 else "options"
            where = f" (profile {self.profile!r} has none)" if self.profile else ""
            known = " To list the systems: apteco-frames systems" * (missing == ["system"])
            context.fail(f"Missing {noun} {_listed(missing)}{where}.{known}")

    def _password(self, found: dict[str, str]) -> str:
        """The password; of the person at the terminal, if nothing else gives it."""
        if self.password_command:
            return passwords.of_command(self.password_command)
        if self.password_stdin:
            return passwords.of_input()
        return passwords.of_environment() or passwords.of_person(
            found["user"], found["base_url"], found["system"]
        )


def _only_system(archive: Archive) -> str:
    names = systems_in(archive)
    if len(names) > 1:
        raise click.UsageError(
            f"The archive at {archive.root} holds {list_names(names)}. Choose one with --system.",
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
        raise no_builds(archive)
    return names


def no_builds(archive: Archive) -> click.ClickException:
    """The error for an archive that is empty."""
    return click.ClickException(
        f"There is no build in the archive at {archive.root}. Add one with: apteco-frames archive "
        "add"
    )


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
        why = f"--certificate: There is no file {truncate(certificate)!r}."
    except ssl.SSLError:
        why = f"--certificate: {truncate(certificate)!r} contains no certificate in PEM format."
    except ValueError as error:
        why = str(error)
    else:
        return str(path.absolute())
    raise click.ClickException(why)


with_codes = click.option(
    "--codes/--no-codes",
    default=True,
    show_default=True,
    help="Whether to read codes and folders, too: one request for each variable with codes.",
)
"""Gives a command the option whether codes are wanted."""


def system_options(section: str = LOGIN, *, environment: bool = True) -> list[Decorator]:
    """The options that name a system.

    Args:
        section: the heading in the help.
        environment: whether environment variables stand for those that are not given.
    """
    metavars = {"base_url": "URL", "certificate": "FILE"}
    return [
        option(
            section,
            f"--{name.replace('_', '-')}",
            metavar=metavars.get(name, "NAME"),
            envvar=f"APTECO_{name.upper()}" if environment else None,
            show_envvar=environment,
            shell_complete=completion.systems if name == "system" and environment else None,
            help=text,
        )
        for name, text in _HELP.items()
    ]


def _login_options(section: str) -> list[Decorator]:
    return [
        option(
            section,
            "--profile",
            metavar="NAME",
            envvar="APTECO_PROFILE",
            show_envvar=True,
            shell_complete=completion.profiles,
            help="Log in with this profile (see: profile add).",
        ),
        *system_options(),
        option(
            LOGIN,
            "--password-command",
            metavar="COMMAND",
            help="A command that prints the password as its first line, such as "
            "'pass show orbit'. It is run without a shell.",
        ),
        option(
            LOGIN,
            "--password-stdin",
            is_flag=True,
            help="Read the password from the first line of standard input. It can also be in "
            f"{passwords.VARIABLE}; otherwise you are asked for it.",
        ),
        option(
            LOGIN,
            "--no-cache",
            is_flag=True,
            help="Read everything from the server, and keep nothing on this machine.",
        ),
    ]


with_login = gathered("source", Source, _login_options(LOGIN))
"""Gives a command the options for a login; it is called with ``source=``."""

with_source = gathered(
    "source",
    Source,
    [
        option(
            SOURCE,
            "--catalogue",
            type=PATH,
            metavar="DIR",
            help="Read a saved catalogue (see: export), without a login.",
        ),
        option(
            SOURCE,
            "--archive",
            type=ROOT,
            metavar="ROOT",
            help="Read the latest build in an archive (see: archive), without a login. If it holds "
            "several systems, choose one with --system.",
        ),
        option(
            SOURCE,
            "--build",
            metavar="NAME",
            shell_complete=completion.builds,
            help="Read this build of the archive, by its name or date (see: archive list).",
        ),
        *_login_options(SOURCE),
    ],
)
"""Gives a command the options for a catalogue; it is called with ``source=``."""


def _listed(names: tuple[str, ...] | list[str]) -> str:
    """Options, as part of a sentence."""
    *others, last = [f"--{name.replace('_', '-')}" for name in names]
    return f"{', '.join(others)} and {last}" if others else last


def _is_typed(context: click.Context, name: str) -> bool:
    """Whether the command line has an option, not the environment alone."""
    return context.get_parameter_source(name) == ParameterSource.COMMANDLINE
