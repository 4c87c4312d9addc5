"""URLs: which are of an API, which are safe; redirects are tested where they are followed."""

from __future__ import annotations

import pytest

from apteco_frames.errors import InsecureTransportWarning, InvalidUrlError
from apteco_frames.orbit.url import redirect_target, require_base_url, warn_if_insecure


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://orbit.my-site.com/OrbitAPI", "https://orbit.my-site.com/OrbitAPI"),
        ("https://orbit.my-site.com/OrbitAPI/", "https://orbit.my-site.com/OrbitAPI"),
        ("https://orbit.my-site.com/OrbitAPI///", "https://orbit.my-site.com/OrbitAPI"),
        ("  https://orbit.my-site.com/OrbitAPI\n", "https://orbit.my-site.com/OrbitAPI"),
        ("HTTPS://orbit.my-site.com/orbitapi", "https://orbit.my-site.com/orbitapi"),
        ("https://orbit.my-site.com", "https://orbit.my-site.com/OrbitAPI"),
        ("https://orbit.my-site.com/", "https://orbit.my-site.com/OrbitAPI"),
        ("http://localhost:8080", "http://localhost:8080/OrbitAPI"),
        ("http://[::1]:8080/a/b", "http://[::1]:8080/a/b"),
        ("http://my_server.local./a", "http://my_server.local./a"),
        ("https://müller.example/a", "https://müller.example/a"),
    ],
)
def test_base_url(given: str, kept: str) -> None:
    """A base URL loses slashes at its end; a bare host gets the usual path."""
    assert require_base_url(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        *("", "orbit.my-site.com", "orbit.my-site.com/OrbitAPI", "localhost:8080", "/OrbitAPI"),
        *("ftp://orbit.my-site.com", "file:///OrbitAPI", "https://", "https:///OrbitAPI"),
        *("javascript:alert(1)", "http://[::1", "http://host:port/", "http://host:99999/"),
        *("https://jdoe:sentinel@host/", "https://jdoe@host/", "https://@host/"),
        *("https://host/OrbitAPI?key=sentinel", "https://host/OrbitAPI#sentinel"),
        *("https://my host/", "https://a..b/", "https://.com/", "https://host../", "https://*.b/"),
        *(f"https://{'a' * 64}.com/", f"https://{'a.' * 127}com/", "https://[zz]/", "https://☃/"),
        *("https://host\\x/", "https://host\\@sentinel/", "https://a%20b/", "https://a<b/"),
    ],
)
def test_what_is_no_base_url(given: str) -> None:
    """What is no http or https URL, or more than host and path, is refused, unrepeated."""
    with pytest.raises(InvalidUrlError, match=r"https://orbit\.my-site\.com/OrbitAPI") as caught:
        require_base_url(given)
    assert str(caught.value).endswith("Nothing was sent.")
    assert "sentinel" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "url",
    [
        *("http://orbit.my-site.com/OrbitAPI", "http://192.168.1.5/OrbitAPI"),
        *("http://localhost.evil.com/x", "http://127.0.0.1.evil.com/x", "http://[2001:db8::1]/x"),
    ],
)
def test_plain_http_warns(url: str) -> None:
    """Plain http to another machine warns, and says what to use instead."""
    with pytest.warns(InsecureTransportWarning, match="plain http: .*Use the https URL"):
        warn_if_insecure(url, None)


def test_unchecked_certificate_warns() -> None:
    """``verify=False`` warns, and says what to use instead."""
    with pytest.warns(InsecureTransportWarning, match="is not checked.*verify='ca.pem'"):
        warn_if_insecure("https://orbit.my-site.com/OrbitAPI", False)


@pytest.mark.parametrize(
    ("url", "verify"),
    [
        *(("https://orbit.my-site.com/x", v) for v in (None, True, "ca.pem")),
        *((f"http://{host}:80/x", None) for host in ("localhost", "127.0.0.1", "[::1]")),
        *((f"http://{host}/x", False) for host in ("127.8.8.8", "orbit.localhost")),
    ],
)
def test_safe_connections_do_not_warn(url: str, verify: bool | str | None) -> None:
    """Checked https, and this machine itself, are no reason for a warning."""
    warn_if_insecure(url, verify)  # a warning would be an error here


@pytest.mark.parametrize(
    "location",
    [
        *("http://evil.invalid\\@localhost/b", "//evil.invalid\\@localhost/b"),
        *("http://jdoe:secret@localhost/b", "http://@localhost/b"),
    ],
)
def test_redirect_that_can_be_read_in_two_ways(location: str) -> None:
    """A place whose host is doubtful, or that brings a user along, is not gone to."""
    assert redirect_target("http://localhost/a", location) is None
