"""SQL over a catalogue, by polars.

The answer stays a ``polars.DataFrame``, which has types that Arrow lacks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from apteco_frames.errors import Hint, SqlError
from apteco_frames.schema.column import KIND
from apteco_frames.support.fork import import_polars
from apteco_frames.support.text import truncate

if TYPE_CHECKING:
    import polars as pl

# Its message when it panics can be long.
_PANIC_WIDTH = 200


def answer(
    query: str, catalogue: Mapping[str, pa.Table], missing: Mapping[str, str]
) -> pl.DataFrame:
    """The answer to a query; values of enums are text in it.

    Args:
        query: one statement in the SQL of polars. It can read files; see
            :meth:`apteco_frames.catalogue.AnyCatalogue.sql`.
        catalogue: the tables to query, by name.
        missing: the tables that are not loaded, with a sentence on each.

    Raises:
        SqlError: the SQL is invalid, or names an unknown table or column, or a file that cannot
            be read; or polars panics.
    """
    polars = import_polars()
    frames = {name: polars.DataFrame(_texts(arrow)) for name, arrow in catalogue.items()}
    try:
        answered: pl.DataFrame = polars.SQLContext(frames, eager=True).execute(query)
    except (
        *(polars.exceptions.PolarsError, OSError),  # it can read files
        UnicodeEncodeError,  # half of a character
        polars.exceptions.PanicException,  # which is no Exception
    ) as error:
        # After that polars says how it went about it, and lists the columns its own way.
        what = re.split(r"\n\n|; valid columns", str(error))[0]
        if isinstance(error, polars.exceptions.PanicException):
            what = f"polars broke off ({truncate(what, _PANIC_WIDTH)})"
        refused, lacks = failed(query, what, catalogue, missing)
        raise SqlError(refused, hint=Hint.LOAD_REST if lacks else None) from None
    return answered


def failed(
    query: str, reason: str, catalogue: Mapping[str, pa.Table], missing: Mapping[str, str]
) -> tuple[str, bool]:
    """The message for a query that failed, and whether it names a table that is not loaded.

    Args:
        query: the query.
        reason: why it failed.
        catalogue: as for :func:`answer`, like ``missing``.
        missing: see there.
    """
    named = set(re.findall(r"\w+", query.lower()))
    columns = "".join(
        f" Columns of {name}: {', '.join(arrow.column_names)}."
        for name, arrow in catalogue.items()
        if name in named
    )
    why = "".join(f" {sentence}" for name, sentence in missing.items() if name in named)
    return (
        f"The query {truncate(query)!r} failed: {reason.rstrip('.')}.{why} "
        f"Tables: {', '.join(catalogue)}.{columns}"
    ), bool(why)


def _texts(arrow: pa.Table) -> pa.Table:
    """The table with the values of its enums as text."""
    fields = [f.with_type(pa.string()) if f.type == KIND else f for f in arrow.schema]
    return arrow.cast(pa.schema(fields))
