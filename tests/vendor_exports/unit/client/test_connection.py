"""Requests that are sent again, or not, and what is said when nothing helps."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from sluice.vendor_exports.client import retrying
from sluice.vendor_exports.client.api import AnswerNotUnderstoodError, VendorUnavailableError
from sluice.vendor_exports.client.connection_http import ATTEMPTS, MAX_ANSWER_BYTES
from tests.vendor_exports.unit.client.script import NOW, Answer, Vendor, assert_says_nothing_secret, http_date, said

URL = "https://files.test/x?apiToken=SECRET-two&sig=SIGNATURE"
EXCUSES = [408, 425, 429, 500, 502, 503, 504]
TROUBLES: list[Exception] = [
    httpx.ConnectError(f"cannot connect to {URL}"),
    httpx.ConnectTimeout(f"timeout {URL}"),
    httpx.ReadTimeout(f"timeout {URL}"),
    httpx.ReadError(f"connection reset {URL}"),
    httpx.RemoteProtocolError(f"peer closed connection {URL}"),
    httpx.DecodingError(f"no gzip {URL}"),
]


def _named(answer: Answer) -> str:
    return str(answer.status_code) if isinstance(answer, httpx.Response) else type(answer).__name__


def request() -> httpx.Request:
    return httpx.Request("GET", URL, headers={"Authorization": "Bearer TOKEN-1"})


def give_up(vendor: Vendor) -> VendorUnavailableError:
    with pytest.raises(VendorUnavailableError) as error:
        vendor.connection().send("files", request())
    assert_says_nothing_secret(error.value)
    return error.value


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 409, 501])
def test_answers_that_asking_again_would_not_change(status: int) -> None:
    vendor = Vendor([said(status)])
    assert vendor.connection().send("files", request()).status == status


@pytest.mark.parametrize("trouble", [*(said(status) for status in EXCUSES), *TROUBLES], ids=_named)
def test_trouble_that_passes(trouble: Answer) -> None:
    vendor = Vendor([trouble, trouble, said(200, "done")])
    assert vendor.connection().send("files", request()).document() == "done"
    assert len(vendor.pauses) == 2


@pytest.mark.parametrize("trouble", [said(503), *TROUBLES], ids=_named)
def test_trouble_that_does_not_pass(trouble: Answer) -> None:
    vendor = Vendor([trouble] * 9)
    error = give_up(vendor)
    what = "the vendor answered 503" if isinstance(trouble, httpx.Response) else type(trouble).__name__
    assert f"{what}, {ATTEMPTS} times" in str(error)
    assert "files" in str(error)
    assert len(vendor.requests) == ATTEMPTS


def test_pauses_grow_have_jitter_and_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def pauses() -> list[float]:
        vendor = Vendor([said(503)] * 9)
        give_up(vendor)
        return vendor.pauses

    monkeypatch.setattr("tenacity.wait.random.uniform", lambda _least, most: most)
    assert pauses() == [1, 2, 4, 8]
    monkeypatch.setattr(retrying, "LONGEST_PAUSE", 3.0)
    assert pauses() == [1, 2, 3, 3]
    monkeypatch.setattr("tenacity.wait.random.uniform", lambda least, _most: least)
    assert pauses() == [0, 0, 0, 0]


def in_seconds(seconds: int) -> str:
    return http_date(NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("seconds", "headers"),
    [(7, ["7", in_seconds(7)]), (0, ["0", in_seconds(-9)]), (30, ["30"]), (None, ["31", "9" * 400, in_seconds(3600)])],
)
def test_retry_after_is_honoured_up_to_thirty_seconds(status: int, seconds: int | None, headers: list[str]) -> None:
    for header in headers:
        vendor = Vendor([said(status, retry_after=header)] * 9)
        assert f"the vendor answered {status}." in str(give_up(vendor))
        assert vendor.pauses == ([] if seconds is None else [seconds] * (ATTEMPTS - 1))


@pytest.mark.parametrize("header", ["-1", "soon", "", "7 minutes"])
def test_a_retry_after_that_is_none(header: str) -> None:
    vendor = Vendor([said(429, retry_after=header), said(200)])
    vendor.connection().send("files", request())
    assert len(vendor.pauses) == 1
    assert vendor.pauses[0] <= 1


def test_a_retry_after_by_a_clock_that_is_not_shown() -> None:
    answer = said(429, retry_after=http_date(NOW + timedelta(seconds=7)))
    del answer.headers["date"]
    vendor = Vendor([answer, said(200)])
    vendor.connection().send("files", request())
    assert vendor.pauses[0] <= 1


def test_an_excuse_that_is_an_answer() -> None:
    vendor = Vendor([said(503, "wait")])
    answer = vendor.connection().send("trigger", request(), lambda answer: answer.document() == "wait")
    assert answer.status == 503


@pytest.mark.parametrize("gives_up_at", [1, 2])
def test_an_answer_that_has_no_end(gives_up_at: int) -> None:
    read = 0

    def flood() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(MAX_ANSWER_BYTES // 4)

    vendor = Vendor([*[said(500)] * (gives_up_at - 1), httpx.Response(200, content=flood())])
    with pytest.raises(AnswerNotUnderstoodError, match="an answer of more than 1 MB") as error:
        vendor.connection().send("files", request())
    assert read == 5
    assert_says_nothing_secret(error.value)


def test_an_answer_as_long_as_allowed() -> None:
    vendor = Vendor([httpx.Response(200, content=bytes(MAX_ANSWER_BYTES))])
    assert len(vendor.connection().send("files", request()).body) == MAX_ANSWER_BYTES


def test_a_body_that_breaks_off_is_asked_for_again() -> None:
    def broken() -> Iterator[bytes]:
        yield b"[1, 2"
        raise httpx.ReadError("reset")

    vendor = Vendor([httpx.Response(200, content=broken()), said(200, "done")])
    assert vendor.connection().send("files", request()).document() == "done"
