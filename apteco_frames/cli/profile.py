"""``apteco-frames profile``: where to log in, by a name."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
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


@click.group(cls=Group)
def profile() -> None:
    """Manage login profiles.

    A profile saves where to log in, under a name. Profiles are in profiles.toml, in your
    configuration folder or in APTECO_FRAMES_CONFIG_DIR. You may edit the file. It never holds a
    password.

    Example:
      apteco-frames profile list
    """


def _with_system(function: Any) -> Any:
    for decorate in reversed(system_options(OPTIONS, environment=False)):
        function = decorate(function)
    return function


@profile.command()
@click.argument("name", required=False)
@_with_system
def add(name: str | None, **values: str | None) -> None:
    r"""Add a profile.

    On a terminal it asks for what you do not give. Nothing is sent to the server; to try the
    login: apteco-frames profile check NAME.

    Example:
      apteco-frames profile add orbit --base-url https://orbit.my-site.com/OrbitAPI \
          --data-view my_data_view --system my_system --user jdoe
    """
    asks = sys.stdin is not None and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()
    if name is None and asks:
        name = click.prompt("Name of the profile", err=True)
    if name is not None:
        if not name.strip():
            raise click.BadParameter("it is empty: is a variable not set?", param_hint="NAME")
        configuration.check_is_new(name)
    checks = _checks()
    for key, question in _NEEDED.items():
        if text := values[key]:
            values[key] = checks[key](text)
        elif asks:
            values[key] = click.prompt(question, err=True, value_proc=checks[key])
    missing = ["NAME"] * (name is None)
    missing += [f"--{key.replace('_', '-')}" for key in _NEEDED if not values[key]]
    if name is None or missing:
        click.get_current_context().fail(f"Missing {', '.join(missing)}. A terminal asks for them.")
    if values["certificate"]:
        values["certificate"] = verify(values["certificate"])
    say(f"added profile {name!r} to {configuration.add(name, values)}")
    if asks:
        say(f"try it with: apteco-frames profile check {shlex.quote(name)}")


def _checks() -> dict[str, Callable[[str], str]]:
    """What each value must be to be of use at a login; it is a usage error if it is not."""
    from apteco_frames.orbit.redact import Secret, require_sendable
    from apteco_frames.orbit.url import require_base_url, require_name

    def checked(require: Callable[[str], object]) -> Callable[[str], str]:
        def check(text: str) -> str:
            try:
                require(text.strip())
            except ValueError as error:
                raise click.UsageError(str(error), click.get_current_context()) from None
            return text.strip()

        return check

    return {
        "base_url": checked(require_base_url),  # it could hold a password
        "data_view": checked(lambda text: require_name(text, "The DataView")),
        "system": checked(lambda text: require_name(text, "The system")),
        "user": checked(lambda text: require_sendable(Secret(text), "The user name")),
    }


@profile.command("list")
@with_output()
def list_(output: Output) -> None:
    """List the profiles.

    Example:
      apteco-frames profile list
    """
    import pyarrow as pa

    from apteco_frames.support.arrays import table_of

    names = ("name", *configuration.KEYS)
    rows = [{"name": name, **values} for name, values in configuration.profiles().items()]
    output.show(table_of(rows, pa.schema([(name, pa.string()) for name in names])))
    if not rows:
        say(f"there is no profile in {configuration.profiles_path()}; add one with: {_ADD}")


_ADD = "apteco-frames profile add"


@profile.command()
@click.argument("name", required=False, shell_complete=completion.profiles)
@with_login
def check(source: Source, name: str | None) -> None:
    """Log in with profile NAME, and show what is there.

    Example:
      apteco-frames profile check orbit
    """
    with replace(source, profile=name or source.profile).session() as session:
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


@profile.command()
@click.argument("name", shell_complete=completion.profiles)
def remove(name: str) -> None:
    """Remove profile NAME.

    Example:
      apteco-frames profile remove orbit
    """
    say(f"removed profile {name!r} from {configuration.remove(name)}")
