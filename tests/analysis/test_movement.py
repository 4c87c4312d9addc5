"""How many records must have changed their code: the laws, and a reference in plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from analysis.test_diff import codes_of, nouns
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from strategies import catalogue_of, table_item, variable_item

from apteco_frames import Catalogue
from apteco_frames.analysis.diff import Difference, difference
from apteco_frames.demo import holidays

Tables = Mapping[str, pa.Table]
Counts = Mapping[str, int | None]
KINDS = ("Selector", "Array", "FlagArray", "Date")


def build(
    codes: Mapping[str, Mapping[str, Any]],
    kinds: Mapping[str, str],
    records: int = 1000,
    **info: Any,
) -> Tables:
    """A catalogue: of each variable its kind, and its codes with counts, or descriptions, too."""
    items = []
    for name, kind in kinds.items():
        item = variable_item(name, kind=kind)
        item["selectorInfo"] = {
            **item["selectorInfo"],
            "unclassifiedCode": None,
            "unclassifiedDescription": None,
            **info,
        }
        items.append(item)
    rows = {
        name: [
            (code, *(told if isinstance(told, tuple) else (f"Meaning of {code}", told)))
            for code, told in of.items()
        ]
        for name, of in codes.items()
    }
    catalogue = catalogue_of([table_item(totalRecords=records)], items)
    return nouns(catalogue, codes=codes_of(rows))


def moved(found: Difference, column: str = "moved") -> dict[str, tuple[Any, ...]]:
    """What is told of a column, by variable."""
    return {
        row["name"]: (row["old"], row["new"], row["severity"])
        for row in found.changes.to_pylist()
        if row["column"] == column
    }


def one(new: Counts, old: Counts, kind: str = "Selector", **options: Any) -> Any:
    """What moved in one variable; None if nothing is told."""
    records = options.pop("records", (1000, 1000))
    sides = [
        build({"v": counts}, {"v": kind}, of)
        for counts, of in zip((new, old), records, strict=True)
    ]
    return moved(difference(*sides, **options)).get("v")


def test_half_the_sum_of_the_differences() -> None:
    """Of single values it is the total variation distance of the shares, wherever codes went."""
    assert one({"a": 50, "b": 50}, {"a": 100}) == (None, "0.5000", "notable")
    assert one({"b": 100}, {"a": 100}) == (None, "1.0000", "breaking")
    assert one({"a": 400, "b": 600}, {"a": 100, "b": 100}) == (None, "0.1000", "routine")


def test_arrays_by_the_largest_difference() -> None:
    """Of arrays it is the largest difference of a code's share of the table's records."""
    assert one({"a": 500, "b": 900}, {"a": 100, "b": 800}, "FlagArray")[1] == "0.4000"
    assert one({"b": 800}, {"a": 100, "b": 800}, "Array")[1] == "0.1000"
    # The same flags on twice as many records.
    assert one({"a": 800}, {"a": 800}, "Array", records=(2000, 1000))[1] == "0.4000"


@pytest.mark.parametrize(
    ("part", "limit", "severity"),
    [
        (10, 0.5, "routine"),
        (9, 0.5, None),
        (100, 0.5, "routine"),
        (101, 0.5, "notable"),
        (500, 0.5, "notable"),
        (501, 0.5, "breaking"),
        (300, 0.3, "notable"),
        (301, 0.3, "breaking"),
        (60, 0.3, "routine"),
        (61, 0.3, "notable"),
    ],
)
def test_severity_of_a_movement(part: int, limit: float, severity: str | None) -> None:
    """More than the limit breaks, more than a fifth of it is notable; from 0.01 on it is told."""
    found = one({"a": 1000 - part, "b": part}, {"a": 1000}, moved=limit)
    assert (found and found[-1]) == severity


def test_the_rule_can_be_turned_off() -> None:
    """Without a limit nothing is looked for."""
    sides = [build({"v": {code: ("Unclassified", 100)}}, {"v": "Selector"}) for code in "ab"]
    found = difference(*sides, moved=None)
    assert {row["column"] for row in found.changes.to_pylist()} == {None}
    assert found.left_out[1:] == ()


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ({"a": None, "b": 100}, {"a": 100, "b": 100}),
        ({"a": 100, "b": 100}, {"a": None, "b": 100}),
        ({}, {"a": 100}),
        ({"a": 100}, {}),
        ({"a": 100}, {"b": 99}),
        ({"a": 0, "b": 0}, {"a": 100}),
        ({"a": -1, "b": 300}, {"a": 100}),
    ],
)
def test_what_is_not_judged_is_counted(new: Counts, old: Counts) -> None:
    """Without counts, without codes or with too few records no movement is told, and that is."""
    kinds = {"v": "Selector", "w": "Selector", "none": "Selector"}
    sides = [build({"v": counts, "w": {"a": 100}}, kinds) for counts in (new, old)]
    found = difference(*sides)
    assert moved(found) == moved(found, "unclassified_share") == {}
    assert found.left_out[-1][:2] == ("variable", False)
    assert found.left_out[-1].sentence.startswith("Movement was not judged for 1 variable: ")


# Unclassified


@pytest.mark.parametrize(
    ("sent", "described", "codes", "is_told"),
    [
        (None, None, {"0": "Unclassified", "1": "x"}, True),
        (None, None, {"0": " unclassified ", "1": "x"}, True),
        (None, None, {"1": "x", "0": "Unclassified"}, False),
        (None, None, {"0": "Not known", "1": "x"}, False),
        (None, "Not known", {"0": "Not known", "1": "x"}, True),
        (None, "", {"0": "", "1": "x"}, False),
        ("0", None, {"1": "x", "0": "Not known"}, True),
        ("0", None, {"1": "Unclassified", "0": "Not known"}, True),
        ("?", None, {"0": "Unclassified", "1": "x"}, True),
    ],
)
def test_which_code_is_unclassified(
    sent: str | None, described: str | None, codes: Mapping[str, str], is_told: bool
) -> None:
    """The one that the server names, else the first where its description says so."""
    info: Any = {"unclassifiedCode": sent, "unclassifiedDescription": described}
    sides = [
        build(
            {"v": {c: (d, 700 if (c == "0") == is_newer else 300) for c, d in codes.items()}},
            {"v": "Selector"},
            **info,
        )
        for is_newer in (True, False)
    ]
    found = moved(difference(*sides), "unclassified_share")
    assert found == ({"v": ("0.3000", "0.7000", "notable")} if is_told else {})


def test_unclassified_that_came_or_went() -> None:
    """A code that one side alone has, or alone calls so, is the same code on the other."""
    whole = build({"v": {"1": ("x", 100)}}, {"v": "Selector"})
    lost = build({"v": {"0": ("Unclassified", 60), "1": ("x", 40)}}, {"v": "Selector"})
    told = build({"v": {"0": ("Nothing", 10), "1": ("x", 90)}}, {"v": "Selector"})
    shares = {
        ("0.0000", "0.6000", "breaking"): (lost, whole),
        ("0.6000", "0.0000", "breaking"): (whole, lost),
        ("0.1000", "0.6000", "notable"): (lost, told),
        ("0.6000", "0.1000", "notable"): (told, lost),
    }
    for expected, sides in shares.items():
        assert moved(difference(*sides), "unclassified_share") == {"v": expected}


# Laws

counts = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 10**6), max_size=5)


@settings(max_examples=up_to(100))
@given(counts, counts, st.sampled_from(KINDS), st.integers(1, 1000))
def test_laws_of_movement(new: Counts, old: Counts, kind: str, factor: int) -> None:
    """It is 0 for equal shares, the same both ways, at most 1, and looks at shares alone."""
    records = 10**6
    times = {code: (count or 0) * factor for code, count in new.items()}
    there = one(new, old, kind, records=(records, records))
    back = one(old, new, kind, records=(records, records))
    scaled = one(times, old, kind, records=(records * factor, records))
    assert one(times, new, kind, records=(records * factor, records)) is None
    if there and back:
        assert there == back
    if there:
        assert there[0] is None
        assert 0.01 <= float(there[1]) <= 1
    if sum(times.values()) and there:
        assert scaled == there


sides = st.fixed_dictionaries(
    {
        name: st.dictionaries(
            st.sampled_from("!ab"),
            st.tuples(
                st.sampled_from(["Unclassified", "x", "Nothing"]),
                st.sampled_from([None, *[0, 1, 50, 99, 100, 150, 1000, 2**60] * 3]),
            ),
            max_size=3,
        )
        for name in "vw"
    }
)


def shares_of(side: Tables, name: str, is_single: bool) -> tuple[dict[str, Fraction], int | None]:
    """The share of each code, and the sum of the counts; nothing where they are not known."""
    rows = [row for row in side["codes"].to_pylist() if row["variable_name"] == name]
    if not rows or any(row["count"] is None for row in rows):
        return {}, None
    total = sum(row["count"] for row in rows)
    base = total if is_single else side["tables"].to_pylist()[0]["total_records"]
    return {row["code"]: Fraction(row["count"], base) for row in rows} if base else {}, total


def unclassified(side: Tables, name: str) -> str | None:
    """The code that stands for no value."""
    (variable,) = (row for row in side["variables"].to_pylist() if row["name"] == name)
    rows = [row for row in side["codes"].to_pylist() if row["variable_name"] == name]
    if variable["unclassified_code"] in [row["code"] for row in rows]:
        return str(variable["unclassified_code"])
    names = ("unclassified", (variable["unclassified_description"] or "unclassified").lower())
    return next((row["code"] for row in rows[:1] if row["description"].lower() in names), None)


ROUNDING = Fraction(1, 10**9)


def expected(
    new: Tables, old: Tables, limit: Fraction
) -> tuple[dict[tuple[str, str], tuple[Any, ...]], int]:
    """What is told, by variable and column, and how many variables are not judged."""
    told: dict[tuple[str, str], tuple[Any, ...]] = {}
    zero = Fraction(0)
    not_judged = 0
    for variable in new["variables"].to_pylist():
        name, is_single = variable["name"], variable["selector_type"] == "SingleValue"
        after, _ = shares_of(new, name, is_single)
        before, old_total = shares_of(old, name, is_single)
        if not after or not before or (old_total or 0) < 100:
            has_codes = [name in side["codes"]["variable_name"].to_pylist() for side in (new, old)]
            not_judged += any(has_codes)
            continue
        sizes = [abs(after.get(code, zero) - before.get(code, zero)) for code in after | before]
        moved = Fraction(sum(sizes), 2) if is_single else min(max(sizes), 1)
        found: dict[str, tuple[Any, ...]] = {"moved": (moved, None, moved)}
        mine, theirs = unclassified(new, name), unclassified(old, name)
        if code := mine or theirs:
            pair = after.get(mine or code, zero), before.get(theirs or code, zero)
            found["unclassified_share"] = (abs(pair[0] - pair[1]), pair[1], pair[0])
        for column, (size, *texts) in found.items():
            if size >= Fraction(1, 100) - ROUNDING:
                size -= ROUNDING  # at the limit is not above it, whatever floats say
                severity = "routine" if size <= limit / 5 else "notable"
                severity = "breaking" if size > limit else severity
                told[name, column] = (*texts, severity)
    return told, not_judged


@settings(max_examples=up_to(300))
@given(
    sides,
    sides,
    st.sampled_from(KINDS),
    st.tuples(*[st.sampled_from([0, 100, 1000, 2**60])] * 2),
    st.sampled_from([None, "!", "b"]),
    st.sampled_from([None, "Nothing"]),
    st.sampled_from([0.1, 0.25, 0.5, 0.9]),
)
def test_movements_are_those_of_a_reference(
    new: Any, old: Any, kind: str, records: Any, sent: Any, described: Any, limit: float
) -> None:
    """What is told, and how severe it is, is what plain Python with fractions says."""
    info = {"unclassifiedCode": sent, "unclassifiedDescription": described}
    kinds = {"v": kind, "w": "Selector"}
    newer, older = (
        build(codes, kinds, of, **info) for codes, of in zip((new, old), records, strict=True)
    )
    found = difference(newer, older, moved=limit)
    told = {
        (row["name"], row["column"]): (row["old"], row["new"], row["severity"])
        for row in found.changes.to_pylist()
        if row["column"] in ("moved", "unclassified_share")
    }
    wanted, not_judged = expected(newer, older, Fraction(str(limit)))
    assert told.keys() == wanted.keys()
    for key, (*texts, severity) in wanted.items():
        assert told[key][2] == severity
        for text, share in zip(told[key], texts, strict=False):
            assert text is None if share is None else float(text) == pytest.approx(share, abs=6e-5)
    is_equal = all(newer[noun].equals(older[noun]) for noun in newer)
    numbers = [left.sentence.split()[5] for left in found.left_out if left.noun == "variable"]
    assert numbers == ([str(not_judged)] if not_judged and not is_equal else [])


def test_a_night_in_which_everything_became_unclassified() -> None:
    """A build in which all bookings lost their destination breaks, whatever else is as it was."""
    old = holidays()
    of_destination, position = pl.col("variable_name") == "boDest", pl.col("position")
    codes = old.codes.frame.with_columns(
        count=pl.when(of_destination)
        .then(pl.when(position == 0).then(2_130_081).otherwise(0))
        .otherwise("count")
    )
    new = Catalogue(old.system_info, old.tables, old.variables, codes, old.folders)
    found = new.diff(old, drop=0.2)
    assert found.worst == "breaking"
    assert [(c.name, c.column, c.old, c.new) for c in found.filter(severity="breaking")] == [
        ("boDest", "moved", None, "0.9685"),
        ("boDest", "unclassified_share", "0.0315", "1.0000"),
    ]
    assert found.not_compared == ()
    assert old.diff(new).worst == "breaking"
    assert new.diff(old, moved=None).worst == "routine"
