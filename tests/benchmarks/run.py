"""Measure ``apteco_frames`` beside ``apteco`` and the wire, and print one table.

``tox -e bench`` runs it; ``--rounds``, ``--variables`` and ``--output`` are its options. A
server process renders its pages beforehand. Clients run in processes of their own, in
turn; what counts is the median over the rounds of the ratio within each round.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from apteco_frames.orbit.client import FIRST_PAGE_SIZE
from apteco_frames.orbit.load import PAGE_SIZE

HERE = Path(__file__).parent
# How many variables the clients ask for at first, and at a time after that.
OUR_PAGES = FIRST_PAGE_SIZE, PAGE_SIZE
VENDOR_PAGES = 1_000, 1_000
GROWTH = (1_000, 10_000, 100_000, 1_000_000)
DATES = """
from {package} import login_with_password
session = login_with_password({arguments})
for variable in session.variables:
    if "date" in variable.description.lower():
        print(f"{{variable.name:>8}}: {{variable.description}}")
"""


class Report:
    """Collects what was measured, and shows it."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self.raw: dict[str, Any] = {}

    def add(self, what: str, ours: str, vendor: str, floor: str, ratio: str, reach: str) -> None:
        """Add a row."""
        row = {
            "what": what,
            "apteco_frames": ours,
            "apteco 0.8.2": vendor,
            "floor": floor,
            "measured": ratio,
            "to reach": reach,
        }
        self.rows.append(row)
        print(" | ".join(row.values()), flush=True)

    def markdown(self) -> str:
        """The rows as a Markdown table."""
        header = list(self.rows[0])
        lines = [header, ["---"] * len(header), *(list(row.values()) for row in self.rows)]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@contextlib.contextmanager
def served(variables: int, *pages: tuple[int, int]) -> Iterator[str]:
    """A server of that many variables; gives its URL without a path."""
    sizes = [str(size) for plan in pages for size in plan]
    with running("server.py", str(variables), *sizes) as url:
        yield url


