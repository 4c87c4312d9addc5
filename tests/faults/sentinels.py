"""Where secrets could show."""

from __future__ import annotations

import io
import pickle
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from apteco_frames import Catalogue, Session

_WALKED = ("apteco_frames", "requests", "urllib3", "http")


def found(secrets: Iterable[str], shown: Iterable[tuple[str, str | bytes]]) -> list[str]:
    """The places that show one of the secrets."""
    needles = [secret.encode() for secret in secrets]
    return [
        place
        for place, text in shown
        for needle in needles
        if needle in (text.encode("utf-8", "replace") if isinstance(text, str) else text)
    ]


def shown_by_error(error: BaseException) -> Iterator[tuple[str, str | bytes]]:
    """All that an error and what it is chained to show, or hold."""
    yield "str of the error", str(error)
    yield "repr of the error", repr(error)
    yield "traceback", "".join(traceback.format_exception(error))
    yield "pickle of the error", pickle.dumps(error)
    yield from ((f"error{place}", text) for place, text in _held(error))


def _held(thing: Any, place: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """The texts that an object holds, itself or in its attributes."""
    seen = set() if seen is None else seen
    if id(thing) in seen or len(seen) > 10_000:
        return
    seen.add(id(thing))
    if isinstance(thing, str | bytes):
        yield place, thing
        return
    if isinstance(thing, io.BytesIO | io.StringIO):
        yield place, thing.getvalue()
        return
    inner: list[tuple[str, Any]] = []
    if isinstance(thing, dict):
        inner = [(f"[{key!r}]", value) for key, value in thing.items()]
        inner += [(".keys", key) for key in thing]
    elif isinstance(thing, list | tuple | set | frozenset):
        inner = [("[…]", value) for value in thing]
    elif isinstance(thing, BaseException):
        names = ("__cause__", "__context__", "args", "__dict__")
        inner = [(f".{name}", getattr(thing, name, None)) for name in names]
        # Texts that some errors of the standard library hold besides.
        inner += [(f".{name}", getattr(thing, name, None)) for name in ("doc", "object")]
    elif type(thing).__module__.partition(".")[0] in _WALKED:
        inner = [("", getattr(thing, "__dict__", None))]
        inner += [(".items", list(thing.items()))] if hasattr(thing, "items") else []
    for name, value in inner:
        yield from _held(value, place + name, seen)


def shown_by_session(session: Session, folder: Path) -> Iterator[tuple[str, str | bytes]]:
    """All that a session and what it gives show or write, but for what is asked for."""
    catalogue = session.catalogue
    things: list[Any] = [session, session.tables, session.variables, catalogue]
    things += [session.tables[0], session.variables[0], session.user, session.system_info]
    for thing in things:
        yield f"repr of {type(thing).__name__}", repr(thing)
        yield f"str of {type(thing).__name__}", str(thing)
        if hasattr(thing, "_repr_html_"):
            yield f"HTML of {type(thing).__name__}", thing._repr_html_()
        if thing is not session:
            yield f"pickle of {type(thing).__name__}", pickle.dumps(thing)
    yield "session.__dict__", repr(vars(session))
    yield from shown_by_files(catalogue, folder)


def shown_by_files(catalogue: Catalogue, folder: Path) -> Iterator[tuple[str, bytes]]:
    """What is written to disk."""
    catalogue.write_parquet(folder)
    catalogue.variables.write_parquet(folder / "own.parquet")
    catalogue.variables.write_csv(folder / "own.csv")
    for path in folder.iterdir():
        yield path.name, path.read_bytes()
