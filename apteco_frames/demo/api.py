"""What the demo server answers: the Orbit API's rules without its sockets.

The endpoints are those of the API's own description (``/swagger/docs/v2``):

- ``POST /{dataView}/Sessions/SimpleLogin``
- ``GET`` and ``DELETE /{dataView}/Sessions/{sessionId}``
- ``GET /About/Version``, ``/About/DataViews``, ``/About/DataViews/{dataView}``
- ``GET /{dataView}/FastStatsSystems`` and ``…/FastStatsSystems/{system}``
- ``GET …/{system}/Tables``, ``…/Tables/{table}``, ``…/Variables``, ``…/Variables/{variable}``
- ``GET`` and ``POST …/Variables/{variable}/Codes``
- ``GET …/{system}/Folders``, ``…/Folders/{path}``, ``…/All``
- ``GET /{dataView}/Audiences``, ``…/Audiences/{id}``, ``/{dataView}/Users/{user}/Audiences``
- ``GET /{dataView}/Users/{user}/Dashboards``, ``…/Dashboards/{id}``
- ``GET /{dataView}/AudienceCompositions/{system}``, ``…/{id}``
- ``GET /{dataView}/Directories/{system}``, ``…/{path}``
- ``POST /{dataView}/Queries/{system}/GetFileSync``

The login and ``About`` need no token. Where the description leaves a choice: the fixed
words of a path are matched in any case, names are not; a path that is unknown, or known
with another method only, is 404; ``count=0`` is a page without items; numbers beyond 32
bits are as bad as negative ones; another live session's id is 400, as described. The
segments of a folder's path are encoded one by one, so that a name may hold a "/". Codes
of what is no selector are 400. ``POST`` on codes answers as ``GET`` does: there is nothing
to read anew. A catalogue without folders is served as by an older server, without their
paths; codes that a catalogue lacks are 404, as an empty list would say that there are none,
and those that were refused when it was read are 403. ``…/All`` needs codes and folders.

Audiences and the like are there for a system that is called ``holidays``. As on a server of this
version, nobody lists the dashboards of all users. Without the right of an administrator
(OrbitAdmin) the list of all audiences is 403, as is what belongs to others and is not shared, and
so are the queries of selection files, as they are without the licence for them (AdvancedQuery).
"""

from __future__ import annotations

import json
import math
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from hmac import compare_digest
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote

import jwt

from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import render, resources
from apteco_frames.demo.contents import Contents
from apteco_frames.demo.holidays import date_settings, demo_user
from apteco_frames.demo.resources import Resource

VERSION = "1.9.19-demo"
PASSWORD = "sun-sand-sea"
DEFAULT_COUNT = 10
_INT32_MAX = 2**31 - 1

_CAPABILITIES = ("supportsAudiences", "supportsPermissions", "supportsDashboardsPareto")
_LICENCE = (
    "audienceSelection",
    "audiencePreview",
    "export",
    "advancedQuery",
    "cube",
    "profile",
    "dashboards",
    "dashboardsPareto",
)


class Request(NamedTuple):
    """What of an HTTP request matters to the API.

    Attributes:
        method: ``GET``, ``POST``, …
        target: path and query as they were sent, percent-encoded.
        authorization: the ``Authorization`` header; empty if there is none.
        body: the body as it was sent.
    """

    method: str
    target: str
    authorization: str = ""
    body: bytes = b""


class Answer(NamedTuple):
    """An HTTP answer.

    Attributes:
        status: HTTP status code.
        body: UTF-8 JSON; empty for 204.
    """

    status: int
    body: bytes = b""


_RESOURCES = ("audiences", "users", "audiencecompositions", "directories", "queries")


