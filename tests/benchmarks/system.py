"""A made-up system of any size, in the layout of the Orbit API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

TABLES = 20


def details() -> dict[str, Any]:
    """The system's details."""
    return {
        "dateSettings": {"useIso8601WeekOfYear": True},
        "name": "benchmark",
        "description": "A system to measure with",
        "viewName": "Benchmark",
        "fastStatsBuildDate": "2026-01-02T03:04:05",
    }


def tables() -> list[dict[str, Any]]:
    """Twenty tables: a master table with its children."""
    return [
        {
            "name": f"Table{number:02}",
            "singularDisplayName": f"Record {number}",
            "pluralDisplayName": f"Records {number}",
            "isDefaultTable": number == 0,
            "isPeopleTable": number == 0,
            "totalRecords": 1_000_000 + number,
            "childRelationshipName": "has",
            "parentRelationshipName": "belongs to",
            "hasChildTables": number == 0,
            "parentTable": "Table00" if number else "",
        }
        for number in range(TABLES)
    ]


def variable(number: int) -> dict[str, Any]:
    """One variable; eight in ten are selectors, one in twenty is about a date."""
    kind = "Numeric" if number % 10 == 8 else "Text" if number % 10 == 9 else "Selector"
    dated = number % 20 == 3
    item: dict[str, Any] = {
        "name": f"va{number:07}",
        "description": f"{'Date' if dated else 'Measure'} {number} of the customer",
        "type": kind,
        "folderName": f"Folder {number % 50}",
        "tableName": f"Table{number % TABLES:02}",
        "isSelectable": True,
        "isBrowsable": True,
        "isExportable": True,
        "isVirtual": number % 7 == 0,
    }
    if kind == "Selector":
        item["selectorInfo"] = {
            "selectorType": "SingleValue",
            "subType": "Date" if dated else "Categorical",
            "varCodeOrder": "Nominal",
            "numberOfCodes": number % 1000,
            "codeLength": 3,
            "minimumVarCodeCount": 1,
            "maximumVarCodeCount": number,
            **(
                {"minimumDate": "2015-01-01T00:00:00", "maximumDate": "2026-01-01T00:00:00"}
                if dated
                else {}
            ),
        }
    elif kind == "Numeric":
        item["numericInfo"] = {
            "minimum": 0.5,
            "maximum": number + 0.25,
            "isCurrency": True,
            "currencyLocale": "en-GB",
            "currencySymbol": "£",
        }
    else:
        item["textInfo"] = {"maximumTextLength": 40}
    return item


def page(items: list[dict[str, Any]], offset: int, asked: int, total: int) -> bytes:
    """A page as the API sends it."""
    head = {"offset": offset, "count": min(asked, total), "totalCount": total}
    return json.dumps({**head, "list": items}, separators=(",", ":"), ensure_ascii=False).encode()


def spans(total: int, first: int, size: int, *, overlap: int = 0) -> Iterator[tuple[int, int]]:
    """The offset and length of each page: the first one, and those after it.

    Ours begin with the last item of the page before them: an ``overlap`` of 1.
    """
    yield 0, min(first, total)
    for start in range(first, total, size - overlap):
        offset = start - overlap
        yield offset, min(size, total - offset)


def variable_page(total: int, offset: int, count: int) -> bytes:
    """One page of the variables."""
    items = [variable(number) for number in range(offset, offset + count)]
    return page(items, offset, count, total)
