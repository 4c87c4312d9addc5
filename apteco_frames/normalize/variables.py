"""Variables as the API lists them: their kinds, and whether they fit the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.errors import VariablesError, warn
from apteco_frames.support.arrays import integers, strings
from apteco_frames.support.text import ASK_ADMINISTRATOR, list_items, list_names, truncate

# By the API's type, selectorInfo.subType and selectorInfo.selectorType, as apteco 0.8.2
# tells kinds; AndArray and AndBitArray, which it drops, go with their Or siblings.
_KINDS: dict[tuple[str, str, str], str] = {
    ("Selector", "Categorical", "SingleValue"): "Selector",
    ("Selector", "Categorical", "OrArray"): "Array",
    ("Selector", "Categorical", "AndArray"): "Array",
    ("Selector", "Categorical", "OrBitArray"): "FlagArray",
    ("Selector", "Categorical", "AndBitArray"): "FlagArray",
    ("Selector", "Date", "SingleValue"): "Date",
    ("Selector", "Date", "OrBitArray"): "FlagArray",
    ("Selector", "Date", "AndBitArray"): "FlagArray",
    ("Selector", "DateTime", "SingleValue"): "DateTime",
    ("Numeric", "", ""): "Numeric",
    ("Text", "", ""): "Text",
    ("Reference", "", ""): "Reference",
}
_UNKNOWN = schema.VARIABLE_TYPES.index("Unknown")


def tell_kinds(raw: pa.Table) -> pa.Table:
    """Add the kind to variables as the API lists them.

    Args:
        raw: the columns of ``schema.VARIABLES`` that the API has.

    Returns:
        a table under ``schema.VARIABLES_SCHEMA``, in the same order. A kind that is
        not known is ``Unknown``. ``combined_from`` is null where the API sends an empty
        text: which of the two stands for none is not known.
    """
    separator = "\x1f"
    determinants = pc.binary_join_element_wise(
        raw["api_type"],
        raw["sub_type"],
        raw["selector_type"],
        strings([separator])[0],
        null_handling="replace",
        null_replacement="",
    )
    known = strings(separator.join(determinant) for determinant in _KINDS)
    codes = integers((schema.VARIABLE_TYPES.index(kind) for kind in _KINDS.values()), pa.uint8())
    unknown = integers([_UNKNOWN], pa.uint8())[0]
    found = codes.take(pc.index_in(determinants, known).combine_chunks())
    kinds = pa.DictionaryArray.from_arrays(
        pc.coalesce(found, unknown),
        strings(schema.VARIABLE_TYPES),
    )
    # Of slices of nothing but nulls, pyarrow 23 makes texts that are damaged.
    combined = raw["combined_from"].combine_chunks()
    nothing = pa.nulls(1, pa.string())[0]
    changed = {
        "type": kinds,
        "combined_from": pc.if_else(pc.equal(combined, strings([""])[0]), nothing, combined),
    }
    return pa.table(
        [changed[c.name] if c.name in changed else raw[c.name] for c in schema.VARIABLES],
        schema=schema.VARIABLES_SCHEMA,
    ).combine_chunks()


def warn_of_unknown(variables: pa.Table, source: str) -> None:
    """Warn of variables of kinds that are not known, naming up to ten with what the API says.

    Args:
        variables: a table under ``schema.VARIABLES_SCHEMA``.
        source: where the variables came from.

    Warns:
        CatalogueWarning: there are such.
    """
    if not len(variables):
        return  # without rows a column may have come without its dictionary
    kinds = variables["type"].combine_chunks().indices
    unknown = integers([_UNKNOWN], kinds.type)[0]
    positions = pc.indices_nonzero(pc.equal(kinds, unknown))
    if not len(positions):
        return
    told = ("name", "api_type", "sub_type", "selector_type")
    listed = []
    for row in variables.select(told).take(positions[:10]).to_pylist():
        name, *kind = (truncate(row[column]) for column in told)
        listed.append(f"{name!r} ({', '.join(filter(None, kind)) or 'no type'})")
    warn(
        f"Variables of {source} are of kinds that this version does not know: "
        f"{list_items(listed, len(positions))}. They are kept, with the type Unknown and all that "
        "the API says about them. A newer version of apteco_frames may know their kinds."
    )


def count_by_table(variables: pa.Table) -> dict[str, int]:
    """Number of variables by table name."""
    counts = pc.value_counts(variables["table_name"]).to_pylist()
    return {count["values"]: count["counts"] for count in counts}


def check(variables: pa.Table, counts: dict[str, int], tables: Iterable[str], source: str) -> None:
    """See that each variable has a table, and a name of its own.

    Args:
        variables: the columns ``name`` and ``table_name``.
        counts: number of variables by table name.
        tables: the names of all tables.
        source: where the variables came from, for error messages.

    Raises:
        VariablesError: a variable is on a table that is not there, or a name comes twice.
    """
    advice = f"Nothing of {source} was used. {ASK_ADMINISTRATOR}"
    names = variables["name"]
    known = set(tables)
    for table in counts:
        if table not in known:
            name = names[variables["table_name"].to_pylist().index(table)].as_py()
            raise VariablesError(
                f"The variable {truncate(name)!r} is on the table "
                f"{truncate(table)!r}, which is not among the tables of the system. {advice}"
            )
    if len(pc.unique(names)) < len(names):  # count_distinct takes several times as long
        often = [name for name, number in Counter(names.to_pylist()).items() if number > 1]
        listed = list_names(often)
        raise VariablesError(f"Several variables are named {listed}. {advice}")
