"""``apteco-frames mcp`` as assistants run it: a process, its standard streams, its end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from assistants.asking import Told, call, program, talk
from cli.running import INTERRUPTIBLE, environment, in_process
from lanes import PATIENCE
from mcp.client import Client

MODES = ["legacy", "auto"]
OPENING = [
    {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
]
RUNAWAY = {"sql": "select count(*) from codes a, codes b, codes c, codes d"}


def message(number: int, tool: str, **arguments: Any) -> dict[str, Any]:
    """A call of a tool, as it is sent."""
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


@contextmanager
def started(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """The program, once it has answered for the first time; it ends in any case."""
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "mcp", *map(str, arguments)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as child:
        try:
            for each in OPENING:
                send(child, each)
            assert child.stdout
            assert "serverInfo" in child.stdout.readline()
            yield child
        finally:
            child.kill()


def send(child: subprocess.Popen[str], what: Any) -> None:
    """Write a line."""
    assert child.stdin
    child.stdin.write(json.dumps(what) + "\n")
    child.stdin.flush()


@pytest.mark.parametrize("mode", MODES)
def test_official_client(saved: Path, mode: str) -> None:
    """The official client is answered over stdio, in both generations of the protocol."""

    async def conversation(client: Client) -> tuple[str, list[str], list[Told], str]:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        told: dict[int, Told] = {}

        async def one(number: int) -> None:
            told[number] = await call(client, "list_codes", variable="hoTown", offset=number)

        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(one, number)
        (card, _) = (await client.list_resources()).resources
        (content,) = (await client.read_resource(card.uri)).contents
        version = client.session.protocol_version
        answers = [told[number] for number in range(50)]
        return str(version), tools, answers, getattr(content, "text", "")

    version, tools, answers, card = talk(
        program("--catalogue", saved / "holidays", "--sql"), conversation, mode=mode
    )
    assert (version >= "2026") == (mode == "auto")
    assert tools[0] == "search"
    assert tools[-1] == "query"
    codes = [row["code"] for row in answers[0].rows]
    assert len(codes) == 216
    for number, answer in enumerate(answers):
        assert [row["code"] for row in answer.rows] == codes[number:]
    assert "94 variables" in card


def test_end_of_input(saved: Path) -> None:
    """The program ends when its input does, quietly; what was asked before that is answered."""
    calls = [message(n, "search", text="travel date") for n in range(1, 4)]
    given = "".join(json.dumps(each) + "\n" for each in [*OPENING, *calls])
    done = in_process("mcp", "--catalogue", str(saved / "holidays"), given=given)
    assert (done.status, done.err) == (0, "")
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert {answer["id"] for answer in answers} == {0, 1, 2, 3}
    assert all("boTrav" in json.dumps(answer) for answer in answers if answer["id"])
    assert in_process("mcp", "--catalogue", str(saved / "holidays")) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals to send")
@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("how", ["end", "SIGINT", "SIGTERM"])
def test_ends_at_once(saved: Path, how: str, busy: bool) -> None:
    """It ends at once and quietly, also while its input stays open and a query goes on."""
    with started("--catalogue", saved / "holidays", "--sql") as child:
        assert child.stdin
        assert child.stderr
        if busy:
            send(child, message(1, "query", **RUNAWAY))
            time.sleep(0.2)
        start = time.monotonic()
        if how == "end":
            child.stdin.close()
        else:
            child.send_signal(getattr(signal, how))
        status = child.wait(PATIENCE)
        # Not the ten seconds that the query would have had.
        assert time.monotonic() - start < 8
        assert child.stderr.read() == ""
    assert status == {"end": 0, "SIGINT": 130, "SIGTERM": -signal.SIGTERM}[how]


def test_nobody_reads(saved: Path) -> None:
    """Where nobody reads the answers any more, it ends quietly, too."""
    with started("--catalogue", saved / "holidays") as child:
        assert child.stdin
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        send(child, message(1, "list_tables"))
        child.stdin.close()
        child.wait(PATIENCE)
        assert child.stderr.read() == ""


def test_garbage(saved: Path) -> None:
    """Lines that are no messages, and calls of what is not there, do not end it."""
    with started("--catalogue", saved / "holidays") as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write("no JSON\n\n[]\n{}\n" + "[" * 5_000 + "\n")
        send(child, {"jsonrpc": "2.0", "id": 5, "method": "no/method"})
        send(child, message(6, "list_tables"))
        answers = {}
        while 6 not in answers:
            answer = json.loads(child.stdout.readline())
            answers[answer.get("id")] = answer
        assert "Households" in json.dumps(answers[6])


def test_warnings_go_to_standard_error(saved: Path, tmp_path: Path) -> None:
    """What is printed by whatever runs in the process stays off standard output."""
    noisy = "import sys; print('noise'); sys.stderr.write('said')\n"
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, apteco_frames.catalogue as c\n"
        "real = c.Catalogue.search\n"
        f"def search(*a, **k):\n    exec({noisy!r})\n    return real(*a, **k)\n"
        "c.Catalogue.search = search\n"
    )
    path = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    given = "".join(
        json.dumps(each) + "\n" for each in [*OPENING, message(1, "search", text="date")]
    )
    done = in_process("mcp", "--catalogue", str(saved / "holidays"), given=given, PYTHONPATH=path)
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == [0, 1]
    assert "noise" in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Missing --catalogue DIR or --archive ROOT"),
        (["--catalogue", "a", "--archive", "b"], "exclude each other"),
        (["--catalogue", "a", "--system", "b"], "--system goes with --archive"),
        (["--archive", "a", "--older", "b"], "--older goes with --catalogue"),
        (["--catalogue", "a", "--budget", "9"], "--budget"),
        (["--catalogue", "a", "--profile", "b"], "--profile"),
        (["--catalogue", "a", "--password-stdin"], "--password-stdin"),
    ],
)
def test_wrong_arguments(arguments: list[str], told: str) -> None:
    """What does not go together is told, with status 2; there is no way to log in."""
    done = in_process("mcp", *arguments)
    assert (done.status, done.out) == (2, "")
    assert told in done.err


def test_nothing_is_there(tmp_path: Path) -> None:
    """A catalogue or an archive that is not there is told in a line, with status 1."""
    for arguments in (["--catalogue", "nowhere"], ["--archive", "nowhere"]):
        done = in_process("mcp", *arguments[:1], str(tmp_path / arguments[1]))
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith("apteco-frames: ")
        assert done.err.count("\n") == 1


def test_no_network_and_no_login(saved: Path) -> None:
    """Whatever is asked, it loads nothing that could log in or send, nor pandas, a slow import."""
    script = (
        "import asyncio, sys\nfrom apteco_frames import Catalogue\n"
        "from apteco_frames.mcp import server\n"
        "whole, newer = map(Catalogue.read_parquet, sys.argv[1:])\n"
        "served = server(newer, older=whole, sql=True)\n"
        "given = {'text': 'date', 'names': ['boDest'], 'words': 'a', 'sql': 'from system'}\n"
        "async def ask():\n"
        "    for tool in await served.list_tools():\n"
        "        known = tool.input_schema['properties']\n"
        "        told = await served.call_tool(\n"
        "            tool.name, {key: given[key] for key in given if key in known}\n"
        "        )\n"
        "        assert not told.is_error, told\n"
        "asyncio.run(ask())\n"
        "print([n for n in ('requests', 'apteco_frames.orbit', 'apteco_frames.session',"
        " 'apteco_frames.password', 'pandas') if n in sys.modules])\n"
    )
    done = in_process(str(saved / "holidays"), str(saved / "newer"), program=script)
    assert (done.out, done.err) == ("[]\n", "")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("npx"), reason="needs npx, of node")
def test_inspector(saved: Path, tmp_path: Path) -> None:
    """The inspector lists the tools and calls one."""
    server = [sys.executable, "-m", "apteco_frames", "mcp", "--catalogue", str(saved / "holidays")]

    def inspect(*arguments: str) -> Any:
        npx = shutil.which("npx") or ""
        done = subprocess.run(
            [npx, "--yes", "@modelcontextprotocol/inspector", "--cli", *server, *arguments],
            env=environment(),
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=5 * PATIENCE,
            check=False,
        )
        if done.returncode and "registry" in done.stderr:
            pytest.skip("needs the inspector, or npm's registry")
        return json.loads(done.stdout)

    tools = inspect("--method", "tools/list")["tools"]
    assert [tool["name"] for tool in tools][:2] == ["search", "list_tables"]
    told = inspect(
        *("--method", "tools/call", "--tool-name", "search", "--tool-arg", "text=travel date")
    )
    assert "boTrav" in told["content"][0]["text"]
