"""The clients of the benchmarks: each call is a process of its own, and prints JSON.

``python clients.py TASK PACKAGE BASE_URL VARIABLES [FIRST SIZE]``; the last two are for the
floor: how many variables to ask for at first, and at a time after that.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import system

CREDENTIALS = ("dv", "benchmark", "u", "p")
CONNECTIONS = 4
REPEATS = 7


def seconds(action: Callable[[], Any]) -> tuple[float, Any]:
    """How long an action takes, and its result."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def log_in(package: str, base_url: str) -> Any:
    """A session of either package, as its users get it."""
    return importlib.import_module(package).login_with_password(base_url, *CREDENTIALS)


def floor(base_url: str, variables: int, first: int, size: int) -> int:
    """Log in and fetch the same pages with ``requests``, and throw them away."""
    import requests

    with requests.Session() as http:
        http.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))
        login = f"{base_url}/dv/Sessions/SimpleLogin"
        token = http.post(login, data={"UserLogin": "u", "Password": "p"}).json()["accessToken"]
        http.headers["Authorization"] = f"Bearer {token}"
        pages = f"{base_url}/dv/FastStatsSystems/benchmark/Variables"

        def fetch(span: tuple[int, int]) -> int:
            offset, count = span
            return len(http.get(pages, params={"offset": offset, "count": count}).content)

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return sum(pool.map(fetch, system.spans(variables, first, size)))


def codes_floor(base_url: str, names: list[tuple[str, int]], connections: int) -> int:
    """Fetch the same pages of codes with ``requests``, and throw them away."""
    import requests

    with requests.Session() as http:
        http.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
        http.headers["Authorization"] = "Bearer t"
        variables = f"{base_url}/dv/FastStatsSystems/benchmark/Variables"

        def fetch(variable: tuple[str, int]) -> int:
            name, count = variable
            params = {"offset": 0, "count": count}
            return len(http.get(f"{variables}/{name}/Codes", params=params).content)

        with ThreadPoolExecutor(connections) as pool:
            return sum(pool.map(fetch, names))


def codes_by_loop(base_url: str, names: list[tuple[str, int]]) -> int:
    """What users of ``apteco_api`` write: a request for each variable, one after the other."""
    import apteco_api

    client = apteco_api.ApiClient(apteco_api.Configuration(host=base_url))
    systems = apteco_api.FastStatsSystemsApi(client)
    found = {
        name: systems.fast_stats_systems_get_fast_stats_variable_codes(
            "dv", "benchmark", name, count=count
        ).list
        for name, count in names
    }
    return sum(map(len, found.values()))


def measure_codes(client: str, base_url: str, connections: int) -> dict[str, float]:
    """Seconds to read all codes, after logging in, and the most memory, in MiB."""
    from codes_server import CODES, SELECTORS, name_of, sizes

    names = [(name_of(number), size) for number, size in enumerate(sizes())]
    if client == "floor":
        import requests  # noqa: F401

        took, size = seconds(lambda: codes_floor(base_url, names, connections))
        return {"seconds": took, "peak_mib": peak_mib(), "bytes": size}
    if client == "apteco_api":
        import apteco_api  # noqa: F401

        took, number = seconds(lambda: codes_by_loop(base_url, names))
        assert number == CODES
        return {"seconds": took, "peak_mib": peak_mib()}
    import apteco_frames

    session = apteco_frames.login_with_password(
        base_url, *CREDENTIALS, max_connections=connections or None
    )
    took, codes = seconds(lambda: session.codes)
    assert len(codes) == CODES
    assert len(session.variables) > SELECTORS
    result = {"seconds": took, "peak_mib": peak_mib()}
    return {**result, **codes_in_use(session)}


def measure_uses(client: str, base_url: str, connections: int) -> dict[str, float]:
    """Seconds to learn what 2,000 audiences use, after logging in, and the most memory, in MiB."""
    from uses_server import AUDIENCES

    if client == "floor":
        import requests

        with requests.Session() as http:
            http.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
            http.headers["Authorization"] = "Bearer t"

            def fetch(number: int) -> int:
                url = f"{base_url}/dv/Audiences/{number}"
                return len(http.get(url, params={"includeBrief": "false"}).content)

            with ThreadPoolExecutor(connections) as pool:
                took, size = seconds(lambda: sum(pool.map(fetch, range(AUDIENCES))))
        return {"seconds": took, "peak_mib": peak_mib(), "bytes": size}
    if client == "apteco_api":
        import apteco_api

        api = apteco_api.AudiencesApi(apteco_api.ApiClient(apteco_api.Configuration(host=base_url)))

        def loop() -> list[Any]:
            listed = api.audiences_get_audiences("dv", count=AUDIENCES).list
            return [api.audiences_get_audience("dv", item.id) for item in listed]

        took, details = seconds(loop)
        assert len(details) == AUDIENCES
        return {"seconds": took, "peak_mib": peak_mib()}
    import apteco_frames

    session = apteco_frames.login_with_password(base_url, *CREDENTIALS)
    took, uses = seconds(lambda: session.uses)
    assert uses.frame["id"].n_unique() == AUDIENCES
    return {"seconds": took, "peak_mib": peak_mib(), "uses": len(uses)}


