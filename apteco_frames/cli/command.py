"""The commands' own kind of click command: its usage, its example, its way of starting."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from apteco_frames.cli.interrupts import put_in_order

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _epilog(example: str) -> str:
    lines = "\n".join(f"  {line}" for line in example.strip().splitlines())
    return f"\b\nExample:\n{lines}"


class Command(click.Command):
    """A command that imports what it needs, and begins its work after that.

    Args:
        example: lines for a shell, which the tests run.
        imports: names of the modules to import first.
        ends_at_once: whether Ctrl-C ends the command at once, since there is nothing to put in
            order.
    """

    def __init__(
        self,
        *args: Any,
        example: str,
        imports: tuple[str, ...] = ("apteco_frames.logins",),
        ends_at_once: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs |= {"context_settings": _SETTINGS, "epilog": _epilog(example)}
        super().__init__(*args, **kwargs)
        self._imports = imports
        self._ends_at_once = ends_at_once

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C is a ``KeyboardInterrupt`` from here on, or ends it at once."""
        for name in self._imports:
            import_module(name)
        if not self._ends_at_once:
            put_in_order()
        return super().invoke(ctx)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix="usage: ")


class Group(click.Group):
    """A group of commands, in the order in which they were added.

    Args:
        example: as of :class:`Command`.
    """

    command_class = Command

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        kwargs |= {"context_settings": _SETTINGS, "epilog": _epilog(example)}
        super().__init__(*args, **{"no_args_is_help": False, **kwargs})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(self.commands)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix="usage: ")
