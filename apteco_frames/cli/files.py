"""Commands that write files of a catalogue, or serve it; and the cache."""

from __future__ import annotations

from pathlib import Path

import click

from apteco_frames.cli import demo
from apteco_frames.cli.command import Command, Group
from apteco_frames.cli.messages import say
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.paths import PATH, with_synonyms
from apteco_frames.cli.read import load
from apteco_frames.cli.source import Source, with_codes, with_source
from apteco_frames.cli.uses import with_uses
from apteco_frames.cli.working import working
from apteco_frames.support.text import truncate


@click.command(
    cls=Command,
    example="apteco-frames export holidays --profile orbit",
    short_help="Save the catalogue as Parquet files.",
)
@click.argument("directory", metavar="DIR", type=PATH)
@with_codes
@with_uses
@with_source
def export(source: Source, directory: Path, codes: bool, uses: bool) -> None:
    """Save the catalogue in folder DIR, a Parquet file of each kind, to use it offline.

    It prints the files. A catalogue that is there is replaced, whole or not at all; files of
    another origin are not.
    """
    with source.opened() as system:
        load(system, codes=codes, folders=codes)
        if uses:
            _ = system.uses
        for path in system.catalogue.write_parquet(directory, uses=uses):
            click.echo(path)


def _dictionary_file(_context: click.Context, _argument: click.Parameter, path: Path) -> Path:
    if path.suffix.lower() not in (".html", ".xlsx"):
        raise click.BadParameter(f"{truncate(path)!r} ends neither in .html nor in .xlsx")
    return path


@click.command(
    cls=Command,
    example="apteco-frames dictionary holidays.html --catalogue holidays\n"
    "apteco-frames dictionary holidays.xlsx --profile orbit",
    short_help="Write the data dictionary, in HTML or Excel.",
)
@click.argument("file", metavar="FILE", type=PATH, callback=_dictionary_file)
@click.option("--open", "opens", is_flag=True, help="Open it, in the browser or in Excel.")
@with_codes
@with_uses
@with_synonyms
@with_source
def dictionary(
    source: Source, file: Path, opens: bool, codes: bool, uses: bool, synonyms: Path | None
) -> None:
    """Write the data dictionary to FILE, and print its name.

    FILE ends in .html for a page to search and read in a browser, or in .xlsx for an Excel
    workbook (which needs the extra excel). An existing file is replaced.
    """
    is_page = file.suffix.lower() == ".html"
    if uses and not is_page:
        raise click.UsageError(
            "--uses is for pages, whose names end in .html", click.get_current_context()
        )
    with source.opened() as system:
        load(system, codes=codes, folders=codes)
        if is_page:
            with working(f"writing {file}"):
                written = system.write_html(file, uses=uses, synonyms=synonyms)
        else:
            written = system.write_excel(file)  # which tells how far it is
    click.echo(written)
    if opens and not _is_opened(written, is_page):
        say(f"nothing could be started to open it: open {written} yourself")


def _is_opened(path: Path, is_page: bool) -> bool:
    """Open a file in the user's program for it, if there is one."""
    if not is_page:
        return click.launch(str(path)) == 0
    import webbrowser

    return webbrowser.open(path.absolute().as_uri())


@click.command(
    cls=Command,
    example="apteco-frames serve holidays",
    imports=("apteco_frames.catalogue", "apteco_frames.demo"),
    short_help="Serve a saved catalogue as an Orbit API.",
)
@click.argument("directory", metavar="DIR", type=PATH)
@demo.with_port
def serve(directory: Path, port: int) -> None:
    """Serve the catalogue saved in folder DIR as an Orbit API on this machine, until Ctrl-C.

    Programs can be tried on it without an Orbit installation. It says where to log in.
    """
    from apteco_frames.catalogue import Catalogue

    demo.serve(Catalogue.read_parquet(directory), port)


@click.group(
    cls=Group,
    example="apteco-frames cache dir",
    short_help="Manage the catalogues cached on this machine.",
)
def cache() -> None:
    """Look after the catalogues that are kept on this machine between logins.

    They are in the folder that APTECO_FRAMES_CACHE_DIR names, or in the platform's place for
    caches. No password and no token is.
    """


_CACHES = ("apteco_frames.storage.cache",)


def _cache_folder() -> Path:
    from apteco_frames.storage.cache import FOLDER_VARIABLE, default_folder

    try:
        return default_folder()
    except RuntimeError as error:
        raise click.ClickException(
            f"There is no folder for a cache ({error}). Name one with {FOLDER_VARIABLE}."
        ) from None


@cache.command(
    "dir", example="apteco-frames cache dir", imports=_CACHES, short_help="Print where they are."
)
def cache_dir() -> None:
    """Print the folder of the cache; it need not be there."""
    click.echo(_cache_folder())


@cache.command(
    "list", example="apteco-frames cache list", imports=_CACHES, short_help="List what is kept."
)
@with_output
def cache_list(output: Output) -> None:
    """Print which builds of which systems are kept, and how many bytes they take.

    A build that is kept for two users is there twice.
    """
    from apteco_frames.storage.cache import cached

    rows = cached(folder := _cache_folder())
    output.show(rows, ("system", "build_date", "has_codes", "has_folders", "bytes"))
    if not len(rows):
        say(f"no catalogue is kept in {folder}")


@cache.command(
    "clean",
    example="apteco-frames cache clean",
    imports=_CACHES,
    short_help="Remove what is kept.",
)
def cache_clean() -> None:
    """Remove what is kept, and say how much it was; the next login reads from the server."""
    from apteco_frames.storage.cache import clean

    count, size = clean(folder := _cache_folder())
    say(f"removed {count:,} {'file' if count == 1 else 'files'}, {size:,} bytes, from {folder}")
