"""FastStats times: local times without a zone, as the API and people write them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta

# A zone, should a server ever add one, is not part of a FastStats time. .NET writes up to
# seven digits of a second, of which Arrow keeps six. What apteco takes is taken: a date
# alone, a time without seconds, a blank for the T. Hours end at 23, whatever Python takes:
# Arrow knows no 24:00.
_YEAR = r"(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])"
_TIME = re.compile(
    rf"({_YEAR}-\d\d-\d\d)"
    r"(?:([T ](?:[01]\d|2[0-3]):[0-5]\d)(?:(:[0-5]\d)(?:(\.\d{1,6})\d*)?)?(?:Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)

TIME_PATTERN = rf"^{_TIME.pattern}$"
"""What a time must look like, for Arrow; its four groups are what is kept."""

TIME_GROUPS = r"\1\2\3\4"


def decode_time(text: str) -> datetime:
    """Decode a local time of the API, such as ``2019-11-27T15:57:24``.

    Seconds, or the whole time of day, may be left out; they are zero then. A blank may
    stand for the ``T``.

    Returns:
        a naive ``datetime``: FastStats times have no zone.

    Raises:
        ValueError: the text is no such time.

    >>> decode_time("2019-11-27T15:57:24")
    datetime.datetime(2019, 11, 27, 15, 57, 24)
    >>> decode_time("2019-11-27")
    datetime.datetime(2019, 11, 27, 0, 0)
    """
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:40]!r} is not a date and time")
    return datetime.fromisoformat("".join(group or "" for group in match.groups()))


def latest_time(text: str) -> datetime | None:
    """The latest time that a text can mean: of a day its end; None if it is no time.

    >>> str(latest_time("2019-11-27")), str(latest_time("2019-11-27T15-57-24"))
    ('2019-11-27 23:59:59.999999', '2019-11-27 15:57:24')
    """
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H-%M-%S"):
        with suppress(ValueError):
            time = datetime.strptime(text, form)
            return time + timedelta(days=1, microseconds=-1) if form == "%Y-%m-%d" else time
    with suppress(ValueError):
        return datetime.fromisoformat(text).replace(tzinfo=None)
    return None
