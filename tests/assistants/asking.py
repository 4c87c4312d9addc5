"""Asking a server as an assistant does, by the official client."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import anyio
from cli.running import environment
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.server import MCPServer

_Result = TypeVar("_Result")


class Told(NamedTuple):
    """An answer.

    Attributes:
        text: what the assistant reads.
        is_error: whether it is an error.
    """

    text: str
    is_error: bool

    @property
    def json(self) -> Any:
        """The answer, decoded."""
        assert not self.is_error, self.text
        return json.loads(self.text)

    @property
    def rows(self) -> list[Any]:
        """Its rows."""
        rows: list[Any] = self.json["rows"]
        return rows


async def call(client: Client, tool: str, **arguments: Any) -> Told:
    """Call a tool."""
    result: Any = await client.call_tool(tool, arguments)
    (content,) = result.content
    return Told(content.text, bool(result.is_error))


def ask(server: MCPServer[Any], tool: str, **arguments: Any) -> Told:
    """Call a tool of a server in this process."""
    return talk(server, lambda client: call(client, tool, **arguments))


def talk(server: Any, conversation: Callable[[Client], Awaitable[_Result]], **how: Any) -> _Result:
    """Hold a conversation with a server.

    Args:
        server: a server in this process, or how to reach another.
        conversation: what to do with a client of it.
        how: options of the client.
    """

    async def held() -> _Result:
        async with Client(server, **how) as client:
            return await conversation(client)

    return anyio.run(held)


def program(*arguments: str | Path) -> Any:
    """``apteco-frames mcp`` in a process of its own, as an assistant starts it."""
    import sys

    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "apteco_frames", "mcp", *map(str, arguments)],
        env=environment(),
    )
    return stdio_client(parameters)
