"""What the answer to a login says, a second factor that is wanted among it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from servers import RecordingServer

from apteco_frames.demo.api import Answer, Request
from apteco_frames.errors import ApiResultsError, AptecoFramesError, LoginError
from apteco_frames.orbit.login import second_factor

SECRET = "sentinel-of-a-token"


def refused(status: int, body: Any) -> AptecoFramesError:
    """The error of a login that is answered so; nothing else was asked."""

    class Refusing(RecordingServer):
        def answer(self, request: Request) -> Answer:
            return Answer(status, json.dumps(body).encode())

    with Refusing() as server, pytest.raises(AptecoFramesError) as caught:
        server.login()
    assert len(server.asked) == 1
    assert SECRET not in str(caught.value)
    assert server.password not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("status", [400, 401, 403, 428, 500])
@pytest.mark.parametrize(
    "message",
    [
        *("MFA is required for this user", "Enter your TOTP", "Two-factor authentication needed"),
        *("A second factor is needed", "Multi factor login", "Give the one-time password"),
        *("2FA required", "Open your authenticator", "verification code missing"),
    ],
)
def test_errors_that_speak_of_a_second_factor(status: int, message: str) -> None:
    """An error whose message speaks of a second factor says so, with the API's words."""
    error = refused(status, {"code": 7, "id": 9, "message": message, "parameters": []})
    assert type(error) is LoginError
    text = str(error)
    assert text.startswith("The server asks for a second factor at login (its message speaks of")
    assert "which this package cannot supply" in text
    assert f"The API says: {message!r}" in text
    assert f"/Sessions/SimpleLogin, status {status}" in text
    assert (error.status, error.message) == (status, message)


def test_numbers_of_many_digits() -> None:
    """A number that Python makes no integer of hides nothing that is said beside it."""
    body = b'{"message": "MFA is required", "id": %s}' % (b"9" * 5_000)
    assert second_factor(body) == "its message speaks of one"


@pytest.mark.parametrize("status", [200, 201, 202, 401])
@pytest.mark.parametrize(
    "fields",
    [
        {"mfaRequired": True},
        {"accessToken": None, "requiresTwoFactor": 1},
        {"user": None, "totpToken": SECRET},
        {"MFAToken": SECRET},
        {"sessionId": SECRET, "secondFactor": {"kind": "app", "challenge": SECRET}},
        {"multi_factor": ["Totp"]},
        {"needs2FA": "yes"},
    ],
)
def test_answers_with_fields_for_a_second_factor(status: int, fields: dict[str, Any]) -> None:
    """An answer without a token that has a field for a second factor says so, without values."""
    error = refused(status, fields)
    assert type(error) is LoginError
    assert "asks for a second factor at login (its answer has the field '" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"code": 1, "id": 2, "message": "The password is wrong", "mfaEnabled": False},
        {"message": "Factor 2 of 3", "mfa": None},
        {"message": "Talk to the administrator about Amfa Ltd"},
        {"message": "No comfortable login", "platform": "x", "stamfaX": 1},
    ],
)
def test_other_errors(body: dict[str, Any]) -> None:
    """What only looks like those words changes nothing."""
    assert second_factor(json.dumps(body).encode()) is None
    assert "user name or password was not accepted" in str(refused(401, body))


def test_success_without_a_token() -> None:
    """A success without a token that says nothing more is malformed, perhaps for that reason."""
    error = refused(201, {"sessionId": SECRET, "user": None})
    assert type(error) is ApiResultsError
    assert "$.accessToken is missing. Perhaps the server asks for a second factor, " in str(error)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"MFA", b"null", b'["mfa"]', b'"totp"', b"[" * 100_000, b"\xff"),
        b'{"accessToken": "x", "mfaRegistered": true}',
    ],
)
def test_no_second_factor(body: bytes) -> None:
    """What is no object, or has a token, does not ask for a second factor."""
    assert second_factor(body) is None
