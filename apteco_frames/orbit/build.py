"""One build of a system: its details, tables and variables, page by page on several connections."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from apteco_frames import schema
from apteco_frames.errors import ApiError, ApiResultsError
from apteco_frames.orbit.client import FIRST_PAGE_SIZE, NAME_COLUMNS, OrbitClient
from apteco_frames.orbit.decode import Page
from apteco_frames.orbit.paging import ListChangedError, Paging, Span
from apteco_frames.orbit.pool import Pool, run_all
from apteco_frames.orbit.task import Task
from apteco_frames.support.progress import Report

PAGE_SIZE = 5_000
"""Items of the pages after the first: many, for few round trips."""


class Build(NamedTuple):
    """One build of a system as the API gives it: its details, tables and variables.

    ``warnings`` says in sentences what is odd about it, but usable.
    """

    system: dict[str, Any]
    tables: pa.Table
    variables: pa.Table
    warnings: tuple[str, ...]


def glance(client: OrbitClient, system: str, task: Task) -> tuple[dict[str, Any], int]:
    """A system's details and how many variables it has: two small requests at a time.

    Args:
        client: whom to ask.
        system: name of the FastStats system.
        task: whose time it takes.

    Raises:
        AptecoFramesError: an error of the tree.
    """
    part = task.part()
    url = client.system_url(system, "Variables")
    calls: dict[str, Callable[[], Any]] = {
        "details": partial(client.system, system, part),
        "page": partial(client.page, url, NAME_COLUMNS, part, 0, 1),
    }
    try:
        found = dict(run_all(calls.items(), part, client.base_url, client.max_connections))
    except ApiError as error:
        if error.status == 404:  # of a system that is not there both fail: this tells which are
            client.system(system, task)
        raise
    return found["details"], found["page"].total


def load_build(client: OrbitClient, system: str, task: Task, report: Report | None = None) -> Build:
    """Tables and variables of one build of a system, complete and in the API's order.

    ``GET …/Tables`` and ``GET …/Variables``, page by page on several connections. If
    the system was changed meanwhile, everything is read once more.

    Args:
        client: whom to ask.
        system: name of the FastStats system.
        task: whose time it takes.
        report: called with the number of variables read so far and in all.

    Raises:
        ApiResultsError: answers are malformed or contradict each other, or the
            system was changed both times.
        AptecoFramesError: another error of the tree.
    """
    for last in (False, True):
        try:
            # Before any page is asked for, so that no build can come between.
            before = client.system(system, task)
            tables, variables = _load_once(client, system, task.part(), report)
        except ListChangedError:
            if last:
                raise
            continue
        after = client.system(system, task)
        if before == after:
            warnings = tuple(filter(None, (tables.warning, variables.warning)))
            return Build(after, tables.rows(), variables.rows(), warnings)
    raise ApiResultsError(
        f"The system {system!r} at {client.base_url} was rebuilt while it was read, twice: built "
        f"{before.get('fastStatsBuildDate')}, then {after.get('fastStatsBuildDate')}. Nothing "
        "was used. Try again once the build is over."
    )


def _load_once(
    client: OrbitClient, system: str, task: Task, report: Report | None
) -> tuple[Paging, Paging]:
    lists = {
        kind: Paging(
            client.page_size or FIRST_PAGE_SIZE,
            client.page_size or PAGE_SIZE,
            client.system_url(system, kind),
        )
        for kind in ("Variables", "Tables")
    }
    columns = {"Variables": schema.VARIABLES, "Tables": schema.TABLES}
    with Pool[tuple[str, Span], Page](task, client.base_url, client.max_connections) as pool:
        while True:
            for kind, paging in lists.items():
                url = client.system_url(system, kind)
                while pool.free and (span := paging.take()):
                    place = span.offset, span.count
                    pool.submit((kind, span), client.page, url, columns[kind], task, *place)
            if pool.idle:
                break
            for (kind, span), page in pool.finished():
                lists[kind].receive(span, page)
            variables = lists["Variables"]
            if report and variables.total is not None:
                report(variables.received, variables.total)
    return lists["Tables"], lists["Variables"]
