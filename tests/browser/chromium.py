"""A headless Chromium, driven by the DevTools protocol through a pair of pipes.

Nothing but the browser is needed: no driver, no port, no web socket.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
TIMEOUT = 60.0
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--disable-extensions", "--mute-audio", "--hide-scrollbars"),
    "--remote-debugging-pipe",
)

# The browser reads file 3 and writes file 4.
PLUG = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
# The middle of what a selector finds first, scrolled into view.
MIDDLE = """(() => {
  const element = document.querySelector($0);
  element.scrollIntoView({ block: "nearest" });
  const box = element.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
})()"""


class PageError(AssertionError):
    """A script of the page, or of a test in it, failed."""


class Browser:
    """A Chromium with one page.

    Args:
        folder: an empty folder, for its profile.

    Attributes:
        asked: the URLs that the page asked for, itself among them.
        alerts: the texts of dialogs that opened; each was closed.
        complaints: what the page wrote to the console, and errors of its scripts.
    """

    def __init__(self, folder: Path) -> None:
        assert PROGRAM
        read_by_browser, self._to = os.pipe()
        self._from, written_by_browser = os.pipe()
        plug = [sys.executable, "-IS", "-c", PLUG, str(read_by_browser), str(written_by_browser)]
        self._process = subprocess.Popen(
            [*plug, PROGRAM, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(read_by_browser, written_by_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_by_browser)
        os.close(written_by_browser)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._from, selectors.EVENT_READ)
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.asked: list[str] = []
        self.alerts: list[str] = []
        self.complaints: list[str] = []
        try:
            self._attach()
        except BaseException:
            self._end()
            raise

    def _attach(self) -> None:
        pages = self.send("Target.getTargets")["targetInfos"]
        target = next(info["targetId"] for info in pages if info["type"] == "page")
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._selector.close()
        os.close(self._to)
        os.close(self._from)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something, and wait for its answer."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        for answer in self._messages(TIMEOUT):
            if answer.get("id") == number:
                if "error" in answer:
                    raise PageError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
        raise TimeoutError(f"{method}: no answer")

    def _messages(self, seconds: float) -> Iterator[dict[str, Any]]:
        """What the browser says, for some time; events are noted on the way."""
        until = time.monotonic() + seconds
        while True:
            head, mark, rest = self._rest.partition(b"\0")
            if mark:
                self._rest = rest
                message = json.loads(head)
                self._note(message)
                yield message
            elif self._selector.select(max(0, until - time.monotonic())):
                data = os.read(self._from, 1 << 20)
                if not data:
                    raise PageError("The browser has ended.")
                self._rest += data
            else:
                return

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.asked.append(parameters["request"]["url"])
            case "Page.javascriptDialogOpening":
                self.alerts.append(parameters["message"])
                closing: dict[str, Any] = {"id": 0, "sessionId": self._session}
                closing |= {"method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
                os.write(self._to, json.dumps(closing).encode() + b"\0")
            case "Runtime.exceptionThrown":
                self.complaints.append(str(parameters["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.complaints.append(str(parameters["args"]))
            case "Log.entryAdded":
                self.complaints.append(parameters["entry"]["text"])

    def run(self, script: str, *values: Any) -> Any:
        """What a JavaScript expression gives, awaited; ``$0``, ``$1`` in it are the values."""
        for number, value in reversed(list(enumerate(values))):
            script = script.replace(f"${number}", json.dumps(value))
        done = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in done:
            raise PageError(f"{script[:200]}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def wait_for(self, script: str, *values: Any) -> Any:
        """Wait until an expression holds, and give it."""
        until = time.monotonic() + TIMEOUT
        while not (value := self.run(script, *values)):
            if time.monotonic() > until:
                raise TimeoutError(f"{script}; the page complained: {self.complaints}")
            time.sleep(0.02)
        return value

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a page from disk, anew, and wait until it has drawn itself."""
        self.send("Page.navigate", url="about:blank")
        self.wait_for("location.href === 'about:blank'")
        self.send("Page.navigate", url=path.as_uri() + fragment)
        self.wait_for("location.protocol === 'file:' && document.documentElement?.dataset.opened")

    def visit(self, path: Path, query: str = "") -> None:
        """Open any page from disk, and wait until all that it loads is there."""
        self.send("Page.navigate", url="about:blank")
        self.wait_for("location.href === 'about:blank'")
        self.send("Page.navigate", url=path.as_uri() + query)
        self.wait_for("location.protocol === 'file:' && document.readyState === 'complete'")

    def look(self, width: int, height: int = 900, *, scheme: str = "light") -> None:
        """Take on a width and height in pixels, and a theme, ``light`` or ``dark``."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media="", features=features)

    def press(self, key: str) -> None:
        """Press a key and let it go: a letter, or one such as ``Tab`` or ``ArrowDown``."""
        text = {"Enter": "\r", "Space": " "}.get(key, key if len(key) == 1 else "")
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40}
        what = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        what |= {"code": key} if len(key) > 1 else {}
        kind = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
        self.send("Input.dispatchKeyEvent", **kind, **what)
        self.send("Input.dispatchKeyEvent", type="keyUp", **what)

    def type(self, text: str) -> None:
        """Type letters, one after the other."""
        for letter in text:
            self.press(letter)

    def click(self, selector: str) -> None:
        """Click in the middle of what a selector finds first."""
        place = self.run(MIDDLE, selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=place[0],
                y=place[1],
                button="left",
                clickCount=1,
            )

    def picture(self, path: Path) -> None:
        """Write what is in view to a PNG file."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def pdf(self) -> bytes:
        """The page as it would be printed."""
        return base64.b64decode(self.send("Page.printToPDF")["data"])
