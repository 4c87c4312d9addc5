"""A list of the API read from its beginning to its end, page after page.

For the many lists that mostly fit on one page: the codes of a variable, the contents of
a folder. (Tables and variables are few lists of many pages: ``paging.py``.)

Each page after the first is asked for from the last item that is there already, which
must come again as it was: so a list that shifts between two pages is noticed, also where
its length stays the same.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from apteco_frames.errors import ApiResultsError
from apteco_frames.orbit.decode import Page
from apteco_frames.orbit.paging import ListChangedError, contradiction

Fetch = Callable[[int, int], Page]
"""Asks for a page: offset and count, in items."""

REFUSED = frozenset({400, 403, 404})
"""Statuses that say that this list is not to be had, while others may be."""

_READINGS = 2


def read_list(fetch: Fetch, count: int, source: str) -> pa.Table:
    """All items of a list, in the API's order.

    Args:
        fetch: asks for a page.
        count: items to ask for at a time, at least 1; a server may give fewer.
        source: the URL of the list, for error messages.

    Returns:
        the rows of the pages, one after the other.

    Raises:
        ListChangedError: the list was changed while it was read, twice.
        ApiResultsError: a page is not the one asked for, is empty although items are
            missing, or has more items than it may.
    """
    for _ in range(_READINGS - 1):
        try:
            return _read_once(fetch, count, source)
        except ListChangedError:
            pass
    return _read_once(fetch, count, source)


def _read_once(fetch: Fetch, count: int, source: str) -> pa.Table:
    first = fetch(0, count)
    _check(first, 0, count, first.total, source)
    pages = [first.rows]
    got = len(first.rows)
    stride = min(count, got)  # what this server gives at a time, whatever it is asked
    while got < first.total:
        again = 1 if stride > 1 else 0
        offset = got - again
        size = min(stride, first.total - offset)
        page = fetch(offset, size)
        if page.total != first.total:
            raise _changed(source, f"it had {first.total:,} items, and {page.total:,} now")
        _check(page, offset, size, first.total, source)
        if not page.rows.slice(0, again).equals(pages[-1].slice(len(pages[-1]) - again)):
            raise _changed(source, f"item {offset:,} is another one now")
        fresh = page.rows.slice(again)
        if not len(fresh):
            raise contradiction(source, offset, size, first.total, "it gave no further one")
        pages.append(fresh)
        got += len(fresh)
    return pa.concat_tables(pages)


def _check(page: Page, offset: int, count: int, total: int, source: str) -> None:
    got, left = len(page.rows), total - offset
    fault = None
    if page.offset != offset:
        fault = f"it gave the page from offset {page.offset:,}"
    elif not got and left > 0:
        fault = "it gave none"
    # A server may ignore the count and give all there is.
    elif got > left or (got > count and got != left):
        fault = f"it gave {got:,}"
    if fault:
        raise contradiction(source, offset, count, total, fault)


def _changed(source: str, what: str) -> ApiResultsError:
    return ListChangedError(
        f"{source} was changed while it was read: {what}. Nothing of it was used. Try again."
    )
