"""Synonyms of one's own: words that mean the same to those who search.

They are a mapping, or a TOML file of one: ``income = ["salary", "earnings"]``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apteco_frames.errors import ConfigurationError
from apteco_frames.support.arguments import not_a, require_path

FOLDER_VARIABLE = "APTECO_FRAMES_CONFIG_DIR"
"""The environment variable that names the user's configuration folder."""

FILE_NAME = "synonyms.toml"
"""The file in that folder that is used unless others are given."""

SynonymsLike = Mapping[str, Sequence[str]] | str | Path | None
"""How synonyms are given: as a mapping, or the path of a file; None for the user's own file."""


def config_folder() -> Path:
    """The user's configuration folder.

    The folder that ``APTECO_FRAMES_CONFIG_DIR`` names; without it ``apteco-frames`` in the
    platform's folder for configurations, such as ``~/.config``.

    Raises:
        RuntimeError: the user has no home.
    """
    if folder := os.environ.get(FOLDER_VARIABLE):
        return Path(folder).expanduser()
    from platformdirs import user_config_path

    return user_config_path("apteco-frames", appauthor=False, roaming=True)


def read_synonyms(given: SynonymsLike = None) -> dict[str, tuple[str, ...]]:
    """The synonyms that a user gives, or has in the file ``synonyms.toml`` beside the profiles.

    Args:
        given: a mapping from a word or phrase to those that mean the same, or a file of one;
            None for the user's own file, which need not be there.

    Raises:
        TypeError: it is neither a mapping from texts to lists of texts nor a path.
        ConfigurationError: the file cannot be read, or has no synonyms.

    >>> read_synonyms({"income": ["salary", "earnings"]})
    {'income': ('salary', 'earnings')}
    """
    if isinstance(given, Mapping):
        wrong = next((item for item in given.items() if not _is_group(*item)), None)
        if wrong is None:
            return {key: tuple(values) for key, values in given.items()}
        wanted = "synonyms= takes a mapping from a text to a list of texts, as in "
        raise TypeError(f'{wanted}{{"income": ["salary", "earnings"]}}; {wrong[0]!r} has no list.')
    if given is not None:
        if not isinstance(given, str | os.PathLike):
            raise not_a("synonyms= takes a mapping or a path", given)
        return _read(require_path(given, "synonyms="))
    try:
        path = config_folder() / FILE_NAME
    except RuntimeError:  # a user without a home has no file there
        return {}
    return _read(path) if path.is_file() else {}


def _read(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"Cannot read synonyms from {path}: {error}.") from None
    for key, values in found.items():
        if not _is_group(key, values):
            raise ConfigurationError(
                f"{key!r} in {path} is not a list of texts. Write synonyms as: "
                'income = ["salary", "earnings"]'
            )
    return {key: tuple(values) for key, values in found.items()}


def _is_group(key: object, values: Any) -> bool:
    is_list = isinstance(values, Sequence) and not isinstance(values, str | bytes)
    return isinstance(key, str) and is_list and all(isinstance(v, str) for v in values)
