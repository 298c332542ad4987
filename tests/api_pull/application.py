"""The music application as its facts say it is, its rows in memory, and what a test lets happen to them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from sluice.api_pull.source_http import HttpSource
from sluice.http.json_http import JsonClient
from tests.support.scripted_server import Answer, ScriptedServer, said

Row = dict[str, Any]
TIMES = {"created_at": "2024-02-29T10:00:00", "updated_at": "2024-02-29T11:30:00.250000"}


def track(id_: object, **members: object) -> Row:
    texts = {name: f"{name} {id_}" for name in ("name", "artist", "songwriters", "genres", "album")}
    return {"id": id_, **texts, "duration": "03:25", **TIMES, **members}


def user(id_: object, **members: object) -> Row:
    texts = {name: f"{name} {id_}" for name in ("first_name", "last_name", "email", "gender", "favorite_genres")}
    return {"id": id_, **texts, **TIMES, **members}


def listens(user_id: object, *items: object, **members: object) -> Row:
    return {"user_id": user_id, "items": [*items], **TIMES, **members}


@dataclass
class Application:
    """The API; `before` is called with endpoint and page before a page is made, and may answer instead."""

    tracks: list[Any] = field(default_factory=lambda: [track(each) for each in range(1, 251)])
    users: list[Any] = field(default_factory=lambda: [user(each) for each in range(1, 121)])
    listen_history: list[Any] = field(
        default_factory=lambda: [listens(each, *range(each, each + 5)) for each in range(1, 121)]
    )
    before: Callable[[str, int], Answer | None] = lambda _endpoint, _page: None
    asked: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> Answer:
        return self.answer(str(request.url))

    def answer(self, url: str) -> Answer:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        endpoint, page, size = parts.path[1:], int(query.get("page", ["1"])[0]), int(query.get("size", ["100"])[0])
        self.asked.append((endpoint, page))
        answer = self.before(endpoint, page)
        if answer is None and endpoint in {"tracks", "users", "listen_history"}:
            answer = said(200, self.page(endpoint, page, size))
        return answer if answer is not None else said(404, {"detail": "Not Found"})

    def page(self, endpoint: str, page: int, size: int = 100) -> dict[str, Any]:
        rows: list[Any] = getattr(self, endpoint)
        items = rows[(page - 1) * size : page * size]
        return {"items": items, "total": len(rows), "page": page, "size": size, "pages": -(-len(rows) // size)}

    def server(self) -> ScriptedServer:
        return _Server(self)

    def source(self) -> HttpSource:
        return HttpSource(JsonClient(self.server().sender(), "http://application"))


class _Server(ScriptedServer):
    def __init__(self, application: Application) -> None:
        super().__init__()
        self._application = application

    def answer(self, _request: httpx.Request) -> Answer:
        return self._application(_request)


def once(happen: Callable[[], object], endpoint: str, page: int) -> Callable[[str, int], Answer | None]:
    """Return what lets something happen before a page is asked for the first time."""
    left = [happen]

    def before(asked: str, number: int) -> Answer | None:
        if (asked, number) == (endpoint, page) and left:
            left.pop()()
        return None

    return before


def always(answers: Iterable[tuple[tuple[str, int], Answer]]) -> Callable[[str, int], Answer | None]:
    """Return what gives an answer to some pages whenever they are asked for."""
    by_page = dict(answers)
    return lambda endpoint, page: by_page.get((endpoint, page))
