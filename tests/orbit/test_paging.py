"""Which pages are asked for: whatever a server does, all rows in order, or an error."""

from __future__ import annotations

import dataclasses
import random
import tracemalloc
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to

from apteco_frames.errors import ApiResultsError
from apteco_frames.orbit.decode import Page
from apteco_frames.orbit.paging import ListChangedError, Paging, Span

SOURCE = "https://orbit.my-site.com/OrbitAPI/Holidays/FastStatsSystems/holidays/Variables"

Server = Callable[[Span], Page]


def a_page(
    offset: int, got: int, total: int, *, count: int | None = None, start: int | None = None
) -> Page:
    """A page whose rows are numbered by their places in the list."""
    first = offset if start is None else start
    rows = pa.table({"number": pa.array(range(first, first + got), pa.int64())})
    return Page(offset, got if count is None else count, total, rows)


def a_server(total: int, most: int = 10**9) -> Server:
    """A server of a list that gives at most so many items at a time, as the real one counts."""

    def answer(span: Span) -> Page:
        got = max(0, min(span.count, most, total - span.offset))
        return a_page(span.offset, got, total, count=min(span.count, total))

    return answer


def a_capricious_server(total: int, choice: random.Random) -> Server:
    """A server that gives any number of items, as long as it is at least one."""

    def answer(span: Span) -> Page:
        left = min(span.count, total - span.offset)
        return a_page(span.offset, choice.randint(min(1, left), left), total, count=span.count)

    return answer


def collect(paging: Paging, server: Server, connections: int, choice: random.Random) -> list[Span]:
    """Ask on several connections, with answers in any order; the requests that were made."""
    asked: list[Span] = []
    under_way: list[Span] = []
    while True:
        while len(under_way) < connections and (span := paging.take()):
            under_way.append(span)
            asked.append(span)
        if not under_way:
            return asked
        span = under_way.pop(choice.randrange(len(under_way)))
        paging.receive(span, server(span))


def numbers(paging: Paging) -> list[int]:
    """The rows that were collected."""
    return paging.rows()["number"].to_pylist()  # type: ignore[no-any-return]


def begun(total: int) -> Paging:
    """A list of which the first ten items have been asked for, and are there."""
    paging = Paging(10, 10, SOURCE)
    assert paging.take() == Span(0, 10)
    paging.receive(Span(0, 10), a_page(0, min(10, total), total))
    return paging


orders = st.randoms(use_true_random=False)


sizes = st.integers(1, 250)


@given(st.integers(0, 200), sizes, sizes, sizes, st.integers(1, 6), orders)
@settings(max_examples=up_to(150))
def test_any_page_sizes_and_limit(
    total: int, first: int, size: int, most: int, connections: int, choice: random.Random
) -> None:
    """Any page sizes, server's limit and order of arrival give the same rows in order."""
    paging = Paging(first, size, SOURCE)
    asked = collect(paging, a_server(total, most), connections, choice)
    assert numbers(paging) == list(range(total))
    assert paging.done
    # Few pages are smaller than they need be: those under way when the limit shows.
    rest = max(0, total - min(first, most))
    assert len(asked) <= 1 + -(-rest // max(1, min(size, most) - 1)) + 2 * connections


@given(st.integers(0, 60), sizes, sizes, st.integers(1, 6), orders)
@settings(max_examples=up_to(150))
def test_short_pages(
    total: int, first: int, size: int, connections: int, choice: random.Random
) -> None:
    """A server that gives fewer items than asked for, by turns, is asked for the rest."""
    paging = Paging(first, size, SOURCE)
    asked = collect(paging, a_capricious_server(total, choice), connections, choice)
    assert numbers(paging) == list(range(total))
    assert len(asked) <= max(1, 2 * total)


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 4), orders)
@settings(max_examples=up_to(50))
def test_first_page_may_be_the_whole_list(
    total: int, page_size: int, connections: int, choice: random.Random
) -> None:
    """A server that ignores the count and gives the whole list is believed."""
    paging = Paging(page_size, page_size, SOURCE)
    asked = collect(paging, lambda span: a_page(0, total, total), connections, choice)
    assert numbers(paging) == list(range(total))
    assert asked == [Span(0, page_size)]


