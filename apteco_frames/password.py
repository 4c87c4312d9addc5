"""Ask a person for a password without ever showing it.

The first of these that can keep what is typed hidden is taken:

1. the hidden input of a notebook, where it has put its own in place of ``getpass.getpass``, as
   ipykernel does while a cell runs;
2. the terminal, with ``getpass`` (so, too, for IPython in a terminal);
3. a pop-up box made with tkinter, which is imported only then.

Where none works, ``PasswordPromptError`` says why. No message of this module holds what was typed,
and none of its errors is chained to one that could.
"""

from __future__ import annotations

import getpass
import os
import signal
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING

from apteco_frames.errors import Hint, PasswordPromptError
from apteco_frames.support.progress import in_notebook
from apteco_frames.support.text import truncate

if TYPE_CHECKING:
    import tkinter

PROMPT = "Enter your password: "

_NO_TERMINAL = "there is no terminal that can hide it"


class _NotAnsweredError(Exception):
    """Why there is no password, as part of a sentence; never leaves this module."""


def ask_password(user: str, system: str, prompt: str = PROMPT) -> str:
    """Ask for the password of a user: in the notebook, the terminal or a pop-up box.

    Args:
        user: The name of the user, for the pop-up box and for errors.
        system: The name of the FastStats system, likewise.
        prompt: What the notebook or the terminal asks.

    Returns:
        What was typed, as it was typed; it may be empty.

    Raises:
        PasswordPromptError: If the prompt was cancelled, or nothing can ask without an echo.
        KeyboardInterrupt: If Ctrl-C was pressed at the prompt.

    Sources:
        https://docs.python.org/3/library/getpass.html
    """
    try:
        return _ask(user, system, prompt)
    except _NotAnsweredError as error:
        reason = str(error)
    # Outside of the except block: the context of the error could hold what was typed.
    raise PasswordPromptError(
        f"No password for user {truncate(user)!r} of system {truncate(system)!r}: {reason}.",
        hint=Hint.TYPE_PASSWORD,
    )


def _ask(user: str, system: str, prompt: str) -> str:
    has_own_input = getpass.getpass.__module__ != "getpass"
    if in_notebook() and not has_own_input:
        # Nobody may be looking at the terminal or the screen of a kernel.
        raise _NotAnsweredError("a notebook can ask only while one of its cells is running")
    if has_own_input or _in_terminal():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", getpass.GetPassWarning)
                if hasattr(signal, "siginterrupt"):
                    # polars has reads go on after Ctrl-C, which would then wait for Enter.
                    signal.siginterrupt(signal.SIGINT, True)
                return getpass.getpass(prompt)
        except getpass.GetPassWarning:
            pass  # it was about to read with an echo, and the window will not
        except EOFError:
            raise _NotAnsweredError("the prompt was cancelled") from None
        except NotImplementedError:  # as IPython's StdinNotImplementedError is
            raise _NotAnsweredError("nobody can type into this notebook as it runs now") from None
        except (OSError, RuntimeError, ValueError) as error:
            # From a terminal in another encoding, say. The text could hold what was typed.
            raise _NotAnsweredError(f"the prompt failed with {type(error).__name__}") from None
    return _ask_in_window(user, system)


def _in_terminal() -> bool:
    """Tell whether ``getpass`` would reach a terminal and somebody who sits at it."""
    if sys.stdin is not sys.__stdin__:
        return False  # IDLE and the like: the user is at a window of theirs
    if sys.platform == "win32":
        try:
            # The null device says that it is a terminal, so see that there is a console as well.
            with open("CONIN$", "rb", buffering=0):
                return os.isatty(0)
        except OSError:
            return False
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:
            # A process in the background would be stopped for touching the terminal.
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return os.isatty(0)  # what getpass tries next


def _ask_in_window(user: str, system: str) -> str:
    if sys.platform == "darwin" and threading.current_thread() is not threading.main_thread():
        # macOS ends a process that opens a window in another thread.
        raise _NotAnsweredError(f"{_NO_TERMINAL}, and only the main thread can open a window")
    try:
        import tkinter
    except ImportError:
        raise _NotAnsweredError(f"{_NO_TERMINAL}, and no tkinter for a window") from None
    try:
        root = tkinter.Tk(className="Apteco")
        try:
            answer = _run_window(root, truncate(user), truncate(system))
        finally:
            root.destroy()
    except tkinter.TclError as error:
        raise _NotAnsweredError(f"{_NO_TERMINAL}, and no window can be opened ({error})") from None
    if answer is None:
        raise _NotAnsweredError("the prompt was cancelled")
    return answer


def _run_window(root: tkinter.Tk, user: str, system: str) -> str | None:
    """Show the pop-up box until it is answered; None if it was cancelled."""
    from tkinter import ttk

    answers: list[str | None] = []

    def accept(_: object = None) -> None:
        answers.append(entry.get())

    def cancel(_: object = None) -> None:
        answers.append(None)

    root.withdraw()  # until it is complete and in its place
    root.title(f"Password for {system}")
    root.resizable(False, False)
    root.protocol("WM_DELETE_WINDOW", cancel)
    root.bind("<Escape>", cancel)
    style = ttk.Style(root)
    if style.theme_use() == "default":  # Linux; the others bring the look of their system
        style.theme_use("clam")
    style.configure("TEntry", padding=4)

    body = ttk.Frame(root, padding=20)
    body.pack()
    heading = ttk.Label(body, text="Log in to FastStats", font="TkCaptionFont")
    heading.pack(anchor="w", pady=(0, 10))
    for line in f"User: {user}", f"System: {system}", PROMPT.strip():
        ttk.Label(body, text=line, wraplength=420).pack(anchor="w", pady=2)
    entry = ttk.Entry(body, show="\N{BULLET}", width=42)
    entry.pack(fill="x", pady=(4, 16))
    ok = ttk.Button(body, text="OK", command=accept, default="active")
    ttk.Button(body, text="Cancel", command=cancel).pack(side="right")
    ok.pack(side="right", padx=8)
    for key in "<Return>", "<KP_Enter>":
        entry.bind(key, accept)
        root.bind_class("TButton", key, lambda event: event.widget.invoke())

    root.update_idletasks()
    left = (root.winfo_screenwidth() - root.winfo_reqwidth()) // 2
    top = (root.winfo_screenheight() - root.winfo_reqheight()) // 2
    root.geometry(f"+{left}+{top}")
    root.deiconify()
    root.attributes("-topmost", True)
    root.lift()
    entry.focus_force()
    # Not mainloop(): it waits for the program's other windows as well, and may miss Ctrl-C.
    while not answers:
        root.update()
        time.sleep(0.02)
    return answers[0]
