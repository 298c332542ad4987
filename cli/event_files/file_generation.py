"""Event files as a delivery stream writes them: deterministic, realistic, and with every flaw that occurs."""

import copy
import gzip
import random
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from cli.contracts.generation import generate_event, mutate_event
from sluice.contracts.family import value_at
from sluice.contracts.model import Contract, Registry
from sluice.event_files.ledger.model import Counts, Reason

START = datetime(2024, 5, 14, 6, tzinfo=UTC)
STREAM = "ef-demo-stream-1"
_FILES_PER_HOUR = 10
_MOST_HOURS = 24
_SEPARATORS = (b"", b"", b"", b"\n", b"\r\n")
_GZIP_SHARE = 0.2
_JUDGED_SHARE = 0.6  # of evaluations
_REPEAT_EVERY = 8  # files; one of them repeats an event of the file before it: delivery is at least once
_NO_EVENTS = {Reason.FRAGMENT, Reason.INVALID_JSON, Reason.NOT_AN_EVENT}
_CLEAN, _UNRELATED = "clean", "unrelated"

Event = dict[str, Any]
Predicted = dict[tuple[str, ...], list[str]]
"""Ids of the predictions made so far, by the names of their service."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a file: an event, or what is none.

    Attributes:
        table: The table of a clean event, or of one that breaks the table's rules; else None.
        reason: The reason for which it must be dirty; None when it must not.
        media: Keys of media objects it refers to.
    """

    raw: bytes
    table: str | None = None
    reason: Reason | None = None
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventFile:
    """A generated event file, the counts that validation must give, and the keys of media its events refer to."""

    name: str
    body: bytes
    counts: Counts
    media: tuple[str, ...]


