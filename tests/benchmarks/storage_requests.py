"""How many requests an archive on S3 takes: counted in a process of its own, which prints JSON.

``python storage_requests.py 30 300``: with so many builds of one system in the bucket. All
but the last have no rows: nothing that is counted reads them.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from moto.server import ThreadedMotoServer
from pyarrow import fs
from s3.proxy import Proxy, proxied
from strategies import rebuilt

from apteco_frames import Archive, errors
from apteco_frames.catalogue import contents_of
from apteco_frames.demo import holidays
from apteco_frames.storage.archive_layout import build_file, build_of

BUCKET = "archives"


later = partial(rebuilt, holidays())  # so many days


def fill(files: fs.S3FileSystem, root: str, builds: int) -> None:
    """Put what makes builds exist into a bucket."""
    _, arrows, refused = contents_of(later(0))

    def put(day: int) -> None:
        system = later(day).system_info._asdict()
        build = build_of(system, arrows, refused)
        with files.open_output_stream(f"{root}/builds/{build.path}") as sink:
            sink.write(build_file(build, system, arrows, refused))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(builds - 1)))


def uses(archive: Archive, builds: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is counted."""

    def mistyped() -> None:
        with suppress(errors.UnknownKeyError):
            archive.catalogue("holiday")

    yield "add", lambda: archive.add(later(builds))
    yield "add again", lambda: archive.add(later(builds))
    yield "catalogue", lambda: archive.catalogue("holidays")
    yield "a mistyped system", mistyped
    yield "scan", lambda: archive.scan("tables")
    yield "builds", lambda: archive.builds
    yield "builds again", lambda: archive.builds
    yield "clean", lambda: archive.clean()


def counted(proxy: Proxy, builds: int) -> dict[str, dict[str, int]]:
    """How many requests of each kind each use takes."""
    root = f"{BUCKET}/{builds}"
    options = {"region": "eu-west-1", "endpoint_override": proxy.url, "allow_delayed_open": True}
    files = fs.S3FileSystem(access_key="KEY", secret_key="SECRET", **options)
    fill(files, root, builds)
    found = {}
    for name, use in uses(Archive(root, filesystem=files), builds):
        proxy.counts.clear()
        use()
        found[name] = dict(proxy.counts)
    return found


def main() -> None:
    """Count."""
    logging.disable(logging.INFO)  # of moto's server: a line for each request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with proxied(f"http://{host}:{port}") as proxy:
        place = {"region": "eu-west-1", "endpoint_override": proxy.url}
        files = fs.S3FileSystem(
            access_key="KEY", secret_key="SECRET", allow_bucket_creation=True, **place
        )
        files.create_dir(BUCKET)
        found = {builds: counted(proxy, int(builds)) for builds in sys.argv[1:]}
    print(json.dumps(found), flush=True)
    os._exit(0)  # threads of the server wait for connections that are kept


if __name__ == "__main__":
    main()
