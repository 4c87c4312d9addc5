"""Programs that show the variables of an error (rich, Sentry, pytest) show no secret of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import requests
from faults.server import Fault, FaultyServer, changed, edited, ok, raw, status

import apteco_frames
from apteco_frames import Session, login_with_password

PACKAGE = str(Path(apteco_frames.__file__).parent)
# Where the caller's own text comes in; and a server, which has the secrets as a server does.
PUBLIC = {"login_with_password", "renew", "deserialize"}


def frames(error: BaseException) -> Iterator[FrameType]:
    """The frames of ours in an error's traceback, and in those that it is chained to."""
    pending: list[BaseException | None] = [error]
    seen = set()
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        pending += [current.__cause__, current.__context__]
        trace = current.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            own = code.co_filename.startswith(PACKAGE) and "/demo/" not in code.co_filename
            if own and code.co_name not in PUBLIC:
                yield trace.tb_frame
            trace = trace.tb_next


def shown(error: BaseException, secrets: list[str]) -> list[str]:
    """The variables that show one of the secrets."""
    found = []
    for frame in frames(error):
        for name, value in frame.f_locals.items():
            text = ""
            with suppress(Exception):  # of something half made
                text = repr(value)
            if any(secret in text for secret in secrets):
                found.append(f"{frame.f_code.co_name}: {name}")
    return found


FAULTS: dict[str, tuple[Fault, str]] = {
    "no user in the answer": (edited(lambda details: details.pop("user")), "/SimpleLogin"),
    "no id in the answer": (edited(lambda details: details.pop("sessionId")), "/SimpleLogin"),
    "a token that no header can hold": (
        edited(lambda details: details.update(accessToken=details["accessToken"] + "\n")),
        "/SimpleLogin",
    ),
    "an answer that is cut off": (changed(lambda body: body[:-5]), "/SimpleLogin"),
    "an answer that is no JSON": (changed(lambda body: b"x" + body), "/SimpleLogin"),
    "a web page": (changed(lambda body: b"<html>" + body), "/SimpleLogin"),
    "a refusal": (status(401, b'{"message": "no"}'), "/SimpleLogin"),
    "no DataView": (status(404, b'{"message": "no"}'), "/SimpleLogin"),
    "a redirect": (status(302, b"", "Location: /elsewhere"), "/SimpleLogin"),
    "a connection that breaks": (raw(), "/SimpleLogin"),
    "a system that fails": (status(500, b'{"message": "no"}'), "/holidays"),
    "variables that are none": (ok(b"{}"), "/Variables"),
    "variables that break": (raw(), "/Variables"),
}


@pytest.mark.parametrize(
    ("name", "again"),
    # A renewal reads no variables where nothing was rebuilt.
    [(name, again) for name in FAULTS for again in (False, True) if not (again and "var" in name)],
)
def test_login(name: str, again: bool) -> None:
    """Whatever a login or a renewal fails of, no variable below it holds password or token."""
    fault, path = FAULTS[name]
    skip = (2 if path == "/holidays" else 1) if again else 0
    with FaultyServer(fault, path, skip=skip) as server:

        def use() -> None:
            session = server.login(timeout=(1, 1, 1.5))
            session.renew(server.password)

        with pytest.raises(apteco_frames.errors.AptecoFramesError) as caught:
            use()
        assert shown(caught.value, server.secrets) == []


class Stop(BaseException):
    """What is no error of ours."""


class StoppingSession(requests.Session):
    """A session that is stopped in a request."""

    def send(self, *args: Any, **options: Any) -> requests.Response:
        raise Stop


def stopping_hook(response: requests.Response, *args: Any, **options: Any) -> None:
    """A hook that is stopped."""
    raise Stop


def test_what_is_raised_by_an_own_session() -> None:
    """Nor where something of the user's own raises an error of its own."""
    hooked = requests.Session()
    hooked.hooks["response"].append(stopping_hook)
    for http in (hooked, StoppingSession()):
        with FaultyServer() as server, http:
            with pytest.raises(Stop) as caught:
                server.login(http=http)
            assert shown(caught.value, server.secrets) == []


def test_what_fails_in_an_own_session() -> None:
    """Nor in the libraries' own frames, where a hook or an adapter of the user's fails."""

    class Adapter(requests.adapters.HTTPAdapter):
        def send(self, *args: Any, **options: Any) -> requests.Response:
            raise RuntimeError("over the quota")

    def fails(response: requests.Response, *args: Any, **options: Any) -> None:
        raise KeyError("X-Limit")

    hooked, mounted = requests.Session(), requests.Session()
    hooked.hooks["response"].append(fails)
    mounted.mount("http://", Adapter())
    for http in (hooked, mounted):
        with FaultyServer() as server, http:
            with pytest.raises(apteco_frames.errors.OrbitConnectionError) as caught:
                server.login(http=http)
            files = [Path(entry.path) for entry in caught.traceback]
            assert not [file for file in files if "requests" in file.parts]
            assert caught.value.__context__ is None
            assert shown(caught.value, server.secrets) == []


@pytest.mark.parametrize("password", [b"sentinel-of-mine", "sentinel-of-mine\ud800"])
@pytest.mark.parametrize("again", [False, True])
def test_password_of_another_type(password: Any, again: bool) -> None:
    """Nor where the password is none."""
    with FaultyServer() as server:
        session = server.login()
        values = (server.base_url, server.data_view, server.system, server.user)
        use: Callable[[], Any] = lambda: login_with_password(*values, password)  # noqa: E731
        with pytest.raises((TypeError, ValueError)) as caught:
            session.renew(password) if again else use()
    assert shown(caught.value, ["sentinel-of-mine"]) == []


def test_strings_of_sessions() -> None:
    """Nor where a serialised session cannot be restored."""
    with FaultyServer() as server, server.login() as session:
        whole = json.loads(session.serialize())
        spoilt = [json.dumps({k: v for k, v in whole.items() if k != key}) for key in whole]
        spoilt += [json.dumps(whole)[:-2], json.dumps({**whole, "access_token": "\n"})]
        for text in spoilt:
            with pytest.raises(apteco_frames.errors.DeserializeError) as caught:
                Session.deserialize(text)
            assert shown(caught.value, server.secrets) == []
