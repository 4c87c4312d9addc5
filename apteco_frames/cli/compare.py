"""What changed from one catalogue to another, and whether that matters: ``diff``.

It ends as diff(1) does: see :mod:`apteco_frames.cli`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from apteco_frames.cli import report
from apteco_frames.cli.command import Command
from apteco_frames.cli.messages import say
from apteco_frames.cli.output import with_file
from apteco_frames.cli.paths import PATH
from apteco_frames.support.text import truncate

if TYPE_CHECKING:
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.changes import Changes
    from apteco_frames.uses import Uses

NOUNS = ("table", "variable", "folder", "code")
OFF = "off"
SEVERITIES = ("breaking", "notable", "routine")


def _looked_at(word: str) -> str:
    """A noun, in the plural, too, or a severity."""
    found = word.removesuffix("s")
    if found in (*NOUNS, *SEVERITIES):
        return found
    raise click.BadParameter(f"{truncate(word)!r} is not one of {', '.join((*NOUNS, *SEVERITIES))}")


def _share(text: str) -> float | None:
    """A fraction between 0 and 1, also in percent; None for ``off``."""
    number = text.strip()
    if number == OFF:
        return None
    try:
        # Not a Fraction, which would write 1e-99999999 out.
        share = float(Decimal(number.removesuffix("%")) / (100 if number.endswith("%") else 1))
    except (ArithmeticError, ValueError):  # no number, or one that is out of all bounds
        share = 0.0
    if 0 < share < 1:
        return share
    raise click.BadParameter(
        f"{truncate(text)!r} is not a share between 0 and 1, such as 0.2 or 20%, nor {OFF}"
    )


class Gate(NamedTuple):
    """What of the changes is wanted, how it is shown, and what of it counts.

    Attributes:
        fail_on: the least severity that counts; ``any`` for all.
        drop: from which fall on fewer records or codes are breaking; None for never.
        moved: from which share on it is breaking that records moved; None for never.
        only: nouns and severities; no others are looked at.
        ignored: names of columns whose changes are not looked at.
        format: one of ``report.FORMATS``.
    """

    fail_on: str
    drop: float | None
    moved: float | None
    only: tuple[str, ...]
    ignored: tuple[str, ...]
    format: str

    @property
    def least(self) -> str:
        """The least severity that counts."""
        return "routine" if self.fail_on == "any" else self.fail_on

    def found(self, older: Catalogue, newer: Catalogue, uses: Uses | None = None) -> Changes:
        """What changed, as far as it is looked at; what was not compared is said.

        Args:
            older: the older catalogue.
            newer: the newer one.
            uses: what uses the variables, if that is to be told.

        Raises:
            ClickException: there are no codes, or no folders, which ``only`` asks for.
        """
        asked = self._nouns()
        changes = newer.diff(older, drop=self.drop, moved=self.moved, uses=uses)
        for noun, is_all, sentence in changes.left_out:
            told = f"{truncate(newer.system_info.name)}: {sentence}"
            if is_all and noun in asked:
                raise click.ClickException(f"{told} --only asks for them.")
            if noun in (asked or NOUNS):
                say(told)
        return self._wanted(changes)

    def counts(self, severity: str | None) -> bool:
        """Whether the worst of some changes counts."""
        return severity in SEVERITIES[: SEVERITIES.index(self.least) + 1]

    def check_columns(self) -> None:
        """See that all columns that are to be ignored may change.

        Raises:
            UsageError: one may not.
        """
        from apteco_frames.analysis.rules import changing

        names = dict.fromkeys(name for noun in NOUNS for name in changing(noun))
        for name in self.ignored:
            if name not in names:
                raise click.BadParameter(
                    f"no column {truncate(name)!r} is compared; those are {', '.join(names)}",
                    click.get_current_context(),
                    param_hint="--ignore-column",
                )

    def _nouns(self) -> list[str]:
        """The nouns that ``only`` names; none if it names none."""
        return [name for name in self.only if name in NOUNS]

    def _wanted(self, changes: Changes) -> Changes:
        if not self.only and not self.ignored:
            return changes
        from apteco_frames.support.fork import import_polars

        pl = import_polars()
        nouns = self._nouns() or list(NOUNS)
        severities = [name for name in self.only if name in SEVERITIES] or list(SEVERITIES)
        return changes.filter(
            pl.col("noun").cast(pl.String).is_in(nouns),
            pl.col("severity").cast(pl.String).is_in(severities),
            ~pl.col("column").cast(pl.String).is_in(list(self.ignored)).fill_null(False),
        )


def with_gate(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for changes; it is called with ``gate=``."""

    @wraps(function)
    def gated(
        fail_on: str,
        drop: float | None,
        moved: float | None,
        only: tuple[str, ...],
        ignore_column: tuple[str, ...],
        form: str,
        **rest: Any,
    ) -> Any:
        return function(gate=Gate(fail_on, drop, moved, only, ignore_column, form), **rest)

    command: Callable[..., Any] = gated
    for option in (
        click.option(
            "--format",
            "form",
            type=click.Choice(report.FORMATS),
            default="text",
            show_default=True,
            help="github prints workflow commands, which GitHub Actions shows as annotations; html "
            "a page to mail, with the most severe changes.",
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
            type=_looked_at,
            metavar=f"[{'|'.join((*NOUNS, *SEVERITIES))}]",
            help="Look at no other changes than of this noun, or of this severity. May be "
            "repeated: --only table --only variable --only breaking.",
        ),
        click.option(
            "--moved",
            type=_share,
            default="50%",
            show_default=True,
            metavar="SHARE",
            help="A change is breaking if more than this share of a table's records must have "
            "another code of a variable than before, and notable above a fifth of it. off: never.",
        ),
        click.option(
            "--drop",
            type=_share,
            default="50%",
            show_default=True,
            metavar="SHARE",
            help="A fall of a table's records, or of a variable's number of codes, by more than "
            "this share (20%, or 0.2) is breaking. off: never.",
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
    return with_file(command)


class Comparing(Command):
    """A command whose help ends with the rules by which changes are judged."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example, and the rules."""
        from apteco_frames.analysis.rules import describe

        super().format_epilog(ctx, formatter)
        formatter.write("\nRules, of which the first that fits decides:\n")
        formatter.write("".join(f"  {line}\n" for line in describe().splitlines()))


@click.command(
    cls=Comparing,
    example="apteco-frames diff older newer --fail-on breaking --drop 20%\n"
    "apteco-frames diff older newer --only variable --ignore-column num_codes --format markdown",
    imports=("apteco_frames.catalogue",),
    short_help="Show what changed between two saved catalogues.",
)
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@with_gate
def diff(gate: Gate, old: Path, new: Path) -> int:
    """Print what changed from the catalogue saved in folder OLD to that in folder NEW.

    The exit status is 0 where nothing was found at the level of --fail-on, 1 where something
    was, and 2 after any trouble.
    """
    from apteco_frames.catalogue import Catalogue

    gate.check_columns()
    changes = gate.found(Catalogue.read_parquet(old), Catalogue.read_parquet(new))
    report.print_changes([report.Told(changes)], gate.format)
    return int(gate.counts(changes.worst))
