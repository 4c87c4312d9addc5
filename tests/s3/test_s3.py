"""Archives on object storage, as moto's server does it: no folders, no renaming."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from faults.adding import check_kills
from moto.server import ThreadedMotoServer
from pyarrow import fs
from s3.proxy import KINDS, Proxy, proxied
from strategies import rebuilt

from apteco_frames import Archive, errors
from apteco_frames.demo import holidays

NOUNS = ("tables", "variables", "codes", "folders")
ROOT = "archives/nightly"


def storage(endpoint: str, **options: Any) -> Any:
    """The object storage, as pyarrow reaches it."""
    return fs.S3FileSystem(
        access_key="KEY",
        secret_key="SECRET",
        region="eu-west-1",
        endpoint_override=endpoint,
        allow_bucket_creation=True,
        **options,
    )


later = partial(rebuilt, holidays())  # so many days


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a server with one bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    storage(url).create_dir("archives")
    yield url
    server.stop()


@pytest.fixture
def endpoint(server: str) -> Iterator[str]:
    """The URL of a server with one empty bucket."""
    yield server
    storage(server).delete_dir_contents("archives")


@pytest.fixture
def proxy(endpoint: str) -> Iterator[Proxy]:
    """A proxy before it."""
    with proxied(endpoint) as found:
        yield found


def objects(files: Any) -> list[str]:
    """The paths of all objects of the archive."""
    found = files.get_file_info(fs.FileSelector(ROOT, recursive=True, allow_not_found=True))
    return sorted(info.path.removeprefix(f"{ROOT}/") for info in found if info.is_file)


def test_an_archive_in_a_bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is added is given back, once, with scans that open what they need."""
    files = storage(endpoint)
    archive = Archive(ROOT, filesystem=files)
    for name in ("007", "a/b c"):
        for days in (0, 1):
            assert archive.add(later(days, name=name))
            assert not archive.add(later(days, name=name))
    assert archive.builds["system"].to_list() == ["007", "007", "a/b c", "a/b c"]
    assert archive.catalogue("a/b c") == later(1, name="a/b c")
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


@pytest.mark.parametrize("times", [2, 8])
def test_several_at_once(endpoint: str, times: int) -> None:
    """Of several that add the same at once, each writes the same."""

    def add(number: int) -> bool:
        return Archive(ROOT, filesystem=storage(endpoint)).add(later(number % 3))

    with ThreadPoolExecutor(times) as pool:
        assert sum(pool.map(add, range(12))) >= 3
    assert not any(map(add, range(3)))
    archive = Archive(ROOT, filesystem=storage(endpoint))
    assert archive.builds.height == 3
    assert len(objects(storage(endpoint))) == 3 * 5
    assert archive.catalogue("holidays") == later(2)


@pytest.mark.slow
def test_killed_while_adding(endpoint: str, tmp_path: Path) -> None:
    """What a killed program had acknowledged is there; what it left is cleaned."""
    check_kills(tmp_path, 8, 2, endpoint)


@pytest.mark.slow
@pytest.mark.skipif("KILLS" not in os.environ, reason="takes minutes; KILLS says how many")
@pytest.mark.parametrize("writers", [1, 2, 8])
def test_killed_many_times(endpoint: str, tmp_path: Path, writers: int) -> None:
    """The same, as often as the environment says."""
    check_kills(tmp_path, int(os.environ["KILLS"]), writers, endpoint)


# Storages that make trouble


def through(proxy: Proxy, **options: Any) -> Archive:
    """The archive, by way of a proxy."""
    return Archive(ROOT, filesystem=storage(proxy.url, **options))


def use_all(archive: Archive, day: int) -> None:
    """Whatever can be done, a few times."""
    for _ in range(2):
        archive.add(later(day))
    assert archive.catalogue("holidays") == later(day)
    assert archive.builds.height > 0
    assert archive.history("boDest").height > 0
    assert archive.scan("tables").collect().height > 0
    with pytest.raises(errors.UnknownKeyError, match="'holidays'"):
        archive.catalogue("holiday")
    archive.clean()
    archive.prune(keep_last=1)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("status", [500, 503, 0], ids=["500", "503", "dropped"])
def test_each_kind_of_request_fails_once(proxy: Proxy, status: int, when: str) -> None:
    """What fails for a moment, before or after it was carried out, is tried again."""
    for day, failing in enumerate(KINDS):
        left = {failing: status}
        setattr(proxy, when, lambda kind, left=left: left.pop(kind, None))
        use_all(through(proxy), day)
        assert not left or failing == "delete"  # nothing is removed on the first day


