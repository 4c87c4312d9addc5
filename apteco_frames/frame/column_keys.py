"""Rows by the texts of one column alone, where a frame looks keys up in several."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from apteco_frames.frame.base import MOST_COMPLETED, CatalogueFrame
from apteco_frames.frame.rows import Row

_RowType = TypeVar("_RowType", bound=Row)


class ColumnKeys(Generic[_RowType]):
    """Rows by the texts of one column: look-ups, and iteration over the texts.

    Args:
        frame: the rows.
        column: the column, of texts without nulls.
    """

    def __init__(self, frame: CatalogueFrame[_RowType], column: str) -> None:
        self._frame = frame
        self._column = column

    def __getitem__(self, key: str) -> _RowType:
        """The row with that text.

        Raises:
            UnknownKeyError: no row has it; the message names the nearest.
            AmbiguousKeyError: several have it; the message names them.
            TypeError: the key is no text.
        """
        if not isinstance(key, str):
            nouns, kind = self._frame._nouns, type(key).__name__
            raise TypeError(f"{nouns} have texts as {self._column}s, not {kind}")
        columns = (self._column,)
        positions = self._frame._positions(key, columns)
        if len(positions) == 1:
            return self._frame._row(positions[0])
        raise self._frame._lookup_error(key, positions, columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in self._texts

    def get(self, key: str, default: Any = None) -> _RowType | Any:
        """The row with that text, or the default if there is none.

        Raises:
            AmbiguousKeyError: several rows have it.
        """
        return self[key] if key in self else default  # noqa: SIM401 - this is that get

    @property
    def _texts(self) -> dict[str, int]:
        """The texts, each once."""
        return self._frame._index(self._column)

    def _ipython_key_completions_(self) -> list[str]:
        return list(islice(self._texts, MOST_COMPLETED))

    def __repr__(self) -> str:
        return f"<{len(self):,} {self._column}s of {self._frame._title}>"
