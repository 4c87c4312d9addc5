"""The Holidays demo system: the facts that its public sources print."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from typing import Any

import polars as pl
import pytest

from apteco_frames.demo import holidays
from apteco_frames.demo.holidays import (
    code_provenance,
    date_settings,
    demo_user,
    provenance,
)

VARIABLES = pl.DataFrame(holidays().variables.arrow)
TABLES = pl.DataFrame(holidays().tables.arrow)
CODES = pl.DataFrame(holidays().codes.arrow)
FOLDERS = pl.DataFrame(holidays().folders.arrow)
DATA: dict[str, Any] = json.loads(
    files("apteco_frames.demo").joinpath("holidays.json").read_text(encoding="utf-8")
)


def values_at(item: dict[str, Any], path: str) -> Any:
    """The value of an item of the API at a path with dots."""
    for key in path.split("."):
        item = item[key]
    return item


def on_table(name: str) -> pl.DataFrame:
    """The variables of one table, in order."""
    return VARIABLES.filter(table_name=name)


def test_system_and_user() -> None:
    """The system and its user are those of the integration tests of apteco."""
    info = holidays().system_info
    assert (info.name, info.description) == ("holidays", "Holidays Demo Database")
    assert (str(info.build_date), info.view_name) == ("2019-11-27 15:57:24", "Holidays")
    user = demo_user()
    assert user["username"] == "Administrator"
    assert set(user) == {"id", "username", "firstname", "surname", "emailAddress"}
    assert set(date_settings()) >= {"useIso8601WeekOfYear"}


def test_same_catalogue_each_time() -> None:
    """The catalogue is read once."""
    assert holidays() is holidays()


def test_tables_as_documented() -> None:
    """The nine tables print as in the documentation of apteco."""
    lines = [f"{total:>9,} {plural}" for total, plural in TABLES["total_records", "plural"].rows()]
    assert lines == [
        "  742,565 Households",
        "1,156,553 People",
        "2,130,081 Bookings",
        "  213,567 Policies",
        "  279,538 WebVisits",
        "   70,705 Communications",
        "   55,653 Journeys",
        "  153,041 Content",
        "    1,549 Responses",
    ]


def test_table_tree() -> None:
    """Households is the master table, and three tables have children."""
    assert TABLES.filter(parent_name="")["name"].to_list() == ["Households"]
    parents = TABLES.filter(pl.col("has_children"))["name"].to_list()
    assert parents == ["Households", "People", "Communications"]
    assert set(TABLES["parent_name"]) - {""} == set(parents)


def test_relationship_phrases() -> None:
    """Every table but the master has a phrase for its parent; all have one for children."""
    assert (TABLES["child_relationship"] != "").all()
    assert TABLES.filter(parent_relationship="")["name"].to_list() == ["Households"]


def test_number_of_variables() -> None:
    """There are 94 variables, 77 of them not virtual, spread as the public tests say."""
    assert (len(VARIABLES), (~VARIABLES["is_virtual"]).sum()) == (94, 77)
    assert len(on_table("Bookings")) == 14
    assert len(on_table("WebVisits")) == 6
    assert (~on_table("Households")["is_virtual"]).sum() == 10
    assert (~on_table("People")["is_virtual"]).sum() == 11


def test_date_variables_as_documented() -> None:
    """The nine variables with "date" in their description come in the documented order."""
    dates = VARIABLES.filter(pl.col("description").str.to_lowercase().str.contains("date"))
    assert [f"{name}: {text}" for name, text in dates["name", "description"].rows()] == [
        "boDate: Booking Date",
        "boTrav: Travel Date",
        "bo1O9ZTR: Busy dates",
        "PoPolic1: Policy Date",
        "PoTrave1: Policy Travel Date",
        "PoBooki1: Policy Booking Date",
        "cmCommDt: Date of Communication",
        "raRspDat: Response Date",
        "ReCommun: Communication Date",
    ]


def test_order_on_bookings() -> None:
    """The orders on Bookings that the public tests rely on hold."""
    bookings = on_table("Bookings")
    others = bookings.filter(~pl.col("name").str.starts_with("bo"))["name"].to_list()
    assert others == ["deType", "deGrade", "deMgr", "deFacil"]
    numeric = bookings.filter(pl.col("type") == "Numeric")["description"].to_list()
    assert numeric == ["Cost", "Profit"]


def test_keys_are_unique() -> None:
    """No description comes twice, and no name is also another variable's description."""
    assert VARIABLES["description"].is_unique().all()
    assert not set(VARIABLES["name"]) & set(VARIABLES["description"])
    assert VARIABLES["name"].str.len_chars().max() == 8


