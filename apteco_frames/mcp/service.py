"""The server of the ``mcp`` package around the tools."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, redirect_stdout, suppress
from functools import partial, wraps
from typing import Any
from urllib.parse import quote

from anyio import (
    CapacityLimiter,
    create_memory_object_stream,
    create_task_group,
    move_on_after,
    sleep,
    to_thread,
)
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resources import FunctionResource
from mcp.server.mcpserver.tools import Tool
from mcp.server.stdio import stdio_server
from mcp_types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import ValidationError

from apteco_frames.catalogue import Catalogue
from apteco_frames.errors import AptecoFramesError
from apteco_frames.mcp.library import Library
from apteco_frames.support.fork import import_polars
from apteco_frames.support.text import truncate

# So many calls are at work at once; others wait, but messages do not.
_AT_WORK, _QUERIES_AT_WORK = 8, 4
_LAST_CALLS_SECONDS, _MOMENT = 1.0, 0.03


class CatalogueServer(MCPServer[Any]):
    """A server that says in a sentence what is wrong with a call, and answers before it ends."""

    _at_work = 0

    async def run_stdio_async(self) -> None:
        """Serve over standard input and output; what was asked before their end is answered.

        The SDK drops calls that are not answered when standard input ends, as it does behind
        the first questions of a script. Those that take long are dropped here, too.
        """
        async with stdio_server() as (given, answers), create_task_group() as tasks:
            sender, receiver = create_memory_object_stream[Any](0)

            async def relay() -> None:
                async with sender:
                    async for message in given:
                        await sender.send(message)
                    with move_on_after(_LAST_CALLS_SECONDS):
                        await sleep(_MOMENT)
                        while self._at_work:
                            await sleep(_MOMENT)
                        await sleep(_MOMENT)

            tasks.start_soon(relay)
            options = self._lowlevel_server.create_initialization_options()
            # What is printed would wait in a buffer, and come out when the protocol is over.
            with redirect_stdout(sys.stderr):
                await self._lowlevel_server.run(receiver, answers, options)
            tasks.cancel_scope.cancel()

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Any = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool."""
        self._at_work += 1
        try:
            return await self._called(name, arguments, context)
        finally:
            self._at_work -= 1

    async def _called(
        self, name: str, arguments: dict[str, Any], context: Any
    ) -> CallToolResult | InputRequiredResult:
        tools = {tool.name: tool.input_schema["properties"] for tool in await self.list_tools()}
        if name not in tools:
            return _failed(f"There is no tool {truncate(name)!r}. There are {', '.join(tools)}.")
        given = {key: value for key, value in arguments.items() if value is not None}
        strange = [key for key in given if key not in tools[name]]
        if strange:
            return _failed(
                f"{name} takes no {truncate(strange[0])!r}. It takes {', '.join(tools[name])}."
            )
        try:
            return await super().call_tool(name, given, context)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                wrong = "; ".join(
                    f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
                    for one in error.__cause__.errors(include_url=False)
                )
                return _failed(f"{name} was called wrongly. {wrong}.")
            raise


def tool_of(method: Callable[..., str], *, has_systems: bool) -> Tool:
    """A method as a tool, which works in a thread of its own."""
    is_query = method.__name__ == "query"
    limiter = CapacityLimiter(_QUERIES_AT_WORK if is_query else _AT_WORK)

    def told(given: dict[str, Any]) -> CallToolResult:
        try:
            return CallToolResult(content=[TextContent(type="text", text=method(**given))])
        except UnicodeEncodeError:  # half of a character
            return _failed(f"{method.__name__} was given a text that is not valid Unicode.")
        except (AptecoFramesError, OSError) as error:
            return _failed(str(error))

    @wraps(method)
    async def run(**given: Any) -> Any:
        return await to_thread.run_sync(told, given, abandon_on_cancel=True, limiter=limiter)

    tool = Tool.from_function(
        run,
        description=" ".join((method.__doc__ or "").split()),
        annotations=ToolAnnotations(
            read_only_hint=True,
            destructive_hint=False,
            idempotent_hint=True,
            open_world_hint=False,
        ),
        structured_output=False,
    )
    properties = tool.parameters["properties"]
    if not has_systems:
        del properties["system"]
    del tool.parameters["title"]
    for one in properties.values():
        del one["title"]
    return tool


def _failed(sentence: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=sentence)], is_error=True)


def resources_of(library: Library, system: str, budget: int) -> Iterator[FunctionResource]:
    """The card of a system, and the tree of its tables."""

    def card() -> str:
        return _card(library.build(system).catalogue)

    def tables() -> str:
        lines = repr(library.build(system).catalogue.tables.tree()).splitlines()
        return _fitting_lines(lines, budget, "list_tables lists all")

    address = f"faststats://{quote(system, safe='')}"
    for function, path, title in (
        (card, "system", f"System {truncate(system)}"),
        (tables, "tables", f"Tables of {truncate(system)}"),
    ):
        yield FunctionResource.from_function(
            function, f"{address}/{path}", name=title, title=title, mime_type="text/plain"
        )


def _card(catalogue: Catalogue) -> str:
    info = catalogue.system_info
    pl = import_polars()
    kinds = catalogue.variables.frame["type"].cast(pl.String).value_counts(sort=True)
    of_kinds = ", ".join(f"{number:,} {kind}" for kind, number in kinds.iter_rows())
    codes = f"{len(catalogue.codes):,} codes" if catalogue.has_codes else "no codes saved"
    folders = f"{len(catalogue.folders):,} folders" if catalogue.has_folders else "no folders saved"
    master = catalogue.master_table
    return "\n".join(
        [
            f"{truncate(info.name)}: {truncate(info.description, 500)}",
            f"built {info.build_date or 'at a time that is not known'}",
            f"{len(catalogue.tables):,} tables, from {truncate(master.name)} "
            f"({master.total_records:,} records) down",
            f"{len(catalogue.variables):,} variables: {of_kinds}",
            f"{codes}, {folders}",
        ]
    )


def _fitting_lines(lines: list[str], budget: int, hint: str) -> str:
    room = budget - 100
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return "\n".join([*lines[:number], f"… and {len(lines) - number:,} more; {hint}"])
    return "\n".join(lines)


@asynccontextmanager
async def warmed(warm: Callable[[], None], server: MCPServer[Any]) -> AsyncIterator[None]:
    """Make ready what the first calls need, beside whatever is asked meanwhile."""

    def quietly() -> None:
        with suppress(Exception):  # whoever needs it will be told
            warm()

    async with create_task_group() as tasks:
        tasks.start_soon(partial(to_thread.run_sync, quietly, abandon_on_cancel=True))
        yield
        tasks.cancel_scope.cancel()
