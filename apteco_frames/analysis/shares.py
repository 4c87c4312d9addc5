"""Which share of the records each code has, and which code is Unclassified.

Of a selector of a single value a code's share is that of the variable's own counts; of arrays,
whose counts need not add up to anything, it is that of the table's records. A share that is not
known, since a count is not or since there are no records at all, is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.analysis.groups import Groups, begins
from apteco_frames.schema.column import DOUBLE
from apteco_frames.support.arrays import scalar, whole

_SINGLE = "SingleValue"
_UNCLASSIFIED = "unclassified"
_NONE, _ZERO, _UNKNOWN = scalar(0), scalar(0.0), scalar(float("nan"))


class Shares:
    """The shares of the codes of a catalogue; its arrays are one for each code, or each variable.

    Args:
        catalogue: ``tables``, ``variables`` and ``codes`` under their declared schemas; the
            codes of a variable stand together.

    Attributes:
        codes: the codes.
        variables: the variables.
        positions: of each code, the position of its variable.
        by_variable: the codes as groups by that.
        counts: of each code, how many records have it; 0 where that is not known.
        is_known: of each variable, whether all counts are known.
        is_single: of each variable, whether a record has one code of it.
        records: of each variable, how many records its table has.
    """

    def __init__(self, catalogue: Mapping[str, pa.Table]) -> None:
        tables, self.variables, self.codes = (
            catalogue[noun] for noun in ("tables", "variables", "codes")
        )
        self.positions = _positions(whole(self.codes["variable_name"]), self._column("name"))
        self.by_variable = Groups(self.positions, len(self.variables))
        counts = whole(self.codes["count"])
        is_known = pc.fill_null(pc.greater_equal(counts, _NONE), scalar(False))
        self.counts = pc.if_else(is_known, counts, _NONE)
        self.is_known = pc.equal(self.by_variable.total(pc.invert(is_known)), _NONE)
        single = pc.equal(self._column("selector_type"), scalar(_SINGLE))
        self.is_single = pc.fill_null(single, scalar(False))
        places = pc.index_in(self._column("table_name"), value_set=whole(tables["name"]))
        self.records = whole(tables["total_records"]).cast(DOUBLE, safe=False).take(places)

    @cached_property
    def totals(self) -> pa.Array:
        """Of each variable the sum of its counts; NaN where one of them is not known."""
        totals = self.by_variable.total(self.counts).cast(DOUBLE, safe=False)
        return pc.if_else(self.is_known, totals, _UNKNOWN)

    @cached_property
    def bases(self) -> pa.Array:
        """Of each variable the number of records that its codes have shares of."""
        bases = pc.if_else(self.is_single, self.totals, self.records)
        has_base = pc.and_(self.is_known, pc.greater(bases, _ZERO))
        return pc.if_else(has_base, bases, _UNKNOWN)

    @cached_property
    def shares(self) -> pa.Array:
        """Of each code its share of the records."""
        bases = self.bases.take(self.positions)
        return pc.divide(self.counts.cast(DOUBLE, safe=False), bases)

    @cached_property
    def unclassified(self) -> pa.Array:
        """Of each variable the row of its code Unclassified; null if it has none.

        It is the code that the server names; else the first, if that is described so.
        """
        sent = self._column("unclassified_code")
        rows = pa.nulls(len(self.variables), pa.int64())
        if sent.null_count < len(sent):
            wanted = sent.take(self.positions)
            rows = self._first(pc.indices_nonzero(pc.equal(whole(self.codes["code"]), wanted)))
        firsts = pc.indices_nonzero(pc.equal(whole(self.codes["position"]), _NONE))
        described = _plain(whole(self.codes["description"]).take(firsts))
        named = _plain(self._column("unclassified_description")).take(self.positions.take(firsts))
        says_so = pc.or_(
            pc.equal(described, scalar(_UNCLASSIFIED)),
            pc.fill_null(pc.and_not(pc.equal(described, named), _is_blank(named)), scalar(False)),
        )
        return pc.coalesce(rows, self._first(firsts.filter(says_so)))

    def _first(self, rows: pa.Array) -> pa.Array:
        """Of each variable the first of these rows of codes; null if none is of it."""
        found = pc.index_in(pa.arange(0, len(self.variables)), value_set=self.positions.take(rows))
        return rows.cast(pa.int64()).take(found)

    def _column(self, name: str) -> pa.Array:
        return whole(self.variables[name])


def _positions(of: pa.Array, names: pa.Array) -> pa.Array:
    """Where the variable of each code stands, looked up once for those that stand together."""
    is_first = begins(of)
    runs = pc.subtract(pc.cumulative_sum(is_first.cast(pa.int64())), scalar(1))
    return pc.index_in(of.filter(is_first), value_set=names).cast(pa.int64()).take(runs)


def _plain(texts: pa.Array) -> pa.Array:
    return pc.utf8_lower(pc.utf8_trim_whitespace(texts))


def _is_blank(texts: pa.Array) -> pa.Array:
    return pc.equal(pc.utf8_trim_whitespace(texts), scalar(""))
