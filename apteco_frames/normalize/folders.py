"""Folders as the API gives them: the order of their tree, and what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.errors import FoldersError
from apteco_frames.normalize.tree import children_of
from apteco_frames.schema.column import NAMES, STRING
from apteco_frames.support.arrays import array_of, integers, strings
from apteco_frames.support.text import truncate


class Node(NamedTuple):
    """A folder as the API gives it.

    Attributes:
        name: its name.
        description: its description.
        path: its path in the API's own words; None if an older server gives none.
        parent: position of the folder around it in the list of all; None at the top.
        variable_names: names of the variables directly in it.
    """

    name: str
    description: str
    path: str | None
    parent: int | None
    variable_names: list[str]


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
                    f"The folder {truncate(node.name)!r} contains {truncate(name)!r}, which is not "
                    f"a variable of {source}. No folder was used. Read the folders again."
                )
    within = children_of([node.parent for node in nodes])
    order: list[int] = []
    pending = within.get(None, [])[::-1]
    while pending:
        position = pending.pop()
        order.append(position)
        pending += within.get(position, [])[::-1]
    paths = _paths(nodes, source)
    depths = [0] * len(nodes)
    among_siblings = [0] * len(nodes)
    for position, node in enumerate(nodes):
        depths[position] = 0 if node.parent is None else depths[node.parent] + 1
    for siblings in within.values():
        for number, position in enumerate(siblings):
            among_siblings[position] = number
    totals = _totals(nodes)
    ordered = [nodes[position] for position in order]
    inside = [node.variable_names for node in ordered]
    columns = {
        "path": strings(paths[position] for position in order),
        "name": strings(node.name for node in ordered),
        "description": strings(node.description for node in ordered),
        "parent_path": array_of(
            (None if node.parent is None else paths[node.parent] for node in ordered), STRING
        ),
        "depth": integers(depths[position] for position in order),
        "position": integers(among_siblings[position] for position in order),
        "variable_count": integers(map(len, inside)),
        "total_variable_count": integers(totals[position] for position in order),
        "variable_names": array_of(inside, NAMES),
    }
    return pa.table([columns[c.name] for c in schema.FOLDERS], schema=schema.FOLDERS_SCHEMA)


def nodes_of(arrow: pa.Table, source: str) -> list[Node]:
    """Folders of a table under ``schema.FOLDERS_SCHEMA``, for :func:`arrange`.

    Raises:
        FoldersError: a path comes twice, or a folder is not after the one around it.
    """
    positions: dict[str, int] = {}
    nodes: list[Node] = []
    wanted = ("path", "name", "description", "parent_path", "variable_names")
    for row in arrow.select(wanted).to_pylist():
        path, around = row["path"], row["parent_path"]
        if path in positions or (around is not None and around not in positions):
            raise FoldersError(
                f"The folder {truncate(path)!r} comes twice, or before the folder around it "
                f"({truncate(around)!r}). Nothing of {source} was used. Read the folders again."
            )
        parent = None if around is None else positions[around]
        positions[path] = len(nodes)
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
            f"Two folders have the same path, {truncate(often)!r}. No folder of {source} was "
            "used. Show this message to your Orbit administrator."
        )
    return made


def _totals(nodes: Sequence[Node]) -> list[int]:
    """Number of different variables in each folder and below it."""
    names = [set(node.variable_names) for node in nodes]
    totals = [0] * len(nodes)
    for position in range(len(nodes) - 1, -1, -1):
        totals[position] = len(names[position])
        parent = nodes[position].parent
        if parent is not None:
            # The smaller into the larger, so that a deep tree takes no longer than a flat one.
            small, large = sorted((names[position], names[parent]), key=len)
            large |= small
            names[parent] = large
        names[position] = set()
    return totals
