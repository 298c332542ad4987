"""Events at the edges of their contracts, as JSON text: each place of an event with each value that may go wrong."""

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cli.contracts.generation import generate_event
from sluice.contracts.load import load_registry
from sluice.contracts.model import Column, Contract, Correction

Path = tuple[str | int, ...]

REGISTRY = load_registry()
CONTRACTS = REGISTRY.contracts
EVENTS_PER_CONTRACT = 25

NUMBERS = (
    *("0", "-0", "-0.0", "1.0", "1e3", "1E+2", "10e-1", "-7", "1.5", "0.1", "1e-7", "5e-324", "0.30000000000000004"),
    *("9007199254740991.0", "9007199254740992", "9007199254740992.0", "9007199254740993", "9007199254740993.0"),
    *("-9007199254740993", "1e15", "1e18", "9223372036854774784.0", "9223372036854775807", "9223372036854775807.0"),
    *("9223372036854775808", "-9223372036854775807", "-9223372036854775808", "-9223372036854775809"),
    *("18446744073709551615", "18446744073709551616", "100000000000000000000", "-1e300"),
)
TEXTS = ('""', '"null"', '"1"', '"\\u0000"', '"\\u001f\\u007f\\u2028"', '"é🌊\\ud83c\\udf0a\\"\\\\/"', '"}{\\"id\\":"')
OTHERS = ("true", "false", "null", "[]", "{}", "[null]", '["a",null,""]', '["null"]', "[1]", "[[]]", '{"a":{"b":1}}')
VALUES = (*NUMBERS, *TEXTS, *OTHERS)
FEW_VALUES = (
    *("1.0", "1.5", "9007199254740993", "9223372036854775808", "18446744073709551616", "-9223372036854775808"),
    *('""', '"null"', "true", "null", "[]", "{}", "[null]"),
)

UNKNOWN_VALUES = (
    "1",
    "18446744073709551616",
    "-123456789012345678901234567890",
    "1.0",
    '"\\u0000é"',
    "[{}]",
    '{"a":1}',
)
UNKNOWN_NAMES = ('"x"', '"a/b~c"', '"\\"é🌊"', '""')

_HOLE = "\x00hole\x00"


def chance(seed: object) -> random.Random:
    return random.Random(str(seed))  # the same in every run


def events_of(contract: Contract) -> list[dict[str, Any]]:
    rng = chance(contract.table)
    return [generate_event(contract, rng) for _ in range(EVENTS_PER_CONTRACT)]


def places_of(contract: Contract) -> Iterator[tuple[dict[str, Any], Path]]:
    """Each place that the contract's events have, the root apart, in the first event that has it."""
    seen = set()
    for event in events_of(contract):
        for path, _ in _walk(event, ()):
            place = tuple("*" if isinstance(step, int) else step for step in path)
            if path and place not in seen:
                seen.add(place)
                yield event, path


def with_values(contract: Contract, values: tuple[str, ...] = VALUES) -> Iterator[str]:
    """Another value in each place, or none."""
    for event, path in places_of(contract):
        text = _with(event, path, _HOLE)
        for value in values:
            yield text.replace(_HOLE, value)
        if isinstance(path[-1], str):
            yield _without(event, path)


def with_duplicates(contract: Contract) -> Iterator[str]:
    """Each member twice: another value first, and the right one last, which counts."""
    for event, path in places_of(contract):
        if isinstance(path[-1], str):
            right = json.dumps(_at(event, path))
            text = _with(event, path, f"{_HOLE},{json.dumps(path[-1])}:{right}")
            for wrong in ("null", '{"a":[1,2]}', right):
                yield text.replace(_HOLE, wrong)


def with_unknown_members(contract: Contract) -> Iterator[str]:
    """Members that the contract does not know, in each object, before and behind those it does."""
    first = next(iter(events_of(contract)))
    for event, path in [(first, ()), *places_of(contract)]:
        node = _at(event, path)
        if isinstance(node, dict):
            inner, text = json.dumps(node)[1:-1], _with(event, path, _HOLE)
            for number, value in enumerate(UNKNOWN_VALUES):
                unknown = f"{UNKNOWN_NAMES[number % len(UNKNOWN_NAMES)]}:{value}"
                for members in ((unknown, inner), (inner, unknown)):
                    yield text.replace(_HOLE, "{" + ",".join(filter(None, members)) + "}")


def with_two_values(contract: Contract, count: int) -> Iterator[str]:
    """Other values in two places at once, by chance."""
    rng = chance(contract.table)
    events = events_of(contract)[:10]
    for _ in range(count):
        event = rng.choice(events)
        paths = [path for path, _ in _walk(event, ()) if path]
        once = json.loads(_with(event, rng.choice(paths), rng.choice(OTHERS + TEXTS)))
        yield _with(once, rng.choice([path for path, _ in _walk(once, ()) if path]), rng.choice(VALUES))


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, value
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in steps:
        yield from _walk(member, (*path, step))


def _at(event: Any, path: Path) -> Any:
    for step in path:
        event = event[step]
    return event


def _with(event: Any, path: Path, value: str) -> str:
    """The event's text with another text in one place."""
    if not path:
        return value
    changed = copy.deepcopy(event)
    _at(changed, path[:-1])[path[-1]] = _HOLE
    return json.dumps(changed).replace(json.dumps(_HOLE), value)


def _without(event: Any, path: Path) -> str:
    changed = copy.deepcopy(event)
    del _at(changed, path[:-1])[path[-1]]
    return json.dumps(changed)


ABSENT = object()


def event_of(table: str, **changes: Any) -> dict[str, Any]:
    """A valid event of a table; `changes` name members by their path, with ``__`` between: ``detail__id="x"``."""
    event = copy.deepcopy(generate_event(REGISTRY.contract(table), chance(table)))
    return changed(event, **changes)


def changed(event: dict[str, Any], **changes: Any) -> dict[str, Any]:
    for path, value in changes.items():
        *parents, name = path.replace("detail_type", "detail-type").split("__")
        node = event
        for parent in parents:
            node = node[parent]
        if value is ABSENT:
            node.pop(name, None)
        else:
            node[name] = value
    return event


def contract_like(
    schema: dict[str, Any],
    columns: tuple[Column, ...] = (),
    corrections: tuple[Correction, ...] = (),
    kind: Any = "EVENT",
) -> Contract:
    """A contract of a table that is not among the real ones."""
    model = REGISTRY.contract("MICROONE_EVENT")
    return replace(model, table="T", kind=kind, schema=schema, columns=columns, corrections=corrections)
