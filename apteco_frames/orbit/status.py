"""What the status of an answer means, and what the answer says."""

from __future__ import annotations

from apteco_frames.errors import (
    ApiError,
    AptecoFramesError,
    GatewayError,
    Hint,
    SessionExpiredError,
)
from apteco_frames.orbit.json_text import said
from apteco_frames.orbit.transport import Answer
from apteco_frames.support.text import clipped

REFUSED = frozenset({400, 403, 404})
"""Statuses that say that a list is not to be had, while others may be."""

IF_NO_HELP = "If that is no help, show this message to your administrator"
"""What to do next where the API itself says what is wrong: no guess of ours."""


def checked(answer: Answer) -> bytes:
    """The body of an answer whose status is no error: the one place that maps statuses.

    Raises:
        SessionExpiredError: the status is 401.
        GatewayError: the status is an error, but it is not the API's.
        ApiError: the status is another error.
    """
    status = answer.status
    if 200 <= status < 300:
        return answer.body
    words = said(answer.body)
    if status == 401:
        cause = "" if words.message else ": its token has expired, or it was ended"
        what = f"The session is no longer accepted{cause}"
        raise api_error(SessionExpiredError, answer, what, Hint.LOG_IN_AGAIN)
    told: dict[int, tuple[str, str | Hint]] = {
        400: ("The request was not accepted", "Check the names you gave"),
        403: ("The user may not do this", "Ask your administrator for the right to"),
        404: ("There is nothing at this address", "Check the base URL and the names you gave"),
        407: ("The proxy asks for a login, or did not accept it", Hint.PROXY_LOGIN),
        429: ("The API was asked too often", "Try again later"),
    }
    what, hint = told.get(status, ("The request was refused", "Tell your administrator"))
    if status >= 500:
        what = "The API failed" if words.is_json else "The server failed"
        hint = "Try again; if it stays so, tell your administrator"
    elif words.message and not words.is_page and status not in (407, 429):
        hint = IF_NO_HELP
    raise api_error(ApiError, answer, what, hint)


def api_error(
    kind: type[ApiError], answer: Answer, what: str, hint: Hint | str
) -> AptecoFramesError:
    """The error for an answer, without any secret that the answer repeats.

    Args:
        kind: the class of the error, if it is the API that answered.
        answer: an answer whose status is an error.
        what: what went wrong, the beginning of a sentence.
        hint: what to do next; a text is a sentence without its full stop.

    Returns:
        an error of that class, or a ``GatewayError``.
    """
    without_secrets = answer.secrets.without
    words = said(answer.body)
    # Once they are decoded, or an escape could hide what they say.
    words = words._replace(
        message=without_secrets(words.message),
        parameters=tuple(map(without_secrets, words.parameters)),
    )
    status = f"status {answer.status} {clipped(answer.shown_reason)}".strip()
    wait = answer.headers.get("Retry-After")
    asks = ""
    if wait and answer.status in (429, 503):
        asks = f" It asks to wait: {clipped(without_secrets(wait))!r} (seconds, or a time)."
    next_step = hint if isinstance(hint, Hint) else f"{hint}."
    if words.is_page:
        title = f" ({words.shown})" if words.message else ""
        return GatewayError(
            f"{answer.url} answered with {status} and a web page{title}: a gateway or proxy "
            f"answered, not the API.{asks} Check the base URL, your VPN and your proxy.",
            hint=next_step,
        )
    if not words.is_json and not words.message:
        if kind is ApiError and answer.status != 404:
            return GatewayError(
                f"{answer.url} answered with {status} and no message: perhaps a gateway or proxy "
                f"answered, not the API.{asks} Check the base URL, your VPN and your proxy.",
                hint=next_step,
            )
        status += ", no message"
    who = "API" if words.is_json else "answer"
    says = f" The {who} says: {words.shown}." if words.message or words.parameters else ""
    number = f" Its error number for the administrator is {words.id}." if words.id else ""
    return kind(
        f"{what} ({answer.url}, {status}).{says}{number}{asks}",
        status=answer.status,
        url=answer.url,
        code=words.code,
        error_id=words.id,
        message=words.message or None,
        hint=next_step,
    )
