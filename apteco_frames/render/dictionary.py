"""The data dictionary: a catalogue as one HTML file, which asks no server for anything.

The rows are packed inside the page, and its script (``dictionary*.js``) draws them as tables:
whole, or those in view where there are more than 2,000. Texts reach the page as data only: they
are never part of its markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.analysis import words
from apteco_frames.render import titles
from apteco_frames.support.arrays import strings
from apteco_frames.support.text import escape_controls

_SCRIPTS = (
    *("dictionary-data.js", "dictionary-search.js", "dictionary-rows.js"),
    *("dictionary-variable.js", "dictionary.js"),
)
_CODE_COLUMNS = ("code", "description", "count")
_TABLE_COLUMNS = (
    *("name", "singular", "plural", "is_default", "is_people", "total_records"),
    *("child_relationship", "parent_relationship", "parent_name", "variable_count"),
)


def page(
    system: Mapping[str, Any],
    rows: Mapping[str, pa.Table],
    *,
    unread: Iterable[str] = (),
    refused: Iterable[str] = (),
    synonyms: Mapping[str, Sequence[str]] | None = None,
    facts: Mapping[str, pa.ChunkedArray] = MappingProxyType({}),
) -> str:
    """The data dictionary of a catalogue, as the text of an HTML file.

    Args:
        system: the fields of ``FastStatsSystem``.
        rows: tables under ``schema.TABLES_SCHEMA``, ``VARIABLES_SCHEMA``, ``CODES_SCHEMA``
            and, where they are known, ``FOLDERS_SCHEMA``, by noun. The codes are those
            that are known, in the order of the variables.
        unread: names of variables that have codes which were not read.
        refused: names of variables whose codes the API refused.
        synonyms: what means the same as a word or phrase, for the page's search.
        facts: what else is to be told of the variables, by its title: a text for each variable,
            in their order; null where there is nothing to tell.
    """
    style, script = _part("dictionary.css"), "\n".join(map(_part, _SCRIPTS))
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Template(_part("dictionary.html")).substitute(
        policy=policy,
        title=escape(f"{escape_controls(system['name'])}: data dictionary"),
        style=style,
        data=_packed(*_contents(system, rows, unread, refused, facts, synonyms or {})),
        script=script,
    )


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """What a Content-Security-Policy calls a script or a style by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _packed(head: Mapping[str, Any], columns: Mapping[str, bytes]) -> str:
    """A line of JSON and the columns after it, compressed, in letters that HTML leaves alone."""
    lengths = [[name, len(column)] for name, column in columns.items()]
    first = json.dumps({**head, "columns": lengths}).encode()
    return base64.b64encode(zlib.compress(b"\n".join([first, b"".join(columns.values())]))).decode()


def _contents(
    system: Mapping[str, Any],
    rows: Mapping[str, pa.Table],
    unread: Iterable[str],
    refused: Iterable[str],
    facts: Mapping[str, pa.ChunkedArray],
    synonyms: Mapping[str, Sequence[str]],
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the page is told at once, and the columns by their names, each value a line."""
    tables, variables, codes = rows["tables"], rows["variables"], rows["codes"]
    positions = {name: position for position, name in enumerate(variables["name"].to_pylist())}
    folders, members = _folders(rows.get("folders"), variables, positions)
    kinds = pc.unique(variables["type"].cast(pa.string()))
    head = {
        "system": {name: None if value is None else str(value) for name, value in system.items()},
        "tables": _strings(tables.select(_TABLE_COLUMNS)),
        "kinds": kinds.to_pylist(),
        "folders": folders,
        "folders_read": "folders" in rows,
        "variables": len(variables),
        "codes": len(codes),
        "unread": [positions[name] for name in unread],
        "refused": [positions[name] for name in refused],
        "titles": titles.VARIABLES,
        "facts": list(facts),
        "words": {
            "small": sorted(words.SMALL_WORDS),
            "letters": words.LETTERS,
            "dropped": words.DROPPED,
            "unspaced": words.UNSPACED,
            "spelled": words.SPELLED,
            "synonyms": words.grouped(synonyms),
        },
    }
    columns = {
        "table": _lines(pc.index_in(variables["table_name"], tables["name"].combine_chunks())),
        "kind": _lines(pc.index_in(variables["type"].cast(pa.string()), kinds)),
        "size": _joined(_sizes(codes["variable_name"], positions)),
        "members": _joined(" ".join(map(str, inside)) for inside in members),
    }
    columns |= {
        f"variable.{name}": _lines(column)
        for name, column in zip(variables.column_names, variables.columns, strict=True)
        if column.null_count < len(column) and name not in ("type", "table_name")
    }
    columns |= {f"fact.{number}": _lines(texts) for number, texts in enumerate(facts.values())}
    return head, columns | {f"code.{name}": _lines(codes[name]) for name in _CODE_COLUMNS}


def _strings(arrow: pa.Table) -> list[dict[str, Any]]:
    """The rows with numbers as text: a browser's numbers hold no 64 bits."""
    return [
        {name: str(v) if type(v) is int else v for name, v in row.items()}
        for row in arrow.to_pylist()
    ]


def _folders(
    folders: pa.Table | None, variables: pa.Table, positions: Mapping[str, int]
) -> tuple[list[dict[str, Any]], list[list[int]]]:
    """The folders, and the positions of the variables directly in each.

    Where they were not read, they are those that variables name, side by side.
    """
    if folders is None:
        inside: dict[str, list[int]] = {}
        for position, name in enumerate(variables["folder_name"].to_pylist()):
            if name:
                inside.setdefault(name, []).append(position)
        return [_folder(n, "", None, len(of)) for n, of in inside.items()], list(inside.values())
    rows = folders.to_pylist()
    numbers = {row["path"]: number for number, row in enumerate(rows)}
    listed = [
        _folder(
            row["name"],
            row["description"],
            numbers.get(row["parent_path"]),
            row["total_variable_count"],
        )
        for row in rows
    ]
    return listed, [[positions[name] for name in row["variable_names"]] for row in rows]


def _folder(name: str, description: str, parent: int | None, total: int) -> dict[str, Any]:
    return {"name": name, "description": description, "parent": parent, "total": total}


def _sizes(variable_names: pa.ChunkedArray, positions: Mapping[str, int]) -> Iterable[str]:
    """How many codes each variable has."""
    sizes = ["0"] * len(positions)
    for count in pc.value_counts(variable_names).to_pylist():
        sizes[positions[count["values"]]] = str(count["counts"])
    return sizes


def _lines(column: pa.ChunkedArray) -> bytes:
    r"""The values as text, a line each: null as ``\0``, a line feed as ``\`` and a blank."""
    texts = column.cast(pa.string())
    for raw, written in (("\\", "\\\\"), ("\n", "\\ ")):
        texts = pc.replace_substring(texts, pattern=raw, replacement=written)
    return _joined(pc.fill_null(texts, strings(["\\0"])[0]).to_pylist())


def _joined(texts: Iterable[str] | Sequence[str]) -> bytes:
    return "\n".join(texts).encode()
