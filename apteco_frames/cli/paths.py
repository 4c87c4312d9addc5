"""The commands' arguments that are files and folders."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _PathType = click.Path[Path]
else:
    _PathType = click.Path


class FilePath(_PathType):
    """A file or folder, which shells complete as such.

    An empty text is none: it would be the current folder, and is a variable that is not set.
    """

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """The path."""
        if not os.fspath(value):
            self.fail("it is empty: is a variable not set?", param, ctx)
        if "\0" in os.fspath(value):
            self.fail("no path has a NUL in it", param, ctx)
        return super().convert(value, param, ctx)


PATH = FilePath(path_type=Path)
"""A file or folder on this machine."""

with_synonyms = click.option(
    "--synonyms",
    type=PATH,
    metavar="FILE",
    help="A TOML file of synonyms; by default synonyms.toml beside the profiles.",
)
"""For commands that search, or write what is searched."""

ROOT = FilePath()
"""The root of an archive, which can also be a URL such as s3://bucket/path."""


def own_folder(find: Callable[[], Path], purpose: str, variable: str) -> Path:
    """A folder of the user's.

    Args:
        find: gives the folder.
        purpose: what it is for.
        variable: the environment variable that can name it.

    Raises:
        ClickException: the user has no home.
    """
    try:
        return find()
    except RuntimeError as error:
        raise click.ClickException(
            f"There is no folder for {purpose} ({error}). Name one with {variable}."
        ) from None
