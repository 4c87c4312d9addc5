"""The kinds of variables, under the name of the module that ``apteco`` has them in."""

from __future__ import annotations

from apteco_frames.variables import VariableType

__all__ = ["VariableType"]