def codes_in_use(session: Any) -> dict[str, float]:
    """Seconds to filter all codes beside polars alone, to look one up, to open a saved copy."""
    import tempfile

    import polars as pl

    from apteco_frames import Catalogue

    codes = session.codes
    predicate = pl.col("description").str.contains("(?i)category 77 ")
    plain = pl.DataFrame(codes.arrow)
    codes.frame.filter(predicate)
    theirs = median(seconds(lambda: plain.filter(predicate))[0] for _ in range(REPEATS))
    ours = median(seconds(lambda: codes.frame.filter(predicate))[0] for _ in range(REPEATS))
    kept = median(seconds(lambda: codes.filter(predicate))[0] for _ in range(REPEATS))
    for _ in range(2):
        codes["va0000"]["000001"]

    def look_up() -> None:
        for _ in range(10_000):
            codes["va0000"]["000001"]

    each = min(seconds(look_up)[0] for _ in range(3)) / 10_000
    with tempfile.TemporaryDirectory() as folder:
        session.catalogue.write_parquet(folder)
        opened = [
            seconds(lambda: len(Catalogue.read_parquet(folder).variables))[0]
            for _ in range(REPEATS)
        ]
    return {
        "polars filter": theirs,
        "frame filter": ours,
        "filter": kept,
        "lookup": each,
        "open": median(opened),
    }


def peak_mib() -> float:
    """The most memory the process had, in MiB: not getrusage's, which counts its parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak) / 1024


def measure_login(package: str, base_url: str, variables: int, *sizes: int) -> dict[str, float]:
    """Seconds to log in, imports not counted, and the most memory the process had, in MiB."""
    if package == "floor":
        import requests  # noqa: F401

        took, _ = seconds(lambda: floor(base_url, variables, *sizes))
    else:
        _ = importlib.import_module(package).login_with_password  # ours loads nothing before
        took, session = seconds(lambda: log_in(package, base_url))
        assert len(session.variables) == variables
    return {"seconds": took, "peak_mib": peak_mib()}


def measure_cache(package: str, base_url: str, variables: int) -> dict[str, float]:
    """Seconds to log in without a cache, and with one that has the catalogue."""
    import tempfile

    import apteco_frames

    def log_in_with(cache: str | None) -> None:
        session = apteco_frames.login_with_password(base_url, *CREDENTIALS, cache=cache)
        assert len(session.variables) == variables

    with tempfile.TemporaryDirectory() as folder:
        log_in_with(folder)
        without, warm = [], []
        for _ in range(REPEATS):
            without.append(seconds(lambda: log_in_with(None))[0])
            warm.append(seconds(lambda: log_in_with(folder))[0])
        kept = sum(path.stat().st_size for path in Path(folder).rglob("*.*"))
    return {"without": median(without), "seconds": median(warm), "bytes": kept}


def dates_by_loop(session: Any) -> list[str]:
    """The loop of the ``apteco`` documentation."""
    return [
        variable.name for variable in session.variables if "date" in variable.description.lower()
    ]


def dates_by_filter(session: Any) -> list[str]:
    """The same as a vectorised filter."""
    import polars as pl

    found = session.variables.frame.filter(pl.col("description").str.contains("(?i)date"))
    names: list[str] = found.get_column("name").to_list()
    return names


def measure_use(package: str, base_url: str, variables: int) -> dict[str, float]:
    """Seconds to find the date variables and to look variables up by name."""
    session = log_in(package, base_url)
    loops = [seconds(lambda: dates_by_loop(session)) for _ in range(REPEATS)]
    result = {"loop": median(took for took, _ in loops), "first loop": loops[0][0]}
    if package == "apteco_frames":
        filters = [seconds(lambda: dates_by_filter(session)) for _ in range(REPEATS)]
        assert filters[0][1] == loops[0][1]
        result["filter"] = median(took for took, _ in filters)
        result["first filter"] = filters[0][0]
    return result


def measure_lookup(package: str, base_url: str, variables: int) -> dict[str, float]:
    """Seconds for the first look-up by name of a fresh session, and for each of many."""
    session = log_in(package, base_url)
    rows = session.variables
    chosen = random.Random(1).choices(range(variables), k=100_000)
    names = [f"va{number:07}" for number in chosen]
    first, _ = seconds(lambda: rows[names[0]])
    second, _ = seconds(lambda: rows[names[1]])

    def look_up() -> None:
        for name in names:
            rows[name]

    each = min(seconds(look_up)[0] for _ in range(3)) / len(names)
    return {"first lookup": first, "second lookup": second, "lookup": each}


def measure_restore(package: str, base_url: str, variables: int) -> dict[str, float]:
    """Seconds to restore a session from its string, ours with the catalogue inside."""
    session = log_in(package, base_url)
    ours = package == "apteco_frames"
    text = session.serialize(include_catalogue=True) if ours else session.serialize()
    took, restored = seconds(lambda: type(session).deserialize(text))
    assert len(restored.variables) == variables
    return {"restore": took, "characters": len(text)}


def main() -> None:
    """Run one task."""
    task, package, base_url, *numbers = sys.argv[1:]
    measure = globals()[f"measure_{task}"]
    print(json.dumps(measure(package, base_url, *map(int, numbers))))


if __name__ == "__main__":
    main()
