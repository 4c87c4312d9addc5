"""Tables: the frame, the row, and how tables relate to each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import accumulate, chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.errors import TablesError, warn
from apteco_frames.frame.arrays import integers
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.former import STAYS, FormerNames
from apteco_frames.frame.rows import Block, Home, attribute
from apteco_frames.orbit import schema
from apteco_frames.orbit.text import clipped
from apteco_frames.pages import card
from apteco_frames.pages.tree import Item, Tree

if TYPE_CHECKING:
    from apteco_frames.codes import Codes
    from apteco_frames.variables import Variable, Variables


class Table(FormerNames):
    """A FastStats table.

    Tables compare by their place in the tree: ``a == b`` if they are the same table,
    ``a < b`` if ``a`` is an ancestor of ``b``, ``a > b`` if it is a descendant, and
    ``<=``, ``>=`` with the same table included. The attributes and their meaning follow
    the page on tables of the ``apteco`` documentation. Within one catalogue, and within
    one session, each table is one object.
    """

    __slots__ = ()

    _renamed = MappingProxyType(
        {
            "singular_display_name": "singular",
            "plural_display_name": "plural",
            "is_default_table": "is_default",
            "is_people_table": "is_people",
            "child_relationship_name": "child_relationship",
            "parent_relationship_name": "parent_relationship",
            "has_child_tables": "has_children",
        }
    )
    _selecting = frozenset({"count", "cube", "datagrid"})

    name: str = attribute(schema.TABLES, "name")
    singular: str = attribute(schema.TABLES, "singular")
    plural: str = attribute(schema.TABLES, "plural")
    is_default: bool = attribute(schema.TABLES, "is_default")
    is_people: bool = attribute(schema.TABLES, "is_people")
    total_records: int = attribute(schema.TABLES, "total_records")
    child_relationship: str = attribute(schema.TABLES, "child_relationship")
    parent_relationship: str = attribute(schema.TABLES, "parent_relationship")
    has_children: bool = attribute(schema.TABLES, "has_children")
    parent_name: str = attribute(schema.TABLES, "parent_name")
    depth: int = attribute(schema.TABLES, "depth")
    variable_count: int = attribute(schema.TABLES, "variable_count")

    @property
    def ancestor_names(self) -> list[str]:
        """Names of the ancestors, the parent first."""
        return list(self._block["ancestor_names"][self._position])

    @property
    def descendant_names(self) -> list[str]:
        """Names of the descendants, each child followed by its own descendants."""
        return list(self._block["descendant_names"][self._position])

    @property
    def parent(self) -> Table | None:
        """The parent table; ``None`` for the master table."""
        return self._tables[self.parent_name] if self.parent_name else None

    @property
    def children(self) -> list[Table]:
        """The child tables, in the API's order."""
        return [self._tables._row(position) for position in self._tables._children(self.name)]

    @property
    def ancestors(self) -> list[Table]:
        """The ancestors, the parent first and the master table last."""
        return [self._tables[name] for name in self.ancestor_names]

    @property
    def descendants(self) -> list[Table]:
        """The descendants, each child followed by its own descendants."""
        return [self._tables[name] for name in self.descendant_names]

    @property
    def variables(self) -> Variables:
        """The variables on the table, in the API's order."""
        return self._home.variables._of_table(self.name)  # type: ignore[no-any-return]

    @property
    def codes(self) -> Codes:
        """The codes of the variables on the table, in their order; see ``Variables.codes``."""
        return self.variables.codes

    def is_same(self, other: Table) -> bool:
        """Whether both are the same table: whether they have the same name."""
        return self.name == _table(other).name

    def is_ancestor(self, other: Table, allow_same: bool = False) -> bool:
        """Whether this table is an ancestor of ``other``.

        Args:
            other: the table to check against.
            allow_same: what to answer if both are the same table.
        """
        return _table(other)._tables._is_above(self.name, other.name) or (
            allow_same and self.is_same(other)
        )

    def is_descendant(self, other: Table, allow_same: bool = False) -> bool:
        """Whether this table is a descendant of ``other``.

        Args:
            other: the table to check against.
            allow_same: what to answer if both are the same table.
        """
        return _table(other)._tables._is_above(other.name, self.name) or (
            allow_same and self.is_same(other)
        )

    def is_related(self, other: Table, allow_same: bool = False) -> bool:
        """Whether this table is an ancestor or a descendant of ``other``.

        Args:
            other: the table to check against.
            allow_same: what to answer if both are the same table.
        """
        return self.is_ancestor(other, allow_same) or self.is_descendant(other)

    def __getitem__(self, key: str) -> Variable:
        """The variable on this table with that name or description.

        Raises:
            UnknownKeyError: no variable on the table has it.
            AmbiguousKeyError: several have it.
        """
        return self.variables[key]

    def __contains__(self, key: object) -> bool:
        """Whether a variable on the table has that name or description, or is the one given."""
        return key in self.variables

    def get(self, key: str, default: Any = None) -> Variable | Any:
        """The variable on the table with that name or description, or the default.

        Raises:
            AmbiguousKeyError: several have it.
        """
        return self.variables.get(key, default)

    def _ipython_key_completions_(self) -> list[str]:
        return self.variables._ipython_key_completions_()

    # A class with __getitem__ would otherwise be taken for a sequence of variables.
    __iter__ = None

    def __eq__(self, other: object) -> bool:
        return self.is_same(other) if isinstance(other, Table) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def __lt__(self, other: Table) -> bool:
        return self.is_ancestor(other)

    def __gt__(self, other: Table) -> bool:
        return self.is_descendant(other)

    def __le__(self, other: Table) -> bool:
        return self.is_ancestor(other, True)

    def __ge__(self, other: Table) -> bool:
        return self.is_descendant(other, True)

    def __mul__(self, other: object) -> NoReturn:
        raise TypeError(f"A table is not multiplied here: {STAYS}")

    __rmul__ = __mul__

    def _repr_html_(self) -> str:
        return card.table(self.to_dict(), [child.name for child in self.children])

    @property
    def _tables(self) -> Tables:
        """All tables of the build: what each table is a row of."""
        return self._frame  # type: ignore[return-value]


