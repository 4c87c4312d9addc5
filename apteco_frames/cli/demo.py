"""``apteco-frames demo``: the package at work on a system of its own."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from apteco_frames.frame.fork import import_polars
from apteco_frames.logins import login_with_password
from apteco_frames.orbit.text import shown
from apteco_frames.session import Session


def add_to(commands: Any) -> None:
    """Add the command to a parser's commands; ``options.run(options)`` runs it."""
    demo = commands.add_parser(
        "demo",
        help="show the package at work on the Holidays demo system",
        description="Start a demo server on this machine, log in to it, show what it has, and "
        "write its catalogue as Parquet files.",
    )
    demo.add_argument(
        "--output",
        type=Path,
        default=Path("holidays-catalogue"),
        metavar="DIR",
        help="folder for the Parquet files (default: %(default)s)",
    )
    demo.add_argument("--serve", action="store_true", help="only serve, until Ctrl-C")
    demo.add_argument(
        "--port", type=_port, default=0, metavar="N", help="port to listen on (default: a free one)"
    )
    demo.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    if options.serve:
        _serve(options.port)
    else:
        _demonstrate(options.port, options.output)


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to 65535")


def _demonstrate(port: int, output: Path) -> None:
    from apteco_frames.demo import DemoServer

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
    pl = import_polars()

    print(f"\n{len(session.tables)} tables:")
    for table in session.tables:
        print(f"{table.total_records:>9,} {shown(table.plural)}")
    print(f"Master table: {shown(session.master_table.name)}")
    dates = session.variables.filter(pl.col("description").str.contains("(?i)date"))
    print(f"\n{len(session.variables)} variables, {len(dates)} of them about dates:")
    for variable in dates:
        print(f"{shown(variable.name):>8}: {shown(variable.description)}")
    swedish = [
        f"{shown(code.variable_name)}: {shown(code.variable_description)}, "
        f"{code.count:,} {shown(code.table.plural).lower()}"
        for code in session.codes.filter(description="Sweden")
    ]
    print(f"\n{len(session.codes):,} codes; with one for Sweden: {'; '.join(swedish)}")


def _serve(port: int) -> None:
    from apteco_frames.demo import DemoServer

    with DemoServer(port=port) as demo:
        print(f"base URL  {demo.base_url}")
        print(f"DataView  {demo.data_view}")
        print(f"system    {demo.system}")
        print(f"user      {demo.user}")
        print(f"password  {demo.password}")
        print("Serving until Ctrl-C.", flush=True)
        try:
            # Threading's own waits go on after Ctrl-C where polars is loaded; sleep does not.
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print("\nStopped.")
