"""The FastStats system of a catalogue."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from apteco_frames.support.times import decode_time


class FastStatsSystem(NamedTuple):
    """A FastStats system, as the ``apteco`` documentation describes it.

    Attributes:
        name: name of the system.
        description: description of the system.
        build_date: when the system was built, a local time of the FastStats server
            without a time zone; ``None`` if the API does not send one.
        view_name: name of the system when it was built.
    """

    name: str
    description: str
    build_date: datetime | None
    view_name: str


def system_info_of(details: dict[str, Any]) -> FastStatsSystem:
    """The system that the API's ``FastStatsSystemDetail`` describes."""
    date = details.get("fastStatsBuildDate")
    return FastStatsSystem(
        name=details["name"],
        description=details["description"],
        build_date=decode_time(date) if date else None,
        view_name=details["viewName"],
    )
