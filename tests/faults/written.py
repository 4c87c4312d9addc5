"""Secrets, and the forms in which a server may write them."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from html.entities import codepoint2name
from urllib.parse import quote

from hypothesis import strategies as st


def _as_json(character: str) -> str:
    return json.dumps(character)[1:-1]


def _as_code(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def _in_percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _named(character: str) -> str:
    name = codepoint2name.get(ord(character))
    return f"&{name};" if name else html.escape(character)


ESCAPES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": _as_json,
    "a solidus in JSON": lambda c: "\\/" if c == "/" else _as_json(c),
    "JSON as .NET writes it": lambda c: (
        _as_code(c).upper().replace("U", "u") if c in "&'<>+`\"" or c > "~" else _as_json(c)
    ),
    "numbers in JSON": _as_code,
    "a URL": lambda c: quote(c, safe=""),
    "a form": lambda c: "+" if c == " " else quote(c, safe=""),
    "percent": _in_percent,
    "percent in lower case": lambda c: _in_percent(c).lower(),
    "names in HTML": _named,
    "numbers in HTML": lambda c: f"&#{ord(c)};",
    "hexadecimal numbers in HTML": lambda c: f"&#x{ord(c):x};",
    "the same in upper case": lambda c: f"&#X{ord(c):04X};",
    "percent in percent": lambda c: quote(quote(c, safe=""), safe=""),
    "a URL in JSON": lambda c: "".join(map(_as_code, quote(c, safe=""))),
    "JSON in a URL": lambda c: quote(_as_json(c), safe=""),
    "HTML in JSON": lambda c: "".join(map(_as_code, _named(c))),
    "HTML in HTML": lambda c: html.escape(_named(c)),
}
"""Ways to write a character."""

SECRETS = st.text(
    st.one_of(
        st.sampled_from("abcXYZ0129 /+&<>'\"\\%;#=.-_:"),
        st.characters(exclude_categories=["Cs", "Cc"]),
    ),
    min_size=4,
    max_size=24,
)
"""Secrets that a header can hold too: without control characters."""

AROUND = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
"""What stands before and after a secret."""


def in_base64(secret: str, before: bytes, after: bytes, *, url_safe: bool) -> str:
    """A secret between other bytes, in Base64."""
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    return encode(before + secret.encode() + after).decode()


@st.composite
def written(draw: st.DrawFn, secret: str) -> str:
    """A secret in one of its forms, or in another for each character."""
    escapes = st.sampled_from(list(ESCAPES.values()))
    kind = draw(st.sampled_from(["whole", "mixed", "Base64"]))
    if kind == "mixed":
        return "".join(draw(escapes)(character) for character in secret)
    if kind == "Base64":
        around = st.binary(max_size=4)
        secret = in_base64(secret, draw(around), draw(around), url_safe=draw(st.booleans()))
    return "".join(map(draw(escapes), secret))
