"""``apteco-frames archive``: many systems and builds side by side.

``archive check`` ends as diff(1) does: see :mod:`apteco_frames.cli`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from apteco_frames.cli import completion, report
from apteco_frames.cli.acceptance import AcceptedFile
from apteco_frames.cli.command import Group
from apteco_frames.cli.compare import Comparing, Gate, reaches, with_gate
from apteco_frames.cli.messages import say, told
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.paths import PATH, ROOT
from apteco_frames.cli.read import load
from apteco_frames.cli.source import Source, no_builds, with_codes, with_source
from apteco_frames.cli.uses import with_uses
from apteco_frames.errors import AptecoFramesError
from apteco_frames.support.text import truncate
from apteco_frames.support.times import latest_time

if TYPE_CHECKING:
    from apteco_frames.archive import Archive
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.uses import Uses

# More than these no date goes back.
_DAYS = re.compile(r"(\d{1,5})d")


@click.group(cls=Group)
def archive() -> None:
    """Keep and compare many builds of many systems.

    ROOT is a folder, or a URL such as s3://bucket/path.

    Example:
      apteco-frames archive list my-archive
    """


def _archive(root: str) -> Archive:
    from apteco_frames.archive import Archive

    return Archive(root)


@archive.command()
@click.argument("root", type=ROOT)
@click.option("--all", "all_systems", is_flag=True, help="Add every system of the DataView.")
@with_codes
@with_uses
@with_source
@with_output()
def add(
    source: Source, output: Output, root: str, all_systems: bool, codes: bool, uses: bool
) -> int:
    """Add a system to the archive at ROOT, or all of a DataView.

    A build that is there already is not added again. With --all, a system that fails does not
    stop the others; the exit status is 1 then.

    Example:
      apteco-frames archive add my-archive --profile orbit
      apteco-frames archive add my-archive --profile orbit --all
    """
    if all_systems and source.is_offline:
        saved = "--catalogue" if source.catalogue else "--archive"
        click.get_current_context().fail(f"--all needs a login, so no {saved}.")
    import pyarrow as pa

    from apteco_frames.archive import Added
    from apteco_frames.support.arrays import array_of, strings

    archive = _archive(root)
    with source.opened() as system:
        if all_systems:
            added = archive.add_all(system, codes=codes, uses=uses)
        else:
            load(system, codes=codes, folders=codes)
            added = [Added(system.system_info.name, archive.add(system, uses=uses), None)]
    outcomes = [
        "failed" if one.error else "added" if one.is_added else "there already" for one in added
    ]
    columns = {
        "system": strings(one.system for one in added),
        "outcome": strings(outcomes),
        "error": array_of([one.error and told(one.error) for one in added], pa.string()),
    }
    output.show(pa.table(columns), ("system", "outcome"))
    return int("failed" in outcomes)


@archive.command("list")
@click.argument("root", type=ROOT)
@with_output("builds")
def list_(output: Output, root: str) -> None:
    """List the builds of all systems in the archive at ROOT.

    Example:
      apteco-frames archive list my-archive
    """
    preview = ("system", "build", "added_at", "tables", "variables", "codes", "folders")
    archive = _archive(root)
    builds = archive.builds
    output.show(builds.to_arrow(), preview)
    if not len(builds):
        say(f"there is no build in the archive at {archive.root}")


@archive.command()
@click.argument("root", type=ROOT)
@click.argument("variable", shell_complete=completion.archived_variables)
@click.option(
    "--system",
    metavar="NAME",
    shell_complete=completion.systems,
    help="Only in this system; by default in all.",
)
@with_output()
def history(output: Output, root: str, variable: str, system: str | None) -> None:
    """Follow a variable from build to build.

    VARIABLE is its name, ROOT the archive.

    Example:
      apteco-frames archive history my-archive boDest
    """
    preview = (
        *("system", "build_date", "is_there", "type", "num_codes", "is_changed", "changed_columns"),
    )
    output.show(_archive(root).history(variable, system=system).to_arrow(), preview)


@archive.command(cls=Comparing)
@click.argument("root", type=ROOT)
@click.option(
    "--system",
    multiple=True,
    metavar="NAME",
    shell_complete=completion.systems,
    help="Only this system. May be repeated.",
)
@click.option(
    "--against",
    metavar="BUILD|DATE|DAYS",
    help="Compare with this build, by its name; with the newest of this date or before; or with "
    "the newest at least so many days older (30d), to notice a slow decline.",
)
@click.option(
    "--accept",
    metavar="REASON",
    help="Accept the changes that reach --fail-on, for this reason: from now on they do not count.",
)
@click.option(
    "--accepted",
    type=PATH,
    metavar="FILE",
    help="The file of accepted changes; by default accepted.toml beside the profiles.",
)
@click.option(
    "--uses",
    is_flag=True,
    help="Say what uses each changed variable, and count its removal as breaking. Needs builds "
    "added with archive add --uses.",
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
    """Show what changed in the newest build of each system.

    It is compared with the newest build of an older date in the archive at ROOT.

    Changes that reach --fail-on are printed, most severe first; the rest are counted. A system
    without an older build passes. A system that fails does not stop the others. The exit status
    is 0 if no change reaches --fail-on, 1 if one does, and 2 after any error.

    Example:
      apteco-frames archive check my-archive --fail-on breaking --drop 20%
      apteco-frames archive check my-archive --fail-on breaking --against 30d
    """
    if accept is not None and not accept.strip():
        raise click.BadParameter("give a reason", param_hint="--accept")
    archive = _archive(root)
    dates: dict[str, set[datetime]] = {}
    for name, date in archive.builds.select("system", "build_date").iter_rows():
        dates.setdefault(name, set()).update([date] if date else [])
    if not dates:
        raise no_builds(archive)
    file = AcceptedFile(accepted)
    found, is_trouble = [], False
    for name in system or dates:
        try:
            pair = _pair(archive, name, sorted(dates.get(name, ())), against)
            if pair is not None:
                changes = gate.found(*pair, _uses_of(*pair) if uses else None)
                found.append(file.without_accepted(changes, gate.fail_on, accept))
        except (AptecoFramesError, click.ClickException, OSError) as error:
            is_trouble = True
            say(f"{truncate(name)}: {told(error)}")
    file.finish()
    report.print_changes([report.Told(changes, gate.fail_on) for changes in found], gate.format)
    if is_trouble:
        return 2
    worst = [changes.worst for changes in found] + ["notable"] * file.has_unused
    return int(any(reaches(severity, gate.fail_on) for severity in worst))


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


_YES = click.option("--yes", is_flag=True, help="Remove them, instead of only printing them.")


@archive.command()
@click.argument("root", type=ROOT)
@click.option(
    "--older-than",
    type=click.IntRange(min=0, max=36_500),
    default=1,
    show_default=True,
    metavar="DAYS",
    help="Only files that have not changed for so many days: a program may be adding a build "
    "right now.",
)
@_YES
@with_output()
def clean(output: Output, root: str, older_than: int, yes: bool) -> None:
    """Remove files that killed programs left in ROOT.

    Without --yes it only prints them.

    Example:
      apteco-frames archive clean my-archive
      apteco-frames archive clean my-archive --older-than 7 --yes
    """
    import pyarrow as pa

    from apteco_frames.support.arrays import strings

    paths = _archive(root).clean(timedelta(days=older_than), dry_run=not yes)
    output.show(pa.table({"path": strings(paths)}))
    _say_removed(len(paths), "file", yes)


def _rule(name: str, help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(f"--keep-{name}", type=click.IntRange(min=1), metavar="N", help=help_text)


@archive.command()
@click.argument("root", type=ROOT)
@_rule("last", "Keep the last N builds of each system.")
@_rule("daily", "Keep the last build of each of the last N days with a build.")
@_rule("weekly", "Keep the last build of each of the last N weeks with a build.")
@_rule("monthly", "Keep the last build of each of the last N months with a build.")
@_rule("yearly", "Keep the last build of each of the last N years with a build.")
@_YES
@with_output()
def prune(output: Output, root: str, yes: bool, **rules: int | None) -> None:
    """Remove builds that no --keep option keeps.

    Without --yes it only prints them. Days and weeks are counted by build dates, not from today.
    If there are fewer than an option keeps, the oldest build is kept, too.

    Example:
      apteco-frames archive prune my-archive --keep-last 30 --keep-weekly 52
      apteco-frames archive prune my-archive --keep-last 30 --keep-weekly 52 --yes
    """
    if not any(rules.values()):
        click.get_current_context().fail(
            "Which builds should be kept? Give at least one of --keep-last to --keep-yearly."
        )
    removed = _archive(root).prune(**rules, dry_run=not yes)
    output.show(removed.to_arrow(), ("system", "build"))
    _say_removed(len(removed), "build", yes)


def _say_removed(count: int, noun: str, is_done: bool) -> None:
    counted = f"{count:,} {noun}{'' if count == 1 else 's'}"
    say(f"removed {counted}" if is_done else f"would remove {counted}; with --yes it is done")
