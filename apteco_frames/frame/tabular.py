"""Rows as a table: for Arrow, polars, pandas, and in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from apteco_frames.errors import MissingDependencyError, how_to_install
from apteco_frames.support import files
from apteco_frames.support.arguments import require_path
from apteco_frames.support.fork import import_polars

if TYPE_CHECKING:
    import pandas
    import polars as pl

# The start of a formula in spreadsheets; \x{FF..} are the full-width forms.
_SIGN = r"[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
# Blanks, controls and what is not seen, such as a byte order mark: some leave them out.
_BLANK = r"\p{Z}\p{Cc}\p{Cf}"
_FORMULA = rf"^([{_BLANK}]*{_SIGN}|[\t\r\n])"
# One that splits at semicolons, tabs or bars knows no quotes that began before, so that a cell
# begins within a text, too; its own quotes are left out there.
_BETWEEN = r";|\t-\r\x{85}\x{2028}\x{2029}"
_FORMULA_WITHIN = rf'([{_BETWEEN}])([{_BLANK}"--{_BETWEEN}]*{_SIGN})'


def without_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows for a spreadsheet, with a ``'`` before each text that would run as a formula."""
    pl = import_polars()
    texts = pl.col(pl.String).str.replace(_FORMULA, "'$1")
    return frame.with_columns(texts.str.replace_all(_FORMULA_WITHIN, "$1'$2"))


# Methods of polars' and pandas' frames that people try.
_OF_POLARS = frozenset(
    {
        *("head", "tail", "limit", "sample", "columns", "dtypes", "shape", "height", "width"),
        *("sort", "select", "with_columns", "group_by", "join", "unique", "n_unique", "describe"),
        *("glimpse", "rows", "row", "iter_rows", "to_dicts", "to_dict", "to_series", "get_column"),
        *("drop", "rename", "explode", "pivot", "unpivot", "lazy", "is_empty", "null_count"),
        *("item", "collect", "count", "sum", "mean", "min", "max", "write_json", "write_excel"),
    }
)
_OF_PANDAS = frozenset(
    {
        *("loc", "iloc", "query", "sort_values", "value_counts", "groupby", "merge", "apply"),
        *("assign", "info", "empty", "isna", "astype", "drop_duplicates", "melt", "nunique"),
        *("set_index", "reset_index", "pivot_table", "to_csv", "to_excel", "to_numpy", "iterrows"),
    }
)
_ATTRIBUTES = frozenset(
    {"columns", "dtypes", "shape", "height", "width", "loc", "iloc", "empty"},
)
_OUR_OWN = {"head": "x[:5]", "limit": "x[:5]", "tail": "x[-5:]", "to_csv": "x.write_csv(path)"}


