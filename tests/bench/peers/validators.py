"""Our validation, and how others would do it: bytes to a verdict on each event.

A verdict is the event's table, ``dirty`` or ``unrelated``. The peers do less: they keep no lineage, rescue nothing,
correct nothing, type nothing and do not count bytes. They find an event's schema as we do.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

import fastjsonschema
import jsonschema
import jsonschema_rs
import msgspec
import orjson
import pydantic

from sluice.contracts.load import load_registry
from sluice.contracts.model import Contract
from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.event_processor import EventProcessors, Recogniser
from sluice.event_files.validate.lines import Lines
from sluice.event_files.validate.records import MAX_EVENT_BYTES
from sluice.event_files.validate.routing import FileRouting
from sluice.event_files.validate.rules import Rules
from sluice.event_files.validate.splitter import split
from tests.bench.peers import schemas
from tests.bench.peers.schemas import CerberusValidator, cerberus_rules, pydantic_model

REGISTRY = load_registry()
RECOGNISER = Recogniser(REGISTRY)
GATES = EventProcessors(REGISTRY, lambda _lib, _id: None)
RULES = {contract.table: Rules(contract) for contract in REGISTRY.contracts}
NEVER_FULL = 1 << 40

Verdicts = list[list[str]]
Event = dict[str, Any]
Check = Callable[[Event], object]

_BOUNDARY = re.compile(rb'\}(?=[ \t\r\n]*\{[ \t\r\n]*["}])')


def ours(files: Sequence[bytes]) -> list[Lines]:
    """Route each file as `validate_files` does."""
    return [_routed(SourceObject("bench", str(number), "etag"), data) for number, data in enumerate(files)]


def _routed(source: SourceObject, data: bytes) -> Lines:
    routing = FileRouting(GATES, source)
    routing.route(data, NEVER_FULL, lambda _lines: None)
    return routing.lines


def our_verdicts(files: Sequence[bytes]) -> Verdicts:
    """Read our verdicts out of the lines, in the order of the events."""
    return [[verdict for _, verdict in sorted(_placed(lines))] for lines in ours(files)]


def _placed(lines: Lines) -> Iterator[tuple[int, str]]:
    for (table, _), rows in lines.clean.items():
        yield from ((orjson.loads(row)["_source_offset"], table) for row in rows)
    yield from ((orjson.loads(line)["offset"], "dirty") for line in lines.dirty.splitlines())
    yield from ((orjson.loads(line)["offset"], "unrelated") for line in lines.unrelated.splitlines())


def our_split_check(files: Sequence[bytes]) -> None:
    """Split, parse, recognise and check once, as ours does it, and make nothing of it."""
    for data in files:
        for piece in split(data, MAX_EVENT_BYTES):
            contract = piece.event and RECOGNISER.recognise(piece.event).contract
            if piece.event and contract:
                RULES[contract.table].hold(piece.event)


def split_parse(files: Sequence[bytes]) -> None:
    """Split and parse by the shortest way there is, without any guard against damage."""
    for data in files:
        for _ in _parsed_by_orjson(data):
            pass


def by_json(check: Mapping[str, Check], files: Sequence[bytes]) -> Verdicts:
    """The standard library's parser, an event at a time; what passes is written again, as the original does."""
    return [[_verdict(check, event, json.dumps) for event in parsed_by_json(data)] for data in files]


def by_orjson(check: Mapping[str, Check], files: Sequence[bytes]) -> Verdicts:
    """Boundaries by regular expression, then orjson."""
    return [[_verdict(check, event, orjson.dumps) for event in _parsed_by_orjson(data)] for data in files]


def by_types(files: Sequence[bytes]) -> Verdicts:
    """Splitting by msgspec, which decodes each event into typed objects; the first reason only."""
    return [[_typed_verdict(raw) for raw in _RAW.decode_lines(data)] for data in files]


_RAW = msgspec.json.Decoder(msgspec.Raw)


