"""``apteco-frames profile``: where to log in, by a name."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from typing import Any

import click

from apteco_frames.cli import completion, configuration
from apteco_frames.cli.command import OPTIONS, Group
from apteco_frames.cli.messages import say
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.source import Source, system_options, verify, with_login
from apteco_frames.support.text import escape_controls

_NEEDED = {
    "base_url": "Base URL of the Orbit API, such as https://orbit.my-site.com/OrbitAPI",
    "data_view": "DataView",
    "system": "System",
    "user": "User name",
}


@click.group(cls=Group, example="apteco-frames profile list", short_help="Manage login profiles.")
def profile() -> None:
    """Keep where to log in under a name, in a TOML file of yours.

    The file is profiles.toml in your configuration folder, or in APTECO_FRAMES_CONFIG_DIR. You
    may edit it. It never holds a password.
    """


def _with_system(function: Any) -> Any:
    for option in reversed(system_options(environment=False, section=OPTIONS)):
        function = option(function)
    return function


@profile.command(
    example="apteco-frames profile add orbit --base-url https://orbit.my-site.com/OrbitAPI \\\n"
    "    --data-view my_data_view --system my_system --user jdoe",
    imports=(),
    short_help="Add a profile.",
)
@click.argument("name", required=False)
@_with_system
def add(name: str | None, **values: str | None) -> None:
    """Add a profile NAME. On a terminal it asks for what is not given.

    Nothing is sent to the server: profile check logs in.
    """
    if name is None:
        name = _asked("Name of the profile", lambda text: text) if _can_ask() else _missing("NAME")
    if not name.strip():
        raise click.BadParameter(
            "it is empty: is a variable not set?", click.get_current_context(), param_hint="NAME"
        )
    configuration.check_is_new(name)
    for key, check in _checks().items():
        text = values[key]
        if text:
            values[key] = _checked(check, text)
        elif _can_ask():
            values[key] = _asked(_NEEDED[key], check)
    missing = [f"--{key.replace('_', '-')}" for key in _NEEDED if not values[key]]
    if missing:
        _missing(" and ".join(missing))
    if values["certificate"]:
        values["certificate"] = verify(values["certificate"])
    say(f"added profile {name!r} to {configuration.add(name, values)}")
    if _can_ask():
        say(f"try it with: apteco-frames profile check {shlex.quote(name)}")


def _checks() -> dict[str, Callable[[str], str]]:
    """What each value must be to be of use at a login."""
    from apteco_frames.orbit.redact import Secret, require_sendable
    from apteco_frames.orbit.url import require_base_url, require_name

    def base_url(text: str) -> str:
        require_base_url(text)  # it could hold a password
        return text

    def user(text: str) -> str:
        require_sendable(Secret(text), "The user name")
        return text

    return {
        "base_url": base_url,
        "data_view": lambda text: require_name(text, "The DataView"),
        "system": lambda text: require_name(text, "The system"),
        "user": user,
    }


def _checked(check: Callable[[str], str], text: str) -> str:
    from apteco_frames.errors import AptecoFramesError

    try:
        return check(text)
    except AptecoFramesError:
        raise
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _can_ask() -> bool:
    """Whether somebody sits at a terminal to answer."""
    return (
        sys.stdin is not None
        and sys.stdin.isatty()
        and sys.stderr is not None
        and sys.stderr.isatty()
    )


def _asked(question: str, check: Callable[[str], str]) -> str:
    """What a person answers, once it is of use."""
    while True:
        text: str = click.prompt(question, err=True, default="", show_default=False).strip()
        try:
            if text:
                return check(text)
        except ValueError as error:
            say(str(error))


def _missing(what: str) -> Any:
    raise click.UsageError(
        f"a profile needs {what}. On a terminal it is asked for", click.get_current_context()
    )


@profile.command(
    "list",
    example="apteco-frames profile list",
    imports=("pyarrow",),
    short_help="List the profiles.",
)
@with_output
def list_(output: Output) -> None:
    """List the profiles."""
    import pyarrow as pa

    from apteco_frames.support.arrays import table_of

    names = ("name", *configuration.KEYS)
    rows = [{"name": name, **values} for name, values in configuration.profiles().items()]
    output.show(table_of(rows, pa.schema([(name, pa.string()) for name in names])))
    if not rows:
        say(f"there is no profile in {configuration.profiles_path()}; add one with: {_ADD}")


_ADD = "apteco-frames profile add"


@profile.command(
    example="apteco-frames profile check orbit",
    short_help="Log in, and say what is there.",
)
@click.argument("name", required=False, shell_complete=completion.profiles)
@with_login
def check(source: Source, name: str | None) -> None:
    """Log in as profile NAME says, and tell what is there."""
    with source._replace(profile=name or source.profile).session() as session:
        info = session.system_info
        for label, value in (
            ("base URL", session.base_url),
            ("DataView", session.data_view),
            ("user", session.user.username),
            ("system", f"{info.name}: {info.description}"),
            ("built", info.build_date),
            ("tables", f"{len(session.tables):,}"),
            ("variables", f"{len(session.variables):,}"),
        ):
            click.echo(f"{label:<10}{escape_controls(value)}")


@profile.command(
    example="apteco-frames profile remove orbit",
    imports=(),
    short_help="Remove a profile.",
)
@click.argument("name", shell_complete=completion.profiles)
def remove(name: str) -> None:
    """Remove profile NAME from the file; the others stay as they are."""
    say(f"removed profile {name!r} from {configuration.remove(name)}")
