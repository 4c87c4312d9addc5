"""Where secrets could show."""

from __future__ import annotations

import base64
import html
import io
import pickle
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_plus

from apteco_frames import Catalogue, Session

_WALKED = ("apteco_frames", "requests", "urllib3", "http")


def found(secrets: Iterable[str], shown: Iterable[tuple[str, str | bytes]]) -> list[str]:
    """The places that show one of the secrets: texts in any form, bytes as it is."""
    needles = list(secrets)
    return [
        place
        for place, text in shown
        for needle in needles
        if (
            any(needle in form for form in forms(text))
            if isinstance(text, str)
            else needle.encode() in text
        )
    ]


@cache
def forms(text: str) -> frozenset[str]:
    """The text, and what it says once some of its escapes are undone, in any order."""
    known = {text}
    newest = known
    for _ in range(8):
        newest = {undo(form) for form in newest for undo in UNDO} - known
        known |= newest
    return frozenset(known | {inner for form in known for inner in _in_base64(form)})


_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|x([0-9a-f]{2})|(.))", re.I | re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{5,}")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def _without_backslashes(text: str) -> str:
    def meant(match: re.Match[str]) -> str:
        number = match[1] or match[2] or match[3]
        if not number:
            return _CONTROLS.get(match[4], match[4])
        return chr(int(number, 16)) if int(number, 16) <= 0x10FFFF else match[0]

    text = _ESCAPE.sub(meant, text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _as_utf_8(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _in_base64(text: str) -> Iterator[str]:
    for run in _BASE64.findall(text):
        for skipped in range(4):
            inner = run[skipped:].translate({ord("-"): "+", ord("_"): "/"})
            decoded = base64.b64decode(inner[: len(inner) // 4 * 4] + _padded(inner))
            yield decoded.decode("latin-1")
            yield decoded.decode("utf-8", "replace")


def _padded(text: str) -> str:
    """The last, incomplete quantum of a text in Base64, filled up."""
    rest = text[len(text) // 4 * 4 :]
    return rest + "=" * (4 - len(rest)) if len(rest) > 1 else ""


UNDO: list[Callable[[str], str]] = [
    *(html.unescape, unquote, unquote_plus, _without_backslashes, _as_utf_8),
]
"""What a reader, or the next program, may do to a text."""


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
    if catalogue.has_codes:
        things += [session.codes, session.codes["boDest"]]
    if catalogue.has_folders:
        things += [session.folders, session.folders[0], session.folders.tree()]
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
