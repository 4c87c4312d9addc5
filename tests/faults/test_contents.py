"""Hostile and odd contents: kept to the letter, and harmless wherever they show."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import unicodedata
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest
from strategies import NUMERIC_INFO, ODD_TEXTS, catalogue_of, table_item, variable_item

from apteco_frames import Catalogue, Session
from apteco_frames.demo import DemoServer
from apteco_frames.errors import AptecoFramesError

FORMULAS = (
    '=HYPERLINK("http://evil.invalid","click")',
    "+1+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
)
TEXTS = (
    *ODD_TEXTS,
    *FORMULAS,
    "</td></tr></table><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "{{7*7}} ${7*7} %s %(x)s",
    "C:\\Windows\\..\\x",
    "/etc/passwd",
    "a;b,c\td|e",
    '"; DROP TABLE variables; --',
    "\x9b31m\x1b]0;title\x07",
)
MINIMA = (-1.7976931348623157e308, 5e-324, -0.0, 2.0**53 + 2)
COUNTS = (-(2**63), 2**63 - 1, 0, -1)
DATES = ("0001-01-01T00:00:00", "9999-12-31T23:59:59", "1677-09-20T00:00:00", "2262-04-13T00:00:00")


def odd_catalogue() -> Catalogue:
    """A catalogue full of odd names, numbers and dates."""
    tables = [table_item(TEXTS[0], "", True, totalRecords=2**63 - 1)]
    tables += [
        table_item(text, TEXTS[0], singularDisplayName=text, totalRecords=-(2**63))
        for text in TEXTS[1:]
    ]
    variables = []
    for number, text in enumerate(TEXTS):
        minimum, count = MINIMA[number % 4], COUNTS[number % 4]
        date = DATES[number % 4]
        info = {**NUMERIC_INFO, "minimum": minimum, "currencySymbol": text}
        variables += [
            variable_item(text, text, "Numeric", numericInfo=info, description=text),
            variable_item(f"date {number}", text, "Date", folderName=text),
        ]
        variables[-1]["selectorInfo"] |= {
            **{"minimumDate": date, "maximumDate": date, "numberOfCodes": count},
        }
    return catalogue_of(tables, variables, name="odd", view_name="Odd", description=TEXTS[8])


@pytest.fixture(scope="module")
def session() -> Any:
    """A session with that catalogue, read over HTTP."""
    with DemoServer(odd_catalogue()) as server, server.login(page_size=7) as session:
        yield session


def test_kept_to_the_letter(session: Session, tmp_path: Path) -> None:
    """Every text, number and date arrives as it was served, in frames, rows and Parquet."""
    expected = odd_catalogue()
    assert session.catalogue == expected
    assert [table.name for table in session.tables] == list(TEXTS)
    assert [variable.name for variable in session.variables][::2] == list(TEXTS)
    minima = session.variables[::2].frame["min_value"].to_list()
    assert list(map(repr, minima)) == [repr(MINIMA[i % 4]) for i in range(len(TEXTS))]
    dates = session.variables[1::2].frame["min_date"].to_list()
    assert dates == [datetime.fromisoformat(DATES[i % 4]) for i in range(len(TEXTS))]
    for text in TEXTS:
        assert session.variables[text].table.name == text
    session.catalogue.write_parquet(tmp_path)
    assert Catalogue.read_parquet(tmp_path) == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "system.parquet",
        "tables.parquet",
        "variables.parquet",
    ]
    own = session.variables.write_parquet(tmp_path / "own.parquet")
    assert pl.read_parquet(own)["name"].to_list()[::2] == list(TEXTS)


def test_kept_by_other_libraries(session: Session) -> None:
    """pandas, DuckDB and polars see the same texts and dates."""
    variables = session.variables
    data: Any = variables
    assert variables.to_pandas()["name"].tolist()[::2] == list(TEXTS)
    assert pd.DataFrame(data)["name"].tolist()[::2] == list(TEXTS)
    assert pl.DataFrame(variables)["min_date"].equals(variables.frame["min_date"])
    rows = duckdb.execute("select name, min_date from variables").fetchall()
    assert [name for name, _ in rows][::2] == list(TEXTS)
    assert [date for _, date in rows][1::2] == variables.frame["min_date"].to_list()[1::2]


def displays(session: Session) -> dict[str, str]:
    """All that a prompt shows."""
    things: list[Any] = [session, session.tables, session.variables, session.catalogue]
    things += [session.variables[start : start + 10] for start in range(0, 2 * len(TEXTS), 10)]
    things += [session.tables[start : start + 10] for start in range(0, len(TEXTS), 10)]
    things += [*session.tables, *session.variables]
    return {f"{number} {type(thing)}": repr(thing) for number, thing in enumerate(things)}


def test_harmless_in_terminals(session: Session) -> None:
    """No display and no error holds what a terminal would obey, or takes a thousand columns."""
    texts = displays(session)
    for text in TEXTS:
        for key in (text + "?", text[:-1]):
            try:
                session.variables[key]
                session.tables[key]
            except AptecoFramesError as error:
                texts[f"error for {key[:20]!r}"] = str(error)
    assert len(texts) > 100
    for place, text in texts.items():
        odd = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c != "\n"}
        assert not odd, place
        assert max(map(len, text.splitlines())) < 2000, place


class Tags(HTMLParser):
    """The tags and attributes of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_harmless_in_html(session: Session) -> None:
    """The HTML of frames and session has only tags and attributes of our own."""
    variables, tables = session.variables, session.tables
    parts = [variables[start : start + 10] for start in range(0, len(variables), 10)]
    things: list[Any] = [session, *parts, *(tables[i : i + 10] for i in range(0, 30, 10))]
    for thing in things:
        html = Tags(thing._repr_html_())
        tags = {"div", "p", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "span"}
        assert html.tags <= tags
        assert html.attributes <= {"class", "style", "scope"}


def test_harmless_in_spreadsheets(session: Session, tmp_path: Path) -> None:
    """No cell of a CSV file begins as a formula does; texts are otherwise kept."""
    path = session.variables.write_csv(tmp_path / "variables.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(session.variables)
    texts = ("name", "description", "folder_name", "table_name", "currency_symbol")
    for row, variable in zip(rows, session.variables, strict=True):
        for column in texts:
            assert not row[column].startswith(("=", "+", "-", "@", "\t", "\r"))
        assert row["name"].replace("'", "") == variable.name.replace("'", "")


def test_harmless_at_the_command_line(tmp_path: Path) -> None:
    """A program that prints rows of such a catalogue prints nothing that a terminal obeys."""
    odd_catalogue().write_parquet(tmp_path)
    program = (
        "import sys; from apteco_frames import Catalogue;"
        "c = Catalogue.read_parquet(sys.argv[1]);"
        "print(c, c.tables, c.variables, *c.tables, *c.variables)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=True,
    )
    assert b"\x1b" not in done.stdout
    assert b"\x07" not in done.stdout
    assert done.stderr == b""
