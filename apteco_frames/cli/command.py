"""The commands' own kind of click command: its help, its usage errors, its way of starting."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import wraps
from typing import Any

import click

from apteco_frames.cli.interrupts import put_in_order
from apteco_frames.cli.paths import PATH

OPTIONS, SOURCE, OUTPUT, LOGIN = "Options", "Where the catalogue comes from", "Output", "Login"
"""Headings in the help, in this order."""

Decorator = Callable[[Any], Any]


class Option(click.Option):
    """An option that is listed under a heading of its own in the help.

    Args:
        section: the heading.
    """

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


def option(section: str, *names: str, **kwargs: Any) -> Decorator:
    """An option under a heading, as a decorator."""
    return click.option(*names, cls=Option, section=section, **kwargs)


def gathered(name: str, kind: Any, options: Sequence[Decorator]) -> Decorator:
    """What gives a command some options, and their values as one argument.

    Args:
        name: of the argument.
        kind: a dataclass with a field for each option.
        options: the options, in the order of the help.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        @wraps(function)
        def command(**params: Any) -> Any:
            mine = {key: params.pop(key) for key in kind.__annotations__ if key in params}
            return function(**{name: kind(**mine)}, **params)

        decorated: Any = command
        for one in reversed(options):
            decorated = one(decorated)
        return decorated

    return decorate


with_file = option(
    OUTPUT,
    "--to",
    type=PATH,
    metavar="FILE",
    help="Write to FILE, in UTF-8, instead of standard output. Windows PowerShell 5.1 re-encodes "
    "what > redirects; --to does not.",
)
"""Gives a command ``--to``: a file for what it would print, which is there whole or not at all."""


def _with_example(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a command, such that the example in its help keeps its lines."""
    text = inspect.cleandoc(settings["help"] or "")  # as Python 3.13 does with docstrings
    return {**settings, "help": text.replace("\nExample:", "\n\b\nExample:")}


class Command(click.Command):
    """A command, whose help may end with an example.

    Args:
        ends_at_once: whether Ctrl-C ends the command at once, since there is nothing to put in
            order.
    """

    def __init__(self, *args: Any, ends_at_once: bool = False, **settings: Any) -> None:
        super().__init__(*args, **_with_example(settings))
        self._ends_at_once = ends_at_once

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C is a ``KeyboardInterrupt`` from here on, or ends it at once."""
        if not self._ends_at_once:
            put_in_order()
        to = ctx.params.pop("to", None)
        if to is None:
            return super().invoke(ctx)
        from apteco_frames.support.files import replace

        held = io.BytesIO()
        with io.TextIOWrapper(held, encoding="utf-8", newline="\n") as out:
            with redirect_stdout(out):
                status = super().invoke(ctx)
            out.flush()
            replace(to, lambda part: part.write_bytes(held.getvalue()))
        return status

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; one too many is not repeated, since it could be a password."""
        ctx.allow_extra_args = True
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # an option without its value knows of no command
            raise
        if rest and not ctx.resilient_parsing:
            ctx.fail(f"Got {len(rest)} unexpected extra argument{'s' * (len(rest) > 1)}.")
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, under their headings."""
        sections: dict[str, list[tuple[str, str]]] = {
            title: [] for title in (OPTIONS, SOURCE, OUTPUT, LOGIN)
        }
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record:
                sections[getattr(param, "section", OPTIONS)].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Group(click.Group):
    """A group of commands, in the order in which they were added; alone it shows its help."""

    command_class = Command

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **_with_example(settings))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(self.commands)
