"""Which builds of a system are kept when an archive is thinned, as restic and borg have it."""

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
"""Of what a rule keeps the last build: what all dates of one such period share."""


def kept(dates: Sequence[datetime | None], rules: Mapping[str, int]) -> set[int]:
    """The positions of the builds to keep: of those that any rule keeps.

    ``last`` keeps so many builds; the others keep the last build of each of so many periods
    in which there is one. Where there are fewer periods, the oldest build is kept as well,
    so that the history becomes as long as the rule allows.

    Args:
        dates: the build dates, the latest first.
        rules: the number for ``last`` and each of :data:`PERIODS`, as far as they are given.

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
