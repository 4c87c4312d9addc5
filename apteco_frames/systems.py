"""Systems: the frame of those that a DataView lists, and the row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import Owner
from apteco_frames.support.text import truncate


class System(Row):
    """One FastStats system of a DataView."""

    __slots__ = ()

    name: str = attribute(schema.SYSTEMS, "name")
    description: str = attribute(schema.SYSTEMS, "description")
    build_date: datetime | None = attribute(schema.SYSTEMS, "build_date")
    view_name: str = attribute(schema.SYSTEMS, "view_name")


class Systems(CatalogueFrame[System], columns=schema.SYSTEMS):
    """The FastStats systems that a DataView lists, in the API's order.

    Look up a system by its name. The columns:

    [columns]

    Args:
        arrow: the systems, under :attr:`schema`.
        catalogue: the catalogue that the session held when it listed them.
        data_view: name of the DataView.
    """

    _noun = "system"
    _row_type = System
    _preview = ("name", "description", "build_date")

    def __init__(self, arrow: pa.Table, catalogue: Owner, data_view: str) -> None:
        super().__init__(arrow, catalogue)
        self._data_view = data_view

    @property
    def _further(self) -> tuple[Any, ...]:
        return (self._data_view,)

    @property
    def _system(self) -> str:
        """What the rows are of, for titles and errors: here a whole DataView."""
        return f"DataView {truncate(self._data_view)!r}"
