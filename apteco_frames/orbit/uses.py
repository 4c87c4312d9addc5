"""Audiences, dashboards, audience compositions and selection files, and what each names.

One list of each kind, then one request for each resource. The lists of everybody's audiences
and dashboards are for administrators; others are given their own and those shared with them.
Selection files are found by walking directories; ``POST …/GetFileSync`` gives the query of one,
and changes nothing.

Of a definition only what it names is kept, so that memory does not grow with the definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa

from apteco_frames.analysis.uses import Resource, named_in
from apteco_frames.errors import ApiError, ApiResultsError, GatewayError, InvalidUrlError
from apteco_frames.orbit.client import FIRST_PAGE_SIZE, OrbitClient
from apteco_frames.orbit.deadline import Deadline, run_all
from apteco_frames.orbit.decode import find_fault
from apteco_frames.orbit.json_text import load, results_error
from apteco_frames.orbit.load import MOST_FOLDERS, MOST_LEVELS
from apteco_frames.orbit.outcome import Response, raise_for_status
from apteco_frames.orbit.paging import read_list
from apteco_frames.orbit.url import require_name
from apteco_frames.schema.column import INT, STRING, TIMESTAMP, Column
from apteco_frames.support.progress import Report
from apteco_frames.support.text import list_names, truncate
from apteco_frames.support.times import decode_time

_Key = TypeVar("_Key")
_Result = TypeVar("_Result")

_REFUSED = frozenset({400, 403})
_GONE = 404
_NOT_HAD = _REFUSED | {_GONE}

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
    warnings: tuple[str, ...] = ()


class _Refused(NamedTuple):
    """Why something is not to be had."""

    status: int


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
    listers: dict[str, Callable[[Deadline], _Listed]] = {
        "audience": orbit.audiences,
        "dashboard": orbit.dashboards,
        "composition": orbit.compositions,
    }
    listed = dict(orbit.all(listers.items()))
    if folders:
        listed["file"] = orbit.files(folders)
    order = [item for kind in (*listers, "file") if kind in listed for item in listed[kind].items]
    found: dict[int, Resource] = {}
    refused: dict[str, int] = {}
    calls = ((place, partial(orbit.resource, item, selectors)) for place, item in enumerate(order))
    for done, (place, resource) in enumerate(orbit.all(calls), 1):
        if isinstance(resource, Resource):
            found[place] = resource
        elif isinstance(resource, _Refused) and resource.status != _GONE:
            kind = order[place].kind
            refused[kind] = refused.get(kind, 0) + 1
        if report:
            report(done, len(order))
    warnings = [warning for kind in listed for warning in listed[kind].warnings]
    if "file" in refused:
        number = refused["file"]
        warnings.append(
            f"The API refuses the queries of {number:,} selection file{'s' * (number > 1)} in "
            f"{orbit.place}; they are left out. Reading them needs the licence AdvancedQuery: ask "
            "your administrator for it."
        )
    return Uses([found[place] for place in sorted(found)], refused, tuple(warnings))


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
        """The results of several functions, each with its key, as they come."""
        part = self._deadline.part()
        started = ((key, partial(call, part)) for key, call in calls)
        return run_all(started, part, self._client.base_url, self._connections)

    def audiences(self, deadline: Deadline) -> _Listed:
        """Everybody's audiences, or those of the user."""
        rows = self._list(deadline, "Audiences")
        warnings: tuple[str, ...] = ()
        if isinstance(rows, _Refused):
            if rows.status != _GONE:
                warnings = (self._only_own("audiences"),)
            rows = self._list(deadline, "Users", self._user, "Audiences")
        if isinstance(rows, _Refused):
            return _Listed([], self._not_listed("audiences", rows))
        options = {"params": {"includeBrief": "false"}}
        urls = (self._url("Audiences", str(row["id"])) for row in rows)
        return _Listed(self._items("audience", rows, urls, options), warnings)

    def dashboards(self, deadline: Deadline) -> _Listed:
        """Everybody's dashboards where the server lists them, or those of the user."""
        rows = self._list(deadline, "Dashboards")
        if not isinstance(rows, _Refused) and all(row["update"] is not None for row in rows):
            urls = (
                self._url("Dashboards", str(row["id"]), "Updates", str(row["update"]))
                for row in rows
            )
            options = {"params": {"includeTabDetails": "true"}}
            return _Listed(self._items("dashboard", rows, urls, options))
        warnings: tuple[str, ...] = ()
        if isinstance(rows, _Refused) and rows.status != _GONE:
            warnings = (self._only_own("dashboards"),)
        own = "Users", self._user, "Dashboards"
        rows = self._list(deadline, *own)
        if isinstance(rows, _Refused):
            return _Listed([], self._not_listed("dashboards", rows))
        urls = (self._url(*own, str(row["id"])) for row in rows)
        return _Listed(self._items("dashboard", rows, urls), warnings)

    def compositions(self, deadline: Deadline) -> _Listed:
        """The compositions of audiences of the system."""
        rows = self._list(deadline, "AudienceCompositions", self._system)
        if isinstance(rows, _Refused):
            return _Listed([], self._not_listed("audience compositions", rows))
        urls = (self._url("AudienceCompositions", self._system, str(row["id"])) for row in rows)
        return _Listed(self._items("composition", rows, urls))

    def files(self, folders: Sequence[str]) -> _Listed:
        """The selection files in directories, and in those below.

        Raises:
            ApiError: there is no such directory, or it is refused.
            ApiResultsError: the directories have no end.
        """
        files: dict[str, _Item] = {}
        refused: list[str] = []
        seen = dict.fromkeys(folder.strip("/") for folder in folders)
        level = list(seen)
        url = self._url("Queries", self._system, "GetFileSync")
        for depth in range(MOST_LEVELS):
            below: list[str] = []
            may_fail = depth > 0
            calls = [(path, partial(self._entries, path, may_fail)) for path in level]
            contents = dict(self.all(calls))
            for path in level:
                entries = contents[path]
                if isinstance(entries, _Refused):
                    refused += [path] if entries.status != _GONE else []
                    continue
                for entry in entries:
                    if entry["type"].lower() == "directory":
                        below.append(entry["path"].strip("/"))
                    elif entry["type"].lower() == "selection":
                        options = {"json": {"path": entry["path"]}}
                        item = _Item("file", entry["path"], entry["name"], url, options)
                        files.setdefault(entry["path"], item)
            level = [path for path in dict.fromkeys(below) if path not in seen]
            seen.update(dict.fromkeys(level))
            if not level or len(seen) > MOST_FOLDERS:
                break
        if level:
            raise ApiResultsError(
                f"The directories of {self.place} go on and on: there are more than "
                f"{MOST_FOLDERS:,}, or more than {MOST_LEVELS} within each other. Nothing was "
                "used. Show this message to the administrator of your Orbit installation."
            )
        warnings = [
            f"The API does not list the directories {list_names(refused)} of {self.place}; they "
            "are left out. Ask your administrator for the right to them."
        ]
        return _Listed(list(files.values()), tuple(warnings if refused else ()))

    def resource(
        self, item: _Item, selectors: Set[str], deadline: Deadline
    ) -> Resource | _Refused | None:
        """What a resource names; or why it is not to be had; None if it is of another system.

        Raises:
            ApiResultsError: it is malformed.
        """
        method = "POST" if "json" in item.options else "GET"
        answer = self._client.request(method, item.url, deadline=deadline, **item.options)
        with self._client.secrets.kept_out():
            try:
                body = raise_for_status(_own(answer))
            except ApiError as error:
                if error.status in _NOT_HAD:
                    return _Refused(error.status)
                raise
            try:
                document = load(body, item.url, self._client.secrets.without)
                fault = find_fault(document, _SHAPE) or _fault(document, item)
                if fault:
                    raise results_error(fault, item.url)
                if item.kind == "file":
                    document = {"query": document.get("query")}
                elif document.get("systemName") not in (None, self._system):
                    return None
                try:
                    named = named_in(document, selectors)
                except ValueError as error:
                    raise results_error(str(error), item.url) from None
            except (ApiResultsError, GatewayError) as error:
                # Before they are truncated, or half of a token would show.
                key, title = map(self._client.secrets.without, (item.id, item.title))
                which = f"{item.kind} {truncate(key)!r} ({truncate(title)!r})"
                what = f"Of the {self.place}, {which} cannot be read."
                raise type(error)(f"{what} {error}") from None
        return _resource(item, document, named)

    def _url(self, *segments: str) -> str:
        return self._client.data_view_url(*segments)

    def _list(self, deadline: Deadline, *segments: str) -> list[dict[str, Any]] | _Refused:
        """The items of a list that are of the system, or may be; or why they are not to be had."""
        rows = self._read(deadline, self._url(*segments), _ITEMS)
        if isinstance(rows, ApiError):
            return _Refused(rows.status or 0)
        return [row for row in rows if row["system"] in (None, self._system)]

    def _entries(
        self, path: str, may_fail: bool, deadline: Deadline
    ) -> list[dict[str, Any]] | _Refused:
        """What is in a directory, or why that is not to be had."""
        try:
            segments = [require_name(name, "directory") for name in path.split("/") if path]
        except InvalidUrlError:
            if may_fail:
                return _Refused(400)
            raise
        rows = self._read(deadline, self._url("Directories", self._system, *segments), _ENTRIES)
        if isinstance(rows, ApiError):
            if not may_fail:
                raise rows
            return _Refused(rows.status or 0)
        return rows

    def _read(
        self, deadline: Deadline, url: str, columns: tuple[Column, ...]
    ) -> list[dict[str, Any]] | ApiError:
        page = partial(self._client.page, url, columns, deadline, may_be_refused=_NOT_HAD)
        try:
            rows = read_list(page, self._client.page_size or FIRST_PAGE_SIZE, url)
        except ApiError as error:
            if error.status not in _NOT_HAD:
                raise
            return error
        return rows.to_pylist()  # type: ignore[no-any-return]

    def _items(
        self,
        kind: str,
        rows: Sequence[dict[str, Any]],
        urls: Iterable[str],
        options: dict[str, Any] | None = None,
    ) -> list[_Item]:
        items = {
            str(row["id"]): _Item(kind, str(row["id"]), row["title"] or "", url, options or {})
            for row, url in zip(rows, urls, strict=True)
        }
        return list(items.values())

    def _only_own(self, what: str) -> str:
        return (
            f"The API lists the {what} of all users to administrators only, so of {self.place} "
            f"these are the {what} of {truncate(self._user)!r}, and those shared with that user. "
            "Others may use a variable that nobody seems to use. Ask an administrator (OrbitAdmin) "
            "to look, or for the right to."
        )

    def _not_listed(self, what: str, refused: _Refused) -> tuple[str, ...]:
        if refused.status == _GONE:  # an older server has none
            return ()
        return (
            f"The API does not list the {what} of {self.place} (status {refused.status}); they "
            "are left out. Ask your administrator for the right to them.",
        )


def _own(answer: Response) -> Response:
    """An answer without a word is the API's own, since that answered for the list before."""
    is_silent = answer.status in _NOT_HAD and not answer.body.strip()
    return answer._replace(body=b"{}") if is_silent else answer


def _fault(document: Mapping[str, Any], item: _Item) -> str | None:
    """What is wrong with a definition, in words."""
    if item.kind != "file" and str(document.get("id", item.id)) != item.id:
        return f"$.id should be {item.id}, but is {document['id']}"
    return None


def _resource(item: _Item, document: Mapping[str, Any], named: tuple[Any, ...]) -> Resource:
    owner = document.get("owner") or {}
    updated = document.get("lastUpdatedDate") or document.get("lastUpdatedOn")
    return Resource(
        item.kind,
        item.id,
        document.get("title") or item.title or document.get("description") or "",
        owner.get("username"),
        decode_time(updated) if updated else None,
        document.get("numberOfHits") if item.kind == "audience" else None,
        named,
    )
