"""``apteco-frames mcp``: a saved catalogue for AI assistants, over standard input and output.

Standard output is the protocol's alone. There is no login: a token has no business in the process
of an assistant, and standard input is not free for a password.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from apteco_frames.cli.command import Command
from apteco_frames.cli.interrupts import leave
from apteco_frames.cli.messages import say
from apteco_frames.cli.paths import PATH, ROOT
from apteco_frames.render.answer import LEAST_BUDGET

if TYPE_CHECKING:
    from apteco_frames.archive import Archive
    from apteco_frames.catalogue import Catalogue

_UNREAD = 128 + 13


@click.command(cls=Command, ends_at_once=True)
@click.option("--catalogue", type=PATH, metavar="DIR", help="Use a saved catalogue (see: export).")
@click.option(
    "--archive",
    type=ROOT,
    metavar="ROOT",
    help="Use the newest builds in an archive (see: archive add).",
)
@click.option("--system", metavar="NAME", help="Only this system of the archive.")
@click.option(
    "--older",
    type=PATH,
    metavar="DIR",
    help="An older saved catalogue, to say what changed since.",
)
@click.option(
    "--sql", is_flag=True, help="Answer SQL queries, too. They can read no files and no network."
)
@click.option(
    "--budget",
    type=click.IntRange(min=LEAST_BUDGET),
    default=20_000,
    show_default=True,
    metavar="CHARACTERS",
    help="The longest answer.",
)
def mcp(
    catalogue: Path | None,
    archive: str | None,
    system: str | None,
    older: Path | None,
    sql: bool,
    budget: int,
) -> None:
    """Let an AI assistant ask a saved catalogue.

    An assistant starts this command itself, as its settings say, and talks to it over standard
    input and output (the Model Context Protocol). It needs no login, and knows no records.

    Example:
      apteco-frames mcp --catalogue holidays
      apteco-frames mcp --archive my-archive --system holidays
    """
    from apteco_frames.mcp import server

    source, earlier = _source(catalogue, archive, system, older)
    served = server(source, system=system, older=earlier, sql=sql, budget=budget)
    if sys.stdin is not None and sys.stdin.isatty():
        say("waiting for an assistant on standard input; Ctrl-C ends it")
    try:
        served.run()
    except* OSError:  # nobody reads the answers any more
        leave(_UNREAD)
        raise BrokenPipeError from None
    leave(0)


def _source(
    catalogue: Path | None, archive: str | None, system: str | None, older: Path | None
) -> tuple[Catalogue | Archive, Catalogue | None]:
    """What is served, and what it is compared with."""
    from apteco_frames.archive import Archive
    from apteco_frames.catalogue import Catalogue

    context = click.get_current_context()
    if catalogue is not None and archive is not None:
        context.fail("--catalogue and --archive exclude each other.")
    if archive is not None:
        if older is not None:
            context.fail("--older goes with --catalogue, not with --archive.")
        return Archive(archive), None
    if system is not None:
        context.fail("--system goes with --archive.")
    if catalogue is None:
        context.fail("Missing --catalogue DIR or --archive ROOT.")
    earlier = None if older is None else Catalogue.read_parquet(older)
    return Catalogue.read_parquet(catalogue), earlier
