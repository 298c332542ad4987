"""API Gateway's HTTP API before a function, as a WSGI application: a request becomes an event of payload format 2.0."""

import base64
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, quote

from tests.support.lambda_context import Context

AUTHORISED = "by whatever it takes"
"""What API Gateway is told by who may call."""

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def event_of(method: str, path: str, query: str = "", headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the event of a request: values of one name are joined by commas."""
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers or {},
        **({"queryStringParameters": joined} if joined else {}),
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default", "requestId": "1"},
        "isBase64Encoded": False,
    }


def as_wsgi(handler: Handler) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return the application of a function."""

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/-._~!$&'()*+,;=:@")
        headers = {name[5:].lower().replace("_", "-"): each for name, each in environ.items() if name[:5] == "HTTP_"}
        if path != "/openapi.json" and headers.get("authorization") != AUTHORISED:
            start("401 ", [("Content-Type", "application/json")])
            return [b'{"message":"Unauthorized"}']
        answer = handler(event_of(environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], headers), Context())
        body = answer["body"].encode() if not answer["isBase64Encoded"] else base64.b64decode(answer["body"])
        start(f"{answer['statusCode']} ", [*answer["headers"].items(), ("Content-Length", str(len(body)))])
        return [body]

    return application
