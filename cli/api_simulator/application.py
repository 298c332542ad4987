"""The application's API: pages of tracks, users and listen histories, and the hooks of faults; without HTTP."""

import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from enum import StrEnum
from typing import Any

from cli.api_simulator.openapi import DOCS, MAX_SIZE, document
from cli.api_simulator.population import Population, Row
from cli.http_server import messages
from cli.http_server.faults import Fault, answer_with, unchanged
from cli.http_server.messages import Response, body_response

Page = dict[str, Any]
"""A page as the API answers it; a fault may make anything of it."""

KEY_HEADER = "X-API-Key"


class Endpoint(StrEnum):
    """The endpoints with rows."""

    TRACKS = "tracks"
    USERS = "users"
    LISTEN_HISTORY = "listen_history"

    @property
    def key(self) -> str:
        """Name of the member that identifies a row."""
        return "user_id" if self is Endpoint.LISTEN_HISTORY else "id"


class Request(messages.Request):
    """A request to the application; `file` is the page asked for."""

    @property
    def call(self) -> Endpoint | None:
        """The endpoint; None for anything else."""
        return next((each for each in Endpoint if self.path == f"/{each}"), None)

    @property
    def file(self) -> str:
        """The page asked for."""
        return self.query.get("page", "1") if self.call else ""


@dataclass(frozen=True)
class Rows:
    """The rows of an endpoint: how many, the id of each by its position, and the row of an id."""

    total: int
    id_at: Callable[[int], int]
    make: Callable[[int], Row]
    next_id: int

    def at(self, position: int) -> Row:
        """Return a row."""
        return self.make(self.id_at(position))


@dataclass(frozen=True)
class ApiFault(Fault):
    """Something that goes wrong with the API: further hooks, each of which changes nothing unless it is given.

    Attributes:
        number: Changes the number of the page whose rows are given.
        size: Changes the size of pages.
        rows: Changes the rows of an endpoint.
        page: Changes a page.
        key: Changes the key that is accepted.
    """

    number: Callable[[Request, int], int] = unchanged
    size: Callable[[Request, int], int] = unchanged
    rows: Callable[[Request, Rows], Rows] = unchanged
    page: Callable[[Request, Any], Any] = unchanged
    key: Callable[[Request, str], str] = unchanged


@dataclass
class Application:
    """Answers requests; safe to use from many threads. Its population and faults can be replaced at any time.

    Every request must have the `key` in its header X-API-Key, unless it is empty.
    """

    population: Population = field(default_factory=Population)
    faults: Sequence[Fault] = ()
    key: str = ""

    def request(self, method: str, target: str, headers: Message, body: bytes) -> Request:
        """Return a request to the application."""
        return Request(method, target, headers, body)

    def answer(self, request: Request) -> Response:
        """Answer a request, changed by the faults."""
        return answer_with(self.faults, self, request, self._answer)

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)

    def rows(self, endpoint: Endpoint) -> Rows:
        """Return the rows of an endpoint."""
        people, make = (
            self.population,
            {
                Endpoint.TRACKS: self.population.track,
                Endpoint.USERS: self.population.user,
                Endpoint.LISTEN_HISTORY: self.population.history,
            },
        )
        ids = people.track_ids if endpoint is Endpoint.TRACKS else people.user_ids
        return Rows(len(ids), ids.__getitem__, make[endpoint], ids.stop)

    @property
    def own_faults(self) -> list[ApiFault]:
        """The faults with hooks into the API's work."""
        return [fault for fault in self.faults if isinstance(fault, ApiFault)]

    def _answer(self, request: Request) -> Response:
        if request.call is None and request.path not in {"/openapi.json", "/docs"}:
            return _json({"detail": "Not Found"}, 404)
        if request.method != "GET":
            return _json({"detail": "Method Not Allowed"}, 405, Allow="GET")
        if request.path == "/docs":
            return body_response(200, DOCS.encode(), "text/html; charset=utf-8")
        if request.call is None:
            return _json(document())
        key = self.key
        for fault in self.own_faults:
            key = fault.key(request, key)
        if not hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode() if key else b"", key.encode()):
            return _json({"detail": "Not authenticated"}, 401)
        errors = [error for name in ("page", "size") if (error := _error(name, request.query.get(name)))]
        return _json({"detail": errors}, 422) if errors else _json(self._page(request, request.call))

    def _page(self, request: Request, endpoint: Endpoint) -> Page:
        number, size, rows = int(request.file), int(request.query.get("size", MAX_SIZE)), self.rows(endpoint)
        shown = number
        for fault in self.own_faults:
            number, size, rows = fault.number(request, number), fault.size(request, size), fault.rows(request, rows)
        first = (number - 1) * size
        items = [rows.at(position) for position in range(first, min(first + size, rows.total))]
        page: Page = {"items": items, "total": rows.total, "page": shown, "size": size, "pages": -(-rows.total // size)}
        for fault in self.own_faults:
            page = fault.page(request, page)
        return page


def _json(document: Any, status: int = 200, **headers: str) -> Response:  # noqa: ANN401 - any JSON value
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")
    return body_response(status, body, "application/json", **headers)


def _error(name: str, text: str | None) -> dict[str, Any] | None:
    """Return what is wrong with a parameter, as FastAPI says it."""
    error: dict[str, Any] = {"loc": ["query", name], "input": text}
    try:
        number = int(text or ("" if text is not None else "1"))
    except ValueError:
        message = "Input should be a valid integer, unable to parse string as an integer"
        return {"type": "int_parsing", **error, "msg": message}
    if number < 1:
        message = "Input should be greater than or equal to 1"
        return {"type": "greater_than_equal", **error, "msg": message, "ctx": {"ge": 1}}
    if name == "size" and number > MAX_SIZE:
        message = f"Input should be less than or equal to {MAX_SIZE}"
        return {"type": "less_than_equal", **error, "msg": message, "ctx": {"le": MAX_SIZE}}
    return None
