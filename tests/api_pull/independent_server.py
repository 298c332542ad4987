"""A server that shares nothing with the simulator: 1,000 tracks, users and histories of 5, as the API's facts say."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

MOMENTS = {"created_at": "2024-01-31T08:09:10", "updated_at": "2023-12-24T00:00:00.5"}
TRACK = dict.fromkeys(("name", "artist", "songwriters", "genres", "album"), 'Été, "live"') | {"duration": "59:01"}
USER = dict.fromkeys(("first_name", "last_name", "gender", "favorite_genres"), "x") | {"email": "a@b.c"}
SETS: dict[str, list[dict[str, Any]]] = {
    "tracks": [{"id": number, **TRACK, **MOMENTS} for number in range(1, 1001)],
    "users": [{"id": number, **USER, **MOMENTS} for number in range(1, 1001)],
    "listen_history": [
        {"user_id": user, "items": [1 + (user * step) % 1000 for step in (1, 3, 7, 9, 11)], **MOMENTS}
        for user in range(1, 1001)
    ],
}


class _Api(BaseHTTPRequestHandler):
    """The application's API, as its facts describe it."""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        found = SETS.get(asked.path.strip("/"))
        query = {name: int(values[-1]) for name, values in parse_qs(asked.query).items()}
        page, size = query.get("page", 1), query.get("size", 100)
        status, document = 404, dict[str, Any](detail="Not Found")
        if found is not None:
            begin, pages = (page - 1) * size, (len(found) + size - 1) // size
            status = 200
            document = {
                "items": found[begin : begin + size],
                "total": len(found),
                "page": page,
                "size": size,
                "pages": pages,
            }
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def independent_server() -> Iterator[str]:
    """Serve the sets at an address of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Api) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
