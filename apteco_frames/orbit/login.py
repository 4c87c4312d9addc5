"""What the answer to ``SimpleLogin`` says: the session, or what is wanted besides."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from apteco_frames.errors import AptecoFramesError
from apteco_frames.orbit.json_text import json_object, load, results_error, said
from apteco_frames.orbit.redact import Secret
from apteco_frames.orbit.serialized import can_be_sent
from apteco_frames.orbit.shape import find_fault
from apteco_frames.orbit.status import checked
from apteco_frames.orbit.transport import Answer
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


def session_details(answer: Answer, url: str) -> dict[str, Any]:
    """The ``SessionDetails``; an error about them shows nothing of what they hold.

    ``accessToken`` and ``sessionId`` are secrets.

    Raises:
        GatewayError: the answer does not come from the API.
        ApiResultsError: they are incomplete; the message names the place.
        AptecoFramesError: the status is an error.
    """
    checked(answer)
    found = _details_or_error(answer.body, url, answer.secrets.without)
    if isinstance(found, AptecoFramesError):
        raise found
    return found


def _details_or_error(
    body: bytes, url: str, without: Callable[[str], str]
) -> dict[str, Any] | AptecoFramesError:
    """The error is returned: a traceback would show the answer, and so perhaps a token."""
    try:
        value = load(body, url, without)
    except AptecoFramesError as error:
        return type(error)(*error.args, hint=error.hint)
    fault = find_fault(value, _SESSION, quoting=False)
    if fault and isinstance(value, dict) and not isinstance(value.get("accessToken"), str):
        fault += ". Perhaps the server asks for a second factor, which this package cannot give"
    if fault:
        return results_error(fault, url, body, without)
    return {**value, **{name: Secret(value[name]) for name in ("accessToken", "sessionId")}}


def opened_session(answer: Answer) -> tuple[Secret, Secret] | None:
    """The id and the token of the session that an answer opens, whatever else it lacks."""
    match json_object(answer.body):
        case {"sessionId": str(session_id), "accessToken": str(token)} if answer.status < 300:
            opened = Secret(session_id), Secret(token)
            return opened if session_id and can_be_sent(opened[1]) else None
    return None


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