@given(st.data())
@settings(max_examples=up_to(200))
def test_no_server_keeps_a_client_asking(data: st.DataObject) -> None:
    """Whatever numbers a server makes up, it ends: in as many rows as promised, or an error."""
    total = data.draw(st.integers(-1, 12))
    first, size = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    answers = []

    def answer(span: Span) -> Page:
        wrong = data.draw(st.integers(0, 7))
        offset = span.offset + (data.draw(st.integers(-1, 1)) if wrong == 0 else 0)
        changed = total + (data.draw(st.integers(-1, 1)) if wrong == 1 else 0)
        got = data.draw(st.integers(0, 7)) if wrong < 4 else min(span.count, total - span.offset)
        answers.append(max(0, got))
        return a_page(offset, max(0, got), changed, start=span.offset)

    paging = Paging(first, size, SOURCE)
    try:
        collect(paging, answer, data.draw(st.integers(1, 3)), random.Random(0))
    except ApiResultsError:
        pass
    else:
        assert paging.total is not None
        assert numbers(paging) == list(range(paging.total))
    assert len(answers) <= max(1, 2 * total + 1)


def test_first_page_comes_first() -> None:
    """Only the first page is asked for until it is there; it tells the total."""
    paging = Paging(10, 10, SOURCE)
    assert paging.take() == Span(0, 10)
    assert paging.take() is None
    assert (paging.total, paging.done) == (None, False)
    paging.receive(Span(0, 10), a_page(0, 10, 25))
    assert (paging.total, paging.received, paging.done) == (25, 10, False)
    assert [paging.take(), paging.take()] == [Span(9, 10, 1), Span(18, 7, 1)]
    assert paging.take() is None


def test_servers_limit_is_learnt() -> None:
    """If the first page is shorter than asked for, the next ones are asked for in its size."""
    paging = Paging(1000, 5000, SOURCE)
    span = paging.take()
    assert span is not None
    paging.receive(span, a_page(0, 100, 350))
    assert [paging.take() for _ in range(4)] == [
        *(Span(99, 100, 1), Span(198, 100, 1), Span(297, 53, 1)),
        None,
    ]


def test_servers_limit_is_learnt_later() -> None:
    """If a later page is shorter than asked for, so are those that follow, but never tiny."""
    for got, learnt in ((60, 60), (3, 10)):
        paging = Paging(10, 100, SOURCE)
        for span, rows in ((Span(0, 10), 10), (Span(9, 100, 1), got)):
            assert paging.take() == span
            paging.receive(span, a_page(span.offset, rows, 1000))
        # The rest of that page comes first, in the same size.
        spans = [paging.take() for _ in range(13)]
        assert spans[0] == Span(9 + got - 1, min(learnt, 100 - got + 1), 1)
        assert Span(108, learnt, 1) in spans


def test_rest_of_a_short_page_is_asked_for() -> None:
    """What a later page lacks is asked for next."""
    paging = begun(40)
    span = paging.take()
    assert span == Span(9, 10, 1)
    paging.receive(span, a_page(9, 3, 40))
    assert paging.take() == Span(11, 8, 1)
    assert paging.take() == Span(18, 10, 1)


def test_rest_of_a_page_in_the_size_learnt() -> None:
    """A large page that came in a small size is completed in that size, and so are the others."""
    paging = Paging(1000, 5000, SOURCE)
    asked = collect(paging, a_server(21_000, 1000), 1, random.Random(0))
    assert asked[1] == Span(999, 5000, 1)
    assert {span.count for span in asked[2:-1]} == {1000, 5}  # 4,000 in steps of 999
    assert len(asked) == 23


def test_not_finite_numbers_are_told() -> None:
    """What to warn of names up to ten places, and says how many more there are."""
    paging = begun(40)
    assert paging.warning is None
    places = tuple(f"numericInfo.minimum of 'v{i}' is NaN" for i in range(8))
    for span in (Span(10, 10), Span(20, 10)):
        page = a_page(span.offset, 10, 40)
        paging.receive(span, dataclasses.replace(page, not_finite=places))
    assert paging.warning is not None
    assert paging.warning.startswith(f"{SOURCE} returned NaN or infinite values: {places[0]}, ")
    assert f"{places[1]} and 6 more. They were replaced by null" in paging.warning
    assert paging.warning.count("is NaN") == 10


