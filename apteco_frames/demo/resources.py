"""The audiences, dashboards, compositions and selection files of Holidays, as the API has them.

All are made up, and so are their owners. ``holidays-resources.json`` has what is in dashboards and
compositions as the API has it, and queries in few words: a criteria is a list, the name of a
variable and its codes, or an object with ``variable`` and a ``list`` as the API has it; ``and``,
``or`` and ``not`` combine others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from apteco_frames.demo import render
from apteco_frames.demo.holidays import demo_user

SYSTEM = "holidays"
"""Name of the system that they are of."""

_FILE = "holidays-resources.json"
_COMPOSED = "checkCompositionDefinition", "exportCompositionDefinition"

Lookup = Callable[[str], dict[str, Any] | None]
"""Gives the item of a variable as the API has it; None if there is no such variable."""


class Resource(NamedTuple):
    """An audience, a dashboard or a composition.

    Attributes:
        id: its id, as a URL has it.
        owner: user name of its owner.
        is_shared: whether all users may see it.
        summary: the item of a list, encoded.
        detail: the whole, encoded.
    """

    id: str
    owner: str
    is_shared: bool
    summary: bytes
    detail: bytes


def of_all_kinds(lookup: Lookup) -> dict[str, list[Resource]]:
    """The audiences, dashboards and compositions."""
    made = {"audiences": _audience, "dashboards": _dashboard, "compositions": _composition}
    return {kind: [make(spec, lookup) for spec in _data()[kind]] for kind, make in made.items()}


@cache
def directories() -> dict[str, list[bytes]]:
    """What is in each directory, encoded; the topmost is called by an empty text."""
    found: dict[str, dict[str, str]] = {"": {}}
    for spec in _data()["files"]:
        names = spec["path"].split("/")
        for depth in range(1, len(names)):
            above, path = "/".join(names[: depth - 1]), "/".join(names[:depth])
            found.setdefault(path, {})
            found[above][path] = "Directory"
        found["/".join(names[:-1])][spec["path"]] = spec.get("type", "Selection")
    return {
        path: render.encode_all(
            {"name": inner.rpartition("/")[2], "path": inner, "type": kind}
            for inner, kind in entries.items()
        )
        for path, entries in found.items()
    }


@cache
def files_by_path() -> dict[str, bytes]:
    """The query of each selection file as the API's ``QueryResult``, encoded."""
    return {
        spec["path"]: render.encode(
            {
                "title": spec["path"].rpartition("/")[2].removesuffix(".xml"),
                "ranSuccessfully": True,
                "systemName": SYSTEM,
                "counts": [],
                "messages": [],
                "query": _query(spec["query"], spec["table"]),
            }
        )
        for spec in _data()["files"]
        if "query" in spec
    }


def _audience(spec: dict[str, Any], lookup: Lookup) -> Resource:
    facts = {
        **_facts(spec),
        "description": "",
        "creationDate": spec["updated"],
        "resolveTableName": spec["table"],
        "numberOfHits": spec["hits"],
        "lastUpdatedUser": _user(spec["owner"]),
        "lastUpdatedDate": spec["updated"],
        "lastUpdateId": 1000 + spec["id"],
    }
    queries = {
        f"{which}Query": _query(spec[which], spec["table"])
        for which in ("include", "exclude", "body")
        if which in spec
    }
    modifiers = {
        name: spec[short]
        for name, short in (("topN", "top"), ("nPer", "per"), ("rfv", "rfv"))
        if short in spec
    }
    detail = {**queries, "queriesLookup": _lookup(spec, lookup), **facts}
    if modifiers:
        detail["selectionModifiers"] = modifiers
    return _resource(spec, {**facts, "status": "Default", **_seen(spec)}, detail)


