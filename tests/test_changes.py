"""The frame of changes: what it answers, and how it is shown."""

from __future__ import annotations

import pickle
from datetime import datetime
from html import escape
from typing import Any

import polars as pl
import pytest
from strategies import ODD_TEXTS, catalogue_of, table_item, variable_item

from apteco_frames import schema
from apteco_frames.analysis import rules
from apteco_frames.analysis.diff import difference
from apteco_frames.catalogue import Catalogue
from apteco_frames.changes import Change, Changes
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.errors import AmbiguousKeyError, UnknownKeyError
from apteco_frames.support.text import escape_controls, truncate


def diff(new: Catalogue, old: Catalogue, **options: Any) -> Changes:
    """What changed from one catalogue to another."""
    sides = [{"tables": c.tables.arrow, "variables": c.variables.arrow} for c in (new, old)]
    found = difference(*sides, **options)
    return Changes(found.changes, new, old.system_info, found.left_out)


def rebuilt() -> Catalogue:
    """Holidays after a night in which some things went wrong."""
    old = holidays()
    name = pl.col("name")
    tables = old.tables.frame.with_columns(
        total_records=pl.when(name == "Content").then(15_304).otherwise("total_records")
    )
    variables = old.variables.frame.filter(~name.is_in(["boCost", "peGender"])).with_columns(
        name=pl.when(name == "boDest").then(pl.lit("boDestin")).otherwise("name"),
        selector_type=pl.when(name == "peOccu").then(pl.lit("OrArray")).otherwise("selector_type"),
        max_date=pl.col("max_date").dt.offset_by("1d"),
    )
    info = old.system_info._replace(build_date=datetime(2019, 11, 28, 3))
    return Catalogue(info, tables, variables)


def test_changes_at_a_prompt() -> None:
    """Totals first; then by noun what came, went and changed, the most severe first."""
    assert repr(diff(rebuilt(), holidays(), drop=0.5)).split("\n") == [
        "23 changes of system 'holidays', built 2019-11-28 03:00:00, "
        "since 2019-11-27 15:57:24: 5 breaking, 2 notable, 16 routine",
        "tables: 1 changed",
        "   table    column         old     new    severity",
        "~  Content  total_records  153041  15304  breaking",
        "variables: 1 added, 3 removed, 17 changed",
        "   variable  column         old                  new                  severity",
        "~  peOccu    type           Selector             Array                breaking",
        "~  peOccu    selector_type  SingleValue          OrArray              breaking",
        "-  boDest                   Destination                               breaking",
        "-  boCost                   Cost                                      breaking",
        "+  boDestin                                      Destination          notable",
        "-  peGender                 Gender                                    notable (virtual)",
        "~  peDOB     max_date       2001-11-26T00:00:00  2001-11-27T00:00:00  routine",
        "~  pe1R0UXG  max_date       2021-12-31T00:00:00  2022-01-01T00:00:00  routine (virtual)",
        "~  pe1ZD7MN  max_date       2021-12-31T00:00:00  2022-01-01T00:00:00  routine (virtual)",
        "~  boDate    max_date       2021-12-31T00:00:00  2022-01-01T00:00:00  routine",
        "… and 12 more: 12 routine",
        "Folders were not compared: neither catalogue has any.",
        "Codes were not compared: neither catalogue has any.",
    ]


def test_html_says_the_same() -> None:
    """A notebook shows the same lines, in tables of plain HTML."""
    found = diff(rebuilt(), holidays())
    html = found._repr_html_()
    assert html.count("<table>") == 2
    assert html.count("<tr>") == 2 + 1 + 10
    for line in repr(found).split("\n"):
        if not line.startswith(("~", "+", "-", " ")):
            assert f"<p>{escape(line)}</p>" in html
    assert "<script" not in html
    assert len(html) < 20_000


