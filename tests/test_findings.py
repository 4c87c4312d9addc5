"""Findings: each rule finds its example, and exceptions and thresholds are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from strategies import catalogue_of, table_item, variable_item

from apteco_frames import Catalogue, schema
from apteco_frames.analysis import lint
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.errors import ConfigurationError, UnknownKeyError

name, of = pl.col("name"), pl.col("variable_name")


def changed(**frames: Any) -> Catalogue:
    """Holidays with other tables, variables, codes or folders."""
    whole = holidays()
    parts = ("tables", "variables", "codes", "folders")
    rows = [frames.get(part, getattr(whole, part)) for part in parts]
    return Catalogue(whole.system_info, *rows)


def variables(**columns: Any) -> pl.DataFrame:
    """The variables of Holidays, with other values of boDest."""
    return holidays().variables.frame.with_columns(
        pl.when(name == "boDest").then(pl.lit(value)).otherwise(column).alias(column)
        for column, value in columns.items()
    )


def codes(column: str, value: Any, where: Any) -> pl.DataFrame:
    """The codes of Holidays, with another value in a column."""
    return holidays().codes.frame.with_columns(
        pl.when(where).then(value).otherwise(column).alias(column)
    )


def tables(**columns: Any) -> pl.DataFrame:
    """The tables of Holidays, with other values of Content."""
    return holidays().tables.frame.with_columns(
        pl.when(name == "Content").then(pl.lit(value)).otherwise(column).alias(column)
        for column, value in columns.items()
    )


IS_DEST = of == "boDest"
MANY = [f"v{number}" for number in range(201)]


def crowded() -> Catalogue:
    """A catalogue with one folder of 201 variables."""
    items = [variable_item(each) for each in MANY]
    plain = catalogue_of([table_item()], items)
    folder = {"path": "F", "name": "F", "description": "", "parent_path": None}
    folders = pl.DataFrame(
        [{**folder, "variable_names": MANY}],
        {"path": pl.String, "name": pl.String, "description": pl.String, "parent_path": pl.String}
        | {"variable_names": pl.List(pl.String)},
    )
    return Catalogue(plain.system_info, plain.tables, plain.variables, None, folders)


def alike() -> Catalogue:
    """A table of which nine of ten variables begin alike."""
    names = [*(f"pe{number}" for number in range(9)), "Income"]
    return catalogue_of([table_item()], [variable_item(each) for each in names])


EXAMPLES: dict[str, tuple[Any, str]] = {
    "exportable-personal-data": (
        lambda: changed(variables=variables(description="E-mail")),
        "boDest",
    ),
    "table-without-records": (lambda: changed(tables=tables(total_records=0)), "Content"),
    "mostly-unclassified": (
        lambda: changed(codes=codes("count", 0, IS_DEST & (pl.col("position") > 0))),
        "boDest",
    ),
    "incomplete-coverage": (
        lambda: changed(codes=codes("count", 1, IS_DEST & (pl.col("position") == 0))),
        "boDest",
    ),
    "single-used-code": (
        lambda: changed(codes=codes("count", 0, IS_DEST & (pl.col("position") > 0))),
        "boDest",
    ),
    "no-description": (lambda: changed(variables=variables(description=" bodest")), "boDest"),
    "same-description": (lambda: changed(variables=variables(description="travel date")), "boDest"),
    "undescribed-codes": (
        lambda: changed(codes=codes("description", pl.lit(" "), IS_DEST)),
        "boDest",
    ),
    "repeated-descriptions": (
        lambda: changed(codes=codes("description", pl.lit("Sweden"), IS_DEST)),
        "boDest",
    ),
    "table-without-variables": (
        lambda: changed(
            variables=holidays().variables.frame.filter(pl.col("table_name") != "Content"),
            codes=holidays().codes.frame.filter(pl.col("table_name") != "Content"),
            folders=holidays().folders.frame.with_columns(
                pl.col("variable_names").list.eval(
                    pl.element().filter(~pl.element().str.starts_with("ct"))
                )
            ),
        ),
        "Content",
    ),
    "empty-folder": (holidays, "Segments"),
    "crowded-folder": (crowded, "F"),
    "early-date": (
        lambda: changed(
            variables=holidays().variables.frame.with_columns(
                min_date=pl.when(name == "boDate")
                .then(pl.datetime(1753, 1, 1))
                .otherwise("min_date")
            )
        ),
        "boDate",
    ),
    "late-date": (holidays, "boTrav"),
    "unusual-name": (alike, "Income"),
}


def test_every_rule_has_an_example_here() -> None:
    """The rules have names of their own, a reason and an example, and are tried below."""
    assert len(set(lint.RULE_NAMES)) == len(lint.RULES)
    assert {*EXAMPLES, lint.UNUSED_EXCEPTION} == set(lint.RULE_NAMES)
    for rule in lint.RULES:
        assert rule.severity in schema.SEVERITIES
        assert rule.noun in schema.FINDING_NOUNS
        assert rule.reason.endswith(".")
        assert rule.example


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_finds_its_example(rule: str) -> None:
    """A rule finds what is wrong, and nothing of the same in Holidays as it is."""
    make, found_name = EXAMPLES[rule]
    found = make().lint([rule])
    assert found_name in found.frame["name"].to_list()
    assert set(found.frame["rule"]) == {rule}
    assert found.frame["message"].str.ends_with(".").all()
    if make is not holidays:
        assert found_name not in holidays().lint([rule]).frame["name"].to_list()


@pytest.mark.parametrize(
    ("description", "is_personal"),
    [
        *((text, True) for text in ("E-mail", "EMAIL_ADDR", "Home_Phone", "Telephone 2", "Phone1")),
        *((text, True) for text in ("telNo", "SurName", "Lastname", "DateOfBirth", "DOB2")),
        *((text, True) for text in ("Birth Day", "Address Line 1", "Mobile Number")),
        *((text, False) for text in ("Hotel", "Telesales", "Business Name", "Dobermann", "Mobile")),
    ],
)
def test_what_looks_personal(description: str, is_personal: bool) -> None:
    """What identifies a person is found in words of any spelling, and not inside other words."""
    found = changed(variables=variables(description=description)).lint(["exportable-personal-data"])
    assert ("boDest" in found.frame["name"].to_list()) == is_personal


def test_holidays_is_not_noisy() -> None:
    """By default there is little to say of Holidays, the most severe first."""
    found = holidays().lint()
    assert len(found) < 10
    levels = [schema.SEVERITIES.index(each) for each in found.frame["severity"]]
    assert levels == sorted(levels, reverse=True)
    assert found.worst == "breaking"
    assert found.filter(severity="routine").worst == "routine"
    assert holidays().lint([]).worst is None
    assert "late-date" not in found.frame["rule"].to_list()
    assert "empty-folder" not in holidays().lint(ignore=["empty-folder"]).frame["rule"].to_list()
    assert len(holidays().lint("all")) > len(found)
    assert len(holidays().lint(ignore="all")) == len(holidays().lint("all", "all")) == 0
    assert repr(found).startswith("8 findings of system 'holidays'\nseverity")


def test_what_is_not_loaded_is_not_checked() -> None:
    """Without codes and folders the other rules are checked; a session reads both."""
    whole = holidays()
    found = Catalogue(whole.system_info, whole.tables, whole.variables).lint()
    assert set(found.frame["rule"]) == {"exportable-personal-data"}
    assert [sentence.split(":")[0] for sentence in found.not_checked] == [
        "Not checked, as the catalogue has no codes",
        "Not checked, as the catalogue has no folders",
    ]
    assert "mostly-unclassified" in found.not_checked[0]
    assert found.not_checked[1] in repr(found)
    assert found.filter(name="none").not_checked == found.not_checked
    with DemoServer() as server, server.login() as session:
        assert session.lint() == whole.lint()


def test_unknown_rules_are_refused() -> None:
    """A rule that is not there is an error with the nearest; lists are lists of names."""
    with pytest.raises(UnknownKeyError, match="Nearest: 'empty-folder'"):
        holidays().lint(["empty-folders"])
    with pytest.raises(UnknownKeyError, match="no rule"):
        holidays().lint(ignore=["x"])
    for wrong in (5, [5]):
        with pytest.raises(TypeError, match="names of rules"):
            holidays().lint(wrong)  # type: ignore[arg-type]


CONFIG = """
[thresholds]
unclassified_share = 0.9