class Tabular:
    """The table side of a catalogue frame; the Arrow table is the truth."""

    _enums: ClassVar[Mapping[str, Sequence[str]]] = {}
    """The columns that are an ``Enum`` in polars, with their values in order."""

    def __init__(self, arrow: pa.Table) -> None:
        self._arrow = arrow

    if not TYPE_CHECKING:  # type checkers would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            """An error that points to the method of polars or pandas of that name."""
            if name in _OF_POLARS or name in _OF_PANDAS:
                call = name if name in _ATTRIBUTES else f"{name}()"
                frame = "frame" if name in _OF_POLARS else "to_pandas()"
                kind = "polars" if name in _OF_POLARS else "pandas"
                or_here = f", or {_OUR_OWN[name]}" if name in _OUR_OWN else ""
                raise AttributeError(
                    f"{type(self).__name__} has no {name}. Use .{frame}.{call} of {kind}{or_here}.",
                    name=name,
                    obj=self,
                )
            return object.__getattribute__(self, name)  # the usual error

    @property
    def arrow(self) -> pa.Table:
        """The rows as a ``pyarrow.Table`` under :attr:`schema`; no copy."""
        return self._arrow

    @property
    def frame(self) -> pl.DataFrame:
        """The rows as a ``polars.DataFrame``; converted once, then the same each time.

        Closed sets of values, such as the types of variables, are an ``Enum``.
        """
        import_polars()  # what is made may have been made before the fork
        return self._shared

    @property
    def _polars(self) -> pl.DataFrame:
        """The rows for our own use of polars, which users cannot change."""
        import_polars()
        return self._converted

    @cached_property
    def _converted(self) -> pl.DataFrame:
        pl = import_polars()
        enums = {name: pl.Enum(values) for name, values in self._enums.items()}
        return pl.DataFrame(self._arrow, schema_overrides=enums)  # type: ignore[no-any-return]

    @cached_property
    def _shared(self) -> pl.DataFrame:
        # Its own, since polars' frames can be changed in place; the columns are not copied.
        return self._converted.clone()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A fresh Arrow stream of the rows (Arrow PyCapsule interface)."""
        return self._arrow.__arrow_c_stream__(requested_schema)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """The rows as a NumPy array of records, which ``pandas.DataFrame(x)`` reads.

        pandas' constructor takes an array of dataclasses, but no Arrow stream;
        :meth:`to_pandas` is much faster.
        """
        from dataclasses import make_dataclass

        import numpy as np

        record = make_dataclass("Record", self._arrow.column_names)
        records = np.empty(self._arrow.num_rows, dtype=object)
        columns = (column.to_pylist() for column in self._arrow.columns)
        records[:] = list(map(record, *columns))
        return records

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a ``pandas.DataFrame``.

        Whole numbers that may be null are ``Int64``, so that they stay whole.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise MissingDependencyError(
                "to_pandas() needs pandas, which is not installed. "
                "Install it with: python -m pip install pandas; or with this package, "
                f"{how_to_install('pandas')}"
            ) from None
        rows = self._arrow.to_pandas()
        whole = {pa.int64(): pandas.Int64Dtype()}.get
        for field in self._arrow.schema:
            if field.nullable and field.type == pa.int64():
                rows[field.name] = self._arrow[field.name].to_pandas(types_mapper=whole)
        return rows  # type: ignore[no-any-return]

    def write_parquet(self, path: str | Path) -> Path:
        """Write the rows to a Parquet file, whole or not at all.

        Args:
            path: the file; an existing file is replaced.

        Returns:
            the path written.

        Raises:
            TypeError: ``path`` is not a path.
            ValueError: ``path`` is empty.
            OSError: the file cannot be written.
        """
        import pyarrow.parquet

        target = require_path(path, "write_parquet()")
        files.replace(target, lambda part: pyarrow.parquet.write_table(self._arrow, part))
        return target

    def write_csv(self, path: str | Path) -> Path:
        """Write the rows to a CSV file that is safe to open in a spreadsheet.

        It is the terminal's ``--format excel-csv``, in UTF-8, but without the byte order mark
        by which Excel recognises that. For programs, which need unchanged values (the terminal's
        ``--format csv``), use :meth:`write_parquet`, or ``.frame.write_csv()`` of polars.

        A text that a spreadsheet would run as a formula (it starts with ``=``, ``+``,
        ``-``, ``@`` or their full-width forms, perhaps after blanks, or with a tab or a line
        break) gets a ``'`` before it. The same holds after a semicolon, a tab, a bar or a line
        break within a text, where some spreadsheets begin another cell. Texts are quoted, lists
        joined with ``"; "``.

        Args:
            path: the file; an existing file is replaced.

        Returns:
            the path written.

        Raises:
            TypeError: ``path`` is not a path.
            ValueError: ``path`` is empty.
            OSError: the file cannot be written.
        """
        target = require_path(path, "write_csv()")
        pl = import_polars()
        plain = self._polars.with_columns(
            pl.col(pl.List(pl.String)).list.join("; "),
            pl.col(pl.Enum, pl.Categorical).cast(pl.String),
        )
        rows = without_formulas(plain)
        files.replace(target, lambda part: rows.write_csv(part, quote_style="non_numeric"))
        return target
