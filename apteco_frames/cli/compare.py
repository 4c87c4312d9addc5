"""Commands that keep builds, and say what changed from one to another.

``diff`` and ``archive check`` end as diff(1) does: see :mod:`apteco_frames.cli`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from apteco_frames.cli import report
from apteco_frames.cli.command import Command, Group
from apteco_frames.cli.messages import say
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.read import load
from apteco_frames.cli.source import Source, with_source
from apteco_frames.orbit.text import clipped

if TYPE_CHECKING:
    from apteco_frames.archive import Added, Archive
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.changes import Changes

NOUNS = ("table", "variable", "folder", "code")
SEVERITIES = ("breaking", "notable", "routine")

_FOLDER = click.Path(path_type=Path)
_STATUSES = """The exit status is 0 where nothing was found at the level of --fail-on, 1 where
    something was, and 2 after any trouble."""


def _share(text: str) -> float:
    """A fraction between 0 and 1, also in percent."""
    try:
        share = Fraction(text.strip().removesuffix("%")) / (100 if text.strip()[-1:] == "%" else 1)
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if 0 < share < 1:
        return float(share)
    raise click.BadParameter(f"{text!r} is no share between 0 and 1, such as 0.2 or 20%")


class Gate(NamedTuple):
    """What of the changes is wanted, how it is shown, and what of it counts.

    Attributes:
        fail_on: the least severity that counts; ``any`` for all.
        drop: from which fall on fewer records or codes are breaking.
        only: nouns and severities; no others are looked at.
        ignored: names of columns whose changes are not looked at.
        format: one of ``report.FORMATS``.
    """

    fail_on: str
    drop: float | None
    only: tuple[str, ...]
    ignored: tuple[str, ...]
    format: str

    def passed(self, pairs: Iterable[tuple[Catalogue, Catalogue]]) -> int:
        """Print what changed from each older catalogue to its newer one.

        Args:
            pairs: the older and the newer catalogue of each system.

        Returns:
            the exit status: 0 if nothing was found that counts, otherwise 1.
        """
        self._check_columns()
        found = []
        for older, newer in pairs:
            changes = newer.diff(older, drop=self.drop)
            for sentence in changes.not_compared:
                say(f"{clipped(newer.system_info.name)}: {sentence}")
            found.append(self._wanted(changes))
        report.print_changes(found, self.format)
        counted = SEVERITIES if self.fail_on == "any" else SEVERITIES[: _rank(self.fail_on) + 1]
        return int(any(changes.worst in counted for changes in found))

    def _check_columns(self) -> None:
        from apteco_frames.questions.severity import CODE_ORDER, compared

        names = dict.fromkeys([name for noun in NOUNS for name in compared(noun)] + [CODE_ORDER])
        for name in self.ignored:
            if name not in names:
                raise click.BadParameter(
                    f"no column {name!r} is compared; those are {', '.join(names)}",
                    click.get_current_context(),
                    param_hint="--ignore-column",
                )

    def _wanted(self, changes: Changes) -> Changes:
        if not self.only and not self.ignored:
            return changes
        from apteco_frames.frame.fork import import_polars

        pl = import_polars()
        nouns = [name for name in self.only if name in NOUNS] or list(NOUNS)
        severities = [name for name in self.only if name in SEVERITIES] or list(SEVERITIES)
        return changes.filter(
            pl.col("noun").cast(pl.String).is_in(nouns),
            pl.col("severity").cast(pl.String).is_in(severities),
            ~pl.col("column").cast(pl.String).is_in(list(self.ignored)).fill_null(False),
        )


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity)


def with_gate(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for changes; it is called with ``gate=``."""

    @wraps(function)
    def gated(
        fail_on: str,
        drop: float | None,
        only: tuple[str, ...],
        ignore_column: tuple[str, ...],
        form: str,
        **rest: Any,
    ) -> Any:
        return function(gate=Gate(fail_on, drop, only, ignore_column, form), **rest)

    command: Callable[..., Any] = gated
    for option in (
        click.option(
            "--format",
            "form",
            type=click.Choice(report.FORMATS),
            default="text",
            show_default=True,
            help="github prints workflow commands, which GitHub Actions shows as annotations.",
        ),
        click.option(
            "--ignore-column",
            multiple=True,
            metavar="COLUMN",
            help="Do not look at changes of this column, such as count. May be repeated.",
        ),
        click.option(
            "--only",
            multiple=True,
            type=click.Choice((*NOUNS, *SEVERITIES)),
            help="Look at no other changes than of this noun, or of this severity. May be "
            "repeated: --only table --only variable --only breaking.",
        ),
        click.option(
            "--drop",
            type=_share,
            metavar="SHARE",
            help="A fall of a table's records, or of a variable's number of codes, by more than "
            "this share (20%, or 0.2) is breaking.",
        ),
        click.option(
            "--fail-on",
            type=click.Choice(("breaking", "notable", "any")),
            default="any",
            show_default=True,
            help="The least severity for which the exit status is 1.",
        ),
    ):
        command = option(command)
    return command


@click.command(
    cls=Command,
    example="apteco-frames diff older newer --fail-on breaking --drop 20%\n"
    "apteco-frames diff older newer --only variable --ignore-column num_codes --format markdown",
    short_help="What changed from one saved catalogue to another.",
    help=f"""Print what changed from the catalogue saved in folder OLD to that in folder NEW.

    {_STATUSES}
    """,
)
@click.argument("old", type=_FOLDER)
@click.argument("new", type=_FOLDER)
@with_gate
def diff(gate: Gate, old: Path, new: Path) -> int:
    """Print what changed from one saved catalogue to another."""
    from apteco_frames.catalogue import Catalogue

    return gate.passed([(Catalogue.read_parquet(old), Catalogue.read_parquet(new))])


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


_HEAVY = ("apteco_frames.logins", "apteco_frames.archive")


@archive.command(
    example="apteco-frames archive add my-archive --profile orbit\n"
    "apteco-frames archive add my-archive --profile orbit --all --codes",
    imports=_HEAVY,
    short_help="Add a system, or all of a DataView.",
)
@click.argument("root")
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
    imports=_HEAVY,
    short_help="The builds of all systems.",
)
@click.argument("root")
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
    imports=_HEAVY,
    short_help="A variable from build to build.",
)
@click.argument("root")
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
    imports=_HEAVY,
    short_help="What changed in the newest build of each system.",
    help=f"""Print what changed to the newest build of each system from the one before.

    A system of which there is one build has nothing to be compared with, and passes.
    {_STATUSES}
    """,
)
@click.argument("root")
@click.option("--system", multiple=True, metavar="NAME", help="Of this system. May be repeated.")
@with_gate
def check(gate: Gate, root: str, system: tuple[str, ...]) -> int:
    """Print what changed to the newest build of each system from the one before."""
    archive = _archive(root)
    builds = archive.builds
    if not len(builds):
        raise click.ClickException(
            f"There is no build in the archive at {root}. Add one with: apteco-frames archive add"
        )
    return gate.passed(_newest(archive, system or builds["system"].unique(maintain_order=True)))


def _newest(archive: Archive, systems: Iterable[str]) -> Iterator[tuple[Catalogue, Catalogue]]:
    """The newest build of each system, and before it the one before."""
    builds = archive.builds
    for system in systems:
        found = builds.filter(system=system)["build"].to_list()
        newest = archive.catalogue(system)
        if len(found) < 2:
            say(f"{clipped(system)}: {found[0]} is the only build, so there is nothing to compare")
        else:
            yield archive.catalogue(system, found[-2]), newest
