"""An HTTP server that breaks connections on demand, and a journal of its requests."""

import socket
import struct
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self

from cli.http_server.messages import Request, Response, api_error

_POLL_SECONDS = 0.02
_HOST = "127.0.0.1"
_HOSTS = {_HOST, "localhost"}
_LARGEST_REQUEST = 1_000_000
_NO_LINGER = struct.pack("ii", 1, 0)  # makes closing a reset


class Application(Protocol):
    """Answers what is asked of a server."""

    def request(self, method: str, target: str, headers: Message, body: bytes) -> Request:
        """Return a request of the application's kind."""

    def answer(self, request: Any) -> Response:  # noqa: ANN401 - one that it made
        """Answer a request; safe to call from many threads."""

    def now(self) -> datetime:
        """Return the time by its clock."""


class Server(ThreadingHTTPServer):
    """An application on the loopback interface; a context manager that starts and stops it.

    Attributes:
        journal: Every request so far, with its secrets.
        stopping: Set when the server stops; ends stalled and long answers.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, application: Application, port: int = 0) -> None:
        """Bind the port, or a free one when it is 0.

        Raises:
            OSError: The port is taken.
        """
        super().__init__((_HOST, port), _Handler)
        self.application = application
        self.journal: list[Request] = []
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """Base URL of all calls."""
        return f"http://{_HOST}:{self.server_port}"

    def stop(self) -> None:
        """Stop the server and close all connections."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def requests(self, call: str) -> list[Request]:
        """Return the requests of one kind so far."""
        return [request for request in tuple(self.journal) if request.call == call]

    def answer(self, request: Request) -> Response:
        """Answer a request and write it into the journal."""
        response = self.application.answer(request)
        self.journal.append(request)
        return response

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(_POLL_SECONDS,), name="http-server", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Remember the connection."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:  # noqa: ANN401 - as inherited
        """Forget the connection."""
        self._connections.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Ignore clients that disconnect."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Log nothing: requests are in the journal."""

    def _serve(self) -> None:
        host = self.headers.get("Host", "").rpartition(":")[0]
        if host not in _HOSTS or "Origin" in self.headers:
            self.close_connection = True
            self._send(api_error(403, "The simulator answers programs of this machine, no web pages."))
            return
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LARGEST_REQUEST:
            self.close_connection = True
            self._send(api_error(413, "The request is too large."))
            return
        application, body = self.server.application, self.rfile.read(int(length))
        self._send(self.server.answer(application.request(self.command, self.path, self.headers, body)))

    do_GET = do_HEAD = do_POST = _serve  # noqa: N815 - as the base class has it

    def _send(self, response: Response) -> None:
        if response.stall:
            self.server.stopping.wait(response.stall)
        if response.reset and response.cut_at is None:
            self._reset()
            return
        if response.raw is not None:
            self.close_connection = True
            self._send_pieces(response, response.raw, sys.maxsize)
            return
        self._send_head(response)
        if self.command != "HEAD":
            self._send_body(response)
        if response.reset:
            self._reset()

    def _send_head(self, response: Response) -> None:
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string(self.server.application.now().timestamp()))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.is_sized:
            self.send_header("Content-Length", str(response.size))
        else:
            self.send_header("Connection", "close")
        self.end_headers()

    def _send_body(self, response: Response) -> None:
        left = response.size if response.cut_at is None else response.cut_at
        self.close_connection |= left < response.size
        self._send_pieces(response, response.chunks, left)

    def _send_pieces(self, response: Response, pieces: Iterable[bytes], left: int) -> None:
        for chunk in pieces:
            if response.pause:
                self.server.stopping.wait(response.pause)
            self.wfile.write(chunk[:left])
            left -= len(chunk)
            if left <= 0 or self.server.stopping.is_set():
                return

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.close_connection = True
        self.rfile.close()  # holds the socket open otherwise
        self.connection.close()
