"""Downloads from the vendor's presigned URLs, which are untrusted: a policy decides which may be fetched."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import monotonic

import httpx

from sluice.http.answers import TransientError, UrlRefusedError, quoted, sent_at
from sluice.http.bounded_http import Budget
from sluice.http.redaction import Redactor, secrets_in
from sluice.http.retrying import passes, retry_after
from sluice.http.url_policy_http import LoopbackPolicy, Target, UrlPolicy
from sluice.vendor_exports.delivery.transfers import (
    Download,
    DownloadError,
    RangeRefusedError,
    ServerBusyError,
    TransientDownloadError,
    UrlExpiredError,
)

_CHUNK_BYTES = 1024 * 1024
_ERROR_BYTES = 4096
_SENT = frozenset({200, 204, 206})
_LONGEST_ETAG = 200  # characters
_LENGTH = re.compile("[0-9]{1,18}")
_MD5 = re.compile("[0-9a-f]{32}")
_CUSTOMER_KEY = "x-amz-server-side-encryption-customer-algorithm"
_EXPIRED = frozenset({400, 401, 403})  # S3 answers 400 for an expired token, 403 for an expired URL
_BUSY = frozenset(
    {"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "ServerBusy"}
)  # of S3 and Azure
_NOT_FROM_THERE = frozenset({200, 204, 206, 412, 416, 501})  # answers of servers that do not send the rest of a file
_CONTENT_RANGE = re.compile(r"bytes[ =]*(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE | re.ASCII)
_ERROR_CODE = re.compile(rb"<Code>\s*(\w{1,64})\s*</Code>")


@dataclass(frozen=True, slots=True)
class HttpDownloads:
    """Opens files; `client` verifies TLS, follows no redirects, and takes no settings from its environment.

    All ends at the moment `until`, by the monotonic clock. What a server says passes the `redactor`.
    """

    client: httpx.Client
    policy: UrlPolicy | LoopbackPolicy
    redactor: Redactor = field(default_factory=Redactor)
    until: float = float("inf")

    def within(self, seconds: float) -> "HttpDownloads":
        """Return downloads that end in so many seconds from now."""
        return replace(self, until=monotonic() + seconds)

    @contextmanager
    def open(self, url: str, offset: int) -> Iterator[Download]:
        """Open a file from a byte on.

        Raises:
            UrlExpiredError: The URL has expired.
            RangeRefusedError: The server does not begin there.
            TransientDownloadError: The same URL may work in a moment; ServerBusyError: in minutes.
            DownloadError: The file cannot be fetched, or must not be.
        """
        redactor = self.redactor.knowing(url, *secrets_in(url))
        try:
            with closing(self._send(self._request(url, offset))) as response:
                yield _download(response, offset, redactor)
        except DownloadError as error:
            error.args = (quoted(str(error), redactor),)
            raise

    def _request(self, url: str, offset: int) -> httpx.Request:
        target = self._target(url)
        headers = {"Host": target.host, "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        extensions = {
            "sni_hostname": target.host.partition(":")[0],
            "budget": Budget(self.client.timeout.read or float("inf"), until=self.until),
        }
        return self.client.build_request("GET", target.url, headers=headers, extensions=extensions)

    def _target(self, url: str) -> Target:
        try:
            return self.policy.target(url)
        except UrlRefusedError as error:
            raise DownloadError(str(error)) from None
        except TransientError as error:
            raise ServerBusyError(str(error)) from None

    def _send(self, request: httpx.Request) -> httpx.Response:
        if monotonic() > self.until:
            raise ServerBusyError("there was no time left for it in its batch")
        try:
            return self.client.send(request, stream=True)
        except httpx.HTTPError as error:
            happened = type(error).__name__  # its text could hold the address
        raise ServerBusyError(f"the request ended with {happened}")


def _download(response: httpx.Response, offset: int, redactor: Redactor) -> Download:
    status, etag = response.status_code, _etag(response, redactor)
    if status == httpx.codes.PARTIAL_CONTENT:
        size, is_right = _rest(response, offset)
    else:
        length = "0" if status == httpx.codes.NO_CONTENT else response.headers.get("content-length", "")
        size, is_right = int(length) if _LENGTH.fullmatch(length) else None, not offset
    if offset and status in _NOT_FROM_THERE and not is_right:
        raise RangeRefusedError(f"the server answered {status} and does not send the file from byte {offset} on")
    if status not in _SENT:
        raise _failure(response)
    if not is_right:
        raise DownloadError("the server answered with a part of the file, though asked for all of it")
    return Download(size, etag, etag if _is_md5(etag, response) else "", _chunks(response))


def _rest(response: httpx.Response, offset: int) -> tuple[int | None, bool]:
    """Read of a partial answer the file's size, and whether it is all from an offset on: ``bytes 5-9/10``."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if found is None:
        return None, False
    size = None if found[3] == "*" else int(found[3])
    return size, int(found[1]) == offset and size in {None, int(found[2]) + 1}


def _failure(response: httpx.Response) -> DownloadError:
    status, code = response.status_code, _error_code(response)
    headers, answered = response.headers, f"{status} {code}".strip()
    sent = sent_at(headers.get("date")) or datetime.now(UTC)
    asked = retry_after(headers.get("retry-after", ""), sent) if response.is_error else None
    if passes(status) or code in _BUSY or (asked is not None and status not in _EXPIRED):
        return ServerBusyError(f"the server answered {answered}, again and again", asked)
    if status in _EXPIRED:
        return UrlExpiredError(f"its URL is not accepted ({answered}), a new one neither")
    if response.is_redirect:
        return DownloadError(f"the server answered {answered}: redirects are not followed")
    return DownloadError(f"the server answered {answered}")


def _error_code(response: httpx.Response) -> str:
    """Read the code of an error of S3, such as ``AccessDenied``; what is not read of an answer ends its connection."""
    if response.status_code == httpx.codes.MISDIRECTED_REQUEST or "xml" not in response.headers.get("content-type", ""):
        return ""
    try:
        found = _ERROR_CODE.search(next(response.iter_raw(_ERROR_BYTES), b""))
    except httpx.HTTPError:
        return ""
    return found[1].decode() if found else ""


def _etag(response: httpx.Response, redactor: Redactor) -> str:
    """Read the ETag; a weak one, or one that must not be kept with a file, is none."""
    etag = response.headers.get("etag", "").strip()
    is_kept = len(etag) <= _LONGEST_ETAG and etag.isascii() and etag.isprintable() and not redactor.holds(etag)
    return etag.strip('"') if is_kept and not etag.lower().startswith("w/") else ""


def _is_md5(etag: str, response: httpx.Response) -> bool:
    """Tell whether the ETag is the MD5 sum, as S3's of objects that were uploaded at once and without a key of KMS."""
    encryption = response.headers.get("x-amz-server-side-encryption", "")
    is_keyed = encryption.startswith("aws:kms") or _CUSTOMER_KEY in response.headers
    return not is_keyed and _MD5.fullmatch(etag) is not None


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_raw(_CHUNK_BYTES)
    except httpx.HTTPError as error:
        happened = type(error).__name__
    else:
        return
    raise TransientDownloadError(f"the body broke off with {happened}")