@pytest.mark.slow
@pytest.mark.parametrize("failing", KINDS[:-1])
def test_each_kind_of_request_fails(proxy: Proxy, failing: str) -> None:
    """What fails for good is an error of ours or the system's; what is there is whole."""
    once = fs.AwsStandardS3RetryStrategy(max_attempts=1)
    there = through(proxy)
    there.add(later(0))
    uses: tuple[Callable[[Archive], object], ...] = (
        lambda archive: archive.add(later(1)),
        lambda archive: archive.builds,
        lambda archive: archive.catalogue("holidays"),
        lambda archive: archive.history("boDest"),
    )
    for skipped in range(7):
        passed = iter([None] * skipped)

        def fail(kind: str, passed: Iterator[None] = passed) -> int | None:
            return next(passed, 500) if kind == failing else None

        proxy.before = fail
        for use in uses:
            with suppress(errors.ArchiveError, OSError):
                use(through(proxy, retry_strategy=once))
        proxy.before = lambda kind: None
        latest = there.catalogue("holidays")
        assert latest in (later(0), later(1))
        assert latest.codes == holidays().codes
    there.add(later(1))
    assert there.catalogue("holidays") == later(1)


def test_lists_that_are_late_and_times_that_are_rounded(proxy: Proxy) -> None:
    """What lists do not show yet is not added again, and is there as soon as they do."""
    archive = through(proxy)
    proxy.rounds = True
    proxy.lag = 2.0
    assert archive.add(later(0))
    assert not archive.add(later(0))
    assert through(proxy).builds.height == 0
    proxy.lag = 0.0
    assert through(proxy).builds.height == 1
    assert not archive.add(later(0))
    assert archive.catalogue("holidays") == holidays()
    left = archive.clean(timedelta())
    assert left == []


@pytest.mark.slow
def test_slow_storages(proxy: Proxy) -> None:
    """Where each request takes two seconds, adding takes as many times that as there are."""

    def wait(kind: str) -> None:
        time.sleep(2)

    proxy.before = wait
    assert through(proxy).add(later(0))
    count = sum(proxy.counts.values())
    assert count <= 18


def test_who_may_not_remove(proxy: Proxy) -> None:
    """Adding removes nothing; where removing is refused, that is an error, and nothing is gone."""
    proxy.before = lambda kind: 403 if kind == "delete" else None
    archive = through(proxy)
    for day in range(2):
        assert archive.add(later(day))
        assert not archive.add(later(day))
    assert proxy.counts["delete"] == 0
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        archive.prune(keep_last=1)
    assert archive.catalogue("holidays", later(0).system_info.build_date) == later(0)


def test_requests_do_not_grow_with_the_builds(proxy: Proxy) -> None:
    """What is asked of one system takes as many requests, however many builds there are."""
    counts = []
    for day in (0, 1, 2, 3, 4, 5):
        archive = through(proxy)
        proxy.counts.clear()
        assert archive.add(later(day))
        assert not archive.add(later(day))
        assert archive.catalogue("holidays") == later(day)
        with pytest.raises(errors.UnknownKeyError):
            archive.catalogue("holiday")
        counts.append(dict(proxy.counts))
    assert all(count == counts[0] for count in counts)


def test_a_uri_leaves_no_unfinished_uploads(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its URI a bucket gets a file in one request, which is carried out whole or not at all."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    place = f"endpoint_override={proxy.url[7:]}&scheme=http&region=eu-west-1"
    assert Archive(f"s3://{ROOT}?{place}").add(later(0))
    assert proxy.counts["write"] == 5


def test_a_place_without_a_bucket(proxy: Proxy) -> None:
    """Where no bucket is named, none is asked for: a folder of ours would be taken for one."""
    s3fs: Any = pytest.importorskip("s3fs")
    place = f"endpoint_override={proxy.url[7:]}&scheme=http&region=eu-west-1"
    places: list[tuple[str, Any]] = [
        (f"s3://KEY:SECRET@?{place}", None),
        ("/", storage(proxy.url)),
        ("/", s3fs.S3FileSystem(key="KEY", secret="SECRET", endpoint_url=proxy.url)),
    ]
    for root, files in places:
        with pytest.raises(errors.ArchiveError, match=r"names no bucket.*s3://bucket/path"):
            Archive(root, filesystem=files).add(holidays())
    assert not proxy.counts


def test_fsspec(proxy: Proxy) -> None:
    """A file system of fsspec does as well."""
    s3fs: Any = pytest.importorskip("s3fs")
    options = {"endpoint_url": proxy.url, "region_name": "eu-west-1"}
    files = s3fs.S3FileSystem(
        key="KEY", secret="SECRET", client_kwargs=options, skip_instance_cache=True
    )
    archive = Archive(ROOT, filesystem=files)
    for day in (0, 1):
        assert archive.add(later(day))
        assert not archive.add(later(day))
    assert archive.builds.height == 2
    assert through(proxy).add(later(2))  # which s3fs does not see by itself
    assert archive.catalogue("holidays") == later(2)
    assert archive.scan("tables").filter(system="holidays").collect().height == 27
    assert archive.history("boDest")["is_changed"].to_list() == [None, False, False]
    assert archive.prune(keep_last=1).height == 2
    assert archive.clean(timedelta()) == []
    path = objects(storage(proxy.url))[0]
    storage(proxy.url).delete_file(f"{ROOT}/{path}")
    assert len(archive.clean(timedelta())) == 4
