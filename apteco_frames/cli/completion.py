"""What shells complete: names of variables, columns, profiles, systems and builds.

Nothing is asked of a server, and nobody is asked for a password: the names are those of a
saved catalogue or an archive that the line names so far, or of what was kept of the last login.
Where something cannot be read, nothing is completed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, add_completion_class

from apteco_frames.cli import configuration
from apteco_frames.support.text import escape_controls

if TYPE_CHECKING:
    import pyarrow as pa

    from apteco_frames.catalogue import Catalogue

_MOST = 500

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completes(names: Callable[[click.Context], Iterable[tuple[str, str]]]) -> Complete:
    """What completes a word, of names with a description each."""

    @wraps(names)
    def complete(
        context: click.Context, _parameter: click.Parameter, start: str
    ) -> list[CompletionItem]:
        found = []
        try:
            for name, description in names(context):
                if name.lower().startswith(start.lower()) and name.isprintable():
                    found.append(CompletionItem(name, help=escape_controls(description) or None))
                    if len(found) == _MOST:
                        break
        except Exception:
            pass
        return found

    return complete


@_completes
def profiles(_context: click.Context) -> Iterator[tuple[str, str]]:
    """The names of profiles."""
    for name, values in configuration.profiles().items():
        yield name, values.get("base_url", "")


def _names(*columns: tuple[str, str, str]) -> Complete:
    def names(context: click.Context) -> Iterator[tuple[str, str]]:
        """Names in the catalogue that the line names so far, each with a description."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            catalogue = _catalogue(context.params)
            for noun, name, description in columns:
                if noun != "folders" or catalogue.has_folders:
                    rows: pa.Table = getattr(catalogue, noun).arrow
                    found = (rows[name].to_pylist(), rows[description].to_pylist())
                    yield from zip(*found, strict=True)

    return _completes(names)


_VARIABLES = ("variables", "name", "description")
_TABLES = ("tables", "name", "plural")
_FOLDERS = ("folders", "path", "description")

variables = _names(_VARIABLES)
tables = _names(_TABLES)
folders = _names(_FOLDERS)
things = _names(_VARIABLES, _TABLES, _FOLDERS)


@_completes
def archived_variables(context: click.Context) -> Iterator[tuple[str, str]]:
    """The names of variables in an archive."""
    from apteco_frames.archive import Archive

    rows = Archive(context.params["root"]).scan("variables").select("name", "description")
    yield from rows.unique("name", maintain_order=True).collect().iter_rows()


@_completes
def systems(context: click.Context) -> Iterator[tuple[str, str]]:
    """The names of systems in an archive."""
    from apteco_frames.archive import Archive

    # Where the value of an option is lacking, click has not told the arguments apart yet.
    root = context.params.get("archive") or context.params.get("root") or context.args[0]
    for name in Archive(root).builds["system"].unique(maintain_order=True):
        yield name, ""


@_completes
def builds(context: click.Context) -> Iterator[tuple[str, str]]:
    """The names of builds in an archive."""
    from apteco_frames.archive import Archive

    for system, build in Archive(context.params["archive"]).builds["system", "build"].iter_rows():
        if context.params.get("system") in (None, system):
            yield build, system


def columns(noun: str) -> Complete:
    """What completes a list of columns of a noun, after the last comma.

    Args:
        noun: the noun, in the plural; none if the columns are not known before.
    """

    def complete(
        _context: click.Context, _parameter: click.Parameter, start: str
    ) -> list[CompletionItem]:
        if not noun:
            return []
        from apteco_frames import schema

        before, comma, last = start.rpartition(",")
        names = getattr(schema, f"{noun.upper()}_SCHEMA").names
        return [
            CompletionItem(f"{before}{comma}{name}")
            for name in names
            if name.startswith(last) and name not in before.split(",")
        ]

    return complete


def _catalogue(params: dict[str, Any]) -> Catalogue:
    """The catalogue that a line names, as far as it is on this machine."""
    if params.get("catalogue"):
        from apteco_frames.catalogue import Catalogue

        return Catalogue.read_parquet(params["catalogue"])
    if params.get("archive"):
        from apteco_frames.archive import Archive

        archive = Archive(params["archive"])
        system = params.get("system") or archive.builds["system"][0]
        return archive.catalogue(system, params.get("build"))
    return _kept(params)


def _kept(params: dict[str, Any]) -> Catalogue:
    """The newest catalogue that was kept of the system that a line would log in to."""
    from apteco_frames.catalogue import Catalogue
    from apteco_frames.storage.cache import cached, default_folder

    profile = configuration.profile(params["profile"]) if params.get("profile") else {}
    system = params.get("system") or profile.get("system")
    rows = cached(default_folder()).select(["system", "folder"]).to_pylist()
    kept = [row["folder"] for row in rows if row["system"] == system]
    return Catalogue.read_parquet(kept[-1])


class _Fish(FishComplete):
    """Completion in fish, whose script splits lines at commas."""

    name = FishComplete.name
    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )

    def format_completion(self, item: CompletionItem) -> str:
        """A line for the script."""
        if item.help:  # where the script is an older one
            item.help = item.help.replace(",", ";")
        return super().format_completion(item)


class _Bash(BashComplete):
    """Completion in bash, which takes a word as it is to be typed."""

    name = BashComplete.name

    def format_completion(self, item: CompletionItem) -> str:
        """A line for the script."""
        if item.type == "plain":
            item.value = "".join(c if c.isalnum() or c in _PLAIN else f"\\{c}" for c in item.value)
        return super().format_completion(item)


_PLAIN = "-_.,:/+=@%"


def use() -> None:
    """Have shells complete in these ways."""
    add_completion_class(_Fish)
    add_completion_class(_Bash)