def _verdict(check: Mapping[str, Check], event: Event, write: Callable[[Event], object]) -> str:
    recognition = RECOGNISER.recognise(event)
    if recognition.contract is None:
        return "dirty" if recognition.reason else "unrelated"
    if check[recognition.contract.table](event):
        return "dirty"
    write(event)
    return recognition.contract.table


def _typed_verdict(raw: msgspec.Raw) -> str:
    head = schemas.HEAD.decode(raw)
    recognition = RECOGNISER.recognise(msgspec.to_builtins(head))
    if recognition.contract is None:
        return "dirty" if recognition.reason else "unrelated"
    try:
        event = _decoders()[recognition.contract.table].decode(raw)
    except msgspec.ValidationError:
        return "dirty"
    msgspec.json.encode(event)
    return recognition.contract.table


@cache
def _decoders() -> dict[str, msgspec.json.Decoder[Any]]:
    return {each.table: msgspec.json.Decoder(schemas.msgspec_type(each.schema)) for each in REGISTRY.contracts}


def parsed_by_json(data: bytes) -> Iterator[Event]:
    """Yield a file's objects, an object at a time, as the original does."""
    text, decoder, position = data.decode(), json.JSONDecoder(), 0
    while position < len(text):
        try:
            event, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError:
            position += 1
        else:
            yield event


def _parsed_by_orjson(data: bytes) -> Iterator[Event]:
    view, start = memoryview(data), 0
    ends = [match.end() for match in _BOUNDARY.finditer(data)]
    for end in (*ends, len(data)):
        try:
            event = orjson.loads(view[start:end])
        except orjson.JSONDecodeError:
            continue
        start = end
        yield event


def _checks(make: Callable[[Contract], Check]) -> dict[str, Check]:
    return {contract.table: make(contract) for contract in REGISTRY.contracts}


def _original(contract: Contract) -> Check:
    """A validator per event, from the schema's text, as the original has it."""
    text = json.dumps(cerberus_rules(contract.schema))

    def check(event: Event) -> object:
        validator = CerberusValidator(json.loads(text), allow_unknown=True)
        return {} if validator.validate(event, normalize=False) else validator.errors

    return check


def _jsonschema(contract: Contract) -> Check:
    validator = jsonschema.Draft202012Validator(contract.schema)
    return lambda event: list(validator.iter_errors(event))


def _fastjsonschema(contract: Contract) -> Check:
    validate = fastjsonschema.compile({**contract.schema, "$schema": "http://json-schema.org/draft-07/schema"})
    return partial(_raised_by, validate, fastjsonschema.JsonSchemaValueException)


def _jsonschema_rs(contract: Contract) -> Check:
    validator = jsonschema_rs.Draft202012Validator(contract.schema)
    return lambda event: None if validator.is_valid(event) else list(validator.iter_errors(event))


def _pydantic(contract: Contract) -> Check:
    return partial(_raised_by, pydantic_model(contract.schema).model_validate, pydantic.ValidationError)


def _raised_by(validate: Callable[[Event], object], invalid: type[Exception], event: Event) -> Exception | None:
    try:
        validate(event)
    except invalid as error:
        return error
    return None


CERBERUS = _checks(_original)
"""The original's check, by table; what it returns is false where there is nothing wrong."""

PEERS: dict[str, tuple[int, Callable[[Sequence[bytes]], Verdicts]]] = {
    "original": (2_000_000, partial(by_json, CERBERUS)),
    "jsonschema": (24_000_000, partial(by_json, _checks(_jsonschema))),
    "fastjsonschema": (20_000_000, partial(by_json, _checks(_fastjsonschema))),
    "jsonschema_rs": (20_000_000, partial(by_orjson, _checks(_jsonschema_rs))),
    "msgspec": (20_000_000, by_types),
    "pydantic": (20_000_000, partial(by_orjson, _checks(_pydantic))),
}
"""Each peer with the bytes of the corpus it is given: slow ones get a sample."""


def sample(files: Iterable[bytes], size: int) -> list[bytes]:
    """Take files from the corpus until there are `size` bytes."""
    taken: list[bytes] = []
    for data in files:
        if size <= 0:
            break
        taken.append(data)
        size -= len(data)
    return taken
