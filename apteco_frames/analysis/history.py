"""What became of a variable from build to build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.schema.column import BOOL, INT, NAMES, STRING, TIMESTAMP
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
    ]
)
"""The columns of a history."""

_Row = Mapping[str, Any]


def history(
    builds: Iterable[_Row],
    variables: Iterable[_Row],
    codes: Mapping[tuple[str, str], Any],
) -> pa.Table:
    """A row for each build, under :data:`HISTORY_SCHEMA`.

    Args:
        builds: rows with the columns of ``schema.BUILDS``, those of a system together, the
            oldest first.
        variables: the variable's row in each build that has it, with ``system`` and
            ``build`` beside the columns of ``schema.VARIABLES``.
        codes: what tells its codes in a build from others, by system and build, as far as
            they are known.
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
            if key in codes and known not in (None, codes[key]):
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
            }
        )
        system, known = build["system"], codes.get(key, known)
    return table_of(rows, HISTORY_SCHEMA)


def _changed(old: _Row | None, new: _Row | None) -> list[str]:
    """The columns that differ: all of them if the variable came or went."""
    if old is None or new is None:
        return [] if old is new else list(_COMPARED)
    return [name for name in _COMPARED if old[name] != new[name]]
