"""A hint for old imports of ``apteco.statistics``: sums and means stay with ``apteco``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apteco_frames.support.apteco_names import attributes

if not TYPE_CHECKING:  # type checkers would take any name for an attribute
    __getattr__ = attributes(__name__, {})
