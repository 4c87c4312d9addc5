"""JSON read slowly and with care: what is wrong with it is said in words."""

from __future__ import annotations

import codecs
import json
import math
from dataclasses import dataclass
from typing import Any

from apteco_frames.errors import ApiResultsError, GatewayError

# What JSON calls white space; Python strips more, a form feed for one.
_WHITE_SPACE = b" \t\r\n"
# Python turns no text of more than 4,300 digits into an integer; no double has more than 309.
_MOST_DIGITS = 400


@dataclass(frozen=True, slots=True)
class NotFinite:
    """A number that is none, or is too large for a double, as it was written."""

    text: str

    def __repr__(self) -> str:
        return self.text


def bare(body: bytes) -> bytes:
    r"""The body without a mark of UTF-8 and white space around it.

    >>> bare(b"\xef\xbb\xbf {} \n")
    b'{}'
    """
    return body.removeprefix(codecs.BOM_UTF8).strip(_WHITE_SPACE)


def load(body: bytes, source: str) -> Any:
    """The value that a body holds; numbers that are not finite as :class:`NotFinite`.

    Args:
        body: UTF-8 JSON.
        source: the URL the body came from, for error messages.

    Raises:
        GatewayError: the body is empty or HTML: it does not come from the API.
        ApiResultsError: the body is no JSON, or says something twice.

    >>> load(b'{"minimum": NaN, "maximum": 1e400}', "http://localhost")
    {'minimum': NaN, 'maximum': 1e400}
    """
    text = bare(body)
    if not text:
        raise GatewayError(
            f"The answer of {source} is empty: a gateway or proxy answered, not the API. "
            "Try again, and check the base URL with your administrator if it stays so."
        )
    if text.startswith(b"<"):
        raise GatewayError(
            f"The answer of {source} is a web page: a gateway, a proxy or a login page "
            "answered, not the API. Check the base URL, your VPN and your proxy."
        )
    twice: list[str] = []

    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                twice.append(name)
            found[name] = value
        return found

    try:
        value = json.loads(
            text.decode(),
            object_pairs_hook=whole,
            parse_int=_integer,
            parse_float=_double,
            parse_constant=NotFinite,
        )
    except json.JSONDecodeError as error:
        fault = f"it is not JSON ({error})"
    except (ValueError, RecursionError) as error:
        fault = f"it is not JSON ({type(error).__name__})"
    else:
        if not twice:
            return value
        fault = f"a field stands twice in one object: {show(twice[0])}"
    # Raised out here, since the errors above hold the body, which may hold a token.
    raise results_error(fault, source)


def results_error(fault: str, source: str) -> ApiResultsError:
    """The error for an answer with a fault, which is given in words."""
    return ApiResultsError(
        f"The answer of {source} is not what the Orbit API describes: {fault}. "
        "Nothing of it was used. Try again; if it stays so, show this message to the "
        "administrator of your Orbit installation."
    )


def show(value: Any) -> str:
    """A value of an answer in a few characters of ASCII.

    >>> show(["People", "Bookings"])
    "['People', 'Bookings']"
    """
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _integer(text: str) -> int | NotFinite:
    return int(text) if len(text) <= _MOST_DIGITS else NotFinite(text)


def _double(text: str) -> float | NotFinite:
    number = float(text)
    return number if math.isfinite(number) else NotFinite(text)
