"""Quality: how well the codes of variables describe the records, the frame and the row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from apteco_frames import schema
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import links_of
from apteco_frames.support import display

if TYPE_CHECKING:
    from apteco_frames.nouns import Variable


class VariableQuality(Row):
    """What the codes of one variable are like."""

    __slots__ = ()

    name: str = attribute(schema.QUALITY, "name")
    description: str = attribute(schema.QUALITY, "description")
    table_name: str = attribute(schema.QUALITY, "table_name")
    type: str = attribute(schema.QUALITY, "type")
    num_codes: int = attribute(schema.QUALITY, "num_codes")
    used_codes: int | None = attribute(schema.QUALITY, "used_codes")
    unused_codes: int | None = attribute(schema.QUALITY, "unused_codes")
    unclassified_share: float | None = attribute(schema.QUALITY, "unclassified_share")
    top_code: str | None = attribute(schema.QUALITY, "top_code")
    top_description: str | None = attribute(schema.QUALITY, "top_description")
    top_share: float | None = attribute(schema.QUALITY, "top_share")
    effective_codes: float | None = attribute(schema.QUALITY, "effective_codes")
    coverage: float | None = attribute(schema.QUALITY, "coverage")
    undescribed_codes: int = attribute(schema.QUALITY, "undescribed_codes")
    repeated_descriptions: int = attribute(schema.QUALITY, "repeated_descriptions")

    @property
    def variable(self) -> Variable:
        """The variable that it is about."""
        return links_of(self).variable(self.name)


class Quality(CatalogueFrame[VariableQuality], columns=schema.QUALITY):
    """How well codes describe the records: a row for each variable that has codes.

    Shares are of the variable's own counts where a record has one code, and of the table's
    records in arrays. What follows from counts is null where the API gives none. The columns:

    [columns]
    """

    _noun = "variable"
    _row_type = VariableQuality
    _keys = ("name", "description")
    _preview = (
        *("name", "description", "num_codes"),
        *("unclassified_share", "top_description", "top_share"),
    )

    @property
    def _title(self) -> str:
        return f"Quality of {super()._title}"

    def _preview_rows(self, most: int = display.PREVIEW_ROWS) -> Iterator[tuple[Any, ...]]:
        for row in super()._preview_rows(most):
            yield tuple(round(v, 3) if isinstance(v, float) else v for v in row)
