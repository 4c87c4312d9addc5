"""What is different between two catalogues, and how much it matters."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to
from strategies import (
    Item,
    catalogue_of,
    catalogues,
    table_item,
    table_trees,
    texts,
    tree_items,
    variable_item,
    variable_lists,
)

from apteco_frames import schema
from apteco_frames.analysis import rules
from apteco_frames.analysis.diff import difference, not_compared
from apteco_frames.catalogue import Catalogue
from apteco_frames.schema.column import KIND, STRING, TIMESTAMP

Tables = Mapping[str, pa.Table]
# What is calculated of both, and is told of the newer.
MOVEMENTS = (rules.MOVED, rules.UNCLASSIFIED)
SCHEMAS = {
    "table": schema.TABLES_SCHEMA,
    "variable": schema.VARIABLES_SCHEMA,
    "folder": schema.FOLDERS_SCHEMA,
    "code": schema.CODES_SCHEMA,
}


def codes_of(codes: Mapping[str, Iterable[str | tuple[Any, ...]]]) -> pa.Table:
    """Codes by variable: each a code, or a code with its description and count."""
    rows = [
        {
            "variable_name": variable,
            "variable_description": "",
            "table_name": "People",
            "position": position,
            "code": code,
            "description": rest[0] if rest else f"Meaning of {code}",
            "count": rest[1] if len(rest) > 1 else None,
        }
        for variable, items in codes.items()
        for position, item in enumerate(items)
        for code, *rest in [(item,) if isinstance(item, str) else item]
    ]
    return pa.Table.from_pylist(rows, schema=schema.CODES_SCHEMA)


def folders_of(folders: Mapping[str, Item]) -> pa.Table:
    """Folders by path, with what differs from a folder at the top without variables."""
    usual = {"description": "", "depth": 0, "variable_count": 0, "total_variable_count": 0}
    rows = [
        {"path": path, "name": path, "position": position, "variable_names": [], **usual, **values}
        for position, (path, values) in enumerate(folders.items())
    ]
    return pa.Table.from_pylist(rows, schema=schema.FOLDERS_SCHEMA)


def nouns(catalogue: Catalogue, **others: pa.Table) -> dict[str, pa.Table]:
    """A catalogue's tables by noun, with codes or folders if they are given."""
    return {"tables": catalogue.tables.arrow, "variables": catalogue.variables.arrow, **others}


def people(*variables: Item, codes: Any = None, folders: Any = None, **table: Any) -> Tables:
    """A catalogue of the table People and these variables."""
    others = {"codes": codes_of(codes)} if codes is not None else {}
    others |= {"folders": folders_of(folders)} if folders is not None else {}
    return nouns(catalogue_of([table_item(**table)], variables), **others)


def changes(new: Tables, old: Tables, **options: Any) -> pa.Table:
    """The changes from one catalogue to another."""
    return difference(new, old, **options).changes


def found(new: Tables, old: Tables, **options: Any) -> list[tuple[Any, ...]]:
    """The changes, without noun and mark for virtual variables."""
    columns = ("name", "change", "column", "old", "new", "severity")
    rows = changes(new, old, **options).to_pylist()
    return [tuple(row[column] for column in columns) for row in rows]


def severity_of(new: Tables, old: Tables, column: str | None, **options: Any) -> str:
    """The severity of the one change to a column."""
    (level,) = [row[-1] for row in found(new, old, **options) if row[2] == column]
    return str(level)


# Laws


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Tables, Tables]:
    """Two catalogues, with codes and folders: of two systems, or of one before and after."""
    if draw(st.booleans()):
        both = [draw(catalogues(3, 5)), draw(catalogues(3, 5))]
    else:
        tables = draw(table_trees(3))
        before, others = (draw(variable_lists(tables, 6)) for _ in range(2))
        after = draw(st.permutations(before))[draw(st.integers(0, 2)) :]
        after = [
            draw(st.sampled_from([item, *({**other, "name": item["name"]} for other in others)]))
            for item in after
        ]
        names = {item["name"] for item in before}
        after += [item for item in others if item["name"] not in names]
        both = [catalogue_of(tables, before), catalogue_of(tables, after)]
    new, old = (
        nouns(
            catalogue,
            codes=codes_of(draw(_codes(catalogue.variables.names))),
            folders=folders_of(draw(_folders())),
        )
        for catalogue in both
    )
    return new, old


