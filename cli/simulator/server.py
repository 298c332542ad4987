"""The HTTP server: reads requests, writes responses, and breaks connections when asked to."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cli.simulator.exchange import Request, Response, message

_HOST = "127.0.0.1"
_LARGEST_REQUEST = 1_000_000
_NO_LINGER = struct.pack("ii", 1, 0)  # makes closing a reset

Answer = Callable[[Request], Response]


class Server(ThreadingHTTPServer):
    """Serves one function on the loopback interface."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answer: Answer, date: Callable[[], float]) -> None:
        """Bind the port, or a free one when it is 0."""
        super().__init__((_HOST, port), _Handler)
        self.answer = answer
        self.date = date
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{_HOST}:{self.server_port}"

    def stop(self) -> None:
        """End everything at once, open connections too."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Remember the connection."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:  # noqa: ANN401 - as inherited
        """Forget the connection."""
        self._connections.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Say nothing of clients that go away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Log nothing: the journal knows it all."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LARGEST_REQUEST:
            self.close_connection = True
            self._send(message(413, "The request is too large."))
            return
        request = Request(self.command, self.path, self.headers, self.rfile.read(int(length)))
        self._send(self.server.answer(request))

    do_GET = do_HEAD = do_POST = _serve  # noqa: N815 - as the base class has it

    def _send(self, response: Response) -> None:
        if response.stall:
            self.server.stopping.wait(response.stall)
        if response.reset and response.cut_at is None:
            self._reset()
            return
        self._send_head(response)
        if self.command != "HEAD":
            self._send_body(response)
        if response.reset:
            self._reset()

    def _send_head(self, response: Response) -> None:
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string(self.server.date()))
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
        for chunk in response.chunks:
            self.wfile.write(chunk[:left])
            left -= len(chunk)
            if left <= 0 or self.server.stopping.is_set():
                return

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.close_connection = True
        self.rfile.close()  # holds the socket open otherwise
        self.connection.close()
