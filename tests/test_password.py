"""Asking for a password in a terminal, a notebook and a pop-up box, each driven for real."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lanes import PATIENCE

import apteco_frames.password

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient

PROMPT = "Enter your password: "
SECRET = "correct {horse} $batt3ry"
TIMEOUT = PATIENCE

# What the child processes run; only a digest of what was typed ever leaves them.
ASK = """
import hashlib, signal, sys
from apteco_frames.errors import PasswordPromptError
from apteco_frames.password import ask_password

def ask(user="jane", system="Holidays"):
    try:
        answer = ask_password(user, system)
    except PasswordPromptError as error:
        assert error.__context__ is None and error.__cause__ is None
        print("refused:", error)
    except KeyboardInterrupt:
        print("interrupted")
    else:
        print("answered:", hashlib.sha256(answer.encode()).hexdigest())

signal.signal(signal.SIGINT, signal.default_int_handler)
"""
# Makes standard input the controlling terminal, which is what /dev/tty then is.
TAKE_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"


def answered(secret: str) -> str:
    return f"answered: {hashlib.sha256(secret.encode()).hexdigest()}"


def environment(**changes: str) -> dict[str, str]:
    """The environment of a child that can import the package, and has no display unless given."""
    names = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    names["PYTHONPATH"] = str(Path(apteco_frames.password.__file__).parents[1])
    names["PYTHONIOENCODING"] = "utf-8"
    return names | changes


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + TIMEOUT
    while not happened():
        if time.monotonic() > deadline:
            pytest.fail(f"nothing happened in {TIMEOUT} seconds")
        time.sleep(0.05)


def in_terminal(code: str, keys: bytes | None = None) -> str:
    """Run code in a terminal of its own; press the keys after the prompt; all that it showed."""
    ours, theirs = pytest.importorskip("pty").openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=environment(TERM="dumb"),
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + TIMEOUT
    try:
        while time.monotonic() < deadline:
            if keys is not None and PROMPT.encode() in shown:
                time.sleep(0.2)  # until it not only asks but reads
                os.write(ours, keys)
                keys = None
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    piece = os.read(ours, 4096)
                except OSError:  # how Linux says that the other side has closed the terminal
                    break
                if not piece:
                    break
                shown += piece
        else:
            pytest.fail(f"still waiting, after showing {shown!r}")
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    return shown.decode()


def without_terminal(code: str, **changes: str) -> str:
    """Run code in a session without a terminal and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        start_new_session=True,
        env=environment(**changes),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_terminal_of_these_tests_echoes_what_nobody_hides() -> None:
    """Ordinary input shows up in the transcript, so a hidden one would be noticed."""
    assert "visible" in in_terminal(f"input({PROMPT!r})", b"visible\n")


@pytest.mark.parametrize("secret", [SECRET, "pä$$wörd €", " spaces around ", ""])
def test_a_terminal_asks_without_an_echo(secret: str) -> None:
    """A terminal shows the prompt and nothing of what is typed, which comes back unchanged."""
    shown = in_terminal(TAKE_TERMINAL + ASK + "ask()", f"{secret}\n".encode())
    assert shown == f"{PROMPT}\r\n{answered(secret)}\r\n"


def test_a_terminal_is_asked_when_standard_input_is_redirected() -> None:
    """With input and output redirected, the prompt still reaches the terminal of the process."""
    redirect = """
import os, sys
saved = os.dup(1)
for number in range(3):
    os.dup2(os.open(os.devnull, os.O_RDWR), number)
"""
    back = "sys.stdout = open(saved, 'w')\n"
    shown = in_terminal(TAKE_TERMINAL + redirect + back + ASK + "ask()", f"{SECRET}\n".encode())
    assert shown == f"{PROMPT}\r\n{answered(SECRET)}\r\n"


def test_a_terminal_on_standard_input_alone_is_enough() -> None:
    """A terminal that does not control the process asks just the same."""
    shown = in_terminal(ASK + "ask()", f"{SECRET}\n".encode())
    assert shown == f"{PROMPT}\r\n{answered(SECRET)}\r\n"


