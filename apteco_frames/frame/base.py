"""The catalogue frame: an Arrow table that is also a collection of rows.

The Arrow table is the truth. Rows are light objects, made when somebody asks for one:
a row knows its frame and its position, and reads its values from the Arrow columns.
Frames and rows are immutable and may be used from many threads.

Elsewhere an underscore ends at its file. What a noun's module may override, or use, is this:

* of a frame: ``_noun``, ``_nouns``, ``_row_type``, ``_row_types``, ``_keys``, ``_preview``,
  ``_preview_rows``, ``_enums``, ``_when_several``, ``_system``, ``_none``, ``_title``,
  ``_counted``, ``_further``, ``_part``, ``_row``, ``_values``, ``_positions``; and as they
  are ``_links``, ``_arrays``, ``_index``, ``_lookup_error``;
* of a row: ``_describe``; and as they are ``_links``, ``_frame``, ``_block``, ``_position``;
* of a row that ``apteco`` had: ``_renamed``, ``_selecting``;
* between the two halves of a frame: ``_polars``, ``_converted``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from html import escape
from itertools import chain, repeat
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

import pyarrow as pa

from apteco_frames.errors import AmbiguousKeyError, RowIndexError, UnknownKeyError
from apteco_frames.frame.closed import check_values
from apteco_frames.frame.keys import KeyIndex, nearest, search
from apteco_frames.frame.rows import Block, Row
from apteco_frames.frame.tabular import Tabular
from apteco_frames.support import display
from apteco_frames.support.arguments import not_a
from apteco_frames.support.arrays import integers, whole
from apteco_frames.support.text import list_names, truncate

_ROWS_PER_BLOCK = 1024
# IPython looks at each in Python, and takes a sixth of a second for so many.
MOST_COMPLETED = 10_000

_RowType = TypeVar("_RowType", bound="Row", covariant=True)


def _bits(values: pa.Array) -> pa.Array:
    """Values to compare: a NaN equals itself."""
    return values.view(pa.int64()) if pa.types.is_float64(values.type) else values


class CatalogueFrame(Tabular, Generic[_RowType]):
    """Rows of a catalogue: an Arrow table and a collection at once.

    ``len(x)``, iteration, ``x[3]``, ``x[-3:]``, ``x["key"]``, ``"key" in x`` and
    ``x.get("key")`` treat it as a collection; ``.arrow``, ``.frame`` and anything that
    takes an Arrow stream (``pl.DataFrame(x)``, ``pa.table(x)``, DuckDB) as a table.
    """

    schema: ClassVar[pa.Schema]
    """The Arrow schema, the same for every system and every load."""

    _noun: ClassVar[str]
    _row_type: ClassVar[type[Row]]
    _keys: ClassVar[tuple[str, ...]] = ("name",)
    _preview: ClassVar[tuple[str, ...]]
    _when_several: ClassVar[str] = "Look the one you mean up by its position."
    """What to do where several rows have a key."""

    def __init__(self, arrow: pa.Table, catalogue: Any) -> None:
        super().__init__(arrow)
        self._links = catalogue.links
        self._key_indexes: list[KeyIndex] = []

    def filter(self, *predicates: Any, **constraints: Any) -> Self:
        """The rows for which all predicates hold, as a frame of the same kind.

        ``x.filter(...).frame`` equals ``x.frame.filter(...)``, whatever the predicates; but a
        value that a closed set such as ``type`` does not have is an error here.

        Args:
            predicates: polars expressions over the columns.
            constraints: ``column=value`` pairs, as ``polars.DataFrame.filter`` takes them.

        Raises:
            UnknownValueError: a column with a closed set of values is compared with another.
            polars.exceptions.PolarsError: a predicate does not fit the columns.
        """
        if self._enums:
            check_values(predicates, constraints, self._enums)
        # polars itself, over these columns alone: selectors and row numbers would see others.
        kept = self._polars.filter(*predicates, **constraints)
        # Of no rows polars makes no chunk, which has no dictionary for an Enum.
        arrow = kept.to_arrow().cast(self.schema) if len(kept) else self.arrow.slice(0, 0)
        part = self._part(arrow)
        part._converted = kept
        return part

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __iter__(self) -> Iterator[_RowType]:
        new = object.__new__
        for start in range(0, len(self), _ROWS_PER_BLOCK):
            block = Block(self, start, min(start + _ROWS_PER_BLOCK, len(self)))
            # Most of the time of a loop over rows goes here, so no call to __init__.
            for position, row_type in enumerate(self._row_types(block.start, block.stop)):
                row = new(row_type)
                row._block = block
                row._position = position
                yield row  # type: ignore[misc]

    @overload
    def __getitem__(self, key: str | int) -> _RowType: ...
    @overload
    def __getitem__(self, key: slice) -> Self: ...
    def __getitem__(self, key: str | int | slice) -> _RowType | Self:
        """A row by key or position, or a frame of the rows of a slice.

        Raises:
            UnknownKeyError: nothing has that key; the message names the nearest.
            AmbiguousKeyError: several rows have it; the message names them.
            RowIndexError: there is no row at that position.
            TypeError: the key is of another type.
        """
        if isinstance(key, str):
            found = self._find(key)
            if found is not None:
                return self._row(found)
            positions = self._positions(key, self._keys)
            if len(positions) == 1:
                return self._row(positions[0])
            raise self._lookup_error(key, positions, self._keys)
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1:
                return self._part(self.arrow.slice(start, max(0, stop - start)))
            return self._part(self.arrow.take(integers(range(start, stop, step))))
        return self._row(self._checked(key))

    def __contains__(self, key: object) -> bool:
        """Whether a row has the key, or equals the row given."""
        if isinstance(key, Row):
            found = self._positions(key._block["name"][key._position], ("name",))
            return any(self._row(position) == key for position in found)
        return bool(self._positions(key, self._keys)) if isinstance(key, str) else False

    def get(self, key: str, default: Any = None) -> _RowType | Any:
        """The row with that key, or the default if there is none.

        Raises:
            AmbiguousKeyError: several rows have the key.
        """
        # Not by catching the error, whose message looks for the nearest keys.
        return self[key] if key in self else default  # noqa: SIM401 - this is that get

    def __eq__(self, other: object) -> bool:
        """Whether both are frames of one kind with equal rows in the same order."""
        if not isinstance(other, CatalogueFrame):
            return NotImplemented
        return type(self) is type(other) and all(
            _bits(mine).equals(_bits(other._arrays[name])) for name, mine in self._arrays.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # Without the session: what is pickled holds no token.
        # Arrow pickles the whole of what a slice is a view of.
        is_view = self.arrow.get_total_buffer_size() > 2 * self.arrow.nbytes
        rows = self.arrow.take(integers(range(len(self)))) if is_view else self.arrow
        return type(self), (rows, self._links.catalogue, *self._further)

    # A copy of what does not change is the thing itself, which keeps its session.
    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        table = display.text_table(self._preview, self._preview_rows(), display.line_width())
        return f"{self._title}\n{table}{self._remainder}"

    def _repr_html_(self) -> str:
        table = display.html_table(self._preview, self._preview_rows(display.HTML_ROWS))
        is_cut = len(self) > display.HTML_ROWS
        footer = f"{self._counted}, {display.HTML_ROWS if is_cut else 'all'} shown"
        title = escape(self._title)
        return f"<div {display.NO_MATHS}><p>{title}</p>{table}<p>{footer}</p></div>"

    def _ipython_key_completions_(self) -> list[str]:
        """What IPython offers for ``x["…``: the keys, no more than 10,000 of them."""
        most = MOST_COMPLETED // len(self._keys)
        keys = (self._arrays[column].slice(0, most).to_pylist() for column in self._keys)
        return list(dict.fromkeys(chain.from_iterable(keys)))

    # For the nouns.

    @property
    def _further(self) -> tuple[Any, ...]:
        """What makes another of the kind, beside the rows and the catalogue."""
        return ()

    @cached_property
    def _arrays(self) -> dict[str, pa.Array]:
        """The columns as contiguous arrays."""
        return {
            name: whole(column)
            for name, column in zip(self.arrow.column_names, self.arrow.columns, strict=True)
        }

    @cached_property
    def _indexes(self) -> dict[str, KeyIndex]:
        return {}

    @cached_property
    def _searched(self) -> set[str]:
        """The columns in which one key was looked up already."""
        return set()

    def _index(self, column: str) -> KeyIndex:
        index = self._indexes.get(column)
        if index is None:
            index = self._indexes[column] = KeyIndex(self._arrays[column].to_pylist())
            if all(key in self._indexes for key in self._keys):
                self._key_indexes = [self._indexes[key] for key in self._keys]
        return index

    def _find(self, key: str) -> int | None:
        """The one position of a key, once the indexes are there; None if unsure."""
        position = None
        for index in self._key_indexes:
            found = index.last.get(key)
            if found is not None:
                if key in index.repeated or position not in (None, found):
                    return None
                position = found
        return position

    def _values(self, column: str, start: int, stop: int) -> list[Any]:
        return self._arrays[column].slice(start, stop - start).to_pylist()  # type: ignore[no-any-return]

    def _row_types(self, start: int, stop: int) -> Iterable[type[Row]]:
        return repeat(self._row_type, stop - start)

    def _row(self, position: int) -> _RowType:
        row_type = next(iter(self._row_types(position, position + 1)))
        return row_type(Block(self, position, position + 1), 0)  # type: ignore[return-value]

    def _part(self, arrow: pa.Table) -> Self:
        return type(self)(arrow, self._links.owner, *self._further)

    def _positions(self, key: str, columns: tuple[str, ...]) -> list[int]:
        """Where a column has the key: searched for the first time, then looked up."""
        found: list[int] = []
        for column in columns:
            index = self._indexes.get(column)
            if index is None and column not in self._searched:
                self._searched.add(column)
                positions = search(self._arrays[column], key)
            else:
                positions = (index or self._index(column)).positions(key)
            found += [position for position in positions if position not in found]
        return found

    def _checked(self, position: Any) -> int:
        if not hasattr(position, "__index__"):
            raise not_a(f"{type(self).__name__}[...] takes a key, a position or a slice", position)
        index = operator.index(position)
        if not -len(self) <= index < len(self):
            last = f"positions go from 0 to {len(self) - 1:,}" if len(self) else "there is none"
            raise RowIndexError(
                f"There is no {self._noun} at position {index}: of {self._title} {last}."
            )
        return index % len(self)

    def _lookup_error(
        self, key: str, positions: list[int], columns: tuple[str, ...]
    ) -> UnknownKeyError | AmbiguousKeyError:
        kind = " or ".join(columns)
        if positions:
            rows = "; ".join(self._row(position)._describe() for position in positions[:10])
            rows += f"; and {len(positions) - 10:,} more" if len(positions) > 10 else ""
            return AmbiguousKeyError(
                f"Several {self._nouns} of {self._system} have the {kind} "
                f"{truncate(key)!r}: {rows}. {self._when_several}"
            )
        near = nearest(key, [self._arrays[column] for column in columns])
        hint = (
            f"Nearest: {list_names(near)}."
            if near
            else f"There are {len(self):,} {self._nouns}."
        )
        return UnknownKeyError(f"{self._none} has the {kind} {truncate(key)!r}. {hint}")

    @property
    def _system(self) -> str:
        return f"system {truncate(self._links.catalogue.system_info.name)!r}"

    @property
    def _none(self) -> str:
        """How the error begins for a key that no row has."""
        return f"No {self._noun} of {self._system}"

    @property
    def _title(self) -> str:
        return f"{self._counted} of {self._system}"

    @property
    def _counted(self) -> str:
        return f"{len(self):,} {self._noun if len(self) == 1 else self._nouns}"

    @property
    def _nouns(self) -> str:
        return f"{self._noun}s"

    def _preview_rows(self, most: int = display.PREVIEW_ROWS) -> Iterator[tuple[Any, ...]]:
        stop = min(len(self), most)
        return zip(*(self._values(column, 0, stop) for column in self._preview), strict=True)

    @property
    def _remainder(self) -> str:
        hidden = len(self) - display.PREVIEW_ROWS
        return f"\n… and {hidden:,} more" if hidden > 0 else ""