class DemoApi:
    """The Orbit API of one DataView. Its methods may be called from many threads.

    Args:
        catalogue: what to serve, with the codes and folders that it holds now.
        others: further systems of the DataView, by names of their own.
        token_lifetime: how long an access token is valid, in seconds.
        is_admin: whether the user is an administrator (OrbitAdmin) with all licences.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        others: Iterable[Catalogue] = (),
        *,
        token_lifetime: float = 3600,
        is_admin: bool = True,
    ) -> None:
        info = catalogue.system_info
        self.data_view: str = info.view_name
        self.system: str = info.name
        self.user: dict[str, Any] = demo_user()
        self.password = PASSWORD
        self._is_admin = is_admin
        self._token_lifetime = token_lifetime
        self._key = secrets.token_bytes(32)
        self._sessions: dict[str, int] = {}
        self._lock = threading.Lock()
        self._error_ids = count(1)

        served = {each.system_info.name: each for each in (catalogue, *others)}
        self._systems = [render.encode(render.system(c.system_info)) for c in served.values()]
        self._data_views = [render.encode({"name": self.data_view})]
        self._served = {
            name: (
                render.encode(render.system_detail(each.system_info, date_settings())),
                Contents(each),
            )
            for name, each in served.items()
        }

    def answer(self, request: Request) -> Answer:
        """The answer to a request. Whatever is refused has an ``ErrorMessage`` as its body.

        >>> from apteco_frames.demo import holidays
        >>> api = DemoApi(holidays())
        >>> api.answer(Request("GET", "/OrbitAPI/About/Version"))
        Answer(status=200, body=b'{"version":"1.9.19-demo"}')
        """
        try:
            return self._route(request)
        except _Refusal as refusal:
            error = {
                "code": refusal.status,
                "id": next(self._error_ids),
                "message": refusal.message,
                "parameters": [{"key": k, "value": v} for k, v in refusal.parameters.items()],
            }
            return Answer(refusal.status, render.encode(error))

    def end_sessions(self) -> None:
        """End every session, as a restart of the API does: their tokens are 401 from now on."""
        with self._lock:
            self._sessions.clear()

    def _route(self, request: Request) -> Answer:
        path, _, query = request.target.partition("?")
        root, *names = [unquote(part) for part in path.removeprefix("/").split("/")]
        if names and not names[-1]:
            names.pop()
        if root.lower() != "orbitapi":
            raise _no_such_path(path)
        # Names may be the words of another path: what is fixed is told by its place.
        words = [name.lower() if i in (0, 1, 3) else "" for i, name in enumerate(names)]
        match request.method, *words:
            case "GET", "about", "version":
                return Answer(200, render.encode({"version": VERSION}))
            case "GET", "about", "dataviews":
                return _page(self._data_views, query)
            case "GET", "about", "dataviews", _:
                self._check_data_view(names[2])
                capabilities = dict.fromkeys(_CAPABILITIES, True)
                return Answer(200, render.encode({"capabilities": capabilities, "name": names[2]}))
            case "POST", _, "sessions", _ if names[2].lower() == "simplelogin":
                self._check_data_view(names[0])
                return self._log_in(request.body)
            case ("GET" | "DELETE") as method, _, "sessions", _:
                session_id = self._check_token(request.authorization)
                self._check_data_view(names[0])
                return self._session(method, names[2], session_id)
            case ("GET" | "POST") as method, _, "faststatssystems", *more:
                self._check_token(request.authorization)
                self._check_data_view(names[0])
                if method == "GET" and not more:
                    return _page(self._systems, query)
                if more and names[2] not in self._served:
                    raise _not_found("FastStats system", "systemName", names[2])
                return self._system(method, names[2:], query, path)
            case (("GET" | "POST"), _, noun, *_) if noun in _RESOURCES:
                self._check_token(request.authorization)
                self._check_data_view(names[0])
                return self._resource(request, names[1:], query, path)
        raise _no_such_path(path)

    def _resource(self, request: Request, names: list[str], query: str, path: str) -> Answer:
        """What there is of audiences and the like."""
        # As in _route: the first and the third of these may be fixed words.
        words = [name.lower() if i in (0, 2) else "" for i, name in enumerate(names)]
        match request.method, *words:
            case "GET", "audiences", *_:
                if len(names) == 1:
                    self._check_admin("list the audiences of all users")
                return self._of_kind("audiences", names[1:], query, self._may_see)
            case "GET", "users", _, "audiences" | "dashboards" as which, *_:
                if names[1] != self.user["username"]:
                    raise _not_found("user", "username", names[1])
                return self._of_kind(which, names[3:], query, self._is_own)
            case "GET", "audiencecompositions", _, *_:
                self._check_system(names[1])
                if names[1] != resources.SYSTEM:
                    return _page([], query)
                return self._of_kind("compositions", names[2:], query, self._may_see)
            case "GET", "directories", _, *_:
                self._check_system(names[1])
                there = resources.directories() if names[1] == resources.SYSTEM else {"": []}
                directory = "/".join(names[2:])
                if directory not in there:
                    raise _not_found("directory", "path", directory)
                return _page(there[directory], query)
            case "POST", "queries", _, "getfilesync":
                self._check_system(names[1])
                self._check_admin("read the query of a selection file")
                return self._selection_file(request.body, names[1])
        raise _no_such_path(path)

    def _selection_file(self, body: bytes, system: str) -> Answer:
        try:
            path = json.loads(body)["path"]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise _Refusal(400, "The body should be a JSON object with a path.") from None
        files = resources.files_by_path() if system == resources.SYSTEM else {}
        if not isinstance(path, str) or path not in files:
            raise _not_found("selection file", "path", str(path))
        return Answer(200, files[path])

    def _of_kind(
        self, kind: str, keys: Sequence[str], query: str, shows: Callable[[Resource], bool]
    ) -> Answer:
        """The list of a kind, or the one of an id."""
        of, noun = self._resources[kind], kind.removesuffix("s")
        if not keys:
            return _page([each.summary for each in of.values() if shows(each)], query)
        key = "/".join(keys)
        if key not in of:
            raise _not_found(noun, "id", key)
        if not self._may_see(of[key]):
            raise _Refusal(403, f"The {noun} is not shared with you.", {"id": key})
        return Answer(200, of[key].detail)

    def _is_own(self, resource: Resource) -> bool:
        return resource.is_shared or resource.owner == self.user["username"]

    def _may_see(self, resource: Resource) -> bool:
        return self._is_admin or self._is_own(resource)

    def _check_admin(self, what: str) -> None:
        if not self._is_admin:
            raise _Refusal(403, f"The user may not {what}.")

    def _check_system(self, name: str) -> None:
        if name not in self._served:
            raise _not_found("FastStats system", "systemName", name)

    @cached_property
    def _resources(self) -> dict[str, dict[str, Resource]]:
        """Audiences, dashboards and compositions; made on first use, since few ask for them."""
        if resources.SYSTEM not in self._served:
            return {"audiences": {}, "dashboards": {}, "compositions": {}}
        _, contents = self._served[resources.SYSTEM]

        def lookup(name: str) -> dict[str, Any] | None:
            row = contents.variable_rows.get(name)
            return None if row is None else json.loads(contents.variables[row])

        return {
            kind: {each.id: each for each in of}
            for kind, of in resources.of_all_kinds(lookup).items()
        }

    def _system(self, method: str, names: list[str], query: str, path: str) -> Answer:
        if not names:
            raise _no_such_path(path)
        detail, contents = self._served[names.pop(0)]
        # As above: the first and the third of these may be fixed words.
        words = [name.lower() if i in (0, 2) else "" for i, name in enumerate(names)]
        match method, *words:
            case ["GET"]:
                return Answer(200, detail)
            case "GET", "tables":
                return _page(contents.tables, query)
            case "GET", "variables":
                return _page(contents.variables, query)
            case "GET", "tables", _:
                what = ("table", "tableName")
                return _one(contents.tables, contents.table_rows, names[1], *what)
            case "GET", "variables", _:
                what = ("variable", "variableName")
                return _one(contents.variables, contents.variable_rows, names[1], *what)
            case _, "variables", _, "codes":
                return _codes(contents, names[1], query)
            case "GET", "folders", *_ if contents.has_folders:
                nodes = contents.nodes(tuple(names[1:]))
                if nodes is None:
                    raise _not_found("folder", "path", "/".join(names[1:]))
                return _page(nodes, query)
            case "GET", "all" if contents.has_folders and contents.has_codes:
                with_counts = _flag(_options(query), "includeVarCodeCounts", True)
                return _page(contents.everything(with_counts=with_counts), query)
        raise _no_such_path(path)

    def _check_data_view(self, name: str) -> None:
        if name != self.data_view:
            raise _not_found("DataView", "dataViewName", name)

    def _log_in(self, body: bytes) -> Answer:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        if "UserLogin" not in fields or "Password" not in fields:
            raise _Refusal(400, "The form fields UserLogin and Password are required.")
        user, password = fields["UserLogin"][0], fields["Password"][0]
        right = user == self.user["username"], _is_equal(password, self.password)
        if not all(right):
            raise _Refusal(401, "The user name or the password is not right.", {"userLogin": user})
        now = time.time()
        session_id = str(uuid.uuid4())
        expires = math.ceil(now + self._token_lifetime)
        with self._lock:
            # Clients that never log out must not make the server grow for ever.
            self._sessions = {k: end for k, end in self._sessions.items() if end > now}
            self._sessions[session_id] = expires
        claims = {"sub": user, "jti": session_id, "iat": math.floor(now), "exp": expires}
        details = {
            "accessToken": jwt.encode(claims, self._key, algorithm="HS256"),
            "user": self.user,
            "sessionId": session_id,
            "lastLogin": datetime.now().isoformat(timespec="seconds"),
            "licence": {**dict.fromkeys(_LICENCE, True), "advancedQuery": self._is_admin},
        }
        return Answer(201, render.encode(details))

    def _check_token(self, authorization: str) -> str:
        """The id of the session that the token belongs to."""
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _Refusal(401, "This needs an access token, and the request holds none.")
        try:
            claims = jwt.decode(
                token.strip(),
                self._key,
                algorithms=["HS256"],
                options={"require": ["exp", "jti"]},
            )
        except jwt.ExpiredSignatureError:
            raise _Refusal(401, "The access token has expired.") from None
        except jwt.InvalidTokenError:
            raise _Refusal(401, "The access token is not one of this server.") from None
        session_id: str = claims["jti"]
        if session_id not in self._sessions:
            raise _Refusal(401, "The session of this access token has ended.")
        return session_id

    def _session(self, method: str, asked: str, own: str) -> Answer:
        if asked != own:
            if asked in self._sessions:
                raise _Refusal(400, "The session is not the one that the access token is of.")
            raise _not_found("session", "sessionId", asked)
        if method == "GET":
            return Answer(200, render.encode({"user": self.user, "sessionId": own}))
        with self._lock:
            self._sessions.pop(own, None)
        return Answer(204)


class _Refusal(Exception):
    """A request is answered with an ``ErrorMessage``."""

    def __init__(self, status: int, message: str, parameters: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.parameters = parameters or {}


def _codes(contents: Contents, variable: str, query: str) -> Answer:
    if variable not in contents.variable_rows:
        raise _not_found("variable", "variableName", variable)
    key = {"variableName": variable}
    if not contents.is_selector(variable):
        raise _Refusal(400, f"The variable {variable!r} is no selector: it has no codes.", key)
    if not contents.has_codes:
        raise _Refusal(404, "The catalogue that the demo server serves lacks codes.", key)
    if variable in contents.refused:
        raise _Refusal(403, f"The codes of {variable!r} were refused when they were read.", key)
    return _page(contents.codes(variable), query)


def _not_found(noun: str, key: str, name: str) -> _Refusal:
    return _Refusal(404, f"The {noun} {name!r} can't be found.", {key: name})


def _no_such_path(path: str) -> _Refusal:
    return _Refusal(404, "The demo server has nothing at this path.", {"path": path})


def _one(items: Sequence[bytes], rows: dict[str, int], name: str, noun: str, key: str) -> Answer:
    if name not in rows:
        raise _not_found(noun, key, name)
    return Answer(200, items[rows[name]])


def _options(query: str) -> dict[str, str]:
    return {key.lower(): values[0] for key, values in parse_qs(query).items()}


def _page(items: render.Items, query: str) -> Answer:
    options = _options(query)
    for name in ("filter", "orderBy"):
        if name.lower() in options:
            raise _Refusal(400, f"The demo server lacks {name}.", {name: options[name.lower()]})
    offset = _natural(options, "offset", 0)
    return Answer(200, render.encode_page(items, offset, _natural(options, "count", DEFAULT_COUNT)))


def _natural(options: dict[str, str], name: str, default: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    # The length first: int() refuses thousands of digits with an error of its own.
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _INT32_MAX):
        wanted = f"{name} should be an integer from 0 to {_INT32_MAX}."
        raise _Refusal(400, wanted, {name: text})
    return int(text)


def _flag(options: dict[str, str], name: str, default: bool) -> bool:
    text = options.get(name.lower(), str(default))
    if text.lower() not in ("true", "false"):
        raise _Refusal(400, f"{name} should be true or false.", {name: text})
    return text.lower() == "true"


def _is_equal(given: str, right: str) -> bool:
    return compare_digest(given.encode("utf-8", "replace"), right.encode())
