"""The server of the benchmarks of codes: a made-up system with 562,740 of them.

1,009 variables, 827 of them selectors, with 103,000 codes down to 2, by a power law.
``python codes_server.py`` prints its port and serves until it is ended; answers to paths
that start with ``/slow`` come 20 ms late.
"""

from __future__ import annotations

import random
from typing import Any

import server
import system

VARIABLES = 1_009
SELECTORS = 827
CODES = 562_740
LARGEST = 103_000
DELAY_SECONDS = 0.02
# Of the power law, chosen so that the smallest has 2 codes, and all together 562,740.
_SHIFT, _EXPONENT = 4.896299481386549, 2.192058570837879


def sizes() -> list[int]:
    """Numbers of codes of the selectors, in no particular order."""
    largest_first = [
        round(LARGEST * ((rank + _SHIFT) / (1 + _SHIFT)) ** -_EXPONENT)
        for rank in range(1, SELECTORS + 1)
    ]
    random.Random(1).shuffle(largest_first)
    return largest_first


def name_of(number: int) -> str:
    """Name of a variable."""
    return f"va{number:04}"


def variables() -> list[dict[str, Any]]:
    """All variables: the selectors, then numbers."""
    items = [system.variable(10 * number) for number in range(VARIABLES)]  # all selectors
    for number, item in enumerate(items):
        item["name"] = name_of(number)
    for item, size in zip(items, sizes(), strict=False):
        item["selectorInfo"].update(numberOfCodes=size, subType="Categorical")
    for item in items[SELECTORS:]:
        del item["selectorInfo"]
        item["type"] = "Numeric"
    return items


def codes(number: int, size: int) -> list[dict[str, Any]]:
    """The codes of a variable."""
    return [
        {
            "code": f"{place:06}",
            "description": f"Category {place} of {number}",
            "count": 7 * place + number,
        }
        for place in range(size)
    ]


class Handler(server.Handler):
    """Sends a variable's codes in one page, however many are asked for."""

    delay_seconds = DELAY_SECONDS
    pages: dict[str, bytes]

    def answer(self, path: str, offset: int, count: int) -> bytes | None:
        """The body for a path; None if there is nothing."""
        parent, _, last = path.rpartition("/")
        if last == "Codes":
            return self.pages.get(parent.rpartition("/")[2])
        if last == "Variables":
            return self.pages["Variables"]
        return super().answer(path, 0, 0)


def main() -> None:
    """Render, say the port, serve."""
    Handler.answers = server.rendered(0, [])
    tables = system.tables()
    Handler.answers["Tables", 0, 0] = system.page(tables, 0, len(tables), len(tables))
    items = variables()
    Handler.pages = {
        name_of(number): system.page(codes(number, size), 0, size, size)
        for number, size in enumerate(sizes())
    }
    assert sum(sizes()) == CODES
    Handler.pages["Variables"] = system.page(items, 0, len(items), len(items))
    server.serve(Handler)


if __name__ == "__main__":
    main()
