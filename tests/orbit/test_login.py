"""What the answer to a login says, a second factor that is wanted among it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from servers import RecordingServer

from apteco_frames.demo.api import Answer, Request
from apteco_frames.errors import AptecoFramesError, LoginError

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
def test_errors_that_speak_of_a_second_factor(status: int) -> None:
    """An error that speaks of a second factor says so in the API's words."""
    message = "A verification code is required"
    error = refused(status, {"code": 7, "id": 9, "message": message, "parameters": []})
    assert f"The API says: {message!r}" in str(error)
    assert f"/Sessions/SimpleLogin, status {status}" in str(error)


@pytest.mark.parametrize(
    "fields",
    [
        {"mfaRequired": True},
        {"accessToken": None, "requiresTwoFactor": 1},
        {"user": None, "totpToken": SECRET},
        {"sessionId": SECRET, "secondFactor": {"kind": "app", "challenge": SECRET}},
        {"sessionId": SECRET, "user": None, "message": "Enter your TOTP"},
    ],
)
def test_success_without_a_token(fields: dict[str, Any]) -> None:
    """An answer without a token may ask for a second factor; no value of it is shown."""
    error = refused(201, fields)
    assert type(error) is LoginError
    assert "gave no access token. Perhaps it asks for a second factor at login (" in str(error)
    assert ("The API says: 'Enter your TOTP'" in str(error)) == ("message" in fields)