def test_every_kind_occurs() -> None:
    """Each known kind of variable is there, and no unknown one."""
    assert set(VARIABLES["type"].cast(pl.String)) == {
        "Selector",
        "Numeric",
        "Text",
        "Array",
        "FlagArray",
        "Date",
        "DateTime",
        "Reference",
    }


def test_variables_are_grouped_by_table() -> None:
    """The variables come table by table, in the order of the tables."""
    in_order = VARIABLES["table_name"].unique(maintain_order=True).to_list()
    assert in_order == TABLES["name"].to_list()


def test_selectors_are_complete_and_coherent() -> None:
    """Each selector has all its numbers, and they fit each other and the table's size."""
    records = dict(TABLES["name", "total_records"].rows())
    for row in VARIABLES.filter(api_type="Selector").iter_rows(named=True):
        size = records[row["table_name"]]
        smallest, largest = row["var_code_min_count"], row["var_code_max_count"]
        is_time = row["sub_type"] in ("Date", "DateTime")
        assert row["code_length"] > 0, row["name"]
        if is_time and row["num_codes"] == 0:  # they would have one for each day
            assert (smallest, largest) == (None, None), row["name"]
        else:
            assert 0 <= smallest <= largest <= size, row["name"]
            assert row["num_codes"] > 1, row["name"]
        assert is_time == (row["min_date"] is not None), row["name"]
        assert not is_time or row["min_date"] < row["max_date"], row["name"]


def test_codes_are_those_that_the_variables_declare() -> None:
    """Each selector has as many codes as it says, with its smallest and largest count."""
    by_variable = CODES.group_by("variable_name", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("number"),
        pl.col("count").min().alias("smallest"),
        pl.col("count").max().alias("largest"),
        pl.col("count").sum().alias("sum"),
        pl.col("code").str.len_bytes().max().alias("length"),
        pl.col("code").n_unique().alias("codes"),
        pl.col("description").n_unique().alias("descriptions"),
    )
    records = dict(TABLES["name", "total_records"].rows())
    found = {row["variable_name"]: row for row in by_variable.iter_rows(named=True)}
    assert list(found) == [name for name in VARIABLES["name"] if name in found]
    for row in VARIABLES.filter(api_type="Selector").iter_rows(named=True):
        name = row["name"]
        if row["num_codes"] == 0:
            assert name not in found
            continue
        codes = found.pop(name)
        assert codes["number"] == codes["codes"] == codes["descriptions"] == row["num_codes"], name
        declared = row["var_code_min_count"], row["var_code_max_count"]
        assert (codes["smallest"], codes["largest"]) == declared, name
        assert codes["length"] <= row["code_length"], name
        if row["selector_type"] == "SingleValue":
            assert codes["sum"] == records[row["table_name"]], name
    assert found == {}


def test_codes_of_a_single_value_are_padded() -> None:
    """Where a record has one code, Unclassified comes first and codes fill their length."""
    single = VARIABLES.filter(selector_type="SingleValue", sub_type="Categorical")
    joined = CODES.join(single, left_on="variable_name", right_on="name", maintain_order="left")
    first = joined.filter(position=0)
    assert first["description"].unique().to_list() == ["Unclassified"]
    assert set(first["code"].str.strip_chars()) == {"!"}
    lengths = joined.filter(pl.col("code").str.len_bytes() != pl.col("code_length"))
    # Three of its codes are known without blanks.
    assert lengths["variable_name"].unique().to_list() == ["raRspTyp"]


