"""Pieces of an event file: clean events, broken ones, other producers' events, and what is no event at all.

Every piece knows what the pipeline has to make of it, so that a delivery can be compared with what was delivered.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from cli.contracts.samples import spoil, synthesise
from sluice.contracts.model import BODY, Contract
from sluice.event_files.validate.reasons import Reason

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file and where they have to go.

    Attributes:
        raw: The bytes.
        table: The table of a clean event, or of one that breaks the table's rules; None when it has none.
        reason: Why it is dirty; None when it is not.
        media: Keys of media objects it refers to.
    """

    raw: bytes
    table: str | None = None
    reason: Reason | None = None
    media: tuple[str, ...] = ()


def clean(contract: Contract, event: Event, _: random.Random) -> Piece:
    """The event as it is."""
    return Piece(orjson.dumps(event), contract.table, media=_media_of(contract, event))


def rule_broken(contract: Contract, event: Event, rng: random.Random) -> Piece:
    """An event with one wrong or missing member."""
    return Piece(orjson.dumps(spoil(contract, event, rng)[0]), contract.table, Reason.RULE_BROKEN)


def no_contract(contract: Contract, event: Event, _: random.Random) -> Piece:
    """An event of a service nobody has written a contract for."""
    changed = _changed_body(contract, event, service="microfour")
    return Piece(orjson.dumps(changed), reason=Reason.NO_CONTRACT)


def no_identifier(contract: Contract, event: Event, _: random.Random) -> Piece:
    """An event that does not say which service it is from."""
    changed = _changed_body(contract, event, service=None, prediction_id=None)
    return Piece(orjson.dumps(changed), reason=Reason.NO_IDENTIFIER)


def not_an_event(_: Contract, event: Event, __: random.Random) -> Piece:
    """An object without an envelope."""
    return Piece(orjson.dumps({"heartbeat": event["time"]}), reason=Reason.NOT_AN_EVENT)


def invalid_json(_: Contract, event: Event, __: random.Random) -> Piece:
    """An event with a number that JSON does not have."""
    return Piece(orjson.dumps(event)[:-1] + b',"confidence":NaN}', reason=Reason.INVALID_JSON)


def fragment(_: Contract, event: Event, rng: random.Random) -> Piece:
    """The beginning of an event whose rest was lost."""
    raw = orjson.dumps(event)
    # Cut inside the envelope's plain members: what is left holds no whole object.
    return Piece(raw[: rng.randrange(20, raw.index(b'"detail":'))], reason=Reason.FRAGMENT)


def unrelated(_: Contract, event: Event, rng: random.Random) -> Piece:
    """Another producer's event."""
    return Piece(orjson.dumps(event | {"source": rng.choice(("app.billing", "aws.health"))}))


Maker = Callable[[Contract, Event, random.Random], Piece]

MIX: tuple[tuple[Maker, int], ...] = (
    (clean, 860),
    (rule_broken, 70),
    (no_contract, 20),
    (unrelated, 20),
    (no_identifier, 10),
    (fragment, 10),
    (not_an_event, 5),
    (invalid_json, 5),
)
"""How often each kind of piece occurs, in thousandths."""


Predicted = dict[tuple[str, ...], list[str]]
"""Ids of the predictions made so far, by the names of their service."""

_JUDGED_SHARE = 0.6


def make_piece(contracts: tuple[Contract, ...], at: datetime, predicted: Predicted, rng: random.Random) -> Piece:
    """A piece of a chance kind around an event of a chance contract."""
    (maker,) = rng.choices([maker for maker, _ in MIX], [weight for _, weight in MIX])
    contract = rng.choice(contracts)
    event = synthesise(contract, rng, at)
    _connect(contract, event, predicted, rng)
    return maker(contract, event, rng)


def _connect(contract: Contract, event: Event, predicted: Predicted, rng: random.Random) -> None:
    """Let many an evaluation judge a prediction that was made before, so that the tables can be joined."""
    ids = predicted.setdefault(contract.services, [])
    if contract.kind == "PRED":
        ids.append(event["detail"]["id"])
        return
    evaluation = event["detail"][BODY[contract.kind]]
    if ids and isinstance(evaluation.get("prediction_id"), str) and rng.random() < _JUDGED_SHARE:
        evaluation["prediction_id"] = rng.choice(ids)


def _changed_body(contract: Contract, event: Event, **members: str | None) -> Event:
    changed = copy.deepcopy(event)
    changed["detail"][BODY[contract.kind]].update(members)
    return changed


def _media_of(contract: Contract, event: Event) -> tuple[str, ...]:
    """The key of the media object an event refers to, for tables that look media up."""
    for correction in contract.corrections:
        if correction.rule == "media_uri":
            payload = _member(event, correction.member) or {}
            if payload.get("media_id") and payload.get("medialib"):
                return (f"demo/{payload['medialib']}/{payload['media_id']}.jpg",)
    return ()


def _member(event: Event, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON value
    value: Any = event
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
