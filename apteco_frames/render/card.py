"""Cards: the facts on one table, variable, folder, code, catalogue or session.

For notebooks, HTML without scripts and style sheets. Colours are those of the page, or let it
shine through, so that a card suits light and dark pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from html import escape
from typing import Any

from apteco_frames.support.display import NO_MATHS, kind_mark
from apteco_frames.support.text import display_width, escape_controls, list_items, truncate

_WIDTH = 80
_NOTES_WIDTH = 400
_MOST_NAMES = 8

_FRAME = (
    "border: 1px solid hsla(0, 0%, 50%, .4); border-radius: 6px; padding: .5em 1em; "
    "display: inline-block; max-width: 100%; box-sizing: border-box"
)
_LABEL = "text-align: left; vertical-align: top; font-weight: normal; opacity: .8"
# Blanks matter in codes.
_NAME = "white-space: pre-wrap"
_VALUE = f"text-align: left; vertical-align: top; overflow-wrap: anywhere; {_NAME}"
_HEAD = "margin: 0 0 .3em; overflow-wrap: anywhere"


def card(
    title: str, name: str, facts: Iterable[tuple[str, object]], kind: StrEnum | None = None
) -> str:
    """A card of facts, apart from null and empty ones.

    Args:
        title: the title, such as a description.
        name: the name to look it up by.
        facts: labels and values; lists are cut to their first names.
        kind: its kind, shown in the kind's colour.

    >>> html = card("Destination", "boDest", [("Codes", 20), ("Notes", None)])
    >>> "<strong>Destination</strong>" in html, "20" in html, "Notes" in html
    (True, True, False)
    """
    mark = f" {kind_mark(kind)}" if kind else ""
    named = f'<code style="{_NAME}">{_escaped(name)}</code>'
    head = f"<strong>{_escaped(title)}</strong> {named}{mark}"
    rows = "".join(
        f'<tr><th scope="row" style="{_LABEL}">{escape(label)}</th>'
        f'<td style="{_VALUE}">{_shown(value)}</td></tr>'
        for label, value in facts
        if value not in (None, "", [])
    )
    return (
        f'<div {NO_MATHS} style="{_FRAME}"><p style="{_HEAD}">{head}</p>'
        f"<table><tbody>{rows}</tbody></table></div>"
    )


def text_card(
    title: str, name: str, facts: Iterable[tuple[str, object]], kind: StrEnum | str | None = None
) -> str:
    """A card of facts as lines of text, for a terminal; like :func:`card`, but uncut.

    >>> print(text_card("Destination", "boDest", [("Codes", 20), ("Notes", None)], "Selector"))
    boDest: Destination (Selector)
    Codes  20
    """
    told = [(label, value) for label, value in facts if value not in (None, "", [])]
    width = max((display_width(label) for label, _ in told), default=0)
    lines = [
        escape_controls(name)
        if title == name
        else f"{escape_controls(name)}: {escape_controls(title)}"
    ]
    lines[0] += f" ({escape_controls(str(kind))})" if kind else ""
    for label, value in told:
        text = (
            ", ".join(map(escape_controls, value))
            if isinstance(value, list)
            else escape_controls(_text(value))
        )
        lines.append(f"{label:<{width}}  {text}")
    return "\n".join(lines)


Draw = Callable[..., str]
"""Draws a card: :func:`card` or :func:`text_card`."""


def table(row: Mapping[str, Any], children: Sequence[str], draw: Draw = card) -> str:
    """The card of a table.

    Args:
        row: its values under ``schema.TABLES``.
        children: names of the tables directly below it.
        draw: how to draw it.
    """
    parent = f"{row['parent_relationship']} {row['parent_name']}" if row["parent_name"] else None
    facts = [
        ("Records", row["total_records"]),
        ("One is called", row["singular"]),
        ("Variables", row["variable_count"]),
        ("Parent", parent),
        ("Children", list(children)),
        (
            "All below",
            None if len(row["descendant_names"]) == len(children) else row["descendant_names"],
        ),
        ("Is", _listed(row, {"is_default": "the default table", "is_people": "of people"})),
    ]
    return draw(row["plural"], row["name"], facts)


def variable(row: Mapping[str, Any], draw: Draw = card) -> str:
    """The card of a variable, with the facts of its kind.

    Args:
        row: its values under ``schema.VARIABLES``; ``type`` as an enum.
        draw: how to draw it.
    """
    uses = {"is_selectable": "select", "is_browsable": "browse", "is_exportable": "export"}
    facts = [
        ("Table", row["table_name"]),
        ("Folder", row["folder_name"]),
        ("Path", row["path"]),
        ("Codes", row["num_codes"]),
        ("Selector", _listed(row, ("selector_type", "sub_type"))),
        ("Order of codes", row["var_code_order"]),
        ("Records per code", _span(row, "var_code_min_count", "var_code_max_count")),
        ("Bytes per code", row["code_length"]),
        ("Unclassified", _listed(row, ("unclassified_code", "unclassified_description"))),
        ("Dates", _span(row, "min_date", "max_date")),
        ("Summarises", row["combined_from"]),
        ("Values", _span(row, "min_value", "max_value")),
        ("Currency", _listed(row, ("currency_symbol", "currency_locale"))),
        ("Decimal places", row["decimal_places"]),
        ("Longest text, in bytes", row["max_length"]),
        ("Reference", row["reference_type"]),
        ("Longest value, in bytes", row["reference_length"]),
        ("May be used to", _listed(row, uses)),
        ("Virtual", "yes" if row["is_virtual"] else None),
        ("Notes", row["notes"]),
    ]
    return draw(row["description"], row["name"], facts, row["type"])


def folder(row: Mapping[str, Any], children: Sequence[str], draw: Draw = card) -> str:
    """The card of a folder.

    Args:
        row: its values under ``schema.FOLDERS``.
        children: names of the folders directly in it.
        draw: how to draw it.
    """
    facts = [
        ("Description", None if row["description"] == row["name"] else row["description"]),
        ("Is in", row["parent_path"]),
        ("Folders in it", list(children)),
        ("Variables in it", row["variable_count"]),
        ("Their names", row["variable_names"]),
        ("With those below", row["total_variable_count"]),
    ]
    return draw(row["name"], row["path"], facts)


def code(row: Mapping[str, Any], records: int) -> str:
    """The card of a code.

    Args:
        row: its values under ``schema.CODES``.
        records: number of records of its table.
    """
    number = row["count"]
    share = (
        f" ({number / records:.1%} of the table's)" if number is not None and records > 0 else ""
    )
    facts = [
        ("Variable", row["variable_description"]),
        ("Its name", row["variable_name"]),
        ("Table", row["table_name"]),
        ("Position", row["position"]),
        ("Records", "not known" if number is None else f"{number:,}{share}"),
    ]
    return card(row["description"], row["code"], facts)


def catalogue(system: Mapping[str, Any], counts: str) -> str:
    """The card of a catalogue.

    Args:
        system: ``name, description, build_date, view_name`` of the system.
        counts: the numbers of its rows.
    """
    facts = [
        ("Built", system["build_date"] or "not known"),
        ("Holds", counts),
        ("DataView", system["view_name"]),
    ]
    return card(system["description"], system["name"], facts)


def session(
    system: Mapping[str, Any],
    counts: str,
    user: str,
    server: Mapping[str, str],
    ends: datetime | None,
) -> str:
    """The card of a session.

    Args:
        system: ``name, description, build_date, view_name`` of the system.
        counts: the numbers of rows of its catalogue.
        user: who is logged in.
        server: ``data_view`` and ``base_url``.
        ends: when the token expires, in UTC; None if that is unknown.
    """
    facts = [
        ("Built", system["build_date"]),
        ("Holds", counts),
        ("User", user),
        ("DataView", server["data_view"]),
        ("At", server["base_url"]),
        ("Token ends", f"{ends:%Y-%m-%d %H:%M} UTC" if ends else "the token does not say when"),
    ]
    return card(system["description"], system["name"], facts)


def _listed(row: Mapping[str, Any], columns: Iterable[str] | Mapping[str, str]) -> str:
    """The values that are not null; or the texts for the columns that are true."""
    if isinstance(columns, Mapping):
        return ", ".join(text for column, text in columns.items() if row[column])
    return ", ".join(truncate(row[column]) for column in columns if row[column])


def _span(row: Mapping[str, Any], low: str, high: str) -> str:
    """From one value to the other, as far as they are known."""
    if row[low] is None and row[high] is None:
        return ""
    return " to ".join("…" if row[c] is None else _text(row[c]) for c in (low, high))


def _shown(value: object) -> str:
    if not isinstance(value, list):
        return escape(truncate(_text(value), _NOTES_WIDTH))
    return escape(list_items([truncate(name) for name in value[:_MOST_NAMES]], len(value)))


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return str(value).removesuffix(" 00:00:00")
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _escaped(text: str) -> str:
    return escape(truncate(text, _WIDTH))
