"""Systems: the frame of those that a DataView lists, and the row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Home, Row, attribute
from apteco_frames.schema.column import describe
from apteco_frames.support.text import clipped


class System(Row):
    """One FastStats system of a DataView."""

    __slots__ = ()

    name: str = attribute(schema.SYSTEMS, "name")
    description: str = attribute(schema.SYSTEMS, "description")
    build_date: datetime | None = attribute(schema.SYSTEMS, "build_date")
    view_name: str = attribute(schema.SYSTEMS, "view_name")


class Systems(CatalogueFrame[System]):  # noqa: D101 - it has one, with the columns
    __doc__ = f"""The FastStats systems that a DataView lists, in the API's order.

    Lookup is by name. The columns:

    {describe(schema.SYSTEMS).replace(chr(10), chr(10) + " " * 4)}

    Args:
        arrow: the systems, under :attr:`schema`.
        home: the session that listed them, or the catalogue that it held then.
        data_view: name of the DataView.
    """

    schema: ClassVar[pa.Schema] = schema.SYSTEMS_SCHEMA
    _noun = "system"
    _row_type = System
    _preview = ("name", "description", "build_date")

    def __init__(self, arrow: pa.Table, home: Home, data_view: str) -> None:
        super().__init__(arrow, home)
        self._data_view = data_view

    def _part(self, arrow: pa.Table) -> Systems:
        return type(self)(arrow, self._home, self._data_view)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return type(self), (self._arrow, self._home.catalogue, self._data_view)

    @property
    def _system(self) -> str:
        """What the rows are of, for titles and errors: here a whole DataView."""
        return f"DataView {clipped(self._data_view)!r}"
