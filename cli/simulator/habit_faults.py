"""Habits of HTTP servers and JSON writers: another form for what the vendor means, or another status."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from cli.http_server.faults import Fault, Target, answered, changed
from cli.http_server.messages import Response
from cli.simulator.http_messages import Call, Request, storage_error
from cli.simulator.vendor import Entry, VendorFault
from cli.simulator.vendor_faults import A_FILE, file_empty, listed_differently, name_of

NO_BREAK_SPACE = "\u00a0"


def denied_with(status: int = 403) -> Fault:
    """Tokens and secrets that are not valid are refused with this status instead of 401."""
    return Fault(after=lambda _, answer: _instead_of(HTTPStatus.UNAUTHORIZED, status, answer))


def accepted_with(status: int = 202) -> Fault:
    """A job is accepted with this status instead of 200."""
    return changed(Target(Call.EXPORT), lambda answer: _instead_of(HTTPStatus.OK, status, answer))


def _instead_of(usual: HTTPStatus, status: int, answer: Response) -> Response:
    return replace(answer, status=status) if answer.status == usual else answer


def slow_down(times: int | None = 2, file: str | None = A_FILE, **headers: str) -> Fault:
    """A file's storage answers 503 SlowDown; the first times only."""
    target = Target(Call.FILE, file, times=times)
    return answered(target, lambda _: storage_error(503, "SlowDown", **headers))


# JSON


def camel_case() -> Fault:
    """The names of all members begin with a small letter."""
    return _written(lambda document: json.dumps(_renamed(document, lambda name: name[:1].lower() + name[1:])).encode())


def snake_case() -> Fault:
    """The names of all members are written like_this."""
    return _written(lambda document: json.dumps(_renamed(document, _snake)).encode())


def byte_order_mark(coding: str = "utf-8-sig") -> Fault:
    """All JSON begins with a byte order mark."""
    return _written(lambda document: json.dumps(document).encode(coding))


def json_in_json() -> Fault:
    """All JSON is written as a JSON text."""
    return _written(lambda document: json.dumps(json.dumps(document)).encode())


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _renamed(document: Any, rename: Callable[[str], str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(document, list):
        return [_renamed(each, rename) for each in document]
    if isinstance(document, dict):
        return {rename(name): _renamed(value, rename) for name, value in document.items()}
    return document


def _written(write: Callable[[Any], bytes]) -> Fault:
    def change(request: Request, answer: Response) -> Response:
        if request.call is Call.FILE or "json" not in answer.headers.get("Content-Type", ""):
            return answer
        body = write(json.loads(b"".join(answer.chunks)))
        return replace(answer, chunks=(body,), size=len(body))

    return Fault(after=change)


# The list


def sizes_as_text(form: str = "{}") -> VendorFault:
    """All sizes are texts."""
    return _every_entry(lambda entry: entry | {"size": form.format(entry["size"])})


def urls_padded() -> VendorFault:
    """All URLs have blanks around them."""
    return _every_entry(lambda entry: entry | {"presignedDownloadURL": f" {entry['presignedDownloadURL']}\r\n"})


def folder_markers() -> VendorFault:
    """The folders of the files are listed, too, as the empty objects that consoles and Hadoop make."""
    markers: list[Entry] = [
        {"key": key, "presignedDownloadURL": "", "size": 0} for key in ("ACME/", "ACME/job_$folder$")
    ]
    return VendorFault(entries=lambda _, listed: [*markers, *listed])


def no_break_space(file: str = A_FILE) -> VendorFault:
    """A file has a no-break space in its name."""
    return listed_differently(lambda entry: [entry | {"key": entry["key"].replace(".", NO_BREAK_SPACE)}], file)


def _every_entry(change: Callable[[Entry], Entry]) -> VendorFault:
    return VendorFault(entries=lambda _, listed: [change(entry) if name_of(entry) else entry for entry in listed])


# Files


def empty_with_204(file: str = A_FILE) -> VendorFault:
    """A file holds nothing, is listed so, and is answered with 204."""
    emptied, target = file_empty(file), Target(Call.FILE, file)
    return replace(emptied, after=changed(target, lambda answer: replace(answer, status=204, is_sized=False)).after)


def range_refused() -> Fault:
    """Requests for the rest of a file are answered with 416."""
    return _ranges(lambda _: storage_error(416, "InvalidRange"))


def range_ignored() -> Fault:
    """Requests for the rest of a file are answered with all of it, and 200."""
    return Fault(before=lambda _, request: request.headers.__delitem__("Range"))


def range_unnamed() -> Fault:
    """Requests for the rest of a file are answered with 206 and no Content-Range."""
    return _ranges(lambda answer: replace(answer, headers={"ETag": answer.headers.get("ETag", "")}))


def range_elsewhere() -> Fault:
    """Requests for the rest of a file are answered with 206 and another range."""
    return _ranges(lambda answer: replace(answer, headers=answer.headers | {"Content-Range": "bytes 1-2/3"}))


def _ranges(change: Callable[[Response], Response]) -> Fault:
    return Fault(after=lambda request, answer: change(answer) if "Range" in request.headers else answer)
