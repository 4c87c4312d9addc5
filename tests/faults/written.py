"""Secrets, and the forms in which a server may write them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st


def _as_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _as_code(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex().upper()}" for i in range(0, len(units), 2))


def _as_dotnet_json(text: str) -> str:
    """As ``System.Text.Json`` writes it."""
    return "".join(
        "\\\\" if c == "\\" else _as_code(c) if c in "&'<>+`\"" or c > "~" else c for c in text
    )


def _as_dotnet_url(text: str) -> str:
    """As ``HttpUtility.UrlEncode`` writes it."""
    upper = quote_plus(text, safe="!()*")
    return re.sub("%..", lambda escape: escape[0].lower(), upper)


def _as_dotnet_html(text: str) -> str:
    """As ``WebUtility.HtmlEncode`` writes it."""
    return "".join(
        f"&#{ord(c)};" if "\xa0" <= c <= "\xff" or c > "\uffff" else html.escape(c) for c in text
    ).replace("&#x27;", "&#39;")


def _in_percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


ESCAPES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": _as_json,
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "a solidus in JSON": lambda text: _as_json(text).replace("/", "\\/"),
    "JSON as .NET writes it": _as_dotnet_json,
    "a URL": lambda text: quote(text, safe=""),
    "a path": quote,
    "a form": quote_plus,
    "a URL as JavaScript writes it": lambda text: quote(text, safe="!'()*"),
    "a form as .NET writes it": _as_dotnet_url,
    "percent": _in_percent,
    "percent in lower case": lambda text: _in_percent(text).lower(),
    "HTML": html.escape,
    "HTML outside of quotes": lambda text: html.escape(text, quote=False),
    "HTML as .NET writes it": _as_dotnet_html,
    "Python": lambda text: repr(text)[1:-1],
    "UTF-8 read as Latin-1": lambda text: text.encode().decode("latin-1"),
}
"""Ways to write a text."""

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
    """A secret in one of its forms."""
    if draw(st.booleans()):
        around = st.binary(max_size=4)
        return in_base64(secret, draw(around), draw(around), url_safe=draw(st.booleans()))
    return draw(st.sampled_from(list(ESCAPES.values())))(secret)
