"""Requests that come to an end and answers that fit, whatever a server sends, and be it drop by drop."""

import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ssl import SSLContext
from time import monotonic
from typing import Any

import httpcore
import httpx

from sluice.http.answers import AnswerRefusedError

SLOWEST = 256 * 1024
"""Bytes a second: a request gets a second more for so many that came; real transfers are a hundred times as fast."""

_LONGEST_HEAD = 256 * 1024  # bytes before the body: of all headers, and of provisional answers before them
_LONGEST_HEADER = 1000  # characters; no header that is read has a use for more
_READ_HEADERS = frozenset(
    {b"content-encoding", b"content-length", b"content-range", b"content-type", b"date", b"etag", b"retry-after"}
    | {b"x-amz-server-side-encryption", b"x-amz-server-side-encryption-customer-algorithm"}
)
_CHUNK_BYTES = 64 * 1024
_GZIP = zlib.MAX_WBITS | 16


@dataclass(slots=True)
class Budget:
    """Limits of a request: `seconds` of waiting for the server, and more while bytes come, up to `most_bytes`.

    All ends at the moment `until`, by the monotonic clock. Until the answer `has_head`, it may have few bytes.
    """

    seconds: float = float("inf")
    most_bytes: float = float("inf")
    until: float = float("inf")
    has_head: bool = False
    _waited: float = 0
    _came: int = 0

    def left(self) -> float:
        """Return for how many seconds the server may be waited for.

        Raises:
            httpcore.ReadTimeout: None is left.
        """
        left = min(self.seconds + self._came / SLOWEST - self._waited, self.until - monotonic())
        if left <= 0:
            raise httpcore.ReadTimeout("the time for this request is over")
        return left

    def spend(self, seconds: float, came: int) -> None:
        """Count a wait, and the bytes that came.

        Raises:
            httpcore.ReadError: They are too many.
        """
        self._waited += seconds
        self._came += came
        if self._came > (self.most_bytes if self.has_head else _LONGEST_HEAD):
            raise httpcore.ReadError("more bytes than an answer may have")


_present = threading.local()  # a thread sends and reads one request at a time


def _budget() -> Budget:
    return getattr(_present, "budget", None) or Budget(has_head=True)


@dataclass(frozen=True, slots=True)
class _Stream(httpcore.NetworkStream):
    """A connection that keeps to the budget of the request it is used for."""

    inner: httpcore.NetworkStream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        budget, began, came = _budget(), monotonic(), b""
        longest = min(budget.left(), float("inf") if timeout is None else timeout)
        try:
            came = self.inner.read(max_bytes, None if longest == float("inf") else longest)
        finally:
            budget.spend(monotonic() - began, len(came))
        return came

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, timeout)

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self.inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as inherited
        return self.inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    """Opens such connections."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class BoundedTransport(httpx.HTTPTransport):
    """Keeps a request to the budget in its extension `budget`, and of an answer's headers those that are read.

    No other reaches a parser: neither cookies nor addresses of redirects.
    """

    def __init__(self, verify: SSLContext | bool, proxy: str | None = None) -> None:
        super().__init__(verify=verify, trust_env=False, proxy=proxy)
        self._pool._network_backend = _Backend()  # noqa: SLF001 - the library passes none on

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises httpx.TransportError, whatever the server answers."""
        _present.budget = budget = request.extensions.get("budget") or Budget()
        try:
            answer = super().handle_request(request)
        except ValueError:  # its text could hold anything
            raise httpx.RemoteProtocolError("an answer that is no HTTP") from None
        budget.has_head = True
        headers = [(name, value) for name, value in answer.headers.raw if _is_read(name, value)]
        return httpx.Response(answer.status_code, headers=headers, stream=answer.stream, extensions=answer.extensions)


def _is_read(name: bytes, value: bytes) -> bool:
    return name.lower() in _READ_HEADERS and len(value) <= _LONGEST_HEADER


def body_of(response: httpx.Response, most_bytes: int) -> bytes:
    """Return the decoded body, which was asked for without a coding, and may have gzip all the same.

    Raises:
        AnswerRefusedError: It has another coding, several, or more bytes than allowed; no more of them are decoded.
        httpx.HTTPError: It does not come whole.
    """
    coding = response.headers.get("content-encoding", "").strip().lower()
    parts = response.iter_raw(_CHUNK_BYTES)
    if coding in {"gzip", "x-gzip"}:
        parts = _unpacked(parts)
    elif coding not in {"", "identity"}:
        raise AnswerRefusedError("an answer in a coding (Content-Encoding) that was not asked for")
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > most_bytes:
            raise AnswerRefusedError(f"an answer of more than {most_bytes >> 20} MB")
    return bytes(body)


def _unpacked(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what a gzip holds, in pieces."""
    decoder = zlib.decompressobj(_GZIP)
    try:
        for part in parts:
            left = part
            while left and not decoder.eof:
                yield decoder.decompress(left, _CHUNK_BYTES)
                left = decoder.unconsumed_tail
    except zlib.error:
        raise httpx.DecodingError("no gzip") from None
    if not decoder.eof:
        raise httpx.DecodingError("a gzip that was cut off")
