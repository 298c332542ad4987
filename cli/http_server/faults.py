"""Faults: hooks around the answers of an application, and the requests that they hit."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from cli.http_server.messages import Request, Response

AnyRequest = TypeVar("AnyRequest", bound=Request)


def unchanged(_: Any, value: Any) -> Any:  # noqa: ANN401 - the default of hooks of several types
    """Return the second argument."""
    return value


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong: hooks, each of which changes nothing unless it is given.

    Attributes:
        before: Answers a request in the application's stead, or acts on the application before it answers.
        after: Changes an answer.
    """

    before: Callable[[Any, Any], Response | None] = lambda _application, _request: None
    after: Callable[[Any, Response], Response] = unchanged


@dataclass(slots=True)
class Target:
    """The requests that a fault hits.

    Attributes:
        call: The kind of request.
        file: Pattern of the file's name; requests are counted per file then, and over all files without it.
        after: Number of requests that are left alone first.
        times: Number of requests hit after that; all when None.
    """

    call: str
    file: str | None = None
    after: int = 0
    times: int | None = None
    _seen: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hits(self, request: Request) -> bool:
        """Count the request, and return whether the fault hits it."""
        if request.call != self.call or not fnmatchcase(request.file, self.file or "*"):
            return False
        with self._lock:
            counted = request.file if self.file else ""
            self._seen[counted] += 1
            number = self._seen[counted] - self.after
        return number > 0 and (self.times is None or number <= self.times)


def answered(target: Target, answer: Callable[[Any], Response]) -> Fault:
    """Answer requests in the application's stead: it does not receive them."""
    return Fault(before=lambda application, request: answer(application) if target.hits(request) else None)


def changed(target: Target, change: Callable[[Response], Response]) -> Fault:
    """Change the application's answers, after it did what it was asked."""
    return Fault(after=lambda request, response: change(response) if target.hits(request) else response)


def answer_with(
    faults: Sequence[Fault], application: object, request: AnyRequest, answer: Callable[[AnyRequest], Response]
) -> Response:
    """Answer a request, changed by the faults."""
    answers = [fault.before(application, request) for fault in tuple(faults)]
    response = next((answer for answer in answers if answer is not None), None) or answer(request)
    for fault in tuple(faults):
        response = fault.after(request, response)
    return response
