"""Profiles: where to log in, by a name, in a TOML file of the user's.

The file is ``profiles.toml`` in the user's configuration folder::

    [orbit]
    base_url = "https://orbit.my-site.com/OrbitAPI"
    data_view = "my_data_view"
    system = "my_system"
    user = "jdoe"
    certificate = "/etc/ssl/my-company-ca.pem"

It never holds a password.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from apteco_frames.cli.paths import own_folder
from apteco_frames.support.synonyms import FOLDER_VARIABLE, config_folder

KEYS = ("base_url", "data_view", "system", "user", "certificate")
"""What a profile may have."""

_PATIENCE = 10
_WITHHELD = ("pass", "secret", "token")
# The line that begins a profile, with the comments and blank lines before it.
_HEADING = re.compile(r"((?:^[ \t]*(?:#.*)?\n)*^[ \t]*\[.*\n?)", re.MULTILINE)


def default_folder() -> Path:
    """Where the configuration is.

    The folder that ``APTECO_FRAMES_CONFIG_DIR`` names; without it ``apteco-frames`` in the
    platform's folder for configurations, such as ``~/.config``.

    Raises:
        ClickException: the user has no home.
    """
    return own_folder(config_folder, "profiles", FOLDER_VARIABLE)


def profiles_path() -> Path:
    """The file with the profiles; it need not be there."""
    return default_folder() / "profiles.toml"


def profiles() -> dict[str, dict[str, str]]:
    """All profiles by their names, in the order of the file.

    Raises:
        ClickException: the file is not as it should be, or holds a password.
        OSError: it cannot be read.
    """
    return _read()[1]


def profile(name: str) -> dict[str, str]:
    """A profile.

    Raises:
        ClickException: there is none of that name; or as :func:`profiles`.
        OSError: the file cannot be read.
    """
    found = profiles()
    if name not in found:
        raise _unknown(name, found)
    return found[name]


def _unknown(name: str, found: Mapping[str, Any]) -> click.ClickException:
    there = f"There is: {', '.join(map(repr, found))}" if found else "There is none yet"
    return click.ClickException(
        f"There is no profile {name!r} in {profiles_path()}. {there}. Add it with: apteco-frames "
        "profile add"
    )


def check_is_new(name: str) -> None:
    """See that there is no profile of a name yet.

    Raises:
        ClickException: there is one; or as :func:`profiles`.
        OSError: the file cannot be read.
    """
    if name in profiles():
        raise click.ClickException(
            f"There is a profile {name!r} in {profiles_path()} already. Edit it there, or "
            "remove it with: apteco-frames profile remove"
        )


def add(name: str, values: Mapping[str, str | None]) -> Path:
    """Add a profile to the file, which is written whole; a new one is for its owner alone.

    What the user wrote into it stays as it is; of several programs that add at once, one waits
    for the other.

    Args:
        name: its name.
        values: what it has, of :data:`KEYS`; None for what it has not.

    Returns:
        the file.

    Raises:
        ClickException: there is one of that name; or another program does not come to an end;
            or as :func:`profiles`.
        OSError: the file cannot be read or written.
    """
    return _changed(lambda text: _added(text, name, values))


def remove(name: str) -> Path:
    """Remove a profile from the file; what else stands in it stays to the letter.

    Returns:
        the file.

    Raises:
        ClickException: there is none of that name; or as :func:`add`.
        OSError: the file cannot be read or written.
    """
    return _changed(lambda text: _removed(text, name))


def _changed(change: Callable[[str], str]) -> Path:
    """Change the file's text, while no other program does."""
    from filelock import FileLock, Timeout

    from apteco_frames.support import files

    target = profiles_path()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = target.resolve()
    try:
        # The system ends the lock with the process that has it, however that ends.
        with FileLock(file.with_suffix(".lock"), timeout=_PATIENCE):
            whole = change(_read()[0])
            files.replace(file, lambda part: part.write_bytes(whole.encode()), mode=0o600)
    except Timeout:
        raise click.ClickException(
            f"Another program has been changing {target} for {_PATIENCE} seconds. Nothing was "
            "changed. Try again."
        ) from None
    return target


def _removed(text: str, name: str) -> str:
    """The file's text without a profile: its heading and the lines up to the next."""
    rest = profiles()
    if name not in rest:
        raise _unknown(name, rest)
    del rest[name]
    start, *parts = _HEADING.split(text)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    left = start + "".join(heading + lines for heading, lines in pairs if not _names(heading, name))
    if tomllib.loads(left) != rest:  # it is written in another way, such as on one line
        raise click.ClickException(
            f"Profile {name!r} cannot be told from the rest of {profiles_path()}. Remove it there "
            "yourself."
        )
    return left


def _names(heading: str, name: str) -> bool:
    try:
        return list(tomllib.loads(heading)) == [name]
    except ValueError:  # it is a line of a list
        return False


def _added(text: str, name: str, values: Mapping[str, str | None]) -> str:
    """The file's text with another profile."""
    check_is_new(name)
    lines = [f"[{_quoted(name)}]"]
    lines += [f"{key} = {_quoted(value)}" for key in KEYS if (value := values.get(key))]
    apart = "\n" if text and not text.endswith("\n\n") else ""
    ended = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{ended}{apart}" + "".join(f"{line}\n" for line in lines)


def _read() -> tuple[str, dict[str, dict[str, str]]]:
    """The file's text, and the profiles in it."""
    path = profiles_path()
    try:
        text = path.read_text(encoding="utf-8-sig")  # as Windows PowerShell writes it
        found: dict[str, Any] = tomllib.loads(text)
    except FileNotFoundError:
        return "", {}
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{path} is not valid TOML: {error}.") from None
    for name, values in found.items():
        if not isinstance(values, dict):
            raise click.ClickException(
                f"{path} has {name!r} outside a profile. Begin a profile with a line such as "
                f"[orbit]; it may have {', '.join(KEYS)}."
            )
        for key, value in values.items():
            _check(f"Profile {name!r} in {path} has", key, value)
    return text, found


def _check(which: str, key: str, value: object) -> None:
    is_login = key == "base_url" and "@" in str(value)
    if is_login or any(word in key.lower() for word in _WITHHELD):
        what = "a user name or password in its base_url" if is_login else repr(key)
        raise click.ClickException(
            f"{which} {what}. Do not store a password in the file: use APTECO_PASSWORD, "
            "--password-command or --password-stdin."
        )
    if key not in KEYS or not isinstance(value, str):
        what = "which is not text" if key in KEYS else "which is unknown"
        raise click.ClickException(
            f"{which} {key!r}, {what}. A profile may have {', '.join(KEYS)}, each of them text."
        )


def _quoted(text: str) -> str:
    """A text as TOML writes it: as JSON does, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
