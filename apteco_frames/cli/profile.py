"""``apteco-frames profile``: where to log in, by a name."""

from __future__ import annotations

from typing import Any

import click

from apteco_frames.cli import configuration
from apteco_frames.cli.command import Group
from apteco_frames.cli.messages import say
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.source import Source, system_options, with_login
from apteco_frames.support.text import escape_controls


@click.group(
    cls=Group, example="apteco-frames profile list", short_help="Where to log in, by a name."
)
def profile() -> None:
    """Keep where to log in under a name, in a TOML file of yours.

    The file is profiles.toml in your configuration folder, or in APTECO_FRAMES_CONFIG_DIR. You
    may edit it. It never holds a password.
    """


def _with_system(function: Any) -> Any:
    for option in reversed(system_options(environment=False)):
        function = option(function)
    return function


@profile.command(
    example="apteco-frames profile add orbit --base-url https://orbit.my-site.com/OrbitAPI \\\n"
    "    --data-view my_data_view --system my_system --user jdoe",
    imports=(),
    short_help="Add a profile.",
)
@click.argument("name")
@_with_system
def add(name: str, **values: str | None) -> None:
    """Add a profile NAME; nothing is sent to the server."""
    from apteco_frames.orbit.url import require_base_url
    from apteco_frames.support.arguments import require_path

    if not name.strip():
        raise click.BadParameter(
            "it is empty: is a variable not set?", click.get_current_context(), param_hint="NAME"
        )
    missing = [key for key in ("base_url", "data_view", "user") if not values[key]]
    if missing:
        options = " and ".join(f"--{key.replace('_', '-')}" for key in missing)
        raise click.UsageError(f"a profile needs {options}", click.get_current_context())
    require_base_url(values["base_url"] or "")  # it could hold a password
    if values["certificate"]:
        values["certificate"] = str(require_path(values["certificate"], "--certificate").absolute())
    say(f"added profile {name!r} to {configuration.add(name, values)}")


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

    names = ("name", *configuration.KEYS)
    rows = [{"name": name, **values} for name, values in configuration.profiles().items()]
    output.show(pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in names])))


@profile.command(
    example="apteco-frames profile check orbit",
    short_help="Log in, and say what is there.",
)
@click.argument("name", required=False)
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
