"""The data dictionary as a file: its structure, what it allows, and what is packed inside."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from strategies import ODD_TEXTS, catalogue_of, catalogues, variable_item, with_codes_and_folders

from apteco_frames import Catalogue, schema
from apteco_frames.catalogue import contents_of
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.render import dictionary


class Document(HTMLParser):
    """The elements of a page, and the texts of those that hold text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._place: str | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._place = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        self._place = None

    def handle_data(self, data: str) -> None:
        if self._place:
            self.texts[self._place] = self.texts.get(self._place, "") + data


def page_of(catalogue: Catalogue, folder: Path) -> Document:
    path = catalogue.write_html(folder / "dictionary.html")
    return Document(path.read_text(encoding="utf-8"))


def packed(document: Document) -> tuple[dict[str, Any], dict[str, list[str | None]]]:
    """What is packed in a page, as its script reads it: its head, and the columns."""
    first, _, rest = zlib.decompress(base64.b64decode(document.texts["data"])).partition(b"\n")
    head = json.loads(first)
    columns: dict[str, list[str | None]] = {}
    for name, length in head["columns"]:
        text, rest = rest[:length].decode(), rest[length:]
        count = head["codes"] if name.startswith("code.") else head["variables"]
        count = len(head["folders"]) if name == "members" else count
        lines = text.split("\n") if count else []
        assert len(lines) == count
        columns[name] = [None if line == "\\0" else unescaped(line) for line in lines]
    assert not rest
    return head, columns


def unescaped(line: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == " " else found[1], line)