def test_no_changes_are_said_to_be_none() -> None:
    """A catalogue has no changes to itself; what was not compared is said here, too."""
    none = diff(holidays(), holidays())
    assert len(none) == 0
    assert none.worst is None
    assert repr(none).startswith("0 changes of system 'holidays', built")
    assert repr(none).count("not compared") == none._repr_html_().count("not compared") == 2
    assert Changes(none.arrow, holidays()).not_compared == ()


def test_another_system_is_named() -> None:
    """Where two systems are compared, both names are shown."""
    title = repr(diff(holidays(), catalogue_of(name="other"))).split("\n")[0]
    assert "of system 'holidays'" in title
    assert "since system 'other', built 2019-11-27 15:57:24" in title


def test_the_worst_of_them() -> None:
    """The worst is the highest severity there is, also of a part."""
    found = diff(rebuilt(), holidays())
    assert found.worst == "breaking"
    assert found.filter(severity="routine").worst == "routine"
    assert found.filter(pl.col("severity") < "breaking").worst == "notable"
    assert found[:0].worst is None


def recoded(old: Catalogue) -> Catalogue:
    """Holidays after Sweden was renamed, and all counts of genders are gone."""
    codes = old.codes.frame.with_columns(
        description=pl.when(pl.col("description") == "Sweden")
        .then(pl.lit("Sverige"))
        .otherwise("description"),
        count=pl.when(pl.col("variable_name") != "peGender").then("count"),
    )
    return Catalogue(old.system_info, old.tables, old.variables, codes, old.folders)


def test_codes_of_some_variables_are_compared() -> None:
    """Of codes that one side lacks nothing is said but that; all others are compared."""
    new = recoded(holidays())
    whole = new.diff(holidays())
    with DemoServer(new) as server, server.login() as session:
        session.folders  # noqa: B018
        assert session.diff(holidays()).not_compared == (
            "Codes were not compared: the newer catalogue has none.",
        )
        some = session.variables.filter(table_name="Bookings")
        session.load_codes(some)
        number = sum(v.api_type == "Selector" and v.name not in some.names for v in new.variables)
        found, back = session.diff(holidays()), holidays().diff(session)
        assert found.not_compared == (
            f"Codes of {number} variables were not compared: the newer catalogue lacks them.",
        )
        assert back.not_compared[0].endswith("were not compared: the older catalogue lacks them.")
        renamed = [('boDest["29"]', "description", "Sweden", "Sverige")]
        assert [(c.name, c.column, c.old, c.new) for c in found] == renamed
        assert len(whole) > len(found) == len(back) == 1
        assert found.not_compared[0] in repr(found)
        session.load_codes()
        assert session.diff(holidays()) == whole
        (sentence,) = session.diff(holidays()).not_compared  # of peGender
        assert sentence.startswith("Movement was not judged for 1 variable: ")


def test_refused_codes_are_not_removed_ones() -> None:
    """That codes were refused says nothing of whether they are there."""
    old = holidays()
    rest = old.codes.frame.filter(pl.col("variable_name") != "boDest")
    rows = old.tables, old.variables, rest, old.folders
    refused = Catalogue(old.system_info, *rows, unavailable=["boDest"])
    sentence = "Codes of 1 variable were not compared: the {} catalogue lacks them."
    for changes_, side in ((refused.diff(old), "newer"), (old.diff(refused), "older")):
        assert len(changes_) == 0
        assert changes_.not_compared == (sentence.format(side),)
    assert refused.diff(refused).not_compared[0].endswith("neither catalogue has them.")


def test_parts_keep_what_was_not_compared() -> None:
    """A filtered frame is one of changes, between the same two catalogues."""
    found = diff(rebuilt(), holidays())
    part = found.filter(pl.col("severity") >= "notable", noun="variable")
    assert type(part) is Changes
    assert part.frame.equals(found.frame.filter(pl.col("severity") >= "notable", noun="variable"))
    assert part.not_compared == found.not_compared
    assert "since 2019-11-27 15:57:24: 4 breaking, 2 notable" in repr(part)
    assert found.frame.schema["severity"] == pl.Enum(schema.SEVERITIES)


