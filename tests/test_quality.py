"""How well codes describe the records: the frame, and a reference in plain Python."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from analysis.test_movement import KINDS, build
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to

from apteco_frames import Catalogue, schema
from apteco_frames.analysis.quality import facts, quality
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.errors import NotLoadedError
from apteco_frames.quality import Quality

codes = st.dictionaries(
    st.sampled_from(["!", "a", " a", "b", "c"]),
    st.tuples(
        st.sampled_from(["Unclassified", "a", "x", "", "  "]),
        st.sampled_from([None, *[0, 1, 50, 2_000, 2**60] * 4]),
    ),
    max_size=5,
)


def expected(of: dict[str, Any], is_single: bool, records: int) -> dict[str, Any] | None:
    """What plain Python says of a variable."""
    if not of:
        return None
    texts = [text for text, _ in of.values()]
    row: dict[str, Any] = dict.fromkeys(schema.QUALITY_SCHEMA.names)
    row["num_codes"] = len(of)
    row["undescribed_codes"] = sum(
        not text.strip() or text.strip() == code.strip() for code, (text, _) in of.items()
    )
    row["repeated_descriptions"] = sum(
        number > 1 and bool(text.strip()) for text, number in Counter(texts).items()
    )
    counts = [count for _, count in of.values()]
    if None in counts:
        return row
    total = sum(counts)
    row["used_codes"] = sum(count > 0 for count in counts)
    row["unused_codes"] = len(of) - row["used_codes"]
    base = total if is_single else records
    if texts[0] == "Unclassified" and base:
        row["unclassified_share"] = counts[0] / base
    if is_single and records:
        row["coverage"] = total / records
    if total:
        code = max(of, key=lambda key: of[key][1])
        row["top_code"], (row["top_description"], most) = code, of[code]
        row["top_share"] = most / base if base else None
        parts = [count / total for count in counts if count]
        row["effective_codes"] = math.exp(-sum(part * math.log(part) for part in parts))
    return row


@settings(max_examples=up_to(200))
@given(codes, codes, st.sampled_from(KINDS), st.sampled_from([0, 100, 2_051]))
def test_quality_is_that_of_a_reference(first: Any, second: Any, kind: str, records: int) -> None:
    """Each column is what plain Python says; a variable without codes has no row."""
    kinds = {"v": kind, "w": "Selector"}
    found = quality(build({"v": first, "w": second}, kinds, records))
    found.validate(full=True)
    assert found.schema.equals(schema.QUALITY_SCHEMA)
    rows = {row["name"]: row for row in found.to_pylist()}
    wanted = {
        name: expected(of, kinds[name] in ("Selector", "Date"), records)
        for name, of in (("v", first), ("w", second))
    }
    assert list(rows) == [name for name, row in wanted.items() if row]
    for name, row in rows.items():
        reference = wanted[name] or {}
        for column in schema.QUALITY_SCHEMA.names[4:]:
            value = reference[column]
            near = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert row[column] == near, column


def test_the_frame() -> None:
    """It is a catalogue frame, and leads to the variable."""
    catalogue = holidays()
    found = catalogue.quality()
    assert type(found) is Quality
    row = found["Destination"]
    assert row == found["boDest"]
    assert row.variable is not None
    assert row.variable == catalogue.variables["boDest"]
    assert (row.top_code, row.top_description, row.coverage) == ("38", "United States", 1.0)
    assert repr(found).startswith("Quality of 45 variables of system 'holidays'\nname ")
    assert found.filter(table_name="Bookings").frame["num_codes"].sum() > 100
    assert "0.031" in repr(found.filter(name="boDest"))


def test_the_dictionary_tells_of_selectors() -> None:
    """The dictionary has, of each selector, share unclassified, unused and effective codes."""
    catalogue = holidays()
    rows = {noun: getattr(catalogue, noun).arrow for noun in ("tables", "variables", "codes")}
    told = facts(rows)
    place = catalogue.variables.frame["name"].to_list().index("boDest")
    assert {title: texts[place].as_py() for title, texts in told.items()} == {
        "Share Unclassified": "3.1%",
        "Unused codes": "0",
        "Effective codes": "6.2",
    }
    assert [texts[0].as_py() for texts in told.values()] == [None, None, None]


def test_a_session_reads_the_codes() -> None:
    """A session reads what it needs; a catalogue without codes says that it has none."""
    with DemoServer() as server, server.login() as session:
        assert session.quality() == holidays().quality()
    whole = holidays()
    with pytest.raises(NotLoadedError, match="no codes"):
        Catalogue(whole.system_info, whole.tables, whole.variables).quality()
