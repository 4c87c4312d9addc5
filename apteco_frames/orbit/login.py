"""What the answer to ``SimpleLogin`` says: the session, or what is wanted besides."""

from __future__ import annotations

import json
import re
from typing import Any

import pyarrow as pa

from apteco_frames.errors import ApiResultsError, GatewayError
from apteco_frames.orbit.decode import decode_object
from apteco_frames.orbit.secret import Secret
from apteco_frames.orbit.status import checked
from apteco_frames.orbit.transport import Answer
from apteco_frames.schema.column import required_texts

_USER = pa.struct(required_texts("username", "firstname", "surname", "emailAddress"))
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
    gateway = ""
    try:
        details = decode_object(answer.body, _SESSION, url)
        secrets = {name: Secret(details[name]) for name in ("accessToken", "sessionId")}
        return {**details, **secrets}
    except GatewayError as error:
        gateway = str(error)
    except ApiResultsError as error:
        fault = str(error).partition(", but is ")[0].rstrip(". ")
    # Outside, since the error caught may hold the body, which may hold a token.
    if gateway:
        raise GatewayError(gateway)
    if "$.accessToken is " in fault:
        fault = f"{fault.partition('. ')[0]}. Perhaps the server asks for a second factor, which "
        fault += "this package cannot give"
    raise ApiResultsError(f"{fault}. Nothing was used. Tell your administrator.")


def issued(answer: Answer) -> tuple[Secret, Secret] | None:
    """The id and the token of the session that an answer gives, whatever else it lacks."""
    try:
        details = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    match details:
        case {"sessionId": str(session_id), "accessToken": str(token)} if answer.status < 300:
            return Secret(session_id), Secret(token)
    return None


def second_factor(body: bytes) -> str | None:
    """Where an answer without a token speaks of a second factor; None if it does not.

    The values of fields are not quoted, since they may be secrets.

    >>> second_factor(b'{"message": "A verification code is required"}')
    'its message speaks of one'
    >>> second_factor(b'{"user": null, "mfaRequired": true}')
    "its answer has the field 'mfaRequired'"
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict) or isinstance(answer.get("accessToken"), str):
        return None
    message = answer.get("message")
    if isinstance(message, str) and _SECOND_FACTOR.search(message):
        return "its message speaks of one"
    for name, value in answer.items():
        if value and _SECOND_FACTOR.search(" ".join(_WORDS.findall(name))):
            return f"its answer has the field {name[:40]!a}"
    return None
