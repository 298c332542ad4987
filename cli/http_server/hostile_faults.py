"""Faults of a server that was taken over: bytes to fill memory, to take for ever, to crash a reader."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import repeat

from cli.http_server.faults import Fault, Target, answered, changed
from cli.http_server.messages import Response, body_response

BOMB_BYTES = 600 << 20
DIGITS = "9" * 5000
_DROPS = 1 << 20
_JSON = "application/json"


def dripping(target: Target, seconds: float = 1) -> Fault:
    """A body that comes drop by drop and never ends."""
    drops = Response(200, repeat(b" ", _DROPS), _DROPS, {"Content-Type": _JSON}, is_sized=False, pause=seconds)
    return answered(target, lambda _: drops)


def dripping_head(target: Target, seconds: float = 1) -> Fault:
    """Headers that come drop by drop and never end."""
    return answered(target, lambda _: Response(200, raw=_head(repeat(b"X-Drop: 1\r\n", _DROPS)), pause=seconds))


def provisional(target: Target) -> Fault:
    """Provisional answers (103) without end, and never the final one."""
    return answered(target, lambda _: Response(200, raw=repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)))


def header_flood(target: Target) -> Fault:
    """A million headers."""
    lines = b"".join(b"Set-Cookie: c%d=%d; Path=/\r\n" % (number, number) for number in range(1000))
    return answered(target, lambda _: Response(200, raw=_head(repeat(lines, 1000))))


def packed_twice(target: Target) -> Fault:
    """600 MB, packed twice: Content-Encoding: gzip, gzip."""
    return _coded(target, "gzip, gzip", gzip.compress(_bomb()))


def packed(target: Target) -> Fault:
    """600 MB, packed, though nothing was to be packed."""
    return _coded(target, "gzip", _bomb())


def packed_otherwise(target: Target) -> Fault:
    """A coding that nobody asked for: Content-Encoding: br."""
    return _coded(target, "br", _bomb())


def absurd_headers(target: Target, name: str = "Content-Range") -> Fault:
    """Values of 5,000 digits, or of 90,000 characters, in all headers that are read; one of them is the length."""
    value = f"bytes 0-{DIGITS}/{DIGITS}" if name == "Content-Range" else DIGITS
    absurd = {
        "Retry-After": DIGITS,
        "ETag": f'"{DIGITS}"',
        "Date": f"Sun, {DIGITS} Mar {DIGITS} 12:00:00 GMT",
        "Content-Type": "text/xml;" + '";' * 5000,
        "Location": f"http://[::{DIGITS}",
        "Link": f"<{DIGITS}>" * 10,
        name: value,
    }
    return changed(target, lambda answer: replace(answer, headers=answer.headers | absurd))


def absurd_length(target: Target) -> Fault:
    """A Content-Length of 5,000 digits."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: " + DIGITS.encode() + b"\r\n\r\n"
    return answered(target, lambda _: Response(200, raw=iter((head, b"[]"))))


def no_http(target: Target) -> Fault:
    """Bytes that are no HTTP."""
    return answered(target, lambda _: Response(200, raw=iter((b"\x16\x03\xff" * 1000,))))


def deep_json(target: Target) -> Fault:
    """JSON of 100,000 lists in one another."""
    return _json(target, b"[" * 100_000 + b"]" * 100_000)


def many_values(target: Target) -> Fault:
    """JSON of as many small values as fit a megabyte: they fill 60 times as much memory."""
    return _json(target, b"[" + b"{}," * 340_000 + b"{}]")


def huge_numbers(target: Target) -> Fault:
    """JSON whose numbers have 5,000 digits, and whose members come twice."""
    digits = DIGITS.encode()
    members = b'"size": %b, "size": -%b, "JobStatus": %b, "expires_in": 1e%b, "key": "a", "Key": 1' % ((digits,) * 4)
    return _json(target, b"[{%b}]" % members)


def _json(target: Target, body: bytes) -> Fault:
    return answered(target, lambda _: body_response(200, body, _JSON))


def _coded(target: Target, coding: str, body: bytes) -> Fault:
    return answered(target, lambda _: body_response(200, body, _JSON, **{"Content-Encoding": coding}))


def _head(lines: Iterator[bytes]) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    yield from lines


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    """Return a gzip of blanks; made piece by piece, so that making it takes no memory."""
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    piece = b" " * (1 << 20)
    return b"".join([*(packer.compress(piece) for _ in range(BOMB_BYTES >> 20)), packer.flush()])
