"""Commands that show what a system consists of."""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from apteco_frames.cli import completion
from apteco_frames.cli.command import Command
from apteco_frames.cli.messages import say, without_panics
from apteco_frames.cli.output import Output, print_lines, with_output
from apteco_frames.cli.paths import PATH, with_synonyms
from apteco_frames.cli.source import Source, with_codes, with_source
from apteco_frames.cli.working import working
from apteco_frames.support.fork import import_polars
from apteco_frames.support.text import list_names, truncate

if TYPE_CHECKING:
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.session import Session

TYPES = (
    *("Selector", "Numeric", "Text", "Array", "FlagArray", "Date", "DateTime", "Reference"),
    "Unknown",
)
"""The types of variables; their schema would be slow to import for a help."""


@click.command(cls=Command)
@with_source
@with_output("tables")
def tables(source: Source, output: Output) -> None:
    """List the tables of a system.

    Example:
      apteco-frames tables --profile orbit
      apteco-frames tables --profile orbit --columns name,total_records | sort
    """
    with source.opened() as system:
        preview = ("name", "plural", "parent_name", "total_records", "variable_count")
        output.show(system.tables.arrow, preview)


@click.command(cls=Command)
@click.option(
    "--table",
    metavar="NAME",
    shell_complete=completion.tables,
    help="Only variables of this table.",
)
@click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice(TYPES, case_sensitive=False),
    metavar="TYPE",
    help=f"Only variables of this type: {', '.join(TYPES)}. May be repeated.",
)
@click.option(
    "--folder",
    metavar="PATH",
    shell_complete=completion.folders,
    help="Only variables in this folder and those below it.",
)
@with_source
@with_output("variables")
def variables(
    source: Source, output: Output, table: str | None, types: tuple[str, ...], folder: str | None
) -> None:
    """List the variables of a system.

    Example:
      apteco-frames variables --catalogue holidays
      apteco-frames variables --catalogue holidays --table Bookings --type Selector
      apteco-frames variables --catalogue holidays --format csv --to variables.csv
    """
    with source.opened() as system:
        rows = system.variables
        if table is not None:
            rows = rows.filter(table_name=system.tables[table].name)
        if types:
            rows = rows.filter(import_polars().col("type").is_in(types))
        if folder is not None:
            names = _names_below(system, folder)
            rows = rows.filter(import_polars().col("name").is_in(names))
        output.show(rows.arrow, ("name", "description", "type", "table_name", "folder_name"))
        if not len(rows):
            say("no variable matches" if len(system.variables) else "the system has no variables")


def _names_below(system: Catalogue | Session, key: str) -> list[str]:
    """The names of the variables in a folder and those below it."""
    found, names = [_folders(system)[key]], []
    while found:
        folder = found.pop()
        names += folder.variable_names
        found += folder.children
    return names


@click.command(cls=Command)
@click.argument("name", shell_complete=completion.variables)
@with_source
@with_output("codes")
def codes(source: Source, output: Output, name: str) -> None:
    """List the codes of a variable.

    NAME is its name or its description.

    Example:
      apteco-frames codes boDest --profile orbit
    """
    with source.opened() as system:
        variable = system.variables[name]
        found = variable.codes
        output.show(found.arrow, ("code", "description", "count"))
        if not len(found) and not found.unavailable:
            what = f"{truncate(variable.name)!r} ({truncate(variable.description)})"
            say(f"variable {what}, of type {variable.type}, has no codes")


@click.command(cls=Command)
@with_source
@with_output("folders")
def folders(source: Source, output: Output) -> None:
    """List the folders of a system.

    Example:
      apteco-frames folders --profile orbit
    """
    with source.opened() as system:
        preview = ("path", "description", "variable_count", "total_variable_count")
        output.show(_folders(system).arrow, preview)


@click.command(cls=Command)
@click.argument("name", shell_complete=completion.things)
@with_source
def show(source: Source, name: str) -> None:
    """Show a variable, table or folder.

    NAME is its name or description, or the path of a folder. If several match, all are shown.

    Example:
      apteco-frames show boDest --catalogue holidays
      apteco-frames show 'Booking/Destination Details' --catalogue holidays
    """
    from apteco_frames.render import card

    draw = card.text_card
    with source.opened() as system:
        cards = [
            card.variable(variable.to_dict(), draw) for variable in _fitting(system.variables, name)
        ]
        for table in _fitting(system.tables, name):
            below = [child.name for child in table.children]
            cards.append(card.table(table.to_dict(), below, partial(draw, kind="table")))
        # A session would ask the server for them.
        if not cards or (source.is_offline and system.catalogue.has_folders):
            for folder in _fitting(_folders(system), name):
                below = [child.name for child in folder.children]
                cards.append(card.folder(folder.to_dict(), below, partial(draw, kind="folder")))
        if not cards:
            raise click.ClickException(_nothing_named(system, name))
        print_lines("\n\n".join(cards).split("\n"))


