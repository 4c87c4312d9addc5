"""What rows of the ``apteco`` package had: names that it gave up, and what builds selections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from apteco_frames.errors import warn
from apteco_frames.frame.rows import Row
from apteco_frames.support.apteco_names import STAYS


class DeprecatedNames(Row):
    """Rows that know what they were called, and what they could do, in ``apteco``."""

    __slots__ = ()

    _renamed: ClassVar[Mapping[str, str]] = {}
    _selecting: ClassVar[frozenset[str]] = frozenset()

    if not TYPE_CHECKING:  # type checkers would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            """What has no attribute of its own: a former name's new one, or an error."""
            new = self._renamed.get(name)
            if new is not None:
                # apteco, too, warns of these.
                warn(f"The attribute {name} is deprecated; use {new}.", DeprecationWarning)
                return getattr(self, new)
            if name in self._selecting:
                text = f"{type(self).__name__} has no {name} here: {STAYS}"
                raise AttributeError(text)
            return object.__getattribute__(self, name)  # the usual error
