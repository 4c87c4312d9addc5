"""Who uses a variable, in words."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.support.arrays import booleans, strings


def users_of(uses: pa.Table, names: pa.ChunkedArray) -> pa.ChunkedArray:
    """Who uses each of some variables: titles, kinds and owners, each resource once.

    Args:
        uses: a table under ``schema.USES_SCHEMA``.
        names: the names of the variables.

    Returns:
        a text for each, null where nobody uses it.

    >>> from apteco_frames.schema import USES_SCHEMA
    >>> from apteco_frames.support.arrays import table_of
    >>> use = {"kind": "audience", "id": "1", "title": "Swedes", "owner": "insight"}
    >>> row = {"part": "includeQuery", "source": "definition", "variable_name": "boDest"}
    >>> uses = table_of([{**use, **row}], USES_SCHEMA)
    >>> users_of(uses, pa.chunked_array([["boDest", "boCost"]])).to_pylist()
    ['Swedes (audience of insight)', None]
    """
    columns = (uses[name].to_pylist() for name in ("variable_name", "kind", "id", "title", "owner"))
    users: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    for variable, kind, id_, title, owner in zip(*columns, strict=True):
        of = "" if owner is None else f" of {owner}"
        users[variable][kind, id_] = f"{title} ({kind}{of})"
    texts = ["; ".join(users[name].values()) if name in users else "" for name in names.to_pylist()]
    told = pc.if_else(booleans(map(bool, texts)), strings(texts), pa.nulls(len(texts), pa.string()))
    return pa.chunked_array([told])
