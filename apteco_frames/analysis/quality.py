"""How well codes describe the records: what is used, described, concentrated, missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames import schema
from apteco_frames.analysis.shares import Shares
from apteco_frames.schema.column import DOUBLE
from apteco_frames.support.arrays import booleans, integers, scalar, strings, whole

_OF_VARIABLE = ("name", "description", "table_name", "type")
_NONE, _ZERO, _BLANK = scalar(0), scalar(0.0), scalar("")


def quality(catalogue: Mapping[str, pa.Table]) -> pa.Table:
    """A row for each variable that has codes, in the variables' order.

    Args:
        catalogue: ``tables``, ``variables`` and ``codes`` under their declared schemas.

    Returns:
        a table under ``schema.QUALITY_SCHEMA``.
    """
    shares = Shares(catalogue)
    groups, known = shares.by_variable, shares.is_known
    numbers = groups.sizes
    used = groups.total(pc.greater(shares.counts, _NONE))
    has_records = pc.and_(known, pc.greater(shares.totals, _ZERO))
    coverage = pc.divide(shares.totals, shares.records)
    covers = pc.and_(shares.is_single, pc.greater(shares.records, _ZERO))
    top = pc.if_else(has_records, _top(shares), pa.nulls(len(numbers), pa.int64()))
    codes = shares.codes
    described = pc.utf8_trim_whitespace(whole(codes["description"]))
    is_code = pc.equal(described, pc.utf8_trim_whitespace(whole(codes["code"])))
    columns = {
        **{name: whole(shares.variables[name]) for name in _OF_VARIABLE},
        "num_codes": numbers,
        "used_codes": _where(known, used),
        "unused_codes": _where(known, pc.subtract(numbers, used)),
        "unclassified_share": _finite(shares.shares.take(shares.unclassified)),
        "top_code": whole(codes["code"]).take(top),
        "top_description": whole(codes["description"]).take(top),
        "top_share": _finite(shares.shares.take(top)),
        "effective_codes": _where(has_records, _effective(shares)),
        "coverage": _where(pc.and_(known, covers), coverage),
        "undescribed_codes": groups.total(pc.or_(pc.equal(described, _BLANK), is_code)),
        "repeated_descriptions": _repeated(shares, whole(codes["description"])),
    }
    rows = pa.table([columns[column.name] for column in schema.QUALITY], schema.QUALITY_SCHEMA)
    return rows.filter(pc.greater(numbers, _NONE))


def facts(catalogue: Mapping[str, pa.Table]) -> dict[str, pa.ChunkedArray]:
    """What the dictionary tells of selectors: a text for each variable, by its title; or null.

    Args:
        catalogue: as :func:`quality` takes it.
    """
    rows = {row["name"]: row for row in quality(catalogue).to_pylist()}
    names = catalogue["variables"]["name"].to_pylist()
    told: dict[str, list[str]] = {}
    for title, column, shown in (
        ("Share Unclassified", "unclassified_share", "{:.1%}"),
        ("Unused codes", "unused_codes", "{:,}"),
        ("Effective codes", "effective_codes", "{:,.1f}"),
    ):
        values = (rows.get(name, {}).get(column) for name in names)
        told[title] = ["" if value is None else shown.format(value) for value in values]
    none = pa.nulls(len(names), pa.string())
    return {
        title: pa.chunked_array([pc.if_else(booleans(map(bool, texts)), strings(texts), none)])
        for title, texts in told.items()
    }


def _top(shares: Shares) -> pa.Array:
    """Of each variable the row of the code with the most records, the first of several."""
    counts = shares.counts.to_pylist()
    rows = [0] * len(shares.variables)
    for position, start, stop in shares.by_variable:
        of = counts[start:stop]
        rows[position] = start + of.index(max(of))
    return integers(rows)


def _effective(shares: Shares) -> pa.Array:
    """Of each variable the exponential of the entropy of its counts."""
    counts = shares.counts.cast(DOUBLE, safe=False)
    parts = pc.divide(counts, shares.totals.take(shares.positions))
    # What no record has adds nothing: of 0 the logarithm is none.
    entropy = pc.negate(pc.multiply(parts, pc.ln(parts)))
    return pc.exp(shares.by_variable.total_share(entropy))


def _repeated(shares: Shares, descriptions: pa.Array) -> pa.Array:
    """Of each variable the number of descriptions that several of its codes have."""
    texts = descriptions.to_pylist()
    numbers = [0] * len(shares.variables)
    for position, start, stop in shares.by_variable:
        of = texts[start:stop]
        if len(set(of)) < len(of):
            repeated = (text for text, number in Counter(of).items() if number > 1)
            numbers[position] = sum(1 for text in repeated if text.strip())
    return integers(numbers)


def _where(condition: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(condition, values, pa.nulls(len(values), values.type))


def _finite(values: pa.Array) -> pa.Array:
    """Numbers as they are, and null for what is none."""
    return _where(pc.fill_null(pc.is_finite(values), scalar(False)), values)
