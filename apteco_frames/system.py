"""The FastStats system that a catalogue is of."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class FastStatsSystem(NamedTuple):
    """A FastStats system, as the ``apteco`` documentation describes it.

    Attributes:
        name: name of the system.
        description: description of the system.
        build_date: when the system was built, a local time of the FastStats server
            without a zone; ``None`` if the API does not say.
        view_name: name of the system as it was when it was built.
    """

    name: str
    description: str
    build_date: datetime | None
    view_name: str
