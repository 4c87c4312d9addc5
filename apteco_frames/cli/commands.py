"""All commands."""

from __future__ import annotations

import click

from apteco_frames import __version__
from apteco_frames.cli import archive, compare, demo, files, profile, quality, read, uses
from apteco_frames.cli.command import Group


@click.group(cls=Group, example="apteco-frames demo")
@click.version_option(__version__, message="%(version)s")
def commands() -> None:
    """Apteco FastStats metadata as dataframes.

    Each command reads a catalogue that was saved (--catalogue DIR), or one of a system that it
    logs in to (--profile NAME, or --base-url, --data-view, --system and --user, or environment
    variables). What was asked for goes to standard output, all else to standard error.
    """


for _command in (
    *(demo.demo, read.tables, read.variables, read.codes, read.folders, read.search, read.sql),
    *(quality.quality, quality.lint),
    *(files.export, files.dictionary, compare.diff, archive.archive, read.systems),
    uses.uses,
    *(files.serve, files.cache, profile.profile),
):
    commands.add_command(_command)
