"""The command line: arguments to public functions to text."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from apteco_frames.errors import AptecoFramesError
from apteco_frames.orbit.text import shown
from apteco_frames.session import Session, login_with_password


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``apteco-frames``.

    Args:
        arguments: the command line without the program's name; by default the process's.

    Returns:
        the exit status: 0, or 1 after an error, which is printed.
    """
    options = _parser().parse_args(arguments)
    # A redirected console may have a code page without the characters of a catalogue.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        if options.serve:
            _serve(options.port)
        else:
            _demonstrate(options.port, options.output)
    except (AptecoFramesError, OSError) as error:
        print(f"apteco-frames: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "apteco-frames", description="Apteco FastStats metadata as dataframes."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
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
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is no port: they go from 0 to 65535")
    return port


def _demonstrate(port: int, output: Path) -> None:
    from apteco_frames.demo import DemoServer

    with DemoServer(port=port) as demo:
        print(f"Demo server at {demo.base_url}, logged in as {demo.user}")
        with login_with_password(
            demo.base_url, demo.data_view, demo.system, demo.user, demo.password
        ) as session:
            _show(session)
            paths = session.catalogue.write_parquet(output)
    print("\nThe catalogue as Parquet:")
    for path in paths:
        print(f"  {path}")
    print("Carry on from there, offline:")
    print("  from apteco_frames import Catalogue")
    print(f"  catalogue = Catalogue.read_parquet({str(output)!r})")


def _show(session: Session) -> None:
    import polars as pl

    print(f"\n{len(session.tables)} tables:")
    for table in session.tables:
        print(f"{table.total_records:>9,} {shown(table.plural)}")
    print(f"Master table: {shown(session.master_table.name)}")
    dates = session.variables.filter(pl.col("description").str.contains("(?i)date"))
    print(f"\n{len(session.variables)} variables, {len(dates)} of them about dates:")
    for variable in dates:
        print(f"{shown(variable.name):>8}: {shown(variable.description)}")


def _serve(port: int) -> None:
    from apteco_frames.demo import DemoServer

    try:
        with DemoServer(port=port) as demo:
            print(f"base URL  {demo.base_url}")
            print(f"DataView  {demo.data_view}")
            print(f"system    {demo.system}")
            print(f"user      {demo.user}")
            print(f"password  {demo.password}")
            print("Serving until Ctrl-C.", flush=True)
            # Threading's own waits go on after Ctrl-C where polars is loaded; sleep does not.
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        print("\nStopped.")