def event_files(registry: Registry, files: int, events: int, seed: int) -> Iterator[EventFile]:
    """Generate `files` files with about `events` events in all; the same arguments give the same files."""
    hours = min(_MOST_HOURS, -(-files // _FILES_PER_HOUR))
    span = timedelta(hours=hours) / files
    families = [each for each in registry.families if any(one.family is each for one in registry.contracts)]
    last: Piece | None = None
    for index in range(files):
        rng = random.Random(f"{seed}/{index}")  # noqa: S311 - a seed makes the files repeatable
        family = rng.choice(families)  # a stream belongs to one system
        contracts = tuple(contract for contract in registry.contracts if contract.family is family)
        pieces = _pieces(contracts, START + index * span, span, _share(events, files, index), rng)
        if last and index % _REPEAT_EVERY == _REPEAT_EVERY - 1:
            pieces.append(last)
        last = next((piece for piece in pieces if piece.table and not piece.reason), None)
        yield _file(START + index * span, pieces, rng)


def _share(total: int, parts: int, index: int) -> int:
    return (index + 1) * total // parts - index * total // parts


def _pieces(
    contracts: tuple[Contract, ...], start: datetime, span: timedelta, count: int, rng: random.Random
) -> list[Piece]:
    moments = sorted(start + span * rng.random() for _ in range(count))
    predicted: Predicted = {}
    pieces: list[Piece] = []
    for at in moments:
        piece = _piece(contracts, at, predicted, rng)
        # A fragment ends where the next event begins; without one it would swallow what follows.
        if not (pieces and pieces[-1].reason == Reason.FRAGMENT and piece.reason in _NO_EVENTS):
            pieces.append(piece)
    return pieces


def _file(start: datetime, pieces: list[Piece], rng: random.Random) -> EventFile:
    name = f"{STREAM}-{start:%Y-%m-%d-%H-%M-%S}-{uuid.UUID(int=rng.getrandbits(128), version=4)}"
    body = rng.choice(_SEPARATORS).join(piece.raw for piece in pieces)
    if rng.random() < _GZIP_SHARE:
        # The stream compresses without renaming; no time stamp, so that the bytes are the same every time.
        body = gzip.compress(body, mtime=0)
    media = tuple(dict.fromkeys(key for piece in pieces for key in piece.media))
    return EventFile(name, body, _counts(pieces), media)


def _counts(pieces: list[Piece]) -> Counts:
    counts = Counts(events=len(pieces))
    for piece in pieces:
        if piece.reason:
            counts.dirty[piece.table or "-", piece.reason] += 1
        elif piece.table:
            counts.clean[piece.table] += 1
        else:
            counts.unrelated += 1
    return counts


_FREQUENCIES: Mapping[Reason | str, int] = {
    _CLEAN: 860,
    Reason.RULE_BROKEN: 70,
    Reason.NO_CONTRACT: 20,
    _UNRELATED: 20,
    Reason.NO_IDENTIFIER: 10,
    Reason.FRAGMENT: 10,
    Reason.NOT_AN_EVENT: 5,
    Reason.INVALID_JSON: 5,
}
"""Frequency of each kind of piece, in thousandths."""


def _piece(contracts: tuple[Contract, ...], at: datetime, predicted: Predicted, rng: random.Random) -> Piece:
    (kind,) = rng.choices(list(_FREQUENCIES), list(_FREQUENCIES.values()))
    contract = rng.choice(contracts)
    event = generate_event(contract, rng, at)
    _refer_to_prediction(contract, event, predicted, rng)
    if kind == _CLEAN:
        return Piece(orjson.dumps(event), contract.table, media=_media_of(contract, event))
    if kind == _UNRELATED:
        return Piece(orjson.dumps(event | {"source": rng.choice(("app.billing", "aws.health"))}))
    reason = Reason(kind)
    return Piece(_dirty(reason, contract, event, rng), contract.table if reason == Reason.RULE_BROKEN else None, reason)


def _dirty(reason: Reason, contract: Contract, event: Event, rng: random.Random) -> bytes:
    """Return bytes made of a clean event that are dirty for this reason."""
    raw = orjson.dumps(event)
    match reason:
        case Reason.RULE_BROKEN:
            return orjson.dumps(mutate_event(contract, event, rng)[0])
        case Reason.NO_CONTRACT:
            return orjson.dumps(_renamed(contract, event, "microfour"))
        case Reason.NO_IDENTIFIER:
            return orjson.dumps(_renamed(contract, event, None))
        case Reason.NOT_AN_EVENT:
            return orjson.dumps({"heartbeat": event["time"]})
        case Reason.INVALID_JSON:
            return raw[:-1] + b',"confidence":NaN}'
    # A fragment is cut inside the envelope's plain members: what is left holds no whole object.
    return raw[: rng.randrange(20, raw.index(b'"detail":'))]


def _refer_to_prediction(contract: Contract, event: Event, predicted: Predicted, rng: random.Random) -> None:
    """Let most evaluations judge a prediction that was made before, so that the tables can be joined."""
    ids = predicted.setdefault(contract.services, [])
    if contract.kind == "PRED":
        ids.append(str(value_at(event, contract.family.id)))
        return
    body = value_at(event, contract.body)
    if ids and isinstance(body.get("prediction_id"), str) and rng.random() < _JUDGED_SHARE:
        body["prediction_id"] = rng.choice(ids)


def _renamed(contract: Contract, event: Event, service: str | None) -> Event:
    """Return the event with another service, or none, wherever it may name one."""
    changed = copy.deepcopy(event)
    for place in contract.places if service is None else contract.places[:1]:
        value_at(changed, place.path[:-1])[place.path[-1]] = service
    return changed


def _media_of(contract: Contract, event: Event) -> tuple[str, ...]:
    """Return the key of the media object that an event refers to, for tables that look media up."""
    for correction in contract.corrections:
        if correction.rule == "media_uri":
            payload = event
            for name in correction.member:
                payload = payload.get(name) or {}
            if payload.get("media_id") and payload.get("medialib"):
                return (f"demo/{payload['medialib']}/{payload['media_id']}.jpg",)
    return ()
