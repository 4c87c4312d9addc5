"""The folders of a system: a tree that is walked level by level.

``GET …/Folders`` gives what stands at the top, ``GET …/Folders/{path}`` what is in a
folder; its ``path`` is the names from the top, each encoded by itself, with "/" between
them. So a name may hold a "/", and servers that know no ``path`` field can be asked.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from apteco_frames.errors import ApiError, ApiResultsError, InvalidUrlError
from apteco_frames.normalize.folders import Node
from apteco_frames.orbit.arguments import require_name
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.deadline import Deadline
from apteco_frames.orbit.decode import Page
from apteco_frames.orbit.paging import read_list
from apteco_frames.orbit.pool import run_all
from apteco_frames.orbit.status import REFUSED
from apteco_frames.schema.column import STRING, Column
from apteco_frames.support.progress import Report

# No system has as many; a tree beyond them goes on for ever.
MOST_LEVELS = 256
MOST_FOLDERS = 20_000
MOST_ITEMS = 2_000_000  # directly in one folder, variables among them

_PAGE_SIZE = 1_000
# What is in a folder: each item is a folder or a variable.
ITEMS = (
    Column("name", STRING, True, "folder.name", ""),
    Column("description", STRING, True, "folder.description", ""),
    Column("path", STRING, True, "folder.path", ""),
    Column("variable_name", STRING, True, "variable.name", ""),
)


class Walk(NamedTuple):
    """What a walk through the folders found.

    Attributes:
        nodes: the folders, each after the one around it; siblings in the API's order.
        refused: the names from the top of folders whose contents the API refused (status
            400, 403 or 404), or whose names no URL can hold; they are among ``nodes``,
            without contents.
    """

    nodes: list[Node]
    refused: list[tuple[str, ...]]


def walk(
    client: OrbitClient,
    system: str,
    deadline: Deadline,
    *,
    connections: int,
    report: Report | None = None,
) -> Walk | None:
    """All folders of a system, level by level.

    Args:
        client: whom to ask.
        system: name of the FastStats system.
        deadline: how long it may take.
        connections: requests under way at the same time, at most.
        report: called with the number of folders read so far, and of those known so far.

    Returns:
        what was found; None if the server has no such endpoint.

    Raises:
        ApiResultsError: the tree has no end, or an answer is malformed.
        AptecoFramesError: another error of the tree.
    """
    folders: list[tuple[_Folder, int | None]] = []  # each with the place of the one around it
    inside: dict[int | None, list[str]] = {}  # names of variables by the folder's place
    paths: dict[int | None, tuple[str, ...]] = {None: ()}
    refused: list[tuple[str, ...]] = []
    level: list[int | None] = [None]
    while level:
        part = deadline.part()
        calls = ((place, partial(_contents, client, system, paths[place], part)) for place in level)
        contents: dict[int | None, _Contents] = {}
        for place, found in run_all(calls, part, client.base_url, connections):
            contents[place] = found
            if report and place is not None:
                report(len(folders) - len(level) + len(contents), len(folders))
        below: list[int | None] = []
        for place in level:
            inner = contents[place]
            if isinstance(inner, ApiError | InvalidUrlError):
                if place is None:
                    if isinstance(inner, ApiError) and inner.status == 404:
                        return None
                    raise inner
                refused.append(paths[place])
                inner = [], []
            children, inside[place] = inner
            for child in children:
                paths[len(folders)] = (*paths[place], child.name)
                below.append(len(folders))
                folders.append((child, place))
        if below and (len(paths[below[0]]) > MOST_LEVELS or len(folders) > MOST_FOLDERS):
            raise _endless(client.system_url(system, "Folders"))
        level = below
    nodes = [
        Node(folder.name, folder.description, folder.path, around, inside[place])
        for place, (folder, around) in enumerate(folders)
    ]
    return Walk(nodes, refused)


class _Folder(NamedTuple):
    name: str
    description: str
    path: str | None


_Contents = tuple[list[_Folder], list[str]] | ApiError | InvalidUrlError


def _contents(
    client: OrbitClient, system: str, path: tuple[str, ...], deadline: Deadline
) -> _Contents:
    """The folders and the names of the variables directly in a folder, or why not."""
    try:
        segments = [require_name(name, "folder") for name in path]
    except InvalidUrlError as error:
        return error
    url = client.system_url(system, "Folders", *segments)

    def page(offset: int, count: int) -> Page:
        found = client.page(url, ITEMS, deadline, offset, count, may_be_refused=REFUSED)
        if found.total > MOST_ITEMS:
            raise _endless(url)
        return found

    try:
        items = read_list(page, client.page_size or _PAGE_SIZE, url)
    except ApiError as error:
        if error.status not in REFUSED:
            raise
        return error
    folders: list[_Folder] = []
    variables: list[str] = []
    for number, item in enumerate(items.to_pylist()):
        if (item["name"] is None) == (item["variable_name"] is None):
            raise ApiResultsError(
                f"Item {number:,} of {url} should be a folder or a variable, with a name, and is "
                "neither or both. Nothing was used. Try again; if it stays so, show this message "
                "to the administrator of your Orbit installation."
            )
        if item["name"] is None:
            variables.append(item["variable_name"])
        else:
            folders.append(_Folder(item["name"], item["description"] or "", item["path"]))
    return folders, variables


def _endless(url: str) -> ApiResultsError:
    return ApiResultsError(
        f"The folders of {url} go on and on: there are more than {MOST_FOLDERS:,}, more than "
        f"{MOST_LEVELS} within each other, or more than {MOST_ITEMS:,} items in one. Nothing was "
        "used. Show this message to the administrator of your Orbit installation."
    )