def test_ipython_in_a_terminal_asks_there() -> None:
    """IPython in a terminal is a terminal like any other."""
    pytest.importorskip("IPython")
    start = "import IPython; IPython.start_ipython(['-c', 'ask()'], user_ns={'ask': ask})"
    shown = in_terminal(TAKE_TERMINAL + ASK + start, f"{SECRET}\n".encode())
    assert PROMPT in shown
    assert answered(SECRET) in shown
    assert SECRET not in shown


def test_end_of_input_cancels_the_prompt() -> None:
    """Ctrl-D at the prompt raises an error that names the user, the system and the way out."""
    shown = in_terminal(TAKE_TERMINAL + ASK + "ask()", b"\x04")
    assert "refused: No password for user 'jane' of system 'Holidays'" in shown
    assert "cancelled" in shown
    assert "login_with_password" in shown


@pytest.mark.parametrize("before", ["", "import polars\n"])
def test_ctrl_c_interrupts_the_prompt(before: str) -> None:
    """Ctrl-C at the prompt is the KeyboardInterrupt it is everywhere else, and is not wrapped."""
    shown = in_terminal(TAKE_TERMINAL + ASK + before + "ask()", f"{SECRET}\x03".encode())
    assert "interrupted" in shown
    assert SECRET not in shown


def test_a_password_that_cannot_be_decoded_is_in_no_error() -> None:
    """Bytes in another encoding than the terminal's are refused without being repeated."""
    shown = in_terminal(TAKE_TERMINAL + ASK + "ask()", b"top\xe9secret\n")
    assert "refused: " in shown
    assert "UnicodeDecodeError" in shown
    assert "secret" not in shown
    assert "e9" not in shown


def test_a_prompt_that_would_echo_is_never_shown() -> None:
    """Where Python cannot turn the echo off, nothing is read and the window is the next choice."""
    code = """
import io, sys
sys.stdin = sys.__stdin__ = io.StringIO("typed with an echo")
ask()
print("read:", sys.stdin.tell())
"""
    shown = in_terminal(ASK + code)
    assert PROMPT not in shown
    assert "login_with_password" in shown
    assert "read: 0" in shown


def test_a_program_in_the_background_does_not_touch_the_terminal() -> None:
    """A background process gets an error instead of being stopped for using the terminal."""
    code = """
import os
if child := os.fork():
    print("ended with", os.waitpid(child, os.WUNTRACED)[1])
else:
    os.setpgid(0, 0)
    ask()
"""
    shown = in_terminal(TAKE_TERMINAL + ASK + code)
    assert PROMPT not in shown
    assert "refused: " in shown
    assert "ended with 0" in shown


def test_a_console_window_does_not_ask_in_the_terminal_behind_it() -> None:
    """Where a program has its own console, as IDLE has, its terminal is left alone."""
    replace = "import io, sys; sys.stdin = io.StringIO()\n"
    shown = in_terminal(TAKE_TERMINAL + ASK + replace + "ask()")
    assert PROMPT not in shown
    assert "login_with_password" in shown


def test_no_terminal_and_no_display() -> None:
    """With neither a terminal nor a display, the error names what to call instead."""
    pytest.importorskip("tkinter")
    printed = without_terminal(ASK + "ask()")
    assert printed.startswith("refused: No password for user 'jane' of system 'Holidays': ")
    assert "no window can be opened" in printed
    assert "login_with_password" in printed


def test_no_terminal_and_a_display_that_is_not_there() -> None:
    """A display that does not answer is as good as none, and the error names it."""
    pytest.importorskip("tkinter")
    printed = without_terminal(ASK + "ask()", DISPLAY=":54321")
    assert ":54321" in printed
    assert "login_with_password" in printed


def test_no_terminal_and_no_tkinter() -> None:
    """A Python without tkinter says so, and names what to call instead."""
    printed = without_terminal(ASK + "sys.modules['tkinter'] = None; ask()")
    assert printed.startswith("refused: ")
    assert "tkinter" in printed
    assert "login_with_password" in printed


