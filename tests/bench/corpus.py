"""The corpus: event files as a delivery stream writes them, made from the contracts, the same for the same seed.

Each event is one of a pool of some hundred, with ids of its own, in the hour of its file. Large ones are large as real
ones are: long texts, and lists of many items. The pool is checked against its contracts, so that clean means clean and
dirty dirty.
"""

import itertools
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from cli.contracts.generation import generate_event, mutate_event
from sluice.contracts.load import load_registry
from sluice.contracts.model import Contract
from sluice.event_files.validate.rules import Rules

FAMILY = "event_files"
_BULKY = frozenset({"MICROONE_PRED", "MICROTWO_PRED", "MICROTHREE_PRED"})
_EVENTS_PER_CONTRACT = 64
_KINDS, _KIND_WEIGHTS = ("clean", "dirty", "unrelated"), (94, 5, 1)
_STYLES, _STYLE_WEIGHTS = ((b"", False), (b"\n", False), (b"\n", True)), (70, 20, 10)
_FILE_SPREAD = 1.2
_EVENT_LOG, _EVENT_SPREAD = 8.4, 0.95
_HOURS = [b"2022-04-19T%02d:" % hour for hour in range(6, 12)]
_OWN = re.compile(
    rb"([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|2022-0[345]-[0-3][0-9]T(?:[01][0-9]|2[0-3]):)"
)
_TEXTS = (
    " Measure the effectiveness of your learning programs.",
    " Employees, customers or partners retain what they learn, even months after they have learned it.",
    ' They say: "it takes hours", so you are in over your head.',
    " Typical reporting focuses on quantitative data (like completion tracking), not on qualitative.",
    " Ein Beispiel mit Umlauten: Prüfung, Größe, Übung.",
)

Template = tuple[list[bytes], list[int | None]]
Pool = dict[str, list[Template]]


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of a corpus: bytes, files, and the least and most bytes that an event grows to."""

    size: int
    files: int
    smallest_event: int = 1_000
    largest_event: int = 60_000


STANDARD = Shape(200_000_000, 2_000)
ONE_FILE = Shape(128 << 20, 1)


def make_corpus(shape: Shape, seed: int = 1) -> list[bytes]:
    """Make the files of a corpus."""
    rng = random.Random(seed)
    contracts = [each for each in load_registry().contracts if each.family.name == FAMILY]
    events = [made for contract in contracts for made in _made_up(contract, shape, rng)]
    pools = [_pool(events, written_by_python=written) for written in (False, True)]
    weights = [rng.lognormvariate(0, _FILE_SPREAD) for _ in range(shape.files)]
    files = []
    for number, weight in enumerate(weights):
        ((between, written),) = rng.choices(_STYLES, _STYLE_WEIGHTS)
        hour = _HOURS[number * len(_HOURS) // shape.files]
        files.append(between.join(_events(pools[written], shape.size * weight / sum(weights), hour, rng)))
    return files


def _made_up(contract: Contract, shape: Shape, rng: random.Random) -> Iterator[tuple[str, Any]]:
    """Yield events of a contract, each clean, dirty and as another producer's."""
    rules = Rules(contract)
    for _ in range(_EVENTS_PER_CONTRACT):
        event = generate_event(contract, rng)
        _grow(event, _size(contract, shape, rng), rng)
        broken, _ = mutate_event(contract, event, rng)
        if rules.breaks(event) or not rules.breaks(broken):
            raise AssertionError(f"{contract.table}: the corpus does not agree with the contract")
        yield from zip(_KINDS, (event, broken, {**event, "source": "aws.health"}), strict=True)


def _size(contract: Contract, shape: Shape, rng: random.Random) -> float:
    if contract.table not in _BULKY:
        return shape.smallest_event
    return min(max(rng.lognormvariate(_EVENT_LOG, _EVENT_SPREAD), shape.smallest_event), shape.largest_event)


def _grow(event: Any, size: float, rng: random.Random) -> None:
    """Let an event's texts and lists grow until it has its size."""
    missing = size - len(orjson.dumps(event))
    for node, key in itertools.cycle(list(_places(event))):
        if missing <= 0:
            return
        value, more = node[key], rng.choice(_TEXTS)
        if isinstance(value, str):
            node[key] = value + more
        else:
            more = rng.choice(value[:8])
            value.append(more)
        missing -= len(orjson.dumps(more))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Sentences and lists: what may be longer without being something else."""
    for key, member in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        if (isinstance(member, str) and member.count(" ") > 1) or (isinstance(member, list) and member):
            yield value, key
        yield from _places(member)


def _pool(events: list[tuple[str, Any]], *, written_by_python: bool) -> Pool:
    pool: Pool = {kind: [] for kind in _KINDS}
    for kind, event in events:
        pool[kind].append(_template(json.dumps(event).encode() if written_by_python else orjson.dumps(event)))
    return pool


def _template(text: bytes) -> Template:
    """Cut an event where its ids and hours are: every other part is one. None: an hour; a number: one of the ids."""
    parts = _OWN.split(text)
    ids: dict[bytes, int] = {}
    own = [None if part.endswith(b":") else ids.setdefault(part, len(ids)) for part in parts[1::2]]
    return parts, own


def _events(pool: Pool, size: float, hour: bytes, rng: random.Random) -> Iterator[bytes]:
    while size > 0:
        (kind,) = rng.choices(_KINDS, _KIND_WEIGHTS)
        event = _written(rng.choice(pool[kind]), hour, rng)
        yield event
        size -= len(event)


def _written(template: Template, hour: bytes, rng: random.Random) -> bytes:
    """Give an event ids of its own and its hour; an id that stands in several places stays one."""
    parts, own = template
    parts = parts.copy()
    seed = rng.getrandbits(100)
    parts[1::2] = [
        hour
        if number is None
        else b"%08x-%04x-4%03x-8%03x-%012x" % (number, seed % 0xFFFF, seed % 0xFFF, seed % 0xFFE, seed >> 52)
        for number in own
    ]
    return b"".join(parts)
