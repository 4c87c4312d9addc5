"""Commands that say what is in the codes, and what somebody should mend: ``quality``, ``lint``."""

from __future__ import annotations

from pathlib import Path

import click

from apteco_frames.cli import configuration
from apteco_frames.cli.command import Command
from apteco_frames.cli.messages import say
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.paths import PATH
from apteco_frames.cli.read import load
from apteco_frames.cli.source import Source, with_source
from apteco_frames.support.text import truncate

SEVERITIES = ("breaking", "notable", "routine")


@click.command(
    cls=Command,
    example="apteco-frames quality --catalogue holidays\n"
    "apteco-frames quality --profile orbit --columns name,unclassified_share | sort -k 2",
    short_help="Show how well codes describe the records.",
)
@with_source
@with_output
def quality(source: Source, output: Output) -> None:
    """Print what the codes of each variable are like: Unclassified, unused, undescribed."""
    preview = (
        *("name", "description", "num_codes", "unused_codes", "unclassified_share"),
        *("top_description", "top_share"),
    )
    with source.opened() as system:
        load(system)
        output.show(system.quality().arrow, preview)


@click.command(
    cls=Command,
    example="apteco-frames lint --catalogue holidays\n"
    "apteco-frames lint --catalogue holidays --select all --ignore late-date --fail-on breaking",
    short_help="Report what should be fixed.",
)
@click.option(
    "--select",
    multiple=True,
    metavar="RULE",
    help="Look by this rule alone, or by all. May be repeated. The reference has the rules.",
)
@click.option("--ignore", multiple=True, metavar="RULE", help="Leave out this rule; likewise.")
@click.option(
    "--config",
    type=PATH,
    metavar="FILE",
    help="A file with thresholds and exceptions; lint.toml beside the profiles if not given.",
)
@click.option(
    "--fail-on",
    type=click.Choice(("breaking", "notable", "any")),
    default="any",
    show_default=True,
    help="The least severity for which the exit status is 1.",
)
@with_source
@with_output
def lint(
    source: Source,
    output: Output,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    config: Path | None,
    fail_on: str,
) -> int:
    """Print what the rules find, the most severe first.

    The exit status is 0 where nothing was found at the level of --fail-on, 1 where something was,
    and 2 after any trouble.
    """
    from apteco_frames.analysis.lint import ALL, RULE_NAMES

    for option, names in (("--select", select), ("--ignore", ignore)):
        for name in names:
            if name not in (*RULE_NAMES, ALL):
                raise click.BadParameter(
                    f"no rule {truncate(name)!r}; there are {', '.join(RULE_NAMES)}",
                    click.get_current_context(),
                    param_hint=option,
                )
    if config is None:
        usual = configuration.default_folder() / "lint.toml"
        config = usual if usual.exists() else None
    with source.opened() as system:
        found = system.lint(select or None, ignore, config=config)
        output.show(found.arrow, ("severity", "rule", "name", "message"))
        for sentence in found.not_checked:
            say(sentence)
    least = "routine" if fail_on == "any" else fail_on
    return int(found.worst in SEVERITIES[: SEVERITIES.index(least) + 1])
