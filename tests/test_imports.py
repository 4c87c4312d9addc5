"""Nothing heavy is imported before it is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import apteco_frames
from apteco_frames import Archive, Catalogue
from apteco_frames.demo import DemoServer, holidays

HEAVY = [
    *("apteco_api", "pandas", "numpy", "duckdb", "narwhals", "tkinter", "_tkinter", "jwt"),
    *("cryptography", "IPython", "apteco_frames.demo", "apteco_frames.cli", "http.server"),
    *("apteco_frames.orbit.api_client", "apteco_frames.password"),
    *("pyarrow.parquet", "pyarrow.fs", "pyarrow.dataset", "rapidfuzz", "xlsxwriter", "tqdm"),
    *("platformdirs", "click"),
]


def loaded_after(script: str, *arguments: str) -> list[str]:
    """Which heavy modules a script loads beyond those that polars, pyarrow, requests do."""
    program = """
        import json, sys
        import polars, pyarrow, pyarrow.compute, pyarrow.json, requests
        before = set(sys.modules)
        {script}
        print(json.dumps(sorted(set(sys.modules) - before)))
    """
    whole = textwrap.dedent(program).format(script=textwrap.dedent(script).strip())
    loaded = json.loads("".join(said_by(whole, *arguments)))
    assert "apteco_frames.session" in loaded
    return [name for name in HEAVY if name in loaded]


def said_by(script: str, *arguments: str) -> list[str]:
    """The lines that a script prints in a process of its own."""
    package = Path(apteco_frames.__file__).resolve().parents[1]
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *arguments],
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.stderr == ""
    return child.stdout.splitlines()


def test_import_is_light() -> None:
    """What the package offers at its top loads nothing that not everybody needs."""
    assert loaded_after("from apteco_frames import *") == []


def test_names_are_loaded_on_first_use() -> None:
    """``import apteco_frames`` loads nothing: the command line must be in control by then."""
    script = """
        import sys
        before = set(sys.modules)
        import apteco_frames
        loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
        print(sorted(loaded & {"apteco_frames", "pyarrow", "polars", "requests", "json"}))
        print([name for name in sys.modules if name.startswith("apteco_frames.")])
        print(set(apteco_frames.__all__) <= set(dir(apteco_frames)))
        print(hasattr(apteco_frames, "nothing"), apteco_frames.errors.__name__)
        print(apteco_frames.login is apteco_frames.login)
    """
    assert said_by(script) == [
        *("['apteco_frames']", "[]", "True", "False apteco_frames.errors", "True")
    ]


@pytest.mark.parametrize("everything", [False, True])
def test_use_is_light(everything: bool) -> None:
    """Logging in and looking around load nothing more; what is used is loaded then."""
    script = """
        from apteco_frames import login_with_password
        session = login_with_password(*sys.argv[1:6])
        session.variables["boDest"].table, repr(session.tables), session.serialize()
        session.variables.frame.filter(polars.col("name") == "boDest")
        if sys.argv[6] == "True":
            session.api_client, session.is_expired, session.serialize(include_catalogue=True)
        session.logout()
    """
    with DemoServer() as server:
        names = ("base_url", "data_view", "system", "user", "password")
        values = [getattr(server, name) for name in names]
        loaded = loaded_after(script, *values, str(everything))
    if everything:
        assert {"apteco_api", "jwt"} <= set(loaded)
    else:
        assert loaded == []


def test_lists_in_pages_are_light() -> None:
    """Lists of several pages, those of audiences among them, are read without pandas."""
    script = """
        from apteco_frames import login_with_password
        session = login_with_password(*sys.argv[1:6], page_size=10)
        session.uses, session.folders, session.variables["boDest"].codes
    """
    with DemoServer() as server:
        names = ("base_url", "data_view", "system", "user", "password")
        assert loaded_after(script, *(getattr(server, name) for name in names)) == []


def test_offline_use_needs_no_network(tmp_path: Path) -> None:
    """Whoever reads and searches a saved catalogue or an archive loads nothing that sends."""
    holidays().write_parquet(tmp_path / "catalogue")
    Archive(tmp_path / "archive").add(holidays())
    script = """
        import sys
        from apteco_frames import Archive, Catalogue
        catalogue = Catalogue.read_parquet(sys.argv[1] + "/catalogue")
        kept = Archive(sys.argv[1] + "/archive").catalogue(catalogue.system_info.name)
        assert catalogue == kept and len(catalogue.codes) and len(catalogue.folders)
        catalogue.search("dest"), catalogue.diff(kept), catalogue.sql("select 1")
        catalogue.write_html(sys.argv[1] + "/dictionary.html")
        print([m for m in ("requests", "urllib3", "apteco_frames.orbit") if m in sys.modules])
    """
    assert said_by(script, str(tmp_path)) == ["[]"]


OFFLINE = """
    tables --catalogue saved
    variables --catalogue saved --table Bookings --type Selector
    codes boDest --catalogue saved
    folders --catalogue saved
    systems --catalogue saved
    search dest --catalogue saved
    sql SELECT(1) --catalogue saved
    export again --catalogue saved
    quality --catalogue saved
    dictionary all.html --catalogue saved
    dictionary all.xlsx --catalogue saved
    show boDest --catalogue saved
    archive add archive --catalogue saved
    diff saved older
    archive list archive
    archive history archive boDest
    archive check archive
    cache list
    profile list
"""


def test_offline_commands_start_quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No command on what is saved loads what sends, nor pandas, which most people have."""
    whole = holidays()
    whole.write_parquet(tmp_path / "saved")
    Catalogue(whole.system_info, whole.tables, whole.variables[1:]).write_parquet(
        tmp_path / "older"
    )
    Archive(tmp_path / "archive").add(whole)
    monkeypatch.chdir(tmp_path)
    script = """
        import sys
        from click.testing import CliRunner
        from apteco_frames.cli.commands import commands
        for line in sys.argv[1].strip().splitlines():
            done = CliRunner().invoke(commands, line.split())
            used = [m for m in ("requests", "urllib3", "pandas") if m in sys.modules]
            if used or done.exit_code:
                print(line.strip(), used, done.output, done.exception)
    """
    assert said_by(script, OFFLINE) == []
