"""A session as a string: the JSON layout of ``apteco`` 0.8.2, read with care."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from apteco_frames.errors import DeserializeError
from apteco_frames.orbit.arguments import require_secret
from apteco_frames.orbit.redact import Secret

_SECRETS = ("session_id", "access_token")
_TEXTS = ("base_url", "data_view", *_SECRETS, "system")
_WHOLE = "Pass the whole string that serialize() returned."


def session_values(s: Secret, user_fields: Sequence[str]) -> dict[str, Any]:
    """The values of a serialised session, once all that is needed is there; two are secrets.

    Args:
        s: the string.
        user_fields: the texts of ``user``; all but the first may be null.

    Raises:
        TypeError: it is no string.
        DeserializeError: it is no serialised session; the message names what is missing.
    """
    try:
        require_secret(s, "the serialised session")
        values = json.loads(s.reveal())
        for name in _SECRETS:
            if isinstance(values.get(name), str):
                values[name] = Secret(values[name])
    except (ValueError, RecursionError, AttributeError):
        values = None
    if not isinstance(values, dict):
        raise DeserializeError(
            f"The text is no serialised session: it is not a JSON object. {_WHOLE}"
        )
    wrong = [name for name in _TEXTS if not isinstance(values.get(name), str | Secret)]
    user = values.get("user")
    if not isinstance(user, dict):
        wrong.append("user")
    else:
        wrong += [
            f"user.{field}"
            for field in user_fields
            if not isinstance(user.get(field, 0), str if field == user_fields[0] else str | None)
        ]
    if "access_token" not in wrong and not can_be_sent(values["access_token"]):
        wrong.append("access_token")
    if wrong:
        raise DeserializeError(
            f"The serialised session is incomplete: {', '.join(wrong)} missing, or no text. "
            f"{_WHOLE}"
        )
    return values


def can_be_sent(token: Secret) -> bool:
    r"""Whether a header can hold the token: printable characters of Latin-1 only.

    >>> can_be_sent(Secret("eyJ0eXAi")), can_be_sent(Secret("eyJ0\neXAi"))
    (True, False)
    """
    text = token.reveal()
    return text.isprintable() and text == text.encode("latin-1", "ignore").decode("latin-1")
