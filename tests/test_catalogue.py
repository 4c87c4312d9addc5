"""The catalogue: its frames, linked with each other, without a network."""

from __future__ import annotations

import pickle
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from lanes import up_to
from strategies import as_logged_in, catalogue_of, catalogues, table_item, tree_items, variable_item

from apteco_frames import Catalogue
from apteco_frames.demo import holidays
from apteco_frames.errors import AptecoFramesError, CodesError, TablesError, VariablesError
from apteco_frames.system import FastStatsSystem


def sample(**system_info: Any) -> Catalogue:
    return catalogue_of(
        tree_items({"People": "", "Bookings": "People"}),
        [variable_item("peName", kind="Text"), variable_item("boCost", "Bookings", "Numeric")],
        **system_info,
    )


def test_the_system_is_described() -> None:
    """``system_info`` holds name, description, build date and view name, the date without zone."""
    info = sample(build_date=datetime(2020, 2, 29, 1, 2, 3)).system_info
    assert info._fields == ("name", "description", "build_date", "view_name")
    date = datetime(2020, 2, 29, 1, 2, 3)
    assert tuple(info) == ("testing", "A system for tests", date, "Testing")
    assert info.build_date == date
    assert info.build_date.tzinfo is None
    assert sample(build_date=None).system_info.build_date is None


def test_frames_are_linked_with_each_other() -> None:
    """From variables to tables and back, whichever frame one starts from."""
    catalogue = sample()
    cost = catalogue.variables["boCost"]
    assert cost.table == catalogue.tables["Bookings"]
    assert cost.table["boCost"] == cost
    assert cost.table.parent == catalogue.tables["People"]
    assert catalogue.tables is catalogue.tables
    assert catalogue.variables is catalogue.variables


def test_a_catalogue_is_immutable() -> None:
    """None of its parts can be replaced."""
    catalogue = sample()
    for name in ("system_info", "tables", "variables"):
        with pytest.raises(AttributeError):
            setattr(catalogue, name, None)
    with pytest.raises(TypeError):
        hash(catalogue)


def test_catalogues_compare_by_their_contents() -> None:
    """Equal systems are equal; any difference in system, tables or variables counts."""
    assert sample() == sample()
    people = tree_items({"People": ""})
    renamed = [variable_item("peName", description="other")]
    others: list[object] = [
        sample(name="other"),
        sample(build_date=None),
        catalogue_of(tree_items({"People": "", "Bookings": "People"}), [variable_item("peName")]),
        catalogue_of(people, [variable_item("peName")]),
        catalogue_of(people, renamed),
        sample().tables,
        None,
    ]
    assert [other for other in others if other == sample()] == []
    assert catalogue_of(people, renamed) == catalogue_of(people, renamed)
    assert catalogue_of(people, renamed) != catalogue_of(people, [variable_item("peName")])


@pytest.mark.parametrize("form", ["arrow", "frame", "to_pandas", "itself", "stream"])
def test_a_catalogue_is_made_of_anything_with_the_columns(form: str) -> None:
    """Arrow, polars, pandas, frames and any Arrow stream do; derived columns are made anew."""
    catalogue = as_logged_in(holidays())

    def take(frame: Any) -> Any:
        if form == "stream":
            return pa.RecordBatchReader.from_stream(frame)
        value = frame if form == "itself" else getattr(frame, form)
        return value() if callable(value) else value

    made = Catalogue(catalogue.system_info, take(catalogue.tables), take(catalogue.variables))
    assert made == catalogue
    assert made.variables.arrow.schema.equals(catalogue.variables.schema, check_metadata=True)


def test_derived_columns_are_not_taken_over() -> None:
    """What follows from other columns is computed, whatever the given table says."""
    catalogue = sample()
    tables = catalogue.tables.frame.with_columns(
        depth=pl.lit(7), variable_count=pl.lit(99), ancestor_names=pl.lit(["Nobody"])
    )
    variables = catalogue.variables.frame.with_columns(type=pl.lit("Reference"))
    assert Catalogue(catalogue.system_info, tables, variables) == catalogue
    bare = Catalogue(
        catalogue.system_info,
        tables.drop("depth", "variable_count", "ancestor_names", "descendant_names"),
        variables.drop("type").select(sorted(variables.drop("type").columns)),
    )
    assert bare == catalogue


def test_a_part_of_a_system_may_be_a_catalogue() -> None:
    """Leaving a table's variables out is fine; leaving the table out is not."""
    catalogue = sample()
    rest = catalogue.variables.filter(table_name="People")
    smaller = Catalogue(catalogue.system_info, catalogue.tables, rest)
    assert smaller.tables["Bookings"].variable_count == 0
    people = catalogue.tables.frame.filter(name="People").with_columns(has_children=pl.lit(False))
    with pytest.raises(VariablesError, match=r"'boCost'.*'Bookings'"):
        Catalogue(catalogue.system_info, people, catalogue.variables)
    assert len(Catalogue(catalogue.system_info, people, rest).tables) == 1
    with pytest.raises(TablesError):
        Catalogue(catalogue.system_info, catalogue.tables[1:], rest[:0])


