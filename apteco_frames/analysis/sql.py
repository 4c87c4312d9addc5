"""SQL over a catalogue, by polars.

What is asked of a catalogue in SQL is answered as a ``polars.DataFrame``, which has types
that Arrow does not have; so it is handed on as it is.
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

# What polars says of itself where it panics can be long.
_PANIC_WIDTH = 200


def answer(
    query: str, catalogue: Mapping[str, pa.Table], missing: Mapping[str, str]
) -> pl.DataFrame:
    """The answer to a query; values of enums are text in it.

    Args:
        query: one statement in the SQL of polars. It can read files; see
            :meth:`apteco_frames.catalogue.AnyCatalogue.sql`.
        catalogue: the tables that it may ask, by name.
        missing: what else it may name, and why that is not there, in a sentence each.

    Raises:
        SqlError: the query is none, or names what is not there, or a file cannot be read,
            or polars panics.
    """
    polars = import_polars()
    named = set(re.findall(r"\w+", query.lower()))
    frames = {name: polars.DataFrame(_texts(arrow)) for name, arrow in catalogue.items()}
    try:
        answered: pl.DataFrame = polars.SQLContext(frames, eager=True).execute(query)
    except (
        *(polars.exceptions.PolarsError, OSError),  # it can read files
        UnicodeEncodeError,  # half of a character
        polars.exceptions.PanicException,  # which is no Exception
    ) as error:
        columns = "".join(
            f" Columns of {name}: {', '.join(arrow.column_names)}."
            for name, arrow in catalogue.items()
            if name in named
        )
        reasons = "".join(f" {reason}" for name, reason in missing.items() if name in named)
        # What follows is how polars went about it, and the columns in another way.
        what = re.split(r"\n\n|; valid columns", str(error))[0]
        if isinstance(error, polars.exceptions.PanicException):
            what = f"polars broke off ({truncate(what, _PANIC_WIDTH)})"
        raise SqlError(
            f"The query {truncate(query)!r} was not answered: {what.rstrip('.')}.{reasons} "
            f"Tables: {', '.join(catalogue)}.{columns}",
            hint=Hint.LOAD_REST if reasons else None,
        ) from None
    return answered


def _texts(arrow: pa.Table) -> pa.Table:
    """The table with the values of its enums as text."""
    fields = [f.with_type(pa.string()) if f.type == KIND else f for f in arrow.schema]
    return arrow.cast(pa.schema(fields))