class Tables(CatalogueFrame[Table]):  # noqa: D101 - it has one, with the columns
    __doc__ = f"""The tables of a system, in the API's order.

    ``tables["People"]`` looks a table up by name. The columns:

    {schema.describe(schema.TABLES).replace(chr(10), chr(10) + " " * 4)}
    """

    schema: ClassVar[pa.Schema] = schema.TABLES_SCHEMA
    _noun = "table"
    _row_type = Table
    _preview = ("name", "plural", "total_records", "parent_name", "variable_count")

    def __init__(self, arrow: pa.Table, home: Home, whole: Tables | None = None) -> None:
        super().__init__(arrow, home)
        # Each table is one object, so a part has the rows of the whole. They are made here,
        # and not when first asked for, so that no two threads make two of one.
        self._whole: Tables = whole or self
        if whole is None:
            block = Block(self, 0, len(self))
            self._rows = [Table(block, position) for position in range(len(self))]
            self._by_name = dict(zip(self._arrays["name"].to_pylist(), self._rows, strict=True))
        else:
            self._rows = [whole._by_name[name] for name in self._arrays["name"].to_pylist()]

    def __iter__(self) -> Iterator[Table]:
        return iter(self._rows)

    def _row(self, position: int) -> Table:
        return self._rows[position]

    def _part(self, arrow: pa.Table) -> Self:
        return type(self)(arrow, self._home, self._whole)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # Without the session: what is pickled holds no token.
        return _part_of, (self._home.catalogue, self._arrow)

    def tree(self) -> Tree:
        """The tables as a tree that prints itself, with the numbers of records.

        >>> from apteco_frames.demo import holidays
        >>> holidays().tables.tree()
        9 tables of system 'holidays' (records)
        └── Households (742,565)
            └── People (1,156,553)
                ├── Bookings (2,130,081)
                ├── Policies (213,567)
                ├── WebVisits (279,538)
                ├── Communications (70,705)
                │   ├── Content (153,041)
                │   └── Responses (1,549)
                └── Journeys (55,653)
        """
        items = [
            Item(table.name, table.ancestor_names, table.plural, f"{table.total_records:,}")
            for table in self
        ]
        return Tree(f"{self._title} (records)", items)

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int]]:
        """Where each table and its descendants stand in the tree, read downwards."""
        (master,) = (table for table in self if not table.parent_name)
        order = [master.name, *master.descendant_names]
        sizes = dict(
            zip(
                self._arrays["name"].to_pylist(),
                pc.list_value_length(self._arrays["descendant_names"]).to_pylist(),
                strict=True,
            )
        )
        return {name: (place, place + sizes[name]) for place, name in enumerate(order)}

    def _is_above(self, upper: str, lower: str) -> bool:
        nowhere = (0, -1)
        start, end = self._spans.get(upper, nowhere)
        return start < self._spans.get(lower, nowhere)[0] <= end

    @cached_property
    def _child_positions(self) -> dict[str, list[int]]:
        return _children_of(self._arrays["parent_name"].to_pylist())

    def _children(self, name: str) -> list[int]:
        return self._child_positions.get(name, [])


def _part_of(catalogue: Any, arrow: pa.Table) -> Any:
    return catalogue.tables._part(arrow)


