"""What the package offers by name, and that all of it is documented."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
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


def imports_of(path: Path) -> Iterator[str]:
    """Names of the modules that a module imports when it is imported."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
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


def test_only_the_transport_speaks_http() -> None:
    """``requests`` and ``urllib3`` are imported by the transport and its two parts alone."""
    users = {
        name
        for name, path in sources().items()
        for imported in imports_of(path)
        if imported.partition(".")[0] in ("requests", "urllib3")
    }
    assert users == {"orbit.connection", "orbit.outcome", "orbit.transport"}


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
