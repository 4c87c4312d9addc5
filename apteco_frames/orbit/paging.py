"""Which pages of a list to ask for, and when the list is complete.

The API's ``count`` is not trusted: on the last page it exceeds the items that came.
``totalCount`` and the items themselves say what is still missing. Each page must bring
at least one item that was asked for, so that no server can keep a client asking.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import pyarrow as pa

from apteco_frames.errors import ApiResultsError
from apteco_frames.orbit.decode import Page
from apteco_frames.support.text import list_items


@dataclass(frozen=True, slots=True)
class Span:
    """A run of a list's items: how many come before it, and how many it has."""

    offset: int
    count: int


# Each page keeps tens of KiB of its own; what is smaller than this many rows is merged,
# so many pages at a time.
_SMALL_PAGE = 1_000
_MOST_SMALL_PAGES = 100
_MOST_PLACES = 10


class ListChangedError(ApiResultsError):
    """The list had another length than when its first page was read."""


def contradiction(source: str, offset: int, count: int, total: int, fault: str) -> ApiResultsError:
    """The error for a page that is not the one asked for."""
    return ApiResultsError(
        f"{source} contradicts itself: asked for {count:,} items from offset {offset:,} of "
        f"{total:,}, {fault}. Nothing was used. Try again; if it stays so, show this message to "
        "the administrator of your Orbit installation."
    )


class Paging:
    """Collects one list of the API, page by page, in any order.

    Args:
        first: items to ask for at first, to learn how many there are.
        size: items to ask for at a time after that; a server may give fewer.
        source: the URL of the list, for error messages.

    >>> paging = Paging(1000, 5000, "http://localhost/OrbitAPI/…/Variables")
    >>> paging.take()
    Span(offset=0, count=1000)
    >>> paging.take() is None  # the rest is asked for once the first page is there
    True
    """

    def __init__(self, first: int, size: int, source: str) -> None:
        self._source = source
        self._first = first
        self._todo = deque([Span(0, first)])
        self._stride = size
        self._pages: dict[int, pa.Table] = {}
        self._small: dict[int, pa.Table] = {}
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
        if self._todo:
            span = self._todo.popleft()
            if self.total is not None and span.count > self._stride:
                self._todo.appendleft(Span(span.offset + self._stride, span.count - self._stride))
                span = Span(span.offset, self._stride)
            return span
        if self.total is None or self._next >= self.total:
            return None
        span = Span(self._next, min(self._stride, self.total - self._next))
        self._next += span.count
        return span

    def receive(self, span: Span, page: Page) -> None:
        """Take in the page that answers a request.

        Raises:
            ListChangedError: the total is not that of the first page.
            ApiResultsError: the page is not the one asked for, is empty although items
                are missing, or has more items than it may.
        """
        got = page.rows.num_rows
        first = self.total is None
        if self.total is None:
            self.total = page.total
        if page.total != self.total:
            raise ListChangedError(
                f"{self._source} had {self.total:,} items when the first page was read, and "
                f"{page.total:,} now: it was changed meanwhile. Nothing was used. Try again."
            )
        fault = self._fault(span, page, got, first)
        if fault:
            raise contradiction(self._source, span.offset, span.count, self.total, fault)
        if first:
            self._next = got
            if got != span.count:  # what this server gives at a time, whatever it is asked
                self._stride = got
        elif got < span.count:
            self._todo.append(Span(span.offset + got, span.count - got))
            # Perhaps the most that the server gives; but one stray page must not make
            # all that follow tiny.
            self._stride = min(self._stride, max(got, self._first))
        self._keep(span.offset, page.rows)
        self._not_finite += page.not_finite
        self.received += got

    def rows(self) -> pa.Table:
        """All items in the API's order; only once :attr:`done`."""
        pages = self._pages | self._small
        return pa.concat_tables(pages[offset] for offset in sorted(pages))

    @property
    def warning(self) -> str | None:
        """What to warn of once the list is there, in words; None if there is nothing."""
        if not self._not_finite:
            return None
        listed = list_items(self._not_finite[:_MOST_PLACES], len(self._not_finite))
        return (
            f"{self._source} has numbers that are none: {listed}. They are null here, and "
            "all else is as the API gave it. Tell the administrator of your Orbit installation."
        )

    def _keep(self, offset: int, rows: pa.Table) -> None:
        """Keep the rows of a page; merge those that follow each other once many are small."""
        if rows.num_rows >= _SMALL_PAGE:
            self._pages[offset] = rows
            return
        self._small[offset] = rows
        if len(self._small) % _MOST_SMALL_PAGES:
            return
        small, self._small = self._small, {}
        for start, merged in _merged(small).items():
            pages = self._small if merged.num_rows < _SMALL_PAGE else self._pages
            pages[start] = merged

    def _fault(self, span: Span, page: Page, got: int, first: bool) -> str | None:
        left = page.total - span.offset
        if page.offset != span.offset:
            return f"it gave the page from offset {page.offset:,}"
        if not got and left > 0:
            return "it gave none"
        # A server may ignore the count and give the whole list at once.
        if got > left or (got > span.count and not first):
            return f"it gave {got:,}"
        return None


def _merged(pages: dict[int, pa.Table]) -> dict[int, pa.Table]:
    """The pages by their offsets, those that follow each other as one."""
    runs: dict[int, list[pa.Table]] = {}
    start = end = -1
    for offset in sorted(pages):
        if offset != end:
            start = offset
            runs[start] = []
        runs[start].append(pages[offset])
        end = offset + pages[offset].num_rows
    return {
        start: pa.concat_tables(run).combine_chunks(pa.system_memory_pool())
        for start, run in runs.items()
    }
