"""Requests and responses, apart from the server that reads and writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class Call(StrEnum):
    """What a client can ask for: the API's four calls, and the files behind presigned URLs."""

    TOKEN = "token"  # noqa: S105 - the name of a call
    EXPORT = "export"
    STATUS = "status"
    LIST = "list"
    FILE = "file"


_PATHS = (
    (Call.TOKEN, re.compile(r"POST /connect/token")),
    (Call.EXPORT, re.compile(r"POST /api/datalake/v1/export")),
    (Call.STATUS, re.compile(r"POST /api/datalake/v1/CheckJobStatus")),
    (Call.LIST, re.compile(r"GET /v1/datalake/presignedUrls/[^/]+")),
    (Call.FILE, re.compile(r"(?:GET|HEAD) /files/[^/]+/[^/]+")),
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    method: str
    target: str
    headers: Message
    body: bytes = b""

    def __repr__(self) -> str:
        return f"<{self.method} {self.path}>"  # the rest is full of secrets

    @property
    def path(self) -> str:
        """The path, still quoted."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def form(self) -> dict[str, str]:
        """The members of a form."""
        return dict(parse_qsl(self.body.decode(errors="replace")))

    @property
    def document(self) -> dict[str, Any]:
        """The members of a JSON object; none when the body is something else."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def call(self) -> Call | None:
        """What is asked for; None when there is no such thing."""
        line = f"{self.method} {self.path}"
        return next((call for call, pattern in _PATHS if pattern.fullmatch(line)), None)

    @property
    def segments(self) -> list[str]:
        """The path's parts."""
        return [unquote(part) for part in self.path.split("/")[1:]]

    @property
    def file(self) -> str:
        """The file's name in a request for one, otherwise empty."""
        return self.segments[-1] if self.call is Call.FILE else ""


@dataclass(frozen=True, slots=True)
class Response:
    """A response and how it is sent.

    Attributes:
        status: The HTTP status.
        chunks: The body.
        size: The body's size, as the header declares it.
        headers: The headers but Date and Content-Length.
        stall: Seconds of silence before anything is sent.
        cut_at: The connection ends after so many bytes of the body.
        reset: The connection ends by a reset; without `cut_at`, before anything is sent.
        is_sized: Whether Content-Length is sent; the connection's end is the body's otherwise.
    """

    status: int
    chunks: Iterable[bytes] = ()
    size: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    stall: float = 0
    cut_at: int | None = None
    reset: bool = False
    is_sized: bool = True


class DeniedError(Exception):
    """A request is answered with an error."""

    def __init__(self, response: Response) -> None:
        """Keep what is answered."""
        super().__init__(response.status)
        self.response = response


def body_response(status: int, body: bytes, content_type: str, **headers: str) -> Response:
    """A response with a small body."""
    return Response(status, (body,), len(body), {"Content-Type": content_type} | headers)


def json_response(document: Any, status: int = 200) -> Response:  # noqa: ANN401 - any JSON value
    """A JSON response."""
    return body_response(status, json.dumps(document).encode(), "application/json; charset=utf-8")


def message(status: int, text: str) -> Response:
    """An error the way the API words one."""
    return json_response({"Message": text}, status)