@contextlib.contextmanager
def running(script: str, *arguments: str) -> Iterator[str]:
    """A server process; gives its URL without a path."""
    command = [sys.executable, str(HERE / script), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = process.stdout.readline().strip()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def client(task: str, package: str, url: str, *numbers: int) -> dict[str, float]:
    """Run one client in a process of its own."""
    arguments = [task, package, url, *map(str, numbers)]
    command = [sys.executable, str(HERE / "clients.py"), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    values: dict[str, float] = json.loads(done.stdout)
    return values


def rounds_of(
    number: int, task: str, url: str, variables: int, *clients: tuple[Any, ...]
) -> list[list[dict[str, float]]]:
    """Per client what it measured in each round; the clients take turns."""
    results: list[list[dict[str, float]]] = [[] for _ in clients]
    for _ in range(number):
        for index, (package, *sizes) in enumerate(clients):
            results[index].append(client(task, package, url, variables, *sizes))
    return results


def ratio(upper: list[dict[str, float]], lower: list[dict[str, float]], *keys: str) -> float:
    """The median over the rounds of upper / lower."""
    first, last = keys[0], keys[-1]
    return median(u[first] / v[last] for u, v in zip(upper, lower, strict=True))


def middle(results: list[dict[str, float]], key: str = "seconds") -> float:
    """The median over the rounds."""
    return median(result[key] for result in results)


def measure_login(report: Report, rounds: int, variables: int, url: str) -> None:
    """Log in, without and with latency; memory."""
    clients = (
        ("apteco_frames",),
        ("apteco",),
        ("floor", *VENDOR_PAGES),
        ("floor", *OUR_PAGES),
    )
    for path, name, faster in (
        ("", "log in, no added latency", 35),
        ("/slow", "log in, 50 ms added to each answer", 20),
    ):
        base_url = f"{url}{path}/OrbitAPI"
        ours, vendor, floor, larger = rounds_of(rounds, "login", base_url, variables, *clients)
        report.raw[name] = {
            "ours": ours,
            "apteco": vendor,
            "floor": floor,
            "floor, our pages": larger,
        }
        report.add(
            name,
            f"{middle(ours):.2f} s",
            f"{middle(vendor):.1f} s",
            f"{middle(floor):.2f} s; in our pages {middle(larger):.2f} s",
            f"{ratio(vendor, ours, 'seconds'):.0f} times faster; "
            f"{ratio(ours, floor, 'seconds'):.2f} times the floor, "
            f"{ratio(ours, larger, 'seconds'):.2f} times that in our pages",
            f"{faster} times faster" + ("" if path else "; 1.6 times the floor"),
        )
        if not path:
            report.add(
                "peak memory of the process",
                f"{middle(ours, 'peak_mib'):.0f} MiB",
                f"{middle(vendor, 'peak_mib'):.0f} MiB",
                f"{middle(floor, 'peak_mib'):.0f} MiB",
                f"{ratio(ours, vendor, 'peak_mib'):.2f} of apteco's",
                "0.5 of apteco's",
            )


def measure_use(report: Report, rounds: int, variables: int, url: str) -> None:
    """Find dates, look up by name, restore."""
    base_url = f"{url}/OrbitAPI"
    clients = ("apteco_frames",), ("apteco",)
    ours, vendor = rounds_of(rounds, "use", base_url, variables, *clients)
    report.raw["use"] = {"ours": ours, "apteco": vendor}
    loop = f"{middle(vendor, 'loop') * 1e3:.1f} ms"
    report.add(
        "date filter on `.frame`, giving the names",
        f"{middle(ours, 'filter') * 1e3:.1f} ms",
        f"{loop} (its loop)",
        "",
        f"{ratio(vendor, ours, 'loop', 'filter'):.1f} times faster",
        "5 times faster",
    )
    report.add(
        "the documented loop over objects",
        f"{middle(ours, 'loop') * 1e3:.1f} ms",
        loop,
        "",
        f"{ratio(ours, vendor, 'loop'):.2f} times apteco's",
        "2 times apteco's",
    )
    ours, vendor = rounds_of(rounds, "lookup", base_url, variables, *clients)
    report.raw["lookup"] = {"ours": ours, "apteco": vendor}
    report.add(
        "first look-up by name; then each",
        f"{middle(ours, 'first lookup') * 1e3:.1f} ms; {middle(ours, 'lookup') * 1e6:.2f} µs",
        f"{middle(vendor, 'first lookup') * 1e3:.2f} ms; {middle(vendor, 'lookup') * 1e6:.2f} µs",
        "",
        f"the second look-up: {middle(ours, 'second lookup') * 1e3:.1f} ms",
        "30 ms; 3 µs",
    )
    ours, vendor = rounds_of(rounds, "restore", base_url, variables, *clients)
    report.raw["restore"] = {"ours": ours, "apteco": vendor}
    report.add(
        "restore from a string with the catalogue",
        f"{middle(ours, 'restore') * 1e3:.0f} ms",
        f"{middle(vendor, 'restore'):.1f} s",
        "",
        f"{ratio(vendor, ours, 'restore'):.0f} times faster",
        "100 times faster",
    )


def measure_cache(report: Report, rounds: int, variables: int, url: str) -> None:
    """Log in with a warm cache beside one without."""
    for path, name in (("", "no added latency"), ("/slow", "50 ms added to each answer")):
        base_url = f"{url}{path}/OrbitAPI"
        (ours,) = rounds_of(rounds, "cache", base_url, variables, ("apteco_frames",))
        report.raw[f"cache, {name}"] = ours
        report.add(
            f"log in with a warm cache, {name}",
            f"{middle(ours) * 1e3:.0f} ms; without {middle(ours, 'without'):.2f} s",
            "",
            "",
            f"{ratio(ours, ours, 'without', 'seconds'):.0f} times faster; "
            f"{middle(ours, 'bytes') / 2**20:.1f} MiB on disk",
            "" if path else "60 ms",
        )


def measure_process(report: Report, rounds: int) -> None:
    """The whole process: import, log in to Holidays, print the dates."""
    from apteco_frames.demo import DemoServer

    with DemoServer() as demo:
        values = demo.base_url, demo.data_view, demo.system, demo.user, demo.password
        arguments = ", ".join(map(repr, values))
        times: dict[str, list[float]] = {"apteco_frames": [], "apteco": []}
        outputs = set()
        for _ in range(rounds + 1):
            for package, measured in times.items():
                script = DATES.format(package=package, arguments=arguments)
                start = time.perf_counter()
                done = subprocess.run(
                    [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True
                )
                measured.append(time.perf_counter() - start)
                outputs.add(done.stdout)
    assert len(outputs) == 1
    ours, vendor = (measured[1:] for measured in times.values())  # the first fills the caches
    report.raw["process"] = {"ours": ours, "apteco": vendor}
    both = zip(ours, vendor, strict=True)
    report.add(
        "whole process: import, log in to Holidays, print the dates",
        f"{median(ours):.2f} s",
        f"{median(vendor):.2f} s",
        "",
        f"{median(u / v for u, v in both):.2f} times apteco's",
        "0.9 times apteco's",
    )


def measure_growth(report: Report, rounds: int) -> None:
    """Time and memory by the size of the system."""
    for variables in GROWTH:
        with served(variables, OUR_PAGES) as url:
            (ours,) = rounds_of(rounds, "login", f"{url}/OrbitAPI", variables, ("apteco_frames",))
        report.raw[f"growth {variables}"] = ours
        report.add(
            f"growth: log in to {variables:,} variables",
            f"{middle(ours):.3f} s, {middle(ours, 'peak_mib'):.0f} MiB",
            "",
            "",
            f"{middle(ours) / variables * 1e6:.1f} µs a variable",
            "does not grow" if variables > GROWTH[0] else "",
        )


def measure_differences(report: Report, rounds: int) -> None:
    """What changed between two catalogues with their codes."""
    command = [sys.executable, str(HERE / "differences.py"), "100000", "500000"]
    runs: list[dict[str, float]] = [
        json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    report.raw["differences"] = runs
    report.add(
        "what changed: 100,000 variables and 500,000 codes, 1% of them; nothing",
        f"{middle(runs):.2f} s; {middle(runs, 'equal') * 1e3:.1f} ms",
        "",
        "",
        f"{middle(runs, 'changes'):,.0f} changes",
        "0.35 s; 20 ms",
    )
    report.add("the quality of the same", f"{middle(runs, 'quality'):.2f} s", "", "", "", "0.3 s")


def measure_codes(report: Report, rounds: int) -> None:
    """All codes of a large system: beside the loop that users write, and the wire."""
    from apteco_frames.orbit.client import CODE_CONNECTIONS

    clients = {"apteco_frames": 0, "apteco_api": 1, "floor": CODE_CONNECTIONS}
    with running("codes_server.py") as url:
        for path, name, reach in (
            ("", "all codes, no added latency", "12 times faster; 2 times the floor"),
            ("/slow", "all codes, 20 ms added to each answer", "10 times faster"),
        ):
            results: dict[str, list[dict[str, float]]] = {package: [] for package in clients}
            for _ in range(rounds):
                for package, connections in clients.items():
                    base_url = f"{url}{path}/OrbitAPI"
                    results[package].append(client("codes", package, base_url, connections))
            report.raw[name] = results
            ours, loop, floor = results.values()
            report.add(
                name,
                f"{middle(ours):.2f} s",
                f"{middle(loop):.1f} s (a loop with `apteco_api`)",
                f"{middle(floor):.2f} s",
                f"{ratio(loop, ours, 'seconds'):.1f} times faster; "
                f"{ratio(ours, floor, 'seconds'):.2f} times the floor",
                reach,
            )
            if not path:
                report.add(
                    "peak memory with all codes",
                    f"{middle(ours, 'peak_mib'):.0f} MiB",
                    f"{middle(loop, 'peak_mib'):.0f} MiB",
                    f"{middle(floor, 'peak_mib'):.0f} MiB",
                    f"{ratio(ours, loop, 'peak_mib'):.2f} of the loop's",
                    "0.35 of the loop's",
                )
                slower = median(1e3 * (u["frame filter"] - u["polars filter"]) for u in ours)
                report.add(
                    "filter on `codes.frame`; then `codes.filter`",
                    f"{middle(ours, 'frame filter') * 1e3:.1f} ms; "
                    f"{middle(ours, 'filter') * 1e3:.1f} ms",
                    "",
                    "",
                    f"{slower:+.1f} ms beside polars alone",
                    "within 10 ms",
                )
                report.add(
                    "open a saved catalogue with its codes; look a code up",
                    f"{middle(ours, 'open') * 1e3:.1f} ms; {middle(ours, 'lookup') * 1e6:.2f} µs",
                    "",
                    "",
                    "",
                    "50 ms; 10 µs",
                )


def measure_uses(report: Report, rounds: int) -> None:
    """What 2,000 audiences use: beside the loop that users write, and the wire."""
    from apteco_frames.orbit.client import CODE_CONNECTIONS

    clients = {"apteco_frames": 0, "apteco_api": 1, "floor": CODE_CONNECTIONS}
    with running("uses_server.py") as url:
        for path, added in (("", "no added latency"), ("/slow", "20 ms added to each answer")):
            name = f"what 2,000 audiences use, {added}"
            results: dict[str, list[dict[str, float]]] = {package: [] for package in clients}
            for _ in range(rounds):
                for package, connections in clients.items():
                    base_url = f"{url}{path}/OrbitAPI"
                    results[package].append(client("uses", package, base_url, connections))
            report.raw[name] = results
            ours, loop, floor = results.values()
            report.add(
                name,
                f"{middle(ours):.2f} s",
                f"{middle(loop):.1f} s (a loop with `apteco_api`)",
                f"{middle(floor):.2f} s",
                f"{ratio(loop, ours, 'seconds'):.1f} times faster; "
                f"{ratio(ours, floor, 'seconds'):.2f} times the floor",
                "3 times faster; 2 times the floor",
            )


def measure_archives(report: Report, rounds: int) -> None:
    """Add a catalogue with its codes; read one system of 200."""
    command = [sys.executable, str(HERE / "archives.py"), "100000", "500000"]
    runs: list[dict[str, float]] = [
        json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    report.raw["archives"] = runs
    report.add(
        "add 100,000 variables and 500,000 codes to an archive; again, which changes nothing",
        f"{middle(runs, 'add'):.2f} s; {middle(runs, 'again'):.2f} s",
        "",
        "",
        "",
        "",
    )
    report.add(
        "one system of 200 in an archive, 5,000 codes each: scan; catalogue",
        f"{middle(runs, 'scan') * 1e3:.0f} ms; {middle(runs, 'catalogue') * 1e3:.0f} ms",
        "",
        "",
        "",
        "",
    )


def measure_storage(report: Report) -> None:
    """Requests of an archive on S3; the history of a variable of many codes."""
    command = [sys.executable, str(HERE / "storage_requests.py"), "30", "300", "3000"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    report.raw["storage requests"] = found = json.loads(done.stdout)
    for use in found["30"]:
        report.add(
            f"requests on S3 with 30, 300, 3,000 builds: {use}",
            ", ".join(f"{sum(counts[use].values()):,}" for counts in found.values()),
            "",
            "",
            "",
            "" if use == "builds" else "as many, but for the pages of lists",
        )
    command = [sys.executable, str(HERE / "histories.py"), "100000", "365"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    report.raw["history"] = history = json.loads(done.stdout)
    report.add(
        "the history of a variable of 100,000 codes in 365 builds",
        f"{history['seconds']:.1f} s; {history['mebibytes']:.0f} MiB",
        "",
        "",
        "",
        "30 s; 1,024 MiB",
    )


def measure_searches(report: Report, rounds: int) -> None:
    """Searches of a catalogue with its codes."""
    command = [sys.executable, str(HERE / "searches.py"), "100000", "500000"]
    runs: list[dict[str, float]] = [
        json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    report.raw["searches"] = runs
    report.add(
        "search 100,000 variables and 500,000 codes: the first time; then each",
        f"{middle(runs, 'first'):.2f} s; {middle(runs) * 1e3:.0f} ms",
        "",
        "",
        f"the slowest {middle(runs, 'slowest') * 1e3:.0f} ms",
        "0.35 s; 60 ms",
    )


def measure_assistants(report: Report, rounds: int) -> None:
    """What assistants ask of a catalogue with its codes."""
    command = [sys.executable, str(HERE / "assistants.py"), "1009", "562740"]
    runs: list[dict[str, Any]] = [
        json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    report.raw["assistants"] = runs
    slowest = max(runs, key=lambda run: run["slowest"])["slowest_call"]
    report.add(
        "an assistant's first answer on 562,740 codes; then each",
        f"{middle(runs, 'first'):.2f} s; {middle(runs) * 1e3:.0f} ms",
        "",
        "",
        f"the slowest {middle(runs, 'slowest') * 1e3:.0f} ms: {slowest}; "
        f"started in {middle(runs, 'ready'):.2f} s",
        "2 s; 100 ms",
    )


def measure_dictionary(report: Report, rounds: int) -> None:
    """The data dictionary in a browser."""
    command = [sys.executable, str(HERE / "dictionary.py"), "100000", "500000"]
    runs: list[dict[str, float]] = [
        json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    report.raw["dictionary"] = runs
    if not all(runs):
        report.add("data dictionary", "", "", "", "there is no chromium", "")
        return
    report.add(
        "data dictionary of 100,000 variables and 500,000 codes: open it; a key",
        f"{middle(runs, 'open'):.2f} s; {middle(runs, 'key') * 1e3:.0f} ms",
        "",
        "",
        f"{middle(runs, 'bytes') / 1e6:.1f} MB, written in {middle(runs, 'write'):.1f} s; "
        f"slowest key {middle(runs, 'slowest') * 1e3:.0f} ms",
        "10 MB; 1 s; 50 ms",
    )
    report.add(
        "a key in “Find in these codes” of 200,000",
        f"{middle(runs, 'within') * 1e3:.0f} ms",
        "",
        "",
        f"slowest key {middle(runs, 'slowest within') * 1e3:.0f} ms",
        "100 ms",
    )


def measure_workbook(report: Report, rounds: int) -> None:
    """A catalogue with its codes as an Excel workbook."""
    command = [sys.executable, str(HERE / "workbook.py"), "1000", "500000"]
    runs: list[dict[str, float]] = [
        json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(rounds)
    ]
    report.raw["workbook"] = runs
    report.add(
        "an Excel workbook of 1,000 variables and 500,000 codes",
        f"{middle(runs):.1f} s, {middle(runs, 'mib'):.0f} MiB above the catalogue",
        "",
        "",
        f"a file of {middle(runs, 'file mib'):.0f} MiB",
        "130 MiB",
    )


def machine() -> str:
    """What it was measured on."""
    names = ("apteco-frames", "apteco", "polars", "pyarrow", "requests", "numpy", "pandas")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}; {packages}"
    )


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--variables", type=int, default=100_000)
    parser.add_argument("--output", type=Path, default=Path("benchmark-results"))
    options = parser.parse_args()
    # The vendor's client would ask a proxy of this machine for the server on it.
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    report = Report()
    with served(options.variables, OUR_PAGES, VENDOR_PAGES) as url:
        measure_login(report, options.rounds, options.variables, url)
        measure_use(report, options.rounds, options.variables, url)
        measure_cache(report, options.rounds, options.variables, url)
    measure_codes(report, options.rounds)
    measure_uses(report, options.rounds)
    measure_process(report, 2 * options.rounds)
    measure_growth(report, options.rounds)
    measure_differences(report, options.rounds)
    measure_archives(report, options.rounds)
    measure_storage(report)
    measure_workbook(report, min(options.rounds, 3))
    measure_dictionary(report, options.rounds)
    measure_searches(report, options.rounds)
    measure_assistants(report, options.rounds)
    note = (
        f"{options.variables:,} variables unless a row says otherwise, {options.rounds} rounds "
        f"(of the whole process {2 * options.rounds}), medians. {machine()}."
    )
    options.output.mkdir(parents=True, exist_ok=True)
    results = {"note": note, "rows": report.rows, "raw": report.raw}
    (options.output / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False))
    text = f"{report.markdown()}\n\n{note}\n"
    (options.output / "results.md").write_text(text, encoding="utf-8")
    print(f"\n{text}")


if __name__ == "__main__":
    main()
