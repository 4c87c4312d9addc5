"""Short processes that do one thing last, and how they end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
from lanes import PATIENCE

from apteco_frames import Archive, Catalogue
from apteco_frames.demo import DemoServer, holidays
from apteco_frames.schema import CODES_SCHEMA
from apteco_frames.storage import snapshot

_BEGINNING = """
import json, pickle, sys, tempfile
from pathlib import Path
from apteco_frames import Archive, Catalogue, Session, login_with_password
from apteco_frames.storage import snapshot
folder, text, *credentials = sys.argv[1:]
archive = Archive(Path(folder) / "archive")
"""
OFTEN = ("read", "write", "log in", "filter", "serialise")
LAST_THINGS = {
    "read": "catalogue = Catalogue.read_parquet(folder)",
    "read codes": "codes = snapshot.read(Path(folder)).codes()",
    "write": """
with tempfile.TemporaryDirectory() as other:
    Catalogue.read_parquet(folder).write_parquet(other)
""",
    "write one frame": """
with tempfile.TemporaryDirectory() as other:
    variables = Catalogue.read_parquet(folder).variables
    variables.write_parquet(Path(other) / "x.parquet"), variables.write_csv(Path(other) / "x.csv")
""",
    "log in": "session = login_with_password(*credentials)",
    "filter": """
some = Catalogue.read_parquet(folder).variables.filter(table_name="People")
""",
    "serialise": """
session = Session.deserialize(Path(text).read_text())
again = session.serialize(include_catalogue=True)
""",
    "read an archive": "codes = archive.catalogue('holidays').codes",
    "list an archive": "builds = archive.builds",
    "scan an archive": "rows = archive.scan('codes').collect()",
    "ask for a history": "rows = archive.history('boDest')",
    "pickle": "copy = pickle.loads(pickle.dumps(Catalogue.read_parquet(folder)))",
}
CLEAN = (0, "")


def endings(folder: Path, thing: str, times: int, at_once: int = 2) -> Counter[tuple[int, str]]:
    """How often which exit status and which last words come of doing a thing last."""
    catalogue = holidays()
    names = catalogue.variables.arrow["name"].to_pylist()
    codes = pa.table(
        [names, names, names, [0] * len(names), names, names, [None] * len(names)],
        schema=CODES_SCHEMA,
    )
    arrows = {"tables": catalogue.tables.arrow, "variables": catalogue.variables.arrow}
    snapshot.write(folder, catalogue.system_info._asdict(), {**arrows, "codes": codes})
    Archive(folder / "archive").add(Catalogue.read_parquet(folder))
    with DemoServer() as server:
        text = folder / "session.json"
        text.write_text(server.login().serialize(include_catalogue=True), encoding="utf-8")
        account = server.base_url, server.data_view, server.system, server.user, server.password
        program = _BEGINNING + LAST_THINGS[thing]
        command = [sys.executable, "-W", "error", "-c", program, str(folder), str(text), *account]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

        def ending(_: int) -> tuple[int, str]:
            done = subprocess.run(
                command, env=env, capture_output=True, text=True, timeout=10 * PATIENCE, check=False
            )
            return done.returncode, done.stderr[-300:]

        with ThreadPoolExecutor(at_once) as pool:
            return Counter(pool.map(ending, range(times)))