def test_names_in_an_error_are_short_and_on_one_line() -> None:
    """Very long names and line breaks do not get into the message as they are."""
    printed = without_terminal(ASK + "ask('j' * 5000, 'two\\nlines')")
    assert len(printed.splitlines()) == 1
    assert len(printed) < 500
    assert r"two\\nlines" in printed


def test_tkinter_is_imported_only_for_the_window() -> None:
    """Importing the module costs no tkinter."""
    code = "import apteco_frames.password, sys; print('tkinter' in sys.modules)"
    assert without_terminal(code) == "False\n"


# --- The pop-up box -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """The name of an X display of its own, without a window manager."""
    pytest.importorskip("tkinter")
    for tool in "Xvfb", "xdotool":
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "800x600x24", "-noreset"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with open(reader) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture
def managed_display(display: str, tmp_path: Path) -> Iterator[str]:
    """The same display with a window manager, as people have one."""
    if shutil.which("openbox") is None:
        pytest.skip("openbox is not installed")
    manager = subprocess.Popen(
        ["openbox", "--sm-disable", "--startup", f"touch '{tmp_path}/started'"],
        env=os.environ | {"DISPLAY": display},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until((tmp_path / "started").exists)
    yield display
    manager.terminate()
    manager.wait()


class Window:
    """A child process that asks in a window, and somebody at its keyboard and mouse."""

    def __init__(self, display: str, code: str) -> None:
        self.display = display
        self.child = subprocess.Popen(
            # -u: what it prints is read as it comes.
            [sys.executable, "-u", "-W", "error", "-c", ASK + code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=environment(DISPLAY=display),
        )

    def xdotool(self, *arguments: str) -> str:
        """Run xdotool on the display and return what it printed."""
        done = subprocess.run(
            ["xdotool", *arguments],
            env=os.environ | {"DISPLAY": self.display},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return done.stdout.strip()

    def await_focus(self) -> str:
        """Wait until the window has the focus and return its title."""
        wait_until(lambda: self.focused().startswith("Password for "))
        return self.focused()

    def focused(self) -> str:
        """The title of the window that has the focus."""
        return self.xdotool("getwindowfocus", "getwindowname")

    def press(self, *keys: str) -> None:
        """Press keys, by their names in X, wherever the focus is."""
        self.xdotool("key", "--delay", "30", *keys)

    def type(self, text: str) -> None:
        """Type text wherever the focus is."""
        self.xdotool("type", "--delay", "10", text)

    def click(self, across: float, from_below: int) -> None:
        """Click in the window: so far across its width, and so many pixels above its lower edge."""
        shape = dict(
            line.split("=")
            for line in self.xdotool("getwindowfocus", "getwindowgeometry", "--shell").split()
        )
        x = int(shape["X"]) + round(int(shape["WIDTH"]) * across)
        y = int(shape["Y"]) + int(shape["HEIGHT"]) - from_below
        self.xdotool("mousemove", str(x), str(y), "click", "1")

    def line(self) -> str:
        """The next line that the child prints."""
        assert self.child.stdout
        ready, _, _ = select.select([self.child.stdout], [], [], TIMEOUT)
        assert ready, "nothing was printed in time"
        return self.child.stdout.readline()

    def outcome(self) -> str:
        """What the child printed in the end."""
        printed, errors = self.child.communicate(timeout=TIMEOUT)
        assert (self.child.returncode, errors) == (0, "")
        return printed.strip()


@contextlib.contextmanager
def window(display: str, code: str = "ask()") -> Iterator[Window]:
    opened = Window(display, code)
    try:
        yield opened
    finally:
        with opened.child as child:
            child.kill()


OK, CANCEL = (0.58, 36), (0.85, 36)


@pytest.mark.parametrize("enter", ["Return", "KP_Enter"])
def test_enter_in_the_window_hands_over_the_password(display: str, enter: str) -> None:
    """The window has the focus by itself; typing and Enter are all that it takes."""
    with window(display) as box:
        assert box.await_focus() == "Password for Holidays"
        box.type(SECRET)
        box.press(enter)
        assert box.outcome() == answered(SECRET)


def test_ok_in_the_window_hands_over_the_password(display: str) -> None:
    """A click on OK does what Enter does."""
    with window(display) as box:
        box.await_focus()
        box.type(SECRET)
        box.click(*OK)
        assert box.outcome() == answered(SECRET)


def test_cancel_in_the_window_refuses(display: str) -> None:
    """A click on Cancel drops what was typed and raises the error."""
    with window(display) as box:
        box.await_focus()
        box.type(SECRET)
        box.click(*CANCEL)
        refusal = box.outcome()
    assert refusal.startswith("refused: No password for user 'jane' of system 'Holidays': ")
    assert "cancelled" in refusal
    assert "login_with_password" in refusal


def test_escape_in_the_window_refuses(display: str) -> None:
    """Escape cancels."""
    with window(display) as box:
        box.await_focus()
        box.type(SECRET)
        box.press("Escape")
        assert "cancelled" in box.outcome()


@pytest.mark.parametrize(("tabs", "expected"), [(1, "answered: "), (2, "refused: ")])
def test_enter_on_a_button_presses_that_button(display: str, tabs: int, expected: str) -> None:
    """Tab leads from the entry to OK and to Cancel, and Enter does what the button says."""
    with window(display) as box:
        box.await_focus()
        box.type(SECRET)
        box.press(*["Tab"] * tabs, "Return")
        assert box.outcome().startswith(expected)


def test_closing_the_window_refuses(managed_display: str) -> None:
    """Closing the window, as a window manager does it, cancels."""
    with window(managed_display) as box:
        box.await_focus()
        box.type(SECRET)
        box.press("alt+F4")
        assert "cancelled" in box.outcome()


def test_the_window_stays_in_front_of_others(managed_display: str) -> None:
    """Another window that covers the screen and gets the focus does not cover this one."""
    cover = "import tkinter; w = tkinter.Tk(); w.geometry('800x600+0+0'); w.title('Cover')"
    other = subprocess.Popen(
        [sys.executable, "-uc", f"{cover}; w.wait_visibility(); print('there'); w.mainloop()"],
        env=environment(DISPLAY=managed_display),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        assert other.stdout
        other.stdout.readline()  # or it could come up, and take the focus, after ours
        with window(managed_display) as box:
            box.await_focus()

            def covers() -> bool:
                # Again and again: a slow window manager may give a new window the focus late.
                box.xdotool("search", "--sync", "--name", "^Cover$", "windowactivate")
                return box.focused() == "Cover"

            wait_until(covers)
            box.xdotool("mousemove", "400", "300", "click", "1")
            box.await_focus()
            box.type(SECRET)
            box.press("Return")
            assert box.outcome() == answered(SECRET)
    finally:
        other.kill()
        other.communicate()


def test_the_window_shows_dots(display: str) -> None:
    """What can be selected and copied from the entry is a dot for each character."""
    paste = "import tkinter; print(tkinter.Tk().selection_get(type='UTF8_STRING'))"
    with window(display) as box:
        box.await_focus()
        box.type(SECRET)
        box.press("ctrl+slash")
        copied = without_terminal(paste, DISPLAY=display)
    assert copied == "\N{BULLET}" * len(SECRET) + "\n"


def test_the_window_shows_names_literally(display: str) -> None:
    """A name with characters that mean something to Tcl appears as it is, on one line."""
    name = r"{a} [exit] $b %c \n & "
    with window(display, f"ask({name!r}, {name + chr(10) + 'next'!r})") as box:
        title = box.await_focus()
        box.press("Escape")
        assert "cancelled" in box.outcome()
    assert title == f"Password for {name}\\nnext"


def test_the_window_trims_very_long_names(display: str) -> None:
    """A name of thousands of characters leaves a window that fits on the screen."""
    with window(display, "ask('W' * 5000, 'M' * 5000)") as box:
        title = box.await_focus()
        box.type(SECRET)
        box.click(*OK)
        assert box.outcome() == answered(SECRET)
    assert len(title) < 80


def test_ctrl_c_interrupts_the_window(display: str) -> None:
    """An interrupt from outside, such as an IDE's stop button, is a KeyboardInterrupt."""
    with window(display) as box:
        box.await_focus()
        box.child.send_signal(signal.SIGINT)
        assert box.outcome() == "interrupted"


@pytest.mark.parametrize(("key", "expected"), [("Return", "answered: "), ("Escape", "refused: ")])
def test_a_window_leaves_nothing_behind_for_other_threads(
    display: str, key: str, expected: str
) -> None:
    """Tcl may end a process in which another thread frees a window, so none is left to free."""
    count = "import tkinter; print(sum(isinstance(o, tkinter.Tk) for o in gc.get_objects()))"
    with window(display, f"import gc; gc.disable(); ask(); {count}") as box:
        box.await_focus()
        box.press(key)
        outcome, left = box.outcome().splitlines()
    assert outcome.startswith(expected)
    assert left == "0"


def test_the_window_can_be_asked_again_in_a_program_with_windows(display: str) -> None:
    """A program with a window of its own can ask twice, and keeps its window."""
    # Shown first, so that it does not come up and take the focus in between.
    mine = "import tkinter; mine = tkinter.Tk(); mine.wait_visibility()"
    code = f"{mine}; ask(); ask(); print(mine.winfo_exists())"
    with window(display, code) as box:
        box.await_focus()
        box.press("Escape")
        assert "cancelled" in box.line()
        box.await_focus()
        box.type(SECRET)
        box.press("Return")
        assert box.outcome().splitlines() == [answered(SECRET), "1"]


# --- Notebooks ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kernel() -> Iterator[BlockingKernelClient]:
    """A real notebook kernel that has the function ``ask``."""
    pytest.importorskip("ipykernel")
    manager = pytest.importorskip("jupyter_client.manager")
    km, client = manager.start_new_kernel(kernel_name="python3", env=environment())
    client.execute_interactive(ASK, timeout=TIMEOUT, allow_stdin=False)
    yield client
    client.stop_channels()
    km.shutdown_kernel(now=True)


def run_cell(
    kernel: BlockingKernelClient, code: str, secret: str | None
) -> tuple[str, list[dict[str, Any]]]:
    """Run a cell; type the secret when asked; what was printed, and each request for input."""
    printed: list[str] = []
    requests: list[dict[str, Any]] = []

    def type_secret(message: dict[str, Any]) -> None:
        requests.append(message["content"])
        kernel.input(secret or "")

    reply = kernel.execute_interactive(
        code,
        allow_stdin=secret is not None,
        timeout=TIMEOUT,
        stdin_hook=type_secret,
        output_hook=lambda message: printed.append(str(message["content"])),
    )
    assert reply["content"]["status"] == "ok"
    return "".join(printed), requests


def test_a_notebook_asks_with_its_own_hidden_input(kernel: BlockingKernelClient) -> None:
    """A notebook is asked for a password, not for text, and what was typed is nowhere in it."""
    printed, requests = run_cell(kernel, "ask()", SECRET)
    assert requests == [{"prompt": PROMPT, "password": True}]
    assert answered(SECRET) in printed
    assert SECRET not in printed


def test_a_notebook_that_nobody_can_type_into_refuses(kernel: BlockingKernelClient) -> None:
    """A notebook that is run without input gets the error at once, and no window."""
    printed, requests = run_cell(kernel, "ask(); print('tkinter' in sys.modules)", None)
    assert requests == []
    assert "refused: " in printed
    assert "notebook" in printed
    assert "login_with_password" in printed
    assert "False" in printed


def test_a_notebook_is_not_asked_between_its_cells(
    kernel: BlockingKernelClient, tmp_path: Path
) -> None:
    """A thread that asks when no cell is running gets the error, and no window or terminal."""
    file = tmp_path / "outcome"
    code = f"""
import contextlib, os, threading

def ask_later():
    with open({str(file) + "~"!r}, "w") as printed, contextlib.redirect_stdout(printed):
        ask()
    os.rename({str(file) + "~"!r}, {str(file)!r})

threading.Timer(1, ask_later).start()
"""
    run_cell(kernel, code, SECRET)
    wait_until(file.exists)
    assert "while one of its cells is running" in file.read_text()
