"""Errors and warnings, under the names that ``apteco`` has for them.

>>> from apteco_frames import errors
>>> issubclass(errors.LoginError, AptecoException)
True
"""

from __future__ import annotations

from apteco_frames.errors import (
    ApiResultsError,
    DeserializeError,
    TablesError,
    VariablesError,
)
from apteco_frames.errors import AptecoFramesError as AptecoException
from apteco_frames.errors import AptecoFramesWarning as AptecoWarning

AptecoDeprecationWarning = DeprecationWarning

__all__ = [
    "ApiResultsError",
    "AptecoDeprecationWarning",
    "AptecoException",
    "AptecoWarning",
    "DeserializeError",
    "TablesError",
    "VariablesError",
]
