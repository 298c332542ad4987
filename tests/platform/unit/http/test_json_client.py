"""Documents of a JSON API: what is asked again, what is refused, and that messages say where and hold no secret."""

from dataclasses import dataclass

import httpx
import pytest

from sluice.http.answers import AnswerRefusedError, DeniedError, TransientError, UnreadableError
from sluice.http.json_http import MAX_DOCUMENT_BYTES, JsonClient
from sluice.http.requests_http import ATTEMPTS
from tests.support.scripted_server import Script, ScriptedServer, said, texts

HTML = httpx.Response(200, content=b"<html>starting SECRET-1</html>", headers={"content-type": "text/html"})
CUT = httpx.Response(200, content=b'{"items": [1, 2')


@dataclass
class Rotated:
    """A header whose value is another when it is read again."""

    name: str = "X-Api-Key"
    read: int = 1

    def current(self) -> tuple[str, ...]:
        return self.name, f"SECRET-{self.read}"

    def renewed(self) -> tuple[str, ...]:
        self.read += 1
        return self.current()


def client(server: ScriptedServer, header: Rotated | None = None) -> JsonClient:
    return JsonClient(server.sender(), "https://api.test/v1/", header)


def failure(kind: type[Exception], *script: Script, header: Rotated | None = None) -> str:
    with pytest.raises(kind) as error:
        client(ScriptedServer(list(script)), header or Rotated()).get("/tracks", {"page": 3})
    assert "SECRET" not in " ".join(texts(error.value))
    assert str(error.value).startswith("GET /tracks page=3: ")
    return str(error.value)


def test_a_document_is_asked_for_with_its_header() -> None:
    server = ScriptedServer([said(503), CUT, HTML, said(document={"items": []})])
    asking = client(server, Rotated())
    assert asking.get("/tracks", {"page": 3, "size": 100}) == {"items": []}
    assert {str(request.url) for request in server.requests} == {"https://api.test/v1/tracks?page=3&size=100"}
    assert {request.headers["x-api-key"] for request in server.requests} == {"SECRET-1"}
    assert asking.sender.retries == len(server.pauses) == 3


def test_a_document_that_is_not_the_right_one_is_asked_for_again() -> None:
    def check(document: object) -> None:
        if document != {"items": []}:
            raise UnreadableError("the answer has no items")

    server = ScriptedServer([said(document={"items": None}), said(document=[]), said(document={"items": []})])
    assert client(server).get("/tracks", check=check) == {"items": []}
    with pytest.raises(UnreadableError, match=f"GET /tracks: the answer has no items, {ATTEMPTS} times"):
        client(ScriptedServer([said(document=[])] * ATTEMPTS)).get("/tracks", check=check)


@pytest.mark.parametrize("header", [None, Rotated(name="")])
def test_no_header_is_sent_where_there_is_none(header: Rotated | None) -> None:
    server = ScriptedServer([said(document=7)])
    assert client(server, header).get("/health") == 7
    assert "x-api-key" not in server.requests[0].headers


def test_a_header_that_was_rotated_is_read_again() -> None:
    server, header = ScriptedServer([said(401), said(document=[1])]), Rotated()
    assert client(server, header).get("/tracks") == [1]
    assert [request.headers["x-api-key"] for request in server.requests] == ["SECRET-1", "SECRET-2"]


def test_trouble_that_does_not_pass() -> None:
    assert f"the server answered 503, {ATTEMPTS} times" in failure(TransientError, *[said(503)] * ATTEMPTS)
    assert "ConnectError" in failure(TransientError, *[httpx.ConnectError("SECRET-1")] * ATTEMPTS)
    assert "asks to wait" in failure(TransientError, *[said(403, retry_after="90")] * 2)
    without = f'the server answered 200 without JSON, but "<html>starting ***</html>", {ATTEMPTS} times'
    assert without in failure(UnreadableError, *[HTML] * ATTEMPTS)
    with pytest.raises(TransientError) as error:
        client(ScriptedServer([said(429, retry_after="90")])).get("/tracks")
    assert error.value.retry_after == 90


def test_answers_that_asking_again_would_not_change() -> None:
    assert "does not accept the header of the secret" in failure(DeniedError, said(401), said(403))
    assert "wants a header" in failure(DeniedError, said(401), said(401), header=Rotated(name=""))
    for name in ("SECRET-é", "x\n"):
        assert "not plain ASCII" in failure(DeniedError, header=Rotated(name=name))
    assert 'answered 404: "Not *** Found"' in failure(AnswerRefusedError, said(404, {"detail": "Not SECRET-1 Found"}))
    assert "answered 302: redirects are not followed" in failure(AnswerRefusedError, said(302, location="http://x/"))
    large = httpx.Response(200, content=bytes(MAX_DOCUMENT_BYTES + 1))
    assert "an answer of more than 16 MB" in failure(AnswerRefusedError, large)
    assert "Content-Encoding" in failure(AnswerRefusedError, said(content_encoding="br"))
