"""Trees as text, in a notebook, or as Mermaid for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from apteco_frames.support.display import NO_MATHS
from apteco_frames.support.text import truncate

_LABEL_WIDTH = 60
_MOST_SHOWN = 1_000


class Item(NamedTuple):
    """An item of a tree.

    Attributes:
        key: its key, which is unique.
        above: keys of the items that contain it, the nearest first; keys that are not in the
            tree are skipped.
        label: the text to show.
        note: a note to show beside the label.
    """

    key: str
    above: Sequence[str]
    label: str
    note: str


class _Line(NamedTuple):
    depth: int
    is_last: bool  # among its siblings
    has_children: bool
    label: str
    note: str


class Tree:
    """A tree that prints itself; in notebooks it unfolds.

    Args:
        title: a line above the tree, without control characters.
        items: the items; siblings keep their order.

    >>> Tree("Family", [Item("a", [], "Ada", "1815"), Item("b", ["a"], "Byron", "1836")])
    Family
    └── Ada (1815)
        └── Byron (1836)
    """

    def __init__(self, title: str, items: Iterable[Item]) -> None:
        self._title = title
        self._lines = list(_arranged(items))

    def __repr__(self) -> str:
        lines = [self._title]
        # Below what is the last of its siblings, no line leads on.
        bars: list[str] = []
        for line in self._lines[:_MOST_SHOWN]:
            del bars[line.depth :]
            branch = "└── " if line.is_last else "├── "
            lines.append(f"{''.join(bars)}{branch}{_text(line)}")
            bars.append("    " if line.is_last else "│   ")
        return "\n".join([*lines, *self._rest()])

    def _repr_html_(self) -> str:
        parts = [f"<div {NO_MATHS}><p>{escape(self._title)}</p>"]
        open_folds = 0
        for line in self._lines[:_MOST_SHOWN]:
            parts.append("</details>" * (open_folds - line.depth))
            text = escape(_text(line))
            margin = 'style="margin-left: 1em"'
            if line.has_children:
                parts.append(f"<details {margin}><summary>{text}</summary>")
            else:
                parts.append(f"<div {margin}>{text}</div>")
            open_folds = line.depth + line.has_children
        parts.append("</details>" * open_folds)
        parts += [f"<p>{rest}</p>" for rest in self._rest()]
        return "".join([*parts, "</div>"])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {
            "text/plain": repr(self),
            "text/html": self._repr_html_(),
            "text/vnd.mermaid": self.mermaid(),
        }

    def mermaid(self) -> str:
        """The tree as a Mermaid graph, to paste where Markdown shows it.

        >>> print(Tree("Family", [Item("a", [], "Ada", "1815")]).mermaid())
        graph LR
          n0["Family"]
          n0 --> n1["Ada (1815)"]
        """
        lines = ["graph LR", f'  n0["{_quoted(self._title)}"]']
        above = [0]
        for number, line in enumerate(self._lines, 1):
            del above[line.depth + 1 :]
            lines.append(f'  n{above[-1]} --> n{number}["{_quoted(_text(line))}"]')
            above.append(number)
        return "\n".join(lines)

    def _rest(self) -> list[str]:
        hidden = len(self._lines) - _MOST_SHOWN
        return [f"… and {hidden:,} more"] if hidden > 0 else []


def _text(line: _Line) -> str:
    label = truncate(line.label, _LABEL_WIDTH)
    return f"{label} ({line.note})" if line.note else label


def _quoted(text: str) -> str:
    """The text for Mermaid, with the characters that it would interpret as numbers."""
    return "".join(
        character if character.isalnum() or character in " ,.:;()-_/…" else f"#{ord(character)};"
        for character in text
    )


def _arranged(items: Iterable[Item]) -> Iterator[_Line]:
    """The items from the top, each followed by the items within it."""
    all_items = {item.key: item for item in items}
    within: dict[str | None, list[Item]] = {}
    for item in all_items.values():
        around = next((key for key in item.above if key in all_items), None)
        within.setdefault(around, []).append(item)
    pending = _stacked(within.get(None, []), 0)
    while pending:
        depth, item, is_last = pending.pop()
        children = within.get(item.key, [])
        yield _Line(depth, is_last, bool(children), item.label, item.note)
        pending += _stacked(children, depth + 1)


def _stacked(siblings: Sequence[Item], depth: int) -> list[tuple[int, Item, bool]]:
    """Siblings as a stack, the first on top, with whether each is the last."""
    last = len(siblings) - 1
    return [(depth, siblings[position], position == last) for position in range(last, -1, -1)]