def _fitting(frame: Any, name: str) -> list[Any]:
    """The rows that a name may mean; of several variables with a description, all."""
    from apteco_frames.errors import AmbiguousKeyError

    try:
        row = frame.get(name)
    except AmbiguousKeyError:
        return [row for row in frame if name in (row.name, row.description)]
    return [] if row is None else [row]


def _nothing_named(system: Catalogue | Session, name: str) -> str:
    from apteco_frames.frame.keys import nearest

    variables = system.variables.arrow
    keys = [variables["name"], variables["description"], system.tables.arrow["name"]]
    near = nearest(name, [column.combine_chunks() for column in keys])
    hint = f"Nearest: {list_names(near)}." if near else "apteco-frames search finds parts of names."
    return f"No variable, table or folder is called {truncate(name)!r}. {hint}"


@click.command(cls=Command)
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="The most matches to show.",
)
@with_synonyms
@with_codes
@with_source
@with_output("matches")
def search(
    source: Source,
    output: Output,
    words: tuple[str, ...],
    codes: bool,
    limit: int,
    synonyms: Path | None,
) -> None:
    """Find names, descriptions and codes.

    The best matches come first; typing errors are forgiven. If nothing contains all WORDS, it
    shows what contains most of them, and says so.

    Example:
      apteco-frames search travle date --catalogue holidays
      apteco-frames search sweden --profile orbit
    """
    with source.opened() as system:
        load(system, codes=codes, folders=codes, tell=False)
        with working("searching"):
            matches = system.search(" ".join(words), limit=limit, synonyms=synonyms)
        output.show(
            matches.arrow,
            ("noun", "name", "description", "table_name", "matched_in", "matched_text"),
        )
        for remark in matches.remarks_with("" if source.is_offline else "--codes reads them"):
            say(remark)
        if matches.total > len(matches):
            say(f"These are the best {len(matches):,} of {matches.total:,}; --limit shows more.")


@click.command(cls=Command)
@click.argument("query", required=False)
@click.option(
    "--file", "file", type=PATH, metavar="FILE", help="Read the query from this file, in UTF-8."
)
@with_source
@with_output()
def sql(source: Source, output: Output, query: str | None, file: Path | None) -> None:
    """Answer a query in SQL, in the dialect of polars.

    The tables are tables, variables, codes, folders and system. QUERY can be - to read it from
    standard input. A query that names codes reads those of all variables: one request for each.

    Example:
      apteco-frames sql "select type, count(*) from variables group by type" --catalogue holidays
      echo "select name from tables" | apteco-frames sql - --catalogue holidays
    """
    asked = _query(query, file)
    with source.opened() as system:
        named = set(re.findall(r"\w+", asked.lower()))
        load(system, codes="codes" in named, folders="folders" in named, tell=False)
        with without_panics():
            answer = system.sql(asked)
        try:
            rows = answer.to_arrow()
        except ValueError as error:
            raise click.ClickException(
                f"The answer has values of a kind that Arrow lacks ({error}). Cast them in the "
                "query, as in: cast(n as double)"
            ) from None
        output.show(rows)


def _query(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        click.get_current_context().fail(
            "Give a query: QUERY, - for standard input, or --file FILE."
            if query is None
            else "QUERY and --file FILE are two queries: give one."
        )
    try:
        if file is not None:
            return file.read_text(encoding="utf-8-sig")
        if query == "-" and sys.stdin is not None:
            return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        where = file or "standard input"
        raise click.ClickException(f"The query in {where} is not in UTF-8.") from None
    return query or ""


@click.command(cls=Command)
@with_source
@with_output("systems")
def systems(source: Source, output: Output) -> None:
    """List the systems of a DataView, or of an archive.

    It needs no --system.

    Example:
      apteco-frames systems --profile orbit
    """
    output.show(source.systems(), ("name", "description", "build_date"))


def load(
    system: Catalogue | Session, *, codes: bool = True, folders: bool = True, tell: bool = True
) -> None:
    """Read codes and folders, so that a session's catalogue holds them.

    Codes that the API refuses are left out.

    Args:
        system: the session; or a saved catalogue, which has what it has.
        codes: whether codes are wanted.
        folders: whether folders are.
        tell: whether to say whose codes were refused.
    """
    session = _session(system)
    if codes and session:
        session.load_codes(unavailable="skip")
    if codes and tell and system.catalogue.has_codes:
        refused = system.codes.unavailable
        if refused:
            say(f"warning: the API refused the codes of {list_names(refused)}; they are left out")
    if folders and session:
        _ = session.folders


def _session(system: Catalogue | Session) -> Session | None:
    """The session, without an import of what an offline command does not need."""
    return None if system.catalogue is system else system  # type: ignore[return-value]


def _folders(system: Catalogue | Session) -> Any:
    """The folders, which catalogues and sessions have alike."""
    return (_session(system) or system.catalogue).folders