def test_empty_list() -> None:
    """A list without items is complete after one page, and keeps its columns."""
    paging = begun(0)
    assert paging.take() is None
    assert paging.done
    assert paging.rows().schema == pa.schema({"number": pa.int64()})
    assert paging.rows().num_rows == 0


def test_api_count_is_not_trusted() -> None:
    """The count of the answer may exceed its items, or be anything else."""
    paging = Paging(10, 10, SOURCE)
    paging.receive(Span(0, 10), a_page(0, 10, 12, count=12))
    paging.receive(Span(10, 2), a_page(10, 2, 12, count=-5))
    assert numbers(paging) == list(range(12))


@pytest.mark.parametrize(
    ("page", "what"),
    [
        (a_page(9, 0, 40), "it gave none"),
        (a_page(0, 10, 40), "it gave the page from offset 0"),
        (a_page(20, 10, 40), "it gave the page from offset 20"),
        (a_page(-10, 10, 40), "it gave the page from offset -10"),
        (a_page(9, 11, 40), "it gave 11"),
        (a_page(9, 31, 40), "it gave 31"),
    ],
)
def test_contradictions(page: Page, what: str) -> None:
    """A page that is empty, too long or another than asked for is an error that says so."""
    paging = begun(40)
    span = paging.take()
    assert span == Span(9, 10, 1)
    with pytest.raises(ApiResultsError) as caught:
        paging.receive(span, page)
    assert str(caught.value).startswith(
        f"{SOURCE} contradicts itself: asked for 10 items from offset 9 of 40, {what}. "
    )
    assert not isinstance(caught.value, ListChangedError)
    assert (paging.received, paging.done) == (10, False)


@pytest.mark.parametrize(
    "page", [a_page(0, 0, 5), a_page(0, 6, 5), a_page(0, 1, 0), a_page(0, 0, -1), a_page(5, 5, 10)]
)
def test_contradictions_of_the_first_page(page: Page) -> None:
    """The first page is checked as the others are."""
    with pytest.raises(ApiResultsError, match="contradicts itself"):
        Paging(10, 10, SOURCE).receive(Span(0, 10), page)


@pytest.mark.parametrize("total", [39, 41, 0, 1000])
def test_total_that_changes(total: int) -> None:
    """A total that is another than at first has an error of its own, with both numbers."""
    paging = begun(40)
    with pytest.raises(ListChangedError, match=f"it had 40 items, and {total:,} now") as caught:
        paging.receive(Span(10, 10), a_page(10, 10, total))
    assert SOURCE in str(caught.value)
    assert isinstance(caught.value, ApiResultsError)


@pytest.mark.parametrize("connections", [1, 4])
@given(
    st.integers(4, 60),
    st.integers(2, 20),
    st.integers(0, 3),
    st.sampled_from(["gone", "new"]),
    orders,
)
def test_a_list_that_shifts(
    connections: int, total: int, size: int, place: int, change: str, choice: random.Random
) -> None:
    """An item that goes or comes while a list is read is noticed, though the length stays."""
    items = list(range(total))
    if change == "gone":
        shifted = [item for item in items if item != place] + [-1]
    else:
        shifted = [*items[:place], -1, *items[place:-1]]
    first = min(size, total - 1)

    def answer(span: Span) -> Page:
        found = (items if span.offset == 0 else shifted)[span.offset : span.offset + span.count]
        return Page(span.offset, len(found), total, pa.table({"number": pa.array(found)}))

    if first <= place or first == 1:
        return  # what moved was not yet read, or pages are too small to overlap
    paging = Paging(first, first, SOURCE)
    with pytest.raises(ListChangedError, match="was changed while it was read: item"):
        collect(paging, answer, connections, choice)


def test_huge_total_costs_nothing() -> None:
    """A total beyond all reason takes no memory before its items are there."""
    tracemalloc.start()
    try:
        paging = begun(2**62)
        spans = [paging.take() for _ in range(4)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert spans == [Span(offset, 10, 1) for offset in (9, 18, 27, 36)]
    assert peak < 100_000
    with pytest.raises(ApiResultsError, match="it gave none"):
        paging.receive(Span(9, 10, 1), a_page(9, 0, 2**62))