def test_nothing_from_elsewhere(tmp_path: Path) -> None:
    """The page names no other file, and its policy allows its own script and style alone."""
    document = page_of(holidays(), tmp_path)
    attributes = {name for _, own in document.elements for name in own}
    assert not attributes & {"src", "href", "srcset", "action", "data", "style"}
    assert not {name for name in attributes if name.startswith("on")}
    (policy,) = (own["content"] for _, own in document.elements if "http-equiv" in own)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digests = {
        name: f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for name, text in document.texts.items()
    }
    assert rules == {
        "default-src": "'none'",
        "script-src": digests["script"],
        "style-src": digests["style"],
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    script = document.texts["script"]
    for markup in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert markup not in script
    assert not re.search(r"https?:|url\(|@import|\bfetch\(|import\(", script)
    assert not re.search(r"https?:|url\(|@import", document.texts["style"])


@given(st.data())
@settings(max_examples=up_to(25))
def test_everything_is_in_it(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Variables, codes and folders are packed to the letter, numbers of 64 bits too."""
    catalogue = data.draw(catalogues(max_variables=8).flatmap(with_codes_and_folders))
    head, columns = packed(page_of(catalogue, tmp_path_factory.mktemp("page")))
    names = [variable.name for variable in catalogue.variables]
    tables = [table.name for table in catalogue.tables]
    assert columns["variable.name"] == names if names else "variable.name" not in columns
    assert [tables[int(number or "")] for number in columns["table"]] == [
        variable.table_name for variable in catalogue.variables
    ]
    assert [head["kinds"][int(number or "")] for number in columns["kind"]] == [
        variable.type for variable in catalogue.variables
    ]
    for column in ("description", "notes", "num_codes", "path", "currency_symbol"):
        values = catalogue.variables.arrow[column].to_pylist()
        expected = [None if value is None else str(value) for value in values]
        assert columns.get(f"variable.{column}", [None] * len(names)) == expected
    codes = catalogue.codes
    assert columns["code.code"] == [code.code for code in codes]
    assert columns["code.description"] == [code.description for code in codes]
    assert columns["code.count"] == [None if c.count is None else str(c.count) for c in codes]
    owners = [
        n for n, size in zip(names, columns["size"], strict=True) for _ in range(int(size or ""))
    ]
    assert owners == [code.variable_name for code in codes]
    assert [folder["name"] for folder in head["folders"]] == [f.name for f in catalogue.folders]
    assert [[names[int(row)] for row in (rows or "").split()] for rows in columns["members"]] == [
        folder.variable_names for folder in catalogue.folders
    ]
    assert [int(table["total_records"]) for table in head["tables"]] == [
        table.total_records for table in catalogue.tables
    ]


def test_texts_are_no_markup(tmp_path: Path) -> None:
    """Odd texts as the names of a system, of variables and as notes add no element."""
    plain = [tag for tag, _ in page_of(holidays(), tmp_path).elements]
    hostile = [*ODD_TEXTS, "</title><script>alert(1)</script>", "</script><img src=x onerror=x>"]
    for text in hostile:
        variable = variable_item(text, description=text, notes=text, folderName=text)
        catalogue = catalogue_of(None, [variable], name=text, description=text)
        document = page_of(catalogue, tmp_path)
        assert [tag for tag, _ in document.elements] == plain
        assert packed(document)[0]["system"]["name"] == text


def test_every_column_has_its_title(tmp_path: Path) -> None:
    """The page of a variable has a title for each column that the package knows."""
    head, _ = packed(page_of(holidays(), tmp_path))
    assert set(head["titles"]) == {column.name for column in schema.VARIABLES} | {"folder"}
    assert {"Unclassified code", "Virtual", "Selectable", "Browsable", "Exportable"} <= set(
        head["titles"].values()
    )


def test_facts_that_are_given() -> None:
    """Whoever knows more of variables gives it by title, a text for each of them."""
    system, rows, _ = contents_of(holidays())
    texts = [None] * len(rows["variables"])
    facts = {"Used by": pa.chunked_array([["3 audiences", *texts[1:]]], pa.string())}
    head, columns = packed(Document(dictionary.page(system, rows, facts=facts)))
    assert head["facts"] == ["Used by"]
    assert columns["fact.0"] == ["3 audiences", *texts[1:]]


def test_what_was_not_read(tmp_path: Path) -> None:
    """A session reads nothing for it: the page tells which codes are not there, and the folders."""
    with DemoServer() as server:
        session = server.login()
        session.load_codes(session.variables.filter(name="boDest"))
    # Nobody answers any more.
    session.write_html(path := tmp_path / "dictionary.html")
    head, columns = packed(Document(path.read_text(encoding="utf-8")))
    names = columns["variable.name"]
    unread = {names[row] for row in head["unread"]}
    assert "boDest" not in unread
    assert {"hoRegion", "peOccu"} <= unread
    assert head["codes"] == len(holidays().codes["boDest"])
    assert not head["folders_read"]
    assert {folder["name"] for folder in head["folders"]} == {
        variable.folder_name for variable in session.variables
    }


def test_codes_that_were_refused(tmp_path: Path) -> None:
    """Variables whose codes the API refused are told from those whose codes were not read."""
    whole = holidays()
    parts = whole.tables, whole.variables, whole.codes.filter(variable_name="boDest")
    catalogue = Catalogue(whole.system_info, *parts, unavailable=["peOccu"])
    head, columns = packed(page_of(catalogue, tmp_path))
    assert [columns["variable.name"][row] for row in head["refused"]] == ["peOccu"]
    assert not head["unread"]


def test_one_catalogue_one_page(tmp_path: Path) -> None:
    """The same catalogue gives the same bytes, so that a page can be kept under version control."""
    first = holidays().write_html(tmp_path / "first.html").read_bytes()
    second = holidays().write_html(str(tmp_path / "second.html")).read_bytes()
    assert first == second
    assert len(first) < 150_000


def test_put_in_place_whole(tmp_path: Path) -> None:
    """A page replaces an older one; where it cannot, nothing is left behind."""
    path = tmp_path / "dictionary.html"
    path.write_text("older")
    holidays().write_html(path)
    assert "<title>holidays: data dictionary</title>" in path.read_text(encoding="utf-8")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        holidays().write_html(tmp_path / "folder")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["dictionary.html", "folder"]
