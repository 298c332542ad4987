"""Events generated from a contract's schema, deterministic and valid on every branch; and mutations that break one.

The schema decides the types and allowed values; its ``examples``, then a member's name, decide the text.
"""

import copy
import random
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema_rs

from cli.contracts.type_compatibility import admitted_types, views
from cli.contracts.validator_agreement import json_pointer
from sluice.contracts.family import value_at
from sluice.contracts.load import Schema, json_type, merge_all
from sluice.contracts.model import Contract, ContractError

Event = dict[str, Any]
Path = tuple[str, ...]

_START = datetime(2022, 3, 1, tzinfo=UTC)
_SPAN_SECONDS = 60 * 24 * 3600
_NULL_SHARE = 0.15
_OPTIONAL_SHARE = 0.8
_CONDITION_SHARE = 0.75
_FIRST_TYPE_SHARE = 0.75
_UNKNOWN_SHARE = 0.01
_AWKWARD_SHARE = 0.06
_ATTEMPTS = 100
_CONDITIONAL = frozenset({"if", "then", "else"})

_SUBJECTS = (
    *("The learning platform", "Our board", "A survey of customers"),
    *("Every supplier", "The new release", "Nobody"),
)
_VERBS = ("measures", "explains", "questions", "shows", "underestimates", "improves")
_OBJECTS = (
    *("the risk of change", "how teams learn", "what training costs"),
    *("the response rate", "data quality", "trust"),
)
_TERMS = ("learning", "risk management", "survey", "team work", "growth", "feedback", "security", "dashboard", "trust")
_AWKWARD = (
    *('"quoted"', "}{", '{"id": "}{"}', "line\nbreak", "back\\slash"),
    *("\u2028", "naïve café", "🌊", "\t", "<b>bold</b>"),
)
_SHORT = frozenset({"query", "search_terms", "tags", "image_tags"})
_UNKNOWN: tuple[tuple[str, Any], ...] = (
    ("client_build", "2031.4"),
    ("experiment", {"name": "wider search", "arm": 2}),
    ("retries", [1, 2]),
)


def generate_event(contract: Contract, rng: random.Random, at: datetime | None = None) -> Event:
    """Generate one valid event of `contract` at a time, UTC: a moment in spring 2022 unless given.

    The same state of `rng` gives the same event.

    Raises:
        ContractError: No value can be generated for a member: a pattern without examples, or contradicting rules.
    """
    moment = at or _START + timedelta(milliseconds=rng.randrange(_SPAN_SECONDS * 1000))
    event: Event = _EventGenerator(contract, rng, moment).value(contract.schema, ())
    return event


