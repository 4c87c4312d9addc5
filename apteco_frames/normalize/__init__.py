"""Columns that follow from what the API lists: Arrow to Arrow, checked on the way."""

from __future__ import annotations
