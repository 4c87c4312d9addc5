"""What the answer to ``SimpleLogin`` says: the session, or what is wanted besides."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from apteco_frames.orbit.json_text import json_object, load, results_error, said
from apteco_frames.orbit.redact import Secret
from apteco_frames.orbit.serialized import can_be_sent
from apteco_frames.orbit.shape import find_fault
from apteco_frames.schema.column import STRING, required_texts

USER_FIELDS = ("username", "firstname", "surname", "emailAddress")
"""What the API tells of the user. All but the first may be null."""

_USER = pa.struct([pa.field(n, STRING, nullable=n != USER_FIELDS[0]) for n in USER_FIELDS])
_SESSION = pa.struct(
    [*required_texts("accessToken", "sessionId"), pa.field("user", _USER, nullable=False)]
)

# Newer servers have Sessions/Mfa/Totp; how SimpleLogin says that it is wanted is not
# public, so the words for it are looked for, in messages and in the names of fields.
_SECOND_FACTOR = re.compile(
    r"\bmfa\b|\btotp\b|\b2fa\b|\b(multi|two|second)[ -]?factor\b|\bauthenticator\b"
    r"|\bone[ -]time (code|password|passcode)|\bverification code\b",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|2[Ff][Aa]")


def session_details(body: bytes, url: str) -> dict[str, Any]:
    """The ``SessionDetails``; an error about them shows nothing of what they hold.

    Raises:
        GatewayError: the body does not come from the API.
        ApiResultsError: they are incomplete; the message names the place.
    """
    value = load(body, url)
    fault = find_fault(value, _SESSION, quoting=False)
    if fault and isinstance(value, dict) and not isinstance(value.get("accessToken"), str):
        fault += ". Perhaps the server asks for a second factor, which this package cannot give"
    if fault:
        raise results_error(fault, url, body)
    return value  # type: ignore[no-any-return]


def opened_session(body: bytes) -> tuple[str, Secret] | None:
    """The session id and the token in an answer that is incomplete, if both are there."""
    answer = json_object(body)
    session_id, token = answer.get("sessionId"), answer.get("accessToken")
    if not (isinstance(session_id, str) and isinstance(token, str) and session_id):
        return None
    secret = Secret(token)
    return (session_id, secret) if can_be_sent(secret) else None


def second_factor(body: bytes) -> str | None:
    """Where an answer without a token speaks of a second factor; None if it does not.

    The values of fields are not quoted, since they may be secrets.

    >>> second_factor(b'{"message": "A verification code is required"}')
    'its message speaks of one'
    >>> second_factor(b'{"user": null, "mfaRequired": true}')
    "its answer has the field 'mfaRequired'"
    """
    answer = json_object(body)
    if not answer or isinstance(answer.get("accessToken"), str):
        return None
    if _SECOND_FACTOR.search(said(body).message):
        return "its message speaks of one"
    for name, value in answer.items():
        if value and _SECOND_FACTOR.search(" ".join(_WORDS.findall(name))):
            return f"its answer has the field {name[:40]!a}"
    return None
