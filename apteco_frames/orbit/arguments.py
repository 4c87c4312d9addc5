"""What the user gives to log in: texts, names and options, checked before anything is sent."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from apteco_frames.errors import InvalidUrlError
from apteco_frames.orbit.redact import Secret
from apteco_frames.support.arguments import not_a, require_number
from apteco_frames.support.progress import Progress

if TYPE_CHECKING:
    import requests

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


_DEFAULTS = Options(
    timeout=None,
    verify=None,
    page_size=None,
    max_connections=None,
    progress=None,
    http=None,
    cache=None,
)


def lists_options(function: Function) -> Function:
    """Name each option in a function's signature, as help() and prompts show it.

    >>> @lists_options
    ... def connect(url: str, **options: Any) -> None: ...
    >>> list(inspect.signature(connect).parameters)[:3]
    ['url', 'timeout', 'verify']
    """
    signature = inspect.signature(function)
    kept = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    types = inspect.get_annotations(Options)
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=types[name].__forward_arg__,
        )
        for name, default in _DEFAULTS.items()
    ]
    function.__signature__ = signature.replace(parameters=[*kept, *options])  # type: ignore[attr-defined]
    return function


def require_options(options: Options) -> Options:
    """The options, those not given with their defaults.

    Raises:
        TypeError: an option is unknown, a number is no whole number, ``cache`` is none, or
            progress is neither True, False, None nor a callable.
        ValueError: a number is below 1, or ``cache`` is an empty text.

    >>> options = require_options({"page_size": 100})
    >>> options["page_size"], options["max_connections"]
    (100, None)
    """
    for name in options:
        if name not in _DEFAULTS:
            listed = ", ".join(f"{option}=" for option in _DEFAULTS)
            raise TypeError(f"There is no option {name!r}; there are {listed}.")
    values: Options = {**_DEFAULTS, **options}
    require_progress(values["progress"])
    for option in ("page_size", "max_connections"):
        number = values[option]
        if number is not None:
            values[option] = require_number(number, f"{option}=")
    _check_cache(values["cache"])
    return values


def _check_cache(cache: Any) -> None:
    if cache is not None and not isinstance(cache, bool | str | os.PathLike):
        raise not_a("cache= takes True or a folder", cache)
    if cache == "":
        raise ValueError("cache= takes True or a folder, not an empty text.")


def require_progress(progress: Progress) -> Progress:
    """What a load should report to.

    Raises:
        TypeError: it is neither True, False, None nor a callable.
    """
    if progress is None or isinstance(progress, bool) or callable(progress):
        return progress
    raise not_a("progress= takes True, False, None or a callable", progress)


def require_text(text: str, what: str) -> str:
    """The text that an argument should be; an error does not show what it is instead.

    Raises:
        TypeError: it is no text.
        ValueError: it holds half of a surrogate pair, which cannot be sent.

    >>> require_text(None, "password")
    Traceback (most recent call last):
    TypeError: password must be text (str), not None: is an environment variable not set? \
Nothing was sent.
    """
    _check_kind(type(text), what)
    if not _can_be_encoded(text):
        raise _halved(what)
    return text


def require_secret(secret: Secret, what: str) -> None:
    """Check that a secret is text that can be sent.

    It is never a variable of a function that raises an error: programs show those with it.

    Raises:
        TypeError: it is no text.
        ValueError: it holds half of a surrogate pair, which cannot be sent.
    """
    _check_kind(type(secret.reveal()), what)
    if not _can_be_encoded(secret.reveal()):
        raise _halved(what)


def require_name(name: str, what: str) -> str:
    """The name of a DataView or system, if a URL can hold it.

    Raises:
        TypeError: it is no text.
        InvalidUrlError: it is empty, or a URL would take it for another place.
    """
    _check_kind(type(name), what)
    if name.strip(" ") in ("", ".", "..") or not _can_be_encoded(name):
        raise InvalidUrlError(f"{what} must be a name, not {name!r}. Nothing was sent.")
    return name


def _check_kind(kind: type, what: str) -> None:
    if kind is type(None):
        raise TypeError(
            f"{what} must be text (str), not None: is an environment variable not set? "
            "Nothing was sent."
        )
    if not issubclass(kind, str):
        raise TypeError(
            f"{what} must be text (str), not of type {kind.__name__}. Nothing was sent."
        )


def _halved(what: str) -> ValueError:
    return ValueError(
        f"{what} holds half of a surrogate pair, as wrongly decoded text does, and cannot be "
        "sent. Nothing was sent."
    )


def _can_be_encoded(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