def _dashboard(spec: dict[str, Any], lookup: Lookup) -> Resource:
    facts = {
        **_facts(spec),
        "createdOn": spec["updated"],
        "lastUpdatedOn": spec["updated"],
        "lastUpdatedBy": _user(spec["owner"]),
        "lastUpdateId": 2000 + spec["id"],
        **_seen(spec),
    }
    detail = {**facts, "dashboardItems": spec["dashboardItems"]}
    if "base" in spec:
        detail["baseQuery"] = _query(spec["base"], spec["table"])
        detail["baseQueryLookup"] = _lookup({"base": spec["base"]}, lookup)
    return _resource(spec, {**facts, "status": "Default"}, detail)


def _composition(spec: dict[str, Any], lookup: Lookup) -> Resource:
    facts = {**_facts(spec), "description": spec["title"], "type": spec["type"]}
    del facts["title"]
    definition = {name: spec[name] for name in _COMPOSED if name in spec}
    detail = {**facts, **definition, "compositionsLookup": _lookup(definition, lookup)}
    return _resource(spec, facts, detail)


def _resource(spec: dict[str, Any], facts: Any, detail: Any) -> Resource:
    texts = map(render.encode, (facts, detail))
    return Resource(str(spec["id"]), spec["owner"], bool(spec.get("shared")), *texts)


def _facts(spec: dict[str, Any]) -> dict[str, Any]:
    """What all of them have."""
    return {
        "id": spec["id"],
        "title": spec["title"],
        "systemName": SYSTEM,
        "owner": _user(spec["owner"]),
        "numberOfUsersSharedWith": 0,
        "sharedToAll": bool(spec.get("shared")),
    }


def _seen(spec: dict[str, Any]) -> dict[str, Any]:
    """What the list of a user has."""
    name = demo_user()["username"]
    return {"viewingUsername": name, "sharedToMe": spec["owner"] != name, "sharedByMe": False}


def _user(name: str) -> dict[str, Any]:
    """An owner as the API's ``UserDisplayDetails``."""
    user = demo_user()
    if name != user["username"]:
        first, last = _data()["users"][name]
        user = {"username": name, "firstname": first, "surname": last}
        user["emailAddress"] = f"{name}@holidays.example"
    number = sorted(_data()["users"]).index(name) + 2 if name in _data()["users"] else 1
    return {"id": number, **user}


def _query(clause: Any, table: str) -> dict[str, Any]:
    rule = {"clause": _clause(clause, table)}
    return {"selection": {"ancestorCounts": True, "rule": rule, "tableName": table}}


def _clause(clause: Any, table: str, include: bool = True) -> dict[str, Any]:
    if isinstance(clause, list):
        clause = {"variable": clause[0], "list": "\t".join(clause[1:])}
    if "not" in clause:
        return _clause(clause["not"], table, not include)
    for word in ("and", "or"):
        if word in clause:
            operands = [_clause(each, table) for each in clause[word]]
            return {"logic": {"operation": word.upper(), "operands": operands, "tableName": table}}
    if "expression" in clause:
        rule = {"tableName": table, "serverText": clause["expression"], "outputType": "Double"}
        return {"criteria": {"include": include, "tableName": table, "expressionRule": rule}}
    rule = {"list": clause["list"], "variableName": clause["variable"]}
    if "banding" in clause:
        rule["bandingType"] = clause["banding"]
    criteria = {
        "variableName": clause["variable"],
        "include": include,
        "logic": "OR",
        "ignoreCase": False,
        "textMatchType": clause.get("match", "Is"),
        "valueRules": [{"listRule": rule}],
        "tableName": table,
    }
    return {"criteria": criteria}


def _lookup(spec: dict[str, Any], lookup: Lookup) -> dict[str, Any]:
    """The variables of a resource as the API's ``SystemLookup``: those that there are."""
    names = dict.fromkeys(_named(spec))
    items = [item for item in map(lookup, names) if item is not None]
    return {
        "variablesLookup": [{"variable": item, "varCodesLookup": []} for item in items],
        "foldersLookup": [],
    }


def _named(value: Any) -> Iterator[str]:
    """What may be the name of a variable: every text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _named(item)


@cache
def _data() -> dict[str, Any]:
    text = files("apteco_frames.demo").joinpath(_FILE).read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data
