"""The examples of Markdown pages: found, and run as somebody would who follows the page."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from apteco_frames.demo import DemoServer

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for path in ROOT.joinpath("docs").rglob("*.md") if "_build" not in path.parts)
FENCED = re.compile(r"^( *)```([^\n`]+)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Example(NamedTuple):
    """A fenced block of a page.

    Attributes:
        language: what is said after the fence, ``python`` or ``pycon``.
        text: what stands in it, without the indentation that it has in a list.
        line: the number of its first line on the page, from 1.
    """

    language: str
    text: str
    line: int


def examples(page: str, *languages: str) -> Iterator[Example]:
    """The fenced blocks of a page in these languages, in its order."""
    for found in FENCED.finditer(page):
        indent, language, text = found.groups()
        if language in languages:
            text = re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)
            yield Example(language, text, page.count("\n", 0, found.start()) + 2)


def with_demo(text: str, demo: DemoServer) -> str:
    """A script with the demo server in place of the site that stands on the pages."""
    names = {
        "https://orbit.my-site.com/OrbitAPI": demo.base_url,
        "my_data_view": demo.data_view,
        "my_system": demo.system,
        "jdoe": demo.user,
    }
    for name, replacement in names.items():
        text = text.replace(f'"{name}"', repr(replacement))
    return text


def run(path: Path, demo: DemoServer) -> dict[str, Any]:
    """Run the Python of a page from top to bottom, and give the names that it has then.

    Raises:
        AssertionError: a ``>>>`` example shows something else than the page says.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    shown: list[str] = []
    for example in examples(path.read_text(encoding="utf-8"), "python", "pycon"):
        text = with_demo(example.text, demo)
        if example.language == "python":
            # So that a traceback names the line of the page.
            exec(compile("\n" * (example.line - 1) + text, str(path), "exec"), names)
        else:
            test = doctest.DocTestParser().get_doctest(
                text, names, path.name, str(path), example.line - 1
            )
            runner.run(test, out=shown.append, clear_globs=False)
            names = test.globs
    assert not runner.failures, "".join(shown)
    return names
