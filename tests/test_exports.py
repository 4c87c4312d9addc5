"""What the package offers by name, and that all of it is documented."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import apteco_frames

MODULES = [
    info.name
    for info in pkgutil.walk_packages(apteco_frames.__path__, "apteco_frames.")
    if not info.name.endswith("__main__")
]

NOUNS = ["system", "systems", "tables", "variables", "codes", "folders", "changes", "matches"]

# The rooms, from the ground up: a module imports only from its own room and those before it.
ROOMS = [
    *(
        "errors",
        "exceptions",
        "schema",
        "support",
        "orbit",
        "normalize",
        "frame",
        "analysis",
        "render",
        "storage",
    ),
    *NOUNS,
    *("common", "cube", "datagrid", "query", "statistics"),
    *("system_frames", "catalogue", "archive", "password", "loading"),
    *("logged_in", "session", "logins"),
    *("demo", "cli", "__main__", "__pyinstaller"),
]


def parts_of(module: Any) -> Iterator[tuple[str, Any]]:
    """Public functions and classes that a module defines, and what is public in classes."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value) or callable(value):
            yield f"{module.__name__}.{name}", value
        if inspect.isclass(value):
            for own, member in vars(value).items():
                is_part = isinstance(member, property | staticmethod | classmethod)
                is_part = is_part or inspect.isfunction(member) or hasattr(member, "attrname")
                if is_part and not own.startswith("_"):
                    yield f"{module.__name__}.{name}.{own}", member


def test_names_at_the_top() -> None:
    """The top level offers exactly what the documentation names."""
    assert apteco_frames.__all__ == [
        "Archive",
        "Catalogue",
        "Session",
        "errors",
        "login",
        "login_with_password",
    ]
    star: dict[str, Any] = {}
    exec("from apteco_frames import *", star)
    assert set(star) - {"__builtins__"} == set(apteco_frames.__all__)


def test_the_version_is_the_installed_one() -> None:
    """``__version__`` is the version that the installed package has."""
    assert apteco_frames.__version__ == version("apteco-frames")


def test_package_is_typed() -> None:
    """Type checkers are told that the package is typed."""
    assert files("apteco_frames").joinpath("py.typed").is_file()


@pytest.mark.parametrize("name", MODULES)
def test_everything_is_documented(name: str) -> None:
    """Every module, and every public function, class, method and property has a docstring."""
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip()
    bare = [part for part, value in parts_of(module) if not (value.__doc__ or "").strip()]
    assert bare == []


def test_parts_are_found() -> None:
    """The search for public parts sees functions, classes, methods and properties."""
    session = importlib.import_module("apteco_frames.session")
    found = {name.removeprefix("apteco_frames.session.") for name, _ in parts_of(session)}
    assert {
        *("Session", "Session.deserialize", "Session.user", "Session.systems"),
        *("Session.renew", "User"),
    } <= found
    assert "Catalogue" not in found


def imports_of(path: Path, *, typing: bool = False) -> Iterator[str]:
    """Names of the modules that a module imports: when it is imported, or for annotations."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    if typing:
        blocks = [node for node in body if isinstance(node, ast.If)]
        body = [node for b in blocks if ast.unparse(b.test) == "TYPE_CHECKING" for node in b.body]
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources() -> dict[str, Path]:
    """The package's modules: their files by their names within it."""
    (root,) = map(Path, apteco_frames.__path__)
    found = {path.relative_to(root): path for path in root.rglob("*.py")}
    return {
        ".".join(relative.with_suffix("").parts).removesuffix(".__init__"): path
        for relative, path in found.items()
    }


def room_of(name: str) -> str:
    """The room that a module is in; its own name where it is at the root."""
    return name.partition(".")[0]


def test_every_module_has_its_room() -> None:
    """No module is outside of the rooms."""
    assert {room_of(name) for name in sources()} - {"__init__"} <= set(ROOMS)


def arrows(*, typing: bool) -> Iterator[tuple[str, str]]:
    """Which module of ours imports which: when it is imported, or for annotations."""
    modules = sources()
    for name, path in modules.items():
        for imported in imports_of(path, typing=typing):
            other = imported.removeprefix("apteco_frames.")
            is_among_nouns = {room_of(name), room_of(other)} <= set(NOUNS)
            # What a module names of its own room is a module there, not the room.
            is_own_room = name.startswith(f"{other}.") or name == "__init__"
            if other in modules and not is_own_room and not (typing and is_among_nouns):
                yield name, other


@pytest.mark.parametrize("typing", [False, True], ids=["imports", "annotations"])
def test_rooms_are_in_order(typing: bool) -> None:
    """A module imports only from its own room and those before it, for annotations too.

    The rows of one noun give those of another, in either direction, and say so: nouns name
    each other in annotations.
    """
    wrong = [
        f"{name} imports {other}"
        for name, other in arrows(typing=typing)
        if ROOMS.index(room_of(other)) > ROOMS.index(room_of(name))
    ]
    assert wrong == []


def test_no_arrows_go_round() -> None:
    """No module needs itself by way of others, in one room neither, and for annotations too."""
    graph: dict[str, set[str]] = {}
    for typing in (False, True):
        for name, other in arrows(typing=typing):
            graph.setdefault(name, set()).add(other)
    assert {"session", "demo.server", "frame.base"} <= set(graph)
    TopologicalSorter(graph).prepare()


def test_only_the_transport_speaks_http() -> None:
    """``requests`` and ``urllib3`` are imported by the transport and its two parts alone."""
    users = {
        name
        for name, path in sources().items()
        for imported in imports_of(path)
        if imported.partition(".")[0] in ("requests", "urllib3")
    }
    assert users == {"orbit.connection", "orbit.failure", "orbit.transport"}


def test_demo_is_not_imported_by_the_rest() -> None:
    """No module outside the demo imports it at its top."""
    users = {
        name
        for name, path in sources().items()
        for imported in imports_of(path)
        if imported.startswith("apteco_frames.demo")
    }
    assert users
    assert {name for name in users if not name.startswith("demo")} == set()
