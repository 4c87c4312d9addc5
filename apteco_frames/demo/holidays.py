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
from apteco_frames.frame.fork import import_polars
from apteco_frames.orbit.decode import decode_page
from apteco_frames.orbit.schema import (
    CODES_SCHEMA,
    FOLDERS_SCHEMA,
    TABLES,
    VARIABLES,
    Column,
)
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
    return Catalogue(
        FastStatsSystem(
            name=system["name"],
            description=system["description"],
            build_date=datetime.fromisoformat(system["fastStatsBuildDate"]),
            view_name=system["viewName"],
        ),
        _rows(data["tables"], TABLES),
        _rows(data["variables"], VARIABLES),
        holiday_codes(),
        holiday_folders(),
    )


@cache
def holiday_codes() -> pa.Table:
    """The codes of the Holidays demo system.

    Returns:
        a table under ``orbit.schema.CODES_SCHEMA``: 1,032 rows, the variables in the
        order of the catalogue. Which facts are attested is told by the module's docstring
        and :func:`code_provenance`.

    >>> holiday_codes().slice(3, 1).to_pylist()[0]["description"]
    'South East (Outside M25 )'
    """
    rows = [
        {
            "variable_name": variable["name"],
            "variable_description": variable["description"],
            "table_name": variable["tableName"],
            "position": position,
            "code": code,
            "description": description,
            "count": count,
        }
        for variable in _data()["variables"]
        for position, (code, description, count, _) in enumerate(_codes().get(variable["name"], ()))
    ]
    return pa.Table.from_pylist(rows, CODES_SCHEMA)


@cache
def holiday_folders() -> pa.Table:
    """The folders of the Holidays demo system, in two levels.

    Returns:
        a table under ``orbit.schema.FOLDERS_SCHEMA``, each folder followed by those in it.
        A variable is in the folder that its ``folder_name`` names; all is illustrative.

    >>> holiday_folders()["path"].to_pylist()[:3]
    ['Household', 'Household/Address', 'Person']
    """
    inside: dict[str, list[str]] = {}
    for variable in _data()["variables"]:
        inside.setdefault(variable["folderName"], []).append(variable["name"])

    def row(folder: dict[str, Any], position: int, parent: str | None) -> dict[str, Any]:
        name, below = folder["name"], folder.get("folders", [])
        counts = [len(inside.get(each["name"], [])) for each in (folder, *below)]
        return {
            "path": f"{parent}/{name}" if parent else name,
            "name": name,
            "description": folder["description"],
            "parent_path": parent,
            "depth": 1 if parent else 0,
            "position": position,
            "variable_count": counts[0],
            "total_variable_count": sum(counts),
            "variable_names": inside.get(name, []),
        }

    rows = []
    for position, folder in enumerate(_data()["folders"]):
        rows.append(row(folder, position, None))
        rows += [row(below, i, folder["name"]) for i, below in enumerate(folder["folders"])]
    return pa.Table.from_pylist(rows, FOLDERS_SCHEMA)


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
        a frame with one row per code, in the order of :func:`holiday_codes`:
        ``variable_name`` (string), ``position`` (int64), ``status`` (``attested`` or
        ``illustrative``) and ``attested`` (list of string: of ``code``, ``description``
        and ``count`` those that are).

    >>> code_provenance()["status"].value_counts(sort=True).rows()
    [('illustrative', 561), ('attested', 471)]
    """
    keys = holiday_codes().select(["variable_name", "position"])
    attested = [
        fields.split()
        for name in keys["variable_name"].unique().to_pylist()
        for *_, fields in _codes()[name]
    ]
    status = ["attested" if fields else "illustrative" for fields in attested]
    frame = pl.DataFrame(keys)
    return frame.with_columns(
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
