"""What is of a wrong type is refused in one sentence that says what is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apteco_frames import Archive, Catalogue
from apteco_frames.demo import holidays

PATH = r"takes a path \(str or pathlib\.Path\)"

# By what is called: the call with a wrong argument, and what the error says before ", not …".
CALLS: dict[str, tuple[Callable[[Catalogue, Path, Any], object], str]] = {
    "search": (lambda c, _, x: c.search(x), r"search\(\) takes text \(str\)"),
    "limit": (lambda c, _, x: c.search("a", limit=x), "limit= takes a whole number from 1 on"),
    "sql": (lambda c, _, x: c.sql(x), r"sql\(\) takes text \(str\)"),
    "diff": (lambda c, _, x: c.diff(x), r"diff\(\) takes the older catalogue, or a session"),
    "drop": (lambda c, _, x: c.diff(c, drop=x), r"drop= takes a fraction between 0 and 1"),
    "write_html": (lambda c, _, x: c.write_html(x), PATH),
    "write_excel": (lambda c, _, x: c.write_excel(x), PATH),
    "write_parquet": (lambda c, _, x: c.write_parquet(x), PATH),
    "read_parquet": (lambda c, _, x: Catalogue.read_parquet(x), PATH),
    "of a frame": (lambda c, _, x: c.variables.write_parquet(x), PATH),
    "write_csv": (lambda c, _, x: c.codes.write_csv(x), PATH),
    "variables[x]": (
        lambda c, _, x: c.variables[x],
        r"Variables\[\.\.\.\] takes a key, a position",
    ),
    "codes[x]": (lambda c, _, x: c.codes[x], r"Codes\[\.\.\.\] takes a key, a position"),
    "codes[x][y]": (lambda c, _, x: c.codes["boDest"][x], r"Codes\[\.\.\.\] takes a key"),
    "system_info": (lambda c, _, x: Catalogue(x, c.tables, c.variables), "FastStatsSystem"),
    "description": (
        lambda c, _, x: Catalogue(c.system_info._replace(description=x), c.tables, c.variables),
        r"FastStatsSystem\(description=\) takes text \(str\)",
    ),
    "tables": (lambda c, _, x: Catalogue(c.system_info, x, c.variables), "takes rows as a frame"),
    "variables": (lambda c, _, x: Catalogue(c.system_info, c.tables, x), "takes rows as a frame"),
    "Archive": (lambda _, p, x: Archive(x), PATH),
    "filesystem": (lambda _, p, x: Archive(p, filesystem=x), r"takes a file system of pyarrow\.fs"),
    "add": (lambda _, p, x: Archive(p).add(x), r"add\(\) takes a catalogue, or a session"),
    "add_all": (lambda _, p, x: Archive(p).add_all(x), r"add_all\(\) takes a session"),
    "catalogue": (lambda _, p, x: Archive(p).catalogue(x), r"system= takes text \(str\)"),
    "build": (lambda _, p, x: Archive(p).catalogue("a", x), "build= takes what builds calls it"),
    "scan": (lambda _, p, x: Archive(p).scan(x), r"scan\(\) takes text \(str\)"),
    "history": (lambda _, p, x: Archive(p).history(x), r"history\(\) takes text \(str\)"),
    "system": (lambda _, p, x: Archive(p).history("a", system=x), r"system= takes text \(str\)"),
}
# What some of them take, of what is given to all.
TAKEN: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("search", "sql", "write_html", "write_excel", "write_parquet"), ("x",)),
    **dict.fromkeys(("read_parquet", "of a frame", "write_csv", "Archive", "catalogue"), ("x",)),
    **dict.fromkeys(("scan", "history", "description"), ("x",)),
    **dict.fromkeys(("variables[x]", "codes[x]", "codes[x][y]"), ("x", 5)),
    **dict.fromkeys(("build", "system"), ("x", None)),
    "limit": (5,),
    "drop": (None, 5, 0.5),  # 5 is a number, if no fraction
    "filesystem": (None,),
}
GIVEN = {"None": None, "5": 5, "0.5": 0.5, "str": "x", "bytes": b"x", "list": ["x"], "set": {1}}


@pytest.mark.parametrize(
    ("name", "kind"),
    [(n, kind) for n in CALLS for kind, given in GIVEN.items() if given not in TAKEN.get(n, ())],
)
def test_wrong_types_are_refused(tmp_path: Path, name: str, kind: str) -> None:
    """Each public call says in one sentence what it takes, and nothing is made or changed."""
    call, said = CALLS[name]
    told = kind if kind in ("None", "5", "0.5") else f"a {kind}"
    with pytest.raises(TypeError, match=rf"{said}.*, not {told}\.$") as refused:
        call(holidays(), tmp_path, GIVEN[kind])
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [np.int64(3), 3])
def test_whole_numbers_of_any_kind_are_taken(number: Any) -> None:
    """NumPy's numbers do as Python's do."""
    found = holidays().search("date", limit=number)
    assert len(found) == 3
    assert found[number - 1] == found[2]
    assert holidays().diff(holidays(), drop=Decimal("0.2")).worst is None  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [True, False, np.float64(3), Decimal(3)], ids=repr)
def test_what_is_no_whole_number_is_no_limit(number: Any) -> None:
    """Neither a truth value nor a fraction says how many."""
    with pytest.raises(TypeError, match=re.escape("limit= takes a whole number from 1 on, not ")):
        holidays().search("date", limit=number)


def test_a_tilde_is_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``~`` in a path is the user's folder, as in a shell; what no user is called stays."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    whole = holidays()
    assert whole.tables.write_csv("~/tables.csv") == tmp_path / "home" / "tables.csv"
    assert whole.write_html(Path("~", "all.html")) == tmp_path / "home" / "all.html"
    assert whole.tables.write_parquet("~$tables") == Path("~$tables")
    whole.write_parquet("~/catalogue")
    assert Catalogue.read_parquet("~/catalogue") == whole
    assert Archive("~/archive").add(whole)
    assert repr(Archive("~/archive")) == f"<Archive at {(tmp_path / 'home/archive').as_posix()}>"
    assert Archive("~/archive").scan("tables").collect().height == len(whole.tables)
    assert {path.name for path in tmp_path.iterdir()} == {"home", "~$tables"}
