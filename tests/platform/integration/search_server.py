"""A search cluster for tests: an HTTP server that answers as OpenSearch and its Dashboards do, faults included."""

import fnmatch
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sluice.search.indices import index_template

Json = dict[str, Any]
Fault = Callable[["_Handler"], None]

BOARDS = "/_dashboards"
IMPORT = f"{BOARDS}/api/saved_objects/_import"


@dataclass
class SearchServer:
    """The cluster's documents, its requests so far, and the errors of the next requests."""

    templates: dict[str, Json] = field(default_factory=dict)
    indices: dict[str, Json] = field(default_factory=dict)
    documents: dict[str, dict[str, Json]] = field(default_factory=dict)
    objects: dict[tuple[str, str], Json] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    signatures: set[str] = field(default_factory=set)
    bulks: list[int] = field(default_factory=list)
    """Documents of every bulk request that was read."""
    faults: list[Fault] = field(default_factory=list)
    """Errors that answer the next bulk requests, one each."""
    put_off: list[int] = field(default_factory=list)
    """Statuses for the second document of the next bulk requests, one each."""
    refusals: int = 0
    """Requests that are refused before any is understood."""
    max_bytes: int = 10 * 1024 * 1024
    url: str = ""

    @property
    def boards_url(self) -> str:
        return self.url + BOARDS

    def all_documents(self, alias: str) -> dict[str, Json]:
        """Every document behind an alias by id; the same id in two indices would be a mistake."""
        found: dict[str, Json] = {}
        for name, index in self.indices.items():
            if alias in index["aliases"]:
                assert not found.keys() & self.documents[name].keys()
                found.update(self.documents[name])
        return found

    def make_index(self, name: str) -> None:
        index: Json = {"aliases": {}, "mappings": {"properties": {}}}
        for template in self.templates.values():
            if any(fnmatch.fnmatch(name, pattern) for pattern in template["index_patterns"]):
                index |= json.loads(json.dumps(template["template"]))
        self.indices[name] = index
        self.documents[name] = {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster: SearchServer

    def log_message(self, *_arguments: Any) -> None:
        """Keep quiet."""

    def answer(self, status: int, body: Any, kind: str = "application/json") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status: int, kind: str) -> None:
        error = {"type": kind, "reason": "it says why", "root_cause": [{"type": kind, "reason": "it says why"}]}
        self.answer(status, {"error": error, "status": status})

    def _route(self) -> None:
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.cluster.requests.append(f"{self.command} {path}")
        self.cluster.signatures.add(self.headers.get("authorization", "")[:80])
        if self.cluster.refusals:
            self.cluster.refusals -= 1
            self.refuse(403, "security_exception")
        elif path == "/_bulk":
            self._bulk(body)
        elif path == IMPORT:
            self._import(body)
        elif path.startswith("/_index_template/"):
            self.cluster.templates[path.rpartition("/")[2]] = json.loads(body)
            self.answer(200, {"acknowledged": True})
        else:
            self._index(path.strip("/"), body)

    do_GET = do_PUT = do_POST = do_DELETE = _route  # noqa: N815

    def _bulk(self, body: bytes) -> None:
        if self.cluster.faults:
            self.cluster.faults.pop(0)(self)
            return
        if len(body) > self.cluster.max_bytes:
            self.answer(413, b'{"message": "Request size exceeded"}')
            return
        assert body.endswith(b"\n"), "the bulk API wants a newline at the end"
        lines = [json.loads(line) for line in body.splitlines()]
        pairs = list(zip(lines[::2], lines[1::2], strict=True))
        self.cluster.bulks.append(len(pairs))
        items = [self._store(action["index"], source) for action, source in pairs]
        if self.cluster.put_off:
            self._put_off(pairs, items, self.cluster.put_off.pop(0))
        errors = any("error" in item["index"] for item in items)
        self.answer(200, {"took": 1, "errors": errors, "items": items})

    def _put_off(self, pairs: list[tuple[Json, Json]], items: list[Json], status: int) -> None:
        action = pairs[1][0]["index"]
        del self.cluster.documents[action["_index"]][action["_id"]]
        kind = "rejected_execution_exception"
        items[1] = {"index": {**action, "status": status, "error": {"type": kind, "reason": "no room"}}}

    def _store(self, action: Json, source: Json) -> Json:
        name, id_ = action["_index"], action["_id"]
        if name not in self.cluster.indices:
            self.cluster.make_index(name)
        wrong = _wrong_member(self.cluster.indices[name]["mappings"]["properties"], source)
        if wrong:
            reason = f"failed to parse field [{wrong}]. Preview of field's value: '{source[wrong]}'"
            return {"index": {**action, "status": 400, "error": {"type": "mapper_parsing_exception", "reason": reason}}}
        created = id_ not in self.cluster.documents[name]
        self.cluster.documents[name][id_] = source
        return {"index": {**action, "result": "created" if created else "updated", "status": 201 if created else 200}}

    def _import(self, body: bytes) -> None:
        boundary = self.headers["content-type"].partition("boundary=")[2].encode()
        (part,) = body.split(b"--" + boundary)[1:-1]
        lines = part.partition(b"\r\n\r\n")[2].strip().splitlines()
        if self.headers.get("osd-xsrf") != "true" or parse_qs(urlsplit(self.path).query) != {"overwrite": ["true"]}:
            self.answer(400, {"statusCode": 400, "error": "Bad Request", "message": "Request must contain osd-xsrf"})
            return
        objects = {(each["type"], each["id"]): each for each in map(json.loads, lines)}
        known = objects.keys() | self.cluster.objects.keys()
        wanted = {(ref["type"], ref["id"]) for each in objects.values() for ref in each["references"]}
        errors = [{"id": id_, "type": kind, "error": {"type": "missing_references"}} for kind, id_ in wanted - known]
        if not errors:
            self.cluster.objects.update(objects)
        answer = {"successCount": len(objects), "success": not errors}
        self.answer(200, {**answer, "errors": errors} if errors else answer)

    def _index(self, name: str, body: bytes) -> None:
        name, _, part = name.partition("/")
        there = sorted(fnmatch.filter(self.cluster.indices, name))
        match self.command, part:
            case "GET", "" if there or "*" in name:
                self.answer(200, {each: self.cluster.indices[each] for each in there})
            case "PUT", "_mapping" if there:
                self.cluster.indices[name]["mappings"]["properties"].update(json.loads(body)["properties"])
                self.answer(200, {"acknowledged": True})
            case "PUT", "" if there:
                self.refuse(400, "resource_already_exists_exception")
            case "PUT", "":
                self.cluster.make_index(name)
                self.answer(200, {"acknowledged": True, "index": name})
            case "DELETE", "" if there:
                del self.cluster.indices[name], self.cluster.documents[name]
                self.answer(200, {"acknowledged": True})
            case _:
                self.refuse(404, "index_not_found_exception")


