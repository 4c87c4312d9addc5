"""URLs: which are of an API, which are safe, where a redirect may lead."""

from __future__ import annotations

import ipaddress
import re
import socket
from contextlib import suppress
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from apteco_frames.errors import InsecureTransportWarning, InvalidUrlError, warn
from apteco_frames.orbit.redact import Secret, require_sendable

_LONGEST_SHOWN_URL = 200
# Underscores are common in the names of Windows machines, whatever DNS says.
_HOST = re.compile(r"(?=.{1,253}$)[\w-]{1,63}(\.[\w-]{1,63})*\.?")


def require_base_url(base_url: str) -> str:
    """The base URL without a trailing slash, ``/OrbitAPI`` added to a bare host.

    Raises:
        TypeError: it is not text.
        InvalidUrlError: it is not an http or https URL, or holds more than host and path.

    >>> require_base_url("https://orbit.my-site.com/OrbitAPI/")
    'https://orbit.my-site.com/OrbitAPI'
    >>> require_base_url("https://orbit.my-site.com")
    'https://orbit.my-site.com/OrbitAPI'
    """
    require_sendable(Secret(base_url), "base_url")
    try:
        parts = urlsplit(base_url.strip())
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidUrlError(
            "The base URL must be the http or https URL of an Orbit API, such as "
            "'https://orbit.my-site.com/OrbitAPI'. Nothing was sent."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidUrlError(
            "The base URL must be host and path only, without user name, password, ? or #, such as "
            "'https://orbit.my-site.com/OrbitAPI'. Nothing was sent."
        )
    if not _is_host(parts.hostname):
        raise InvalidUrlError(
            "The base URL must name a host, in letters, digits, hyphens and dots or as an IP "
            "address, such as 'https://orbit.my-site.com/OrbitAPI'. Nothing was sent."
        )
    path = parts.path.rstrip("/") or "/OrbitAPI"
    return f"{parts.scheme}://{parts.netloc}{path}"


def require_name(name: str, what: str) -> str:
    """The name of a DataView, system, variable or folder, if a URL can hold it.

    Raises:
        TypeError: it is not text.
        InvalidUrlError: it is empty, or would change the path of a URL.
    """
    require_sendable(Secret(name), what)
    if name.strip(" ") in ("", ".", ".."):
        raise InvalidUrlError(f"{what} must be a name, not {name!r}. Nothing was sent.")
    return name


def warn_if_insecure(base_url: str, verify: bool | str | None) -> None:
    """Warn if passwords and tokens could be read or changed on their way.

    The ``InsecureTransportWarning`` names the line that called ``login``.
    """
    parts = urlsplit(base_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        warn(
            f"{base_url} is plain http: passwords and tokens can be read in transit. "
            "Use the https URL of your Orbit API.",
            InsecureTransportWarning,
        )
    elif parts.scheme == "https" and verify is False:
        warn(
            f"verify=False: the certificate of {base_url} is not checked, so "
            "another server could pose as it. Name your certificate authority instead: "
            "verify='ca.pem'.",
            InsecureTransportWarning,
        )


def redirect_target(url: str, location: str) -> str | None:
    """Where a redirect leads, if it may be followed: to the same host, or to its https.

    >>> redirect_target("https://orbit.my-site.com/a", "/b")
    'https://orbit.my-site.com/b'
    >>> redirect_target("https://orbit.my-site.com/a", "http://orbit.my-site.com/b")
    """
    try:
        target = urljoin(url, location)
        old, new = urlsplit(url), urlsplit(target)
        same_port = _port(old) == _port(new)
    except ValueError:
        return None
    if not location or new.scheme not in ("http", "https") or old.hostname != new.hostname:
        return None
    # Programs differ on where in "http://a\\@b" the host is; requests says: a.
    if "\\" in new.netloc or new.username is not None:
        return None
    may = same_port if old.scheme == new.scheme else new.scheme == "https"
    return target if may else None


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def shown_location(url: str, location: str) -> str:
    r"""A URL that a server named, without its query and what a terminal would obey.

    >>> shown_location("https://orbit.my-site.com/a", "/b\x1b[2J?token=secret")
    'https://orbit.my-site.com/b%1B[2J'
    """
    try:
        target = without_query(urljoin(url, location))
    except ValueError:
        target = location
    quoted = quote(target, safe="/:@!$&'()*+,;=~%[]<>") if location else "nowhere"
    return quoted if len(quoted) <= _LONGEST_SHOWN_URL else quoted[:_LONGEST_SHOWN_URL] + "..."


def _is_host(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return _HOST.fullmatch(name) is not None
    return True


def is_loopback(host: str) -> bool:
    """Whether a host's name is always that of this machine itself.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.5", "127.1", "::1", "localhost.org")]
    [True, True, True, True, False]
    """
    name = host.lower().removesuffix(".")
    with suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    with suppress(OSError, UnicodeError):  # of one to three numbers, which make an address, too
        return socket.inet_aton(name)[0] == 127
    return name == "localhost" or name.endswith(".localhost")


def without_query(url: str) -> str:
    """The URL for a message: without user name, password, query and fragment.

    >>> without_query("https://jdoe:secret@orbit.my-site.com/a?token=secret#b")
    'https://orbit.my-site.com/a'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
