"""Secrets are found in any form, and texts without one stay as they are."""

from __future__ import annotations

import json
import pickle
import string
import time

import pytest
from faults.sentinels import found
from faults.written import AROUND, ESCAPES, SECRETS, in_base64, written
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lanes import up_to

from apteco_frames.errors import ApiResultsError
from apteco_frames.orbit.redact import Secret, Secrets


def hiding(*texts: str) -> Secrets:
    """Secrets that these texts are."""
    secrets = Secrets()
    for text in texts:
        secrets.issue(Secret(text))
    return secrets


@settings(max_examples=up_to(200), deadline=None)
@given(SECRETS.flatmap(lambda s: st.tuples(st.just(s), written(s))), AROUND, AROUND)
def test_any_form(pair: tuple[str, str], before: str, after: str) -> None:
    """A secret in any form is hidden, whatever stands around it."""
    secret, form = pair
    assume(found([secret], [("", before + "<secret>" + after)]) == [])
    assert found([secret], [("", hiding(secret).without(before + form + after))]) == []


@settings(max_examples=up_to(200), deadline=None)
@given(SECRETS, st.text(max_size=60))
def test_other_texts(secret: str, text: str) -> None:
    """A text that says the secret in no form stays as it is."""
    assume(found([secret], [("", text)]) == [])
    assert hiding(secret).without(text) == text


@pytest.mark.parametrize("escape", ESCAPES)
def test_each_form(escape: str) -> None:
    """Each form is hidden as a whole, and nothing besides."""
    secret = "R&D 'zoë' <\U0001f600> 100%/+\"\\u0041"
    form = ESCAPES[escape](secret)
    assert hiding(secret).without(f"no {form}, no") == "no <secret>, no"


@pytest.mark.parametrize("url_safe", [False, True])
@pytest.mark.parametrize("after", [b"", b":", b":x"])
@pytest.mark.parametrize("before", [b"", b"u", b"us", b"usr"])
def test_base64(before: bytes, after: bytes, url_safe: bool) -> None:
    """In Base64 a secret is hidden wherever it lies."""
    form = in_base64("sub?>>~ject", before, after, url_safe=url_safe)
    said = hiding("sub?>>~ject").without(f"Basic {form}")
    assert "<secret>" in said
    assert found(["sub?>>~ject"], [("", said)]) == []


def test_ids_in_another_case() -> None:
    """A session's id that is a GUID is hidden however .NET writes it."""
    own = "0072f06b-3911-4182-a3e5-c64fc0f1aa20"
    for text in (own, own.upper(), own.replace("-", ""), f"{{{own.upper()}}}"):
        assert "f06b" not in hiding(own).without(f"no session {text}.").lower()
        assert "f06b" not in hiding(own.upper()).without(f"no session {text}.").lower()


def test_texts_cut_here() -> None:
    """A text that is too long is cut, at a place that shows no half of a secret."""
    secret = string.ascii_letters
    for before in range(2**15 - 60, 2**15 + 10):
        said = hiding(secret).without(" " * before + secret * 10)
        assert len(said) <= 2**15 + len("<secret>...")
        assert "abcd" not in said


def test_several_secrets() -> None:
    """Each of several secrets is hidden, the longest first."""
    assert hiding("abcdef", "bcde", "efgh").without("abcdef efgh bcde") == (
        "<secret> <secret> <secret>"
    )


@pytest.mark.parametrize("end", ["...", "…"])
def test_truncated_secrets(end: str) -> None:
    """The beginning of a secret is hidden where a text was truncated."""
    said = hiding("token-no-one-may-see").without(f"'token-no-one{end}' is no token")
    assert said == f"'<secret>{end}' is no token"
    token = string.ascii_letters * 20
    said = hiding(token).without(f"{token[:20]}{end}:{token[:900]}{end} {token[:40]}")
    assert said == f"<secret>{end}:<secret>{end} {token[:40]}"


def test_short_secrets() -> None:
    """Less than four characters stand in any text by chance."""
    assert hiding("cat").without("no cat") == "no cat"
    assert hiding("cats").without("no cats") == "no <secret>"


def test_password_while_under_way() -> None:
    """A password is hidden while it is under way, and never in our own words."""
    secrets = Secrets()
    with secrets.with_password(Secret("password")):
        assert secrets.without("password") == "<secret>"
        assert secrets.without_issued("password") == "password"
    assert secrets.without("password") == "password"


def test_errors() -> None:
    """An error that shows a token on its way out does not show it further out."""

    def fail() -> None:
        with hiding("token-1234").kept_out():
            raise ApiResultsError("is 'token-1234'")

    with pytest.raises(ApiResultsError, match="is '<secret>'"):
        fail()


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("a" * 400, "a"),
        ("a" * 400 + "b", "a"),
        ("a" * 400, "a" * 399 + "b"),
        ("ab" * 5_000, "ab"),
        ("ab" * 200, "abab..."),
        ("a" * 400, "aaaa…"),
        ("&" * 400, "&amp;"),
        ("%25" * 200, "%25"),
        ("eyJhbGciOiJIUzI1NiIs" * 50, "eyJh"),
        ("\\" * 400, "\\"),
        ("." * 400, "."),
        ("a" * 400, "aaaaaaaab..."),
    ],
)
def test_time(secret: str, text: str) -> None:
    """Any text takes a time that grows with its length, whatever the secret."""
    started = time.thread_time()
    hiding(secret).without(text * (2**20 // len(text)))
    assert time.thread_time() - started < 0.5  # seconds; 0.05 as measured


def test_nothing_is_printed() -> None:
    """No secret is in a repr or a pickle."""
    secrets = hiding("token-1234")
    assert "token" not in repr(secrets) + repr(vars(secrets)) + json.dumps(repr(Secret("token-1")))
    with pytest.raises(TypeError, match="a secret is not pickled"):
        pickle.dumps(secrets)
