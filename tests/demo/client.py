"""A client of the demo server that knows nothing of the package."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests

from apteco_frames.demo import DemoServer

SYSTEM = "/Holidays/FastStatsSystems/holidays"


def log_in(server: DemoServer, **fields: str) -> requests.Response:
    """The answer to a login with the server's own user, unless told otherwise."""
    form = {"UserLogin": server.user, "Password": server.password, **fields}
    url = f"{server.base_url}/{quote(server.data_view, safe='')}/Sessions/SimpleLogin"
    return requests.post(url, data=form, timeout=10)


class Client:
    """A logged-in client of a server, with one kept connection."""

    def __init__(self, server: DemoServer) -> None:
        self.server = server
        self.details: dict[str, Any] = log_in(server).json()
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {self.details['accessToken']}"

    @property
    def session_path(self) -> str:
        """Path of the client's own session."""
        return f"/Holidays/Sessions/{self.details['sessionId']}"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer to a request below the base URL."""
        return self.http.request(method, self.server.base_url + path, timeout=10, **options)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a successful GET."""
        response = self.ask("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()


def check_error(response: requests.Response, status: int) -> str:
    """The message of an error answer, whose form is checked."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    error = response.json()
    assert set(error) == {"code", "id", "message", "parameters"}
    assert (type(error["code"]), type(error["id"])) == (int, int)
    assert all(set(parameter) == {"key", "value"} for parameter in error["parameters"])
    message: str = error["message"]
    return message
