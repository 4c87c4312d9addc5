"""Passwords, tokens and session ids, and how they are kept out of texts."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn
from urllib.parse import quote

from apteco_frames.errors import ApiError, AptecoFramesError, rewording
from apteco_frames.support.text import is_unicode

_HIDDEN = "<secret>"
# Shorter ones occur in any text by chance.
_SHORTEST_HIDDEN = 4
_LONGEST_TEXT = 2**15
# Our own errors truncate what they quote, perhaps in the middle of a secret.
_SHORTEST_BEGINNING = 8
_REST_OF_TRUNCATED = r"(?:(?!\.\.\.|…)\S)*+(\.\.\.|…)?"

# What is left as it is in a URL by Python, for a part and for a path; by .NET; by JavaScript.
_URL_AS_IS = ("", "/", "!()*", "!'()*")
# What .NET's encoders for JSON and HTML do not leave as it is.
_DOTNET_JSON = re.compile(r"[^ -~]|[\"&'+<>`]")
_DOTNET_HTML = re.compile(r"[^ -~]|[\"&'+<>]")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX_ESCAPE = re.compile(r"%..|\\u....|&#x[^;]+;")


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


def require_sendable(secret: Secret, what: str) -> None:
    """Check that an argument is text that can be sent; the error does not show what it is.

    The text is never a variable of a function that raises an error: programs show those with it.

    Args:
        secret: what was given; text or not.
        what: what takes it.

    Raises:
        TypeError: it is not text.
        ValueError: it holds half of a surrogate pair.

    >>> require_sendable(Secret(None), "password")
    Traceback (most recent call last):
    TypeError: password must be text (str), not None: is an environment variable not set? \
Nothing was sent.
    """
    kind = type(secret.reveal())
    if not issubclass(kind, str):
        is_unset = kind is type(None)
        told = "None: is an environment variable not set?" if is_unset else f"{kind.__name__}."
        raise TypeError(f"{what} must be text (str), not {told} Nothing was sent.")
    if not is_unicode(secret.reveal()):
        raise ValueError(
            f"{what} contains half of a surrogate pair, as wrongly decoded text does, and cannot "
            "be sent. Nothing was sent."
        )


class Secrets:
    r"""The secrets of one connection, and texts without them.

    What was issued by the server (tokens, session ids) is kept for good, since old ones
    may still be valid. A password is kept while it is under way only.

    A secret is found as it is and without the blanks at its ends, which headers lose;
    percent-encoded; escaped as JSON or HTML, as Python and .NET do it; in Base64, with
    whatever stands before and after it; an id that is a GUID in either case; and where a
    text was truncated after its first eight characters.
    Secrets of fewer than four characters are not looked for: they occur in any text by
    chance.

    >>> secrets = Secrets()
    >>> secrets.issue(Secret("R&D-2026"))
    >>> secrets.without(r"No R\u0026D-2026, no R%26D-2026, no VXNlcjpSJkQtMjAyNg==")
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
        """A text that came from outside, truncated to 32,768 characters, without any secret."""
        return _redact(text, [*self._issued, *self._passwords])

    def without_issued(self, text: str) -> str:
        """A text of our own, without tokens and session ids.

        Passwords are not looked for in our own words. One that is such a word would be
        told, not hidden: the reader knows what stands there otherwise.
        """
        return _redact(text, self._issued)

    @contextmanager
    def kept_out(self) -> Iterator[None]:
        """Leave no token and no session id in errors and warnings that quote an answer."""
        with rewording(self.without_issued):
            try:
                yield
            except AptecoFramesError as error:
                error.args = tuple(self.without_issued(str(text)) for text in error.args)
                if isinstance(error, ApiError) and error.message:
                    error.message = self.without_issued(error.message)
                raise


def _redact(text: str, secrets: Iterable[Secret]) -> str:
    known = [secret.reveal() for secret in secrets]
    forms = sorted({form for secret in known for form in _forms(secret)}, key=len, reverse=True)
    longest = len(forms[0]) if forms else 0
    redacted = text[: _LONGEST_TEXT + longest]
    for form in forms:
        redacted = redacted.replace(form, _HIDDEN)
    for secret in known:
        if len(secret) > _SHORTEST_BEGINNING:
            beginning = re.escape(secret[:_SHORTEST_BEGINNING])
            redacted = re.sub(beginning + _REST_OF_TRUNCATED, _without_it, redacted)
    if len(text) <= _LONGEST_TEXT:
        return redacted
    # Less the end, where the cut may have left half of a secret.
    return redacted[: min(_LONGEST_TEXT, len(redacted) - longest)] + "..."


def _without_it(found: re.Match[str]) -> str:
    """What begins as a secret does: hidden if it was truncated."""
    return _HIDDEN + found[1] if found[1] else found[0]


def _forms(secret: str) -> Iterator[str]:
    """The ways to write a secret that are looked for."""
    for text in {secret, secret.strip()}:
        if len(text) < _SHORTEST_HIDDEN:
            continue
        yield from _in_base64(text)
        if _GUID.fullmatch(text):  # which .NET writes in either case, with hyphens or without
            for guid in (text, text.replace("-", "")):
                yield from (guid.lower(), guid.upper())
        for form in {*_in_url(text), *_in_json(text), *_in_html(text), *_in_python(text)}:
            for written in (form, _HEX_ESCAPE.sub(lambda escape: escape[0].lower(), form)):
                yield written
                # HTTP takes the bytes of headers and of the status line for Latin-1.
                yield written.encode("utf-8", "surrogatepass").decode("latin-1")


def _in_url(text: str) -> Iterator[str]:
    for as_is in _URL_AS_IS:
        form = quote(text, as_is, errors="surrogatepass")
        yield form
        yield form.replace("%20", "+")
    yield "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def _in_json(text: str) -> Iterator[str]:
    for only_ascii in (False, True):
        form = json.dumps(text, ensure_ascii=only_ascii)[1:-1]
        yield form
        yield form.replace("/", "\\/")
    yield _DOTNET_JSON.sub(_utf_16, text.replace("\\", "\\\\"))
    yield re.sub("[\"&'<>]", _utf_16, json.dumps(text, ensure_ascii=False)[1:-1])


def _in_html(text: str) -> Iterator[str]:
    yield html.escape(text, quote=False)
    escaped = html.escape(text)
    yield escaped
    for decimal in (escaped.replace("&#x27;", "&#39;"), escaped.replace("&quot;", "&#34;")):
        yield decimal
        yield re.sub("[\xa0-\xff\U00010000-\U0010ffff]", lambda c: f"&#{ord(c[0])};", decimal)
    yield _DOTNET_HTML.sub(
        lambda c: html.escape(c[0]) if c[0] in '"&<>' else f"&#x{ord(c[0]):X};", text
    )


def _in_python(text: str) -> Iterator[str]:
    yield text
    yield repr(text)[1:-1]
    yield ascii(text)[1:-1]


def _utf_16(character: re.Match[str]) -> str:
    units = character[0].encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


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