def test_positions_count_within_each_variable() -> None:
    """Positions are 0, 1, … within each variable, and its names are repeated."""
    place = pl.int_range(pl.len()).over("variable_name")
    assert CODES.filter(pl.col("position") != place).is_empty()
    names = CODES["variable_name", "variable_description", "table_name"].unique()
    assert set(names.rows()) <= set(VARIABLES["name", "description", "table_name"].rows())


def test_only_one_code_for_sweden() -> None:
    """Of all codes one is about Sweden: the destination that the public sources print."""
    found = CODES.filter(pl.col("description").str.contains("(?i)sweden"))
    assert found.select("variable_name", "code", "count").rows() == [("boDest", "29", 25207)]


def test_codes_look_like_no_person() -> None:
    """No illustrative code may look like an address, a postcode or a number of somebody."""
    made_up = CODES.filter(code_provenance()["status"] == "illustrative")["description"]
    personal = r"@|\d{5}|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"
    assert made_up.filter(made_up.str.contains(personal)).to_list() == []


def test_codes_of_times_are_within_their_range() -> None:
    """Codes of dates and times are those of their descriptions, from the first to the last."""
    times = VARIABLES.filter(pl.col("sub_type") != "Categorical", pl.col("num_codes") > 0)
    assert times["name"].to_list() == ["cmCommDt", "cmCommTm", "ReCommun"]
    for row in times.iter_rows(named=True):
        codes = CODES.filter(variable_name=row["name"])
        assert codes["code"][0] == "0" * row["code_length"]
        digits = codes["description"].str.replace_all(r"\D", "")
        assert digits[1:].to_list() == codes["code"][1:].to_list() == sorted(codes["code"][1:])
        form = "%Y%m%d%H%M%S"[: 6 if row["sub_type"] == "Date" else 12]
        ends = [row[end].strftime(form) for end in ("min_date", "max_date")]
        assert ends == [codes["code"][1], codes["code"][-1]]


def test_code_provenance() -> None:
    """471 codes are known to public sources, and each says what of it is."""
    frame = code_provenance()
    keys = ["variable_name", "position"]
    assert frame.select(keys).equals(CODES.select(keys))
    is_attested = frame["status"] == "attested"
    assert (is_attested.sum(), len(frame)) == (471, 1032)
    assert ((frame["attested"].list.len() > 0) == is_attested).all()
    often = dict(frame["attested"].explode().drop_nulls().value_counts().rows())
    assert often == {"description": 437, "code": 90, "count": 68}


def test_unclassified_of_newer_servers() -> None:
    """Where a variable tells its code for no value, that is the code at position 0."""
    told = VARIABLES.filter(pl.col("unclassified_code").is_not_null())
    first = CODES.filter(position=0)["variable_name", "code", "description"]
    columns = ["name", "unclassified_code", "unclassified_description"]
    assert len(told) > 0
    assert set(told.select(columns).rows()) <= set(first.rows())


def test_some_variables_have_what_newer_servers_send() -> None:
    """Each field of newer servers is there for some variables and null for others."""
    newer = VARIABLES.select(
        *("path", "notes", "unclassified_code", "unclassified_description"),
        *("decimal_places", "reference_type", "reference_length"),
    )
    assert all(0 < column.null_count() < len(column) for column in newer)
    assert newer["decimal_places"].drop_nulls().unique().sort().to_list() == [0, 2]


def test_folders_hold_each_variable_once() -> None:
    """Each variable is in the folder that it names, and in no other."""
    held = FOLDERS.explode("variable_names").drop_nulls("variable_names")
    pairs = VARIABLES["folder_name", "name"].rows()
    assert sorted(held["name", "variable_names"].rows()) == sorted(pairs)


