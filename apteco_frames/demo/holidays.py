"""The Holidays demo system of Apteco, as far as it is publicly known.

The data is ``holidays.json``: the system, a user, 9 tables and 94 variables (77 of
them not virtual) in the layout of the Orbit API. Each entry has a list ``attested`` of
the fields that are printed by public material or follow from it; that material is the
documentation, the tutorials and the integration tests of the ``apteco`` package. A
variable is

- ``attested``: 61 variables that this material knows, if only by name or description.
  Fields that their list leaves out are illustrative. Two of the 61 are known by
  description alone (``Communication Time``, ``Pool``), so their names are illustrative.
- ``illustrative``: 33 variables made up in the same style, to make the numbers of
  variables right.

All relationship phrases, folders, code orders, dates, text lengths and the three
``is_selectable``, ``is_browsable``, ``is_exportable`` are illustrative throughout.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
import pyarrow as pa

from apteco_frames.catalogue import Catalogue
from apteco_frames.orbit.decode import decode_page
from apteco_frames.orbit.schema import TABLES, VARIABLES, Column
from apteco_frames.system import FastStatsSystem

_FILE = "holidays.json"


@cache
def holidays() -> Catalogue:
    """The catalogue of the Holidays demo system.

    Returns:
        the same :class:`Catalogue` at each call: 9 tables in the order of the
        ``apteco`` documentation, 94 variables ordered by table. Which of its facts are
        attested, and by what, is told by the module's docstring and :func:`provenance`.

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
    )


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
    return pl.DataFrame(
        {key: [variable[key] for variable in variables] for key in keys},
        schema={"name": pl.String, "status": pl.String, "attested": pl.List(pl.String)},
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
    text = files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def _rows(items: list[dict[str, Any]], columns: tuple[Column, ...]) -> pa.Table:
    page = {"offset": 0, "count": len(items), "totalCount": len(items), "list": items}
    return decode_page(json.dumps(page).encode(), columns, _FILE).rows
