"""Thresholds and exceptions for findings, read from a ``lint.toml``.

It looks like this::

[thresholds]
unclassified_share = 0.8

[[exceptions]]
rule = "mostly-unclassified"
name = "boKeyCd"
reason = "Most bookings answer no campaign."
"""

from __future__ import annotations

import tomllib
from typing import Any

from apteco_frames.analysis.lint import THRESHOLDS, Exempted, Settings, check_rule
from apteco_frames.errors import ConfigurationError, UnknownKeyError
from apteco_frames.support.text import truncate

_PARTS = ("thresholds", "exceptions")


def settings_of(text: str, place: str) -> Settings:
    r"""What a file says.

    Args:
        text: the file, as TOML.
        place: where it is, for errors.

    Raises:
        ConfigurationError: it is no TOML, or has what is not known.

    >>> settings_of("[thresholds]\nfolder_variables = 500", "lint.toml").thresholds
    {'folder_variables': 500}
    """
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{place} is not TOML: {error}.") from None
    for name in found:
        if name not in _PARTS:
            raise ConfigurationError(
                f"{place} has {truncate(name)!r}. It may have {' and '.join(_PARTS)}."
            )
    thresholds = found.get("thresholds", {})
    exceptions = found.get("exceptions", [])
    if not isinstance(thresholds, dict) or not isinstance(exceptions, list):
        raise ConfigurationError(
            f"{place} should have a table [thresholds], and for each exception [[exceptions]]."
        )
    for name, value in thresholds.items():
        if name not in THRESHOLDS:
            raise ConfigurationError(
                f"{place} has a threshold {truncate(name)!r}. There are {', '.join(THRESHOLDS)}."
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise ConfigurationError(f"In {place}, threshold {name!r} should be a number from 0.")
    return Settings(thresholds, tuple(_exempted(each, place) for each in exceptions))


def _exempted(values: Any, place: str) -> Exempted:
    fields = Exempted._fields
    if not isinstance(values, dict) or values.keys() != set(fields):
        raise ConfigurationError(
            f"An exception in {place} should have {', '.join(fields)}, and nothing else."
        )
    if not all(isinstance(value, str) and value.strip() for value in values.values()):
        raise ConfigurationError(
            f"An exception in {place} has no reason, or something that is not text: give "
            f"{', '.join(fields)} as texts."
        )
    try:
        check_rule(values["rule"])
    except UnknownKeyError as error:
        raise ConfigurationError(f"An exception in {place}: {error}") from None
    return Exempted(**values)
