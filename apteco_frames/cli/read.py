"""Commands that show what a system consists of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from apteco_frames.cli.command import Command
from apteco_frames.cli.messages import say, without_panics
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.source import Source, with_source
from apteco_frames.support.text import list_names

if TYPE_CHECKING:
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.session import Session


@click.command(
    cls=Command,
    example="apteco-frames tables --profile orbit\n"
    "apteco-frames tables --profile orbit --columns name,total_records | sort",
    short_help="The tables of a system.",
)
@with_source
@with_output
def tables(source: Source, output: Output) -> None:
    """Print the tables of a system."""
    with source.opened() as system:
        preview = ("name", "plural", "parent_name", "total_records", "variable_count")
        output.show(system.tables.arrow, preview)


@click.command(
    cls=Command,
    example="apteco-frames variables --catalogue holidays\n"
    "apteco-frames variables --catalogue holidays --output csv --to variables.csv",
    short_help="The variables of a system.",
)
@with_source
@with_output
def variables(source: Source, output: Output) -> None:
    """Print the variables of a system."""
    with source.opened() as system:
        preview = ("name", "description", "type", "table_name", "folder_name")
        output.show(system.variables.arrow, preview)


@click.command(
    cls=Command,
    example="apteco-frames codes boDest --profile orbit",
    short_help="The codes of a variable.",
)
@click.argument("name")
@with_source
@with_output
def codes(source: Source, output: Output, name: str) -> None:
    """Print the codes of variable NAME, which is its name or its description."""
    with source.opened() as system:
        output.show(system.variables[name].codes.arrow, ("code", "description", "count"))


@click.command(
    cls=Command,
    example="apteco-frames folders --profile orbit",
    short_help="The folders of a system.",
)
@with_source
@with_output
def folders(source: Source, output: Output) -> None:
    """Print the folders of a system."""
    with source.opened() as system:
        preview = ("path", "description", "variable_count", "total_variable_count")
        output.show(_folders(system).arrow, preview)


@click.command(
    cls=Command,
    example="apteco-frames search travle date --catalogue holidays\n"
    "apteco-frames search sweden --codes --profile orbit",
    short_help="What has all of these words, the best first.",
)
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--codes",
    is_flag=True,
    help="Read codes and folders of the system, too: a request for each variable with codes.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many matches at most.",
)
@with_source
@with_output
def search(source: Source, output: Output, words: tuple[str, ...], codes: bool, limit: int) -> None:
    """Print what has all of these WORDS, the best first; typing errors are forgiven."""
    with source.opened() as system:
        if codes:
            load(system, tell=False)
        matches = system.search(" ".join(words), limit=limit)
        output.show(
            matches.arrow,
            ("noun", "name", "description", "table_name", "matched_in", "matched_text"),
        )
        for remark in matches.remarks_with("" if source.catalogue else "--codes reads them"):
            say(remark)
        if matches.total > len(matches):
            say(f"These are the best {len(matches):,} of {matches.total:,}; --limit shows more.")


@click.command(
    cls=Command,
    example='apteco-frames sql "select type, count(*) from variables group by type" '
    "--catalogue holidays",
    short_help="The answer to a query in SQL.",
)
@click.argument("query")
@with_source
@with_output
def sql(source: Source, output: Output, query: str) -> None:
    """Print the answer to QUERY, in the dialect of polars.

    Its tables are tables, variables, codes, folders and system. A query that names codes reads
    those of all variables: a request for each.
    """
    with source.opened() as system:
        named = set(re.findall(r"\w+", query.lower()))
        load(system, codes="codes" in named, folders="folders" in named, tell=False)
        with without_panics():
            answer = system.sql(query)
        try:
            rows = answer.to_arrow()
        except ValueError as error:
            raise click.ClickException(
                f"The answer has values of a kind that Arrow lacks ({error}). Cast them in the "
                "query, as in: cast(n as double)"
            ) from None
        output.show(rows)


@click.command(
    cls=Command,
    example="apteco-frames systems --profile orbit",
    short_help="The systems of a DataView.",
)
@with_source
@with_output
def systems(source: Source, output: Output) -> None:
    """Print the systems of a DataView; of a saved catalogue, the one it is of."""
    import pyarrow as pa

    from apteco_frames.schema import SYSTEMS_SCHEMA
    from apteco_frames.session import Session

    with source.opened() as system:
        if isinstance(system, Session):
            rows = system.systems.arrow
        else:
            rows = pa.Table.from_pylist([system.system_info._asdict()], SYSTEMS_SCHEMA)
        output.show(rows, ("name", "description", "build_date"))


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
    from apteco_frames.session import Session

    if codes and isinstance(system, Session):
        system.load_codes(unavailable="skip")
    if codes and tell and system.catalogue.has_codes:
        refused = system.codes.unavailable
        if refused:
            say(f"warning: the API refused the codes of {list_names(refused)}; they are left out")
    if folders and isinstance(system, Session):
        _folders(system)


def _folders(system: Catalogue | Session) -> Any:
    """The folders, which catalogues and sessions have alike."""
    from apteco_frames.session import Session

    return system.folders if isinstance(system, Session) else system.catalogue.folders
