"""Values outside a closed set, in the arguments of a filter.

A comparison with such a value matches no row, which is hardly what was meant. polars does not
warn of it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from apteco_frames.errors import UnknownValueError
from apteco_frames.support.fork import import_polars
from apteco_frames.support.text import list_names, truncate

if TYPE_CHECKING:
    import polars as pl

_Asked = Iterator[tuple[str, object]]


def check_values(
    predicates: Iterable[Any],
    constraints: Mapping[str, Any],
    enums: Mapping[str, Sequence[str]],
) -> None:
    """Raise an error if a column with a closed set is compared with a value outside it.

    This covers ``column=value``, and within expressions ``==``, ``!=``, ``is_in`` and the like
    between the column itself and given values.

    Args:
        predicates: the predicates of ``filter``.
        constraints: its ``column=value`` pairs.
        enums: the closed sets, by column.

    Raises:
        UnknownValueError: a value is outside the set; the message names the nearest.
    """
    for column, value in (*constraints.items(), *_of_predicates(predicates, enums)):
        known = enums.get(column, ())
        if known and isinstance(value, str) and value not in known:
            by_text = {text.lower(): text for text in known}
            near = difflib.get_close_matches(value.lower(), by_text, 3, 0.5)
            hint = f"Nearest: {list_names([by_text[text] for text in near])}. " if near else ""
            raise UnknownValueError(
                f"{column} is never {truncate(value)!r}. {hint}"
                f"Its values are {list_names(known, len(known))}."
            )


def _of_predicates(predicates: Iterable[Any], enums: Mapping[str, Sequence[str]]) -> _Asked:
    pl = import_polars()
    for predicate in predicates:
        if isinstance(predicate, pl.Expr):
            yield from _of_expression(predicate, enums, pl)
        elif isinstance(predicate, list | tuple):
            yield from _of_predicates(predicate, enums)


def _of_expression(expression: pl.Expr, enums: Mapping[str, Sequence[str]], polars: Any) -> _Asked:
    """Each comparison of a column with a closed set, within an expression."""
    text = str(expression)
    if not any(f'col("{column}")' in text for column in enums):
        return
    pending = [expression]
    while pending:
        node = pending.pop()
        parts = node.meta.pop()
        pending += parts
        if len(parts) == 2:
            for literal, other in (parts, parts[::-1]):
                for column in enums if literal.meta.is_literal() else ():
                    itself = polars.col(column)
                    if other.meta == itself and _compares(node, itself, literal):
                        yield from ((column, value) for value in _values(literal, polars))


def _compares(node: pl.Expr, column: pl.Expr, literal: pl.Expr) -> bool:
    """Whether an expression compares a column with a value, or with several."""
    pair, turned = (column, literal), (literal, column)
    asked = [column.is_in(literal, nulls_equal=nulls_equal) for nulls_equal in (False, True)]
    for one, other in (pair, turned):
        asked += [one == other, one != other, one.eq_missing(other), one.ne_missing(other)]
    return any(node.meta == each for each in asked)


def _values(literal: pl.Expr, polars: Any) -> list[Any]:
    """The values of a literal, which may be a list of them."""
    values = polars.select(literal).to_series().to_list()
    return [one for value in values for one in (value if isinstance(value, list) else [value])]
