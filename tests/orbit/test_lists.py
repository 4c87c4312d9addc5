"""Lists that are read from beginning to end: complete and in order, or an error."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apteco_frames.orbit.decode import Page
from apteco_frames.orbit.paging import Fetch, ListChangedError, read_list

URL = "http://localhost/OrbitAPI/…/Codes"


def page(items: list[int], offset: int, total: int | None = None) -> Page:
    """A page of some items."""
    rows = pa.table({"code": pa.array(items, pa.int64())})
    return Page(offset, len(items), len(items) if total is None else total, rows)


def server(items: list[int], most: Callable[[int], int]) -> Fetch:
    """A server of a list that gives no more at a time than it wants to."""

    def fetch(offset: int, count: int) -> Page:
        given = min(count, most(offset))
        return page(items[offset : offset + given], offset, len(items))

    return fetch


def read(fetch: Fetch, count: int) -> list[int]:
    """What is read of a list."""
    items: list[int] = read_list(fetch, count, URL)["code"].to_pylist()
    return items


@given(
    st.lists(st.integers(0, 3), max_size=60),
    st.integers(1, 70),
    st.lists(st.integers(2, 70), min_size=1, max_size=8) | st.just([1]),
)
def test_whatever_the_server_gives_at_a_time(items: list[int], count: int, most: list[int]) -> None:
    """All items come in order, also where they repeat and where pages are short."""
    fetch = server(items, lambda offset: most[offset % len(most)])
    assert read(fetch, count) == items


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 70))
def test_a_server_that_ignores_the_count(items: list[int], count: int) -> None:
    """A server that gives the whole list at once is asked once."""
    asked: list[int] = []

    def fetch(offset: int, count: int) -> Page:
        asked.append(offset)
        return page(items, offset)

    assert read(fetch, count) == items
    assert asked == [0]


@given(st.integers(4, 60), st.integers(2, 20), st.integers(0, 3), st.sampled_from(["gone", "new"]))
def test_a_list_that_shifts_between_two_pages(
    total: int, count: int, place: int, change: str
) -> None:
    """An item that goes or comes before what was read is noticed, though the length stays."""
    items = list(range(total))
    if change == "gone":
        shifted = [item for item in items if item != place] + [-1]
    else:
        shifted = [*items[:place], -1, *items[place:-1]]
    lists = [items]

    def fetch(offset: int, count: int) -> Page:
        # It shifts between the first page and the second, and is still after that.
        answer = page(lists[-1][offset : offset + count], offset, total)
        lists.append(shifted)
        return answer

    assert read(fetch, min(count, total - 1)) == shifted


def test_a_list_that_shifts_twice() -> None:
    """After a second reading that shifts too, nothing is used."""
    lists = [list(range(10)), list(range(1, 11)), list(range(2, 12)), list(range(3, 13))]

    def fetch(offset: int, count: int) -> Page:
        return page(lists.pop(0)[offset : offset + count], offset, 10)

    with pytest.raises(ListChangedError, match=r"was changed while it was read: item 4 .*again"):
        read(fetch, 5)


@pytest.mark.parametrize("totals", [[10, 11, 10, 9], [10, 9, 9, 10]])
def test_a_total_that_changes(totals: list[int]) -> None:
    """A list of another length is read once more, then there is an error."""

    def fetch(offset: int, count: int) -> Page:
        return page(list(range(offset, offset + min(count, 10 - offset))), offset, totals.pop(0))

    with pytest.raises(ListChangedError, match=r"items, and .* now"):
        read(fetch, 5)
    assert totals == []


def test_a_page_that_brings_nothing_new() -> None:
    """A server that gives one item at a time after its first page is asked for the next alone."""
    asked: list[tuple[int, int]] = []

    def fetch(offset: int, count: int) -> Page:
        asked.append((offset, count))
        return page([offset, offset + 1][: count if offset == 0 else 1], offset, 4)

    assert read(fetch, 2) == [0, 1, 2, 3]
    assert asked == [(0, 2), (1, 2), (2, 1), (2, 2), (3, 1)]


def test_a_page_that_comes_again() -> None:
    """A server that sends the first page whatever is asked for is found out."""

    def fetch(offset: int, count: int) -> Page:
        return page(list(range(count)), offset, 100)

    with pytest.raises(ListChangedError):
        read(fetch, 10)
