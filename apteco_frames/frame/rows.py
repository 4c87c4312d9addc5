"""Rows of a frame, and the blocks that their values are read in."""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable, Iterable
from typing import Any, Protocol, Self

import pyarrow as pa

from apteco_frames.schema.column import NAMES, Column
from apteco_frames.support.text import truncate


class RowSource(Protocol):
    """What rows read their values from: a catalogue frame."""

    _links: Any

    @property
    def arrow(self) -> pa.Table:
        """The rows as an Arrow table."""

    def _values(self, column: str, start: int, stop: int) -> list[Any]:
        """The values of a column, from a position to before another."""


class Block(dict[str, list[Any]]):
    """The values of a run of neighbouring rows, read column by column when asked for."""

    __slots__ = ("frame", "start", "stop")

    def __init__(self, frame: RowSource, start: int, stop: int) -> None:
        self.frame = frame
        self.start = start
        self.stop = stop

    def __missing__(self, column: str) -> list[Any]:
        values = self[column] = self.frame._values(column, self.start, self.stop)
        return values


class Row:
    """One row of a catalogue frame."""

    __slots__ = ("_block", "_position")

    _block: Block
    _position: int

    def __init__(self, block: Block, position: int) -> None:
        self._block = block
        self._position = position

    @property
    def session(self) -> Any:
        """The ``Session`` that the row came from; ``None`` offline."""
        return self._links.session

    def to_dict(self) -> dict[str, Any]:
        """All columns of the row, by name, those that do not apply to it as ``None``."""
        return {name: self._block[name][self._position] for name in self._frame.arrow.column_names}

    def _describe(self) -> str:
        return truncate(self._block["name"][self._position])

    @property
    def _frame(self) -> RowSource:
        return self._block.frame

    @property
    def _links(self) -> Any:
        return self._block.frame._links

    def __eq__(self, other: object) -> bool:
        """Whether both are rows of one kind that agree in every column."""
        if type(self) is not type(other) or not isinstance(other, Row):
            return NotImplemented
        return (self._block is other._block and self._position == other._position) or (
            self._bits() == other._bits()
        )

    def _bits(self) -> list[Any]:
        """The values to compare: numbers by their bits, so that a NaN equals itself."""
        values = self.to_dict().values()
        return [struct.pack("d", v) if isinstance(v, float) else v for v in values]

    def __hash__(self) -> int:
        return hash(self._block["name"][self._position])

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return operator.getitem, (self._frame, self._block.start + self._position)

    # As of a frame.
    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {truncate(self._block['name'][self._position])!r}>"


def attribute(columns: Iterable[Column], name: str) -> Any:
    """A read-only row attribute for a column, with the column's documentation.

    Raises:
        KeyError: no column has that name.
    """
    column = {column.name: column for column in columns}[name]
    if column.type == NAMES:  # a copy, since rows of a block share the list
        return property(lambda row: list(row._block[name][row._position]), doc=column.doc)
    return property(lambda row: row._block[name][row._position], doc=column.doc)
