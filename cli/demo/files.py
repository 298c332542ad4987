"""Event files as a delivery stream writes them: deterministic, realistic, and with every flaw that occurs."""

from __future__ import annotations

import gzip
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cli.demo.pieces import Piece, Predicted, make_piece
from sluice.contracts.model import Contract, Registry
from sluice.event_files.ledger.model import Counts
from sluice.event_files.validate.reasons import Reason

START = datetime(2024, 5, 14, 6, tzinfo=UTC)
STREAM = "ef-demo-stream-1"
_FILES_PER_HOUR = 10
_MOST_HOURS = 24
_SEPARATORS = (b"", b"", b"", b"\n", b"\r\n")
_GZIP_SHARE = 0.2
# Delivery is at least once: every so many files, one repeats an event of the file before it.
_REPEAT_EVERY = 8


@dataclass(frozen=True, slots=True)
class EventFile:
    """A made-up event file.

    Attributes:
        name: Its name, as a delivery stream would choose it.
        body: Its bytes, some files' compressed.
        counts: What the pipeline has to make of it.
        media: Keys of media objects its events refer to.
    """

    name: str
    body: bytes
    counts: Counts
    media: tuple[str, ...]


def event_files(registry: Registry, files: int, events: int, seed: int) -> Iterator[EventFile]:
    """Make up `files` files with about `events` events in all; the same arguments give the same files."""
    hours = min(_MOST_HOURS, -(-files // _FILES_PER_HOUR))
    span = timedelta(hours=hours) / files
    last: Piece | None = None
    for index in range(files):
        rng = random.Random(f"{seed}/{index}")  # noqa: S311 - a seed makes the files repeatable
        pieces = _pieces(_producer(registry, rng), START + index * span, span, _share(events, files, index), rng)
        if last and index % _REPEAT_EVERY == _REPEAT_EVERY - 1:
            pieces.append(last)
        last = next((piece for piece in pieces if piece.table and not piece.reason), None)
        yield _file(_name(START + index * span, rng), pieces, rng)


def _share(total: int, parts: int, index: int) -> int:
    return (index + 1) * total // parts - index * total // parts


def _producer(registry: Registry, rng: random.Random) -> tuple[Contract, ...]:
    """The contracts of one family: a stream belongs to one system."""
    family = rng.choice(registry.families).name
    return tuple(contract for contract in registry.contracts if contract.family == family)


def _pieces(
    contracts: tuple[Contract, ...], start: datetime, span: timedelta, count: int, rng: random.Random
) -> list[Piece]:
    moments = sorted(start + span * rng.random() for _ in range(count))
    predicted: Predicted = {}
    pieces: list[Piece] = []
    for at in moments:
        piece = make_piece(contracts, at, predicted, rng)
        # A fragment ends where the next event begins; without one it would swallow what follows.
        if not (pieces and pieces[-1].reason == Reason.FRAGMENT and _is_no_event(piece)):
            pieces.append(piece)
    return pieces


def _is_no_event(piece: Piece) -> bool:
    return piece.reason in {Reason.FRAGMENT, Reason.INVALID_JSON, Reason.NOT_AN_EVENT}


def _name(start: datetime, rng: random.Random) -> str:
    unique = uuid.UUID(int=rng.getrandbits(128), version=4)
    return f"{STREAM}-{start:%Y-%m-%d-%H-%M-%S}-{unique}"


def _file(name: str, pieces: list[Piece], rng: random.Random) -> EventFile:
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
