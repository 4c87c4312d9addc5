"""Ways to spoil bytes and JSON values, drawn from a seeded generator."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

_TOKENS = (
    *(b"null", b"true", b"NaN", b"-1", b"0", b"1e999", b"9223372036854775808", b'""', b"[]"),
    *(b"{}", b'"', b"\\", b"\\u0000", b"\\ud800", b"\0", b"\xff", b"\xc3\xa9", b"\n", b","),
    *(b"Infinity", b"-Infinity", b'"NaN"', b"Inf", b"1e400", b"9" * 400, b"\x0c", b"\xef\xbb\xbf"),
    *(b'"2019-11-27"', b'"2019-11-27 15:57"'),
    *(b":", b"]", b"}", b"[[[[", b"<", b"2019-02-31T00:00:00", b"0000-01-01T00:00:00"),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 5, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e308),
    *(float("nan"), float("inf"), "NaN", "-Infinity", "nan", 10**309, 10**400, "2019-11-27", ""),
    *("2019-11-27 15:57", "x", "\0", "x" * 10_000, "People", "Selector", "é\u202e"),
    *("9999-12-31T23:59:59", "2019-13-01T00:00:00", [], {}, [[]], {"name": "x"}, [None]),
)


def spoilt_bytes(draw: Random, body: bytes) -> bytes:
    """The bytes after one to three changes."""
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(body) + 1)
        end = min(len(body), at + draw.choice([1, 1, 2, 8, 64, 1000]))
        other = draw.randrange(len(body) + 1)
        flipped = bytes(byte ^ (1 << draw.randrange(8)) for byte in body[at : at + 1])
        body = draw.choice(
            [
                body[:at] + flipped + body[at + 1 :],
                body[:at] + body[end:],
                body[:at] + body[at:end] * 2 + body[end:],
                body[:at] + draw.choice(_TOKENS) + body[at:],
                body[:at] + draw.choice(_TOKENS) + body[end:],
                body[:at] + draw.randbytes(end - at) + body[end:],
                body[:other] + body[at:end] + body[other:],
                body[:at],
            ]
        )
    return body


def spoilt_json(draw: Random, value: Any) -> Any:
    """A copy of the value after one to three changes at any depth."""
    value = copy.deepcopy(value)
    for _ in range(draw.randint(1, 3)):
        places = list(_places(value))
        if places:
            _spoil(draw, *draw.choice(places))
    return value


def _places(value: Any) -> Any:
    """Every place below a value: what holds it, and its key."""
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _spoil(draw: Random, holder: Any, key: Any) -> None:
    match draw.randrange(5):
        case 0:
            del holder[key]
        case 1:
            holder[key] = copy.deepcopy(draw.choice(_VALUES))
        case 2 if isinstance(holder, list):
            holder.insert(draw.randrange(len(holder) + 1), copy.deepcopy(holder[key]))
        case 2:
            holder[f"{key}{draw.choice(['', ' ', 'x'])}"] = holder.pop(key)
        case 3:
            other = draw.choice(list(holder if isinstance(holder, dict) else range(len(holder))))
            holder[key], holder[other] = holder[other], holder[key]
        case 4:
            holder[key] = draw.choice([[holder[key]], {"x": holder[key]}, str(holder[key])])
