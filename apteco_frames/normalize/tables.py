"""Tables as the API lists them: how they relate, and whether they form one tree."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate, chain

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.errors import TablesError, warn
from apteco_frames.normalize.tree import children_of
from apteco_frames.schema.column import NAMES
from apteco_frames.support.arrays import integers
from apteco_frames.support.text import ASK_ADMINISTRATOR, list_items, list_names, truncate

MOST_ANCESTORS = 5_000_000
"""How many tables all tables together may be below; those of no system are as many."""


def relate(raw: pa.Table, variable_counts: dict[str, int], source: str) -> pa.Table:
    """Add the derived columns to tables as the API lists them.

    Args:
        raw: the columns of ``schema.TABLES`` that the API has.
        variable_counts: number of variables by table name.
        source: where the tables came from, for error messages.

    Returns:
        a table under ``schema.TABLES_SCHEMA``, in the same order.

    Raises:
        TablesError: the tables do not form one tree; the message names those at fault.
    """
    names = raw["name"].to_pylist()
    parents = raw["parent_name"].to_pylist()
    _check_names(names, parents, source)
    children = children_of(parents)
    positions = {name: position for position, name in enumerate(names)}
    (master,) = children[""]
    order: list[int] = []
    ancestors: dict[int, list[int]] = {}
    pending = [master]
    named = 0
    while pending:
        position = pending.pop()
        order.append(position)
        parent = positions.get(parents[position])
        ancestors[position] = [] if parent is None else [parent, *ancestors[parent]]
        named += len(ancestors[position])
        if named > MOST_ANCESTORS:  # each table names all above it and below it
            raise TablesError(
                f"The tables are nested too deeply: {truncate(names[position])!r} has "
                f"{len(ancestors[position]):,} ancestors, and all tables together have more than "
                f"{MOST_ANCESTORS:,}. {_advice(source)}"
            )
        pending.extend(reversed(children.get(names[position], [])))
    if len(order) < len(names):
        lost = [p for p in range(len(names)) if p not in ancestors]
        cycle = _cycle(lost[0], [positions[parent] if parent else -1 for parent in parents])
        circle = list_names([names[p] for p in cycle])
        raise TablesError(f"The tables {circle} are their own ancestors. {_advice(source)}")
    sizes = [1] * len(names)
    for position in reversed(order[1:]):
        sizes[positions[parents[position]]] += sizes[position]
    rank = {position: i for i, position in enumerate(order)}
    everyone = range(len(names))
    derived = {
        "depth": integers(len(ancestors[p]) for p in everyone),
        "ancestor_names": _name_lists(raw, [ancestors[p] for p in everyone]),
        "descendant_names": _name_lists(
            raw, [order[rank[p] + 1 : rank[p] + sizes[p]] for p in everyone]
        ),
        "variable_count": integers(variable_counts.get(name, 0) for name in names),
    }
    return pa.table(
        [derived[c.name] if c.name in derived else raw[c.name] for c in schema.TABLES],
        schema=schema.TABLES_SCHEMA,
    ).combine_chunks()


def _cycle(start: int, parents: list[int]) -> list[int]:
    """The positions of the cycle that following the parents from ``start`` ends in."""
    seen: dict[int, int] = {}
    position = start
    while position not in seen:
        seen[position] = len(seen)
        position = parents[position]
    return [p for p, order in seen.items() if order >= seen[position]]


def _name_lists(raw: pa.Table, positions: list[list[int]]) -> pa.Array:
    offsets = integers(accumulate(map(len, positions), initial=0), pa.int32())
    flat = integers(chain.from_iterable(positions))
    names = raw["name"].combine_chunks().take(flat)
    return pa.ListArray.from_arrays(offsets, names, type=NAMES)


def _check_names(names: list[str], parents: list[str], source: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise TablesError(f"Several tables are named {list_names(repeated)}. {_advice(source)}")
    known = {"", *names}
    orphans = [
        f"{truncate(name)!r} ({truncate(parent)!r})"
        for name, parent in zip(names, parents, strict=True)
        if parent not in known
    ]
    if orphans:
        raise TablesError(
            f"The parents of these tables do not exist: {list_items(orphans[:10], len(orphans))}. "
            f"{_advice(source)}"
        )
    if not names:
        raise TablesError(
            f"The API lists no tables; perhaps the user may not see any. {_advice(source)}"
        )
    masters = [name for name, parent in zip(names, parents, strict=True) if not parent]
    if len(masters) != 1:
        found = (
            f"{len(masters)} do: {list_names(masters)}"
            if masters
            else f"none of {list_names(names)} does"
        )
        raise TablesError(
            f"Exactly one table, the master table, should have no parent, but {found}. "
            f"{_advice(source)}"
        )


def warn_of_children(tables: pa.Table, source: str) -> None:
    """Warn where the API says other than what it lists: a child may be hidden from the user.

    Args:
        tables: a table under ``schema.TABLES_SCHEMA``.
        source: where the tables came from.

    Warns:
        CatalogueWarning: a table has children that are not listed, or the other way round.
    """
    names, parents = tables["name"].to_pylist(), set(tables["parent_name"].to_pylist())
    says = dict(zip(names, tables["has_children"].to_pylist(), strict=True))
    lone = [name for name in names if says[name] and name not in parents]
    denied = [name for name in names if not says[name] and name in parents]
    odd = [f"tables below {list_names(lone)}, but lists none"] if lone else []
    odd += [f"no tables below {list_names(denied)}, but lists some"] if denied else []
    if odd:
        warn(
            f"The API says that {source} has {'; and '.join(odd)}. Both are kept: has_children is "
            "what it says, children what it lists. Tables may be hidden from you; ask your Orbit "
            "administrator about any that you miss."
        )


def _advice(source: str) -> str:
    return f"Nothing of {source} was used. {ASK_ADMINISTRATOR}"
