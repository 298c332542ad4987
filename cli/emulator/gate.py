"""The gate in front of the local cloud's emulator.

The emulator answers whoever reaches its port: a page in a browser, another user of the machine. The gate lets in what
AWS would: requests signed with a secret key, the user's own of this start, or one that the emulator gave a function.
"""

import os
import re
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ministack.core import iam_evaluator as keys
from ministack.core.iam_actions import access_denied_response
from ministack.core.responses import _account_from_sts_session as account_of_session
from ministack.core.router import detect_service

from cli.emulator.signatures import RefusedError, Request, Signature

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_LOOPBACK = re.compile(r"(?:(?:[a-z0-9._-]+\.)?localhost|127\.0\.0\.1|\[::1\])(?::\d+)?", re.IGNORECASE)
_HEALTH = ("GET", "/_ministack/health")
_ANSWERS = "/_ministack/cfn-response/"  # a custom resource's, at an address that only its function is told


class Gate:
    """The emulator, for those who may use it."""

    def __init__(self, application: Application) -> None:
        """Take what is behind the gate."""
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it in the form of its service."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        else:
            request = _request(scope)
            try:
                receive = await _admitted(request, receive)
            except RefusedError as refused:
                await _refuse(request, refused, send)
            else:
                await self._application(scope, receive, lambda message: send(_without_cors(message)))


def _request(scope: Message) -> Request:
    headers = [(name.decode("latin-1"), _text(value)) for name, value in scope["headers"]]
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    return Request(scope["method"], path.decode("latin-1"), scope["query_string"].decode("latin-1"), headers)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _admitted(request: Request, receive: Receive) -> Receive:
    """Return what gives the body of a request that may pass.

    Raises:
        RefusedError: It may not.
    """
    _check_sender(request)
    answers = request.method == "PUT" and request.path.startswith(_ANSWERS)
    if answers or (request.method, request.path) == _HEALTH:
        return receive
    signature = Signature.of(request, datetime.now(UTC))
    secret, body = secret_of(signature), b""
    if signature.needs_body:
        body, receive = await _read(receive)
    if not signature.is_made_with(secret, body):
        raise RefusedError("SignatureDoesNotMatch", "The signature is not made with the secret of this access key.")
    return receive


def _check_sender(request: Request) -> None:
    """Refuse what a web page sends, also one whose host name was made to lead to this machine."""
    if not _LOOPBACK.fullmatch(request.headers.get("host", "")):
        raise RefusedError("AccessDenied", "The local cloud answers on localhost only.")
    if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") != "none":
        raise RefusedError("AccessDenied", "The local cloud does not answer web pages.")


def secret_of(signature: Signature) -> str:
    """Return the secret of an access key: the user's own, or one that the emulator made."""
    if signature.key == os.environ["AWS_ACCESS_KEY_ID"] and not signature.token:
        return os.environ["AWS_SECRET_ACCESS_KEY"]
    if not keys.is_root_access_key(signature.key):  # more names than one: "test", every account id
        account = account_of_session(signature.key) or keys.find_iam_access_key_account(signature.key)
        found = keys.resolve_credential(signature.key, account, signature.token)
        if isinstance(found, keys.ResolvedCredential):
            return str(found.secret_access_key)
    raise RefusedError("UnrecognizedClientException", "The access key is not of this start of the local cloud.")


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """Return a request's body, and what gives it again."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    left = iter(messages)

    async def again() -> Message:
        return next(left, None) or await receive()

    return b"".join(message.get("body", b"") for message in messages), again


async def _refuse(request: Request, refused: RefusedError, send: Send) -> None:
    query = {name: [value] for name, value in request.query}
    service = detect_service(request.method, request.path, request.headers, query)
    status, answered, body = access_denied_response(
        service, "", "", str(uuid.uuid4()), error_code=refused.code, message=str(refused), headers=request.headers
    )
    lines = {**answered, "Content-Length": str(len(body)), "Connection": "close"}
    fields = [(name.encode(), value.encode()) for name, value in lines.items()]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})


def _without_cors(message: Message) -> Message:
    """Return an answer without the permission for web pages to read it."""
    if message["type"] != "http.response.start":
        return message
    kept = [field for field in message.get("headers", ()) if not field[0].lower().startswith(b"access-control-")]
    return {**message, "headers": kept}
