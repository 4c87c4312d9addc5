"""Tables: the frame and the row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.codes import Codes
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.deprecated import DeprecatedNames
from apteco_frames.frame.rows import Block, attribute
from apteco_frames.links import Owner, links_of
from apteco_frames.normalize.tree import children_of
from apteco_frames.render import card
from apteco_frames.render.tree import Item, Tree
from apteco_frames.support.apteco_names import STAYS, attributes
from apteco_frames.support.text import truncate
from apteco_frames.variables import Variable, Variables

if TYPE_CHECKING:
    from apteco_frames.nouns import Uses


class Table(DeprecatedNames):
    """A FastStats table.

    Tables compare by their position in the tree: ``a == b`` if they are the same table,
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
    ancestor_names: list[str] = attribute(schema.TABLES, "ancestor_names")
    descendant_names: list[str] = attribute(schema.TABLES, "descendant_names")
    variable_count: int = attribute(schema.TABLES, "variable_count")

    @property
    def parent(self) -> Table | None:
        """The parent table; ``None`` for the master table."""
        return self._tables[self.parent_name] if self.parent_name else None

    @property
    def children(self) -> list[Table]:
        """The child tables, in the API's order."""
        positions = self._tables._children.get(self.name, [])
        return [self._tables[position] for position in positions]

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
        return links_of(self).variables_of(self.name)

    @property
    def codes(self) -> Codes:
        """The codes of the variables on the table, in their order; see ``Variables.codes``."""
        return self.variables.codes

    @property
    def uses(self) -> Uses:
        """The uses of the variables on the table; see ``Variable.uses``."""
        return links_of(self).uses_of(variable.name for variable in self.variables)

    def is_same(self, other: Table) -> bool:
        """Whether both are the same table, that is, have the same name."""
        return self.name == _table(other).name

    def is_ancestor(self, other: Table, allow_same: bool = False) -> bool:
        """Whether this table is an ancestor of ``other``.

        Args:
            other: the table to check against.
            allow_same: the result if both are the same table.
        """
        return self.name in _table(other).ancestor_names or (allow_same and self.is_same(other))

    def is_descendant(self, other: Table, allow_same: bool = False) -> bool:
        """Whether this table is a descendant of ``other``.

        Args:
            other: the table to check against.
            allow_same: the result if both are the same table.
        """
        return _table(other).is_ancestor(self, allow_same)

    def is_related(self, other: Table, allow_same: bool = False) -> bool:
        """Whether this table is an ancestor or a descendant of ``other``.

        Args:
            other: the table to check against.
            allow_same: the result if both are the same table.
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
        """Whether the variable is on the table, or one with that name or description."""
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
        raise TypeError(f"Tables cannot be multiplied: {STAYS}")

    __rmul__ = __mul__

    def _repr_html_(self) -> str:
        return card.table(self.to_dict(), [child.name for child in self.children])

    @property
    def _tables(self) -> Tables:
        """All tables of the build."""
        return self._frame  # type: ignore[return-value]


class Tables(CatalogueFrame[Table], columns=schema.TABLES):
    """The tables of a system, in the API's order.

    ``tables["People"]`` looks a table up by name. The columns:

    [columns]
    """

    _noun = "table"
    _row_type = Table
    _preview = ("name", "plural", "total_records", "parent_name", "variable_count")

    def __init__(self, arrow: pa.Table, catalogue: Owner, whole: Tables | None = None) -> None:
        super().__init__(arrow, catalogue)
        # Each table is one object, so a part has the rows of the whole. They are made here
        # rather than on first use, so that no two threads make two of one.
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
        return type(self)(arrow, links_of(self).owner, self._whole)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # Without the session: what is pickled holds no token.
        return _part_of, (links_of(self).catalogue, self.arrow)

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
                │   └── Responses Attributed (1,549)
                └── Journey History (55,653)
        """
        items = [
            Item(table.name, table.ancestor_names, table.name, f"{table.total_records:,}")
            for table in self
        ]
        return Tree(f"{self._title} (records)", items)

    @cached_property
    def _children(self) -> dict[str, list[int]]:
        """Positions of the child tables, by the name of their parent."""
        return children_of(self._arrays["parent_name"].to_pylist())


def _part_of(catalogue: Any, arrow: pa.Table) -> Any:
    return catalogue.tables._part(arrow)


def _table(other: object) -> Table:
    """The table to compare with.

    Raises:
        TypeError: it is not a table.
    """
    if isinstance(other, Table):
        return other
    what = repr(truncate(other)) if isinstance(other, str) else f"a {type(other).__name__}"
    raise TypeError(
        f"Tables can only be compared with tables, not with {what}; "
        'take one from the tables, such as session.tables["People"].'
    )


if not TYPE_CHECKING:  # type checkers would take any name for an attribute
    __getattr__ = attributes(
        __name__,
        {
            "TablesAccessor": "tables.Tables",
            "VariablesAccessor": "variables.Variables",
        },
    )
