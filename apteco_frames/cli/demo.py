"""``apteco-frames demo``: the package at work on a system of its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from apteco_frames.cli.command import Command
from apteco_frames.cli.paths import PATH
from apteco_frames.support.text import escape_controls, truncate

if TYPE_CHECKING:
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.session import Session


_DIGITS = 5


def _port(text: str | int) -> int:
    if isinstance(text, int):  # the default
        return text
    # Python reads no number of thousands of digits.
    if text.isdecimal() and len(text) <= _DIGITS and int(text) <= 65535:
        return int(text)
    raise click.BadParameter(f"{truncate(text)!r} is not a port: a number from 0 to 65535")


with_port = click.option(
    "--port",
    type=_port,
    default=0,
    metavar="N",
    help="Port to listen on (default: a free one).",
)


@click.command(
    cls=Command,
    example="apteco-frames demo",
    imports=("apteco_frames.logins", "apteco_frames.demo"),
    short_help="Show the package at work on the Holidays demo system.",
)
@click.option(
    "--output",
    type=PATH,
    default=Path("holidays-catalogue"),
    show_default=True,
    metavar="DIR",
    help="Folder for the Parquet files.",
)
@click.option("--serve", "only_serve", is_flag=True, help="Only serve, until Ctrl-C.")
@with_port
def demo(output: Path, only_serve: bool, port: int) -> None:
    """Start a demo server on this machine, and show the package at work on it.

    It logs in, shows what there is, and writes the catalogue as Parquet files.
    """
    if only_serve:
        serve(None, port)
    else:
        _demonstrate(port, output)


def _demonstrate(port: int, output: Path) -> None:
    from apteco_frames.demo import DemoServer
    from apteco_frames.logins import login_with_password

    with DemoServer(port=port) as demo:
        print(f"Demo server at {demo.base_url}, logged in as {demo.user}")
        with login_with_password(
            demo.base_url, demo.data_view, demo.system, demo.user, demo.password
        ) as session:
            _show(session)
            _ = session.folders  # so that the catalogue holds them
            paths = session.catalogue.write_parquet(output)
    print("\nThe catalogue as Parquet:")
    for path in paths:
        print(f"  {path}")
    print("Carry on from there, offline:")
    print("  from apteco_frames import Catalogue")
    print(f"  catalogue = Catalogue.read_parquet({str(output)!r})")


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
        OSError: the port is taken, or must not be used.
    """
    from apteco_frames.demo import DemoServer

    with DemoServer(catalogue, port=port) as demo:
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
