"""Files from the vendor's addresses, as streams."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import httpx

from sluice.adapters.address_policy import Target
from sluice.exports.ports import AddressExpiredError, Download, DownloadError, TransientDownloadError

_CHUNK_BYTES = 1024 * 1024
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
        try:
            response = self._client.send(request, stream=True)
        except httpx.HTTPError as error:  # its text could hold the address
            raise TransientDownloadError(f"the request ended with {type(error).__name__}") from None
        try:
            yield _download(response)
        finally:
            response.close()


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
    length = response.headers.get("content-length", "")
    return Download(
        offset=_offset(response) if status == httpx.codes.PARTIAL_CONTENT else 0,
        length=int(length) if length.isdecimal() else None,
        etag=response.headers.get("etag", "").strip('"'),
        chunks=_chunks(response),
    )


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
        raise TransientDownloadError(f"the body broke off with {type(error).__name__}") from None