def test_rows_of_changes() -> None:
    """A row has the columns as attributes, and says in one line what happened."""
    row = diff(rebuilt(), holidays())[0]
    assert isinstance(row, Change)
    assert (row.noun, row.name, row.change, row.column) == (
        *("table", "Content", "changed", "total_records"),
    )
    assert (row.old, row.new, row.severity, row.is_virtual) == (
        "153041",
        "15304",
        "breaking",
        False,
    )
    assert repr(row) == ("<Change ~ table 'Content', total_records: '153041' → '15304', breaking>")
    none = diff(catalogue_of(None, [variable_item(folderName=None)]), catalogue_of())[0]
    assert repr(none) == "<Change + variable 'peVar', notable>"
    moved = diff(
        catalogue_of(None, [variable_item(folderName=None)]), catalogue_of(None, [variable_item()])
    )
    assert repr(moved[0]) == "<Change ~ variable 'peVar', folder_name: 'Folder' → null, notable>"


def test_changes_as_sentences() -> None:
    """A change tells itself in a line, of whole rows by what a person knows them by."""
    found = diff(rebuilt(), holidays(), drop=0.5)
    assert found.title == repr(found).split("\n")[0]
    assert (found.newer, found.filter(noun="table").newer) == (rebuilt().system_info,) * 2
    assert [(change.summary, change.told) for change in found.filter(severity="breaking")] == [
        ("~ table Content, total_records: 153,041 → 15,304 (−90 %)", ("153041", "15304")),  # noqa: RUF001
        ("~ variable peOccu, type: Selector → Array", ("Selector", "Array")),
        ("~ variable peOccu, selector_type: SingleValue → OrArray", ("SingleValue", "OrArray")),
        ("- variable boDest: Destination", ("Destination", None)),
        ("- variable boCost: Cost", ("Cost", None)),
    ]
    assert found["boDestin"].told == (None, "Destination")
    assert found["boDestin"].summary == "+ variable boDestin: Destination"


def test_changes_are_looked_up_by_name() -> None:
    """A name finds its one change; of several the message shows each, and how to have them."""
    found = diff(rebuilt(), holidays())
    assert found["boDestin"].change == "added"
    with pytest.raises(AmbiguousKeyError, match=r"changes .* 'peOccu': .*type.*filter\(name="):
        found["peOccu"]
    with pytest.raises(UnknownKeyError, match="boDest"):
        found["boDes"]


def test_pickled_changes_come_back() -> None:
    """A pickle holds the changes, the newer catalogue, and what was not compared."""
    found = diff(rebuilt(), holidays())
    restored = pickle.loads(pickle.dumps(found))
    assert restored == found
    assert repr(restored) == repr(found)


def test_columns_and_rules_are_documented() -> None:
    """The documentation lists the columns, and every rule with its severity."""
    doc = Changes.__doc__ or ""
    assert all(f"    {name}: " in doc for name in Changes.schema.names)
    assert all(line in doc for line in rules.describe().splitlines())
    assert {rule.severity for rule in rules.RULES} == set(schema.SEVERITIES)


@pytest.mark.parametrize("text", [t for t in ODD_TEXTS if t.strip()], ids=lambda t: ascii(t[:12]))
def test_odd_texts_are_shown_harmlessly(text: str) -> None:
    """Names and values that a terminal or browser would obey are shown as escapes."""
    old = catalogue_of([table_item(text)], [variable_item(text, text), variable_item("v", text)])
    items = [variable_item(text, text, description=text), variable_item("w", text)]
    found = diff(catalogue_of([table_item(text, pluralDisplayName=text)], items), old)
    lines = repr(found).split("\n")
    assert len(lines) == 11
    assert max(map(len, lines[1:])) <= 100
    assert [escape_controls(line) for line in lines] == lines
    assert escape(truncate(text)) in found._repr_html_()
    assert "<script" not in found._repr_html_()
    assert all("\n" not in repr(row) for row in found)
