"""Files from the vendor's addresses, as streams."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import httpx

from sluice.vendor_exports.delivery.address_policy import Target
from sluice.vendor_exports.delivery.ports import AddressExpiredError, Download, DownloadError, TransientDownloadError

_CHUNK_BYTES = 1024 * 1024
_LONGEST_ETAG = 200  # characters
_MD5 = re.compile("[0-9a-f]{32}")
_CUSTOMER_KEY = "x-amz-server-side-encryption-customer-algorithm"
_EXPIRED = frozenset({400, 401, 403})  # S3 says 400 of tokens that are dead, 403 of addresses that are
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class Policy(Protocol):
    """Decides where requests may go."""

    def target(self, address: str) -> Target:
        """Check an address. Raises AddressRefusedError, TransientDownloadError."""


class HttpDownloads:
    """Opens files; `client` verifies TLS, follows no redirects, and takes no settings from its environment."""

    def __init__(self, client: httpx.Client, policy: Policy) -> None:
        """Bind the transport and the policy."""
        self._client = client
        self._policy = policy

    @contextmanager
    def open(self, url: str, offset: int) -> Iterator[Download]:
        """Open a file from a byte on; a server that cannot do so begins with the first.

        Raises:
            AddressRefusedError: The address leads where we do not go.
            AddressExpiredError: The address is dead.
            TransientDownloadError: The same address may work in a moment.
            DownloadError: The file cannot be had.
        """
        target = self._policy.target(url)
        headers = {"Host": target.host, "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        request = self._client.build_request(
            "GET", target.url, headers=headers, extensions={"sni_hostname": target.host.partition(":")[0]}
        )
        response = self._send(request)
        try:
            yield _download(response)
        finally:
            response.close()

    def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            happened = type(error).__name__  # its text could hold the address
        raise TransientDownloadError(f"the request ended with {happened}")


def _download(response: httpx.Response) -> Download:
    status = response.status_code
    if status in _EXPIRED:
        raise AddressExpiredError(f"its address is not accepted ({status}), a new one neither")
    if status in _TRANSIENT:
        raise TransientDownloadError(f"the server answered {status}, again and again")
    if response.is_redirect:
        raise DownloadError(f"the server answered {status}: redirects are not followed")
    if status not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
        raise DownloadError(f"the server answered {status}")
    length, etag = response.headers.get("content-length", ""), _etag(response)
    return Download(
        offset=_offset(response) if status == httpx.codes.PARTIAL_CONTENT else 0,
        length=int(length) if length.isdecimal() else None,
        etag=etag,
        md5=etag if _is_md5(etag, response) else "",
        chunks=_chunks(response),
    )


def _etag(response: httpx.Response) -> str:
    """Read the ETag; a weak one, or one too long to be kept with a file, is none."""
    etag = response.headers.get("etag", "").strip('"')
    return "" if etag.startswith("W/") or len(etag) > _LONGEST_ETAG else etag


def _is_md5(etag: str, response: httpx.Response) -> bool:
    """Tell whether the ETag is the MD5 sum, as S3's of objects that were uploaded at once and without a key of KMS."""
    encryption = response.headers.get("x-amz-server-side-encryption", "")
    is_keyed = encryption.startswith("aws:kms") or _CUSTOMER_KEY in response.headers
    return not is_keyed and _MD5.fullmatch(etag) is not None


def _offset(response: httpx.Response) -> int:
    """Read where a partial answer begins: ``bytes 5-9/10``."""
    start = response.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
    if not start.isdecimal():
        raise DownloadError("the server answered with a part and did not say which")
    return int(start)


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_raw(_CHUNK_BYTES)
    except httpx.HTTPError as error:
        happened = type(error).__name__
    else:
        return
    raise TransientDownloadError(f"the body broke off with {happened}")
