"""A catalogue as an Excel workbook: a data dictionary to filter, sort and hand on.

Rows go to the file as they come (XlsxWriter's ``constant_memory``), so that half a million
codes need no more memory than a thousand. Texts are written as texts, whatever they look
like: no formula, no address, no markup.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.errors import MissingDependencyError, how_to_install
from apteco_frames.support import files
from apteco_frames.support.arrays import spans_of
from apteco_frames.support.text import list_items, truncate

# What Excel holds: rows of a sheet with the header, UTF-16 units of a text, links of a sheet.
MOST_ROWS = 1_048_576
MOST_UNITS = 32_767
MOST_LINKS = 65_530

_ROWS_PER_BATCH = 1_000
_WIDEST = 60
_FILTER_ARROW = 3
_MOST_NAMES = 10
# Larger whole numbers lose their last digits in Excel.
_LARGEST_WHOLE = 10**15
# What a spreadsheet would run as a formula once somebody edits the cell, as write_csv has it;
# \uFF.. are the full-width forms.
_FORMULA = re.compile(r"[\x00-\x20]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|[\t\r\n]")

_COLUMNS = {"Tables": schema.TABLES, "Variables": schema.VARIABLES, "Codes": schema.CODES}
_HOLDS = {
    "Tables": "A row for each table; its name leads to its variables.",
    "Variables": "A row for each variable, those of a table together; its name leads to its codes.",
    "Codes": "A row for each code, those of a variable together, in the order that they have.",
}


def write(
    path: Path,
    system: Mapping[str, Any],
    rows: Mapping[str, pa.Table],
    unavailable: Sequence[str] = (),
    *,
    most_rows: int = MOST_ROWS,
    most_links: int = MOST_LINKS,
) -> None:
    """Write a workbook with the sheets System, Tables, Variables and, if known, Codes.

    Args:
        path: the file; an existing file is replaced, whole or not at all.
        system: ``name, description, build_date, view_name`` of the system.
        rows: ``tables`` and ``variables``, and ``codes`` if they are known, under the
            declared schemas; the codes of a variable stand together.
        unavailable: names of variables whose codes the API refused.
        most_rows: rows of a sheet, the header with them; what is more goes on in another.
        most_links: links of a sheet; further names lead nowhere.

    Raises:
        MissingDependencyError: XlsxWriter is not installed.
        OSError: the file cannot be written.
    """
    try:
        import xlsxwriter
        from xlsxwriter.exceptions import FileCreateError
    except ImportError:
        raise MissingDependencyError(
            "write_excel() needs XlsxWriter, which is not installed. "
            "Install it with: python -m pip install XlsxWriter; or with this package, "
            f"{how_to_install('excel')}"
        ) from None

    def fill(part: Path) -> None:
        # A folder of its own, so that what a failure leaves behind goes with it.
        with (
            part.open("wb") as file,
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        ):
            sink = _Sink(file)
            book = xlsxwriter.Workbook(sink, {"constant_memory": True, "tmpdir": folder})
            try:
                _Writer(book, most_rows, most_links).write(system, rows, unavailable)
                book.close()
            except FileCreateError as error:
                raise error.args[0] from None
            finally:
                sink.is_done = True
                for sheet in book.worksheets():
                    for left_open in (sheet.row_data_fh, sheet.fh):
                        with suppress(OSError):
                            left_open.close()

    files.replace(path, fill)


class _Sink:
    """What XlsxWriter writes to; once that has failed, or is done, nothing more is written.

    Its ``ZipFile`` is left to itself after an error, and would then complain on standard error
    that it cannot write its end either.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.is_done = False
        self._file = file
        self._position = 0  # of what is not written any more

    def write(self, data: bytes) -> int:
        if not self.is_done:
            with self._once():
                return self._file.write(data)
        self._position += len(data)
        return len(data)

    def seek(self, position: int) -> int:
        if not self.is_done:
            with self._once():
                return self._file.seek(position)
        self._position = position
        return position

    def tell(self) -> int:
        return self._position if self.is_done else self._file.tell()

    def flush(self) -> None:
        if not self.is_done:
            with self._once():
                self._file.flush()

    @contextmanager
    def _once(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.is_done = True
            raise


class _Part(NamedTuple):
    """What of a noun's rows stands on one sheet."""

    sheet: str
    start: int
    stop: int


class _Writer:
    """Fills a workbook, and counts what Excel cannot hold."""

    def __init__(self, book: Any, most_rows: int, most_links: int) -> None:
        self._book = book
        self._most_rows = most_rows
        self._most_links = most_links
        self._cut = 0
        self._unlinked = 0
        self._header = book.add_format({"bold": True, "bg_color": "#E7EBF0", "bottom": 1})
        # The format "Text" and, with a mark that is not shown, what looks like a formula: so
        # they stay texts when somebody edits the cell.
        self._text = book.add_format({"num_format": "@"})
        self._quoted = book.add_format({"num_format": "@", "quote_prefix": True})
        self._link = book.add_format({"num_format": "@", "font_color": "#0B5CAD", "underline": 1})
        self._whole = book.add_format({"num_format": "#,##0"})
        self._fraction = book.add_format({"num_format": "#,##0.00####"})
        self._time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})

    def write(
        self, system: Mapping[str, Any], rows: Mapping[str, pa.Table], unavailable: Sequence[str]
    ) -> None:
        tables, variables = rows["tables"], _by_table(rows["variables"], rows["tables"]["name"])
        codes = rows.get("codes")
        nouns = {"Tables": tables, "Variables": variables}
        nouns |= {} if codes is None else {"Codes": codes}
        parts = {noun: list(self._parts(noun, len(arrow))) for noun, arrow in nouns.items()}
        first = self._book.add_worksheet("System")
        to_variables = self._ranges(parts["Variables"], variables["table_name"])
        to_codes = {} if codes is None else self._ranges(parts["Codes"], codes["variable_name"])
        links = {"Tables": to_variables, "Variables": to_codes, "Codes": {}}
        for noun, arrow in nouns.items():
            for part in parts[noun]:
                rows_of_part = arrow.slice(part.start, part.stop - part.start)
                self._fill(self._book.add_worksheet(part.sheet), rows_of_part, links[noun])
        notes = list(self._notes(parts, codes is None, unavailable))
        self._fill_first(first, system, parts, notes)

    def _parts(self, noun: str, rows: int) -> Iterator[_Part]:
        """Where a noun's rows stand: on one sheet, or as many as they need."""
        room = self._most_rows - 1
        for number, start in enumerate(range(0, max(rows, 1), room), 1):
            sheet = noun if number == 1 else f"{noun} {number}"
            yield _Part(sheet, start, min(rows, start + room))

    def _ranges(self, parts: Sequence[_Part], names: pa.ChunkedArray) -> dict[str, str]:
        """By name, the range of its rows, or of those on the first sheet that has them."""
        room = self._most_rows - 1
        ranges = {}
        for name, (start, stop) in spans_of(names.combine_chunks()).items():
            part = parts[start // room]
            first, last = start - part.start, min(stop, part.stop) - part.start
            ranges[name] = f"internal:'{part.sheet}'!A{first + 2}:A{last + 1}"
        return ranges

    def _fill(self, sheet: Any, arrow: pa.Table, links: Mapping[str, str]) -> None:
        """A noun's rows under a header; the first column leads to where ``links`` says."""
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, arrow.num_rows, arrow.num_columns - 1)
        sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS}"})
        for col, (name, column) in enumerate(zip(arrow.column_names, arrow.columns, strict=True)):
            sheet.set_column(col, col, _width(name, column))
            sheet.write_string(0, col, name, self._header)
        linked = 0
        for row, values in enumerate(_lines(arrow), 1):
            target = links.get(values[0], "")
            if target and linked == self._most_links:
                self._unlinked += 1
                target = ""
            linked += bool(target)
            self._put(sheet, row, 0, values[0], target)
            for col, value in enumerate(values[1:], 1):
                self._put(sheet, row, col, value)

    def _put(self, sheet: Any, row: int, column: int, value: Any, target: str = "") -> None:
        """Write one cell; none for null and for an empty text."""
        if isinstance(value, list):
            value = "; ".join(value)
        if value is None or value == "":
            return
        if isinstance(value, str):
            self._put_text(sheet, row, column, value, target)
        elif isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, datetime):
            # Excel's days begin in 1900, with one too many, and end with 9999.
            if not 1900 < value.year < 9999:
                sheet.write_string(row, column, value.isoformat(" "), self._text)
            else:
                sheet.write_datetime(row, column, value, self._time)
        elif not math.isfinite(value) or abs(value) > _LARGEST_WHOLE:
            sheet.write_string(row, column, str(value), self._text)
        else:
            whole = value == int(value)
            sheet.write_number(row, column, value, self._whole if whole else self._fraction)

    def _put_text(self, sheet: Any, row: int, column: int, text: str, target: str) -> None:
        fitting = self._fitting(text)
        looks = self._quoted if _FORMULA.match(fitting) else self._text
        if target:
            looks = self._link
            # Without the text, which XlsxWriter would put into an attribute as it stands.
            sheet.write_url(row, column, target)
        sheet.write_string(row, column, fitting, looks)
        if fitting.startswith("<r>") and fitting.endswith("</r>"):
            # XlsxWriter would take it for markup of its own; in two pieces it makes that itself.
            sheet.write_rich_string(row, column, fitting[0], looks, fitting[1:], looks)

    def _fitting(self, text: str) -> str:
        """The text, or as much of it as a cell holds, with a mark."""
        if len(text) <= MOST_UNITS // 2 or len(text.encode("utf-16-le")) <= 2 * MOST_UNITS:
            return text
        self._cut += 1
        mark = f"… [cut, of {len(text):,} characters]"
        kept = text.encode("utf-16-le")[: 2 * (MOST_UNITS - len(mark))]
        return kept.decode("utf-16-le", "ignore") + mark

    def _notes(
        self, parts: Mapping[str, list[_Part]], no_codes: bool, unavailable: Sequence[str]
    ) -> Iterator[str]:
        """What a reader of the workbook has to know of what is not in it, in sentences."""
        yield "Times are local times of the FastStats server, which have no zone."
        if no_codes:
            yield (
                "There are no codes: the catalogue holds none, or not all. Log in, call "
                "session.load_codes(), and write the workbook after that."
            )
        if unavailable:
            names = list_items(list(map(truncate, unavailable[:_MOST_NAMES])), len(unavailable))
            yield f"The server refused the codes of {names}; they are not here."
        for noun, sheets in parts.items():
            if len(sheets) > 1:
                yield (
                    f"{noun} are on {len(sheets)} sheets, since one holds {self._most_rows:,} "
                    "rows: " + ", ".join(part.sheet for part in sheets) + "."
                )
        if self._cut:
            yield (
                f"{self._cut:,} texts are longer than the {MOST_UNITS:,} characters that a cell "
                "holds; each ends in a mark that says how long it was."
            )
        if self._unlinked:
            yield (
                f"{self._unlinked:,} names lead nowhere, since a sheet holds no more than "
                f"{self._most_links:,} links."
            )

    def _fill_first(
        self,
        sheet: Any,
        system: Mapping[str, Any],
        parts: Mapping[str, list[_Part]],
        notes: Sequence[str],
    ) -> None:
        """The sheet on the system: what it is, what the other sheets and columns hold."""
        for col, width in enumerate((26, 30, 100)):
            sheet.set_column(col, col, width)
        facts: list[tuple[Any, ...]] = [
            ("System", system["name"]),
            ("Description", system["description"]),
            ("Built", system["build_date"]),
            ("View", system["view_name"]),
        ]
        sheets: list[tuple[Any, ...]] = [
            (part.sheet, part.stop - part.start, _HOLDS[noun])
            for noun, of_noun in parts.items()
            for part in of_noun
        ]
        columns: list[tuple[Any, ...]] = [
            (noun, column.name, column.doc.replace("``", ""))
            for noun in parts
            for column in _COLUMNS[noun]
        ]
        blocks: list[tuple[tuple[str, ...], list[tuple[Any, ...]]]] = [
            (("What", "Value"), facts),
            (("Sheet", "Rows", "What it holds"), sheets),
            (("Notes",), [(note,) for note in notes]),
            (("Sheet", "Column", "Meaning"), columns),
        ]
        top = 0
        for header, lines in blocks:
            for col, name in enumerate(header):
                sheet.write_string(top, col, name, self._header)
            for row, line in enumerate(lines, top + 1):
                target = f"internal:'{line[0]}'!A1" if lines is sheets else ""
                self._put(sheet, row, 0, line[0], target)
                for col, value in enumerate(line[1:], 1):
                    self._put(sheet, row, col, value)
            top += len(lines) + 2


def _by_table(variables: pa.Table, tables: pa.ChunkedArray) -> pa.Table:
    """The variables with those of each table together, in the order of the tables."""
    positions = pc.index_in(variables["table_name"], tables.combine_chunks()).combine_chunks()
    # Stable, so that the API's order stays within each table.
    return variables.take(pc.array_sort_indices(positions))


def _lines(arrow: pa.Table) -> Iterator[tuple[Any, ...]]:
    """The rows, a batch of them at a time in memory."""
    for batch in arrow.to_batches(max_chunksize=_ROWS_PER_BATCH):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _width(name: str, column: pa.ChunkedArray) -> int:
    """How wide a column is to show its values, in characters."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    if pa.types.is_string(column.type):
        longest = pc.max(pc.utf8_length(column)).as_py() or 0
    elif pa.types.is_integer(column.type):
        longest = len(f"{pc.max(column).as_py() or 0:,}")
    else:
        longest = len("2026-01-02 03:04:05")
    return min(_WIDEST, max(longest, len(name) + _FILTER_ARROW) + 2)