def _codes(names: Iterable[str]) -> st.SearchStrategy[dict[str, list[tuple[Any, ...]]]]:
    """Codes of few texts, so that they repeat, move and have names that are alike."""
    few = st.sampled_from(["a", "b", "c", " ", "", '"', "\\", '\\"', 'a"]["b', '"] (2)'])
    code = st.tuples(few, st.sampled_from(["x", "y"]), st.sampled_from([None, 0, 2**63 - 1]))
    return st.fixed_dictionaries({name: st.lists(code, max_size=6) for name in names})


def _folders() -> st.SearchStrategy[dict[str, Item]]:
    few = st.sampled_from(["a", "a/b", "c", "NUL \x00", ""])
    folder = {
        "name": few,
        "parent_path": st.none() | few,
        "variable_names": st.lists(few, max_size=2),
    }
    return st.dictionaries(few, st.fixed_dictionaries(folder), max_size=4)


CODE_NAME = re.compile(r'(.*)\["((?:[^"\\]|\\["\\])*)"\](?: \((\d+)\))?', re.DOTALL)


def key_of(noun: str, name: str) -> Any:
    """What a name stands for; of a code its variable, itself and how many of it come before."""
    if noun != "code":
        return name
    match = CODE_NAME.fullmatch(name)
    assert match
    return match[1], re.sub(r"\\(.)", r"\1", match[2]), int(match[3] or 1)


def value_of(noun: str, column: str, text: Any) -> Any:
    """A value, read from the text that it has in a change or in JSON."""
    kind = SCHEMAS[noun].field(column).type
    if text is None or kind in (STRING, KIND):
        return text
    if kind == TIMESTAMP:
        return datetime.fromisoformat(text)
    return json.loads(text) if isinstance(text, str) else text


def contents(side: Tables) -> dict[str, dict[Any, Item]]:
    """What is compared of a catalogue, by noun and by what each row is told apart by."""
    result: dict[str, dict[Any, Item]] = {}
    for noun in SCHEMAS:
        rows: dict[Any, Item] = {}
        for row in side[f"{noun}s"].to_pylist():
            key: Any = row["path" if noun == "folder" else "name"] if noun != "code" else None
            if noun == "code":
                number = 1
                while (key := (row["variable_name"], row["code"], number)) in rows:
                    number += 1
            rows[key] = {column: row[column] for column in rules.compared(noun)}
        result[noun] = rows
    return result


def orders(side: Tables) -> dict[str, list[str]]:
    """The codes of each variable that has some, in their order."""
    result: dict[str, list[str]] = {}
    for row in side["codes"].to_pylist():
        result.setdefault(row["variable_name"], []).append(row["code"])
    return result


def applied(
    rows: Sequence[Item], old: Tables
) -> tuple[dict[str, dict[Any, Item]], dict[str, list[str]]]:
    """What the older catalogue becomes by the changes."""
    result = contents(old)
    added: list[tuple[int, Any]] = []
    order = {}
    for row in rows:
        if row["column"] in MOVEMENTS:
            continue
        noun, values = row["noun"], result[row["noun"]]
        key = key_of(noun, row["name"])
        if row["column"] == rules.CODE_ORDER:
            order[key] = json.loads(row["new"])
        elif row["change"] == "removed":
            del values[key]
        elif row["change"] == "added":
            given = json.loads(row["new"])
            values[key] = {c: value_of(noun, c, given.get(c)) for c in rules.compared(noun)}
            if noun == "code":
                added.append((given["position"], key))
        else:
            before = values[key][row["column"]]
            assert value_of(noun, row["column"], row["old"]) == before
            values[key][row["column"]] = value_of(noun, row["column"], row["new"])
    lists: dict[str, list[str]] = {}
    new_keys = {key for _, key in added}
    for variable, code, number in result["code"]:
        if (variable, code, number) not in new_keys:
            lists.setdefault(variable, []).append(code)
    for position, (variable, code, _) in sorted(added, key=lambda pair: pair[0]):
        lists.setdefault(variable, []).insert(position, code)
    return result, lists | order


