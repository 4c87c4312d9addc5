"""A catalogue as an Excel workbook: a data dictionary to filter, sort, print and hand on.

XlsxWriter makes the workbook: its sheets with their headers, formats, widths and print settings.
The rows are put into its sheets as XML, a batch of them at a time, by Arrow's functions on whole
columns: half a million codes need no more memory than a thousand. Texts are written as texts,
whatever they look like: no formula, no address, no markup.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.errors import MissingDependencyError, how_to_install
from apteco_frames.render import titles
from apteco_frames.support import files
from apteco_frames.support.arrays import array_of, booleans, integers, scalar, spans_of, strings
from apteco_frames.support.progress import Progress, Report, progress_of
from apteco_frames.support.text import list_items, truncate

# What Excel holds: rows of a sheet with the header, UTF-16 units of a text, links of a sheet.
MOST_ROWS = 1_048_576
MOST_UNITS = 32_767
MOST_LINKS = 65_530

_ROWS_PER_BATCH = 4_000

_WIDEST = 60
_FILTER_ARROW = 3
_MOST_NAMES = 10
# Larger whole numbers lose their last digits in Excel.
_LARGEST_WHOLE = 10**15
# Excel's days begin in 1900, with one too many, and end with 9999.
_FIRST_YEAR, _LAST_YEAR = 1901, 9998
_DAYS_TO_1970 = 25_569
_DAY = 86_400_000_000  # microseconds
# What a spreadsheet would run as a formula once somebody edits the cell, as write_csv has it;
# the last four are the full-width forms.
_FORMULA = r"^(?:[\x00-\x20]*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]|[\t\r\n])"
# What XML does not hold, or Excel would read as an escape of its own.
_ODD = r"[&<>\x00-\x08\x0B-\x1F\x{FFFE}\x{FFFF}]|_x[0-9A-Fa-f]{4}_"
_BLANK_AT_AN_END = r"^\s|\s$|\n"

# Numbers keep a distance from the text beside them. Texts have the format "Text" and, with a mark
# that is not shown, what looks like a formula: so they stay texts when somebody edits the cell.
_RIGHT = {"align": "right", "indent": 1}
_FORMATS: dict[str, dict[str, Any]] = {
    "text": {"num_format": "@"},
    "quoted": {"num_format": "@", "quote_prefix": True},
    "link": {"num_format": "@", "font_color": "#0B5CAD", "underline": 1},
    "whole": {"num_format": "#,##0"} | _RIGHT,
    "fraction": {"num_format": "#,##0.00####"} | _RIGHT,
    "share": {"num_format": "0.0%"} | _RIGHT,
    "time": {"num_format": "yyyy-mm-dd hh:mm:ss"} | _RIGHT,
    # Excel shows TRUE and FALSE whatever the format, LibreOffice 1 and 0 unless told.
    "bool": {"num_format": '"TRUE";"TRUE";"FALSE"', "align": "left"},
}
_HEADER = {"bold": True, "bg_color": "#E7EBF0", "bottom": 1}
# Where a group begins there is a line; its name is indented where it is repeated.
_VARIANTS: dict[str, dict[str, Any]] = {
    "": {},
    " first": {"top": 1, "top_color": "#8A949E"},
    " again": {"indent": 1, "font_color": "#5A6570"},
}
_MOST_INDENTS = 15

_TITLES = {"Tables": titles.TABLES, "Variables": titles.VARIABLES, "Codes": titles.CODES}
_COLUMNS = {"Tables": schema.TABLES, "Variables": schema.VARIABLES, "Codes": schema.CODES}
_DERIVED = {
    "folder": "Where it is among the folders.",
    "share": "The code's part of all records of the table.",
}
# By which column the rows of a sheet are grouped, and which shows it.
_GROUPED_BY = {
    "Variables": ("table_name", "table_name"),
    "Codes": ("variable_name", "variable_description"),
}
# How many columns of a sheet are printed.
_PRINTED = {"Tables": 9, "Variables": 7, "Codes": 9}
_HOLDS = {
    "Tables": "A row for each table; its name leads to its variables.",
    "Variables": "A row for each variable, those of a table together; it leads to its codes.",
    "Codes": "A row for each code, those of a variable together, in the order that they have.",
}


def write(
    path: Path,
    system: Mapping[str, Any],
    rows: Mapping[str, pa.Table],
    unavailable: Sequence[str] = (),
    *,
    progress: Progress = False,
    most_rows: int = MOST_ROWS,
    most_links: int = MOST_LINKS,
) -> None:
    """Write a workbook with the sheets System, Tables, Variables and, if known, Codes.

    Args:
        path: the file; an existing file is replaced, whole or not at all.
        system: ``name, description, build_date, view_name`` of the system.
        rows: ``tables`` and ``variables``, and ``codes`` and ``folders`` if they are known,
            under the declared schemas; the codes of a variable stand together.
        unavailable: names of variables whose codes the API refused.
        progress: called with the rows written so far and their number, or whether to show them.
        most_rows: rows of a sheet, the header with them; what is more goes on in another.
        most_links: links of a sheet; further names lead nowhere.

    Raises:
        MissingDependencyError: XlsxWriter is not installed.
        OSError: the file cannot be written.
    """
    try:
        import xlsxwriter
    except ImportError:
        raise MissingDependencyError(
            "A workbook needs XlsxWriter, which is not installed. "
            "Install it with: python -m pip install XlsxWriter; or with this package, "
            f"{how_to_install('excel')}"
        ) from None

    def fill(part: Path) -> None:
        plan = _Plan(rows, most_rows, most_links)
        made = io.BytesIO()
        _make(xlsxwriter.Workbook(made, {"in_memory": True}), plan, system, unavailable)
        with progress_of("rows", progress) as report:
            _fill(part, made, plan, report)

    files.replace(path, fill)


class _Part(NamedTuple):
    """What of a noun's rows stands on one sheet."""

    noun: str
    sheet: str
    start: int
    stop: int


