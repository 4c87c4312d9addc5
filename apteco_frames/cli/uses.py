"""``apteco-frames uses``: who uses which variables and codes.

``uses --broken`` ends as diff(1) does: see :mod:`apteco_frames.cli`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from apteco_frames.cli.command import Command
from apteco_frames.cli.messages import say
from apteco_frames.cli.output import Output, with_output
from apteco_frames.cli.paths import PATH
from apteco_frames.cli.source import Source, with_source
from apteco_frames.errors import UnknownKeyError
from apteco_frames.support.text import truncate

if TYPE_CHECKING:
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.session import Session
    from apteco_frames.uses import BrokenUses, Uses

with_uses = click.option(
    "--uses",
    is_flag=True,
    help="Include who uses the variables (see: uses): titles, and the names of users.",
)


@click.command(cls=Command)
@click.argument("variable", required=False)
@click.argument("code", required=False)
@click.option(
    "--files",
    multiple=True,
    metavar="DIRECTORY",
    help="Include the selection files in this directory of the FastStats system, such as Public, "
    "and in those below it. May be repeated.",
)
@click.option(
    "--broken",
    type=PATH,
    metavar="DIR",
    help="Show only what breaks between this catalogue and the one saved in DIR. If that is older, "
    "it is what has broken since; if newer, what will break. The exit status is 1 if anything "
    "breaks, and 2 after an error.",
)
@with_source
@with_output()
def uses(
    source: Source,
    output: Output,
    variable: str | None,
    code: str | None,
    files: tuple[str, ...],
    broken: Path | None,
) -> int:
    """Show which audiences, dashboards, compositions and selection files use a variable or code.

    VARIABLE is the name or the description of a variable, CODE one of its codes or the description
    of one. Without them, all uses are shown.

    Not included are PeopleStage, collections, and whatever the user may not list.

    Example:
      apteco-frames uses boDest --profile orbit
      apteco-frames uses boDest 29 --profile orbit --files Public
      apteco-frames uses --broken older --profile orbit
    """
    if files and source.is_offline:
        click.get_current_context().fail("--files needs a login.")
    with source.opened() as system:
        if files:
            system.load_uses(files)  # type: ignore[union-attr]
        if broken is None:
            found = _uses_of(system, variable, code)
        else:
            found = _broken(system, broken, variable, code)
        preview = ("kind", "title", "owner", "part", "variable_name", "code")
        output.show(found.arrow, preview if broken is None else (*preview, "why"))
        for remark in found.remarks:
            say(remark)
        if not len(found):
            say(
                f"{'No use' if broken is None else 'No broken use'} was found. PeopleStage, "
                "collections, and whatever the user may not list were not searched."
            )
        return int(broken is not None and len(found) > 0)


def _uses_of(system: Catalogue | Session, variable: str | None, code: str | None) -> Uses:
    if variable is None:
        return system.uses
    try:
        known = system.variables[variable]
        return known.uses if code is None else known.codes[code].uses
    except UnknownKeyError:  # it may be gone
        there = system.variables.get(variable)
        asked = {"variable_name": variable if there is None else there.name}
        found = system.uses.filter(**asked, **({} if code is None else {"code": code}))
        if not len(found):
            raise
        gone = f"no variable {truncate(variable)!r}"
        if there is not None:
            gone = f"no code {truncate(code or '')!r} of {truncate(there.name)!r}"
        say(f"the catalogue has {gone}")
        return found


def _broken(
    system: Catalogue | Session, folder: Path, variable: str | None, code: str | None
) -> BrokenUses:
    """The uses that do not work in the newer of two catalogues."""
    from apteco_frames.catalogue import Catalogue

    other = Catalogue.read_parquet(folder)
    is_saved = isinstance(system, Catalogue)
    users = other if is_saved and not system.catalogue.has_uses and other.has_uses else system
    found = _uses_of(users, variable, code)
    date, own = other.system_info.build_date, system.system_info.build_date
    is_older = date < own if date and own and date != own else users is other
    if not is_older:
        return found.broken(other, older=system)
    _load_codes(system, found)
    return found.broken(system, older=other)


def _load_codes(system: Catalogue | Session, found: Uses) -> None:
    """Read the codes of the variables that are used with one."""
    from apteco_frames.session import Session

    if isinstance(system, Session):
        from apteco_frames.support.fork import import_polars

        names = found.filter(import_polars().col("code").is_not_null()).frame["variable_name"]
        used = system.variables.filter(import_polars().col("name").is_in(names.unique().to_list()))
        system.load_codes(used, unavailable="skip")