[[exceptions]]
rule = "exportable-personal-data"
name = "peDOB"
reason = "Birthday greetings need it."

[[exceptions]]
rule = "empty-folder"
name = "Segment"
reason = "It is filled by users."
"""


def test_thresholds_and_exceptions(tmp_path: Path) -> None:
    """A file sets thresholds, and what is meant to be so; what fits nothing is itself found."""
    config = tmp_path / "lint.toml"
    config.write_text(CONFIG, encoding="utf-8")
    rules = ["exportable-personal-data", "mostly-unclassified", "empty-folder"]
    found = holidays().lint([*rules, "unused-exception"], config=config)
    assert [(f.rule, f.name) for f in found] == [
        ("exportable-personal-data", "peSName"),
        ("empty-folder", "Segments"),
        ("unused-exception", "empty-folder: Segment"),
    ]
    assert "It is filled by users." in found[-1].message
    # An exception from a rule that was not looked by may fit yet.
    assert len(holidays().lint(["unused-exception"], config=config)) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "is not TOML"),
        ("[rules]", "has 'rules'. It may have thresholds and exceptions."),
        ("[thresholds]\nfolders = 1", "has a threshold 'folders'. There are unclassified_share"),
        ("[thresholds]\nfolder_variables = 'many'", "should be a number"),
        ("thresholds = 1", "should have a table"),
        ("[[exceptions]]\nrule = 'empty-folder'", "should have rule, name, reason"),
        ("[[exceptions]]\nrule = 'empty-folder'\nname = 'x'\nreason = ' '", "no reason"),
        ("[[exceptions]]\nrule = 'empty'\nname = 'x'\nreason = 'y'", "no rule 'empty'"),
    ],
)
def test_settings_that_are_wrong(tmp_path: Path, text: str, said: str) -> None:
    """What is wrong in the file is said with its place, and nothing is checked."""
    config = tmp_path / "lint.toml"
    config.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        holidays().lint(config=config)
    assert said in str(raised.value)
    assert str(config) in str(raised.value)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        holidays().lint(config=tmp_path / "none.toml")
