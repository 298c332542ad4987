"""HTTP requests and responses, without the server that reads and writes them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received; `call` names its kind, None that there is no such resource, `file` the file asked for."""

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
    def segments(self) -> list[str]:
        """The path's parts."""
        return [unquote(part) for part in self.path.split("/")[1:]]

    @property
    def call(self) -> str | None:
        """The kind of request; None when there is no such resource."""
        return None

    @property
    def file(self) -> str:
        """Return what is asked for of several that the same kind of request serves."""
        return ""


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
