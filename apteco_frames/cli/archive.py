"""``apteco-frames archive``: many systems and builds side by side.

``archive check`` ends as diff(1) does: see :mod:`apteco_frames.cli`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from apteco_frames.cli import completion, report
from apteco_frames.cli.acceptance import AcceptedFile
from apteco_frames.cli.command import Group
from apteco_frames.cli.compare import Comparing, Gate, with_gate
from apteco_frames.cli.messages import say, told
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.paths import PATH, ROOT
from apteco_frames.cli.read import load
from apteco_frames.cli.source import Source, with_codes, with_source
from apteco_frames.cli.uses import with_uses
from apteco_frames.errors import AptecoFramesError
from apteco_frames.support.text import truncate
from apteco_frames.support.times import latest_time

if TYPE_CHECKING:
    from apteco_frames.archive import Added, Archive
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.uses import Uses

_IMPORTS = ("apteco_frames.archive",)
# More than these no date goes back.
_DAYS = re.compile(r"(\d{1,5})d")


@click.group(
    cls=Group,
    example="apteco-frames archive list my-archive",
    short_help="Keep and compare many builds of many systems.",
)
def archive() -> None:
    """Keep the catalogues of many systems, build by build, side by side.

    ROOT is a folder, or a URL such as s3://bucket/path.
    """


def _archive(root: str) -> Archive:
    from apteco_frames.archive import Archive

    return Archive(root)


@archive.command(
    example="apteco-frames archive add my-archive --profile orbit\n"
    "apteco-frames archive add my-archive --profile orbit --all",
    short_help="Add a system, or all of a DataView.",
)
@click.argument("root", type=ROOT)
@click.option("--all", "all_systems", is_flag=True, help="Add every system of the DataView.")
@with_codes
@with_uses
@with_source
@with_output
def add(
    source: Source, output: Output, root: str, all_systems: bool, codes: bool, uses: bool
) -> int:
    """Add a system's catalogue to the archive at ROOT, unless it is there already.

    With --all, a system that fails does not stop the others; the exit status is 1 then.
    """
    if all_systems and source.is_offline:
        saved = "--catalogue" if source.catalogue else "--archive"
        raise click.UsageError(f"--all needs a login, so no {saved}", click.get_current_context())
    archive = _archive(root)
    with source.opened() as system:
        if all_systems:
            added = archive.add_all(system, codes=codes, uses=uses)
        else:
            if codes:
                load(system)
            added = [_added(system.system_info.name, archive.add(system, uses=uses))]
    _show_added(added, output)
    return int(any(one.error is not None for one in added))


def _added(name: str, is_added: bool) -> Added:
    from apteco_frames.archive import Added

    return Added(name, is_added, None)


def _show_added(added: list[Added], output: Output) -> None:
    import pyarrow as pa

    from apteco_frames.support.arrays import table_of

    rows = [
        {
            "system": one.system,
            "outcome": "failed" if one.error else "added" if one.is_added else "there already",
            "error": None if one.error is None else told(one.error),
        }
        for one in added
    ]
    names = ("system", "outcome", "error")
    schema = pa.schema([(name, pa.string()) for name in names])
    output.show(table_of(rows, schema), names[:2])


@archive.command(
    "list",
    example="apteco-frames archive list my-archive",
    imports=_IMPORTS,
    short_help="The builds of all systems.",
)
@click.argument("root", type=ROOT)
@with_output(noun="builds")
def list_(output: Output, root: str) -> None:
    """Print the builds of all systems in the archive at ROOT."""
    preview = ("system", "build", "added_at", "tables", "variables", "codes", "folders")
    archive = _archive(root)
    builds = archive.builds
    output.show(builds.to_arrow(), preview)
    if not len(builds):
        say(f"there is no build in the archive at {archive.root}")


@archive.command(
    example="apteco-frames archive history my-archive boDest",
    imports=_IMPORTS,
    short_help="A variable from build to build.",
)
@click.argument("root", type=ROOT)
@click.argument("variable", shell_complete=completion.archived_variables)
@click.option(
    "--system",
    metavar="NAME",
    shell_complete=completion.systems,
    help="In this system; in all of them if not given.",
)
@with_output
def history(output: Output, root: str, variable: str, system: str | None) -> None:
    """Print what became of VARIABLE, a name, from build to build in the archive at ROOT."""
    preview = (
        *("system", "build_date", "is_there", "type", "num_codes", "is_changed", "changed_columns"),
    )
    output.show(_archive(root).history(variable, system=system).to_arrow(), preview)


@archive.command(
    cls=Comparing,
    example="apteco-frames archive check my-archive --fail-on breaking --drop 20%\n"
    "apteco-frames archive check my-archive --fail-on breaking --against 30d",
    imports=_IMPORTS,
    short_help="What changed in the newest build of each system.",
)
@click.argument("root", type=ROOT)
@click.option(
    "--system",
    multiple=True,
    metavar="NAME",
    shell_complete=completion.systems,
    help="Of this system. May be repeated.",
)
@click.option(
    "--against",
    metavar="BUILD|DATE|DAYS",
    help="Compare with this build, by its name, or by a date: the newest of that date or before. "
    "With DAYS such as 30d, the newest that is so many days older, so that five per cent a night "
    "is seen, too.",
)
@click.option(
    "--accept",
    metavar="REASON",
    help="Accept what is found at the level of --fail-on, with this reason: it counts no more.",
)
@click.option(
    "--accepted",
    type=PATH,
    metavar="FILE",
    help="The file of accepted changes; accepted.toml beside the profiles if not given.",
)
@click.option(
    "--uses",
    is_flag=True,
    help="Say of each change by how many it is used, and take a removal of that for breaking; as "
    "it was added with the build (archive add --uses).",
)
@with_gate
def check(
    gate: Gate,
    root: str,
    system: tuple[str, ...],
    against: str | None,
    accept: str | None,
    accepted: Path | None,
    uses: bool,
) -> int:
    """Print what changed in the newest build, since the newest of an older date, of each system.

    What reaches --fail-on is printed, the most severe first; the rest is counted. A system of
    which there is no older build has nothing to be compared with, and passes. One that fails does
    not stop the others. The exit status is 0 where nothing was found at the level of --fail-on, 1
    where something was, and 2 after any trouble.
    """
    if accept is not None and not accept.strip():
        raise click.BadParameter("it takes a reason", param_hint="--accept")
    gate.check_columns()
    archive = _archive(root)
    dates: dict[str, set[datetime]] = {}
    for name, date in archive.builds.select("system", "build_date").iter_rows():
        dates.setdefault(name, set()).update([date] if date else [])
    if not dates:
        raise click.ClickException(
            f"There is no build in the archive at {archive.root}. Add one with: apteco-frames "
            "archive add"
        )
    file = AcceptedFile(accepted)
    found, is_trouble = [], False
    for name in system or dates:
        try:
            pair = _pair(archive, name, sorted(dates.get(name, ())), against)
            if pair is not None:
                changes = gate.found(*pair, _uses_of(*pair) if uses else None)
                found.append(file.without_accepted(changes, gate.least, accept))
        except (AptecoFramesError, click.ClickException, OSError) as error:
            is_trouble = True
            text = (
                error.format_message() if isinstance(error, click.ClickException) else told(error)
            )
            say(f"{truncate(name)}: {text}")
    file.finish()
    report.print_changes([report.Told(changes, gate.least) for changes in found], gate.format)
    if is_trouble:
        return 2
    worst = [changes.worst for changes in found] + ["notable"] * file.has_unused
    return int(any(map(gate.counts, worst)))


def _uses_of(older: Catalogue, newer: Catalogue) -> Uses:
    """What uses the variables, as it was added with the newer build, or else with the older."""
    return older.uses if older.has_uses and not newer.has_uses else newer.uses


def _pair(
    archive: Archive, system: str, built: list[datetime], against: str | None
) -> tuple[Catalogue, Catalogue] | None:
    """The build to compare with, and the newest; None if there is none to compare with."""
    # Where there is no such system this is an error that names the nearest.
    newest = archive.catalogue(system)
    date = newest.system_info.build_date
    days = _DAYS.fullmatch(against or "")
    if against is not None and not days:
        until = latest_time(against)
        found = [each for each in built if until and each <= until]
        return archive.catalogue(system, found[-1] if found else against), newest
    older = [each for each in built if date and each < date]
    if not older:
        said = f"no build is older than the newest, {date or 'without a date'}"
        say(f"{truncate(system)}: {said}; nothing to compare")
        return None
    if not days:
        return archive.catalogue(system, older[-1]), newest
    old_enough = [each for each in older if date and (date - each).days >= int(days[1])]
    if not old_enough:
        say(f"{truncate(system)}: no build is {days[1]} days older; compared with the oldest")
    return archive.catalogue(system, (old_enough or older[:1])[-1]), newest


_YES = click.option("--yes", is_flag=True, help="Remove it, instead of only showing what would be.")


def _is_number(context: click.Context, option: click.Parameter, value: float) -> float:
    if math.isnan(value):  # which click takes to be in any range
        raise click.BadParameter("nan is no number of days.", context, option)
    return value


@archive.command(
    example="apteco-frames archive clean my-archive\n"
    "apteco-frames archive clean my-archive --older-than 7 --yes",
    imports=_IMPORTS,
    short_help="Remove what killed programs have left.",
)
@click.argument("root", type=ROOT)
@click.option(
    "--older-than",
    type=click.FloatRange(min=0, max=36_500),
    callback=_is_number,
    default=1.0,
    show_default=True,
    metavar="DAYS",
    help="Only what has not changed for so many days. A program that is just adding needs its "
    "files.",
)
@_YES
@with_output
def clean(output: Output, root: str, older_than: float, yes: bool) -> None:
    """Print which files in ROOT belong to no build, and with --yes remove them.

    Programs leave such files if they are killed while they add.
    """
    import pyarrow as pa

    from apteco_frames.support.arrays import strings

    paths = _archive(root).clean(timedelta(days=older_than), dry_run=not yes)
    output.show(pa.table({"path": strings(paths)}))
    _say_removed(len(paths), "file", yes)


def _rule(name: str, help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(f"--keep-{name}", type=click.IntRange(min=1), metavar="N", help=help_text)


@archive.command(
    example="apteco-frames archive prune my-archive --keep-last 30 --keep-weekly 52\n"
    "apteco-frames archive prune my-archive --keep-last 30 --keep-weekly 52 --yes",
    imports=_IMPORTS,
    short_help="Remove old builds, but for those to keep.",
)
@click.argument("root", type=ROOT)
@_rule("last", "Keep the last N builds of each system.")
@_rule("daily", "Keep the last build of each of the last N days with a build.")
@_rule("weekly", "Keep the last build of each of the last N weeks with a build.")
@_rule("monthly", "Keep the last build of each of the last N months with a build.")
@_rule("yearly", "Keep the last build of each of the last N years with a build.")
@_YES
@with_output
def prune(output: Output, root: str, yes: bool, **rules: int | None) -> None:
    """Print which builds in ROOT no --keep option keeps, and with --yes remove them.

    Days and weeks are those of build dates, not of today. Where there are fewer of them than an
    option keeps, the oldest build is kept as well.
    """
    if not any(rules.values()):
        raise click.UsageError(
            "which builds are to be kept? Give at least one of the options --keep-last to "
            "--keep-yearly",
            click.get_current_context(),
        )
    removed = _archive(root).prune(**rules, dry_run=not yes)
    output.show(removed.to_arrow(), ("system", "build"))
    _say_removed(len(removed), "build", yes)


def _say_removed(count: int, noun: str, is_done: bool) -> None:
    counted = f"{count:,} {noun}{'' if count == 1 else 's'}"
    say(f"removed {counted}" if is_done else f"would remove {counted}; with --yes it is done")
