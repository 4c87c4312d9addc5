"""Folders: the frame and the row."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner, links_of
from apteco_frames.normalize.tree import children_of
from apteco_frames.render import card
from apteco_frames.render.tree import Item, Tree
from apteco_frames.support.text import truncate
from apteco_frames.variables import Variable, Variables


class Folder(Row):
    """A folder of variables, as in the System Explorer of FastStats."""

    __slots__ = ()

    path: str = attribute(schema.FOLDERS, "path")
    name: str = attribute(schema.FOLDERS, "name")
    description: str = attribute(schema.FOLDERS, "description")
    parent_path: str | None = attribute(schema.FOLDERS, "parent_path")
    depth: int = attribute(schema.FOLDERS, "depth")
    position: int = attribute(schema.FOLDERS, "position")
    variable_count: int = attribute(schema.FOLDERS, "variable_count")
    total_variable_count: int = attribute(schema.FOLDERS, "total_variable_count")
    variable_names: list[str] = attribute(schema.FOLDERS, "variable_names")

    @property
    def parent(self) -> Folder | None:
        """The folder that contains it; ``None`` at the top."""
        return None if self.parent_path is None else self._folders._at(self.parent_path)

    @property
    def children(self) -> list[Folder]:
        """The folders directly in it, in the API's order."""
        positions = self._folders._children.get(self.path, [])
        return [self._folders[position] for position in positions]

    @property
    def variables(self) -> Variables:
        """The variables directly in it, in the folder's order."""
        return links_of(self).variables_named(self.variable_names)

    def __getitem__(self, key: str) -> Variable:
        """The variable with that name or description, directly in the folder.

        Raises:
            UnknownKeyError: no variable in the folder has it.
            AmbiguousKeyError: several have it.
        """
        return self.variables[key]

    # A class with __getitem__ would otherwise be taken for a sequence of variables.
    __iter__ = None

    def __contains__(self, key: object) -> bool:
        return key in self.variables

    @property
    def _folders(self) -> Folders:
        """All folders of the system, even if the row is from a part of them."""
        return self._frame._whole  # type: ignore[attr-defined, no-any-return]

    def _describe(self) -> str:
        return repr(truncate(self.path))

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        number = self.total_variable_count
        noun = "variable" if number == 1 else "variables"
        return f"<Folder {truncate(self.path)!r}: {number:,} {noun}>"

    def _repr_html_(self) -> str:
        return card.folder(self.to_dict(), [child.name for child in self.children])


class Folders(CatalogueFrame[Folder], columns=schema.FOLDERS):
    """The folders of a system, each followed by the folders inside it.

    ``folders[key]`` takes a path (``"Bookings/Dates"``) or, if no folder has that path, a
    name. In a path, ``%2F`` and ``%25`` stand for a ``/`` or ``%`` in a name.
    The columns:

    [columns]
    """

    _noun = "folder"
    _row_type = Folder
    _keys = ("path", "name")
    _preview = ("path", "description", "variable_count", "total_variable_count")
    _when_several = "Look it up by its path."

    def __init__(self, arrow: pa.Table, catalogue: Owner, whole: Folders | None = None) -> None:
        super().__init__(arrow, catalogue)
        self._part_of = whole

    def tree(self) -> Tree:
        """The folders as a tree, with the number of variables in each."""
        items = [
            Item(each.path, self._above(each), each.name, f"{each.total_variable_count:,}")
            for each in self
        ]
        return Tree(f"{self._title} (variables)", items)

    def _positions(self, key: str, columns: tuple[str, ...]) -> list[int]:
        """The folder with that path, or else those with that name: at the top they are the same."""
        for column in columns:
            found = super()._positions(key, (column,))
            if found:
                return found
        return []

    @property
    def _whole(self) -> Folders:
        """All folders of the system, even if these are a part of them."""
        return self if self._part_of is None else self._part_of

    def _part(self, arrow: pa.Table) -> Folders:
        return type(self)(arrow, links_of(self).owner, self._whole)

    @property
    def _further(self) -> tuple[Any, ...]:
        return (self._part_of,)

    @cached_property
    def _children(self) -> dict[str | None, list[int]]:
        """Positions of the folders, by the path of the folder that contains them."""
        return children_of(self._arrays["parent_path"].to_pylist())

    def _at(self, path: str) -> Folder:
        return self._row(self._index("path")[path])

    def _above(self, folder: Folder) -> list[str]:
        """Paths of the folders that contain a folder, the nearest first."""
        above: list[str] = []
        while (parent := folder.parent) is not None:
            above.append(parent.path)
            folder = parent
        return above
