"""What changed between two catalogues.

Which rows belong together is told by :mod:`apteco_frames.analysis.pairing`, and what is
compared by those of :mod:`apteco_frames.analysis.rules`. The order of tables,
variables and folders carries no meaning, that of codes does: where codes that stayed
changed places, their variable has one row with the column ``codes``, and all its codes
before and after as JSON lists. How many records must have changed their code is told by
:mod:`apteco_frames.analysis.movement`.

All of it is ``pyarrow.compute``, which matches half a million codes in a fraction of a
second, in a forked process, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.analysis import rules, severity
from apteco_frames.analysis.movement import LEAST_RECORDS, TOLERANCE, Movement, movement
from apteco_frames.analysis.pairing import Rows, Sides
from apteco_frames.analysis.rules import CODE_ORDER, MOVED, UNCLASSIFIED
from apteco_frames.analysis.severity import Happened, Limits
from apteco_frames.analysis.shares import Shares
from apteco_frames.schema.column import NAMES, STRING, TIMESTAMP
from apteco_frames.support.arguments import not_a
from apteco_frames.support.arrays import declared, scalar, strings, whole

_DECLARED = (schema.TABLES, schema.VARIABLES, schema.FOLDERS, schema.CODES)
_COMPARED = {
    noun: [column.name for column in columns if column.name in rules.compared(noun)]
    for noun, columns in zip(schema.CHANGED_NOUNS, _DECLARED, strict=True)
}
# The place of a change in the answer: its row, and below that its column, from 1.
_PLACE = "place"
_PLACES_A_ROW = 64
_TEXT = STRING
_NO_LIMITS = Limits()
_LEAST_SHARE = 0.01 - TOLERANCE
# Made once: json.dumps would make an encoder at each call.
_json = json.JSONEncoder(ensure_ascii=False, default=datetime.isoformat).encode


class LeftOut(NamedTuple):
    """What is not compared.

    Attributes:
        noun: ``folder`` or ``code``.
        is_all: whether none of them are; otherwise the codes of some variables are not.
        sentence: what it is, and why.
    """

    noun: str
    is_all: bool
    sentence: str


class Difference(NamedTuple):
    """What is different between two catalogues.

    Attributes:
        changes: a table under ``schema.CHANGES_SCHEMA``: tables, variables, folders, codes;
            of each what was added and changed in the newer catalogue's order, then what was
            removed in the older one's. Empty for equal catalogues.
        left_out: what was not compared, or not judged.
    """

    changes: pa.Table
    left_out: tuple[LeftOut, ...]


def difference(
    new: Mapping[str, pa.Table],
    old: Mapping[str, pa.Table],
    *,
    drop: float | None = 0.5,
    moved: float | None = 0.5,
    lacking: tuple[Set[str], Set[str]] = (frozenset(), frozenset()),
) -> Difference:
    """What must be done to the older catalogue to have the newer one.

    Args:
        new: the newer catalogue: ``tables`` and ``variables``, and ``folders`` and
            ``codes`` if it has them, by these names under their declared schemas.
        old: the older catalogue, likewise. What one of them lacks is not compared.
        drop: from which fall on, as a fraction between 0 and 1, fewer records of a table
            or codes of a variable are breaking; never if None.
        moved: from which share of records on, as a fraction between 0 and 1, it is breaking
            that their code changed; None to look for no movements.
        lacking: names of the variables whose codes the newer lacks, and of those whose codes
            the older lacks, where both have codes.

    Raises:
        TypeError: ``drop`` or ``moved`` is no number.
        ValueError: ``drop`` or ``moved`` is no fraction between 0 and 1.
    """
    limits = Limits(
        None if drop is None else _fraction("drop", drop, "0.2 for a fifth"),
        None if moved is None else _fraction("moved", moved, "0.5 for half of the records"),
    )
    left_out = list(not_compared(new, old, lacking=lacking))
    new, old = (_without_codes_of(side, lacking[0] | lacking[1]) for side in (new, old))
    sides = {
        noun: Sides(noun, Rows(noun, new), Rows(noun, old))
        for noun in schema.CHANGED_NOUNS
        if f"{noun}s" in new and f"{noun}s" in old
    }
    parts: dict[str, list[pa.Table]] = {noun: [] for noun in sides}
    differing = [n for n, both in sides.items() if not both.new.arrow.equals(both.old.arrow)]
    for noun in differing:
        parts[noun] += _parts(sides[noun], limits)
        if noun == "code":
            parts["variable"] += _reordered(sides["code"], sides["variable"])
    # Of an array, codes have shares of the table's records.
    if limits.moved and "code" in sides and {"table", "variable", "code"} & {*differing}:
        pairs = sides["variable"].pairs, sides["code"].pairs
        found = movement(Shares(new), Shares(old), *pairs)
        parts["variable"] += _movements(sides["variable"], found, limits)
        left_out += _not_judged(found.not_judged)
    ordered = [_in_order(noun, tables) for noun, tables in parts.items() if tables]
    # Not empty_table(), which would import pandas.
    nothing = pa.Table.from_batches([], schema.CHANGES_SCHEMA)
    return Difference(pa.concat_tables([nothing, *ordered]).combine_chunks(), tuple(left_out))


def _not_judged(number: int) -> Iterator[LeftOut]:
    """That movements could not be told."""
    if number:
        variables = "1 variable" if number == 1 else f"{number:,} variables"
        yield LeftOut(
            "variable",
            False,
            f"Movement was not judged for {variables}: one of the catalogues has no codes or no "
            f"counts, or the older has counts of fewer than {LEAST_RECORDS} records.",
        )


def _without_codes_of(catalogue: Mapping[str, pa.Table], lacking: Set[str]) -> dict[str, pa.Table]:
    """A catalogue without the codes of some variables.

    Args:
        catalogue: as :func:`difference` takes it.
        lacking: names of the variables whose codes one of two catalogues lacks.
    """
    rows = dict(catalogue)
    if lacking and "codes" in rows:
        is_of = pc.is_in(rows["codes"]["variable_name"], value_set=strings(lacking))
        rows["codes"] = rows["codes"].filter(pc.invert(is_of))
    return rows


def not_compared(
    new: Mapping[str, pa.Table],
    old: Mapping[str, pa.Table],
    *,
    lacking: tuple[Set[str], Set[str]] = (frozenset(), frozenset()),
) -> tuple[LeftOut, ...]:
    """What is left out since a catalogue lacks it.

    Args:
        new: the newer catalogue, as :func:`difference` takes it.
        old: the older catalogue, likewise.
        lacking: names of the variables whose codes the newer lacks, and of those whose codes
            the older lacks, where both have codes.

    >>> not_compared({}, {"codes": None, "folders": None})[1].sentence
    'Codes were not compared: the newer catalogue has none.'
    >>> both = {"codes": None, "folders": None}
    >>> not_compared(both, both, lacking=({"boDest"}, {"boDest", "peOccu"}))[0].sentence
    'Codes of 2 variables were not compared: one of the catalogues lacks them.'
    """
    who = {
        (True, False): "the older catalogue has none",
        (False, True): "the newer catalogue has none",
        (False, False): "neither catalogue has any",
    }
    presence = {noun: (f"{noun}s" in new, f"{noun}s" in old) for noun in ("folder", "code")}
    left_out = [
        LeftOut(noun, True, f"{noun.capitalize()}s were not compared: {who[has]}.")
        for noun, has in presence.items()
        if has in who
    ]
    number = len(lacking[0] | lacking[1])
    if number and presence["code"] == (True, True):
        variables = "1 variable" if number == 1 else f"{number:,} variables"
        if lacking[0] == lacking[1]:
            why = "neither catalogue has them"
        elif all(lacking):
            why = "one of the catalogues lacks them"
        else:
            why = f"the {'newer' if lacking[0] else 'older'} catalogue lacks them"
        sentence = f"Codes of {variables} were not compared: {why}."
        left_out.append(LeftOut("code", False, sentence))
    return tuple(left_out)


def _parts(both: Sides, limits: Limits) -> Iterator[pa.Table]:
    """The changes of a noun, each with its place; in no order."""
    pairs = both.pairs
    if len(pairs.added):
        texts = _whole(both.new, both.noun, pairs.added)
        yield _part(both, "", None, pairs.added, pa.nulls(len(texts), _TEXT), texts)
    if len(pairs.removed):
        texts = _whole(both.old, both.noun, pairs.removed)
        yield _part(both, "", pairs.removed, None, texts, pa.nulls(len(texts), _TEXT))
    after, before = pairs.kept
    for column in _COMPARED[both.noun]:
        new = _comparable(both.new[column]).take(after)
        old = _comparable(both.old[column]).take(before)
        differ = pc.indices_nonzero(_differ(new, old))
        if len(differ):
            at = before.take(differ), after.take(differ)
            yield _part(both, column, *at, old.take(differ), new.take(differ), limits)


def _part(
    both: Sides,
    column: str,
    before: pa.Array | None,
    after: pa.Array | None,
    old: pa.Array,
    new: pa.Array,
    limits: Limits = _NO_LIMITS,
    moved: pa.Array | None = None,
) -> pa.Table:
    """Changes to one column, or whole rows that were added or removed.

    Args:
        both: the rows.
        column: the column; empty for whole rows.
        before: positions in the older catalogue; None for added rows.
        after: positions in the newer catalogue; None for removed rows.
        old: the older values.
        new: the newer values.
        limits: from where on they are breaking.
        moved: of movements, the share of records that each is about.
    """
    rows, at, above, change = both.new, after, 0, "added" if before is None else "changed"
    if after is None:
        rows, at, above, change = both.old, before, len(both.new), "removed"
    are_virtual = rows.are_virtual(at)
    happened = Happened(
        *(both.noun, change, column, old, new, are_virtual),
        right_gained=lambda: pc.and_not(
            both.new["is_exportable"].take(after), both.old["is_exportable"].take(before)
        ),
        limits=limits,
        moved=moved,
    )
    row = pc.add(pc.cast(at, pa.int64()), scalar(above))
    number = scalar(_labels(both.noun).index(column))
    return pa.table(
        {
            _PLACE: pc.add(pc.multiply(row, scalar(_PLACES_A_ROW)), number),
            "name": rows.names(at, column != CODE_ORDER and both.pairs.repeated),
            "change": pa.repeat(scalar(change), len(row)),
            "old": _texts(old),
            "new": _texts(new),
            "severity": severity.severities(happened),
            "is_virtual": are_virtual,
        }
    )


def _in_order(noun: str, parts: list[pa.Table]) -> pa.Table:
    """The changes of a noun in their order, under the schema."""
    table = pa.concat_tables(parts)
    table = table.take(pc.sort_indices(whole(table[_PLACE])))
    numbers = pc.bit_wise_and(whole(table[_PLACE]), scalar(_PLACES_A_ROW - 1))
    labels = strings(_labels(noun)).take(numbers)
    columns = {
        **dict(zip(table.column_names, map(whole, table.columns), strict=True)),
        "noun": pa.repeat(scalar(noun), len(table)),
        "column": pc.if_else(pc.equal(numbers, scalar(0)), pa.nulls(len(table), _TEXT), labels),
        "used_by": pa.nulls(len(table), _TEXT),
    }
    return declared(schema.CHANGES, columns)


def _reordered(codes: Sides, variables: Sides) -> Iterator[pa.Table]:
    """The variables of which codes that stayed changed places."""
    after, before = codes.pairs.kept
    of = codes.new["variable_name"].take(after)
    went_back = pc.less(before[1:], before[:-1])
    names = pc.unique(of[1:].filter(pc.and_(went_back, pc.equal(of[1:], of[:-1]))))
    if len(names):
        sides = variables.old, variables.new
        at = [pc.index_in(names, value_set=rows["name"]) for rows in sides]
        lists = [_code_lists(rows, names) for rows in (codes.old, codes.new)]
        yield _part(variables, CODE_ORDER, *at, *lists)


def _movements(both: Sides, found: Movement, limits: Limits) -> Iterator[pa.Table]:
    """The variables of which records, or records without a value, moved."""
    new, old = found.unclassified
    size = pc.abs(pc.subtract(new, old))
    for column, before, after, moved in (
        (MOVED, None, found.moved, found.moved),
        (UNCLASSIFIED, old, new, size),
    ):
        is_told = pc.fill_null(pc.greater_equal(moved, scalar(_LEAST_SHARE)), scalar(False))
        if not pc.any(is_told, min_count=0).as_py():
            continue
        at = found.before.filter(is_told), found.after.filter(is_told)
        olds, news = (
            pa.nulls(len(at[0]), _TEXT) if shares is None else _shares(shares.filter(is_told))
            for shares in (before, after)
        )
        yield _part(both, column, *at, olds, news, limits, moved.filter(is_told))


def _shares(shares: pa.Array) -> pa.Array:
    return strings(f"{share:.4f}" for share in shares.to_pylist())


def _code_lists(codes: Rows, variables: pa.Array) -> pa.Array:
    """All codes of each of these variables, in their order, as JSON."""
    wanted = pc.is_in(codes["variable_name"], value_set=variables)
    columns = (codes[name].filter(wanted).to_pylist() for name in ("variable_name", "code"))
    lists: dict[str, list[str]] = {}
    for variable, code in zip(*columns, strict=True):
        lists.setdefault(variable, []).append(code)
    return strings(_json(lists[variable]) for variable in variables.to_pylist())


def _whole(rows: Rows, noun: str, positions: pa.Array) -> pa.Array:
    """Rows as JSON: what is compared and not null, and the position of a code."""
    columns = [*_COMPARED[noun], *(["position"] if noun == "code" else [])]
    return strings(
        _json({name: value for name, value in row.items() if value is not None})
        for row in rows.arrow.select(columns).take(positions).to_pylist()
    )


def _differ(new: pa.Array, old: pa.Array) -> pa.Array:
    """Where two columns differ; nulls equal each other, and so do NaNs."""
    differ = pc.not_equal(new, old)
    if pa.types.is_floating(new.type):
        differ = pc.and_not(differ, pc.and_(pc.is_nan(new), pc.is_nan(old)))
    return pc.coalesce(differ, pc.xor(pc.is_null(new), pc.is_null(old)))


def _comparable(values: pa.Array) -> pa.Array:
    """A column of simple values: enums and lists as their texts."""
    if pa.types.is_dictionary(values.type):
        return values.dictionary_decode()
    return strings(map(_json, values.to_pylist())) if values.type == NAMES else values


def _texts(values: pa.Array) -> pa.Array:
    """Values as texts: as JSON writes them, times in ISO 8601."""
    if values.type == TIMESTAMP:
        return pc.replace_substring_regex(
            values.cast(_TEXT), pattern=r"^(.{10}) (.*?)(\.000000)?$", replacement=r"\1T\2"
        )
    return values.cast(_TEXT)


def _fraction(name: str, value: float, example: str) -> Fraction:
    wanted = f"{name}= takes a fraction between 0 and 1, such as {example}"
    if not hasattr(value, "__float__"):
        raise not_a(f"{wanted}, or None", value)
    # As a float, too: of a Decimal such as 1e-99999999 a Fraction would write all digits out.
    if not 0 < value < 1 or not float(value):
        raise ValueError(f"{wanted}, not {value!r}.")
    return Fraction(str(value))


def _labels(noun: str) -> list[str]:
    """What may stand as the column, in its order: nothing, a column, what is calculated."""
    return ["", *_COMPARED[noun], CODE_ORDER, MOVED, UNCLASSIFIED]
