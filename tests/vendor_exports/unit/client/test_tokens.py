"""Tokens: kept while they live, asked for with credentials that may have been rotated."""

from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from sluice.vendor_exports.client.api import AnswerNotUnderstoodError, CredentialsRefusedError, VendorError
from sluice.vendor_exports.client.connection_http import Credentials, Tokens
from tests.support.scripted_server import NOW, said
from tests.vendor_exports.unit.client.script import Secret, Vendor, assert_says_nothing_secret
from tests.vendor_exports.unit.simulator.vendor_client import ManualClock


def tokens_of(vendor: Vendor, secret: Secret | None = None, clock: ManualClock | None = None) -> Tokens:
    """Tokens of a vendor that gives them by its script only."""
    vendor.gives_tokens = False
    return Tokens("https://auth.test", secret or Secret(), clock or ManualClock(NOW))


def given(token: str, **members: Any) -> httpx.Response:
    return said(200, {"access_token": token, **members})


def failure(vendor: Vendor, kind: type[VendorError], secret: Secret | None = None) -> str:
    with pytest.raises(kind) as error:
        tokens_of(vendor, secret).token(vendor.connection())
    assert_says_nothing_secret(error.value)
    return str(error.value)


def test_the_request() -> None:
    vendor = Vendor([given("TOKEN-1", expires_in=3600)])
    assert tokens_of(vendor).token(vendor.connection()) == "TOKEN-1"
    (request,) = vendor.requests
    assert (request.method, str(request.url)) == ("POST", "https://auth.test/connect/token")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.content.decode(), strict_parsing=True) == {
        "grant_type": ["client_credentials"],
        "scope": ["datalake"],
        "client_id": ["id"],
        "client_secret": ["SECRET/one +"],
    }


LIKE_TEN_MINUTES: list[Any] = [None, "an hour", 0, -1, [], {}, "absent"]
LIKE_A_DAY = [1e308, 10**18, 10**12]


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [
        *((short, 0) for short in (1, 300, True)),
        *((hour, 3300) for hour in (3600, "3600", "3600.0")),
        *((value, 300) for value in LIKE_TEN_MINUTES),
        *((value, 24 * 3600 - 300) for value in LIKE_A_DAY),
    ],
)
def test_a_token_is_used_until_five_minutes_before_its_end(lifetime: Any, seconds: int) -> None:
    members = {} if lifetime == "absent" else {"expires_in": lifetime}
    clock, vendor = ManualClock(NOW), Vendor([given("TOKEN-1", **members), given("TOKEN-2", **members)])
    tokens = tokens_of(vendor, clock=clock)
    assert tokens.last == ""
    assert tokens.token(vendor.connection()) == tokens.last == "TOKEN-1"
    if seconds:
        clock.advance(seconds=seconds - 1)
        assert tokens.token(vendor.connection()) == "TOKEN-1"
        clock.advance(seconds=1)
    assert tokens.token(vendor.connection()) == "TOKEN-2"


def test_a_token_that_was_dropped_is_not_used_but_still_known() -> None:
    vendor = Vendor([given("TOKEN-1", expires_in=3600), given("TOKEN-2", expires_in=3600)])
    tokens = tokens_of(vendor)
    tokens.token(vendor.connection())
    tokens.drop()
    assert tokens.last == "TOKEN-1", "it must not be repeated in a message"
    assert tokens.token(vendor.connection()) == "TOKEN-2"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_rotated_secret_is_read_again(status: int) -> None:
    secret, vendor = Secret(), Vendor([said(status), given("TOKEN-1", expires_in=3600)])
    assert tokens_of(vendor, secret).token(vendor.connection()) == "TOKEN-1"
    sent = [parse_qs(request.content.decode())["client_secret"] for request in vendor.requests]
    assert sent == [["SECRET/one +"], ["SECRET-two"]]
    assert secret.read == 1
    assert vendor.pauses == []


def test_a_revoked_secret_is_tried_twice_and_no_more() -> None:
    secret, vendor = Secret(), Vendor([said(401, {"Message": "SECRET/one +"}), said(401, {"Message": "SECRET-two"})])
    text = failure(vendor, CredentialsRefusedError, secret)
    assert "token: the vendor refuses our credentials (401), new ones too. The secret was rotated or revoked" in text
    assert (secret.read, len(vendor.requests)) == (1, 2)


@pytest.mark.parametrize(
    "answer", [said(200), said(200, []), said(200, {"access_token": 7}), said(404), said(302), httpx.Response(200)]
)
def test_an_answer_without_a_token(answer: httpx.Response) -> None:
    text = failure(Vendor([answer]), AnswerNotUnderstoodError)
    assert f"the vendor answered {answer.status_code} without a token" in text


def test_what_is_secret_is_not_shown() -> None:
    vendor = Vendor([given("TOKEN-1", expires_in=3600)])
    tokens = tokens_of(vendor)
    assert tokens.token(vendor.connection()) not in repr(tokens)
    assert "SECRET" not in repr(Credentials("id", "SECRET"))
    assert "id" not in repr(Credentials("id", "SECRET")).replace("Credentials", "")
