"""HTTP requests and responses, the responses to downloads included, without the server that reads and writes them."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cli.simulator.content import Content


class Call(StrEnum):
    """Kinds of requests: the API's four calls, and the files behind presigned URLs."""

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
    """A request as received."""

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
        """The members of a JSON object; empty when the body is something else."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def call(self) -> Call | None:
        """The kind of request; None when there is no such resource."""
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
        is_sized: Send Content-Length; without it the connection's end is the body's end.
        pause: Seconds of silence before each piece.
        raw: What is sent in place of head and body.
    """

    status: int
    chunks: Iterable[bytes] = ()
    size: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    stall: float = 0
    cut_at: int | None = None
    reset: bool = False
    is_sized: bool = True
    pause: float = 0
    raw: Iterable[bytes] | None = None


def body_response(status: int, body: bytes, content_type: str, **headers: str) -> Response:
    """Return a response with a small body."""
    return Response(status, (body,), len(body), {"Content-Type": content_type} | headers)


def json_response(document: Any, status: int = 200) -> Response:  # noqa: ANN401 - any JSON value
    """Return a JSON response."""
    return body_response(status, json.dumps(document).encode(), "application/json; charset=utf-8")


def api_error(status: int, text: str) -> Response:
    """Return an error in the API's format."""
    return json_response({"Message": text}, status)


_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TYPES = {".gz": "application/gzip", ".json": "application/json", ".sql": "text/plain; charset=utf-8"}


def download(request: Request, content: Content) -> Response:
    """Return the response to a request for a file: whole, or the part asked for."""
    etag = f'"{content.md5}"'
    if request.headers.get("If-Match", "*") not in {"*", etag}:
        return storage_error(412, "PreconditionFailed")
    type_ = _TYPES.get(PurePosixPath(request.file).suffix, "application/octet-stream")
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Content-Type": type_}
    part = _part(request, etag, content.size)
    if part is None:
        return Response(200, content.chunks(0, content.size), content.size, headers)
    if not part:
        return storage_error(416, "InvalidRange", **{"Content-Range": f"bytes */{content.size}"})
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{content.size}"
    return Response(206, content.chunks(part.start, part.stop), len(part), headers)


def storage_error(status: int, code: str, **headers: str) -> Response:
    """Return an error in the format of object storage."""
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>".encode()
    return body_response(status, body, "application/xml", **headers)


def _part(request: Request, etag: str, size: int) -> range | None:
    """Return the part asked for, empty when it is beyond the end; None for the whole."""
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    if found is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = found[1], found[2]
    if not first:
        return range(max(0, size - int(last)), size) if last else None
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)
