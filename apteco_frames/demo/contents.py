"""What the demo server serves of a system: its lists, each item as JSON.

Tables and variables are rendered once. Codes, and the list of everything, which repeats
a variable on each of its codes, are rendered as they are asked for, a page at a time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from apteco_frames.catalogue import Catalogue
from apteco_frames.demo import render
from apteco_frames.schema import CODES_SCHEMA


class Pages:
    """A list whose items are rendered when a slice of it is taken.

    Args:
        size: number of items.
        items: renders those from a position to before another.

    >>> len(Pages(3, lambda start, stop: [b"1", b"2", b"3"][start:stop])[1:9])
    2
    """

    def __init__(self, size: int, items: Callable[[int, int], list[bytes]]) -> None:
        self._size = size
        self._items = items

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> list[bytes]:
        start, stop, _ = part.indices(self._size)
        return self._items(start, stop)


class Contents:
    """The lists of one catalogue. Its methods may be called from many threads.

    Args:
        catalogue: what to serve.

    Attributes:
        tables: the tables, each an item.
        variables: the variables.
        table_rows: where each table is, by name.
        variable_rows: where each variable is.
        has_codes: whether the codes are known.
        has_folders: whether the folders are.
        refused: names of the variables whose codes were refused when they were read.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        tables, variables = catalogue.tables.arrow, catalogue.variables.arrow
        self.tables = render.encode_all(render.table_items(tables))
        self.variables = render.encode_all(render.variable_items(variables))
        self.table_rows = _row_numbers(tables)
        self.variable_rows = _row_numbers(variables)
        self.has_codes = catalogue.has_codes
        self.has_folders = catalogue.has_folders
        self.refused = frozenset(catalogue.codes.unavailable if self.has_codes else ())
        self._selectors: list[bool] = pc.equal(variables["api_type"], "Selector").to_pylist()
        self._short_tables = render.encode_all(render.short_table_items(tables))
        self._codes = (
            catalogue.codes.arrow if self.has_codes else pa.Table.from_batches([], CODES_SCHEMA)
        )
        self._spans = _spans(self._codes["variable_name"])
        self._folders: list[bytes] = []
        self._nodes: dict[tuple[str, ...], list[bytes]] = {(): []}
        if self.has_folders:
            folders = catalogue.folders.arrow
            self._folders = render.encode_all(render.folder_items(folders))
            self._arrange(folders)

    def is_selector(self, variable: str) -> bool:
        """Whether a variable is one that has codes.

        Raises:
            KeyError: there is no such variable.
        """
        return self._selectors[self.variable_rows[variable]]

    def codes(self, variable: str, *, with_counts: bool = True) -> Pages:
        """The codes of a variable, if codes are known.

        Args:
            variable: its name.
            with_counts: whether they have their counts; null without.
        """
        first, end = self._spans.get(variable, (0, 0))

        def items(start: int, stop: int) -> list[bytes]:
            part = self._codes.slice(first + start, stop - start)
            return render.encode_all(render.code_items(part, with_counts=with_counts))

        return Pages(end - first, items)

    def nodes(self, path: tuple[str, ...]) -> list[bytes] | None:
        """What is directly in a folder: first the folders, then the variables.

        Args:
            path: names of folders from the top; without any, what stands at the top, where
                the variables are that no folder holds.

        Returns:
            the nodes; None if there is no such folder.
        """
        return self._nodes.get(path)

    def everything(self, *, with_counts: bool) -> Pages:
        """Tables, folders, and each variable followed by its codes.

        Args:
            with_counts: whether the codes have their counts.
        """
        head = [b'{"type":"Table","table":%b}' % item for item in self._short_tables]
        head += [b'{"type":"Folder","folder":%b}' % item for item in self._folders]
        codes = [self.codes(name, with_counts=with_counts) for name in self.variable_rows]
        starts = list(accumulate((1 + len(each) for each in codes), initial=len(head)))

        def items(start: int, stop: int) -> list[bytes]:
            found = head[start:stop]
            while start + len(found) < stop:
                position = start + len(found)
                row = bisect_right(starts, position) - 1
                variable, skip = self.variables[row], position - starts[row]
                if not skip:
                    found.append(b'{"type":"Variable","variable":%b}' % variable)
                found += [
                    b'{"type":"VarCode","variable":%b,"varCode":%b}' % (variable, code)
                    for code in codes[row][max(0, skip - 1) : stop - starts[row] - 1]
                ]
            return found

        return Pages(starts[-1], items)

    def _arrange(self, folders: pa.Table) -> None:
        wanted = ("path", "name", "parent_path", "variable_names")
        names: dict[str | None, tuple[str, ...]] = {None: ()}
        inside: dict[tuple[str, ...], list[int]] = {}
        for item, folder in zip(self._folders, folders.select(wanted).to_pylist(), strict=True):
            above = names[folder["parent_path"]]
            own = names[folder["path"]] = (*above, folder["name"])
            self._nodes[above].append(b'{"folder":%b}' % item)
            self._nodes[own] = []
            inside[own] = [self.variable_rows[name] for name in folder["variable_names"]]
        placed = {row for rows in inside.values() for row in rows}
        inside[()] = [row for row in range(len(self.variables)) if row not in placed]
        for path, rows in inside.items():
            self._nodes[path] += [b'{"variable":%b}' % self.variables[row] for row in rows]


def _row_numbers(frame: pa.Table) -> dict[str, int]:
    names: list[Any] = frame["name"].to_pylist()
    return {name: row for row, name in enumerate(names)}


def _spans(names: pa.ChunkedArray) -> dict[str, tuple[int, int]]:
    """Where the rows of each name are: from one row to before another."""
    counts: list[dict[str, Any]] = pc.value_counts(names).to_pylist()
    stops = accumulate(count["counts"] for count in counts)
    return {c["values"]: (stop - c["counts"], stop) for c, stop in zip(counts, stops, strict=True)}
