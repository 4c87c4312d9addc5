"""Which pages of a list to ask for, and when the list is complete.

The API's ``count`` is not trusted: on the last page it exceeds the items that came.
``totalCount`` and the items themselves say what is still missing. Each page must bring
at least one item that was asked for, so that no server can keep a client asking.

Each page after the first is asked for from the item before it, which must be the same on
both pages: so a list that shifts between two pages is noticed, also where its length
stays the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.errors import ApiResultsError
from apteco_frames.orbit.decode import Page
from apteco_frames.support.arrays import integers, whole
from apteco_frames.support.text import ASK_ADMINISTRATOR, list_items

Fetch = Callable[[int, int], Page]
"""Asks for a page: offset and count, in items."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of a list's items.

    Attributes:
        offset: how many come before it.
        count: how many it has.
        overlap: how many of the first of them the page before it has, too: 1 or 0.
    """

    offset: int
    count: int
    overlap: int = 0


_MOST_LISTED = 10
_READINGS = 2


class ListChangedError(ApiResultsError):
    """The list was changed between two of its pages."""


class Paging:
    """Collects one list of the API, page by page, in any order.

    Args:
        first: items to ask for at first, to learn how many there are.
        size: items to ask for at a time after that; a server may give fewer.
        source: the URL of the list, for error messages.

    >>> paging = Paging(1000, 5000, "http://localhost/OrbitAPI/…/Variables")
    >>> paging.take()
    Span(offset=0, count=1000, overlap=0)
    >>> paging.take() is None  # the rest is asked for once the first page is there
    True
    """

    def __init__(self, first: int, size: int, source: str) -> None:
        self._source = source
        self._first = first
        self._todo = deque([Span(0, first)])  # of items that no page has brought
        self._edges: dict[int, dict[str, Any]] = {}
        self._stride = size
        self._pages: dict[int, pa.Table] = {}
        self._not_finite: list[str] = []
        self._next = 0
        self.received = 0
        self.total: int | None = None

    @property
    def done(self) -> bool:
        """Whether all items are there."""
        return self.received == self.total

    def take(self) -> Span | None:
        """The next run of items to ask for; None if there is none for now."""
        if not self._todo:
            if self.total is None or self._next >= self.total:
                return None
            self._todo.append(Span(self._next, self.total - self._next, self._may_overlap))
            self._next = self.total
        span = self._todo.popleft()
        if self.total is None:
            return span
        fresh = min(span.count, max(1, self._stride - span.overlap))
        if fresh < span.count:
            rest = Span(span.offset + fresh, span.count - fresh, self._may_overlap)
            self._todo.appendleft(rest)
        return Span(span.offset - span.overlap, fresh + span.overlap, span.overlap)

    @property
    def _may_overlap(self) -> int:
        return 1 if self._stride > 1 else 0  # or a page would bring nothing new

    def receive(self, span: Span, page: Page) -> None:
        """Take in the page that answers a request.

        Raises:
            ListChangedError: the total is not that of the first page, or the first item
                is not the last of the page before it.
            ApiResultsError: the page is not the one asked for, is empty although items
                are missing, or has more items than it may.
        """
        got = page.rows.num_rows
        first = self.total is None
        if self.total is None:
            self.total = page.total
        if page.total != self.total:
            raise self._changed(f"it had {self.total:,} items, and {page.total:,} now")
        fault = self._fault(span, page, got, first)
        if fault:
            raise ApiResultsError(
                f"{self._source} contradicts itself: asked for {span.count:,} items from offset "
                f"{span.offset:,} of {self.total:,}, {fault}. Nothing was used. {ASK_ADMINISTRATOR}"
            )
        if first:
            self._next = got
            if got != span.count:  # what this server gives at a time, whatever it is asked
                self._stride = got
        elif got <= span.overlap:
            # Nothing new; the same again, without the item that is known.
            self._todo.appendleft(Span(span.offset + got, span.count - got))
            return
        elif got < span.count:
            rest = Span(span.offset + got, span.count - got, self._may_overlap)
            self._todo.appendleft(rest)
            # Perhaps the most that the server gives; but one stray page must not make
            # all that follow tiny.
            self._stride = min(self._stride, max(got, self._first))
        if span.overlap:
            self._meet(span.offset, page.rows.slice(0, 1))
        if self._may_overlap and span.offset + got < self.total:
            self._meet(span.offset + got - 1, page.rows.slice(got - 1))
        self._pages[span.offset + span.overlap] = page.rows.slice(span.overlap)
        self._not_finite += page.not_finite
        self.received += got - span.overlap

    def _meet(self, position: int, row: pa.Table) -> None:
        """See that an item is the same on the two pages that have it."""
        item = row.to_pylist()[0]
        other = self._edges.setdefault(position, item)
        if other is not item:
            del self._edges[position]
            if other != item:
                raise self._changed(f"item {position:,} is a different one now")

    def _changed(self, what: str) -> ListChangedError:
        return ListChangedError(
            f"{self._source} was changed while it was read: {what}. Nothing of it was used. "
            "Try again."
        )

    def rows(self) -> pa.Table:
        """All items in the API's order; only once :attr:`done`."""
        return pa.concat_tables(self._pages[offset] for offset in sorted(self._pages))

    @property
    def warning(self) -> str | None:
        """What to warn of once the list is there, in words; None if there is nothing."""
        if not self._not_finite:
            return None
        listed = list_items(self._not_finite[:_MOST_LISTED], len(self._not_finite))
        return (
            f"{self._source} returned NaN or infinite values: {listed}. They were replaced by "
            "null; everything else is as the API gave it. Tell your Orbit administrator."
        )

    def _fault(self, span: Span, page: Page, got: int, first: bool) -> str | None:
        left = page.total - span.offset
        if page.offset != span.offset:
            return f"it gave the page from offset {page.offset:,}"
        if not got and left > 0:
            return "it gave none"
        # A server may ignore the count and give the whole list at once.
        if got > left or (got > span.count and not (first and got == left)):
            return f"it gave {got:,}"
        return None


