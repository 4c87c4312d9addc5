"""``apteco-frames demo``: the package at work on a system of its own."""

from __future__ import annotations

import errno
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from apteco_frames.cli.command import Command
from apteco_frames.cli.paths import PATH
from apteco_frames.support.text import escape_controls

if TYPE_CHECKING:
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.demo import DemoServer
    from apteco_frames.session import Session


# What a port is refused with that another program has; Windows says that access is denied.
_TAKEN = {errno.EADDRINUSE, *([errno.EACCES] if sys.platform == "win32" else [])}


with_port = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port to listen on (default: a free one).",
)


@click.command(cls=Command)
@click.argument("directory", metavar="[DIR]", type=PATH, default=Path("holidays-catalogue"))
@click.option("--serve", "only_serve", is_flag=True, help="Only serve, until Ctrl-C.")
@with_port
def demo(directory: Path, only_serve: bool, port: int) -> None:
    """Try everything on the Holidays demo system.

    It starts a server on this machine, logs in, shows what there is, and writes the catalogue as
    Parquet files to folder DIR, by default holidays-catalogue.

    Example:
      apteco-frames demo
      apteco-frames demo my-folder
    """
    if only_serve:
        serve(None, port)
    else:
        _demonstrate(port, directory)


def _demonstrate(port: int, directory: Path) -> None:
    from apteco_frames.logins import login_with_password

    with _started(None, port) as demo:
        print(f"Demo server at {demo.base_url}, logged in as {demo.user}")
        with login_with_password(
            demo.base_url, demo.data_view, demo.system, demo.user, demo.password
        ) as session:
            _show(session)
            _ = session.folders  # so that the catalogue holds them
            paths = session.catalogue.write_parquet(directory)
    print("\nThe catalogue as Parquet:")
    for path in paths:
        print(f"  {path}")
    print("Carry on from there, offline:")
    place = shlex.quote(str(directory))
    print(f"  apteco-frames search travel date --catalogue {place}")
    print(f"  apteco-frames dictionary holidays.html --open --catalogue {place}")


@contextmanager
def _started(catalogue: Catalogue | None, port: int) -> Iterator[DemoServer]:
    from apteco_frames.demo import DemoServer

    with ExitStack() as stack:
        try:
            server = stack.enter_context(DemoServer(catalogue, port=port))
        except OSError as error:
            is_taken = error.errno in _TAKEN
            why = "is in use by another program" if is_taken else f"is not to be had: {error}"
            raise click.ClickException(
                f"Port {port} {why}. Choose another with --port, or leave it out for a free one."
            ) from None
        yield server


def _show(session: Session) -> None:
    from apteco_frames.support.fork import import_polars

    pl = import_polars()
    print(f"\n{len(session.tables)} tables:")
    for table in session.tables:
        print(f"{table.total_records:>9,} {escape_controls(table.plural)}")
    print(f"Master table: {escape_controls(session.master_table.name)}")
    dates = session.variables.filter(pl.col("description").str.contains("(?i)date"))
    print(f"\n{len(session.variables)} variables, {len(dates)} of them about dates:")
    for variable in dates:
        print(f"{escape_controls(variable.name):>8}: {escape_controls(variable.description)}")
    swedish = [
        f"{escape_controls(code.variable_name)}: {escape_controls(code.variable_description)}, "
        f"{code.count:,} {escape_controls(code.table.plural).lower()}"
        for code in session.codes.filter(description="Sweden")
    ]
    print(f"\n{len(session.codes):,} codes; with one for Sweden: {'; '.join(swedish)}")


def serve(catalogue: Catalogue | None, port: int) -> None:
    """Serve a catalogue until Ctrl-C, and say where to log in.

    Args:
        catalogue: the catalogue; that of the Holidays demo system if there is none.
        port: the TCP port; 0 for a free one.

    Raises:
        ClickException: the port is taken, or must not be used.
    """
    with _started(catalogue, port) as demo:
        print(f"base URL  {demo.base_url}")
        print(f"DataView  {demo.data_view}")
        print(f"system    {demo.system}")
        print(f"user      {demo.user}")
        print(f"password  {demo.password}")
        try:
            print("Serving until Ctrl-C.", flush=True)
            # Threading's own waits go on after Ctrl-C where polars is loaded; sleep does not,
            # but for a Ctrl-C that comes just before it.
            while True:
                time.sleep(1)
        except KeyboardInterrupt:
            print("\nStopped.")
