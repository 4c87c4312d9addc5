"""Audiences, dashboards, audience compositions and selection files, and what each names.

One list of each kind, then one request for each resource. The lists of everybody's audiences
and dashboards are for administrators; others are given their own and those shared with them.
Selection files are found by walking directories; ``POST …/GetFileSync`` gives the query of one,
and changes nothing.

Of a definition only what it names is kept, so that memory does not grow with the definitions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

import pyarrow as pa

from apteco_frames.analysis.uses import Resource, named_in
from apteco_frames.errors import ApiError, ApiResultsError, GatewayError, InvalidUrlError
from apteco_frames.orbit import deep_json
from apteco_frames.orbit.client import FIRST_PAGE_SIZE, OrbitClient
from apteco_frames.orbit.deadline import Deadline, run_all
from apteco_frames.orbit.decode import find_fault
from apteco_frames.orbit.json_text import load, results_error
from apteco_frames.orbit.load import MOST_FOLDERS, MOST_LEVELS
from apteco_frames.orbit.outcome import raise_for_status
from apteco_frames.orbit.paging import read_list
from apteco_frames.orbit.url import require_name
from apteco_frames.schema.column import INT, STRING, TIMESTAMP, Column
from apteco_frames.support.progress import Report
from apteco_frames.support.text import ASK_ADMINISTRATOR, list_names, truncate
from apteco_frames.support.times import decode_time

_Key = TypeVar("_Key")
_Result = TypeVar("_Result")

_GONE = 404
_NOT_HAD = frozenset({400, 403, _GONE})
_LISTS = {
    "audience": "Audiences",
    "dashboard": "Dashboards",
    "composition": "AudienceCompositions",
}

_ITEMS = (
    Column("id", INT, False, "id", ""),
    Column("title", STRING, True, "title", "", "description"),
    Column("system", STRING, True, "systemName", ""),
    Column("update", INT, True, "lastUpdateId", ""),
)
_ENTRIES = (
    Column("name", STRING, False, "name", ""),
    Column("path", STRING, False, "path", ""),
    Column("type", STRING, False, "type", ""),
)
_OBJECT = pa.struct([])
# What is read of a definition beside the variables, and what must be an object or a list.
_SHAPE = pa.struct(
    [
        pa.field("id", INT),
        *(pa.field(name, STRING) for name in ("title", "description", "systemName")),
        *(pa.field(name, TIMESTAMP) for name in ("lastUpdatedDate", "lastUpdatedOn")),
        pa.field("numberOfHits", INT),
        pa.field("owner", pa.struct([pa.field("username", STRING)])),
        *(pa.field(name, _OBJECT) for name in ("includeQuery", "excludeQuery", "bodyQuery")),
        *(pa.field(name, _OBJECT) for name in ("baseQuery", "selectionModifiers", "query")),
        *(pa.field(f"{which}CompositionDefinition", _OBJECT) for which in ("check", "export")),
        pa.field("dashboardItems", pa.list_(pa.field("item", _OBJECT, False))),
    ]
)


class Uses(NamedTuple):
    """What uses the variables of a system.

    Attributes:
        resources: the resources, by kind, each kind in the order of its list.
        refused: how many of each kind could not be read (status 400 or 403).
        warnings: what is odd about them, but usable, in sentences.
    """

    resources: list[Resource]
    refused: Mapping[str, int]
    warnings: tuple[str, ...]


class _Item(NamedTuple):
    """A resource that is to be asked for.

    Attributes:
        kind: its kind.
        id: its id, or the path of a file.
        title: its title, as the list has it.
        url: where it is.
        options: what goes with the request.
    """

    kind: str
    id: str
    title: str
    url: str
    options: dict[str, Any]


class _Listed(NamedTuple):
    """The resources of a kind that are listed, and what is odd about the list."""

    items: list[_Item]
    warnings: list[str]


def load_uses(
    client: OrbitClient,
    system: str,
    user: str,
    folders: Sequence[str],
    selectors: Set[str],
    deadline: Deadline,
    *,
    connections: int,
    report: Report | None = None,
) -> Uses:
    """What uses the variables of a system, as far as the user may see it.

    Args:
        client: whom to ask.
        system: name of the FastStats system.
        user: name of the user.
        folders: paths of directories in which to look for selection files.
        selectors: names of the variables whose lists hold codes.
        deadline: of the load.
        connections: requests under way at the same time, at most.
        report: called with the number of resources read so far, and of all.

    Raises:
        ApiError: there is no such directory, or it is refused.
        ApiResultsError: a resource is malformed; it is named.
        AptecoFramesError: another error of the tree.
    """
    orbit = _Orbit(client, system, user, deadline, connections)
    lists = dict(orbit.all((kind, partial(orbit.listed, kind)) for kind in _LISTS))
    listed = [lists[kind] for kind in _LISTS]
    if folders:
        listed.append(orbit.files(folders))
    warnings = [warning for each in listed for warning in each.warnings]
    order = [item for each in listed for item in each.items]
    found: dict[int, Resource] = {}
    refused: Counter[str] = Counter()
    calls = ((place, partial(orbit.resource, item, selectors)) for place, item in enumerate(order))
    for done, (place, resource) in enumerate(orbit.all(calls), 1):
        if isinstance(resource, Resource):
            found[place] = resource
        elif resource == "refused":
            refused[order[place].kind] += 1
        if report:
            report(done, len(order))
    if number := refused["file"]:
        warnings.append(
            f"The API refuses the queries of {number:,} selection file{'s' * (number > 1)} in "
            f"{orbit.place}; they are left out. Reading them needs the licence AdvancedQuery: ask "
            "your administrator for it."
        )
    return Uses([found[place] for place in sorted(found)], +refused, tuple(warnings))


class _Orbit:
    """The endpoints of resources, for the length of one load."""

    def __init__(
        self, client: OrbitClient, system: str, user: str, deadline: Deadline, connections: int
    ) -> None:
        self._client = client
        self._system = system
        self._user = user
        self._deadline = deadline
        self._connections = connections

    @property
    def place(self) -> str:
        """Of which system they are, for a sentence."""
        return f"system {truncate(self._system)!r} at {self._client.base_url}"

    def all(
        self, calls: Iterable[tuple[_Key, Callable[[Deadline], _Result]]]
    ) -> Iterator[tuple[_Key, _Result]]:
        """The results of several functions, each with its key, in the order in which they come."""
        part = self._deadline.part()
        started = ((key, partial(call, part)) for key, call in calls)
        return run_all(started, part, self._client.base_url, self._connections)

    def listed(self, kind: str, deadline: Deadline) -> _Listed:
        """Everybody's resources of a kind; or the user's, if the API lists no others."""
        paths = [[_LISTS[kind]], ["Users", self._user, _LISTS[kind]]]
        if kind == "composition":
            paths = [[_LISTS[kind], self._system]]
        warnings: list[str] = []
        for path in paths:
            rows = self._read(deadline, self._url(*path), _ITEMS)
            if not isinstance(rows, ApiError):
                items = [self._item(kind, row, path) for row in rows if self._is_own(row["system"])]
                return _Listed(list({item.id: item for item in items}.values()), warnings)
            # Older servers list nobody all dashboards, and may know no compositions.
            if rows.status != _GONE or kind == "audience":
                warnings = [self._not_listed(kind, rows, is_last=path is paths[-1])]
        return _Listed([], warnings)

    def _item(self, kind: str, row: Mapping[str, Any], path: Sequence[str]) -> _Item:
        """A resource of the list at a path."""
        key, title = str(row["id"]), row["title"] or ""
        if kind == "audience":
            options = {"params": {"includeBrief": "false"}}
            return _Item(kind, key, title, self._url("Audiences", key), options)
        if path == ["Dashboards"] and row["update"] is not None:
            url = self._url(*path, key, "Updates", str(row["update"]))
            return _Item(kind, key, title, url, {"params": {"includeTabDetails": "true"}})
        if kind == "dashboard":
            path = ["Users", self._user, "Dashboards"]
        return _Item(kind, key, title, self._url(*path, key), {})

    def _is_own(self, system: str | None) -> bool:
        """Whether what says that it is of a system, or says nothing, is of ours."""
        return system in (None, self._system)

    def files(self, folders: Sequence[str]) -> _Listed:
        """The selection files in directories, and in those below.

        Raises:
            ApiError: there is no such directory, or it is refused.
            ApiResultsError: the directories have no end.
        """
        files: dict[str, _Item] = {}
        refused: list[str] = []
        level = list(dict.fromkeys(folder.strip("/") for folder in folders))
        seen = set(level)
        url = self._url("Queries", self._system, "GetFileSync")
        for depth in range(MOST_LEVELS):
            contents = dict(self.all((path, partial(self._entries, path)) for path in level))
            below: dict[str, None] = {}
            for path in level:
                entries = contents[path]
                if isinstance(entries, ApiError | InvalidUrlError):
                    if not depth:
                        raise entries
                    if not (isinstance(entries, ApiError) and entries.status == _GONE):
                        refused.append(path)
                    continue
                for entry in entries:
                    if entry["type"].lower() == "directory":
                        below[entry["path"].strip("/")] = None
                    elif entry["type"].lower() == "selection":
                        options = {"json": {"path": entry["path"]}, "changes_nothing": True}
                        files[entry["path"]] = _Item(
                            "file", entry["path"], entry["name"], url, options
                        )
            level = [path for path in below if path not in seen]
            seen.update(level)
            if not level or len(seen) > MOST_FOLDERS:
                break
        if level:
            raise ApiResultsError(
                f"The directories of {self.place} seem to have no end: there are more than "
                f"{MOST_FOLDERS:,}, or more than {MOST_LEVELS} levels. Nothing was used. "
                f"{ASK_ADMINISTRATOR}"
            )
        warnings = [
            f"The API does not list the directories {list_names(refused)} of {self.place}; they "
            "are left out. Ask your administrator for the right to them."
        ]
        return _Listed(list(files.values()), warnings if refused else [])

    def resource(
        self, item: _Item, selectors: Set[str], deadline: Deadline
    ) -> Resource | Literal["refused", "left out"]:
        """What a resource names; left out is what is gone, or of another system.

        Raises:
            ApiResultsError: it is malformed.
        """
        method = "POST" if "json" in item.options else "GET"
        answer = self._client.request(method, item.url, deadline=deadline, **item.options)
        without = self._client.secrets.without
        with self._client.secrets.kept_out():
            if answer.status in _NOT_HAD and not answer.body.strip():
                # No gateway's: the API answered for the list right before.
                answer = answer._replace(body=b"{}")
            try:
                document = load(raise_for_status(answer), item.url, without, deep_json.loads)
                fault = find_fault(document, _SHAPE) or _fault(document, item)
                if fault:
                    raise results_error(fault, item.url)
                if not self._is_own(document.get("systemName")):
                    return "left out"
                if item.kind == "file" and not document.get("query"):
                    return "refused"
                try:
                    return _resource(item, document, selectors)
                except ValueError as error:
                    raise results_error(str(error), item.url) from None
            except ApiError as error:
                if error.status not in _NOT_HAD:
                    raise
                return "left out" if error.status == _GONE else "refused"
            except (ApiResultsError, GatewayError) as error:
                # Before they are truncated, or half of a token would show.
                key, title = map(without, (item.id, item.title))
                which = f"{item.kind} {truncate(key)!r} ({truncate(title)!r})"
                what = f"The {which} of {self.place} cannot be read."
                raise type(error)(f"{what} {error}") from None

    def _url(self, *segments: str) -> str:
        return self._client.data_view_url(*segments)

    def _entries(
        self, path: str, deadline: Deadline
    ) -> list[dict[str, Any]] | ApiError | InvalidUrlError:
        """What is in a directory, or why that is not to be had."""
        try:
            names = [require_name(name, "directory") for name in path.split("/") if path]
        except InvalidUrlError as error:
            return error
        return self._read(deadline, self._url("Directories", self._system, *names), _ENTRIES)

    def _read(
        self, deadline: Deadline, url: str, columns: tuple[Column, ...]
    ) -> list[dict[str, Any]] | ApiError:
        """A list, or why it is not to be had."""
        page = partial(self._client.page, url, columns, deadline, may_be_refused=_NOT_HAD)
        try:
            rows = read_list(page, self._client.page_size or FIRST_PAGE_SIZE, url)
        except ApiError as error:
            if error.status not in _NOT_HAD:
                raise
            return error
        return rows.to_pylist()  # type: ignore[no-any-return]

    def _not_listed(self, kind: str, error: ApiError, *, is_last: bool) -> str:
        nouns = "audience compositions" if kind == "composition" else f"{kind}s"
        if is_last:
            return (
                f"The API does not list the {nouns} of {self.place} (status {error.status}); they "
                "are left out. Ask your administrator for the right to them."
            )
        return (
            f"The API lists the {nouns} of all users to administrators only, so of {self.place} "
            f"these are the {nouns} of {truncate(self._user)!r}, and those shared with that user. "
            "Others may use a variable that nobody seems to use. Ask an administrator (OrbitAdmin) "
            "to look, or for the right to."
        )


def _fault(document: Mapping[str, Any], item: _Item) -> str | None:
    """What is wrong with a definition, in words."""
    if item.kind == "file":
        return None
    # What newer servers call a dashboard's is not known.
    given = document.get("id", item.id if item.kind == "dashboard" else "missing")
    return None if str(given) == item.id else f"$.id should be {item.id}, but is {given}"


def _resource(item: _Item, document: Mapping[str, Any], selectors: Set[str]) -> Resource:
    """What a definition says.

    Raises:
        ValueError: as of ``named_in``.
    """
    is_file = item.kind == "file"
    title = None if is_file else document.get("title")
    owner = document.get("owner") or {}
    updated = document.get("lastUpdatedDate") or document.get("lastUpdatedOn")
    return Resource(
        item.kind,
        item.id,
        title or item.title or document.get("description") or "",
        owner.get("username"),
        decode_time(updated) if updated else None,
        document.get("numberOfHits") if item.kind == "audience" else None,
        named_in({"query": document["query"]} if is_file else document, selectors),
    )
