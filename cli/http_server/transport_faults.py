"""Faults of the connection: errors, silence, broken connections, unreadable answers."""

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

from cli.http_server.content import generated
from cli.http_server.faults import Fault, Target, answered, changed
from cli.http_server.messages import Response, api_error, body_response, json_response

_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Maintenance</h1></body></html>"
METADATA_SERVICE = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"


def http_error(target: Target, status: int = 503) -> Fault:
    """An HTTP error."""
    return answered(target, lambda _: api_error(status, "Something went wrong."))


def too_many_requests(target: Target, seconds: int = 1) -> Fault:
    """429, with Retry-After in seconds."""
    return answered(target, lambda _: _busy(str(seconds)))


def too_many_requests_until(target: Target, seconds: int = 1) -> Fault:
    """429, with Retry-After as a date."""
    wait = timedelta(seconds=seconds)
    return answered(target, lambda application: _busy(format_datetime(application.now() + wait, usegmt=True)))


def busy(target: Target, seconds: int = 120) -> Fault:
    """503, with Retry-After in seconds: more than a function waits."""
    return answered(target, lambda _: replace(_busy(str(seconds)), status=503))


def misdirected(target: Target) -> Fault:
    """421: this connection is not the right one."""
    return http_error(target, 421)


def stalled(target: Target, seconds: float = 3600) -> Fault:
    """The server does what it is asked, but stays silent for long."""
    return changed(target, lambda response: replace(response, stall=seconds))


def reset(target: Target) -> Fault:
    """The connection is reset; the server has done nothing."""
    return answered(target, lambda _: Response(500, reset=True))


def answer_lost(target: Target) -> Fault:
    """The server does what it is asked, but the connection is reset before the answer."""
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
    return answered(target, lambda _: Response(200, generated(size, 1).chunks(0, size), size, is_sized=False))


def redirected(target: Target, location: str = METADATA_SERVICE) -> Fault:
    """A redirect to another host."""
    return answered(target, lambda _: body_response(302, b"", "text/plain", Location=location))


def _busy(retry_after: str) -> Response:
    response = api_error(429, "Too many requests.")
    return replace(response, headers=response.headers | {"Retry-After": retry_after})
