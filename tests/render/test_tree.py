"""Trees to look at: as ``tree`` prints them, folded in a notebook, as Mermaid."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from strategies import ODD_TEXTS

from apteco_frames.render.tree import Item, Tree
from apteco_frames.support.display import NO_MATHS

SYSTEM = Tree(
    "holidays",
    [
        Item("b", [], "Bookings", "3"),
        Item("d", ["b"], "Dates", "2"),
        Item("m", ["d", "b"], "More", ""),
        Item("c", ["b"], "Costs", "1"),
        Item("p", [], "People", "0"),
    ],
)


class Folds(HTMLParser):
    """What a browser sees: the texts with how many folds they are in, and all tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.depth = 0
        self.texts: list[tuple[int, str]] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self.depth += tag == "details"

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "details"

    def handle_data(self, data: str) -> None:
        self.texts.append((self.depth, data))


@st.composite
def trees(draw: st.DrawFn) -> list[Item]:
    """Items of any tree, each within one that stands before it or within none."""
    items: list[Item] = []
    for number in range(draw(st.integers(0, 12))):
        above = draw(st.none() | st.sampled_from(items)) if items else None
        label = draw(st.sampled_from(ODD_TEXTS) | st.text(max_size=10))
        keys = [above.key, *above.above] if above else []
        items.append(Item(str(number), keys, label, draw(st.sampled_from(["", "1,234"]))))
    return items


def test_as_tree_prints_it() -> None:
    """Lines lead from each item to those within it, and end at the last."""
    assert repr(SYSTEM).splitlines() == [
        "holidays",
        "├── Bookings (3)",
        "│   ├── Dates (2)",
        "│   │   └── More",
        "│   └── Costs (1)",
        "└── People (0)",
    ]


def test_folded_in_a_notebook() -> None:
    """What has something within is a closed fold; there is no script."""
    html = SYSTEM._repr_html_()
    folds = Folds(html)
    assert folds.texts == [
        (0, "holidays"),
        (1, "Bookings (3)"),
        (2, "Dates (2)"),
        (2, "More"),
        (1, "Costs (1)"),
        (0, "People (0)"),
    ]
    assert "open" not in html
    assert folds.tags == {"div", "p", "details", "summary"}


def test_as_mermaid() -> None:
    """An arrow leads to each item from the one around it."""
    assert SYSTEM.mermaid().splitlines() == [
        "graph LR",
        '  n0["holidays"]',
        '  n0 --> n1["Bookings (3)"]',
        '  n1 --> n2["Dates (2)"]',
        '  n2 --> n3["More"]',
        '  n1 --> n4["Costs (1)"]',
        '  n0 --> n5["People (0)"]',
    ]


def test_a_notebook_gets_all_three() -> None:
    """Text, HTML and Mermaid come in one bundle, and a notebook takes what it can show."""
    assert SYSTEM._repr_mimebundle_() == {
        "text/plain": repr(SYSTEM),
        "text/html": SYSTEM._repr_html_(),
        "text/vnd.mermaid": SYSTEM.mermaid(),
    }


def test_what_is_not_in_the_tree_is_passed_over() -> None:
    """An item whose nearest is missing stands within the next that is there."""
    tree = Tree("part", [Item("b", [], "Bookings", ""), Item("m", ["d", "b"], "More", "")])
    assert repr(tree).splitlines()[1:] == ["└── Bookings", "    └── More"]


def test_an_empty_tree() -> None:
    """Where nothing is, only the title stands."""
    tree = Tree("0 folders", [])
    assert repr(tree) == "0 folders"
    assert tree._repr_html_() == f"<div {NO_MATHS}><p>0 folders</p></div>"


def test_a_long_tree_is_cut() -> None:
    """A thousand items are shown; how many more there are is said."""
    tree = Tree("many", [Item(str(n), [], f"item {n}", "") for n in range(2_500)])
    assert repr(tree).splitlines()[-2:] == ["├── item 999", "… and 1,500 more"]
    assert tree._repr_html_().count("<div") == 1_001
    assert "1,500 more" in tree._repr_html_()


def test_a_chain_of_a_hundred() -> None:
    """Depth is no matter."""
    names = [str(number) for number in range(100)]
    tree = Tree("deep", [Item(n, names[:p][::-1], n, "") for p, n in enumerate(names)])
    assert repr(tree).splitlines()[-1] == " " * 4 * 99 + "└── 99"
    assert Folds(tree._repr_html_()).texts[-1] == (99, "99")


@given(trees())
def test_any_tree_is_shown_whole_and_harmlessly(items: list[Item]) -> None:
    """Each item is on a line of its own, folds close, and texts stay texts."""
    tree = Tree("t", items)
    assert len(repr(tree).splitlines()) == len(items) + 1
    folds = Folds(tree._repr_html_())
    assert folds.depth == 0
    assert folds.tags <= {"div", "p", "details", "summary"}
    lines = tree.mermaid().splitlines()
    assert len(lines) == len(items) + 2
    for line in lines[2:]:
        assert re.fullmatch(r'  n\d+ --> n\d+\["[^"<>&`\[\]{}|\\]*"\]', line)
