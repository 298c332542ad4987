"""Answers of S3 that moto does not give, as they come over the wire: botocore itself makes of them what it does."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


@contextmanager
def refusal(client: Any, operation: str, key: str, status: int, code: str) -> Iterator[None]:
    """Answer requests for a key with an error."""
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>Refused</Message></Error>"
    with _answer(client, operation, key, status, body.encode(), {"content-type": "application/xml"}):
        yield


@contextmanager
def delivery(client: Any, key: str, body: bytes, headers: dict[str, str]) -> Iterator[None]:
    """Answer reads of a key with this body, and with headers that may say something else."""
    with _answer(client, "GetObject", key, 200, body, headers):
        yield


@contextmanager
def _answer(client: Any, operation: str, key: str, status: int, body: bytes, headers: dict[str, str]) -> Iterator[None]:
    def answer(request: Any, **_: object) -> AWSResponse | None:
        if not urlsplit(request.url).path.endswith(f"/{key}"):
            return None
        return AWSResponse(request.url, status, HTTPHeaders.from_pairs(list(headers.items())), _Wire(body))

    events, name = client.meta.events, f"before-send.s3.{operation}"
    events.register_first(name, answer)
    try:
        yield
    finally:
        events.unregister(name, answer)


class _Wire(BytesIO):
    """A response's body as botocore reads it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()
