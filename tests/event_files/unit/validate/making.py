"""Events and contracts to begin a test with."""

import copy
from dataclasses import replace
from typing import Any

from cli.contracts.generation import generate_event
from sluice.contracts.model import Column, Contract, Correction
from tests.event_files.unit.validate.edges import REGISTRY, chance

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
