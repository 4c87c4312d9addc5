"""Commands that say what is in the codes, and what somebody should mend: ``quality``, ``lint``."""

from __future__ import annotations

from pathlib import Path

import click

from apteco_frames.cli import configuration
from apteco_frames.cli.command import Command
from apteco_frames.cli.compare import reaches, with_fail_on
from apteco_frames.cli.messages import say
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.paths import PATH
from apteco_frames.cli.read import load
from apteco_frames.cli.source import Source, with_source


@click.command(cls=Command)
@with_source
@with_output()
def quality(source: Source, output: Output) -> None:
    """Show how well codes describe the records.

    For each variable with codes: the share Unclassified, unused and undescribed codes, and more.

    Example:
      apteco-frames quality --catalogue holidays
      apteco-frames quality --profile orbit --columns name,unclassified_share | sort -k 2
    """
    preview = (
        *("name", "description", "num_codes", "unused_codes", "unclassified_share"),
        *("top_description", "top_share"),
    )
    with source.opened() as system:
        load(system)
        output.show(system.quality().arrow, preview)


@click.command(cls=Command)
@click.option(
    "--select",
    multiple=True,
    metavar="RULE",
    help="Check this rule only, or all. May be repeated. The reference lists the rules.",
)
@click.option("--ignore", multiple=True, metavar="RULE", help="Skip this rule. May be repeated.")
@click.option(
    "--config",
    type=PATH,
    metavar="FILE",
    help="A file of thresholds and exceptions; by default lint.toml beside the profiles.",
)
@with_fail_on
@with_source
@with_output()
def lint(
    source: Source,
    output: Output,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    config: Path | None,
    fail_on: str,
) -> int:
    """Report what should be fixed, most severe first.

    The exit status is 0 if no finding reaches --fail-on, 1 if one does, and 2 after any error.

    Example:
      apteco-frames lint --catalogue holidays
      apteco-frames lint --catalogue holidays --select all --ignore late-date --fail-on breaking
    """
    if config is None:
        usual = configuration.default_folder() / "lint.toml"
        config = usual if usual.exists() else None
    with source.opened() as system:
        found = system.lint(select or None, ignore, config=config)
        output.show(found.arrow, ("severity", "rule", "name", "message"))
        for sentence in found.not_checked:
            say(sentence)
    return int(reaches(found.worst, fail_on))