class _Plan:
    """What stands on which sheet, and what Excel cannot hold of it."""

    def __init__(self, rows: Mapping[str, pa.Table], most_rows: int, most_links: int) -> None:
        self.room = most_rows - 1
        self.most_links = most_links
        self.nouns = dict(_nouns(rows))
        self.parts = [
            _Part(noun, noun if not number else f"{noun} {number + 1}", start, stop)
            for noun, arrow in self.nouns.items()
            for number, start in enumerate(range(0, max(len(arrow), 1), self.room))
            for stop in [min(len(arrow), start + self.room)]
        ]
        targets = {"Tables": self._addresses("Variables", "table_name")}
        if "Codes" in self.nouns:
            targets["Variables"] = self._addresses("Codes", "variable_name")
        self.links = {
            part.sheet: dict(self._links_of(part, targets.get(part.noun, {})))
            for part in self.parts
        }
        self.unlinked = 0
        for links in self.links.values():
            for row in list(links)[most_links:]:
                del links[row]
                self.unlinked += 1
        self.cut = sum(
            _too_long(column) for arrow in self.nouns.values() for column in arrow.columns
        )

    def rows_of(self, part: _Part) -> pa.Table:
        """The rows of a part."""
        return self.nouns[part.noun].slice(part.start, part.stop - part.start)

    def _addresses(self, noun: str, key: str) -> dict[str, str]:
        """By name, where its rows stand, or those on the first sheet that has them."""
        parts = [part for part in self.parts if part.noun == noun]
        addresses = {}
        for name, (start, stop) in spans_of(self.nouns[noun][key].combine_chunks()).items():
            part = parts[start // self.room]
            first, last = start - part.start, min(stop, part.stop) - part.start
            addresses[name] = f"'{part.sheet}'!A{first + 2}:A{last + 1}"
        return addresses

    def _links_of(self, part: _Part, targets: Mapping[str, str]) -> Iterator[tuple[int, str]]:
        if targets:
            for row, name in enumerate(self.rows_of(part)["name"].to_pylist()):
                if name in targets:
                    yield row, targets[name]


def _nouns(rows: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each kind of sheet, with the columns that it shows, in their order."""
    tables, variables = rows["tables"], rows["variables"]
    (root,) = tables.filter(pc.equal(tables["depth"], scalar(0))).to_pylist()
    in_tree = strings([root["name"], *root["descendant_names"]])
    tables = tables.take(pc.index_in(in_tree, tables["name"].combine_chunks()))
    yield "Tables", tables.select(list(titles.TABLES))
    folders = _folders(rows.get("folders"), variables)
    names = variables["name"].combine_chunks()
    is_blank = pc.equal(pc.utf8_trim_whitespace(variables["description"]), scalar(""))
    labels = pc.if_else(is_blank, variables["name"], variables["description"]).combine_chunks()
    variables = variables.drop_columns("description").append_column("description", labels)
    variables = variables.append_column("folder", folders)
    order = pc.index_in(variables["table_name"], in_tree).combine_chunks()
    # Stable, so that the API's order stays within each table.
    yield "Variables", variables.take(pc.array_sort_indices(order)).select(list(titles.VARIABLES))
    if "codes" in rows:
        codes = rows["codes"].drop_columns("variable_description")
        owners = pc.index_in(codes["variable_name"], names).combine_chunks()
        totals = tables["total_records"].take(pc.index_in(codes["table_name"], in_tree))
        known = pc.if_else(pc.greater(totals, scalar(0)), totals, pa.nulls(1, totals.type)[0])
        share = pc.divide(
            codes["count"].cast(pa.float64(), safe=False), known.cast(pa.float64(), safe=False)
        )
        for name, of_variables in (("variable_description", labels), ("folder", folders)):
            of_codes = pa.DictionaryArray.from_arrays(owners, of_variables)
            codes = codes.append_column(name, of_codes)
        yield "Codes", codes.append_column("share", share).select(list(titles.CODES))


def _folders(folders: pa.Table | None, variables: pa.Table) -> pa.Array:
    """The path of the folder of each variable; where they were not read, the name it gives."""
    if folders is None:
        return pc.fill_null(variables["folder_name"], scalar("")).combine_chunks()
    paths: dict[str, list[str]] = {}
    for row in folders.select(["path", "variable_names"]).to_pylist():
        for name in row["variable_names"]:
            paths.setdefault(name, []).append(row["path"])
    return strings("; ".join(paths.get(name, [])) for name in variables["name"].to_pylist())


def _make(book: Any, plan: _Plan, system: Mapping[str, Any], unavailable: Sequence[str]) -> None:
    """The workbook without its rows; the second sheet shows all formats in its second row."""
    header, header_of_numbers = map(book.add_format, (_HEADER, _HEADER | _RIGHT))
    formats = {name: book.add_format(looks) for name, looks in _formats().items()}
    _make_first(book.add_worksheet("System"), header, formats, plan, system, unavailable)
    for number, part in enumerate(plan.parts):
        sheet, arrow = book.add_worksheet(part.sheet), plan.rows_of(part)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, arrow.num_rows, arrow.num_columns - 1)
        sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS}"})
        for place, (name, column) in enumerate(zip(arrow.column_names, arrow.columns, strict=True)):
            title = _TITLES[part.noun][name]
            sheet.set_column(place, place, _width(title, column))
            is_text = _is_text(column) or pa.types.is_boolean(column.type)
            sheet.write_string(0, place, title, header if is_text else header_of_numbers)
        _set_print(sheet)
        sheet.repeat_rows(0)
        sheet.print_area(0, 0, arrow.num_rows, _PRINTED[part.noun] - 1)
        if not number:
            for place, looks in enumerate(formats.values()):
                sheet.write_blank(1, place, None, looks)
    book.close()


def _set_print(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer("&L&F, &A&RPage &P of &N")


def _formats() -> dict[str, dict[str, Any]]:
    """How cells look, by what they hold and where they stand."""
    formats = {
        kind + variant: {**looks, **more}
        for kind, looks in _FORMATS.items()
        for variant, more in _VARIANTS.items()
    }
    for indent in range(_MOST_INDENTS + 1):
        for kind in ("text", "quoted", "link"):
            formats[f"{kind} {indent}"] = {**_FORMATS[kind], "indent": indent}
    return formats


def _fill(file: Path, made: IO[bytes], plan: _Plan, report: Report | None) -> None:
    """Write the workbook anew, with the rows in its sheets."""
    parts = {f"xl/worksheets/sheet{n}.xml": part for n, part in enumerate(plan.parts, 2)}
    styles: dict[str, pa.Scalar] = {}
    done, total = 0, sum(map(len, plan.nouns.values()))
    with (
        zipfile.ZipFile(made) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            if entry.filename not in parts:
                target.writestr(entry, source.read(entry), zipfile.ZIP_DEFLATED)
                continue
            part = parts[entry.filename]
            head, end, tail = source.read(entry).decode().partition("</sheetData>")
            if not styles:
                shown = re.findall(r'<c r="[A-Z]+2" s="(\d+)"/>', head)
                styles = dict(zip(_formats(), map(scalar, shown), strict=True))
            head = head[: head.index("</row>") + len("</row>")]
            links = plan.links[part.sheet]
            before = tail.index("<printOptions" if "<printOptions" in tail else "<pageMargins")
            tail = tail[:before] + _hyperlinks(links) + tail[before:]
            with target.open(entry.filename, "w") as sheet:
                sheet.write(_sized(head, plan.rows_of(part)).encode())
                for rows in _rows(plan, part, styles):
                    sheet.write(rows.buffers()[2] or b"")
                    done += len(rows)
                    if report:
                        report(done, total)
                sheet.write(f"{end}{tail}".encode())


def _sized(head: str, rows: pa.Table) -> str:
    """The beginning of a sheet, told how many rows it has."""
    last = f"{_letters(rows.num_columns - 1)}{rows.num_rows + 1}"
    return re.sub(r'<dimension ref="[^"]*"/>', f'<dimension ref="A1:{last}"/>', head, count=1)


def _letters(column: int) -> str:
    """What Excel calls a column.

    >>> _letters(0), _letters(27)
    ('A', 'AB')
    """
    rest, letter = divmod(column, 26)
    return (_letters(rest - 1) if rest else "") + chr(ord("A") + letter)


def _hyperlinks(links: Mapping[int, str]) -> str:
    if not links:
        return ""
    each = (f'<hyperlink ref="A{row + 2}" location="{to}"/>' for row, to in links.items())
    return f"<hyperlinks>{''.join(each)}</hyperlinks>"


def _rows(plan: _Plan, part: _Part, styles: Mapping[str, pa.Scalar]) -> Iterator[pa.Array]:
    """The rows of a sheet in XML, a batch of them at a time."""
    arrow, links = plan.rows_of(part), plan.links[part.sheet]
    key, shown_by = _GROUPED_BY.get(part.noun, (None, None))
    before = None
    for start in range(0, len(arrow), _ROWS_PER_BATCH):
        batch = arrow.slice(start, _ROWS_PER_BATCH).combine_chunks()
        rows = integers(range(start + 2, start + 2 + len(batch))).cast(pa.string())
        firsts = None
        if key:
            names = _plain(batch[key])
            firsts = _changes(names, before)
            before = names[-1].as_py()
        cells = []
        for place, name in enumerate(batch.column_names):
            look = _Look(styles, firsts, name == shown_by)
            if not place:
                linked = booleans(row in links for row in range(start, start + len(batch)))
                indents = _plain(batch["depth"]).to_pylist() if part.noun == "Tables" else None
                look = look._replace(linked=linked, indents=indents)
            at = _joined(f'<c r="{_letters(place)}', rows, '" s="')
            cells.append(_cells(_plain(batch[name]), at, look, name == "share"))
        yield _joined('<row r="', rows, '">', *cells, "</row>")


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array, its names and kinds as texts."""
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_dictionary(array.type):
        return array.cast(pa.string())
    if pa.types.is_list(array.type):
        return pc.binary_join(array.cast(pa.list_(pa.string())), scalar("; "))
    return array


def _changes(names: pa.Array, before: str | None) -> pa.Array:
    """Where another name begins than in the row before."""
    first = booleans([names[0].as_py() != before])
    return pa.concat_arrays([first, pc.not_equal(names[1:], names[:-1])])


class _Look(NamedTuple):
    """What the format of a cell depends on, beside what it holds."""

    styles: Mapping[str, pa.Scalar]
    firsts: pa.Array | None  # where a group begins
    names_group: bool
    linked: pa.Array | None = None
    indents: list[int] | None = None

    def of(self, kind: str) -> pa.Array | pa.Scalar:
        """The format of each cell that holds something of a kind."""
        if self.indents is not None and f"{kind} 0" in self.styles:
            deepest = (f"{kind} {min(indent, _MOST_INDENTS)}" for indent in self.indents)
            return strings(self.styles[name].as_py() for name in deepest)
        if self.firsts is None:
            return self.styles[kind]
        others = f"{kind} again" if self.names_group else kind
        return pc.if_else(self.firsts, self.styles[f"{kind} first"], self.styles[others])


def _cells(values: pa.Array, at: pa.Array, look: _Look, is_share: bool) -> pa.Array:
    """The cells of a column, as XML; of null and of an empty text only the line of a group."""
    if pa.types.is_string(values.type):
        cells = _text_cells(values, at, look)
    elif pa.types.is_boolean(values.type):
        texts = pc.if_else(values, scalar("1"), scalar("0"))
        cells = _joined(at, look.of("bool"), '" t="b"><v>', texts, "</v></c>")
    elif pa.types.is_timestamp(values.type):
        fits = _between(pc.year(values), _FIRST_YEAR, _LAST_YEAR)
        since = values.cast(pa.int64()).cast(pa.float64(), safe=False)
        days = pc.add(pc.divide(since, scalar(_DAY)), scalar(_DAYS_TO_1970))
        texts = values.cast(pa.timestamp("s"), safe=False).cast(pa.string())
        cells = _number_cells(days, texts, fits, at, look, look.of("time"))
    else:
        fits = _between(values, -_LARGEST_WHOLE, _LARGEST_WHOLE)
        if is_share:
            looks = look.of("share")
        elif pa.types.is_integer(values.type):
            looks = look.of("whole")
        else:
            is_whole = pc.equal(pc.floor(values), values)
            looks = pc.if_else(is_whole, look.of("whole"), look.of("fraction"))
        cells = _number_cells(values, values.cast(pa.string()), fits, at, look, looks)
    if look.firsts is None or not cells.null_count:
        return pc.fill_null(cells, scalar(""))
    line = _joined(at, look.styles["text first"], '"/>')
    return pc.coalesce(cells, pc.if_else(look.firsts, line, scalar("")))


def _joined(*parts: pa.Array | pa.Scalar | str) -> pa.Array:
    known = (scalar(part) if isinstance(part, str) else part for part in (*parts, ""))
    return pc.binary_join_element_wise(*known)


def _between(values: pa.Array, least: int, most: int) -> pa.Array:
    """Which values are there and in a range; NaN is not."""
    inside = pc.and_(pc.greater_equal(values, scalar(least)), pc.less_equal(values, scalar(most)))
    return pc.fill_null(inside, scalar(True))


def _number_cells(
    numbers: pa.Array,
    texts: pa.Array,
    fits: pa.Array,
    at: pa.Array,
    look: _Look,
    looks: pa.Array | pa.Scalar,
) -> pa.Array:
    """Cells of numbers; of the texts where Excel would change a number, or has none."""
    cells = _joined(at, looks, '"><v>', numbers.cast(pa.string()), "</v></c>")
    return cells if pc.all(fits).as_py() else pc.if_else(fits, cells, _text_cells(texts, at, look))


def _text_cells(texts: pa.Array, at: pa.Array, look: _Look) -> pa.Array:
    texts = pc.if_else(pc.equal(texts, scalar("")), pa.nulls(1, pa.string())[0], texts)
    if (pc.max(pc.utf8_length(texts)).as_py() or 0) > MOST_UNITS // 2:
        texts = array_of([text and _fitting(text) for text in texts.to_pylist()], pa.string())
    looks = look.of("text")
    is_formula = _matching(texts, _FORMULA)
    if pc.any(is_formula).as_py():
        looks = pc.if_else(is_formula, look.of("quoted"), looks)
    if look.linked is not None and pc.any(look.linked).as_py():
        looks = pc.if_else(look.linked, look.of("link"), looks)
    has_blanks = _matching(texts, _BLANK_AT_AN_END)
    space: pa.Array | str = ""
    if pc.any(has_blanks).as_py():
        space = pc.if_else(has_blanks, scalar(' xml:space="preserve"'), scalar(""))
    odd = _matching(texts, _ODD)
    if pc.any(odd).as_py():
        escaped = strings(map(_escaped, texts.filter(odd).to_pylist()))
        texts = pc.replace_with_mask(texts, odd, escaped)
    return _joined(at, looks, '" t="inlineStr"><is><t', space, ">", texts, "</t></is></c>")


def _matching(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(texts, pattern), scalar(False))


def _escaped(text: str) -> str:
    """A text as XML holds it, in Excel's way where XML has none."""
    text = re.sub("_(x[0-9A-Fa-f]{4}_)", r"_x005F_\1", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub("[\x00-\x08\x0b-\x1f\ufffe\uffff]", lambda found: f"_x{ord(found[0]):04X}_", text)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fitting(text: str) -> str:
    """The text, or as much of it as a cell holds, with a mark."""
    if _units(text) <= MOST_UNITS:
        return text
    mark = f"… [cut, of {len(text):,} characters]"
    kept = text.encode("utf-16-le")[: 2 * (MOST_UNITS - len(mark))]
    return kept.decode("utf-16-le", "ignore") + mark


def _too_long(column: pa.ChunkedArray) -> int:
    """How many texts of a column no cell holds."""
    if not pa.types.is_string(column.type):
        return 0
    long = column.filter(pc.greater(pc.utf8_length(column), scalar(MOST_UNITS // 2)))
    return sum(_units(text) > MOST_UNITS for text in long.to_pylist())


def _is_text(column: pa.ChunkedArray) -> bool:
    kinds = (pa.types.is_string, pa.types.is_dictionary, pa.types.is_list)
    return any(is_kind(column.type) for is_kind in kinds)


def _width(title: str, column: pa.ChunkedArray) -> int:
    """How wide a column is to show its values, in characters."""
    if pa.types.is_dictionary(column.type):
        column = pa.chunked_array([chunk.dictionary for chunk in column.chunks], pa.string())
    if pa.types.is_string(column.type):
        longest = pc.max(pc.utf8_length(column)).as_py() or 0
    elif pa.types.is_integer(column.type):
        longest = len(f"{pc.max(column).as_py() or 0:,}")
    else:
        longest = len("2026-01-02 03:04:05") if pa.types.is_timestamp(column.type) else 0
    return min(_WIDEST, max(longest, len(title) + _FILTER_ARROW) + 2)


def _notes(plan: _Plan, unavailable: Sequence[str]) -> Iterator[str]:
    """What a reader of the workbook has to know of what is not in it, in sentences."""
    yield "Times are local times of the FastStats server, which have no zone."
    yield (
        f"Of the sheet Variables the first {_PRINTED['Variables']} columns are printed; "
        "clear its print area to print all."
    )
    if "Codes" not in plan.nouns:
        yield (
            "There are no codes: the catalogue holds none, or not all. Log in, call "
            "session.load_codes(), and write the workbook after that."
        )
    if unavailable:
        names = list_items(list(map(truncate, unavailable[:_MOST_NAMES])), len(unavailable))
        yield f"The server refused the codes of {names}; they are not here."
    for noun in plan.nouns:
        sheets = [part.sheet for part in plan.parts if part.noun == noun]
        if len(sheets) > 1:
            yield (
                f"{noun} are on {len(sheets)} sheets, since one holds {plan.room + 1:,} "
                f"rows: {', '.join(sheets)}."
            )
    if plan.cut:
        yield (
            f"{plan.cut:,} texts are longer than the {MOST_UNITS:,} characters that a cell "
            "holds; each ends in a mark that says how long it was."
        )
    if plan.unlinked:
        yield (
            f"{plan.unlinked:,} names lead nowhere, since a sheet holds no more than "
            f"{plan.most_links:,} links."
        )


def _make_first(
    sheet: Any,
    header: Any,
    formats: Mapping[str, Any],
    plan: _Plan,
    system: Mapping[str, Any],
    unavailable: Sequence[str],
) -> None:
    """The sheet on the system: what it is, what the other sheets and columns hold."""
    for place, width in enumerate((26, 30, 100)):
        sheet.set_column(place, place, width)
    _set_print(sheet)
    facts: list[tuple[Any, ...]] = [
        ("System", system["name"]),
        ("Description", system["description"]),
        ("Built", system["build_date"]),
        ("View", system["view_name"]),
    ]
    sheets = [(p.sheet, p.stop - p.start, _HOLDS[p.noun]) for p in plan.parts]
    docs = {
        noun: {column.name: column.doc.replace("``", "") for column in columns} | _DERIVED
        for noun, columns in _COLUMNS.items()
    }
    columns = [
        (noun, title, docs[noun][name])
        for noun in plan.nouns
        for name, title in _TITLES[noun].items()
    ]
    blocks: list[tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]] = [
        (("What", "Value"), facts),
        (("Sheet", "Rows", "What it holds"), sheets),
        (("Notes",), [(note,) for note in _notes(plan, unavailable)]),
        (("Sheet", "Column", "Meaning"), columns),
    ]
    top = 0
    for titles_of_block, lines in blocks:
        for place, title in enumerate(titles_of_block):
            sheet.write_string(top, place, title, header)
        for row, line in enumerate(lines, top + 1):
            for place, value in enumerate(line):
                _put(sheet, row, place, value, formats)
            if lines is sheets:
                sheet.write_url(row, 0, f"internal:'{line[0]}'!A1", formats["link"], line[0])
        top += len(lines) + 2


def _put(sheet: Any, row: int, column: int, value: Any, formats: Mapping[str, Any]) -> None:
    """Write one cell of the first sheet; none for null and for an empty text."""
    if isinstance(value, str) and value:
        text = _fitting(value)
        is_formula = _matching(strings([text]), _FORMULA)[0].as_py()
        looks = formats["quoted" if is_formula else "text"]
        sheet.write_string(row, column, text, looks)
        if text.startswith("<r>") and text.endswith("</r>"):
            # XlsxWriter would take it for markup; in two pieces it makes that itself.
            sheet.write_rich_string(row, column, text[0], looks, text[1:], looks)
    elif isinstance(value, datetime) and _FIRST_YEAR <= value.year <= _LAST_YEAR:
        sheet.write_datetime(row, column, value, formats["time"])
    elif isinstance(value, datetime):
        sheet.write_string(row, column, value.isoformat(" "), formats["text"])
    elif isinstance(value, int):
        sheet.write_number(row, column, value, formats["whole"])
