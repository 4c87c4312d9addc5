"""What is loaded of a system, over several connections: its catalogue, its codes, its folders.

**Codes** come variable by variable (``GET …/Variables/{name}/Codes``), those with most codes
first. ``…/All`` would bring them in fewer requests, but repeats the whole variable on each
code: measured for 1,009 variables with 562,740 codes, some 0.4 GB in place of 38 MB. (POST
on the same path makes the server read its codes anew, and is never used.) They are taken to the
letter: blanks in them matter, descriptions may be empty or repeat, a count that is not there
stays null.

**Folders** are a tree that is walked level by level. ``GET …/Folders`` gives what stands at the
top, ``GET …/Folders/{path}`` what is in a folder; its ``path`` is the names from the top, each
encoded by itself, with "/" between them. So a name may hold a "/", and servers that know no
``path`` field can be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.errors import ApiError, ApiResultsError, InvalidUrlError
from apteco_frames.normalize.folders import Node
from apteco_frames.orbit.client import FIRST_PAGE_SIZE, NAME_COLUMNS, OrbitClient
from apteco_frames.orbit.deadline import Deadline, run_all
from apteco_frames.orbit.decode import Page
from apteco_frames.orbit.outcome import REFUSED
from apteco_frames.orbit.paging import ListChangedError, Paging, read_list
from apteco_frames.orbit.url import require_name
from apteco_frames.schema import CODES
from apteco_frames.schema.column import STRING, Column, api_schema
from apteco_frames.support.progress import Report
from apteco_frames.support.text import ASK_ADMINISTRATOR

PAGE_SIZE = 5_000
"""Items of the pages after the first: many, for few round trips."""

Refusal = ApiError | InvalidUrlError

# To ask for where a variable does not say how many codes it has, and where it says nonsense.
_CODES_AT_A_TIME = 1_000
_MOST_CODES_AT_A_TIME = 1_000_000

# No system has as many; a tree beyond them goes on for ever.
MOST_LEVELS = 256
MOST_FOLDERS = 20_000
MOST_ITEMS = 2_000_000  # directly in one folder, variables among them

_ITEMS_AT_A_TIME = 1_000
# What is in a folder: each item is a folder or a variable.
ITEMS = (
    Column("name", STRING, True, "folder.name", ""),
    Column("description", STRING, True, "folder.description", ""),
    Column("path", STRING, True, "folder.path", ""),
    Column("variable_name", STRING, True, "variable.name", ""),
)


class LoadedCatalogue(NamedTuple):
    """One build of a system as the API gives it: its details, tables and variables.

    ``warnings`` says in sentences what is odd about it, but usable.
    """

    system: dict[str, Any]
    tables: pa.Table
    variables: pa.Table
    warnings: tuple[str, ...]


def probe(client: OrbitClient, system: str, deadline: Deadline) -> tuple[dict[str, Any], int]:
    """A system's details and how many variables it has: two small requests at a time.

    Args:
        client: whom to ask.
        system: name of the FastStats system.
        deadline: how long it may take.

    Raises:
        AptecoFramesError: an error of the tree.
    """
    part = deadline.part()
    url = client.system_url(system, "Variables")
    calls: dict[str, Callable[[], Any]] = {
        "details": partial(client.system, system, part),
        "page": partial(client.page, url, NAME_COLUMNS, part, 0, 1),
    }
    try:
        found = dict(run_all(calls.items(), part, client.base_url, client.max_connections))
    except ApiError as error:
        if error.status == 404:  # of a system that is not there both fail: this tells which are
            client.system(system, deadline)
        raise
    return found["details"], found["page"].total


def load_catalogue(
    client: OrbitClient, system: str, deadline: Deadline, report: Report | None = None
) -> LoadedCatalogue:
    """Tables and variables of one build of a system, complete and in the API's order.

    ``GET …/Tables`` and ``GET …/Variables``, page by page on several connections. If
    the system was changed meanwhile, everything is read once more.

    Args:
        client: whom to ask.
        system: name of the FastStats system.
        deadline: how long it may take.
        report: called with the number of variables read so far and in all.

    Raises:
        ApiResultsError: answers are malformed or contradict each other, or the
            system was changed both times.
        AptecoFramesError: another error of the tree.
    """
    for last in (False, True):
        try:
            # Before any page is asked for, so that no build can come between.
            before = client.system(system, deadline)
            tables, variables = _load_once(client, system, deadline, report)
        except ListChangedError:
            if last:
                raise
            continue
        after = client.system(system, deadline)
        if before == after:
            warnings = tuple(filter(None, (tables.warning, variables.warning)))
            return LoadedCatalogue(after, tables.rows(), variables.rows(), warnings)
    raise ApiResultsError(
        f"The system {system!r} at {client.base_url} was rebuilt twice while it was read: built "
        f"{before.get('fastStatsBuildDate')}, then {after.get('fastStatsBuildDate')}. Nothing "
        "was used. Try again when the build has finished."
    )


def _load_once(
    client: OrbitClient, system: str, deadline: Deadline, report: Report | None
) -> tuple[Paging, Paging]:
    lists: dict[str, tuple[str, tuple[Column, ...], Paging]] = {}
    for kind, columns in (("Variables", schema.VARIABLES), ("Tables", schema.TABLES)):
        url = client.system_url(system, kind)
        first, size = client.page_size or FIRST_PAGE_SIZE, client.page_size or PAGE_SIZE
        lists[kind] = url, columns, Paging(first, size, url)
    variables, tables = lists["Variables"][2], lists["Tables"][2]
    # First a page of each; then all others; then again what came short.
    while not (variables.done and tables.done):
        part = deadline.part()
        calls = (
            ((paging, span), partial(client.page, url, columns, part, span.offset, span.count))
            for url, columns, paging in lists.values()
            for span in iter(paging.take, None)
        )
        for (paging, span), page in run_all(calls, part, client.base_url, client.max_connections):
            paging.receive(span, page)
            if report and variables.total is not None:
                report(variables.received, variables.total)
    return tables, variables


class CodeRequest(NamedTuple):
    """A variable whose codes are asked for.

    Attributes:
        name: its name.
        number: how many it says it has; None if it does not say.
        may_have_none: whether it is a date, of which a server need not list codes.
    """

    name: str
    number: int | None
    may_have_none: bool


def load_codes(
    client: OrbitClient,
    system: str,
    requests: Sequence[CodeRequest],
    deadline: Deadline,
) -> Iterator[tuple[str, pa.Table | Refusal]]:
    """The codes of variables, each complete: as they come, so that an error loses none of them.

    Args:
        client: whom to ask.
        system: name of the FastStats system.
        requests: the variables.
        deadline: how long it may take.

    Yields:
        the name of a variable, and the columns ``code``, ``description`` and ``count`` in
        the API's order; or why they are not to be had (status 400, 403 or 404, or a name
        that no URL can hold).

    Raises:
        ListChangedError: the codes of a variable changed while they were read, twice.
        AptecoFramesError: another error of the tree.
    """
    part = deadline.part()
    # The longest first, so that no connection is left with one at the end.
    order = sorted(requests, key=lambda variable: -(variable.number or 0))
    calls = ((variable.name, partial(_codes, client, system, variable, part)) for variable in order)
    return run_all(calls, part, client.base_url, client.code_connections)


def _codes(
    client: OrbitClient, system: str, variable: CodeRequest, deadline: Deadline
) -> pa.Table | Refusal:
    """The codes of a variable, or why they are not to be had."""
    try:
        name = require_name(variable.name, "variable")
        url = client.system_url(system, "Variables", name, "Codes")
        said = variable.number if variable.number and variable.number > 0 else _CODES_AT_A_TIME
        count = min(said, client.page_size or _MOST_CODES_AT_A_TIME)
        page = partial(client.page, url, CODES, deadline, may_be_refused=REFUSED)
        return read_list(page, count, url)
    except InvalidUrlError as error:  # a name that no URL can hold
        return error
    except ApiError as error:
        if error.status not in REFUSED:
            raise
        if variable.may_have_none and error.status != 403:
            return pa.Table.from_batches([], api_schema(CODES))
        return error


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
    report: Report | None = None,
) -> Walk | None:
    """All folders of a system, level by level.

    Args:
        client: whom to ask.
        system: name of the FastStats system.
        deadline: how long it may take.
        report: called with the number of folders read so far, and of those known so far.

    Returns:
        what was found; None if the server has no such endpoint.

    Raises:
        ApiResultsError: the tree has no end, or an answer is malformed.
        AptecoFramesError: another error of the tree.
    """
    folders: list[tuple[_Folder, int | None]] = []  # each with the position of the one around it
    inside: dict[int | None, list[str]] = {}  # names of variables by the folder's position
    paths: dict[int | None, tuple[str, ...]] = {None: ()}
    refused: list[tuple[str, ...]] = []
    level: list[int | None] = [None]
    while level:
        part = deadline.part()
        calls = (
            (position, partial(_contents, client, system, paths[position], part))
            for position in level
        )
        contents: dict[int | None, _Contents] = {}
        for position, found in run_all(calls, part, client.base_url, client.code_connections):
            contents[position] = found
            if report and position is not None:
                report(len(folders) - len(level) + len(contents), len(folders))
        below: list[int | None] = []
        for position in level:
            inner = contents[position]
            if isinstance(inner, ApiError | InvalidUrlError):
                if position is None:
                    if isinstance(inner, ApiError) and inner.status == 404:
                        return None
                    raise inner
                refused.append(paths[position])
                inner = [], []
            children, inside[position] = inner
            for child in children:
                paths[len(folders)] = (*paths[position], child.name)
                below.append(len(folders))
                folders.append((child, position))
        if below and (len(paths[below[0]]) > MOST_LEVELS or len(folders) > MOST_FOLDERS):
            raise _endless(client.system_url(system, "Folders"))
        level = below
    nodes = [
        Node(folder.name, folder.description, folder.path, around, inside[position])
        for position, (folder, around) in enumerate(folders)
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
        items = read_list(page, client.page_size or _ITEMS_AT_A_TIME, url)
    except ApiError as error:
        if error.status not in REFUSED:
            raise
        return error
    folders: list[_Folder] = []
    variables: list[str] = []
    for number, item in enumerate(items.to_pylist()):
        if (item["name"] is None) == (item["variable_name"] is None):
            raise ApiResultsError(
                f"Item {number:,} of {url} should be a folder or a variable, with a name, but is "
                f"neither or both. Nothing was used. {ASK_ADMINISTRATOR}"
            )
        if item["name"] is None:
            variables.append(item["variable_name"])
        else:
            folders.append(_Folder(item["name"], item["description"] or "", item["path"]))
    return folders, variables


def _endless(url: str) -> ApiResultsError:
    return ApiResultsError(
        f"The folders at {url} seem to have no end: there are more than {MOST_FOLDERS:,}, more "
        f"than {MOST_LEVELS} levels, or more than {MOST_ITEMS:,} items in one folder. Nothing was "
        "used. Show this message to your Orbit administrator."
    )
