"""The catalogue frame: an Arrow table that is also a collection of rows.

The Arrow table is the truth. Rows are light objects, made on demand: a row knows its frame
and its position, and reads its values from the Arrow columns. Frames and rows are immutable
and may be used from many threads.

Elsewhere an underscore ends at its file. The module of a noun may override or use these:

* of a frame: ``_noun``, ``_nouns``, ``_row_type``, ``_row_types``, ``_keys``, ``_preview``,
  ``_preview_rows``, ``_when_several``, ``_system``, ``_none``, ``_title``, ``_counted``,
  ``_remarks``, ``_further``, ``_part``, ``_row``, ``_values``, ``_positions``; and, unchanged,
  ``_links``, ``_arrays``, ``_index``, ``_lookup_error``;
* of a row: ``_describe``; and, unchanged, ``_links``, ``_frame``, ``_block``, ``_position``;
* of a row that ``apteco`` had: ``_renamed``, ``_selecting``;
* between the two halves of a frame: ``_enums``, ``_polars``, ``_converted``.
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
from apteco_frames.frame.keys import index_of, nearest, search
from apteco_frames.frame.rows import Block, Row
from apteco_frames.frame.tabular import Tabular
from apteco_frames.schema.column import Column, arrow_schema, describe, enums
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

    A subclass names its columns, ``class Tables(CatalogueFrame[Table], columns=TABLES)``. They
    give its schema, and stand in its docstring where that says ``[columns]``.
    """

    schema: ClassVar[pa.Schema]
    """The Arrow schema, the same for every system and every load."""

    _noun: ClassVar[str]
    _row_type: ClassVar[type[Row]]
    _keys: ClassVar[tuple[str, ...]] = ("name",)
    _preview: ClassVar[tuple[str, ...]]
    _when_several: ClassVar[str] = "Look the one you mean up by its position."
    """What to do where several rows have a key."""

    def __init_subclass__(cls, columns: tuple[Column, ...], **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.schema, cls._enums = arrow_schema(columns), enums(columns)
        before, _, after = (cls.__doc__ or "").partition("[columns]")
        line = before[before.rfind("\n") :]  # and how far it is indented
        cls.__doc__ = before + describe(columns).replace("\n", line) + after

    def __init__(self, arrow: pa.Table, catalogue: Any) -> None:
        super().__init__(arrow)
        self._links = catalogue.links
        self._searched: dict[tuple[str, ...], list[dict[str, int]]] = {}
        self._indexes: dict[str, dict[str, int]] = {}

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
        lines = [self._title]
        if len(self):
            rows = self._preview_rows()
            lines += [display.text_table(self._preview, rows, display.line_width())]
        hidden = len(self) - display.PREVIEW_ROWS
        lines += [f"… and {hidden:,} more"] if hidden > 0 else []
        return "\n".join([*lines, *self._remarks])

    def _repr_html_(self) -> str:
        blocks = [f"<p>{escape(self._title)}</p>"]
        if len(self):
            rows = self._preview_rows(display.HTML_ROWS)
            is_cut = len(self) > display.HTML_ROWS
            footer = f"{self._counted}, {display.HTML_ROWS if is_cut else 'all'} shown"
            blocks += [display.html_table(self._preview, rows), f"<p>{footer}</p>"]
        blocks += [f"<p>{escape(remark)}</p>" for remark in self._remarks]
        return f"<div {display.NO_MATHS}>{''.join(blocks)}</div>"

    def _ipython_key_completions_(self) -> list[str]:
        """What IPython offers for ``x["…``: the keys, no more than 10,000 of them."""
        most = MOST_COMPLETED // len(self._keys)
        keys = (self._arrays[column].slice(0, most).to_pylist() for column in self._keys)
        return list(dict.fromkeys(chain.from_iterable(keys)))

    # For the nouns.

    @property
    def _further(self) -> tuple[Any, ...]:
        """The arguments of the constructor after the rows and the catalogue."""
        return ()

    @property
    def _remarks(self) -> Iterable[str]:
        """Sentences to print below the rows."""
        return ()

    @cached_property
    def _arrays(self) -> dict[str, pa.Array]:
        """The columns as contiguous arrays."""
        return {
            name: whole(column)
            for name, column in zip(self.arrow.column_names, self.arrow.columns, strict=True)
        }

    def _index(self, column: str) -> dict[str, int]:
        """The position of each text in a column; -1 where several rows have it."""
        index = self._indexes.get(column)
        if index is None:
            index = self._indexes[column] = index_of(self._arrays[column])
        return index

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
        """Which rows have the key in one of the columns; an index is made the second time."""
        indexes = self._searched.get(columns)
        if indexes is None:
            self._searched[columns] = []
        else:
            if not indexes:
                indexes[:] = map(self._index, columns)
            found = [index[key] for index in indexes if key in index]
            if not found or (found[0] >= 0 and len({*found}) == 1):
                return found[:1]
        return search([self._arrays[column] for column in columns], key)

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
            f"Nearest: {list_names(near)}." if near else f"There are {len(self):,} {self._nouns}."
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
