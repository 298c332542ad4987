"""Requests to the vendor, and its responses to downloads."""

import re
from enum import StrEnum
from pathlib import PurePosixPath

from cli.http_server import messages
from cli.http_server.content import Content
from cli.http_server.messages import Response, body_response


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


class Request(messages.Request):
    """A request to the vendor."""

    @property
    def call(self) -> Call | None:
        """The kind of request; None when there is no such resource."""
        line = f"{self.method} {self.path}"
        return next((call for call, pattern in _PATHS if pattern.fullmatch(line)), None)

    @property
    def file(self) -> str:
        """The file's name in a request for one, otherwise empty."""
        return self.segments[-1] if self.call is Call.FILE else ""


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
