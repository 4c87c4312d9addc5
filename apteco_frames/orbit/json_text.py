"""JSON read slowly and with care: what is wrong with it is said in words."""

from __future__ import annotations

import codecs
import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from apteco_frames.errors import ApiResultsError, GatewayError
from apteco_frames.support.text import ASK_ADMINISTRATOR

# What JSON calls white space; Python strips more, a form feed for one.
_WHITE_SPACE = b" \t\r\n"

# Where messages stand: in ErrorMessage and Message of the API itself, in what ASP.NET answers
# in its place, in problem+json (RFC 9457), OAuth, and what gateways send. Other fields may
# hold secrets.
_MESSAGES = (
    *("message", "messagedetail", "exceptionmessage", "innerexception", "modelstate"),
    *("title", "detail", "errors", "error", "errordescription", "errormessage", "text", "reason"),
    *("msg", "usermessage", "developermessage", "responsestatus", "fault", "faultstring"),
    "description",
)
# Of these the fields within may be those that it is about, or languages.
_NAMED = frozenset({"errors", "modelstate", "message"})
_DEEPEST_MESSAGE = 5
_LONGEST_SAID = 500
_READ_OF_A_PAGE = 2**15
# What no text has: so it may be packed, with a secret in it.
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_IS_HTML = re.compile(r"<(!doctype html|html|head|body)\b", re.IGNORECASE)
_TITLE = re.compile(r"<(?:title|h1|h2)\b[^<>]*>([^<]*)", re.IGNORECASE)
_XML_MESSAGE = re.compile(
    rf"<(?:\w+:)?(?:{'|'.join(_MESSAGES)})\b[^<>]*>(?:<!\[CDATA\[)?([^<\]]*)", re.IGNORECASE
)


class Said(NamedTuple):
    """What an answer says in words.

    Attributes:
        message: all messages in it, one after the other; empty if it has none. Of a web
            page it is the title.
        parameters: what it says of the request or the error besides, as ``name: value``.
        code: its number for this kind of error, if there is one.
        id: the number under which an administrator finds more, if there is one.
        is_json: whether it is JSON.
        is_page: whether it is HTML, or XML without a message.
    """

    message: str
    parameters: tuple[str, ...] = ()
    code: int | None = None
    id: int | None = None
    is_json: bool = False
    is_page: bool = False

    @property
    def shown(self) -> str:
        """The message and the parameters, truncated, as the end of a sentence."""
        listed = ", ".join(map(_quoted, self.parameters))
        message = _quoted(self.message) if self.message else ""
        return f"{message} ({listed})" if message and listed else message or listed


def bare(body: bytes) -> bytes:
    r"""The body without a mark of UTF-8 and white space around it.

    >>> bare(b"\xef\xbb\xbf {} \n")
    b'{}'
    """
    return body.removeprefix(codecs.BOM_UTF8).strip(_WHITE_SPACE)


def load(
    body: bytes,
    source: str,
    without: Callable[[str], str] = str,
    read: Callable[..., Any] = json.loads,
) -> Any:
    """The value that a body holds; ``NaN`` and the like as texts, as some servers write them.

    Args:
        body: UTF-8 JSON.
        source: the URL the body came from, for error messages.
        without: leaves no secret in what is quoted of the body.
        read: reads the JSON; ``deep_json.loads`` for what may nest deeply.

    Raises:
        GatewayError: the body is empty or HTML: it does not come from the API.
        ApiResultsError: the body is not JSON, or nests too deeply.

    >>> load(b'{"minimum": NaN, "maximum": 5}', "http://localhost")
    {'minimum': 'NaN', 'maximum': 5}
    """
    text = bare(body)
    if not text:
        raise GatewayError(
            f"The answer of {source} is empty: a gateway or proxy answered, not the API. "
            "Try again; if that does not help, check the base URL with your administrator."
        )
    if text.startswith(b"<"):
        words = said(text)
        if not words.is_page:
            raise results_error("it is XML, not JSON", source, text, without)
        title = without(words.message)
        page = f"a web page ({_quoted(title)})" if title else "a web page"
        raise GatewayError(
            f"The answer of {source} is {page}: a gateway, a proxy or a login page "
            "answered, not the API. Check the base URL, your VPN and your proxy."
        )
    try:
        return read(text.decode(), parse_constant=str)
    except RecursionError:
        fault = "it nests too deeply"
    except ValueError as error:
        fault = f"it is not JSON ({error})"
    # Raised out here, since the errors above hold the body, which may hold a token.
    raise results_error(fault, source, body, without)


