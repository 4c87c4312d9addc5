"""What all tests share; and the table of faults, which is shown where the results come together."""

from __future__ import annotations

import os

import lanes  # noqa: F401 - which registers the profiles of Hypothesis
import pytest
from hypothesis import settings

settings.load_profile("quick")  # --hypothesis-profile=thorough chooses the other

# No test depends on the proxies and certificates of where it runs, nor do the programs it starts.
for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC"):
    os.environ.pop(name, None)
# Nor on anything else that a developer has set: no account, no folder of theirs, no shell that asks
# for completions, and no terminal's width, to which tables of text are fitted.
for name in list(os.environ):
    if name.startswith(("APTECO_", "_APTECO_")):
        del os.environ[name]
os.environ["COLUMNS"] = "100"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how each fault of ``tests/faults`` ended, whichever process ran its test."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)]
    table = [
        value
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == "fault"
    ]
    if not table:
        return
    terminalreporter.section("faults, and how they end")
    width = max(len(name) for name, _, _ in table)
    for name, outcome, seconds in sorted(table):
        terminalreporter.line(f"{name:<{width}}  {outcome:<22} {seconds:6.2f} s")
    total = sum(seconds for _, _, seconds in table)
    terminalreporter.line(f"{len(table)} faults, {total:.1f} s")