def _table(other: object) -> Table:
    """What a table is compared with.

    Raises:
        TypeError: it is no table.
    """
    if isinstance(other, Table):
        return other
    what = repr(clipped(other)) if isinstance(other, str) else f"a {type(other).__name__}"
    raise TypeError(
        f"A table is compared with a table, not with {what}; "
        'take one from the tables, as session.tables["People"].'
    )


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

    Warns:
        CatalogueWarning: a table has children that are not listed, or the other way round.
    """
    names = raw["name"].to_pylist()
    parents = raw["parent_name"].to_pylist()
    _check_names(names, parents, source)
    children = _children_of(parents)
    positions = {name: position for position, name in enumerate(names)}
    (master,) = children[""]
    order: list[int] = []
    ancestors: dict[int, list[int]] = {}
    pending = [master]
    while pending:
        position = pending.pop()
        order.append(position)
        parent = positions.get(parents[position])
        ancestors[position] = [] if parent is None else [parent, *ancestors[parent]]
        pending.extend(reversed(children.get(names[position], [])))
    if len(order) < len(names):
        lost = [p for p in range(len(names)) if p not in ancestors]
        cycle = _cycle(lost[0], [positions[parent] if parent else -1 for parent in parents])
        circle = _list([names[p] for p in cycle])
        raise TablesError(f"The tables {circle} are their own ancestors. {_advice(source)}")
    _warn_of_children(names, raw["has_children"].to_pylist(), children, source)

    sizes = [1] * len(names)
    for position in reversed(order[1:]):
        sizes[positions[parents[position]]] += sizes[position]
    place = {position: i for i, position in enumerate(order)}
    everyone = range(len(names))
    derived = {
        "depth": integers(len(ancestors[p]) for p in everyone),
        "ancestor_names": _name_lists(raw, [ancestors[p] for p in everyone]),
        "descendant_names": _name_lists(
            raw, [order[place[p] + 1 : place[p] + sizes[p]] for p in everyone]
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


def _children_of(parents: list[str]) -> dict[str, list[int]]:
    children: dict[str, list[int]] = {}
    for position, parent in enumerate(parents):
        children.setdefault(parent, []).append(position)
    return children


def _name_lists(raw: pa.Table, positions: list[list[int]]) -> pa.Array:
    offsets = integers(accumulate(map(len, positions), initial=0), pa.int32())
    flat = integers(chain.from_iterable(positions))
    names = raw["name"].combine_chunks().take(flat)
    return pa.ListArray.from_arrays(offsets, names, type=schema.NAMES)


def _check_names(names: list[str], parents: list[str], source: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise TablesError(f"Several tables are named {_list(repeated)}. {_advice(source)}")
    known = {"", *names}
    orphans = [
        f"{clipped(name)!r} ({clipped(parent)!r})"
        for name, parent in zip(names, parents, strict=True)
        if parent not in known
    ]
    if orphans:
        raise TablesError(
            f"The parents of these tables do not exist: {', '.join(orphans[:10])}. "
            f"{_advice(source)}"
        )
    if not names:
        raise TablesError(
            f"The API lists no tables: there are none, or the user may see none. {_advice(source)}"
        )
    masters = [name for name, parent in zip(names, parents, strict=True) if not parent]
    if len(masters) != 1:
        found = (
            f"{len(masters)} do: {_list(masters)}" if masters else f"none of {_list(names)} does"
        )
        raise TablesError(
            f"Exactly one table, the master table, should have no parent, but {found}. "
            f"{_advice(source)}"
        )


def _warn_of_children(
    names: list[str], flags: list[bool], children: dict[str, list[int]], source: str
) -> None:
    """Warn where the API says other than what it lists: a child may be hidden from the user."""
    flagged = [name for name, flag in zip(names, flags, strict=True) if flag]
    lone = [name for name in flagged if name not in children]
    denied = [name for name in names if name in children and name not in set(flagged)]
    odd = [f"tables below {_list(lone)}, but lists none"] if lone else []
    odd += [f"no tables below {_list(denied)}, but lists some"] if denied else []
    if odd:
        warn(
            f"The API says that {source} has {'; and '.join(odd)}. Both are kept: has_children is "
            "what it says, children what it lists. Tables may be hidden from you; ask the "
            "administrator of your Orbit installation about those you miss."
        )


def _list(names: list[str]) -> str:
    listed = ", ".join(repr(clipped(name)) for name in names[:10])
    return listed if len(names) <= 10 else f"{listed} and {len(names) - 10} more"


def _advice(source: str) -> str:
    return (
        f"Nothing of {source} was used. Try again; if it stays so, show this message to the "
        "administrator of your Orbit installation."
    )
