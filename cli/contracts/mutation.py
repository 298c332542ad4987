"""Valid events broken in one place, known beforehand. Not for functions."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from cli.contracts.type_compatibility import admitted_types, views
from cli.contracts.validator_agreement import json_pointer
from sluice.contracts.compose import Schema
from sluice.contracts.model import BODY, Contract

Event = dict[str, Any]
Path = tuple[str | int, ...]
Fault = tuple[Path, Any]

MISSING = object()
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


def spoil(contract: Contract, event: Event, rng: random.Random) -> tuple[Event, str]:
    """Break a valid event in one place, so that it is still recognised as an event of `contract`.

    Returns:
        The broken event (the one given is left alone) and the JSON pointer of the wrong or missing member.
    """
    by_place: dict[Path, list[Fault]] = {}
    for fault in faults(contract, event):
        by_place.setdefault(tuple("*" if isinstance(each, int) else each for each in fault[0]), []).append(fault)
    path, value = rng.choice(by_place[rng.choice(sorted(by_place, key=str))])
    return _replaced(event, path, value), json_pointer(path)


def faults(contract: Contract, event: Event) -> Iterator[Fault]:
    """Every way to break `event` in one place: the place, and what to put there."""
    kept = _recognised_by(contract, event)
    return (fault for fault in _faults(contract.schema, event, ()) if fault[0] not in kept)


def _recognised_by(contract: Contract, event: Event) -> set[Path]:
    """Members that tell which contract an event belongs to: without them it is no event of this table."""
    body = BODY[contract.kind]
    kept: set[Path] = {(), ("source",), ("detail-type",), ("detail",), ("detail", body), ("detail", body, "service")}
    if not isinstance(event["detail"][body].get("service"), str):
        kept.add(("detail", body, "prediction_id"))
    return kept


def _faults(schema: Schema, value: Any, path: Path) -> Iterator[Fault]:  # noqa: ANN401
    yield from ((path, wrong) for wrong in _wrong_values(schema))
    if isinstance(value, dict):
        yield from (((*path, name), MISSING) for name in schema.get("required", ()) if name in value)
        for name, member in schema.get("properties", {}).items():
            if name in value:
                yield from _faults(member, value[name], (*path, name))
    elif isinstance(value, list):
        items = schema.get("items", {})
        for index, item in enumerate(value):
            yield from _faults(items, item, (*path, index))


def _wrong_values(schema: Schema) -> Iterator[Any]:
    types = admitted_types(schema)
    if types is not None:
        for name, values in _WRONG.items():
            if name not in types and not (name == "integer" and "number" in types):
                yield from values
    if any(key in view for key in ("enum", "const") for view in views(schema)):
        yield _UNHEARD_OF
    if "pattern" in schema:
        yield from _BAD_TEXTS
    if "maximum" in schema:
        yield 2**63


def _replaced(event: Event, path: Path, value: Any) -> Event:  # noqa: ANN401
    """A copy of `event` with another value, or none, at `path`."""
    changed = copy.deepcopy(event)
    parent: Any = changed
    for member in path[:-1]:
        parent = parent[member]
    if value is MISSING:
        del parent[path[-1]]
    else:
        parent[path[-1]] = copy.deepcopy(value)
    return changed
