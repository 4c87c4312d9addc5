"""Archives on object storage, as moto's server does it: no folders, no renaming."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs

from apteco_frames import Archive, Catalogue
from apteco_frames.demo import holidays

NOUNS = ("tables", "variables", "codes", "folders")
ROOT = "archives/nightly"
ADDING = """
import sys
from test_s3 import ROOT, Archive, rebuilt, storage
archive = Archive(ROOT, filesystem=storage(sys.argv[1]))
print("begins", flush=True)
for day in range(int(sys.argv[2]), 1000):
    archive.add(rebuilt(day))
    print(day, flush=True)
"""


def storage(endpoint: str) -> Any:
    """The object storage, as pyarrow reaches it."""
    return fs.S3FileSystem(
        access_key="KEY",
        secret_key="SECRET",
        region="eu-west-1",
        endpoint_override=endpoint,
        allow_bucket_creation=True,
    )


def rebuilt(days: int, name: str = "holidays") -> Catalogue:
    """Holidays, built some days later."""
    whole = holidays()
    date = whole.system_info.build_date
    assert date
    info = whole.system_info._replace(build_date=date + timedelta(days=days), name=name)
    rows = whole.tables, whole.variables, whole.codes.arrow, whole.folders.arrow
    return Catalogue(info, *rows)


@pytest.fixture
def endpoint() -> Iterator[str]:
    """The URL of a server with one empty bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    files = storage(url)
    files.create_dir("archives")
    yield url
    files.delete_dir_contents("archives")  # which all of moto's servers share
    server.stop()


def objects(files: Any) -> list[str]:
    """The paths of all objects of the archive."""
    found = files.get_file_info(fs.FileSelector(ROOT, recursive=True))
    return sorted(info.path.removeprefix(f"{ROOT}/") for info in found if info.is_file)


def test_an_archive_in_a_bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is added is given back, once, with scans that open what they need."""
    files = storage(endpoint)
    archive = Archive(ROOT, filesystem=files)
    for name in ("007", "a/b c"):
        for days in (0, 1):
            assert archive.add(rebuilt(days, name))
            assert not archive.add(rebuilt(days, name))
    assert archive.builds["system"].to_list() == ["007", "007", "a/b c", "a/b c"]
    assert archive.catalogue("a/b c") == rebuilt(1, "a/b c")
    assert archive.history("boDest", system="007")["is_changed"].to_list() == [None, False]
    assert len(objects(files)) == 4 * 5
    assert all(path.endswith(".parquet") for path in objects(files))

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    uri = f"s3://{ROOT}?region=eu-west-1&scheme=http&endpoint_override={endpoint[7:]}"
    for path in objects(files):
        if "system=007" not in path:
            with files.open_output_stream(f"{ROOT}/{path}") as sink:
                sink.write(b"destroyed")
    for other in (archive, Archive(uri)):
        lazy = other.scan("variables").filter(pl.col("system") == "007")
        assert lazy.collect().height == 2 * len(holidays().variables)
    assert repr(Archive(uri)) == f"<Archive at s3://{ROOT}>"


def test_two_at_once(endpoint: str) -> None:
    """Of several that add the same build at once, one does."""
    with ThreadPoolExecutor(4) as pool:
        added = list(
            pool.map(
                lambda n: Archive(ROOT, filesystem=storage(endpoint)).add(rebuilt(n // 4)), range(8)
            )
        )
    assert [sum(added[:4]), sum(added[4:])] == [1, 1]
    assert len(objects(storage(endpoint))) == 2 * 5


def test_killed_while_adding(endpoint: str) -> None:
    """What a killed program had acknowledged is there; the next add removes what it left."""
    told: list[int] = []
    files = storage(endpoint)
    for kill in range(8):
        command = [sys.executable, "-c", ADDING, endpoint, str(100 * kill)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout
            assert program.stdout.readline() == "begins\n"
            time.sleep(0.03 + 0.05 * kill)
            program.send_signal(signal.SIGKILL)
            told += map(int, program.stdout.read().split())
        archive = Archive(ROOT, filesystem=files)
        dates = set(archive.builds["build_date"])
        assert {rebuilt(day).system_info.build_date for day in told} <= dates
        for build in archive.builds["build"]:
            found = archive.catalogue("holidays", build)
            assert (found.codes, found.folders) == (holidays().codes, holidays().folders)
    assert Archive(ROOT, filesystem=files).add(rebuilt(-1))
    builds = Archive(ROOT, filesystem=files).builds
    assert len(objects(files)) == 5 * builds.height