def _wrong_member(properties: Json, source: Json) -> str:
    booleans = (name for name in source if properties.get(name, {}).get("type") == "boolean")
    return next((name for name in booleans if not isinstance(source[name], bool)), "")


# Faults


def status(code: int, kind: str = "fault", content: str = "application/json") -> Fault:
    """Answer with a status and no items."""
    if content == "application/json":
        return lambda handler: handler.refuse(code, kind)
    return lambda handler: handler.answer(code, b"<html>sorry</html>", content)


def answered(body: Any) -> Fault:
    """Answer 200 with something else than the bulk API would."""
    return lambda handler: handler.answer(200, body)


def reset(handler: _Handler) -> None:
    """Break the connection."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


def cut(handler: _Handler) -> None:
    """Break the connection in the middle of the answer."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"took": 1, ')
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def hang(handler: _Handler) -> None:
    """Send nothing for longer than these tests wait."""
    time.sleep(1)
    handler.close_connection = True


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Ignore clients that are gone."""


@contextmanager
def search_server(*aliases: str) -> Iterator[SearchServer]:
    """Run a cluster without documents, with templates for these aliases, on the loopback interface."""
    cluster = SearchServer({alias: index_template(alias) for alias in aliases})
    handler = type("Handler", (_Handler,), {"cluster": cluster})
    server = _Server(("127.0.0.1", 0), handler)
    cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
