"""Variables: the frame, and the rows of each kind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from apteco_frames import schema
from apteco_frames.codes import Codes, codes_of
from apteco_frames.frame.base import CatalogueFrame
from apteco_frames.frame.column_keys import ColumnKeys
from apteco_frames.frame.deprecated import DeprecatedNames
from apteco_frames.frame.rows import Row, attribute
from apteco_frames.links import links_of
from apteco_frames.render import card
from apteco_frames.support.apteco_names import STAYS, attributes
from apteco_frames.support.text import truncate

if TYPE_CHECKING:
    from apteco_frames.nouns import Folder, Table, Uses


class VariableType(StrEnum):
    """The kinds of variable; each equals its text: ``VariableType.DATE == "Date"``."""

    SELECTOR = "Selector"
    NUMERIC = "Numeric"
    TEXT = "Text"
    ARRAY = "Array"
    FLAG_ARRAY = "FlagArray"
    DATE = "Date"
    DATETIME = "DateTime"
    REFERENCE = "Reference"
    UNKNOWN = "Unknown"


# The values that apteco makes selections of.
_VALUES = (str, int, float, date, list, tuple, set)


class Variable(DeprecatedNames):
    """A FastStats variable; each kind that has attributes of its own is a subclass.

    The attributes and their meaning follow the page on variables of the ``apteco``
    documentation. Here ``==`` compares variables; it does not build a selection.
    """

    __slots__ = ()

    _selecting = frozenset(
        {
            *("contains", "equals", "startswith", "endswith", "matches", "isin", "missing"),
            *("before", "after", "between", "year", "quarter", "month", "day"),
        }
    )

    name: str = attribute(schema.VARIABLES, "name")
    description: str = attribute(schema.VARIABLES, "description")
    type: VariableType = attribute(schema.VARIABLES, "type")
    folder_name: str | None = attribute(schema.VARIABLES, "folder_name")
    table_name: str = attribute(schema.VARIABLES, "table_name")
    is_selectable: bool = attribute(schema.VARIABLES, "is_selectable")
    is_browsable: bool = attribute(schema.VARIABLES, "is_browsable")
    is_exportable: bool = attribute(schema.VARIABLES, "is_exportable")
    is_virtual: bool = attribute(schema.VARIABLES, "is_virtual")
    api_type: str = attribute(schema.VARIABLES, "api_type")
    path: str | None = attribute(schema.VARIABLES, "path")
    notes: str | None = attribute(schema.VARIABLES, "notes")

    @property
    def table(self) -> Table:
        """The table that the variable is from."""
        return links_of(self).table(self.table_name)

    @property
    def folder(self) -> Folder | None:
        """The first folder that the variable is in; ``None`` if it is in none.

        A session reads the folders on first use.

        Raises:
            NotLoadedError: a saved catalogue has no folders.
            AptecoFramesError: the API could not be reached, or refused.
        """
        return links_of(self).folder_of(self.name)

    @property
    def codes(self) -> Codes:
        """The variable's codes; empty if it has none. A session reads them on first use.

        If the API refused them and the user went on, they are empty, with a ``CatalogueWarning``.

        Raises:
            NotLoadedError: a saved catalogue has no codes.
            AptecoFramesError: the API could not be reached, or refused.
        """
        return codes_of(links_of(self).alone(self.name).codes, self.name)

    @property
    def uses(self) -> Uses:
        """Which audiences, dashboards, compositions and selection files use the variable.

        A session reads the uses on first use.

        Raises:
            NotLoadedError: a saved catalogue has no uses.
            AptecoFramesError: the API could not be reached, or refused.
        """
        return links_of(self).uses_of([self.name])

    def _no_order(self, other: object) -> NoReturn:
        raise TypeError(f"Variables cannot be compared with `<` or `>`: {STAYS}")

    __lt__ = __le__ = __gt__ = __ge__ = _no_order

    def __eq__(self, other: object) -> bool:
        """Whether both are variables that agree in every column.

        Raises:
            TypeError: the other is a value, which ``apteco`` would make a selection of.
        """
        if isinstance(other, _VALUES):
            raise TypeError(
                f"Variables cannot be compared with values, such as {truncate(other)!r}: {STAYS} "
                "A variable's name is variable.name, its codes are variable.codes."
            )
        return super().__eq__(other)

    __hash__ = Row.__hash__

    def _describe(self) -> str:
        name, description = truncate(self.name), truncate(self.description)
        return f"{name!r} ({description!r} on table {truncate(self.table_name)!r})"

    def __repr__(self) -> str:
        name, description = truncate(self.name), truncate(self.description)
        return f"<{type(self).__name__} {name!r}: {description!r}>"

    def __str__(self) -> str:
        codes = self._block["num_codes"][self._position]
        number = "" if codes is None else f", {codes:,} code{'' if codes == 1 else 's'}"
        return (
            f"{truncate(self.name)}: {truncate(self.description)} "
            f"({self.type} of table {truncate(self.table_name)}{number})"
        )

    def _repr_html_(self) -> str:
        return card.variable(self.to_dict())


class BaseSelectorVariable(Variable):
    """The base of all kinds of selector."""

    __slots__ = ()

    selector_type: str | None = attribute(schema.VARIABLES, "selector_type")
    sub_type: str | None = attribute(schema.VARIABLES, "sub_type")
    code_length: int | None = attribute(schema.VARIABLES, "code_length")
    num_codes: int | None = attribute(schema.VARIABLES, "num_codes")
    var_code_min_count: int | None = attribute(schema.VARIABLES, "var_code_min_count")
    var_code_max_count: int | None = attribute(schema.VARIABLES, "var_code_max_count")
    var_code_order: str | None = attribute(schema.VARIABLES, "var_code_order")
    combined_from: str | None = attribute(schema.VARIABLES, "combined_from")
    unclassified_code: str | None = attribute(schema.VARIABLES, "unclassified_code")
    unclassified_description: str | None = attribute(schema.VARIABLES, "unclassified_description")


class SelectorVariable(BaseSelectorVariable):
    """A variable with one of several codes."""

    __slots__ = ()


class ArrayVariable(BaseSelectorVariable):
    """A variable with any number of several codes."""

    __slots__ = ()


class FlagArrayVariable(BaseSelectorVariable):
    """A variable with a flag for each of several codes."""

    __slots__ = ()


class BaseDateVariable(BaseSelectorVariable):
    """The base of dates and date-times; values are local times without a zone."""

    __slots__ = ()

    min_date: datetime | None = attribute(schema.VARIABLES, "min_date")
    max_date: datetime | None = attribute(schema.VARIABLES, "max_date")


class DateVariable(BaseDateVariable):
    """A variable whose values are dates."""

    __slots__ = ()


class DateTimeVariable(BaseDateVariable):
    """A variable whose values are dates with a time of day."""

    __slots__ = ()


class NumericVariable(Variable):
    """A variable whose values are numbers."""

    __slots__ = ()

    _renamed = MappingProxyType({"max": "max_value", "min": "min_value"})

    min_value: float | None = attribute(schema.VARIABLES, "min_value")
    max_value: float | None = attribute(schema.VARIABLES, "max_value")
    is_currency: bool | None = attribute(schema.VARIABLES, "is_currency")
    currency_locale: str | None = attribute(schema.VARIABLES, "currency_locale")
    currency_symbol: str | None = attribute(schema.VARIABLES, "currency_symbol")
    decimal_places: int | None = attribute(schema.VARIABLES, "decimal_places")


class TextVariable(Variable):
    """A variable whose values are texts."""

    __slots__ = ()

    max_length: int | None = attribute(schema.VARIABLES, "max_length")


class ReferenceVariable(Variable):
    """A variable that identifies records, such as a URN."""

    __slots__ = ()

    reference_type: str | None = attribute(schema.VARIABLES, "reference_type")
    reference_length: int | None = attribute(schema.VARIABLES, "reference_length")
    decimal_places: int | None = attribute(schema.VARIABLES, "decimal_places")


class UnknownVariable(Variable):
    """A variable of an unknown kind, with the attributes of all kinds.

    Attributes that the API does not send are ``None``.
    """

    __slots__ = ()

    selector_type = BaseSelectorVariable.selector_type
    sub_type = BaseSelectorVariable.sub_type
    code_length = BaseSelectorVariable.code_length
    num_codes = BaseSelectorVariable.num_codes
    var_code_min_count = BaseSelectorVariable.var_code_min_count
    var_code_max_count = BaseSelectorVariable.var_code_max_count
    var_code_order = BaseSelectorVariable.var_code_order
    combined_from = BaseSelectorVariable.combined_from
    unclassified_code = BaseSelectorVariable.unclassified_code
    unclassified_description = BaseSelectorVariable.unclassified_description
    min_date = BaseDateVariable.min_date
    max_date = BaseDateVariable.max_date
    min_value = NumericVariable.min_value
    max_value = NumericVariable.max_value
    is_currency = NumericVariable.is_currency
    currency_locale = NumericVariable.currency_locale
    currency_symbol = NumericVariable.currency_symbol
    decimal_places = NumericVariable.decimal_places
    max_length = TextVariable.max_length
    reference_type = ReferenceVariable.reference_type
    reference_length = ReferenceVariable.reference_length


_ROW_TYPES: dict[str, type[Variable]] = {
    VariableType.SELECTOR: SelectorVariable,
    VariableType.NUMERIC: NumericVariable,
    VariableType.TEXT: TextVariable,
    VariableType.ARRAY: ArrayVariable,
    VariableType.FLAG_ARRAY: FlagArrayVariable,
    VariableType.DATE: DateVariable,
    VariableType.DATETIME: DateTimeVariable,
    VariableType.REFERENCE: ReferenceVariable,
    VariableType.UNKNOWN: UnknownVariable,
}
_TYPES = [VariableType(value) for value in schema.VARIABLE_TYPES]
_ROW_TYPE_LIST = [_ROW_TYPES[kind] for kind in _TYPES]


class VariableKeys(ColumnKeys[Variable]):
    """Variables by name alone, or by description alone."""


class Variables(CatalogueFrame[Variable], columns=schema.VARIABLES):
    """The variables of a system or of one table, in the API's order.

    ``variables[key]`` takes a name or a description; ``.names`` and ``.descs`` take one
    of them alone. The columns:

    [columns]
    """

    _noun = "variable"
    _row_type = Variable
    _keys = ("name", "description")
    _preview = ("name", "description", "type", "table_name")
    # Tables, folders and codes, which look up variables, say so, too.
    _when_several = "Look it up by its name alone: variables.names[...]."
    _codes: tuple[object, Codes] | None = None

    @property
    def names(self) -> VariableKeys:
        """The variables by name."""
        return VariableKeys(self, "name")

    @property
    def descs(self) -> VariableKeys:
        """The variables by description; each description comes once."""
        return VariableKeys(self, "description")

    descriptions = descs

    @property
    def codes(self) -> Codes:
        """The codes of these variables, in their order; a session reads them on first use.

        It reads the missing ones over several connections, and keeps them for all its frames.
        See ``Session.load_codes``.

        Raises:
            NotLoadedError: a saved catalogue has no codes.
            CodesError: the API refused the codes of a variable.
            AptecoFramesError: the API could not be reached, or its answers contradict each other.
        """
        links, kept = links_of(self), self._codes
        if kept is None or kept[0] is not links.codes().state:
            store = links.read_codes(self.arrow)
            # The state before the codes: what comes between is seen the next time.
            kept = store.state, Codes(store.of(self.arrow), links.owner, self, store.refused)
            self._codes = kept
        return kept[1]

    @property
    def _none(self) -> str:
        is_part = len(self) < len(links_of(self).owner.variables)
        return f"Of {self._counted} of {self._system} none" if is_part else super()._none

    def _values(self, column: str, start: int, stop: int) -> list[Any]:
        if column == "type":
            return [_TYPES[code] for code in self._kinds[start:stop]]
        return super()._values(column, start, stop)

    def _row_types(self, start: int, stop: int) -> Iterable[type[Row]]:
        return map(_ROW_TYPE_LIST.__getitem__, self._kinds[start:stop])

    @cached_property
    def _kinds(self) -> bytes:
        """The kinds as positions in ``schema.VARIABLE_TYPES``, one byte each."""
        codes = self._arrays["type"].indices
        return bytes(memoryview(codes.buffers()[1])[codes.offset :][: len(codes)])


if not TYPE_CHECKING:  # type checkers would take any name for an attribute
    __getattr__ = attributes(
        __name__,
        {
            "VariablesAccessor": "variables.Variables",
            "VariableNamesAccessor": "variables.VariableKeys",
            "VariableDescsAccessor": "variables.VariableKeys",
        },
    )