def said(body: bytes) -> Said:
    """What an answer says, in whatever form servers say it.

    >>> said(b'{"code": 5, "id": 17, "message": "No such table"}')[:4]
    ('No such table', (), 5, 17)
    >>> said(b'{"title": "Forbidden", "errors": {"user": ["locked out"]}}').message
    'Forbidden; user: locked out'
    >>> said(b"Service unavailable").message
    'Service unavailable'
    """
    text = _decoded(body)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _said_in_text(text)
    fields = {_simplified(name): v for name, v in value.items()} if isinstance(value, dict) else {}
    code, error_id = fields.get("code"), fields.get("id")
    return Said(
        "; ".join(dict.fromkeys(_messages(value))),
        tuple(_parameters(fields.get("parameters"))),
        code if type(code) is int else None,
        error_id if type(error_id) is int else None,
        is_json=True,
    )


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; an empty one if the body is anything else."""
    try:
        value = json.loads(_decoded(body))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _decoded(body: bytes) -> str:
    text = bare(body)
    try:
        return text.decode().strip()
    except UnicodeDecodeError:
        return text.decode("latin-1").strip()


def _said_in_text(text: str) -> Said:
    if not text.startswith("<"):
        return Said("" if _BINARY.search(text) else text)
    page = text[:_READ_OF_A_PAGE]
    is_html = _IS_HTML.search(page)
    found = (_TITLE if is_html else _XML_MESSAGE).findall(page)
    words = list(dict.fromkeys(filter(None, (html.unescape(text).strip() for text in found))))
    if not is_html and words:
        return Said("; ".join(words))
    return Said(words[0] if words else "", is_page=True)


def _messages(value: Any, depth: int = 0, *, named: bool = False) -> Iterator[str]:
    """The messages in a value; ``named`` if a field's name may be that of what is wrong."""
    if isinstance(value, str) and value.strip():
        yield value.strip()
    if depth == _DEEPEST_MESSAGE:
        return
    if isinstance(value, list):
        for item in value:
            yield from _messages(item, depth + 1)
    elif isinstance(value, dict):
        fields = {_simplified(name): inner for name, inner in value.items()}
        known = [name for name in _MESSAGES if name in fields]
        if "name" in fields and "description" in known:  # of a thing, not of an error
            known.remove("description")
        for name in known:
            yield from _messages(fields[name], depth + 1, named=name in _NAMED)
        if named and not known:
            for name, inner in value.items():
                of_what = f"{name}: " if name else ""
                yield from (of_what + message for message in _messages(inner, depth + 1))


def _parameters(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = [{"key": name, "value": inner} for name, inner in value.items()]
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict):
            item = {_simplified(name): inner for name, inner in item.items()}
            item = ": ".join(str(item[n]) for n in ("key", "value") if item.get(n) is not None)
        if isinstance(item, str | int | float) and str(item).strip():
            yield str(item)


def _simplified(name: str) -> str:
    """The name of a field, however .NET, OAuth and others write it."""
    return name.lower().replace("_", "")


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= _LONGEST_SAID else text[:_LONGEST_SAID] + "...")


def results_error(
    fault: str, source: str, body: bytes = b"", without: Callable[[str], str] = str
) -> ApiResultsError:
    """The error for an answer with a fault, which is given in words.

    Args:
        fault: what is wrong with it.
        source: the URL that it came from.
        body: the answer, for what it says instead.
        without: leaves no secret in that.
    """
    words = said(body)
    parameters = tuple(map(without, words.parameters))
    words = words._replace(message=without(words.message), parameters=parameters)
    is_broken = not words.is_json and words.message.startswith(("{", "[", '"'))
    # A single word could be a token.
    is_text = " " in words.message and not is_broken
    instead = f". It says: {words.shown}" if is_text else ""
    return ApiResultsError(
        f"The answer of {source} is not what the Orbit API describes: {fault}{instead}. "
        f"Nothing of it was used. {ASK_ADMINISTRATOR}"
    )


def show(value: Any) -> str:
    """A value of an answer in a few characters of ASCII.

    >>> show(["People", "Bookings"])
    "['People', 'Bookings']"
    """
    try:
        text = ascii(value)
    except RecursionError:
        return f"a deep {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
