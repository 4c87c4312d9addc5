"""``apteco_api``, the vendor's generated client, over the session's own transport."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partialmethod
from typing import Any

from apteco_frames.errors import InvalidUrlError
from apteco_frames.orbit.client import OrbitClient
from apteco_frames.orbit.deadline import Deadline
from apteco_frames.orbit.options import Timeout
from apteco_frames.orbit.outcome import Response
from apteco_frames.orbit.redact import Secret


def new_api_client(client: OrbitClient) -> Any:
    """A real ``apteco_api.ApiClient`` whose requests go through the client's transport.

    The token is the transport's; the ``Configuration`` holds none.
    """
    import apteco_api

    api_client = apteco_api.ApiClient(apteco_api.Configuration(host=client.base_url))
    api_client.rest_client = _RestClient(client)
    return api_client


class _Response:
    """An answer as the generated client expects it (``apteco_api.rest.RESTResponse``).

    What an error's answer says is in it without any secret.
    """

    def __init__(self, answer: Response) -> None:
        if not 200 <= answer.status <= 299:
            answer = answer.without_secrets()
        self.status = answer.status
        self.reason = answer.reason
        self.data: bytes | str = answer.body
        self._headers = answer.headers

    def getheaders(self) -> Mapping[str, str]:
        return self._headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        return self._headers.get(name, default)


class _RestClient:
    """Stands in for ``apteco_api.rest.RESTClientObject``, with the same methods."""

    def __init__(self, client: OrbitClient) -> None:
        self._client = client

    def request(
        self,
        method: str,
        url: str,
        query_params: Any = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        post_params: Any = None,
        _preload_content: bool = True,
        _request_timeout: Any = None,
    ) -> _Response:
        """Send a request.

        Raises:
            apteco_api.ApiException: the status is an error.
            OrbitConnectionError: there was no answer.
            InvalidUrlError: the URL is not below the session's base URL.
        """
        from apteco_api import ApiException

        if not url.startswith(self._client.base_url + "/"):
            raise InvalidUrlError(
                f"A session's api_client sends its token to {self._client.base_url} only. "
                "For another API, make a client of your own: apteco_api.ApiClient(...)."
            )
        deadline = self._client.new_deadline()
        if _request_timeout is not None:
            deadline = Deadline(Timeout.of(_request_timeout))
        # No variable of ours holds it in plain text: programs show those with an error.
        post_params = [
            (name, Secret(str(value)) if name == "Password" else value)
            for name, value in post_params or []
        ]
        # Not the client's own request(): it would refuse what has expired with an error of
        # ours, and users of the generated client catch the answer's ApiException.
        with ExitStack() as stack:
            for _, value in post_params:
                if isinstance(value, Secret):
                    stack.enter_context(self._client.secrets.with_password(value))
            answer = self._client.send(
                method,
                url,
                deadline=deadline,
                params=query_params,
                **_content(dict(headers or {}), body, post_params),
            )
            response = _Response(answer)
        if not 200 <= response.status <= 299:
            raise ApiException(http_resp=response)
        return response

    GET = partialmethod(request, "GET")
    HEAD = partialmethod(request, "HEAD")
    OPTIONS = partialmethod(request, "OPTIONS")
    DELETE = partialmethod(request, "DELETE")
    POST = partialmethod(request, "POST")
    PUT = partialmethod(request, "PUT")
    PATCH = partialmethod(request, "PATCH")


def _content(headers: dict[str, str], body: Any, post_params: Any) -> dict[str, Any]:
    """The arguments of ``Transport.request`` for a body of the declared type."""
    kind = headers.get("Content-Type", "application/json")
    if kind == "multipart/form-data":
        # requests writes this header itself, with the boundary it chose.
        del headers["Content-Type"]
        fields = [
            (name, value if isinstance(value, tuple) else (None, value))
            for name, value in post_params or []
        ]
        return {"headers": headers, "files": fields}
    if kind == "application/x-www-form-urlencoded":
        return {"headers": headers, "data": post_params}
    if isinstance(body, str | bytes) and "json" not in kind.lower():
        return {"headers": headers, "data": body}
    return {"headers": headers, "json": body}
