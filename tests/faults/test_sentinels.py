"""The check for secrets finds them where they hide."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from faults.sentinels import found, shown_by_error
from faults.written import ESCAPES, in_base64, written
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import up_to

SECRET = "".join(["sen", "tinel"])


def in_the_text() -> None:
    raise ValueError(f"wrong: {SECRET}")


def in_an_argument() -> None:
    raise ValueError("wrong", {"password": [SECRET]})


def in_an_attribute() -> None:
    error = ValueError("wrong")
    error.body = SECRET.encode()  # type: ignore[attr-defined]
    raise error


def in_a_note() -> None:
    error = ValueError("wrong")
    error.add_note(SECRET)
    raise error


def in_a_request() -> None:
    request = requests.Request("POST", "http://localhost", data={"Password": SECRET}).prepare()
    raise requests.ConnectionError("wrong", request=request)


def in_a_header() -> None:
    request = requests.Request("GET", "http://localhost", headers={"Authorization": SECRET})
    raise requests.ConnectionError("wrong", request=request.prepare())


def in_what_it_hides() -> None:
    try:
        in_a_request()
    except requests.ConnectionError:
        raise ValueError("wrong") from None


def in_its_cause() -> None:
    try:
        in_an_argument()
    except ValueError as error:
        raise ValueError("wrong") from error


@pytest.mark.parametrize(
    "fail",
    [
        *(in_the_text, in_an_argument, in_an_attribute, in_a_note),
        *(in_a_request, in_a_header, in_what_it_hides, in_its_cause),
    ],
)
def test_secrets_are_found(fail: Callable[[], None]) -> None:
    """A secret in an error is found wherever it is; without one nothing is."""
    with pytest.raises((ValueError, OSError)) as caught:
        fail()
    assert found([SECRET], shown_by_error(caught.value)) != []
    assert found(["another"], shown_by_error(caught.value)) == []


@pytest.mark.parametrize("escape", ESCAPES)
def test_forms(escape: str) -> None:
    """A secret is found in each form."""
    secret = "R&D 'zoë' <\U0001f600> 100%/+"
    form = ESCAPES[escape](secret)
    assert found([secret], [("here", f"no {form}, no")]) == ["here"]


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("url_safe", [False, True])
def test_base64(before: int, url_safe: bool) -> None:
    """A secret is found in Base64, wherever it lies in it."""
    form = in_base64("sub?>>~ject", b"user:"[:before], b"x", url_safe=url_safe)
    assert found(["sub?>>~ject"], [("here", f"Basic {form}")]) == ["here"]


@settings(max_examples=up_to(100), deadline=None)
@given(
    st.text("abcXYZ019 &<>'\"/:é€\U0001f600", min_size=4).flatmap(
        lambda s: st.tuples(st.just(s), written(s))
    )
)
def test_any_form(pair: tuple[str, str]) -> None:
    """A secret in any form is found."""
    secret, form = pair
    assert found([secret], [("here", form)]) == ["here"]
