"""All commands."""

from __future__ import annotations

import click

from apteco_frames import __version__
from apteco_frames.cli import archive, compare, demo, files, mcp, profile, quality, read, uses
from apteco_frames.cli.command import Group


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(version)s")
def commands() -> None:
    """Apteco FastStats metadata at the prompt.

    Commands log in to a system (--profile NAME), or read what was saved (--catalogue DIR or
    --archive ROOT). Start with "apteco-frames demo"; for your own system, with "apteco-frames
    profile add". Results go to standard output, everything else to standard error.

    Example:
      apteco-frames demo
    """


for _command in (
    *(demo.demo, read.tables, read.variables, read.codes, read.folders, read.show),
    *(read.search, read.sql, quality.quality, quality.lint),
    *(files.export, files.dictionary, compare.diff, archive.archive, read.systems),
    *(uses.uses, files.serve, mcp.mcp, files.cache, profile.profile),
):
    commands.add_command(_command)