class _EventGenerator:
    """Generates one event; holds the values that its members share."""

    def __init__(self, contract: Contract, rng: random.Random, moment: datetime) -> None:
        self._rng = rng
        self._moment = moment
        self._time_at = contract.family.time
        self._service: str = rng.choice(contract.services)
        self._document = self._uuid()
        own = self._uuid()
        self._own_id: str = f"{own}#{self._service}" if contract.kind == "PRED" else own
        self._makers: dict[str, Callable[[Schema, Path], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": lambda _schema, _path: rng.choice((round(rng.uniform(-1, 1), 6), rng.random(), -1, 0, 1)),
            "boolean": lambda _schema, _path: rng.random() < 0.5,  # noqa: PLR2004
            "null": lambda _schema, _path: None,
        }
        self._formats: dict[str, Callable[[], str]] = {
            "date-time": self._time,
            "date": lambda: f"{moment:%Y-%m-%d}",
            "time": lambda: f"{moment:%H:%M:%S}Z",
            "duration": lambda: f"PT{rng.randrange(100)}M",
            "uuid": self._uuid,
            "email": lambda: f"{rng.choice(_TERMS).replace(' ', '.')}@example.org",
            "hostname": lambda: f"host-{rng.randrange(100)}.example.org",
            "ipv4": lambda: f"192.0.2.{rng.randrange(256)}",
            "ipv6": lambda: f"2001:db8::{rng.randrange(1 << 16):x}",
            "uri": lambda: f"https://example.org/{self._uuid()}",
        }

    def value(self, schema: Schema, path: Path) -> Any:  # noqa: ANN401
        if "const" in schema:
            return schema["const"]
        types = admitted_types(schema)
        allowed = [value for value in _stated(schema, "enum") if types is None or json_type(value) in types]
        if allowed:
            return self._rng.choice(allowed)
        examples = _stated(schema, "examples")
        if types is None:
            return self._rng.choice(examples or [None])
        type_ = self._type(schema, path)
        return self._rng.choice(examples) if examples and type_ != "null" else self._makers[type_](schema, path)

    def _type(self, schema: Schema, path: Path) -> str:
        """Choose a type that the schema allows; the first named is the most frequent."""
        admitted = admitted_types(schema)
        if not admitted:
            raise ContractError(f"{'.'.join(path)} can be nothing: the types its schema asks for exclude each other")
        if "null" in admitted and (len(admitted) == 1 or self._rng.random() < _NULL_SHARE):
            return "null"
        named = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", sorted(admitted))
        types = [each for each in named if each in admitted and each != "null"]
        chosen: str = types[0] if self._rng.random() < _FIRST_TYPE_SHARE else self._rng.choice(types)
        return chosen

    def _object(self, schema: Schema, path: Path) -> Event:
        if "if" in schema:
            return self._conditional(schema, path)
        made = {
            name: self.value(member, (*path, name))
            for name, member in schema.get("properties", {}).items()
            if name in schema.get("required", ()) or self._rng.random() < _OPTIONAL_SHARE
        }
        if self._rng.random() < _UNKNOWN_SHARE:
            made.update([self._rng.choice(_UNKNOWN)])
        return made

    def _conditional(self, schema: Schema, path: Path) -> Event:
        """Generate an object on one side of the schema's condition, by chance."""
        plain = {key: value for key, value in schema.items() if key not in _CONDITIONAL}
        if self._rng.random() < _CONDITION_SHARE:
            return self._object(merge_all([plain, schema["if"], schema.get("then", {})]), path)
        other = merge_all([plain, schema.get("else", {})])
        for _ in range(_ATTEMPTS):
            made = self._object(other, path)
            if not jsonschema_rs.is_valid(schema["if"], made):
                return made
        raise ContractError(f"{'.'.join(path)}: found no value that fails the condition of its schema")

    def _array(self, schema: Schema, path: Path) -> list[Any]:
        items: Schema = next((view["items"] for view in views(schema) if "items" in view), {})
        return [self.value(items, path) for _ in range(self._rng.randrange(5))]

    def _string(self, schema: Schema, path: Path) -> str:
        name: str = path[-1]
        for view in views(schema):
            if make := self._formats.get(view.get("format", "")):
                return make()
        if "pattern" in schema:
            if path != self._time_at:
                raise ContractError(f"{'.'.join(path)} has a pattern: give its schema examples")
            return self._time()
        if name == "prediction_id":
            return f"{self._uuid()}#{self._service}"
        if name in {"shape_id", "partitionKey"}:
            return self._document
        if name == "id" and path[0] == "detail":
            return self._own_id
        return self._uuid() if name == "id" or name.endswith("_id") else self._text(short=name in _SHORT)

    def _integer(self, schema: Schema, path: Path) -> int:
        if path[-1] == "timestamp":
            return int(self._moment.timestamp() * 1000) - self._rng.randrange(5000)
        number = self._rng.choice((self._rng.randrange(12), self._rng.randrange(1_000_000)))
        bounded: int = min(max(number, schema.get("minimum", number)), schema.get("maximum", number))
        return bounded

    def _time(self) -> str:
        """Format the moment in one of the forms that producers write."""
        style = self._rng.random()
        if style < 0.8:  # noqa: PLR2004
            return f"{self._moment:%Y-%m-%dT%H:%M:%SZ}"
        return f"{self._moment:%Y-%m-%dT%H:%M:%S}+00:00" if style < 0.9 else f"{self._moment:%Y-%m-%dT%H:%M:%S.%f}Z"  # noqa: PLR2004

    def _text(self, *, short: bool) -> str:
        sentence = " ".join(self._rng.choice(each) for each in (_SUBJECTS, _VERBS, _OBJECTS)) + "."
        text = self._rng.choice(_TERMS) if short else sentence
        return f"{text} {self._rng.choice(_AWKWARD)}" if self._rng.random() < _AWKWARD_SHARE else text

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))


