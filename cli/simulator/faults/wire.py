"""Faults between client and vendor: errors, silence, broken connections, answers that are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

from cli.simulator.content import Generated
from cli.simulator.exchange import Request, Response, body_response, json_response, message
from cli.simulator.faults.base import Fault, Target
from cli.simulator.vendor import Vendor

_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Maintenance</h1></body></html>"
METADATA_SERVICE = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"


class Answered(Fault):
    """Requests are answered in the vendor's stead; it does not hear of them."""

    def __init__(self, target: Target, answer: Callable[[Vendor], Response]) -> None:
        """Say which requests, and how."""
        self._target = target
        self._answer = answer

    def before(self, vendor: Vendor, request: Request) -> Response | None:
        """Answer in the vendor's stead."""
        return self._answer(vendor) if self._target.hits(request) else None


class Spoiled(Fault):
    """The vendor does what it is asked, but its answer comes otherwise."""

    def __init__(self, target: Target, spoil: Callable[[Response], Response]) -> None:
        """Say which answers, and how."""
        self._target = target
        self._spoil = spoil

    def after(self, request: Request, response: Response) -> Response:
        """Spoil the answer."""
        return self._spoil(response) if self._target.hits(request) else response


def http_error(target: Target, status: int = 503) -> Fault:
    """An HTTP error."""
    return Answered(target, lambda _: message(status, "Something went wrong."))


def too_many_requests(target: Target, seconds: int = 1) -> Fault:
    """429, with Retry-After in seconds."""
    return Answered(target, lambda _: _busy(str(seconds)))


def too_many_requests_until(target: Target, seconds: int = 1) -> Fault:
    """429, with Retry-After as a date."""

    def answer(vendor: Vendor) -> Response:
        return _busy(format_datetime(vendor.clock() + vendor.skew + timedelta(seconds=seconds), usegmt=True))

    return Answered(target, answer)


def stalled(target: Target, seconds: float = 3600) -> Fault:
    """The vendor does what it is asked, but stays silent for long."""
    return Spoiled(target, lambda response: replace(response, stall=seconds))


def reset(target: Target) -> Fault:
    """The connection is reset; the vendor has done nothing."""
    return Answered(target, lambda _: Response(500, reset=True))


def answer_lost(target: Target) -> Fault:
    """The vendor does what it is asked, but the connection is reset before the answer."""
    return Spoiled(target, lambda response: replace(response, reset=True))


def truncated(target: Target) -> Fault:
    """The connection ends after half of the body that Content-Length declares."""
    return Spoiled(target, lambda response: replace(response, cut_at=response.size // 2))


def malformed(target: Target) -> Fault:
    """Broken JSON, as JSON."""
    return Answered(target, lambda _: body_response(200, b'[{"JobStatus": "Comp', "application/json"))


def odd(target: Target) -> Fault:
    """JSON of another shape than promised."""
    return Answered(target, lambda _: json_response([None, 7, "text", [], {"key": 7}]))


def html(target: Target) -> Fault:
    """A web page with status 200."""
    return Answered(target, lambda _: body_response(200, _HTML, "text/html"))


def huge(target: Target, size: int = 1 << 31) -> Fault:
    """A body of 2 GB that does not say how long it is."""

    def answer(_: Vendor) -> Response:
        return Response(200, Generated(size, 1).chunks(0, size), size, is_sized=False)

    return Answered(target, answer)


def redirected(target: Target, location: str = METADATA_SERVICE) -> Fault:
    """A redirect to another host."""
    return Answered(target, lambda _: body_response(302, b"", "text/plain", Location=location))


def _busy(retry_after: str) -> Response:
    response = message(429, "Too many requests.")
    return replace(response, headers=response.headers | {"Retry-After": retry_after})
