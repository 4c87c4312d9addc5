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
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from apteco_frames.cli.command import OUTPUT, Decorator, gathered, option, with_file
from apteco_frames.cli.completion import columns
from apteco_frames.cli.messages import say
from apteco_frames.support.text import display_width, escape_controls, truncate, without_commands

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = ("table", "json", "jsonl", "csv", "excel-csv", "parquet")

# What one types again, to look something up: never cut, but rather left out whole.
_KEYS = frozenset({"noun", "name", "code", "path", "system", "build", "id"})
_LEAST_WIDTH = 8
_GAP = "  "
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Output:
    """How rows are to be printed.

    Attributes:
        format: one of :data:`FORMATS`.
        columns: names of the columns; none if they were not chosen.
        no_header: whether a table lacks the columns' names above it.

    Raises:
        UsageError: it is Parquet on a terminal.
    """

    format: str
    columns: tuple[str, ...]
    no_header: bool

    def __post_init__(self) -> None:
        if self.format == "parquet" and is_terminal():
            click.get_current_context().fail(
                "A terminal cannot show Parquet; send it to a file: --to rows.parquet"
            )

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
                known = ", ".join(rows.column_names)
                click.get_current_context().fail(
                    f"There is no column {truncate(name)!r}; there are {known}."
                )
        chosen = self.columns or (preview if self.format == "table" else ())
        rows = rows.select(list(chosen or rows.column_names))
        if self.format == "parquet":
            _write_parquet(rows)
            return
        rows = _without_nanoseconds(rows)
        _check_times(rows)
        if self.format == "table":
            _print_table(rows, not self.no_header)
        else:
            print_rows(rows, self.format)


def with_output(noun: str = "") -> Decorator:
    """What gives a command the options for rows; it is called with ``output=``.

    Args:
        noun: what the rows are, in the plural, so that shells complete its columns.
    """
    options = [
        option(
            OUTPUT,
            "--format",
            type=click.Choice(FORMATS),
            default="table",
            show_default=True,
            help="How to print rows. On a terminal, table aligns columns to fit its width; "
            "elsewhere it separates them by tabs, uncut. The other formats have all columns: csv "
            "is for programs, excel-csv for spreadsheets.",
        ),
        option(
            OUTPUT,
            "--columns",
            metavar="A,B",
            default="",
            callback=lambda _context, _option, text: _names(text),
            shell_complete=columns(noun),
            help="The columns to print, in this order.",
        ),
        option(OUTPUT, "--no-header", is_flag=True, help="Leave out the header line of a table."),
        with_file,
    ]
    return gathered("output", Output, options)


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
        form: ``json``, ``jsonl``, ``csv`` or ``excel-csv``.
    """
    write_for_programs()
    lines: dict[str, Callable[[pa.Table], Iterator[str]]] = {
        "json": _json_array,
        "jsonl": _json_rows,
        "csv": _csv,
        "excel-csv": partial(_csv, for_spreadsheets=True),
    }
    print_lines(lines[form](rows))


def _print_table(rows: pa.Table, header: bool) -> None:
    names = [escape_controls(name) for name in rows.column_names]
    columns = [column.to_pylist() for column in rows.columns]
    if is_terminal():
        from pyarrow import types

        kinds = rows.schema.types
        texts = [
            [_cell(name), *map(_cell, column)] for name, column in zip(names, columns, strict=True)
        ]
        # Of numbers and times it would be missed what is cut off.
        are_whole = [types.is_primitive(kind) or types.is_decimal(kind) for kind in kinds]
        are_numbers = [types.is_integer(kind) or types.is_floating(kind) for kind in kinds]
        widths = _widths(names, texts, are_whole, width())
        print_lines(_aligned(texts[: len(widths)], widths, are_numbers, header))
        if left_out := names[len(widths) :]:
            say(f"no room for {', '.join(left_out)}; choose columns with --columns")
    else:
        lines = (
            "\t".join(escaped(text_of(value)) for value in row)
            for row in zip(*columns, strict=True)
        )
        heading = ["\t".join(names)] if header else []
        print_lines(map(without_commands, chain(heading, lines)))


def _widths(
    names: Sequence[str], texts: list[list[str]], are_whole: list[bool], room: int
) -> list[int]:
    """What each column takes of a line; the last ones that have no room are left out.

    Keys, numbers and times are never cut, other texts to no less than eight columns.
    """
    whole = [max(map(display_width, column)) for column in texts]
    least = [
        taken
        if name in _KEYS or name.endswith("_name")
        else max(map(display_width, column[1:]), default=1)
        if is_whole
        else min(taken, _LEAST_WIDTH)
        for name, taken, column, is_whole in zip(names, whole, texts, are_whole, strict=True)
    ]
    count = 1
    while count < len(least) and sum(least[: count + 1]) + len(_GAP) * count <= room:
        count += 1
    widths = least[:count]
    spare = room - len(_GAP) * (count - 1) - sum(widths)
    while spare > 0 and (cut := [n for n in range(count) if widths[n] < whole[n]]):
        widths[min(cut, key=widths.__getitem__)] += 1
        spare -= 1
    return widths


def _aligned(
    texts: list[list[str]], widths: list[int], are_numbers: list[bool], header: bool
) -> Iterator[str]:
    last = len(widths) - 1
    for number, line in enumerate(zip(*texts, strict=True)):
        cells = []
        for position, (text, taken) in enumerate(zip(line, widths, strict=True)):
            cell = truncate(text, taken)
            padding = " " * (taken - display_width(cell))
            at_end = "" if position == last else padding
            cells.append(f"{padding}{cell}" if are_numbers[position] else f"{cell}{at_end}")
        if number or header:
            yield styled(_GAP.join(cells), **({} if number else {"bold": True}))


def _cell(value: Any) -> str:
    """A value for a table on a terminal: numbers with commas, whatever it is on one line."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:,}" if is_number else escape_controls(text_of(value))


def _without_nanoseconds(rows: pa.Table) -> pa.Table:
    """Rows whose times Python can hold; pyarrow would make pandas' own of finer ones."""
    import pyarrow as pa

    kinds = (pa.timestamp, pa.duration, pa.time64)
    coarser = {kind("ns"): kind("us") for kind in kinds}
    fields = [field.with_type(coarser.get(field.type, field.type)) for field in rows.schema]
    return rows.cast(pa.schema(fields), safe=False)


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
                    "the years 1 to 9999. Leave it out, or write all as Parquet: --format parquet "
                    "--to FILE."
                ) from None


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
    for batch in rows.to_batches(max_chunksize=1024):
        yield from map(_to_json, batch.to_pylist())


def _json_array(rows: pa.Table) -> Iterator[str]:
    yield "["
    last = len(rows) - 1
    for number, row in enumerate(_json_rows(rows)):
        yield row if number == last else f"{row},"
    yield "]"


def _csv(rows: pa.Table, *, for_spreadsheets: bool = False) -> Iterator[str]:
    from apteco_frames.frame.tabular import without_formulas
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
    ).with_columns(pl.col(pl.Enum, pl.Categorical).cast(pl.String))
    if for_spreadsheets:
        frame = without_formulas(frame)
    text = frame.write_csv(quote_style="non_numeric")
    lines = text.removesuffix("\n").split("\n")
    if is_terminal():
        return map(escape_controls, lines)
    return chain([_BYTE_ORDER_MARK * for_spreadsheets + lines[0]], lines[1:])


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
