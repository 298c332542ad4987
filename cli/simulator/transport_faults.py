"""Faults: their type, and those of the connection: errors, silence, broken connections, unreadable answers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from cli.simulator.content import Content, GeneratedContent
from cli.simulator.http_messages import Call, Request, Response, api_error, body_response, json_response

if TYPE_CHECKING:
    from cli.simulator.exports import Exports
    from cli.simulator.jobs import Wording
    from cli.simulator.vendor import Vendor

Entry = dict[str, Any]
"""A file in the list of presigned URLs."""

_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Maintenance</h1></body></html>"
METADATA_SERVICE = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"


def _unchanged(_: Any, value: Any) -> Any:  # noqa: ANN401 - the default of hooks of several types
    return value


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong: hooks into the vendor's work, each of which changes nothing unless it is given.

    Attributes:
        before: Answers a request in the vendor's stead, or acts on the vendor before it answers.
        after: Changes an answer.
        secrets: Chooses the valid secrets, given those and the next secret.
        exports: Changes the content of a job, when it is triggered.
        status: Changes a job's status.
        entries: Changes the list of files.
        content: Changes a file's content.
        skew: Offset of the vendor's clock, ahead when positive.
        wording: The sentence that refuses triggers, when not the usual one.
    """

    before: Callable[[Vendor, Request], Response | None] = lambda _vendor, _request: None
    after: Callable[[Request, Response], Response] = _unchanged
    secrets: Callable[[frozenset[str], str], frozenset[str]] = lambda valid, _next: valid
    exports: Callable[[Exports], Exports] = lambda exports: exports
    status: Callable[[str], Any] = lambda status: status
    entries: Callable[[Request, list[Entry]], list[Entry]] = _unchanged
    content: Callable[[Request, Content], Content] = _unchanged
    skew: timedelta = timedelta()
    wording: Wording | None = None


@dataclass(slots=True)
class Target:
    """The requests that a fault hits.

    Attributes:
        call: The kind of request.
        file: Pattern of the file's name; requests are counted per file then, and over all files without it.
        after: Number of requests that are left alone first.
        times: Number of requests hit after that; all when None.
    """

    call: Call
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


def answered(target: Target, answer: Callable[[Vendor], Response]) -> Fault:
    """Answer requests in the vendor's stead: it does not receive them."""
    return Fault(before=lambda vendor, request: answer(vendor) if target.hits(request) else None)


def changed(target: Target, change: Callable[[Response], Response]) -> Fault:
    """Change the vendor's answers, after it did what it was asked."""
    return Fault(after=lambda request, response: change(response) if target.hits(request) else response)


def http_error(target: Target, status: int = 503) -> Fault:
    """An HTTP error."""
    return answered(target, lambda _: api_error(status, "Something went wrong."))


def too_many_requests(target: Target, seconds: int = 1) -> Fault:
    """429, with Retry-After in seconds."""
    return answered(target, lambda _: _busy(str(seconds)))


def too_many_requests_until(target: Target, seconds: int = 1) -> Fault:
    """429, with Retry-After as a date."""
    wait = timedelta(seconds=seconds)
    return answered(target, lambda vendor: _busy(format_datetime(vendor.clock() + vendor.skew + wait, usegmt=True)))


def stalled(target: Target, seconds: float = 3600) -> Fault:
    """The vendor does what it is asked, but stays silent for long."""
    return changed(target, lambda response: replace(response, stall=seconds))


def reset(target: Target) -> Fault:
    """The connection is reset; the vendor has done nothing."""
    return answered(target, lambda _: Response(500, reset=True))


def answer_lost(target: Target) -> Fault:
    """The vendor does what it is asked, but the connection is reset before the answer."""
    return changed(target, lambda response: replace(response, reset=True))


def truncated(target: Target) -> Fault:
    """The connection ends after half of the body that Content-Length declares."""
    return changed(target, lambda response: replace(response, cut_at=response.size // 2))


def malformed(target: Target) -> Fault:
    """Broken JSON, as JSON."""
    return answered(target, lambda _: body_response(200, b'[{"JobStatus": "Comp', "application/json"))


def unexpected_json(target: Target) -> Fault:
    """JSON of another shape than promised."""
    return answered(target, lambda _: json_response([None, 7, "text", [], {"key": 7}]))


def html_page(target: Target) -> Fault:
    """A web page with status 200."""
    return answered(target, lambda _: body_response(200, _HTML, "text/html"))


def huge(target: Target, size: int = 1 << 31) -> Fault:
    """A body of 2 GB that does not say how long it is."""
    return answered(target, lambda _: Response(200, GeneratedContent(size, 1).chunks(0, size), size, is_sized=False))


def redirected(target: Target, location: str = METADATA_SERVICE) -> Fault:
    """A redirect to another host."""
    return answered(target, lambda _: body_response(302, b"", "text/plain", Location=location))


def _busy(retry_after: str) -> Response:
    response = api_error(429, "Too many requests.")
    return replace(response, headers=response.headers | {"Retry-After": retry_after})
