"""Names that rows have in the ``apteco`` package: deprecated ones, and those for selections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from apteco_frames.errors import warn
from apteco_frames.frame.rows import Row
from apteco_frames.support.apteco_names import STAYS


class DeprecatedNames(Row):
    """Rows with attributes of other names, or for selections, in ``apteco``."""

    __slots__ = ()

    _renamed: ClassVar[Mapping[str, str]] = {}
    _selecting: ClassVar[frozenset[str]] = frozenset()

    if not TYPE_CHECKING:  # type checkers would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            """The attribute's new name, or an error."""
            new = self._renamed.get(name)
            if new is not None:
                # apteco, too, warns of these.
                warn(f"The attribute {name} is deprecated; use {new}.", DeprecationWarning)
                return getattr(self, new)
            if name in self._selecting:
                text = f"{type(self).__name__} has no {name} here: {STAYS}"
                raise AttributeError(text)
            return object.__getattribute__(self, name)  # the usual error
