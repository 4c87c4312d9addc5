"""The server of the benchmark of uses: a made-up system with 2,000 audiences of some 4 kB.

Each selects by six to ten of 1,000 variables. ``python uses_server.py`` prints its port and
serves until it is ended; answers to paths that start with ``/slow`` come 20 ms late.
"""

from __future__ import annotations

import json
import random
from typing import Any

import server
import system

VARIABLES = 1_000
AUDIENCES = 2_000
DELAY_SECONDS = 0.02


def audience(number: int) -> dict[str, Any]:
    """A whole audience, as the API has it."""
    draw = random.Random(number)
    items = [system.variable(draw.randrange(VARIABLES)) for _ in range(draw.randint(6, 10))]
    operands = []
    for item in items:
        codes = [f"{draw.randrange(100):02}" for _ in range(draw.randint(1, 4))]
        rule = {"list": "\t".join(codes), "variableName": item["name"]}
        criteria = {
            "variableName": item["name"],
            "include": True,
            "logic": "OR",
            "ignoreCase": False,
            "textMatchType": "Is",
            "valueRules": [{"listRule": rule}],
            "tableName": item["tableName"],
        }
        operands.append({"criteria": criteria})
    logic = {"operation": "AND", "operands": operands, "tableName": "Table00"}
    rule = {"clause": {"logic": logic}}
    selection = {"ancestorCounts": True, "rule": rule, "tableName": "Table00"}
    lookup = [
        {"variable": {k: v for k, v in item.items() if "Info" not in k}, "varCodesLookup": []}
        for item in items[:4]
    ]
    return {
        "includeQuery": {"selection": selection},
        "queriesLookup": {"variablesLookup": lookup, "foldersLookup": []},
        **summary(number),
    }


def summary(number: int) -> dict[str, Any]:
    """An audience in the list."""
    user = {"id": 1, "username": "u", "firstname": "f", "surname": "s", "emailAddress": "e"}
    return {
        "id": number,
        "title": f"Audience {number}",
        "description": "",
        "creationDate": "2026-11-01T00:00:00",
        "owner": user,
        "resolveTableName": "Table00",
        "numberOfUsersSharedWith": 0,
        "sharedToAll": False,
        "numberOfHits": number % 50,
        "systemName": "benchmark",
        "lastUpdatedUser": user,
        "lastUpdatedDate": "2026-11-01T00:00:00",
        "lastUpdateId": number,
    }


class Handler(server.Handler):
    """Sends audiences, and empty lists of what else there may be."""

    delay_seconds = DELAY_SECONDS
    audiences: list[bytes]
    summaries: list[dict[str, Any]]
    variables: bytes

    def answer(self, path: str, offset: int, count: int) -> bytes | None:
        """The body for a path; None if there is nothing."""
        parent, _, last = path.rpartition("/")
        if parent.endswith("/Audiences"):
            return self.audiences[int(last)]
        if last == "Audiences":
            items = self.summaries[offset : offset + count]
            return system.page(items, offset, count, AUDIENCES)
        if (last == "Dashboards" and "Users" in path) or "AudienceCompositions" in path:
            return system.page([], 0, 0, 0)
        if last == "Variables":
            return self.variables
        return super().answer(path, 0, 0)


def main() -> None:
    """Render, say the port, serve."""
    Handler.answers = server.rendered(0, [])
    tables = system.tables()
    Handler.answers["Tables", 0, 0] = system.page(tables, 0, len(tables), len(tables))
    variables = [system.variable(number) for number in range(VARIABLES)]
    Handler.variables = system.page(variables, 0, VARIABLES, VARIABLES)
    Handler.summaries = [summary(number) for number in range(AUDIENCES)]
    Handler.audiences = [json.dumps(audience(number)).encode() for number in range(AUDIENCES)]
    server.serve(Handler)


if __name__ == "__main__":
    main()
