"""The local cloud's emulator behind its gate, with an account of what functions ask of it.

Queues hand a function as many messages as it is to have, as on AWS, where the emulator by itself stops at ten.
`GET /_bench/usage` answers the account so far. Requests by hand are left out: their access key is the user's, a
function has its role's. DynamoDB's units are counted by its rules, from the items in requests and the bytes of answers.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ministack import app as emulator
from ministack.services import sqs

from cli.emulator.gate import Message, Receive, Send
from cli.emulator.launch import run

USAGE = "/_bench/usage"
_CREDENTIAL = re.compile(rb"Credential=([^/]+)/\d+/[^/]+/([^/]+)/")
_BY_HAND = os.environ.get("AWS_ACCESS_KEY_ID", "").encode()
_WRITE_UNIT, _READ_UNIT = 1024, 4096
_NUMBER = 21  # bytes at most; what an item weighs is rounded up anyway

usage: Counter[str] = Counter()
answer = emulator.app
receive_some = sqs._receive_messages_for_esm


def receive_all(queue: str, most: int) -> list[dict[str, Any]]:
    """Receive as many messages as there are, by some at a time."""
    received: list[dict[str, Any]] = []
    while len(received) < most and (some := receive_some(queue, most - len(received))):
        received += some
    return received


async def counted(scope: Message, receive: Receive, send: Send) -> None:
    """Answer a request, and take it down."""
    if scope.get("path") == USAGE:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(usage).encode()})
        return
    found = _CREDENTIAL.search(dict(scope.get("headers", ())).get(b"authorization", b""))
    if not found or found[1] == _BY_HAND:
        await answer(scope, receive, send)
        return
    asked, answered = bytearray(), bytearray()

    async def receiving() -> Message:
        message = await receive()
        asked.extend(message.get("body", b""))
        return message

    async def sending(message: Message) -> None:
        answered.extend(message.get("body", b""))
        await send(message)

    keeps = found[2] == b"dynamodb"
    await answer(scope, receiving if keeps else receive, sending if keeps else send)
    usage.update(
        _of_dynamodb(scope, bytes(asked), len(answered)) if keeps else {f"{found[2].decode()} {_operation(scope)}": 1}
    )


def _operation(scope: Message) -> str:
    headers = dict(scope["headers"])
    if target := headers.get(b"x-amz-target"):
        return str(target.decode().rpartition(".")[2])
    listing = b"list-type" in scope["query_string"]
    return "LIST" if listing else str(scope["method"])


def _of_dynamodb(scope: Message, asked: bytes, answered: int) -> dict[str, float]:
    operation, request = _operation(scope), json.loads(asked)
    write = sum(_units(item, _WRITE_UNIT) for item in _written(operation, request))
    read = sum(_read(operation, request, answered))
    return {
        f"dynamodb {operation}": 1,
        "write units": write * (2 if operation.startswith("Transact") else 1),
        "read units": read,
    }


def _written(operation: str, request: Any) -> Iterator[Any]:
    """Yield what each write writes, an empty item for one that is removed."""
    match operation:
        case "TransactWriteItems":
            yield from (next(iter(action.values())).get("Item", {}) for action in request["TransactItems"])
        case "BatchWriteItem":
            actions = (action for actions in request["RequestItems"].values() for action in actions)
            yield from (action.get("PutRequest", {}).get("Item", {}) for action in actions)
        case "PutItem" | "UpdateItem" | "DeleteItem":
            yield request.get("Item", {})


def _read(operation: str, request: Any, answered: int) -> Iterator[float]:
    match operation:
        case "BatchGetItem":
            for wanted in request["RequestItems"].values():
                yield len(wanted["Keys"]) * _share(wanted)
        case "GetItem":
            yield _share(request)
        case "Query" | "Scan":
            yield -(-answered // _READ_UNIT) * _share(request)


def _share(request: Any) -> float:
    return 1 if request.get("ConsistentRead") else 0.5


def _units(item: Any, unit: int) -> int:
    return max(1, -(-_members(item) // unit))


def _members(item: Any) -> int:
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Any) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "M":
            return 3 + len(held) + _members(held)
        case "L":
            return 3 + len(held) + sum(map(_size, held))
        case "S" | "B":
            return len(held.encode())
        case "N":
            return min(_NUMBER, len(held) // 2 + 2)
        case _:
            return 1


if __name__ == "__main__":
    sqs._receive_messages_for_esm = receive_all
    run(counted)
