"""A session as the answer to ``SimpleLogin`` and as a serialised one describe it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from apteco_frames.errors import AptecoFramesError, DeserializeError, LoginError
from apteco_frames.orbit.decode import find_fault
from apteco_frames.orbit.json_text import json_object, load, results_error
from apteco_frames.orbit.outcome import Response, api_error, raise_for_status
from apteco_frames.orbit.redact import Secret, require_sendable
from apteco_frames.schema.column import STRING, required_texts

USER_FIELDS = ("username", "firstname", "surname", "emailAddress")
"""What the API tells of the user. All but the first may be null."""

_USER = pa.struct([pa.field(n, STRING, nullable=n != USER_FIELDS[0]) for n in USER_FIELDS])
_SESSION = pa.struct(
    [*required_texts("accessToken", "sessionId"), pa.field("user", _USER, nullable=False)]
)

_SECRETS = ("session_id", "access_token")
_TEXTS = ("base_url", "data_view", *_SECRETS, "system")
_WHOLE = "Pass the whole string that serialize() returned."


def session_details(answer: Response, url: str) -> dict[str, Any]:
    """The ``SessionDetails``; an error about them shows nothing of what they hold.

    ``accessToken`` and ``sessionId`` are secrets.

    Raises:
        GatewayError: the answer does not come from the API.
        LoginError: there is no token, as where the server wants a second factor.
        ApiResultsError: they are incomplete; the message says where.
        AptecoFramesError: the status is an error.
    """
    raise_for_status(answer)
    found = _details_or_error(answer, url)
    if isinstance(found, AptecoFramesError):
        raise found
    return found


def _details_or_error(answer: Response, url: str) -> dict[str, Any] | AptecoFramesError:
    """The error is returned: a traceback would show the answer, and so perhaps a token."""
    without = answer.secrets.without
    try:
        value = load(answer.body, url, without)
    except AptecoFramesError as error:
        return type(error)(*error.args, hint=error.hint)
    if isinstance(value, dict) and not isinstance(value.get("accessToken"), str):
        # How SimpleLogin asks for a second factor is not public.
        what = "The server gave no access token. Perhaps it asks for a second factor at login"
        hint = "This package cannot supply one: ask your administrator for a user without it"
        return api_error(LoginError, answer, what, hint)
    fault = find_fault(value, _SESSION, quoting=False)
    if fault:
        return results_error(fault, url, answer.body, without)
    return {**value, **{name: Secret(value[name]) for name in ("accessToken", "sessionId")}}


def opened_session(answer: Response) -> tuple[Secret, Secret] | None:
    """The id and token of the session that an answer opens, whatever else is missing."""
    match json_object(answer.body):
        case {"sessionId": str(session_id), "accessToken": str(token)} if answer.status < 300:
            opened = Secret(session_id), Secret(token)
            return opened if session_id and can_be_sent(opened[1]) else None
    return None


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
        require_sendable(s, "the serialised session")
        values = json.loads(s.reveal())
        for name in _SECRETS:
            if isinstance(values.get(name), str):
                values[name] = Secret(values[name])
    except (ValueError, RecursionError, AttributeError):
        values = None
    if not isinstance(values, dict):
        raise DeserializeError(
            f"The text is not a serialised session: it is not a JSON object. {_WHOLE}"
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
            f"The serialised session is incomplete: {', '.join(wrong)} missing, or not text. "
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