@settings(max_examples=up_to(150))
@given(pairs())
def test_the_changes_make_the_newer_catalogue_of_the_older(pair: tuple[Tables, Tables]) -> None:
    """Applying the changes to the old gives the new: all values, and the order of codes."""
    new, old = pair
    rows = changes(new, old).to_pylist()
    assert applied(rows, old) == (contents(new), orders(new))


@settings(max_examples=up_to(30))
@given(pairs(), st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_both_ways_are_mirror_images(pair: tuple[Tables, Tables], drop: float | None) -> None:
    """What came one way went the other; a catalogue has no changes to itself."""
    new, old = pair
    mirrored = {"added": "removed", "removed": "added", "changed": "changed"}

    def seen(table: pa.Table, swap: bool) -> set[tuple[Any, ...]]:
        assert table.schema.equals(schema.CHANGES_SCHEMA, check_metadata=True)
        table.validate(full=True)
        return {
            (*key, mirrored[kind], after, before) if swap else (*key, kind, before, after)
            for *key, kind, before, after in (
                (r["noun"], r["name"], r["column"], r["change"], r["old"], r["new"])
                for r in table.to_pylist()
                if r["column"] not in MOVEMENTS
            )
        }

    there, back = changes(new, old, drop=drop), changes(old, new, drop=drop)
    assert seen(there, False) == seen(back, True)
    told = [row for row in there.to_pylist() if row["column"] not in MOVEMENTS]
    assert len(seen(there, False)) == len(told)
    for side in (new, old):
        copied = {name: pa.table(table.to_pydict(), table.schema) for name, table in side.items()}
        assert len(changes(side, copied, drop=drop)) == 0


@given(st.lists(st.tuples(texts(), texts()), unique=True, max_size=8))
def test_names_of_codes_are_unambiguous(both: list[tuple[str, str]]) -> None:
    """The name of a code is that of one variable and code, whatever their texts."""
    lists: dict[str, list[str]] = {}
    for variable, code in both:
        lists.setdefault(variable, []).append(code)
    rows = changes(people(codes=lists), people(codes={})).to_pylist()
    assert {key_of("code", row["name"]) for row in rows} == {(*pair, 1) for pair in both}


# Rows


def test_one_row_for_each_thing_and_each_column() -> None:
    """What came or went has one row; what changed has one per column, with both values."""
    old = people(
        variable_item("a", description="A"),
        variable_item("b", isVirtual=True),
        variable_item("c", kind="Date"),
        totalRecords=1000,
    )
    new = people(
        variable_item("a", description="B", folderName=None),
        variable_item("d", kind="Text"),
        variable_item("c", kind="Text"),
        totalRecords=999,
    )
    rows = found(new, old)
    came = json.loads(rows[3][4])
    assert came["description"] == "Description of d"
    assert came["max_length"] == 30
    assert "min_date" not in came
    assert [(*row[:3], row[-1]) for row in rows[3:4]] == [("d", "added", None, "notable")]
    assert rows[:3] == [
        ("People", "changed", "total_records", "1000", "999", "routine"),
        ("a", "changed", "description", "A", "B", "notable"),
        ("a", "changed", "folder_name", "Folder", None, "notable"),
    ]
    assert {row[2]: row[3:] for row in rows[4:-1]}["min_date"] == (
        *("2015-01-02T00:00:00", None, "routine"),
    )
    assert ("c", "changed", "type", "Date", "Text", "breaking") in rows
    assert [row[:3] for row in rows[-1:]] == [("b", "removed", None)]
    marks = {r["name"]: r["is_virtual"] for r in changes(new, old).to_pylist()}
    assert marks == {"People": False, "a": False, "b": True, "c": False, "d": False}


def test_rows_have_one_order() -> None:
    """Tables, variables, folders, codes; in the newer order, then what was removed."""
    old = people(
        *(variable_item(name) for name in "xab"),
        codes={"b": ["1", "9"], "a": ["1"]},
        folders={"F": {}},
    )
    new = people(
        *(variable_item(name, description=name) for name in "cba"),
        codes={"c": ["1"], "b": ["1", "2"]},
        folders={"F": {"description": "f"}},
        pluralDisplayName="",
    )
    rows = changes(new, old).to_pylist()
    assert [(row["noun"], row["name"], row["change"]) for row in rows] == [
        ("table", "People", "changed"),
        ("variable", "c", "added"),
        ("variable", "b", "changed"),
        ("variable", "a", "changed"),
        ("variable", "x", "removed"),
        ("folder", "F", "changed"),
        ("code", 'c["1"]', "added"),
        ("code", 'b["2"]', "added"),
        ("code", 'b["9"]', "removed"),
        ("code", 'a["1"]', "removed"),
    ]


def test_consequences_are_not_told_twice() -> None:
    """A new table or variable changes no count, level or list of ancestors of others."""
    item = variable_item("v", "People")
    old = nouns(catalogue_of(tree_items({"A": "", "People": "A"}), [item]))
    deep = tree_items({"A": "", "B": "A", "People": "B"})
    new = nouns(catalogue_of(deep, [item, variable_item("w", "People")]))
    assert [row[:3] for row in found(new, old)] == [
        ("B", "added", None),
        ("People", "changed", "parent_name"),
        ("w", "added", None),
    ]
    codes = codes_of({"v": ["1"]})
    renamed = codes.set_column(1, codes.schema.field(1), pa.array(["Another description"]))
    assert found({**old, "codes": renamed}, {**old, "codes": codes}) == []


def test_every_column_is_compared_or_follows_from_others() -> None:
    """Each column has a rule that always holds; the others are known."""
    left = {}
    for noun, columns in SCHEMAS.items():
        always = {c for r in rules.RULES if r.noun == noun and not r.when for c in r.columns}
        assert always - {rules.CODE_ORDER, *MOVEMENTS} == set(rules.compared(noun))
        assert set(rules.compared(noun)) <= set(columns.names)
        left[noun] = [name for name in columns.names if name not in always]
    assert left == {
        "table": ["name", "depth", "ancestor_names", "descendant_names", "variable_count"],
        "variable": ["name"],
        "folder": ["path", "depth", "position", "variable_count", "total_variable_count"],
        "code": ["variable_name", "variable_description", "table_name", "position", "code"],
    }


def test_a_reordered_code_list_is_one_row() -> None:
    """Codes that changed places are told once, at their variable; what only shifted is not."""
    variables = [variable_item("a"), variable_item("b")]
    old = people(*variables, codes={"a": ["1", "2", "3"], "b": ["1", "2"]})
    new = people(*variables, codes={"a": ["3", "1", "2"], "b": ["0", "1", "2"]})
    assert changes(new, old).to_pylist()[0] == {
        "noun": "variable",
        "name": "a",
        "change": "changed",
        "column": "codes",
        "old": '["1", "2", "3"]',
        "new": '["3", "1", "2"]',
        "severity": "notable",
        "is_virtual": False,
        "used_by": None,
    }
    assert [row[:3] for row in found(new, old)[1:]] == [('b["0"]', "added", None)]


def test_codes_that_repeat_are_told_apart_by_number() -> None:
    """The second code of one text in a variable is another than the first."""
    old = people(variable_item("a"), codes={"a": [("1", "x"), ("1", "y")]})
    new = people(variable_item("a"), codes={"a": [("1", "x"), ("1", "z"), ("1", "x")]})
    assert [row[:5] for row in found(new, old)] == [
        ('a["1"] (2)', "changed", "description", "y", "z"),
        ('a["1"] (3)', "added", None, None, '{"description": "x", "position": 2}'),
    ]


def test_numbers_that_are_none_equal_each_other() -> None:
    """A NaN is no change to a NaN, and 0 none to -0; null is another value."""
    frames = []
    for values in ([float("nan"), 0.0, None], [float("nan"), -0.0, 1.5]):
        items = [variable_item(name, kind="Numeric") for name in "abc"]
        side = dict(people(*items))
        at = schema.VARIABLES_SCHEMA.get_field_index("min_value")
        field = schema.VARIABLES_SCHEMA.field(at)
        side["variables"] = side["variables"].set_column(at, field, pa.array(values, pa.float64()))
        frames.append(side)
    assert found(frames[1], frames[0]) == [("c", "changed", "min_value", None, "1.5", "routine")]


def test_what_one_side_lacks_is_not_compared() -> None:
    """Codes and folders are compared where both have them, and it is said where not."""
    bare = people(variable_item("a"))
    full = people(variable_item("a"), codes={"a": ["1"]}, folders={"F": {}})
    assert found(full, bare) == found(bare, full) == []
    assert not_compared(full, full) == ()
    assert not_compared(full, bare) == (
        ("folder", True, "Folders were not compared: the older catalogue has none."),
        ("code", True, "Codes were not compared: the older catalogue has none."),
    )
    assert "neither catalogue has any" in not_compared(bare, bare)[1].sentence
    assert len(changes(full, people(variable_item("a"), codes={}, folders={}))) == 2


LIGHT = """
import pickle
import sys
from apteco_frames.analysis.diff import difference

new, old = pickle.load(sys.stdin.buffer)
assert len(difference(new, old, drop=0.2).changes) == 7
assert len(difference(new, new).changes) == 0
assert not {"pandas", "polars"} & set(sys.modules)
"""


def test_nothing_heavy_is_imported() -> None:
    """Comparing imports neither polars nor pandas, which Arrow would for a Python value."""
    codes = [("1", "x", 100), ("2", "y", 0)]
    old = people(variable_item("a"), variable_item("c"), codes={"a": codes}, totalRecords=5)
    codes = [("2", "y", 50), ("1", "x", 50)]
    new = people(variable_item("a"), variable_item("b"), codes={"a": codes}, totalRecords=2)
    command = [sys.executable, "-c", LIGHT]
    subprocess.run(command, input=pickle.dumps([dict(new), dict(old)]), check=True)


# Severities


@pytest.mark.parametrize(
    ("field", "before", "after", "column", "expected"),
    [
        ("isSelectable", True, False, "is_selectable", "breaking"),
        ("isExportable", True, False, "is_exportable", "breaking"),
        ("isBrowsable", True, False, "is_browsable", "breaking"),
        ("isSelectable", False, True, "is_selectable", "notable"),
        ("isVirtual", True, False, "is_virtual", "notable"),
        ("description", "a", "b", "description", "notable"),
        ("folderName", "a", "b", "folder_name", "notable"),
        ("path", "a/x", "b/x", "path", "notable"),
        ("path", None, "b/x", "path", "routine"),
        ("notes", "a", None, "notes", "routine"),
        ("type", "Sculpture", "Painting", "api_type", "breaking"),
    ],
)
def test_severity_of_a_variables_change(
    field: str, before: Any, after: Any, column: str, expected: str
) -> None:
    """Lost rights and types break; names and places are notable; what is new to us is routine."""
    old, new = (
        people(variable_item(kind="Unknown", **{field: value})) for value in (before, after)
    )
    assert severity_of(new, old, column) == expected


def test_viewing_that_became_exporting_is_no_loss() -> None:
    """Being browsable means no export: who may export now has lost nothing."""
    old = people(variable_item(isBrowsable=True, isExportable=False))
    new = people(variable_item(isBrowsable=False, isExportable=True))
    assert severity_of(new, old, "is_browsable") == "notable"
    assert severity_of(new, old, "is_exportable") == "notable"
    assert severity_of(old, new, "is_exportable") == "breaking"


def test_severity_of_moves_and_removals() -> None:
    """A variable on another table, a table elsewhere or gone, and a variable gone all break."""
    tables = {"A": "", "B": "A", "C": "A"}
    old = nouns(
        catalogue_of(tree_items(tables), [variable_item("v", "B"), variable_item("w", "C")])
    )
    moved = nouns(catalogue_of(tree_items({**tables, "C": "B"}), [variable_item("v", "A")]))
    assert severity_of(moved, old, "table_name") == "breaking"
    assert severity_of(moved, old, "parent_name") == "breaking"
    assert severity_of(moved, old, None) == "breaking"
    smaller = tree_items({"A": "", "B": "A"})
    less = nouns(catalogue_of(smaller, [variable_item("v", "B")]))
    assert [row[-1] for row in found(less, old)] == ["breaking", "breaking"]
    assert [row[-1] for row in found(old, less)] == ["notable", "notable"]


def test_virtual_variables_may_go() -> None:
    """A virtual variable is gone after a rebuild: it and its codes are notable, and marked."""
    old = people(variable_item("v", isVirtual=True), codes={"v": ["1"]})
    rows = changes(people(codes={}), old).to_pylist()
    assert [(row["name"], row["severity"], row["is_virtual"]) for row in rows] == [
        ("v", "notable", True),
        ('v["1"]', "notable", True),
    ]


def test_severity_of_codes_and_folders() -> None:
    """A code that means something else breaks; counts are routine; folders are notable."""
    variable = variable_item("v")
    old = people(variable, codes={"v": [("1", "x", 1), "2"]}, folders={"F": {}, "G": {}})
    folders = {"F": {"name": "f", "variable_names": ["v"]}, "H": {}}
    new = people(variable, codes={"v": [("1", "y", 2), "3"]}, folders=folders)
    assert [(*row[:3], row[-1]) for row in found(new, old)] == [
        ("F", "changed", "name", "notable"),
        ("F", "changed", "variable_names", "routine"),
        ("H", "added", None, "notable"),
        ("G", "removed", None, "notable"),
        ('v["1"]', "changed", "description", "breaking"),
        ('v["1"]', "changed", "count", "routine"),
        ('v["3"]', "added", None, "notable"),
        ('v["2"]', "removed", None, "notable"),
    ]
    assert found(new, old)[1][3:5] == ("[]", '["v"]')


@pytest.mark.parametrize(
    ("before", "after", "drop", "expected"),
    [
        (10, 8, 0.2, "routine"),
        (10, 7, 0.2, "breaking"),
        (100, 71, 0.29, "routine"),
        (1_000_000, 709_999, 0.29, "breaking"),
        (2**63 - 1, 1, 0.999, "breaking"),
        (10, 0, None, "routine"),
        (10, 0, 0.999, "breaking"),
        (0, 10, 0.1, "routine"),
        (-10, -20, 0.1, "routine"),
    ],
)
def test_a_fall_by_more_than_drop_breaks(
    before: int, after: int, drop: float | None, expected: str
) -> None:
    """Records of a table, and codes of a variable, may fall by that fraction and no more."""
    old, new = people(totalRecords=before), people(totalRecords=after)
    assert severity_of(new, old, "total_records", drop=drop) == expected
    infos = [{**variable_item()["selectorInfo"], "numberOfCodes": n} for n in (before, after)]
    old, new = (people(variable_item(selectorInfo=info)) for info in infos)
    assert severity_of(new, old, "num_codes", drop=drop) == expected


@pytest.mark.parametrize("name", ["drop", "moved"])
@pytest.mark.parametrize("value", [0, 1, 20, -0.1, float("nan"), True])
def test_limits_are_fractions(name: str, value: float) -> None:
    """Percentages and other numbers are refused, with an example of what is meant."""
    with pytest.raises(ValueError, match=rf"{name}= takes a fraction between 0 and 1, such as 0\."):
        changes(people(), people(), **{name: value})
