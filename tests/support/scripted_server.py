"""A server that answers what a test says, and the client of HTTP that talks to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from sluice.http.answers import Pauses
from sluice.http.requests_http import Sender

NOW = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)

Answer = httpx.Response | Exception
Script = Answer | Callable[[httpx.Request], Answer]


def said(status: int = 200, document: Any = None, **headers: str) -> httpx.Response:
    """An answer with a JSON body, and a Date header unless told otherwise."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, content=orjson.dumps(document), headers={"date": http_date(NOW)} | named)


def http_date(moment: datetime) -> str:
    return f"{moment:%a, %d %b %Y %H:%M:%S GMT}"


def _unread(answer: httpx.Response) -> Any:
    return httpx.ByteStream(answer.content) if answer.is_closed else answer.stream


@dataclass
class ScriptedServer:
    """Gives the answers of a script, one after the other."""

    script: list[Script] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answer(request)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        # As a transport gives it: not read yet.
        return httpx.Response(answer.status_code, headers=answer.headers, stream=_unread(answer))

    def answer(self, _request: httpx.Request) -> Script:
        return self.script.pop(0)

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self), timeout=7)

    def sender(self) -> Sender:
        return Sender(self.client(), Pauses(1.0, self.pauses.append))


def texts(error: BaseException | None) -> Iterator[str]:
    """Every text of an error and of those before it."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args))
        yield from texts(error.__context__)
        error = error.__cause__
