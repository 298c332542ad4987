"""The download of a file: whole or in parts, as HTTP has it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from cli.simulator.content import Content
from cli.simulator.exchange import Request, Response, body_response

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TYPES = {".gz": "application/gzip", ".json": "application/json", ".sql": "text/plain; charset=utf-8"}
_DEFAULT_TYPE = "application/octet-stream"


def download(request: Request, content: Content) -> Response:
    """Answer a request for a file."""
    etag = f'"{content.md5}"'
    if request.headers.get("If-Match", "*") not in {"*", etag}:
        return error(412, "PreconditionFailed")
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Content-Type": _type(request.file)}
    part = _part(request, etag, content.size)
    if part is None:
        return Response(200, content.chunks(0, content.size), content.size, headers)
    if not part:
        return error(416, "InvalidRange", **{"Content-Range": f"bytes */{content.size}"})
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{content.size}"
    return Response(206, content.chunks(part.start, part.stop), len(part), headers)


def error(status: int, code: str, **headers: str) -> Response:
    """An error the way object storage words one."""
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>".encode()
    return body_response(status, body, "application/xml", **headers)


def _type(name: str) -> str:
    return _TYPES.get(PurePosixPath(name).suffix, _DEFAULT_TYPE)


def _part(request: Request, etag: str, size: int) -> range | None:
    """The part asked for, empty when there is no such part; None for the whole."""
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    if found is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = found[1], found[2]
    if not first:
        return range(max(0, size - int(last)), size) if last else None
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)
