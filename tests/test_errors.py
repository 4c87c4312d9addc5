"""The tree of errors: as it is drawn, documented, printed plainly, and picklable."""

from __future__ import annotations

import builtins
import inspect
import pickle
import re

import pytest

from apteco_frames import errors
from apteco_frames.errors import (
    AmbiguousKeyError,
    ApiError,
    AptecoFramesError,
    AptecoFramesWarning,
    UnknownKeyError,
)

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, Exception) and not name.startswith("_")
}


def drawn() -> dict[str, tuple[str | None, str | None, str]]:
    """The tree in the docstring: by name the parent, the "also" class and what it means."""
    tree: dict[str, tuple[str | None, str | None, str]] = {}
    above: list[tuple[int, str]] = []
    line_shape = re.compile(r"^([ │├└─]+)(\w+)(?: +(?:\(also (\w+)\) )?(.*))?$")
    drawing = (errors.__doc__ or "").partition("::\n")[2].partition("\nEach message")[0]
    for line in filter(str.strip, drawing.splitlines()):
        match = line_shape.match(line)
        assert match, line
        depth, name = len(match[1]), match[2]
        above = [(at, parent) for at, parent in above if at < depth]
        tree[name] = (above[-1][1] if above else None, match[3], match[4] or "")
        above.append((depth, name))
    return tree


def parent_of(kind: type) -> str | None:
    """The nearest base that is drawn."""
    return next((base.__name__ for base in kind.__mro__[1:] if base.__name__ in CLASSES), None)


def test_tree_is_drawn_as_it_is() -> None:
    """The docstring draws every class of the module at its place, and no other."""
    assert {name: parent for name, (parent, _, _) in drawn().items()} == {
        name: parent_of(kind) for name, kind in CLASSES.items()
    }


def test_builtin_bases_are_drawn() -> None:
    """Where a class is also one of Python's, the drawing says so, and only there."""
    for name, (parent, also, _) in drawn().items():
        if parent:
            ours = set(CLASSES[parent].__mro__)
            foreign = {b for b in CLASSES[name].__mro__ if b.__module__ == "builtins"} - ours
            expected = getattr(builtins, also) if also else None
            assert (expected in foreign) if also else not foreign, name


def test_tree_says_what_each_means() -> None:
    """Each class below a root has a meaning beside it, and a docstring of its own."""
    assert [name for name, (parent, _, what) in drawn().items() if parent and not what] == []
    docs = [kind.__dict__.get("__doc__") or "" for kind in CLASSES.values()]
    assert all(re.match(r"\w.*\.(\n|$)", doc) for doc in docs)
    assert len(set(docs)) == len(docs)


def test_two_roots() -> None:
    """Everything derives from the base of errors, or from that of warnings."""
    for kind in CLASSES.values():
        assert issubclass(kind, AptecoFramesError) != issubclass(kind, AptecoFramesWarning)
    assert issubclass(AptecoFramesWarning, UserWarning)
    assert not issubclass(AptecoFramesError, Warning)


@pytest.mark.parametrize(
    "name", ["ApiResultsError", "TablesError", "VariablesError", "DeserializeError"]
)
def test_names_of_apteco(name: str) -> None:
    """The names that ``apteco`` has are here too."""
    assert issubclass(CLASSES[name], AptecoFramesError)


@pytest.mark.parametrize("kind", [UnknownKeyError, AmbiguousKeyError])
@pytest.mark.parametrize("text", ["No table is named 'Pepole'.", "two\nlines", 'a "b" c', ""])
def test_key_errors_print_plainly(kind: type[KeyError], text: str) -> None:
    """A ``KeyError`` of ours prints its sentence, without quotes and escapes."""
    error = kind(text)
    assert str(error) == text
    assert isinstance(error, KeyError)
    assert isinstance(error, LookupError)


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_errors_survive_pickling(kind: type[Exception]) -> None:
    """Each error comes back from a pickle with its class, text and attributes."""
    values = {
        "status": 404,
        "url": "https://orbit.my-site.com/OrbitAPI",
        "code": 5,
        "error_id": 17,
        "message": "No such table",
    }
    is_api = issubclass(kind, ApiError)
    error = kind("What happened.", **values) if is_api else kind("What happened.")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == "What happened."
    assert vars(again) == (values if is_api else {})


def test_api_error_without_details() -> None:
    """What an API error does not know is None."""
    error = ApiError("What happened.")
    assert vars(error) == dict.fromkeys(["status", "url", "code", "error_id", "message"])
