"""The catalogue as an Excel workbook, read back from the file."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lanes import up_to
from strategies import (
    NUMERIC_INFO,
    ODD_TEXTS,
    catalogue_of,
    catalogues,
    table_item,
    variable_item,
    with_codes_and_folders,
)

from apteco_frames import Catalogue
from apteco_frames.catalogue import contents_of
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.render import titles, workbook

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", " =1", "\t=1", "\N{FULLWIDTH EQUALS SIGN}1")
ADDRESSES = ("http://evil.invalid/", "mailto:a@evil.invalid", "file://c:/x", "internal:'Codes'!A1")
MARKUP = ("<r>bold</r>", "<r><t>a</t></r>", "</t></is></c>", "_x0041_", "]]>")
HOSTILE = (*ODD_TEXTS, *FORMULAS, *ADDRESSES, *MARKUP)

NOTES = list(titles.VARIABLES).index("notes")


def cells(path: Path) -> list[dict[tuple[int, int], Any]]:
    """The cells of each sheet by row and column: texts to the letter, the rest as it stands."""
    with zipfile.ZipFile(path) as book:
        names = sorted(
            (name for name in book.namelist() if re.search(r"worksheets/sheet\d+\.xml$", name)),
            key=lambda name: int(re.findall(r"\d+", name)[-1]),
        )
        sheets = [ElementTree.fromstring(book.read(name)) for name in names]
        shared = ElementTree.fromstring(book.read("xl/sharedStrings.xml")).findall(f"{_MAIN}si")
    found = []
    for sheet in sheets:
        assert sheet.find(f".//{_MAIN}f") is None
        found.append({_place(c): _value(c, shared) for c in sheet.iter(f"{_MAIN}c") if len(c)})
    return found


def _place(cell: ElementTree.Element) -> tuple[int, int]:
    letters, row = re.fullmatch(r"([A-Z]+)(\d+)", cell.get("r", "")).groups()  # type: ignore[union-attr]
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - 64
    return int(row) - 1, column - 1


def _value(cell: ElementTree.Element, shared: list[ElementTree.Element]) -> Any:
    kind = cell.get("t")
    if kind in ("inlineStr", "s"):
        holder = cell if kind == "inlineStr" else shared[int(cell.findtext(f"{_MAIN}v") or "")]
        text = "".join(part.text or "" for part in holder.iter(f"{_MAIN}t"))
        return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)
    number = float(cell.findtext(f"{_MAIN}v") or "nan")
    assert kind in (None, "b")
    return bool(number) if kind == "b" else number


def test_sheets_hold_the_rows(tmp_path: Path) -> None:
    """There is a sheet of each kind, with all columns; variables stand table by table."""
    catalogue = holidays()
    path = catalogue.write_excel(tmp_path / "holidays.xlsx")
    assert path == tmp_path / "holidays.xlsx"
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["System", "Tables", "Variables", "Codes"]
    tree = [catalogue.master_table, *catalogue.master_table.descendants]
    by_table = [variable for table in tree for variable in table.variables]
    sheets: list[tuple[str, dict[str, str], list[Any]]] = [
        ("Tables", titles.TABLES, tree),
        ("Variables", titles.VARIABLES, by_table),
        ("Codes", titles.CODES, list(catalogue.codes)),
    ]
    paths = {v.name: folder.path for folder in catalogue.folders for v in folder.variables}
    for sheet, columns, nouns in sheets:
        header, *rows = book[sheet].iter_rows(values_only=True)
        assert list(header) == list(columns.values())
        assert len(rows) == len(nouns)
        for row, noun in zip(rows, nouns, strict=True):
            told = dict(zip(columns, row, strict=True))
            name = str(told.get("variable_name", told.get("name")))
            expected = noun.to_dict()
            if sheet != "Tables":
                expected["folder"] = paths[name]
            if sheet == "Codes":
                records = catalogue.tables[noun.table_name].total_records
                expected["share"] = pytest.approx(noun.count / records)
            assert told == {column: as_cell(value) for column, value in expected.items()}


def as_cell(value: Any) -> Any:
    """What a cell shows of a value: none for an empty text."""
    value = "; ".join(value) if isinstance(value, list) else value
    return None if isinstance(value, str) and not value else value


def test_sheets_are_for_use(tmp_path: Path) -> None:
    """Headers stay in sight, every column filters, and columns are as wide as what they hold."""
    catalogue = holidays()
    book = openpyxl.load_workbook(catalogue.write_excel(tmp_path / "holidays.xlsx"))
    for sheet, rows in ((book["Tables"], 9), (book["Variables"], 94), (book["Codes"], 1032)):
        assert sheet.freeze_panes == "B2"
        last = sheet.cell(1, sheet.max_column).column_letter
        assert sheet.auto_filter.ref == sheet.dimensions == f"A1:{last}{rows + 1}"
        assert all(5 < width.width <= 61 for width in sheet.column_dimensions.values())
    codes = book["Codes"]
    assert codes.column_dimensions["E"].width < codes.column_dimensions["G"].width
    formats = {"E2": "#,##0", "F2": "@", "H2": "#,##0", "I2": "0.0%"}
    assert {cell: codes[cell].number_format for cell in formats} == formats
    assert book["Tables"]["D2"].value is False
    assert book["Tables"]["D2"].number_format == '"TRUE";"TRUE";"FALSE"'
    dates = [c for row in book["Variables"].iter_rows() for c in row if c.is_date]
    assert dates
    assert {cell.number_format for cell in dates} == {"yyyy-mm-dd hh:mm:ss"}


def test_groups_are_seen(tmp_path: Path) -> None:
    """Tables are indented as in their tree; a line and an indent part one group from the next."""
    catalogue = holidays()
    book = openpyxl.load_workbook(catalogue.write_excel(tmp_path / "holidays.xlsx"))
    for cell in book["Tables"]["A"][1:]:
        assert cell.alignment.indent == catalogue.tables[cell.value].depth
    for sheet, key, shown in (("Variables", "D", "D"), ("Codes", "B", "A")):
        rows = book[sheet]
        names = [cell.value for cell in rows[key]]
        for row in range(2, len(names) + 1):
            is_first = names[row - 1] != names[row - 2]
            assert rows[f"{shown}{row}"].alignment.indent == (not is_first)
            assert {bool(cell.border.top.style) for cell in rows[row]} == {is_first}


def test_sheets_can_be_printed(tmp_path: Path) -> None:
    """Each sheet prints in landscape, as wide as the page, with its header on each page."""
    book = openpyxl.load_workbook(holidays().write_excel(tmp_path / "holidays.xlsx"))
    for sheet in book.worksheets:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        if sheet.title != "System":
            assert sheet.print_title_rows == "$1:$1"
    assert book["Variables"].print_area == "'Variables'!$A$1:$G$95"
    assert book["Codes"].print_area == "'Codes'!$A$1:$I$1033"


def test_progress(tmp_path: Path) -> None:
    """Whoever waits is told how many rows are written, and of how many."""
    told: list[tuple[int, int]] = []
    catalogue = holidays()
    catalogue.write_excel(
        tmp_path / "holidays.xlsx", progress=lambda done, total: told.append((done, total))
    )
    total = len(catalogue.tables) + len(catalogue.variables) + len(catalogue.codes)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (total, total)


def test_names_lead_to_what_they_have(tmp_path: Path) -> None:
    """A table's name leads to the rows of its variables, a variable's to those of its codes."""
    catalogue = holidays()
    book = openpyxl.load_workbook(catalogue.write_excel(tmp_path / "holidays.xlsx"))
    kinds = (
        ("Tables", "Variables", list(titles.VARIABLES).index("table_name"), 0),
        ("Variables", "Codes", list(titles.CODES).index("variable_name"), 1),
    )
    for source, target, place, key in kinds:
        names = [row[place] for row in book[target].iter_rows(min_row=2, values_only=True)]
        linked = 0
        for row in book[source].iter_rows(min_row=2):
            cell, name = row[0], row[key].value
            if name not in names:
                assert cell.hyperlink is None
                continue
            linked += 1
            where = re.fullmatch(r"'(\w+)'!A(\d+):A(\d+)", cell.hyperlink.location)
            assert where is not None
            assert where[1] == target
            first, last = int(where[2]) - 2, int(where[3]) - 1
            assert set(names[first:last]) == {name}
            assert names.count(name) == last - first
        assert linked > 5


def test_the_first_sheet_says_what_it_is(tmp_path: Path) -> None:
    """It names the system, counts the rows of each sheet and explains each column."""
    catalogue = holidays()
    book = openpyxl.load_workbook(catalogue.write_excel(tmp_path / "holidays.xlsx"))
    rows = list(book["System"].iter_rows(values_only=True))
    assert ("System", "holidays", None) in rows
    assert ("Built", datetime(2019, 11, 27, 15, 57, 24), None) in rows
    assert {("Tables", 9), ("Variables", 94), ("Codes", 1032)} <= {row[:2] for row in rows}
    explained = {row[:2] for row in rows}
    for noun, columns in (("Tables", titles.TABLES), ("Codes", titles.CODES)):
        assert {(noun, title) for title in columns.values()} <= explained
    assert not any("no codes" in str(row[0]) for row in rows)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """Codes that are not loaded or were refused are named on the first sheet; none is asked for."""
    with DemoServer() as server, server.login() as session:
        path = session.write_excel(tmp_path / "before.xlsx")
        assert not session.catalogue.has_codes
        assert openpyxl.load_workbook(path).sheetnames == ["System", "Tables", "Variables"]
        assert any("session.load_codes()" in str(v) for v in cells(path)[0].values())
        session.load_codes()
        path = session.write_excel(tmp_path / "after.xlsx")
        assert openpyxl.load_workbook(path).sheetnames[-1] == "Codes"
    whole = holidays()
    names = [v.name for v in whole.variables if v.api_type == "Selector"][:12]
    rows = whole.tables, whole.variables, whole.codes.filter(~pl.col("variable_name").is_in(names))
    some = Catalogue(whole.system_info, *rows, unavailable=names)
    notes = [str(v) for v in cells(some.write_excel(tmp_path / "some.xlsx"))[0].values()]
    assert any(f"{', '.join(sorted(names)[:10])} and 2 more" in note for note in notes)


def test_sheets_go_on_where_one_ends(tmp_path: Path) -> None:
    """What does not fit a sheet goes on in another; the first sheet and the links know it."""
    catalogue = holidays()
    path = tmp_path / "split.xlsx"
    system, rows, _ = contents_of(catalogue)
    workbook.write(path, system, rows, most_rows=301)
    book = openpyxl.load_workbook(path)
    codes = ["Codes", "Codes 2", "Codes 3", "Codes 4"]
    assert book.sheetnames == ["System", "Tables", "Variables", *codes]
    assert [book[name].max_row for name in codes] == [301, 301, 301, 133]
    together = [
        row[5] for name in codes for row in book[name].iter_rows(min_row=2, values_only=True)
    ]
    assert together == catalogue.codes.frame["code"].to_list()
    assert any(", ".join(codes) in str(value) for value in cells(path)[0].values())
    for cell, name in zip(book["Variables"]["A"], book["Variables"]["B"], strict=True):
        if cell.hyperlink:
            where = re.fullmatch(r"'([\w ]+)'!A(\d+):A(\d+)", cell.hyperlink.location)
            assert where is not None
            assert book[where[1]][f"B{where[2]}"].value == name.value
            assert book[where[1]][f"B{where[3]}"].value == name.value


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_texts_stay_texts(text: str, tmp_path: Path) -> None:
    """No text becomes a formula, an address or markup, in a link neither; all are to the letter."""
    bare = catalogue_of(
        [table_item(text, pluralDisplayName=text)],
        [variable_item(text, text, description=text, notes=text)],
        name=text,
    )
    codes: dict[str, list[Any]] = {
        "variable_name": [text],
        "code": [text],
        "description": [text],
        "count": [None],
    }
    catalogue = Catalogue(bare.system_info, bare.tables, bare.variables, _table(codes))
    path = catalogue.write_excel(tmp_path / "odd.xlsx")
    system, tables, variables, listed = cells(path)
    assert system[1, 1] == text
    assert [tables[1, column] for column in (0, 2)] == [text] * 2
    assert [variables[1, column] for column in (0, 1, 3, NOTES)] == [text] * 4
    assert [listed[1, column] for column in (0, 1, 2, 5, 6)] == [text] * 5
    with zipfile.ZipFile(path) as book:
        assert not [
            name for name in book.namelist() if "externalLink" in name or "_rels/sheet" in name
        ]
    read = openpyxl.load_workbook(path)
    assert read["Variables"]["A2"].hyperlink.location == "'Codes'!A2:A2"
    assert read["Variables"]["B2"].hyperlink is None
    assert read["Variables"]["B2"].number_format == "@"
    assert read["Variables"]["B2"].quotePrefix == (text in FORMULAS or text.startswith("="))


def _table(columns: dict[str, list[Any]]) -> Any:
    return pl.DataFrame(columns, schema_overrides={"count": pl.Int64})


def test_long_texts_are_marked_as_cut(tmp_path: Path) -> None:
    """A text that a cell cannot hold ends in a mark with its length, and is counted."""
    whole, long, wide = "x" * 32_767, "y" * 40_000, "🏖" * 20_000
    items = [variable_item(f"v{i}", notes=text) for i, text in enumerate((whole, long, wide))]
    found = cells(catalogue_of(None, items).write_excel(tmp_path / "long.xlsx"))
    notes = [found[2][row, NOTES] for row in (1, 2, 3)]
    assert notes[0] == whole
    assert re.fullmatch(r"y{32000,}… \[cut, of 40,000 characters\]", notes[1])
    assert re.fullmatch(r"🏖{16000,}… \[cut, of 20,000 characters\]", notes[2])
    assert all(len(note.encode("utf-16-le")) <= 2 * 32_767 for note in notes)
    assert any(str(value).startswith("2 texts are longer") for value in found[0].values())


def test_odd_numbers_and_times(tmp_path: Path) -> None:
    """What Excel would change or not show is there as a text."""
    info = {**NUMERIC_INFO, "minimum": 0.125, "maximum": 1e300}
    dated = variable_item("d", kind="Date")
    dated["selectorInfo"] |= {
        "minimumDate": "1677-09-20T00:00:00",
        "maximumDate": "1901-01-01T00:00:00",
    }
    dated["selectorInfo"]["numberOfCodes"] = 2**63 - 1
    path = catalogue_of(
        None, [variable_item("n", kind="Numeric", numericInfo=info), dated]
    ).write_excel(tmp_path / "odd.xlsx")
    names = list(titles.VARIABLES)
    variables = cells(path)[2]
    assert variables[1, names.index("min_value")] == 0.125
    assert variables[1, names.index("max_value")] == "1e+300"
    assert variables[2, names.index("min_date")] == "1677-09-20 00:00:00"
    assert variables[2, names.index("max_date")] == 367.0
    assert variables[2, names.index("num_codes")] == str(2**63 - 1)


def test_more_links_than_a_sheet_holds(tmp_path: Path) -> None:
    """Names beyond the last link that a sheet holds are plain, and the first sheet counts them."""
    path = tmp_path / "many.xlsx"
    system, rows, _ = contents_of(holidays())
    workbook.write(path, system, rows, most_links=8)
    with zipfile.ZipFile(path) as book:
        links = [book.read(f"xl/worksheets/sheet{n}.xml").count(b"<hyperlink ") for n in (2, 3)]
    assert links == [8, 8]
    linked = len({code.variable_name for code in holidays().codes})
    unlinked = len(holidays().tables) + linked - 16
    assert any(f"{unlinked} names lead nowhere" in str(v) for v in cells(path)[0].values())


@settings(max_examples=up_to(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_catalogue(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever a catalogue holds, all its texts are in the workbook, and a reader opens it."""
    catalogue = data.draw(with_codes_and_folders(data.draw(catalogues(max_variables=6))))
    path = catalogue.write_excel(tmp_path / "any.xlsx")
    assert openpyxl.load_workbook(path).sheetnames[0] == "System"
    _, tables, variables, codes = cells(path)
    tree = [table.name for table in (catalogue.master_table, *catalogue.master_table.descendants)]
    for sheet, columns, rows in (
        (tables, titles.TABLES, [catalogue.tables[name].to_dict() for name in tree]),
        (codes, titles.CODES, catalogue.codes.arrow.to_pylist()),
    ):
        for row, values in enumerate(rows, 1):
            for column, name in enumerate(columns):
                value = values.get(name)
                if isinstance(value, str) and name != "variable_description":
                    assert sheet.get((row, column), "") == value
    rows_of_variables = range(1, len(catalogue.variables) + 1)
    assert sorted(variables.get((row, 1), "") for row in rows_of_variables) == sorted(
        catalogue.variables.frame["name"].to_list()
    )
    for row in rows_of_variables:
        variable = catalogue.variables[variables.get((row, 1), "")]
        label = variable.description if variable.description.strip() else variable.name
        assert variables.get((row, 0), "") == label


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """An older file goes only when the newer is there; what fails leaves nothing behind."""
    path = tmp_path / "holidays.xlsx"
    path.write_text("older")
    holidays().write_excel(str(path))
    assert zipfile.is_zipfile(path)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match="nowhere"):
        holidays().write_excel(tmp_path / "nowhere" / "holidays.xlsx")
    folder = tmp_path / "folder.xlsx"
    folder.mkdir()
    with pytest.raises(OSError, match=r"folder\.xlsx"):
        holidays().write_excel(folder)
    assert sorted(tmp_path.iterdir()) == [folder, path]


WITHOUT = """
import sys

class NoXlsxWriter:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "xlsxwriter":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoXlsxWriter())
from apteco_frames.demo import holidays
from apteco_frames.errors import MissingDependencyError
try:
    holidays().write_excel(sys.argv[1])
except MissingDependencyError as error:
    assert error.__cause__ is None and error.__suppress_context__
    print(error)
"""


def test_without_xlsxwriter(tmp_path: Path) -> None:
    """An error names the extra to install, and no file is made."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path / "x.xlsx")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "python -m pip install XlsxWriter; or" in done.stdout
    assert 'pip install --upgrade ".[excel]"' in done.stdout
    assert list(tmp_path.iterdir()) == []
