"""Which builds of a system to keep when an archive is pruned, in the way of restic and borg."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

PERIODS: dict[str, Callable[[datetime], Any]] = {
    "daily": datetime.date,
    "weekly": lambda date: date.isocalendar()[:2],
    "monthly": lambda date: (date.year, date.month),
    "yearly": lambda date: date.year,
}
"""The rules that keep the last build of a period: what all dates of one period share."""


def kept(dates: Sequence[datetime | None], rules: Mapping[str, int]) -> set[int]:
    """The positions of the builds that any rule keeps.

    ``last`` keeps that many builds; the others keep the last build of each of that many periods
    with a build. If there are fewer periods, the oldest build is kept as well, so that the
    history grows as long as the rule allows.

    Args:
        dates: the build dates, the latest first.
        rules: the numbers for ``last`` and :data:`PERIODS`; not all need be given.

    >>> days = [datetime(2026, 11, day) for day in (30, 29, 28, 2, 1)]
    >>> sorted(kept(days, {"last": 2, "monthly": 1}))
    [0, 1]
    >>> sorted(kept(days, {"monthly": 2}))
    [0, 4]
    """
    found = set()
    for rule, number in rules.items():
        left, before = number, ()
        for position, date in enumerate(dates):
            period: Any = position if rule == "last" else date and PERIODS[rule](date)
            if left and (period != before or position == len(dates) - 1):
                found.add(position)
                left -= 1
            before = period
    return found
