"""Rows on standard output: a table on a terminal, and what programs read elsewhere."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from datetime import date, datetime, time
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from apteco_frames.cli.paths import PATH
from apteco_frames.support.text import display_width, escape_controls, truncate, without_commands

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = ("table", "json", "jsonl", "csv", "parquet")


class Output(NamedTuple):
    """How rows are to be printed.

    Attributes:
        format: one of :data:`FORMATS`.
        columns: names of the columns; none if they were not chosen.
        header: whether a table has the columns' names above it.
    """

    format: str = "table"
    columns: tuple[str, ...] = ()
    header: bool = True

    def show(self, rows: pa.Table, preview: Sequence[str] = ()) -> None:
        """Print rows.

        Args:
            rows: the rows.
            preview: the columns of a table, unless others were chosen; all if not given.
                Formats for programs have all columns.

        Raises:
            UsageError: there is no column that was chosen.
        """
        for name in self.columns:
            if name not in rows.column_names:
                raise click.BadParameter(
                    f"no column {truncate(name)!r}; there are {', '.join(rows.column_names)}",
                    click.get_current_context(),
                    param_hint="--columns",
                )
        chosen = self.columns or (preview if self.format == "table" else ())
        rows = _without_nanoseconds(rows.select(list(chosen or rows.column_names)))
        if self.format != "parquet":
            _check_times(rows)
        if self.format == "table":
            print_lines(_table(rows, self.header))
        elif self.format == "parquet":
            _write_parquet(rows)
        else:
            print_rows(rows, self.format)


def with_output(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for rows; it is called with ``output=``."""

    @click.option(
        "--output",
        "output_format",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="How to print rows: a table (to a terminal with aligned columns that fit its width; "
        "elsewhere whole and separated by tabs), or all columns in a format for programs.",
    )
    @click.option(
        "--columns",
        metavar="A,B",
        default="",
        callback=lambda _context, _option, text: _names(text),
        help="The columns to print, in this order.",
    )
    @click.option("--no-header", is_flag=True, help="Leave out the line of columns in a table.")
    @wraps(function)
    def command(output_format: str, columns: tuple[str, ...], no_header: bool, **rest: Any) -> Any:
        if output_format == "parquet" and is_terminal():
            raise click.BadParameter(
                "a terminal cannot show Parquet; send it to a file: --to rows.parquet",
                click.get_current_context(),
                param_hint="--output",
            )
        return function(output=Output(output_format, columns, not no_header), **rest)

    return with_file(command)


