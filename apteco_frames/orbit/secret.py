"""Texts that are not printed, and how they are kept out of those that are."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from apteco_frames.errors import AptecoFramesError
from apteco_frames.orbit.readings import Readings

_HIDDEN = "<secret>"
# Shorter ones stand in any text by chance.
_SHORTEST_HIDDEN = 4
_LONGEST_TEXT = 2**15


class Secret:
    """A password or token: unprintable, and not to be pickled.

    >>> Secret("P@ssw0rd123!")
    <secret>
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


class Secrets:
    r"""The secrets of one connection, and texts without them.

    What was issued by the server (tokens, session ids) is kept for good, since old ones
    may still be valid. A password is kept while it is under way only.

    A secret is found in every form that :class:`Readings` reads, and in Base64 with
    whatever stands before and after it; also the beginning of one, where a text was cut,
    and one without the blanks at its ends, which headers lose.
    Secrets of less than four characters are not looked for: they stand in any text by
    chance.

    >>> secrets = Secrets()
    >>> secrets.issue(Secret("R&D-2026"))
    >>> secrets.without(r"No R\u0026D-2026, no R%26D%2D2026, no VXNlcjpSJkQtMjAyNg==")
    'No <secret>, no <secret>, no VXNlcjp<secret>g=='
    """

    def __init__(self) -> None:
        self._issued: list[Secret] = []
        self._passwords: list[Secret] = []

    def issue(self, secret: Secret) -> None:
        """Keep a token or session id."""
        if all(secret.reveal() != other.reveal() for other in self._issued):
            self._issued.append(secret)

    @contextmanager
    def with_password(self, password: Secret) -> Iterator[None]:
        """Keep a password meanwhile."""
        self._passwords.append(password)
        try:
            yield
        finally:
            self._passwords.remove(password)

    def without(self, text: str) -> str:
        """A text that came from outside, cut to 32,768 characters, without any secret."""
        return _hide(text, [*self._issued, *self._passwords])

    def without_issued(self, text: str) -> str:
        """A text of our own, without tokens and session ids.

        Passwords are not looked for in our own words. One that is such a word would be
        told, not hidden: the reader knows what stands there otherwise.
        """
        return _hide(text, self._issued)

    @contextmanager
    def kept_out_of_errors(self) -> Iterator[None]:
        """Leave no token and no session id in errors that show values of an answer."""
        try:
            yield
        except AptecoFramesError as error:
            error.args = tuple(self.without_issued(str(text)) for text in error.args)
            raise


def _hide(text: str, secrets: list[Secret]) -> str:
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "..."
    readings = Readings(text)
    spans = sorted(
        span
        for secret in secrets
        for word in _words(secret.reveal())
        for span in readings.spans(word, _SHORTEST_HIDDEN)
    )
    parts = []
    shown = 0  # up to here
    for start, end in spans:
        if start >= shown:
            parts += [text[shown:start], _HIDDEN]
        shown = max(shown, end)
    return "".join([*parts, text[shown:]])


def _words(secret: str) -> set[str]:
    """What to look for in a text, to find a secret."""
    written = {text for text in (secret, secret.strip()) if len(text) >= _SHORTEST_HIDDEN}
    return written.union(*map(_in_base64, written))


def _in_base64(text: str) -> Iterator[str]:
    """What stands in Base64 for the text, whatever was encoded before and after it.

    Three bytes make four characters, so there are three ways for it to lie. Characters
    that it shares with its neighbours are left out.

    >>> sorted(set(_in_base64("Pass")))
    ['Bhc3', 'QYXNz', 'UGFzc']
    """
    encodings = ["utf-8", "latin-1"] if all(c <= "\xff" for c in text) else ["utf-8"]
    for encoding in encodings:
        raw = text.encode(encoding, "surrogatepass")
        for before in range(3):
            encoded = base64.b64encode(bytes(before) + raw).decode()
            word = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
            yield word
            yield word.translate({ord("+"): "-", ord("/"): "_"})
