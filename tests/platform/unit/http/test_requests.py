"""Requests that are sent again, or not, and what is said when nothing helps."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from sluice.http import retrying
from sluice.http.answers import AnswerRefusedError, TransientError
from sluice.http.requests_http import ATTEMPTS, MAX_ANSWER_BYTES
from tests.support.scripted_server import NOW, Answer, ScriptedServer, http_date, said, texts

URL = "https://api.test/x?apiToken=SECRET&sig=SIGNATURE"
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


def assert_says_nothing_secret(error: BaseException) -> None:
    told = " ".join(texts(error))
    assert [word for word in ("SECRET", "SIGNATURE", "TOKEN-1", "://") if word in told] == []


def request() -> httpx.Request:
    return httpx.Request("GET", URL, headers={"Authorization": "Bearer TOKEN-1"})


def give_up(server: ScriptedServer) -> TransientError:
    with pytest.raises(TransientError) as error:
        server.sender().send(request())
    assert_says_nothing_secret(error.value)
    return error.value


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 409, 501])
def test_answers_that_asking_again_would_not_change(status: int) -> None:
    server = ScriptedServer([said(status)])
    assert server.sender().send(request()).status == status


@pytest.mark.parametrize("trouble", [*(said(status) for status in EXCUSES), *TROUBLES], ids=_named)
def test_trouble_that_passes(trouble: Answer) -> None:
    server = ScriptedServer([trouble, trouble, said(200, "done")])
    assert server.sender().send(request()).document() == "done"
    assert len(server.pauses) == 2


@pytest.mark.parametrize("trouble", [said(503), *TROUBLES], ids=_named)
def test_trouble_that_does_not_pass(trouble: Answer) -> None:
    server = ScriptedServer([trouble] * 9)
    error = give_up(server)
    what = "the server answered 503" if isinstance(trouble, httpx.Response) else type(trouble).__name__
    assert f"{what}, {ATTEMPTS} times" in str(error)
    assert len(server.requests) == ATTEMPTS


def test_pauses_grow_have_jitter_and_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def pauses() -> list[float]:
        server = ScriptedServer([said(503)] * 9)
        give_up(server)
        return server.pauses

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
        server = ScriptedServer([said(status, retry_after=header)] * 9)
        assert f"the server answered {status}" in str(give_up(server))
        assert server.pauses == ([] if seconds is None else [seconds] * (ATTEMPTS - 1))


@pytest.mark.parametrize("header", ["-1", "soon", "", "7 minutes"])
def test_a_retry_after_that_is_none(header: str) -> None:
    server = ScriptedServer([said(429, retry_after=header), said(200)])
    server.sender().send(request())
    assert len(server.pauses) == 1
    assert server.pauses[0] <= 1


def test_a_retry_after_by_a_clock_that_is_not_shown() -> None:
    answer = said(429, retry_after=http_date(NOW + timedelta(seconds=7)))
    del answer.headers["date"]
    server = ScriptedServer([answer, said(200)])
    server.sender().send(request())
    assert server.pauses[0] <= 1


def test_an_excuse_that_is_an_answer() -> None:
    server = ScriptedServer([said(503, "wait")])
    answer = server.sender().send(request(), lambda answer: answer.document() == "wait")
    assert answer.status == 503


@pytest.mark.parametrize("gives_up_at", [1, 2])
def test_an_answer_that_has_no_end(gives_up_at: int) -> None:
    read = 0

    def flood() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(MAX_ANSWER_BYTES // 4)

    server = ScriptedServer([*[said(500)] * (gives_up_at - 1), httpx.Response(200, content=flood())])
    with pytest.raises(AnswerRefusedError, match="an answer of more than 1 MB") as error:
        server.sender().send(request())
    assert read == 5
    assert_says_nothing_secret(error.value)


def test_an_answer_as_long_as_allowed() -> None:
    server = ScriptedServer([httpx.Response(200, content=bytes(MAX_ANSWER_BYTES))])
    assert len(server.sender().send(request()).body) == MAX_ANSWER_BYTES


def test_a_body_that_breaks_off_is_asked_for_again() -> None:
    def broken() -> Iterator[bytes]:
        yield b"[1, 2"
        raise httpx.ReadError("reset")

    server = ScriptedServer([httpx.Response(200, content=broken()), said(200, "done")])
    assert server.sender().send(request()).document() == "done"
