"""The history of a variable from build to build."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.analysis.movement import movement
from apteco_frames.analysis.pairing import Pairs, Rows, Sides
from apteco_frames.analysis.shares import Shares
from apteco_frames.schema.column import BOOL, DOUBLE, INT, NAMES, STRING, TIMESTAMP
from apteco_frames.support.arrays import table_of

_SHOWN = ("type", "num_codes", "var_code_min_count", "var_code_max_count")
_COMPARED = [c.name for c in schema.VARIABLES if c.api_field or c.name == "type"]

HISTORY_SCHEMA = pa.schema(
    [
        pa.field("system", STRING, False),
        pa.field("build", STRING, False),
        pa.field("build_date", TIMESTAMP),
        pa.field("is_there", BOOL, False),
        pa.field("type", STRING),
        pa.field("num_codes", INT),
        pa.field("var_code_min_count", INT),
        pa.field("var_code_max_count", INT),
        pa.field("is_changed", BOOL),
        pa.field("changed_columns", NAMES),
        pa.field("unclassified_share", DOUBLE),
        pa.field("moved", DOUBLE),
    ]
)
"""The columns of a history."""

_Row = Mapping[str, Any]


class CodeFacts(NamedTuple):
    """Facts on the codes of a variable in a build.

    Attributes:
        fingerprint: equal if the codes are.
        unclassified_share: the share of Unclassified; None if unknown.
        moved: the share of records that moved since the build before; None if unknown.
    """

    fingerprint: Any
    unclassified_share: float | None = None
    moved: float | None = None


def unclassified_share(catalogue: Mapping[str, pa.Table]) -> float | None:
    """The share of Unclassified in the one variable of a catalogue; None if unknown."""
    shares = Shares(catalogue)
    (share,) = shares.shares.take(shares.unclassified).to_pylist()
    return share if share is not None and math.isfinite(share) else None


def moved(new: Mapping[str, pa.Table], old: Mapping[str, pa.Table]) -> float | None:
    """The share of the records that moved in the one variable of two catalogues.

    None if that cannot be judged.
    """
    pairs = [_pairs(noun, new, old) for noun in ("variable", "code")]
    found = movement(Shares(new), Shares(old), *pairs).moved.to_pylist()
    return found[0] if found else None


def _pairs(noun: str, new: Mapping[str, pa.Table], old: Mapping[str, pa.Table]) -> Pairs:
    """The matching rows; usually, at no cost, each row and the one in its place."""
    sides = Rows(noun, new), Rows(noun, old)
    key = "code" if noun == "code" else "name"
    if not sides[0][key].equals(sides[1][key]):
        return Sides(noun, *sides).pairs
    all_of_them, none = pa.arange(0, len(sides[0])), pa.nulls(0, pa.int64())
    return Pairs((all_of_them, all_of_them), none, none, False, all_of_them)


def history(
    builds: Iterable[_Row],
    variables: Iterable[_Row],
    codes: Mapping[tuple[str, str], CodeFacts],
) -> pa.Table:
    """A row for each build, under :data:`HISTORY_SCHEMA`.

    Args:
        builds: rows with the columns of ``schema.BUILDS``, by system, the oldest first.
        variables: the variable's row in each build that has it, with ``system`` and
            ``build`` beside the columns of ``schema.VARIABLES``.
        codes: facts on its codes, by system and build, as far as they are known.
    """
    row_of = {(row["system"], row["build"]): row for row in variables}
    rows = []
    system: str | None = None
    row: _Row | None = None
    known: Any = None
    for build in builds:
        key = build["system"], build["build"]
        older, row = row, row_of.get(key)
        changed = None
        if system == build["system"]:
            changed = _changed(older, row)
            if key in codes and known not in (None, codes[key].fingerprint):
                changed.append("codes")
        else:
            known = None
        rows.append(
            {
                **{name: build[name] for name in ("system", "build", "build_date")},
                "is_there": row is not None,
                **{name: row[name] if row else None for name in _SHOWN},
                "is_changed": None if changed is None else bool(changed),
                "changed_columns": changed,
                "unclassified_share": codes[key].unclassified_share if key in codes else None,
                "moved": codes[key].moved if key in codes else None,
            }
        )
        system, known = build["system"], codes[key].fingerprint if key in codes else known
    return table_of(rows, HISTORY_SCHEMA)


def _changed(old: _Row | None, new: _Row | None) -> list[str]:
    """The columns that differ: all of them if the variable was added or removed."""
    if old is None or new is None:
        return [] if old is new else list(_COMPARED)
    return [name for name in _COMPARED if old[name] != new[name]]
