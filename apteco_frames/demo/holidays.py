"""The Holidays demo system of Apteco, as far as it is publicly known.

The data is ``holidays.json``: the system, a user, 9 tables, 94 variables (77 of them
not virtual) and their folders in the layout of the Orbit API. Each entry has a list
``attested`` of the fields that are printed by public material or follow from it; that
material is the documentation, the tutorials and the integration tests of the ``apteco``
package. A variable is

- ``attested``: 61 variables that this material knows, if only by name or description.
  Fields that their list leaves out are illustrative. Two of the 61 are known by
  description alone (``Communication Time``, ``Pool``), so their names are illustrative.
- ``illustrative``: 33 variables made up in the same style, to make the numbers of
  variables right.

All relationship phrases, folders, code orders, dates, text lengths, the three
``is_selectable``, ``is_browsable``, ``is_exportable`` and what only newer servers send
are illustrative throughout.

``holidays-codes.json`` holds 1,032 codes of 45 selectors, as ``[code, description, count,
attested fields]``: 471 are attested, if only by their description, and 561 are
illustrative. (17 codes of regions, incomes and occupations are told by their place among
attested ones only; they are not called attested.) The codes of a selector are as many as
its ``num_codes``, with the smallest and the largest count that it declares; where each
record has one code, they add up to the records of its table. The number of codes is
attested for 10 selectors and illustrative for the others, so small ones could be chosen:
the real system has thousands of postal sectors and towns. The 13 selectors that would have
a code for each day or second list none.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from apteco_frames.catalogue import Catalogue
from apteco_frames.normalize.folders import Node, arrange
from apteco_frames.orbit.decode import decode_page
from apteco_frames.schema import CODES, CODES_SCHEMA, TABLES, VARIABLES
from apteco_frames.schema.column import Column
from apteco_frames.support.arrays import strings
from apteco_frames.support.fork import import_polars
from apteco_frames.system import FastStatsSystem

if TYPE_CHECKING:
    import polars as pl

_FILE = "holidays.json"
_CODES_FILE = "holidays-codes.json"


@cache
def holidays() -> Catalogue:
    """The catalogue of the Holidays demo system.

    Returns:
        the same :class:`Catalogue` at each call: 9 tables in the order of the
        ``apteco`` documentation, 94 variables ordered by table, with their codes and
        folders. Which of its facts are attested, and by what, is told by the module's
        docstring and :func:`provenance`.

    >>> [table.name for table in holidays().tables][:3]
    ['Households', 'People', 'Bookings']
    """
    data = _data()
    system = data["system"]
    variables = _rows(data["variables"], VARIABLES)
    return Catalogue(
        FastStatsSystem(
            name=system["name"],
            description=system["description"],
            build_date=datetime.fromisoformat(system["fastStatsBuildDate"]),
            view_name=system["viewName"],
        ),
        _rows(data["tables"], TABLES),
        variables,
        _code_rows(),
        arrange(_folder_nodes(), variables["name"], _FILE),
    )


def _code_rows() -> pa.Table:
    """The codes: ``variable_name`` and the columns that the API has, in the API's order."""
    rows = [(name, *row[:3]) for name, codes in _codes().items() for row in codes]
    fields = ("code", "description", "count")
    own = _rows([dict(zip(fields, row[1:], strict=True)) for row in rows], CODES)
    return own.append_column(CODES_SCHEMA.field("variable_name"), strings(row[0] for row in rows))


def _folder_nodes() -> list[Node]:
    """The folders: a variable is in the one that its ``folderName`` names."""
    inside: dict[str, list[str]] = {}
    for variable in _data()["variables"]:
        inside.setdefault(variable["folderName"], []).append(variable["name"])
    nodes: list[Node] = []

    def add(folder: dict[str, Any], parent: int | None) -> None:
        name, position = folder["name"], len(nodes)
        nodes.append(Node(name, folder["description"], None, parent, inside.get(name, [])))
        for below in folder.get("folders", []):
            add(below, position)

    for folder in _data()["folders"]:
        add(folder, None)
    return nodes


def provenance() -> pl.DataFrame:
    """Which facts about the variables of Holidays are attested, and which made up.

    Returns:
        a frame with one row per variable, in the order of the catalogue: ``name``
        (string), ``status`` (``attested`` or ``illustrative``) and ``attested`` (list
        of string: the API's field names, with a dot between levels).

    >>> provenance()["status"].value_counts(sort=True).rows()
    [('attested', 61), ('illustrative', 33)]
    """
    variables = _data()["variables"]
    keys = ("name", "status", "attested")
    pl = import_polars()
    return pl.DataFrame(  # type: ignore[no-any-return]
        {key: [variable[key] for variable in variables] for key in keys},
        schema={"name": pl.String, "status": pl.String, "attested": pl.List(pl.String)},
    )


def code_provenance() -> pl.DataFrame:
    """Which facts about the codes of Holidays are attested, and which made up.

    Returns:
        a frame with one row per code, in the order of the catalogue:
        ``variable_name`` (string), ``position`` (int64), ``status`` (``attested`` or
        ``illustrative``) and ``attested`` (list of string: of ``code``, ``description``
        and ``count`` those that are).

    >>> code_provenance()["status"].value_counts(sort=True).rows()
    [('illustrative', 561), ('attested', 471)]
    """
    pl = import_polars()
    keys = holidays().codes.arrow.select(["variable_name", "position"])
    attested = [
        fields.split()
        for name in keys["variable_name"].unique().to_pylist()
        for *_, fields in _codes()[name]
    ]
    status = ["attested" if fields else "illustrative" for fields in attested]
    frame = pl.DataFrame(keys)
    return frame.with_columns(  # type: ignore[no-any-return]
        status=pl.Series(status, dtype=pl.String),
        attested=pl.Series(attested, dtype=pl.List(pl.String)),
    )


def demo_user() -> dict[str, Any]:
    """The user of the demo system, as the API's ``UserDisplayDetails``.

    >>> demo_user()["username"]
    'Administrator'
    """
    return {key: value for key, value in _data()["user"].items() if key != "attested"}


def date_settings() -> dict[str, Any]:
    """The API's ``DateSettings`` of the demo system, which a catalogue does not hold.

    >>> date_settings()["useIso8601WeekOfYear"]
    True
    """
    return dict(_data()["system"]["dateSettings"])


@cache
def _data() -> dict[str, Any]:
    return _read(_FILE)


@cache
def _codes() -> dict[str, list[tuple[str, str, int, str]]]:
    """By variable: code, description, count, and which of the three are attested."""
    return _read(_CODES_FILE)


def _read(file: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(files(__package__).joinpath(file).read_text("utf-8"))
    return data


def _rows(items: list[dict[str, Any]], columns: tuple[Column, ...]) -> pa.Table:
    page = {"offset": 0, "count": len(items), "totalCount": len(items), "list": items}
    return decode_page(json.dumps(page).encode(), columns, _FILE).rows
