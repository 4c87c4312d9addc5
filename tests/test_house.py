"""How the house is laid out: its rooms in order, no circles, and private names kept private."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import apteco_frames
from apteco_frames.frame import base

# The rooms, from the ground up: a module imports only from its own room and those before it.
ROOMS = [
    *(
        "errors",
        "exceptions",
        "schema",
        "support",
        "normalize",
        "frame",
        "analysis",
        "render",
        "storage",
    ),
    "links",
    *(
        "system",
        "systems",
        "codes",
        "variables",
        "folders",
        "tables",
        "changes",
        "matches",
        "quality",
        "findings",
        "uses",
    ),
    *("catalogue", "archive", "mcp"),
    *("orbit", "live", "password", "session", "logins"),
    *("common", "cube", "datagrid", "query", "statistics"),
    *("__init__", "demo", "cli", "__main__", "__pyinstaller"),
]

(ROOT,) = map(Path, apteco_frames.__path__)
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
        path.read_text(encoding="utf-8")
    )
    for path in ROOT.rglob("*.py")
}


def room_of(name: str) -> str:
    """The room that a module is in; its own name where it is at the root."""
    return name.partition(".")[0]


def imports_of(tree: ast.AST) -> Iterator[str]:
    """What a module imports: at its top, in functions, and for annotations."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def without_typing(tree: ast.Module) -> ast.Module:
    """A module as it runs, without what is for type checkers."""
    body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return ast.Module(body, [])


def arrows(modules: dict[str, ast.Module]) -> Iterator[tuple[str, str]]:
    """Which module of ours imports which."""
    for name, tree in modules.items():
        for imported in imports_of(tree):
            other = imported.removeprefix("apteco_frames.")
            # What a module names of its own room is a module there, not the room.
            if other in modules and not name.startswith(f"{other}.") and name != other:
                yield name, other


def upward(modules: dict[str, ast.Module]) -> list[str]:
    """The imports that run up the house."""
    return [
        f"{name} imports {other}"
        for name, other in arrows(modules)
        if ROOMS.index(room_of(other)) > ROOMS.index(room_of(name))
    ]


def circles(modules: dict[str, ast.Module]) -> TopologicalSorter[str]:
    """The modules by what they import, which can be put in order if there is no circle."""
    graph: dict[str, set[str]] = {}
    for name, other in arrows(modules):
        graph.setdefault(name, set()).add(other)
    return TopologicalSorter(graph)


def private(name: str) -> bool:
    """Whether a name is private; what Python and IPython look up is not."""
    return name.startswith("_") and not name.endswith("_")


def defined_in(tree: ast.AST) -> set[str]:
    """The private names that a module defines, its attributes' among them."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return set(filter(private, names))


def used_in(tree: ast.AST) -> Iterator[str]:
    """The private names that a module uses of something, or imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from filter(private, [node.attr])
        elif isinstance(node, ast.ImportFrom):
            yield from filter(private, (alias.name for alias in node.names))


def used_elsewhere(modules: dict[str, ast.Module]) -> set[tuple[str, str]]:
    """Modules, and the private names that they use and only others of ours define."""
    ours = {name: defined_in(tree) for name, tree in modules.items()}
    everywhere = set().union(*ours.values())
    return {
        (name, used)
        for name, tree in modules.items()
        for used in set(used_in(tree)) & everywhere - ours[name]
    }


def hooks() -> set[str]:
    """The names that ``frame/`` documents as its hooks."""
    return set(re.findall("``(_[a-z_]+)``", base.__doc__ or ""))


def test_every_module_has_its_room() -> None:
    """No module is outside of the rooms, and no room is empty."""
    assert set(map(room_of, MODULES)) == set(ROOMS)


def test_arrows_run_down() -> None:
    """A module imports only from its room and those below, in functions and annotations too."""
    assert upward(MODULES) == []


def test_no_circles() -> None:
    """No module needs itself by way of others, for annotations neither."""
    circles(MODULES).prepare()


def test_an_underscore_ends_at_its_file() -> None:
    """Private names are used by the module that defines them, but for the hooks of frames."""
    found = used_elsewhere(MODULES)
    assert {(module, name) for module, name in found if name not in hooks()} == set()
    # No hook is listed that nobody needs, and only frames and their nouns use them.
    assert {name for _, name in found} == hooks() & {name for _, name in found}
    frames = {*ROOMS[ROOMS.index("links") :], "frame"} - {*ROOMS[ROOMS.index("orbit") :]}
    assert {room_of(module) for module, _ in found} <= frames


def test_hooks_are_there() -> None:
    """What is documented as a hook is defined in ``frame/``."""
    defined = [defined_in(tree) for name, tree in MODULES.items() if room_of(name) == "frame"]
    assert hooks() <= set().union(*defined)


@pytest.mark.parametrize("name", ["tables", "variables", "codes", "folders"])
def test_frames_do_not_know_nouns(name: str) -> None:
    """The rooms of frames, analysis and rendering import no noun."""
    below = ("frame", "analysis", "render", "storage", "normalize")
    assert [pair for pair in arrows(MODULES) if room_of(pair[0]) in below and pair[1] == name] == []


def test_one_way_to_polars() -> None:
    """Only ``support/fork.py``, which refuses where polars would hang, imports polars."""
    users = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(without_typing(tree))
        if isinstance(node, ast.Import) and any(a.name == "polars" for a in node.names)
    }
    assert users == {"support.fork"}


def test_what_is_wrong_is_seen() -> None:
    """Imports that run up, in a function too, circles, and private names of others are found."""
    sources = {
        "errors": "def late():\n    from apteco_frames.codes import Code",
        "codes": "from apteco_frames import errors\nx._mine = errors._theirs",
        "schema": "class _Hidden:\n    _theirs = 1",
        "support": "from apteco_frames.schema import _Hidden",
    }
    modules = {name: ast.parse(source) for name, source in sources.items()}
    assert upward(modules) == ["errors imports codes"]
    with pytest.raises(ValueError, match="cycle"):
        circles(modules).prepare()
    assert used_elsewhere(modules) == {("codes", "_theirs"), ("support", "_Hidden")}