def test_the_source_is_named_in_errors() -> None:
    """Errors say where the refused data came from: the system, or the source that was given."""
    info = FastStatsSystem("brochure", "", None, "")
    empty = sample().variables[:0]
    with pytest.raises(TablesError, match="system 'brochure'"):
        Catalogue(info, sample().tables[:0], empty)
    with pytest.raises(TablesError, match="the attic"):
        Catalogue(info, sample().tables[:0], empty, source="the attic")


@settings(max_examples=up_to(15))
@given(catalogues(max_variables=12))
def test_a_pickled_catalogue_comes_back_equal(catalogue: Catalogue) -> None:
    """Pickling keeps the system, the frames and the links between them."""
    restored = pickle.loads(pickle.dumps(catalogue))
    assert restored == catalogue
    assert restored.system_info == catalogue.system_info
    assert list(restored.variables) == list(catalogue.variables)
    assert [v.table for v in restored.variables] == [v.table for v in catalogue.variables]
    assert restored.tables.arrow.equals(catalogue.tables.arrow, check_metadata=True)


def test_a_pickle_holds_each_frame_once() -> None:
    """A pickled row, part or catalogue is about as large as the data, not several times that."""
    catalogue = catalogue_of(None, [variable_item(f"v{i}" * 20) for i in range(2000)])
    whole = len(pickle.dumps(catalogue))
    assert len(pickle.dumps(catalogue.variables)) < 1.1 * whole
    assert len(pickle.dumps(catalogue.variables[5])) < 1.1 * whole
    assert len(pickle.dumps([*catalogue.variables[:3], catalogue])) < 1.1 * whole
    people = catalogue.tables["People"]
    assert len(pickle.dumps([people.variables[7], catalogue])) < 2.2 * whole


def test_a_pickled_part_of_the_codes_is_small() -> None:
    """The codes of one variable, and one code, come with their catalogue and nothing besides."""
    made = catalogue_of(None, [variable_item("large"), variable_item("small")])
    rows = pa.table(
        {
            "variable_name": ["large"] * 20_000 + ["small"] * 3,
            "code": [f"{number:06}" for number in range(20_003)],
            "description": [f"Code {number}" for number in range(20_003)],
            "count": pa.array([1] * 20_003, pa.int64()),
        }
    )
    catalogue = Catalogue(made.system_info, made.tables, made.variables, rows)
    whole = len(pickle.dumps(catalogue))
    small = catalogue.codes["small"]
    for part in (small, small[1], catalogue.codes[-2:], catalogue.variables["small"].codes[0]):
        pickled = pickle.dumps(part)
        assert len(pickled) < 1.1 * whole
        assert pickle.loads(pickled) == part
    assert pickle.loads(pickle.dumps(small[1])).variable.codes == small
    for nothing in (small[:0], catalogue.variables[2:]):
        assert pickle.loads(pickle.dumps(nothing)) == nothing


def test_a_catalogue_holds_no_session() -> None:
    """Rows of a catalogue are offline."""
    catalogue = catalogue_of([table_item()], [variable_item()])
    assert catalogue.tables[0].session is None
    assert catalogue.variables[0].session is None
    assert catalogue.catalogue is catalogue


# What cannot be right


@pytest.mark.parametrize("field", ["name", "description", "view_name"])
def test_half_a_surrogate_pair(field: str) -> None:
    """A system with a text that no file can hold is refused at once, and not when it is saved."""
    with pytest.raises(AptecoFramesError, match=rf"The {field} of system .*half of a surrogate"):
        sample(**{field: "Caf\ud83d"})


@pytest.mark.parametrize("unavailable", [["zz"], ["boDest", "zz"]])
def test_unavailable_codes_of_no_variable(unavailable: Any) -> None:
    """Codes can only be unavailable of a variable, and an error names what is none."""
    whole = holidays()
    with pytest.raises(CodesError, match=r"unavailable= names .*, which is not a variable of"):
        Catalogue(whole.system_info, whole.tables, whole.variables, unavailable=unavailable)


@pytest.mark.parametrize("unavailable", ["boDest", None, 5, [5], [["zz"]], [None]])
def test_unavailable_codes_that_are_no_list(unavailable: Any) -> None:
    """What is no list of names is a ``TypeError`` that says so."""
    whole = holidays()
    with pytest.raises(TypeError, match="unavailable= takes the names of variables"):
        Catalogue(whole.system_info, whole.tables, whole.variables, unavailable=unavailable)


@pytest.mark.parametrize("microseconds", [253_402_300_800_000_000, -62_135_596_800_000_001])
def test_times_beyond_all_years(microseconds: int) -> None:
    """A date that no ``datetime`` can hold is refused at once, and not by whoever shows it."""
    whole = holidays()
    far = pl.lit(microseconds).cast(pl.Datetime("us"))
    variables = whole.variables.frame.with_columns(min_date=far)
    with pytest.raises(VariablesError, match="min_date of the variables is outside the years 1 to"):
        Catalogue(whole.system_info, whole.tables, variables)
    near = Catalogue(
        whole.system_info,
        whole.tables,
        whole.variables.frame.with_columns(min_date=pl.lit(datetime(9999, 12, 31, 23, 59, 59))),
    )
    row: Any = near.variables["boDate"]
    assert row.min_date == datetime(9999, 12, 31, 23, 59, 59)
