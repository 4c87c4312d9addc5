"""Folders: the frame, the row, and how the tree of folders is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.errors import FoldersError
from apteco_frames.frame.arrays import booleans, integers, strings
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Home, Row, attribute
from apteco_frames.orbit import schema
from apteco_frames.orbit.column import NAMES, describe
from apteco_frames.orbit.folders import Node
from apteco_frames.orbit.text import clipped
from apteco_frames.pages import card
from apteco_frames.pages.tree import Item, Tree

if TYPE_CHECKING:
    from apteco_frames.variables import Variable, Variables


class Folder(Row):
    """A folder of variables, as the System Explorer of FastStats shows them."""

    __slots__ = ()

    path: str = attribute(schema.FOLDERS, "path")
    name: str = attribute(schema.FOLDERS, "name")
    description: str = attribute(schema.FOLDERS, "description")
    parent_path: str | None = attribute(schema.FOLDERS, "parent_path")
    depth: int = attribute(schema.FOLDERS, "depth")
    position: int = attribute(schema.FOLDERS, "position")
    variable_count: int = attribute(schema.FOLDERS, "variable_count")
    total_variable_count: int = attribute(schema.FOLDERS, "total_variable_count")

    @property
    def variable_names(self) -> list[str]:
        """Names of the variables directly in the folder, in the API's order."""
        return list(self._block["variable_names"][self._position])

    @property
    def parent(self) -> Folder | None:
        """The folder around it; ``None`` at the top."""
        return None if self.parent_path is None else self._folders._at(self.parent_path)

    @property
    def children(self) -> list[Folder]:
        """The folders directly in it, in the API's order."""
        return self._folders._inside(self.path)

    @property
    def variables(self) -> Variables:
        """The variables directly in it, in the folder's order."""
        return self._home.variables._named(self.variable_names)  # type: ignore[no-any-return]

    def __getitem__(self, key: str) -> Variable:
        """The variable directly in the folder with that name or description.

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
        """All folders of the system, also where the row is from a part of them."""
        return self._frame._whole  # type: ignore[attr-defined, no-any-return]

    def _describe(self) -> str:
        return repr(clipped(self.path))

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"<Folder {clipped(self.path)!r}: {self.total_variable_count:,} variables>"

    def _repr_html_(self) -> str:
        return card.folder(self.to_dict(), [child.name for child in self.children])


class Folders(CatalogueFrame[Folder]):  # noqa: D101 - it has one, with the columns
    __doc__ = f"""The folders of a system: each followed by the folders within it.

    ``folders[key]`` takes a path (``"Bookings/Dates"``) or, where no folder has that path, a
    name. In a path a ``/`` or a ``%`` that belongs to a name is written ``%2F`` or ``%25``.
    The columns:

    {describe(schema.FOLDERS).replace(chr(10), chr(10) + " " * 4)}
    """

    schema: ClassVar[pa.Schema] = schema.FOLDERS_SCHEMA
    _noun = "folder"
    _row_type = Folder
    _keys = ("path", "name")
    _preview = ("path", "description", "variable_count", "total_variable_count")
    _when_several = "Look the one you mean up by its path."

    def __init__(self, arrow: pa.Table, home: Home, whole: Folders | None = None) -> None:
        super().__init__(arrow, home)
        self._part_of = whole

    def tree(self) -> Tree:
        """The folders as a tree that prints itself, with the numbers of variables."""
        above = self._whole._above
        items = [
            Item(folder.path, above(folder.path), folder.name, f"{folder.total_variable_count:,}")
            for folder in self
        ]
        return Tree(f"{self._title} (variables)", items)

    def _positions(self, key: str, columns: tuple[str, ...]) -> list[int]:
        """Where a folder has that path, or else that name: at the top they are the same."""
        for column in columns:
            found = super()._positions(key, (column,))
            if found:
                return found
        return []

    @property
    def _whole(self) -> Folders:
        """All folders of the system, also where these are a part of them."""
        return self if self._part_of is None else self._part_of

    def _part(self, arrow: pa.Table) -> Folders:
        return type(self)(arrow, self._home, self._whole)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return type(self), (self._arrow, self._home.catalogue, self._part_of)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {path: place for place, path in enumerate(self._arrays["path"].to_pylist())}

    @cached_property
    def _within(self) -> dict[str | None, list[int]]:
        """Places of the folders by the path of the folder around them."""
        return _places_by(self._arrays["parent_path"].to_pylist())

    @cached_property
    def _place_of_variable(self) -> dict[str, int]:
        """Place of the first folder that each variable is in."""
        found: dict[str, int] = {}
        for place, names in enumerate(self._arrays["variable_names"].to_pylist()):
            for name in names:
                found.setdefault(name, place)
        return found

    def _at(self, path: str) -> Folder:
        return self._row(self._places[path])

    def _inside(self, path: str) -> list[Folder]:
        return [self._row(place) for place in self._within.get(path, [])]

    def _above(self, path: str) -> list[str]:
        parents = self._arrays["parent_path"]
        above: list[str] = []
        parent = parents[self._places[path]].as_py()
        while parent is not None:
            above.append(parent)
            parent = parents[self._places[parent]].as_py()
        return above

    def _with_variable(self, name: str) -> Folder | None:
        place = self._place_of_variable.get(name)
        return None if place is None else self._row(place)


def arrange(nodes: Sequence[Node], names: pa.ChunkedArray, source: str) -> pa.Table:
    """Folders in the order of their tree, with the columns that follow from it.

    Args:
        nodes: the folders, each after the one around it.
        names: the names of all variables of the system.
        source: where they came from, for error messages.

    Returns:
        a table under ``schema.FOLDERS_SCHEMA``, each folder followed by those within it.
        Paths are the API's where it gives each folder one of its own, and made of the
        names otherwise.

    Raises:
        FoldersError: a folder holds two of one name, which have one address, or what is no
            variable.
    """
    known = set(names.to_pylist())
    for node in nodes:
        for name in node.variable_names:
            if name not in known:
                raise FoldersError(
                    f"The folder {clipped(node.name)!r} holds {clipped(name)!r}, which is no "
                    f"variable of {source}. Nothing of the folders was used. Read them anew."
                )
    within = _places_by([node.parent for node in nodes])
    order: list[int] = []
    pending = within.get(None, [])[::-1]
    while pending:
        place = pending.pop()
        order.append(place)
        pending += within.get(place, [])[::-1]
    paths = _paths(nodes, source)
    depths = [0] * len(nodes)
    positions = [0] * len(nodes)
    for place, node in enumerate(nodes):
        depths[place] = 0 if node.parent is None else depths[node.parent] + 1
    for siblings in within.values():
        for position, place in enumerate(siblings):
            positions[place] = position
    totals = _totals(nodes)
    ordered = [nodes[place] for place in order]
    inside = [node.variable_names for node in ordered]
    columns = {
        "path": strings(paths[place] for place in order),
        "name": strings(node.name for node in ordered),
        "description": strings(node.description for node in ordered),
        "parent_path": _or_null(
            None if node.parent is None else paths[node.parent] for node in ordered
        ),
        "depth": integers(depths[place] for place in order),
        "position": integers(positions[place] for place in order),
        "variable_count": integers(map(len, inside)),
        "total_variable_count": integers(totals[place] for place in order),
        "variable_names": pa.ListArray.from_arrays(
            integers(accumulate(map(len, inside), initial=0), pa.int32()),
            strings(chain.from_iterable(inside)),
            type=NAMES,
        ),
    }
    return pa.table([columns[c.name] for c in schema.FOLDERS], schema=schema.FOLDERS_SCHEMA)


def nodes_of(arrow: pa.Table, source: str) -> list[Node]:
    """Folders of a table under ``schema.FOLDERS_SCHEMA``, for :func:`arrange`.

    Raises:
        FoldersError: a path comes twice, or a folder is not after the one around it.
    """
    places: dict[str, int] = {}
    nodes: list[Node] = []
    wanted = ("path", "name", "description", "parent_path", "variable_names")
    for row in arrow.select(wanted).to_pylist():
        path, around = row["path"], row["parent_path"]
        if path in places or (around is not None and around not in places):
            raise FoldersError(
                f"The folder {clipped(path)!r} comes twice, or before the folder around it "
                f"({clipped(around)!r}). Nothing of {source} was used. Read the folders again."
            )
        parent = None if around is None else places[around]
        places[path] = len(nodes)
        nodes.append(Node(row["name"], row["description"], path, parent, row["variable_names"]))
    return nodes


def flat(folder_names: pa.Array, variable_names: pa.Array) -> list[Node]:
    """Folders without a tree, as variables name them.

    Args:
        folder_names: the folder of each variable; null for none.
        variable_names: the names of these variables.
    """
    inside: dict[str, list[str]] = {}
    for folder, name in zip(folder_names.to_pylist(), variable_names.to_pylist(), strict=True):
        if folder:
            inside.setdefault(folder, []).append(name)
    return [Node(folder, folder, None, None, names) for folder, names in inside.items()]


def _paths(nodes: Sequence[Node], source: str) -> list[str]:
    given = [node.path for node in nodes]
    if None not in given and len(set(given)) == len(given):
        return [path for path in given if path is not None]
    made: list[str] = []
    for node in nodes:
        # "/" separates; "%" tells a "/" of a name from one that separates.
        own = node.name.replace("%", "%25").replace("/", "%2F")
        made.append(own if node.parent is None else f"{made[node.parent]}/{own}")
    if len(set(made)) < len(made):
        often = next(path for path, number in Counter(made).items() if number > 1)
        raise FoldersError(
            f"Two folders have one address: {clipped(often)!r}. Nothing of the folders of {source} "
            "was used. Show this message to the administrator of your Orbit installation."
        )
    return made


def _or_null(texts: Iterable[str | None]) -> pa.Array:
    listed = list(texts)
    known = strings(text or "" for text in listed)
    none = pa.nulls(1, pa.string())[0]
    return pc.if_else(booleans(text is not None for text in listed), known, none)


def _totals(nodes: Sequence[Node]) -> list[int]:
    """Number of different variables in each folder and below it."""
    names = [set(node.variable_names) for node in nodes]
    totals = [0] * len(nodes)
    for place in range(len(nodes) - 1, -1, -1):
        totals[place] = len(names[place])
        parent = nodes[place].parent
        if parent is not None:
            # The smaller into the larger, so that a deep tree takes no longer than a flat one.
            small, large = sorted((names[place], names[parent]), key=len)
            large |= small
            names[parent] = large
        names[place] = set()
    return totals


def _places_by(parents: Iterable[Any]) -> dict[Any, list[int]]:
    within: dict[Any, list[int]] = {}
    for place, parent in enumerate(parents):
        within.setdefault(parent, []).append(place)
    return within
