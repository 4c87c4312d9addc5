"""What the reference takes from the package itself: column tables, commands, references."""

from __future__ import annotations

import re
from typing import Any

import click
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from apteco_frames import schema
from apteco_frames.analysis import lint, rules
from apteco_frames.cli.commands import commands
from apteco_frames.schema.column import Column, type_name

WIDTH: dict[str, Any] = {"terminal_width": 92, "max_content_width": 92}
# A line of `describe`, by which docstrings list the columns.
COLUMN = re.compile(r"\w+: [^,]+, (required|nullable), ")
# Bases that hold a part of a class, which the site shows as one.
INNER = ("Contents", "LoggedIn")


class Columns(SphinxDirective):
    """``{columns} TABLES``: the columns that ``apteco_frames.schema`` declares."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A table with a row for each column."""
        columns: tuple[Column, ...] = getattr(schema, self.arguments[0])
        is_from_api = any(column.api_fields for column in columns)
        lines = ["| column | meaning |", "| --- | --- |"]
        if is_from_api:
            lines = ["| column | meaning | from the API |", "| --- | --- | --- |"]
        for column in columns:
            fields = "<br>".join(f"`{field}`" for field in column.api_fields)
            kind = type_name(column.type) + (" or null" if column.nullable else "")
            values = ", ".join(f"`{value}`" for value in column.values)
            doc = f"{column.doc} {values}." if values else column.doc
            row = f"| `{column.name}`<br>{kind} | {doc} |"
            lines.append(f"{row} {fields} |" if is_from_api else row)
        (table,) = self.parse_text_to_nodes("\n".join(lines))
        table["classes"] += ["stacked", "columns"]
        return [table]


class Rules(SphinxDirective):
    """``{rules}``: the rules by which a change is breaking, notable or routine."""

    def run(self) -> list[nodes.Node]:
        """A table with a row for each rule."""
        lines = ["| severity | what happened | columns | if |", "| --- | --- | --- | --- |"]
        for rule in rules.RULES:
            columns = ", ".join(f"`{column}`" for column in rule.columns)
            happened = f"{rule.noun} {rule.change}"
            lines.append(f"| {rule.severity} | {happened} | {columns} | {rule.when} |")
        (table,) = self.parse_text_to_nodes("\n".join(lines))
        table["classes"].append("stacked")
        return [table]


class LintRules(SphinxDirective):
    """``{lint-rules}``: the rules by which findings are made."""

    def run(self) -> list[nodes.Node]:
        """A table with a row for each rule."""
        lines = ["| rule | severity | why | example |", "| --- | --- | --- | --- |"]
        for rule in lint.RULES:
            state = "" if rule.is_default else "<br>off"
            limit = f"<br>`{rule.threshold[0]}` {rule.threshold[1]:g}" if rule.threshold else ""
            cells = (f"`{rule.name}`{state}{limit}", rule.severity, rule.reason, rule.example)
            lines.append(f"| {' | '.join(cells)} |")
        (table,) = self.parse_text_to_nodes("\n".join(lines))
        table["classes"].append("stacked")
        return [table]


class Command(SphinxDirective):
    """``{command} archive add``: what ``apteco-frames archive add --help`` says, folded up."""

    final_argument_whitespace = True
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A block of text that unfolds."""
        context = click.Context(commands, info_name="apteco-frames", **WIDTH)
        command: click.Command = commands
        for name in " ".join(self.arguments).split():
            assert isinstance(command, click.Group)
            command = command.commands[name]
            context = click.Context(command, info_name=name, parent=context, **WIDTH)
        summary = f"<details><summary><code>{context.command_path} --help</code></summary>"
        text = command.get_help(context)
        return [
            nodes.raw("", summary, format="html"),
            nodes.literal_block(text, text, language="text"),
            nodes.raw("", "</details>", format="html"),
        ]


def find_by_short_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Resolve a reference to a name of ours wherever it is written.

    Docstrings say ``:func:`login``` and signatures ``apteco_frames.session.Session``; the site
    has each of them once, under the name by which users import it.
    """
    if node.get("refdomain") != "py":
        return None
    domain = env.domains.python_domain
    ending = node["reftarget"].lstrip("~.")
    module, _, name = ending.rpartition(".")
    endings = [ending] + ([name] if module.startswith("apteco_frames") else [])
    kinds = domain.objtypes_for_role(node["reftype"])
    for wanted in endings:
        found = [
            (full, entry)
            for full, entry in domain.objects.items()
            if (full == wanted or full.endswith(f".{wanted}"))
            and entry.objtype in kinds
            and not entry.aliased
        ]
        if len(found) == 1:
            ((full, entry),) = found
            return make_refnode(
                app.builder, node["refdoc"], entry.docname, entry.node_id, content, full
            )
    return None


def say_what_users_need(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Leave out of a frame's docstring its arguments, and its columns: a table is above it."""
    if what == "property":
        # Napoleon would take what is before a colon for a type; this is a comment without words.
        lines[:0] = ["..", ""]
    if what != "class" or not hasattr(value, "schema"):
        return
    shown: list[str] = []
    for paragraph in "\n".join(lines).split("\n\n"):
        if paragraph.startswith("Args:"):
            break
        # Indented are the rules, which have a table of their own, too.
        if not COLUMN.match(paragraph) and not paragraph.startswith(" "):
            shown.append(paragraph.removesuffix("::") + "." * paragraph.endswith("::"))
    text = "\n\n".join(shown)
    lines[:] = text.replace(" The columns:", "").replace("\nThe columns:", "").splitlines()


def show_no_constructor(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str, returns: str
) -> tuple[str, None] | None:
    """Show how to make something only of what users make themselves."""
    is_made = name.rpartition(".")[2] in ("Archive", "Catalogue", "DemoServer")
    return ("", None) if what == "class" and not is_made else None


def pass_private_bases_over(
    app: Sphinx, full_name: str, value: type, options: Any, bases: list[type]
) -> None:
    """Name, in place of a base that is nobody's business, the bases of that."""
    for place, base in reversed(list(enumerate(bases))):
        name = getattr(base, "__name__", "")
        if name.startswith("_") or name in INNER:
            bases[place : place + 1] = base.__bases__


def say_the_level_of_captions(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any
) -> None:
    """Give the headings of the list of pages a level, without which they are none to axe."""
    listed = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = listed.replace(
        'role="heading"', 'role="heading" aria-level="2"'
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of them."""
    app.add_directive("columns", Columns)
    app.add_directive("rules", Rules)
    app.add_directive("lint-rules", LintRules)
    app.add_directive("command", Command)
    app.connect("missing-reference", find_by_short_name)
    # Before napoleon, which makes fields of what follows "Args:".
    app.connect("autodoc-process-docstring", say_what_users_need, priority=400)
    app.connect("autodoc-process-signature", show_no_constructor)
    app.connect("autodoc-process-bases", pass_private_bases_over)
    # After furo, which makes the list.
    app.connect("html-page-context", say_the_level_of_captions, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
