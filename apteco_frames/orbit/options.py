"""How to connect: the options of a login, checked before anything is sent."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, TypeVar, cast

from apteco_frames.errors import OrbitConnectionError
from apteco_frames.support.arguments import not_a, require_number, require_progress
from apteco_frames.support.progress import Progress

if TYPE_CHECKING:
    import requests

# Some 11 days; a socket cannot be told to wait for much longer.
_LONGEST_SECONDS = 1_000_000

Function = TypeVar("Function", bound=Callable[..., Any])


class Options(TypedDict, total=False):
    """How to connect: the keyword arguments of ``login``, which says what each does."""

    timeout: float | tuple[float, ...] | None
    verify: bool | str | None
    page_size: int | None
    max_connections: int | None
    progress: Progress
    http: requests.Session | None
    cache: bool | str | os.PathLike[str] | None
    uses: bool | None


def lists_options(function: Function) -> Function:
    """Name each option in a function's signature, as help() and prompts show it.

    >>> @lists_options
    ... def connect(url: str, **options: Any) -> None: ...
    >>> list(inspect.signature(connect).parameters)[:3]
    ['url', 'timeout', 'verify']
    """
    signature = inspect.signature(function)
    kept = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=kind.__forward_arg__,
        )
        for name, kind in inspect.get_annotations(Options).items()
    ]
    function.__signature__ = signature.replace(parameters=[*kept, *options])  # type: ignore[attr-defined]
    return function


def require_options(options: Options) -> Options:
    """The options, those not given as None.

    Raises:
        TypeError: an option is unknown or of a wrong type.
        ValueError: an option is out of its range.
        OrbitConnectionError: the certificate authorities of ``verify`` do not exist.

    >>> options = require_options({"page_size": 100})
    >>> options["page_size"], options["max_connections"]
    (100, None)
    """
    names = Options.__annotations__
    for name in options:
        if name not in names:
            listed = ", ".join(f"{option}=" for option in names)
            raise TypeError(f"Unknown option {name!r}. The options are: {listed}.")
    values = cast("Options", {**dict.fromkeys(names), **options})
    require_progress(values["progress"])
    for option in ("page_size", "max_connections"):
        number = values[option]
        if number is not None:
            values[option] = require_number(number, f"{option}=")
    verify, cache = values["verify"], values["cache"]
    if isinstance(verify, str) and not Path(verify).exists():
        raise OrbitConnectionError(
            f"verify={verify!r}: no such file or folder of certificate authorities. "
            "Nothing was sent."
        )
    if cache is not None and not isinstance(cache, bool | str | os.PathLike):
        raise not_a("cache= takes True or a folder", cache)
    if cache == "":
        raise ValueError("cache= takes True or a folder, not an empty text.")
    if not isinstance(values["uses"], bool | None):
        raise not_a("uses= takes True or False", values["uses"])
    return values


class Timeout(NamedTuple):
    """How long to wait, in seconds.

    Attributes:
        connect: for a connection.
        read: for each part of an answer.
        total: for a whole load, such as logging in and reading the catalogue.
    """

    connect: float = 10.0
    read: float = 60.0
    total: float = 600.0

    @classmethod
    def of(cls, value: float | tuple[float, ...] | None) -> Timeout:
        """The time-outs that a ``timeout=`` argument means.

        Raises:
            ValueError: they are not one to three positive numbers, each up to a million.

        >>> Timeout.of(5)
        Timeout(connect=5.0, read=5.0, total=600.0)
        >>> Timeout.of((3, 30, 120))
        Timeout(connect=3.0, read=30.0, total=120.0)
        """
        if value is None:
            return cls()
        parts = tuple(value) if isinstance(value, tuple | list) else (value, value)
        if not 2 <= len(parts) <= 3 or not all(_is_duration(part) for part in parts):
            raise ValueError(
                "timeout= takes a number of seconds, (connect, read) or (connect, read, total), "
                f"each above 0 and up to {_LONGEST_SECONDS:,}; not {value!r}. Nothing was sent."
            )
        return cls(*map(float, parts))


def _is_duration(value: Any) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and bool(0 < value <= _LONGEST_SECONDS)
