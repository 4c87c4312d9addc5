"""A tree of which each part names the one above it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

_Key = TypeVar("_Key")


def children_of(parents: Iterable[_Key]) -> dict[_Key, list[int]]:
    """Positions of the children by what is above them.

    >>> children_of(["", "People", "People"])
    {'': [0], 'People': [1, 2]}
    """
    children: dict[_Key, list[int]] = {}
    for position, parent in enumerate(parents):
        children.setdefault(parent, []).append(position)
    return children
