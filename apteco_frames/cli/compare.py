"""What changed from one catalogue to another, and whether that matters: ``diff``.

It ends as diff(1) does: see :mod:`apteco_frames.cli`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from apteco_frames.cli import report
from apteco_frames.cli.command import OPTIONS, Command, gathered, option, with_file
from apteco_frames.cli.messages import say
from apteco_frames.cli.paths import PATH
from apteco_frames.support.text import truncate

if TYPE_CHECKING:
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.changes import Changes
    from apteco_frames.uses import Uses

NOUNS = ("table", "variable", "folder", "code")
OFF = "off"
SEVERITIES = ("breaking", "notable", "routine")


with_fail_on = option(
    OPTIONS,
    "--fail-on",
    type=click.Choice(("breaking", "notable", "any")),
    default="any",
    show_default=True,
    callback=lambda _context, _option, level: "routine" if level == "any" else level,
    help="Exit with 1 if anything is at least this severe.",
)
"""Gives a command the least severity that counts."""


def reaches(severity: str | None, least: str) -> bool:
    """Whether the worst of what was found counts."""
    return severity in SEVERITIES[: SEVERITIES.index(least) + 1]


class _Kind(click.Choice):  # type: ignore[type-arg]  # generic from click 8.2 on
    """A choice that may be written in the plural, too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The choice itself."""
        singular = value.removesuffix("s")
        return super().convert(singular if singular in self.choices else value, param, ctx)


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


def _compared(context: click.Context, param: click.Parameter, names: tuple[str, ...]) -> Any:
    """The columns to ignore, all of which can change."""
    from apteco_frames.analysis.rules import changing

    known = dict.fromkeys(name for noun in NOUNS for name in changing(noun))
    for name in names:
        if name not in known:
            raise click.BadParameter(
                f"no column {truncate(name)!r} is compared; those are {', '.join(known)}"
            )
    return names


@dataclass(frozen=True)
class Gate:
    """What of the changes is wanted, how it is shown, and what of it counts.

    Attributes:
        fail_on: the least severity that counts.
        drop: from which fall on fewer records or codes are breaking; None for never.
        moved: from which share on it is breaking that records moved; None for never.
        only: nouns and severities; no others are looked at.
        ignore_column: names of columns whose changes are not looked at.
        format: one of ``report.FORMATS``.
    """

    fail_on: str
    drop: float | None
    moved: float | None
    only: tuple[str, ...]
    ignore_column: tuple[str, ...]
    format: str

    def found(self, older: Catalogue, newer: Catalogue, uses: Uses | None = None) -> Changes:
        """What changed, as far as it is looked at; what was not compared is said.

        Args:
            older: the older catalogue.
            newer: the newer one.
            uses: what uses the variables, if that is to be told.

        Raises:
            ClickException: there are no codes, or no folders, which ``only`` asks for.
        """
        asked = [name for name in self.only if name in NOUNS]
        changes = newer.diff(older, drop=self.drop, moved=self.moved, uses=uses)
        for noun, is_all, sentence in changes.left_out:
            sentence = f"{truncate(newer.system_info.name)}: {sentence}"
            if is_all and noun in asked:
                raise click.ClickException(f"{sentence} --only asks for them.")
            if noun in (asked or NOUNS):
                say(sentence)
        if not self.only and not self.ignore_column:
            return changes
        from apteco_frames.support.fork import import_polars

        pl = import_polars()
        severities = [name for name in self.only if name in SEVERITIES]
        return changes.filter(
            pl.col("noun").cast(pl.String).is_in(asked or NOUNS),
            pl.col("severity").cast(pl.String).is_in(severities or SEVERITIES),
            ~pl.col("column").cast(pl.String).is_in(self.ignore_column).fill_null(False),
        )


with_gate = gathered(
    "gate",
    Gate,
    [
        with_fail_on,
        option(
            OPTIONS,
            "--drop",
            type=_share,
            default="50%",
            show_default=True,
            metavar="SHARE",
            help="If a table's records, or a variable's codes, fall by more than this share (20%, "
            "or 0.2), that is breaking. off: never.",
        ),
        option(
            OPTIONS,
            "--moved",
            type=_share,
            default="50%",
            show_default=True,
            metavar="SHARE",
            help="If more than this share of a table's records must have another code of a "
            "variable than before, that is breaking; above a fifth of it, notable. off: never.",
        ),
        option(
            OPTIONS,
            "--only",
            multiple=True,
            type=_Kind((*NOUNS, *SEVERITIES)),
            help="Only report changes of this kind, or of this severity. May be repeated: "
            "--only table --only variable --only breaking.",
        ),
        option(
            OPTIONS,
            "--ignore-column",
            multiple=True,
            metavar="COLUMN",
            callback=_compared,
            help="Do not report changes of this column, such as count. May be repeated.",
        ),
        option(
            OPTIONS,
            "--format",
            type=click.Choice(report.FORMATS),
            default="text",
            show_default=True,
            help="github prints workflow commands, which GitHub Actions shows as annotations; html "
            "prints a page to mail, with the most severe changes.",
        ),
        with_file,
    ],
)
"""Gives a command the options for changes; it is called with ``gate=``."""


class Comparing(Command):
    """A command whose help ends with the rules by which changes are judged."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example, and the rules."""
        from apteco_frames.analysis.rules import describe

        super().format_epilog(ctx, formatter)
        formatter.write("\nRules (the first that fits decides):\n")
        rules = re.sub("``(drop|moved)``", r"--\1", describe()).replace("``", "")
        formatter.write("".join(f"  {line}\n" for line in rules.splitlines()))


@click.command(cls=Comparing)
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@with_gate
def diff(gate: Gate, old: Path, new: Path) -> int:
    """Show what changed between two saved catalogues, OLD and NEW.

    The exit status is 0 if no change reaches --fail-on, 1 if one does, and 2 after any error.

    Example:
      apteco-frames diff older newer --fail-on breaking --drop 20%
      apteco-frames diff older newer --only variable --ignore-column num_codes --format markdown
    """
    from apteco_frames.catalogue import Catalogue

    changes = gate.found(Catalogue.read_parquet(old), Catalogue.read_parquet(new))
    report.print_changes([report.Told(changes)], gate.format)
    return int(reaches(changes.worst, gate.fail_on))