def test_folders_are_a_tree_of_two_levels() -> None:
    """Folders come depth first, with the columns that follow from the tree."""
    assert FOLDERS["depth"].unique().sort().to_list() == [0, 1]
    assert FOLDERS["path"].is_unique().all()
    above: dict[str, str] = {}
    for row in FOLDERS.iter_rows(named=True):
        assert row["depth"] == (row["parent_path"] is not None)
        if row["depth"]:
            assert row["path"] == f"{row['parent_path']}/{row['name']}"
            assert above["path"] == row["parent_path"]
        else:
            above = row
        assert row["variable_count"] == len(row["variable_names"])
        below = FOLDERS.filter(parent_path=row["path"])
        assert below["position"].to_list() == list(range(len(below)))
        total = row["variable_count"] + below["total_variable_count"].sum()
        assert row["total_variable_count"] == total
        assert row["description"]
    assert FOLDERS.filter(depth=0)["total_variable_count"].sum() == 94
    assert FOLDERS.filter(total_variable_count=0)["name"].to_list() == ["Segments"]


def test_other_kinds_are_complete() -> None:
    """Numbers have a range, money its symbol, and texts a length."""
    numeric = VARIABLES.filter(api_type="Numeric")
    assert (numeric["min_value"] < numeric["max_value"]).all()
    money = numeric.filter(pl.col("is_currency"))
    assert money["currency_symbol"].to_list() == ["£"] * len(money)
    assert numeric.filter(~pl.col("is_currency"))["currency_symbol"].null_count() == len(
        numeric
    ) - len(money)
    assert (VARIABLES.filter(api_type="Text")["max_length"] > 0).all()


def test_combined_categories_summarise_a_selector() -> None:
    """A variable made by combining categories names another selector of its table."""
    combined = VARIABLES.filter(pl.col("combined_from").is_not_null())
    assert len(combined) > 0
    base = VARIABLES["name", "table_name", "num_codes"]
    joined = combined.join(base, left_on="combined_from", right_on="name", suffix="_base")
    assert joined["table_name"].to_list() == joined["table_name_base"].to_list()
    assert (joined["num_codes"] < joined["num_codes_base"]).all()
    assert len(joined) == len(combined)


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("boCost", "max_value", 28400.99),
        ("boDest", "num_codes", 20),
        ("boDest", "var_code_min_count", 154),
        ("boDest", "var_code_max_count", 561842),
        ("boKeyCd", "code_length", 8),
        ("boProfit", "min_value", 0),
        ("HHCarmak", "selector_type", "OrArray"),
        ("peGender", "is_virtual", True),
        ("peOccu", "num_codes", 11),
        ("peOccu", "description", "Occupation"),
        ("PoDaysUn", "is_currency", False),
        ("wvTime", "sub_type", "DateTime"),
    ],
)
def test_attested_values(name: str, column: str, value: object) -> None:
    """A sample of attested values, of every sort, is as its sources print it."""
    assert VARIABLES.filter(name=name)[column].item() == value


def test_provenance() -> None:
    """61 variables are known to public sources, 33 made up, and each says which it is."""
    frame = provenance()
    assert frame["name"].to_list() == VARIABLES["name"].to_list()
    attested = frame.filter(status="attested")["attested"]
    assert (len(attested), (attested.list.len() > 0).all()) == (61, True)
    illustrative = frame.filter(status="illustrative")["attested"]
    assert (len(illustrative), illustrative.list.len().sum()) == (33, 0)


def test_attested_fields_exist() -> None:
    """Every field said to be attested is there and holds a value."""
    items = [DATA["system"], DATA["user"], *DATA["tables"], *DATA["variables"]]
    assert all(values_at(item, path) is not None for item in items for path in item["attested"])


def test_unnamed_variables_say_so() -> None:
    """Two variables are known by description alone: their names are not attested."""
    frame = provenance().filter(
        (pl.col("status") == "attested") & ~pl.col("attested").list.contains("name")
    )
    names = frame["name"].to_list()
    kept = VARIABLES.filter(pl.col("name").is_in(names))["description"].to_list()
    assert kept == ["Communication Time", "Pool"]


def test_package_does_not_import_demo() -> None:
    """Importing the package leaves the demo and its server alone."""
    code = "import sys, apteco_frames; print('apteco_frames.demo' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "False", result.stderr
