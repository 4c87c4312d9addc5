"""The commands' arguments that are files and folders."""

from __future__ import annotations

import os
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
    help="Words that mean the same, in TOML; otherwise synonyms.toml beside the profiles.",
)
"""For commands that search, or write what is searched."""

ROOT = FilePath()
"""The root of an archive, which can also be a URL such as s3://bucket/path."""
