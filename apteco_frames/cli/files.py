"""Commands that write files of a catalogue, or serve it; and the cache."""

from __future__ import annotations

from pathlib import Path

import click

from apteco_frames.cli import demo
from apteco_frames.cli.command import Command, Group
from apteco_frames.cli.messages import say
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.paths import PATH, own_folder, with_synonyms
from apteco_frames.cli.read import load
from apteco_frames.cli.source import Source, with_codes, with_source
from apteco_frames.cli.uses import with_uses
from apteco_frames.cli.working import working
from apteco_frames.support.text import truncate


@click.command(cls=Command)
@click.argument("directory", metavar="DIR", type=PATH)
@with_codes
@with_uses
@with_source
def export(source: Source, directory: Path, codes: bool, uses: bool) -> None:
    """Save the catalogue as Parquet files in folder DIR.

    Other commands then read it offline (--catalogue DIR). It prints the files. A catalogue that
    is there already is replaced; other files are left alone.

    Example:
      apteco-frames export holidays --profile orbit
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


@click.command(cls=Command)
@click.argument("file", metavar="FILE", type=PATH, callback=_dictionary_file)
@click.option("--open", "opens", is_flag=True, help="Open it in the browser, or in Excel.")
@with_codes
@with_uses
@with_synonyms
@with_source
def dictionary(
    source: Source, file: Path, opens: bool, codes: bool, uses: bool, synonyms: Path | None
) -> None:
    """Write the data dictionary, in HTML or Excel.

    FILE ends in .html for a page to search and read in a browser, or in .xlsx for an Excel
    workbook (which needs the extra excel). An existing file is replaced.

    Example:
      apteco-frames dictionary holidays.html --catalogue holidays
      apteco-frames dictionary holidays.xlsx --profile orbit
    """
    is_page = file.suffix.lower() == ".html"
    if uses and not is_page:
        click.get_current_context().fail("--uses needs a FILE that ends in .html.")
    with source.opened() as system:
        load(system, codes=codes, folders=codes)
        if is_page:
            with working(f"writing {file}"):
                written = system.write_html(file, uses=uses, synonyms=synonyms)
        else:
            written = system.write_excel(file)  # which tells how far it is
    click.echo(written)
    if opens and not _is_opened(written, is_page):
        say(f"no program to open {written} was found; open it yourself")


def _is_opened(path: Path, is_page: bool) -> bool:
    """Open a file in the user's program for it, if there is one."""
    if not is_page:
        return click.launch(str(path)) == 0
    import webbrowser

    return webbrowser.open(path.absolute().as_uri())


@click.command(cls=Command)
@click.argument("directory", metavar="DIR", type=PATH)
@demo.with_port
def serve(directory: Path, port: int) -> None:
    """Serve a saved catalogue as an Orbit API, until Ctrl-C.

    Try programs on it without an Orbit installation. It reads folder DIR, serves on this machine
    only, and prints where to log in.

    Example:
      apteco-frames serve holidays
    """
    from apteco_frames.catalogue import Catalogue

    demo.serve(Catalogue.read_parquet(directory), port)


@click.group(cls=Group)
def cache() -> None:
    """Manage the catalogues cached on this machine.

    They are in the folder that APTECO_FRAMES_CACHE_DIR names, or in your platform's cache folder.
    Passwords and tokens are never cached.

    Example:
      apteco-frames cache dir
    """


def _cache_folder() -> Path:
    from apteco_frames.storage.cache import FOLDER_VARIABLE, default_folder

    return own_folder(default_folder, "a cache", FOLDER_VARIABLE)


@cache.command("dir")
def cache_dir() -> None:
    """Print the cache folder, which may not exist yet.

    Example:
      apteco-frames cache dir
    """
    click.echo(_cache_folder())


@cache.command("list")
@with_output()
def cache_list(output: Output) -> None:
    """List the cached builds, with their size in bytes.

    A build cached for two users is listed twice.

    Example:
      apteco-frames cache list
    """
    from apteco_frames.storage.cache import cached

    rows = cached(folder := _cache_folder())
    output.show(rows, ("system", "build_date", "has_codes", "has_folders", "bytes"))
    if not len(rows):
        say(f"the cache in {folder} is empty")


@cache.command("clean")
def cache_clean() -> None:
    """Empty the cache.

    The next login reads everything from the server.

    Example:
      apteco-frames cache clean
    """
    from apteco_frames.storage.cache import clean

    count, size = clean(folder := _cache_folder())
    say(f"removed {count:,} {'file' if count == 1 else 'files'}, {size:,} bytes, from {folder}")
