"""The commands' own kind of click command: its usage, its help, its way of starting."""

from __future__ import annotations

from importlib import import_module
from itertools import groupby
from typing import Any

import click

from apteco_frames.cli.interrupts import put_in_order

OPTIONS = "Options"
LOGIN = "Login"
"""Headings in the help: of a command's own options, which come first, and of the last."""

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Option(click.Option):
    """An option that is listed under a heading of its own in the help.

    Args:
        section: the heading.
    """

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


def _section(option: click.Parameter) -> str:
    return option.section if isinstance(option, Option) else OPTIONS


def _rank(option: click.Parameter) -> int:
    return {OPTIONS: 0, LOGIN: 2}.get(_section(option), 1)


def _reading(params: dict[str, Any]) -> tuple[str, ...]:
    """The modules that read a catalogue; without a login none for HTTP."""
    for name in ("catalogue", "archive"):
        if params.get(name) is not None:
            return (f"apteco_frames.{name}",)
    return ("apteco_frames.logins",)


def _epilog(example: str) -> str:
    lines = "\n".join(f"  {line}" for line in example.strip().splitlines())
    return f"\b\nExample:\n{lines}"


def _format_usage(
    command: click.Command, ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    formatter.write_usage(ctx.command_path, pieces, prefix="usage: ")


class Command(click.Command):
    """A command that imports what it needs, and begins its work after that.

    Args:
        example: lines for a shell, which the tests run.
        imports: names of the modules to import first; if not given, those that it needs to
            read a catalogue from where the user says.
        ends_at_once: whether Ctrl-C ends the command at once, since there is nothing to put in
            order.
    """

    def __init__(
        self,
        *args: Any,
        example: str,
        imports: tuple[str, ...] | None = None,
        ends_at_once: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs |= {"context_settings": _SETTINGS, "epilog": _epilog(example)}
        super().__init__(*args, **kwargs)
        self._imports = imports
        self._ends_at_once = ends_at_once

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C is a ``KeyboardInterrupt`` from here on, or ends it at once."""
        for name in _reading(ctx.params) if self._imports is None else self._imports:
            import_module(name)
        if not self._ends_at_once:
            put_in_order()
        return super().invoke(ctx)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        _format_usage(self, ctx, formatter)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # an option without its value knows of no command
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, under their headings; those of the command alone come first."""
        options = [p for p in self.get_params(ctx) if p.param_type_name == "option"]
        for section, group in groupby(sorted(options, key=_rank), _section):
            records = [record for param in group if (record := param.get_help_record(ctx))]
            if records:
                with formatter.section(section):
                    formatter.write_dl(records)


class Group(click.Group):
    """A group of commands, in the order in which they were added; alone it shows its help.

    Args:
        example: as of :class:`Command`.
    """

    command_class = Command

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        kwargs |= {"context_settings": _SETTINGS, "epilog": _epilog(example)}
        super().__init__(*args, **{"no_args_is_help": False, **kwargs})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(self.commands)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        _format_usage(self, ctx, formatter)
