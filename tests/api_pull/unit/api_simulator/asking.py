"""Asks the simulated application without HTTP."""

import json
from collections.abc import Sequence
from email.message import Message
from typing import Any

from cli.api_simulator.application import Application, Request
from cli.api_simulator.fault_catalogue import fault_named
from cli.api_simulator.population import Population
from cli.http_server.messages import Response

SMALL = Population(tracks=310, users=310, listens=5)


def application(*faults: str, population: Population = SMALL, key: str = "") -> Application:
    return Application(population, [fault_named(name) for name in faults], key)


def answer(asked: Application, target: str, method: str = "GET", **headers: str) -> Response:
    sent = Message()
    for name, value in headers.items():
        sent[name.replace("_", "-")] = value
    return asked.answer(Request(method, target, sent))


def document(response: Response) -> Any:
    return json.loads(b"".join(response.chunks))


def page(asked: Application, endpoint: str, number: int = 1, size: int = 100) -> Any:
    return document(answer(asked, f"/{endpoint}?page={number}&size={size}"))


def ids(asked: Application, endpoint: str, numbers: Sequence[int] = (1, 2, 3, 4, 5)) -> list[int]:
    """Return the keys of the rows of some pages."""
    key = "user_id" if endpoint == "listen_history" else "id"
    return [row[key] for number in numbers for row in page(asked, endpoint, number)["items"]]