def with_file(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--to``: a file for what it would print, which is there whole or not at all.

    Shells may change what is redirected: PowerShell 5.1 writes ``>`` in UTF-16, and spoils Parquet.
    """

    @click.option(
        "--to",
        type=PATH,
        metavar="FILE",
        help="Write to FILE, in UTF-8, instead of standard output. PowerShell 5.1 re-encodes what "
        "> redirects; --to does not.",
    )
    @wraps(function)
    def command(to: Path | None, **rest: Any) -> Any:
        if to is None:
            return function(**rest)
        from apteco_frames.support.files import replace

        held = io.BytesIO()
        with io.TextIOWrapper(held, encoding="utf-8", newline="\n") as out:
            with redirect_stdout(out):
                status = function(**rest)
            out.flush()
            replace(to, lambda part: part.write_bytes(held.getvalue()))
        return status

    return command


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name for name in map(str.strip, text.split(",")) if name)
    for name, number in Counter(names).items():
        if number > 1:
            raise click.BadParameter(f"{truncate(name)!r} comes twice; a column is printed once")
    return names


def is_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def width() -> int:
    """How many columns the terminal has; ``COLUMNS`` says otherwise, as elsewhere."""
    return shutil.get_terminal_size().columns


def styled(text: str, **style: Any) -> str:
    """A text in a colour or in bold, on a terminal whose user wants that (``NO_COLOR``)."""
    wanted = (
        style
        and is_terminal()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )
    return click.style(text, **style) if wanted else text


def escaped(text: str) -> str:
    r"""A text for one field of a line: a backslash is doubled, tabs and the like are escaped.

    >>> print(escaped("a\tb"), escaped("C:\\new"), escaped("\x1b[31m"))
    a\tb C:\\new \x1b[31m
    """
    if text.isprintable() and "\\" not in text:
        return text
    return escape_controls(text.replace("\\", "\\\\"))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines on standard output, if there is one."""
    if is_terminal():
        for line in lines:
            click.echo(line, file=sys.stdout)  # which shows colours on a Windows console, too
    elif sys.stdout is not None:
        sys.stdout.writelines(f"{line}\n" for line in lines)


def write_for_programs() -> None:
    """From here on standard output is in UTF-8, with line ends as they are, but on a terminal.

    A redirected one may have a code page (Windows) without the characters of a catalogue, and
    what stands for them elsewhere is no JSON.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and not is_terminal():
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")


def print_rows(rows: pa.Table, form: str) -> None:
    """Print rows for programs, in UTF-8.

    Args:
        rows: the rows.
        form: ``json``, ``jsonl`` or ``csv``.
    """
    write_for_programs()
    print_lines({"json": _json_array, "jsonl": _json_rows, "csv": _csv}[form](rows))


def _table(rows: pa.Table, header: bool) -> Iterator[str]:
    names = [escape_controls(name) for name in rows.column_names]
    columns = [column.to_pylist() for column in _without_nanoseconds(rows).columns]
    if not is_terminal():
        if header:
            yield without_commands("\t".join(names))
        for values in zip(*columns, strict=True):
            yield without_commands("\t".join(escaped(text_of(value)) for value in values))
        return
    from apteco_frames.support.display import text_table

    cells = zip(*([_cell(value) for value in column] for column in columns), strict=True)
    lines = text_table(names, cells, width(), cell_width=width()).splitlines()
    for number, line in enumerate(lines if header else lines[1:]):
        fitting = line if display_width(line) <= width() else truncate(line, width())
        yield styled(fitting, bold=True) if header and not number else fitting


def _without_nanoseconds(rows: pa.Table) -> pa.Table:
    """Rows whose times Python can hold; pyarrow would make pandas' own of finer ones."""
    import pyarrow as pa

    for position, field in enumerate(rows.schema):
        kind: Any = None
        if pa.types.is_timestamp(field.type):
            kind = pa.timestamp("us", field.type.tz)
        elif pa.types.is_duration(field.type):
            kind = pa.duration("us")
        elif pa.types.is_time64(field.type):
            kind = pa.time64("us")
        if kind not in (None, field.type):
            column = rows.column(position).cast(kind, safe=False)
            rows = rows.set_column(position, field.name, column)
    return rows


def _check_times(rows: pa.Table) -> None:
    """See that Python has all times: it prints them, and has those of the years 1 to 9999."""
    import pyarrow as pa

    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if pa.types.is_temporal(column.type) or pa.types.is_nested(column.type):
            try:
                column.to_pylist()
            except (OverflowError, ValueError):
                raise click.ClickException(
                    f"Column {truncate(name)!r} has times that cannot be printed: not all are of "
                    "the years 1 to 9999. Leave it out, or write all as Parquet: --output parquet "
                    "--to FILE."
                ) from None


def _cell(value: Any) -> Any:
    """A value for a table of text, which aligns the numbers of a column, nulls among them."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if value is None or is_number else text_of(value)


def text_of(value: Any) -> str:
    """A value as text: nothing for null, times in ISO 8601, lists with ``; `` between.

    >>> text_of(None), text_of(True), text_of(["Bookings", "People"])
    ('', 'true', 'Bookings; People')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "; ".join(map(text_of, value))
    if isinstance(value, dict):
        return _to_json(value)
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


def _to_json(value: Any) -> str:
    text = json.dumps(_finite(value), ensure_ascii=False, default=text_of)
    text = text.replace("##", "#\\u0023")  # the start of a command to a build server's log
    if text.isprintable():
        return text
    # Legal in JSON, but not harmless on a terminal.
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _finite(value: Any) -> Any:
    """A value without NaN and infinities, which JSON does not have; decimals as its numbers."""
    if isinstance(value, Decimal):  # what polars makes of 1.5 in SQL
        return float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list) else value


def _json_rows(rows: pa.Table) -> Iterator[str]:
    for batch in _without_nanoseconds(rows).to_batches(max_chunksize=1024):
        yield from map(_to_json, batch.to_pylist())


def _json_array(rows: pa.Table) -> Iterator[str]:
    yield "["
    last = len(rows) - 1
    for number, row in enumerate(_json_rows(rows)):
        yield row if number == last else f"{row},"
    yield "]"


def _csv(rows: pa.Table) -> Iterator[str]:
    from apteco_frames.frame.tabular import for_spreadsheets
    from apteco_frames.support.fork import import_polars

    pl = import_polars()
    frame = pl.DataFrame(rows)
    others = [
        name
        for name, kind in frame.schema.items()
        if kind.is_nested() or kind in (pl.Binary, pl.Duration)
    ]
    frame = frame.with_columns(
        pl.Series(
            name, [None if v is None else text_of(v) for v in frame[name].to_list()], pl.String
        )
        for name in others
    )
    text = for_spreadsheets(frame).write_csv(quote_style="non_numeric")
    lines = text.removesuffix("\n").split("\n")
    return map(escape_controls, lines) if is_terminal() else iter(lines)


def _write_parquet(rows: pa.Table) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(rows, sink)
    if sys.stdout is not None:
        sys.stdout.flush()
        left = memoryview(sink.getvalue())
        while left:  # with PYTHONUNBUFFERED a write may take but a part, as on a full disk
            left = left[sys.stdout.buffer.write(left) :]
        sys.stdout.buffer.flush()