def read_list(fetch: Fetch, count: int, source: str) -> pa.Table:
    """All items of a list, page after page, in the API's order; twice if it changes.

    An item that two pages have may have moved between them, as where the list was sorted anew.
    It is the server's own if a second reading gives the same.

    Args:
        fetch: asks for a page: offset and count, in items.
        count: items to ask for at a time, at least 1; a server may give fewer.
        source: the URL of the list, for error messages.

    Returns:
        the rows of the pages, one after the other.

    Raises:
        ListChangedError: the list was changed while it was read, twice.
        ApiResultsError: a page is not the one asked for, is empty although items are
            missing, or has more items than it may.
    """
    before: pa.Table | None = None
    fault = ListChangedError(
        f"{source} was changed while it was read: several pages have the same items. Nothing of "
        "it was used. Try again."
    )
    for _ in range(_READINGS):
        try:
            rows, pages = _read_once(fetch, count, source)
        except ListChangedError as error:
            fault = error
            continue
        if pages == 1 or not _repeats(rows) or (before is not None and rows.equals(before)):
            return rows
        before = rows
    raise fault


def _repeats(rows: pa.Table) -> bool:
    """Whether two rows are the same; ``pa.Table.group_by`` would import pandas to tell."""
    numbers = integers([0] * rows.num_rows)
    for column in rows.columns:
        values = whole(column).dictionary_encode("encode")
        size = integers([len(values.dictionary)])[0]
        pairs = pc.add(pc.multiply(numbers, size), values.indices)
        numbers = pairs.dictionary_encode().indices.cast(pa.int64())
    return bool(pc.count_distinct(numbers).as_py() < rows.num_rows)


def _read_once(fetch: Fetch, count: int, source: str) -> tuple[pa.Table, int]:
    """The rows, and of how many pages they are."""
    paging = Paging(count, count, source)
    pages = 0
    while span := paging.take():
        paging.receive(span, fetch(span.offset, span.count))
        pages += 1
    return paging.rows(), pages
