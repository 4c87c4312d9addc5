"""``apteco-frames archive``: many systems and builds side by side.

``archive check`` ends as diff(1) does: see :mod:`apteco_frames.cli`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from apteco_frames.cli.command import Group
from apteco_frames.cli.compare import Gate, with_gate
from apteco_frames.cli.messages import say
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.place import ROOT
from apteco_frames.cli.read import load
from apteco_frames.cli.source import Source, with_source
from apteco_frames.support.text import clipped

if TYPE_CHECKING:
    from apteco_frames.archive import Added, Archive
    from apteco_frames.catalogue import Catalogue

_IMPORTS = ("apteco_frames.archive",)


@click.group(
    cls=Group,
    example="apteco-frames archive list my-archive",
    short_help="Keep many systems and builds side by side.",
)
def archive() -> None:
    """Keep the catalogues of many systems, build by build, side by side.

    ROOT is a folder, or a place such as s3://bucket/path.
    """


def _archive(root: str) -> Archive:
    from apteco_frames.archive import Archive

    return Archive(root)


@archive.command(
    example="apteco-frames archive add my-archive --profile orbit\n"
    "apteco-frames archive add my-archive --profile orbit --all --codes",
    imports=("apteco_frames.logins", *_IMPORTS),
    short_help="Add a system, or all of a DataView.",
)
@click.argument("root", type=ROOT)
@click.option("--all", "all_systems", is_flag=True, help="Add every system of the DataView.")
@click.option(
    "--codes",
    is_flag=True,
    help="Add codes and folders, too: a request for each variable with codes.",
)
@with_source
@with_output
def add(source: Source, output: Output, root: str, all_systems: bool, codes: bool) -> int:
    """Add a system's catalogue to the archive at ROOT, unless it is there already.

    With --all, a system that fails does not stop the others; the exit status is 1 then.
    """
    if all_systems and source.catalogue is not None:
        raise click.UsageError(
            "--all needs a login, so no --catalogue", click.get_current_context()
        )
    archive = _archive(root)
    with source.opened() as system:
        if all_systems:
            added = archive.add_all(system, codes=codes)  # type: ignore[arg-type]
        else:
            if codes:
                load(system)
            added = [_added(system.system_info.name, archive.add(system))]
    _show_added(added, output)
    return int(any(one.error is not None for one in added))


def _added(name: str, is_added: bool) -> Added:
    from apteco_frames.archive import Added

    return Added(name, is_added, None)


def _show_added(added: list[Added], output: Output) -> None:
    import pyarrow as pa

    rows = [
        {
            "system": one.system,
            "outcome": "failed" if one.error else "added" if one.is_added else "there already",
            "error": None if one.error is None else str(one.error),
        }
        for one in added
    ]
    names = ("system", "outcome", "error")
    schema = pa.schema([(name, pa.string()) for name in names])
    output.show(pa.Table.from_pylist(rows, schema), names[:2])


@archive.command(
    "list",
    example="apteco-frames archive list my-archive",
    imports=_IMPORTS,
    short_help="The builds of all systems.",
)
@click.argument("root", type=ROOT)
@with_output
def list_(output: Output, root: str) -> None:
    """Print the builds of all systems in the archive at ROOT."""
    preview = ("system", "build", "added_at", "tables", "variables", "codes", "folders")
    builds = _archive(root).builds
    output.show(builds.to_arrow(), preview)
    if not len(builds):
        say(f"there is no build in the archive at {root}")


@archive.command(
    example="apteco-frames archive history my-archive boDest",
    imports=_IMPORTS,
    short_help="A variable from build to build.",
)
@click.argument("root", type=ROOT)
@click.argument("variable")
@click.option("--system", metavar="NAME", help="In this system; in all of them if not given.")
@with_output
def history(output: Output, root: str, variable: str, system: str | None) -> None:
    """Print what became of VARIABLE, a name, from build to build in the archive at ROOT."""
    preview = (
        *("system", "build", "is_there", "type", "num_codes", "is_changed", "changed_columns"),
    )
    output.show(_archive(root).history(variable, system=system).to_arrow(), preview)


@archive.command(
    example="apteco-frames archive check my-archive --fail-on breaking --drop 20%",
    imports=_IMPORTS,
    short_help="What changed in the newest build of each system.",
)
@click.argument("root", type=ROOT)
@click.option("--system", multiple=True, metavar="NAME", help="Of this system. May be repeated.")
@with_gate
def check(gate: Gate, root: str, system: tuple[str, ...]) -> int:
    """Print what changed from the build before to the newest one, of each system in ROOT.

    A system of which there is one build has nothing to be compared with, and passes. The exit
    status is 0 where nothing was found at the level of --fail-on, 1 where something was, and 2
    after any trouble.
    """
    archive = _archive(root)
    builds: dict[str, list[str]] = {}
    for name, build in archive.builds.select("system", "build").iter_rows():
        builds.setdefault(name, []).append(build)
    if not builds:
        raise click.ClickException(
            f"There is no build in the archive at {root}. Add one with: apteco-frames archive add"
        )
    chosen = {name: builds.get(name, []) for name in system or builds}
    return gate.compared(_newest(archive, chosen))


def _newest(
    archive: Archive, builds: dict[str, list[str]]
) -> Iterator[tuple[Catalogue, Catalogue]]:
    """The newest build of each system, and before it the one before."""
    for system, names in builds.items():
        # Where there is no such system this is an error that names the nearest.
        newest = archive.catalogue(system, names[-1] if names else None)
        if len(names) < 2:
            say(f"{clipped(system)}: {names[0]} is the only build, so there is nothing to compare")
        else:
            yield archive.catalogue(system, names[-2]), newest