def _stated(schema: Schema, keyword: str) -> list[Any]:
    """Return the values that a keyword lists, in the schema or a part of it."""
    return next((list(view[keyword]) for view in views(schema) if keyword in view), [])


Place = tuple[str | int, ...]
Mutation = tuple[Place, Any]

_MISSING = object()
"""In a fault: the member is to be removed."""

_WRONG: dict[str, tuple[Any, ...]] = {
    "string": ("12", ""),
    "integer": (7, 0),
    "number": (1.5,),
    "boolean": (True,),
    "array": ([],),
    "object": ({"unexpected": 1},),
    "null": (None,),
}
_UNHEARD_OF = "UNHEARD_OF"
_BAD_TEXTS = (
    "2022-02-30T10:00:00Z",
    "2022-04-19T18:20:03+02:00",
    "2022-04-19T18:20:03Z\n",
    "19.04.2022 18:20",
    "2022-04-19T25:00:00Z",
)


def mutate_event(contract: Contract, event: Event, rng: random.Random) -> tuple[Event, str]:
    """Break a valid event in one place, so that it is still recognised as an event of `contract`.

    Returns:
        The broken event (the one given is left alone) and the JSON pointer of the wrong or missing member.
    """
    kept = _recognised_by(contract, event)
    by_place: dict[Place, list[Mutation]] = {}
    for path, value in _mutations(contract.schema, event, ()):
        if path not in kept:
            place = tuple("*" if isinstance(each, int) else each for each in path)
            by_place.setdefault(place, []).append((path, value))
    path, value = rng.choice(by_place[rng.choice(sorted(by_place, key=str))])
    return _replaced(event, path, value), json_pointer(path)


def _recognised_by(contract: Contract, event: Event) -> set[Place]:
    """Return the members that recognise the event's contract: without them it is no event of this table."""
    kept: set[Place] = {("source",), ("detail-type",)}
    for place in contract.places:
        kept.update(place.path[:depth] for depth in range(len(place.path) + 1))
        if isinstance(value_at(event, place.path), str):
            break
    return kept


def _mutations(schema: Schema, value: Any, path: Place) -> Iterator[Mutation]:  # noqa: ANN401
    yield from ((path, wrong) for wrong in _wrong_values(schema))
    if isinstance(value, dict):
        yield from (((*path, name), _MISSING) for name in schema.get("required", ()) if name in value)
        for name, member in schema.get("properties", {}).items():
            if name in value:
                yield from _mutations(member, value[name], (*path, name))
    elif isinstance(value, list):
        items = schema.get("items", {})
        for index, item in enumerate(value):
            yield from _mutations(items, item, (*path, index))


def _wrong_values(schema: Schema) -> Iterator[Any]:
    types = admitted_types(schema)
    if types is not None:
        for name, values in _WRONG.items():
            if name not in types and not (name == "integer" and "number" in types):
                yield from values
    if any(key in view for key in ("enum", "const") for view in views(schema)):
        yield _UNHEARD_OF
    if patterns := [view["pattern"] for view in views(schema) if "pattern" in view]:
        yield from (text for text in _BAD_TEXTS if not all(re.search(pattern, text) for pattern in patterns))
    if "maximum" in schema:
        yield 2**63


def _replaced(event: Event, path: Place, value: Any) -> Event:  # noqa: ANN401
    """Return a copy of `event` with another value, or none, at `path`."""
    changed = copy.deepcopy(event)
    parent: Any = changed
    for member in path[:-1]:
        parent = parent[member]
    if value is _MISSING:
        del parent[path[-1]]
    else:
        parent[path[-1]] = copy.deepcopy(value)
    return changed
