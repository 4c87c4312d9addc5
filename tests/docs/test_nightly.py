"""The recipes of the page on nightly builds run as they are typed, for three nights."""

from __future__ import annotations

import email
import json
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from cli.running import PASSWORD, NotingServer, Ran, shell
from docs.terminal import SITE
from examples import ROOT, examples

from apteco_frames import Catalogue

PAGE = ROOT.joinpath("docs", "how-to", "nightly-gate.md").read_text(encoding="utf-8")
NIGHTLY, MAIL, CHAT = (example.text for example in examples(PAGE, "sh"))
CRONTAB = "".join(example.text for example in examples(PAGE, "text"))
(WORKFLOW,) = (yaml.safe_load(example.text) for example in examples(PAGE, "yaml"))
(BATCH,) = (example.text for example in examples(PAGE, "bat"))
FOLDER = "/srv/faststats"


@pytest.fixture
def nights(server: NotingServer, place: Path) -> Iterator[list[str]]:
    """Where to log in on three nights: after a build, in the next one, after a build that broke."""
    place.joinpath("nightly.sh").write_text(NIGHTLY)
    place.joinpath("mail.sh").write_text(MAIL)
    place.joinpath("chat.sh").write_text(CHAT)
    place.joinpath("orbit.password").write_text(PASSWORD)
    profiles = place / "config" / "profiles.toml"
    profiles.write_text(profiles.read_text().replace("[orbit]", "[nightly]"))
    shutil.rmtree(place / "my-archive")
    with NotingServer(Catalogue.read_parquet(place / "newer")) as rebuilt:
        yield [server.base_url, server.base_url, rebuilt.base_url]


@pytest.fixture
def posted() -> Iterator[tuple[str, list[Any]]]:
    """A webhook on loopback: its URL, and the JSON that was sent to it."""
    received: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook?key=K9-Sentinel", received
        server.shutdown()


def from_cron(place: Path, words: str, **changes: str | None) -> Ran:
    """Run the line of the crontab that has some words, as cron does: with sh."""
    (line,) = (line for line in CRONTAB.splitlines() if words in line)
    schedule, command = re.fullmatch(r"((?:[\d*,-]+ ){5}) *(.*)", line).groups()  # type: ignore[union-attr]
    assert len(schedule.split()) == 5
    assert "%" not in command  # which cron takes for the end of a line
    return shell(command.replace(FOLDER, str(place)), place, APTECO_PASSWORD=None, **changes)


def test_the_nightly_job(place: Path, nights: list[str]) -> None:
    """cron prints, and so mails, nothing as long as nothing broke, and then what did."""
    ends = [from_cron(place, "sh nightly.sh", APTECO_BASE_URL=url) for url in nights]
    assert ["hoURN" in end.out for end in ends] == [False, False, True]
    assert [end.out for end in ends[:2]] == ["", ""]
    assert PASSWORD not in "".join(end.out + end.err for end in ends)
    status = shell("sh nightly.sh", place, APTECO_BASE_URL=nights[2], APTECO_PASSWORD=None).status
    assert status == 1
    pruned = from_cron(place, "archive prune")
    assert (pruned.status, pruned.err) == (0, "apteco-frames: removed 0 builds\n")


