"""What the status of an answer means."""

from __future__ import annotations

from apteco_frames.errors import ApiError, AptecoFramesError, GatewayError, SessionExpiredError
from apteco_frames.orbit.decode import decode_error
from apteco_frames.orbit.failure import PROXY_LOGIN
from apteco_frames.orbit.transport import Answer
from apteco_frames.support.text import clipped

_LONGEST_MESSAGE = 500

LOG_IN_AGAIN = "Log in again with login() or session.renew(password)"


def checked(answer: Answer) -> bytes:
    """The body of an answer whose status is no error: the one place that maps statuses.

    Raises:
        SessionExpiredError: the status is 401.
        GatewayError: the status is an error, but it is not the API's.
        ApiError: the status is another error.
    """
    if 200 <= answer.status < 300:
        return answer.body
    if answer.status == 401:
        raise api_error(
            SessionExpiredError,
            answer,
            "The session is no longer accepted: its token has expired, or it was ended",
            LOG_IN_AGAIN,
        )
    what, hint = {
        400: ("The request was not accepted", "Check the names you gave"),
        403: ("The user may not do this", "Ask your administrator for the right to"),
        404: ("There is nothing at this address", "Check the base URL and the names you gave"),
        407: ("The proxy asks for a login, or did not accept it", PROXY_LOGIN),
        429: ("The API was asked too often", "Try again later"),
    }.get(
        answer.status,
        ("The API failed", "Try again; if it stays so, tell your administrator")
        if answer.status >= 500
        else ("The request was refused", "Tell your administrator"),
    )
    raise api_error(ApiError, answer, what, hint)


def api_error(kind: type[ApiError], answer: Answer, what: str, hint: str) -> AptecoFramesError:
    """The error for an answer, without any secret that the answer repeats.

    Args:
        kind: the class of the error, if it is the API that answered.
        answer: an answer whose status is an error.
        what: what went wrong, the beginning of a sentence.
        hint: what to do next, a sentence without its full stop.

    Returns:
        an error of that class, or a ``GatewayError``.
    """
    without_secrets = answer.secrets.without
    code, error_id, message = decode_error(answer.body)
    if message is not None:  # once it is decoded, or an escape could hide what it says
        message = without_secrets(message)
    status = f"status {answer.status} {clipped(answer.shown_reason)}".strip()
    wait = answer.headers.get("Retry-After")
    if wait and answer.status in (429, 503):
        hint += f". It asks to wait: {clipped(without_secrets(wait))!r} (seconds, or a time)"
    if message is None and not _is_json(answer):
        is_page = answer.body.lstrip()[:1] == b"<"
        body = "a web page" if is_page else "no message"
        if is_page or (kind is ApiError and answer.status != 404):
            return GatewayError(
                f"{answer.url} answered with {status} and {body}: a gateway or proxy answered, "
                f"not the API. {hint}. Check the base URL, your VPN and your proxy."
            )
        status += f", {body}"
    said = f" The API says: {message[:_LONGEST_MESSAGE]!r}." if message else ""
    number = f" Its error number for the administrator is {error_id}." if error_id else ""
    return kind(
        f"{what} ({answer.url}, {status}).{said}{number} {hint}.",
        status=answer.status,
        url=answer.url,
        code=code,
        error_id=error_id,
        message=message,
    )


def _is_json(answer: Answer) -> bool:
    return answer.body.lstrip()[:1] == b"{"
