"""All commands."""

from __future__ import annotations

import click

from apteco_frames import __version__
from apteco_frames.cli import (
    archive,
    compare,
    demo,
    files,
    mcp,
    profile,
    quality,
    read,
    uses,
)
from apteco_frames.cli.command import Group


@click.group(cls=Group, example="apteco-frames demo")
@click.version_option(__version__, message="%(version)s")
def commands() -> None:
    """Apteco FastStats metadata at the prompt.

    Commands log in to a system (--profile NAME), or read what was saved (--catalogue DIR, or
    --archive ROOT). Start with "apteco-frames demo", or with "apteco-frames profile add" for a
    system of your own. Results go to standard output, all else to standard error.
    """


for _command in (
    *(demo.demo, read.tables, read.variables, read.codes, read.folders, read.show),
    *(read.search, read.sql),
    *(quality.quality, quality.lint),
    *(files.export, files.dictionary, compare.diff, archive.archive, read.systems),
    uses.uses,
    *(files.serve, mcp.mcp, files.cache, profile.profile),
):
    commands.add_command(_command)