def test_the_mail(place: Path, nights: list[str]) -> None:
    """A mail is sent after the build that broke alone; it is one that mail programs show."""
    sent = place / "sent.eml"
    (place / "bin").mkdir()
    sendmail = place / "bin" / "sendmail"
    sendmail.write_text(f'#!/bin/sh\ntest "$*" = -t && cat > "{sent}"\n')
    sendmail.chmod(0o755)
    were_sent = []
    for url in (nights[0], nights[2]):
        from_cron(place, "sh nightly.sh", APTECO_BASE_URL=url)
        end = from_cron(place, "sh mail.sh")
        were_sent.append(sent.exists())
    assert were_sent == [False, True]
    assert (end.out, end.err) == ("", "")
    mail: Message = email.message_from_bytes(sent.read_bytes())
    assert mail["To"] == "faststats-team@my-site.com"
    assert mail["MIME-Version"] == "1.0"
    assert (mail.get_content_type(), mail.get_content_charset()) == ("text/html", "utf-8")
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().startswith("<!DOCTYPE html>")
    assert "variable hoURN removed" in body.decode()


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_chat(place: Path, nights: list[str], posted: tuple[str, list[Any]]) -> None:
    """The chat is told after the build that broke alone, and nobody else is told its URL."""
    url, received = posted
    place.joinpath("webhook.txt").write_text(f"url = {url}\n")
    for night, number in zip(nights, (0, 0, 1), strict=True):
        end = shell("sh chat.sh", place, APTECO_BASE_URL=night, APTECO_PASSWORD=None)
        assert (end.status, end.out, end.err) == (0, "", "")
        assert len(received) == number
    (message,) = received
    assert message.keys() == {"text"}
    assert "- variable hoURN: Household URN" in message["text"]
    assert "K9-Sentinel" not in CHAT + message["text"]


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_workflow(place: Path, nights: list[str], posted: tuple[str, list[Any]]) -> None:
    """The steps of the workflow do the same; GitHub's words and secrets stand in nothing else."""
    url, received = posted
    assert WORKFLOW.keys() == {"name", True, "jobs"}  # YAML 1.1 takes on for a truth
    schedule = WORKFLOW[True]["schedule"][0]["cron"]
    assert len(schedule.split()) == 5
    (job,) = WORKFLOW["jobs"].values()
    told: Mapping[str, str] = job["env"]
    assert told["APTECO_BASE_URL"] == SITE
    assert told["APTECO_PASSWORD"] == "${{ secrets.ORBIT_PASSWORD }}"
    install, *checks, tell = job["steps"]
    assert shell(f"set -n\n{install['run']}", place).status == 0
    assert (checks[-1]["if"], tell["if"]) == ("${{ !cancelled() }}", "${{ failure() }}")
    assert tell["env"] == {"WEBHOOK": "${{ secrets.WEBHOOK }}"}
    context = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "us/gate",
        "GITHUB_RUN_ID": "7",
    }
    ends = []
    for night in nights:
        changes = {**told, "APTECO_BASE_URL": night, "APTECO_PASSWORD": PASSWORD}
        runs = [
            shell(f"set -e\n{step['run']}".replace(FOLDER, str(place)), place, **changes)
            for step in checks
        ]
        ends.append(runs[-1])
        assert runs[0].status == 0
        if runs[-1].status:
            done = shell(f"set -e\n{tell['run']}", place, WEBHOOK=url, **context)
            assert (done.status, done.out, done.err) == (0, "", "")
    assert [end.status for end in ends] == [0, 0, 1]
    assert "::error title=breaking" in ends[-1].out
    assert received == [{"text": "FastStats builds: https://github.com/us/gate/actions/runs/7"}]


def test_the_batch_file(place: Path, nights: list[str]) -> None:
    """The commands of the batch file end as it says, and write the page."""
    in_sh = BATCH
    for windows, unix in (
        ("cd /d D:\\faststats", f"cd '{place}'"),
        ("cmd /c type orbit.password", "cat orbit.password"),
        ("set FAILED=%ERRORLEVEL%", "FAILED=$?"),
        ("|| set FAILED=1", "|| FAILED=1"),
        ("exit /b %FAILED%", "exit $FAILED"),
    ):
        assert windows in in_sh
        in_sh = in_sh.replace(windows, unix)
    in_sh = in_sh.replace("%%", "%")  # as a batch file writes it
    ends = [shell(in_sh, place, APTECO_BASE_URL=url, APTECO_PASSWORD=None) for url in nights]
    assert [end.status for end in ends] == [0, 0, 1]
    assert "hoURN" in place.joinpath("report.html").read_text(encoding="utf-8")
    assert shell(in_sh, place, APTECO_BASE_URL="http://127.0.0.1:9", APTECO_PASSWORD=None).status
