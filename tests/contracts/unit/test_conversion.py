"""A clean event always fits its columns: edge values on every member, through both validators and the corrections."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from cli.contracts.generation import generate_event
from cli.contracts.validator_agreement import DualValidator
from sluice.contracts.load import load_registry
from sluice.contracts.model import BODY, Contract, HiveType, parse_hive
from sluice.event_files.validate.corrections import Corrections, InexactError
from tests.contracts.unit.example_events import VALID

CONTRACTS = [pytest.param(contract, id=contract.table) for contract in load_registry().contracts]
ENVELOPE_TABLES = {"MICROONE_EVENT", "HEADLINER_PRED"}
EDGES = (
    *("null", "true", "false", "0", "-0.0", "1.0", "1e3", "1.5", "-1", "1e300", "1e-400", '""', '"null"', '"x"', '"1"'),
    *("9007199254740992", "9007199254740993", "-9007199254740993", "9223372036854775807", "9223372036854775808"),
    *("-9223372036854775807", "-9223372036854775808", "-9223372036854775809", "18446744073709551615"),
    *("18446744073709551616", "9223372036854775807.0", "9.223372036854775e18", "-9.223372036854775808e18"),
    *("[]", "[null]", '["x"]', "[1]", "[[]]", "[{}]", "{}", '{"x":1}', '[{"score":1}]', '{"text":"x"}'),
)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_edge_values_are_judged_alike_and_fit_when_clean(contract: Contract) -> None:
    validator = DualValidator(contract.schema)
    clean = 0
    for event in (copy.deepcopy(VALID[contract.table]), generate_event(contract, random.Random(contract.table))):
        for mutant in _mutants(event, [path for path in _paths(event, ()) if _is_own(contract, path)]):
            if not validator.broken(mutant) and (corrected := _corrected(contract, mutant)):
                clean += 1
                _assert_fits(contract, corrected)
    assert clean > 30


def _is_own(contract: Contract, path: tuple[Any, ...]) -> bool:
    """Return whether the member is in the table's own body; the shared envelope is tried once per kind."""
    return contract.table in ENVELOPE_TABLES or path[:2] == ("detail", BODY[contract.kind])


def _mutants(event: dict[str, Any], paths: list[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """The event itself with one member after the other removed, and set to every edge value as a parser reads it."""
    for path in paths:
        parent, name = _parent(event, path), path[-1]
        value = parent[name]
        for edge in EDGES:
            parent[name] = orjson.loads(edge)
            yield event
        if isinstance(parent, dict):
            del parent[name]
            yield event
        parent[name] = value


def _paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, member in members:
        yield (*path, name)
        yield from _paths(member, (*path, name))


def _parent(event: Any, path: tuple[Any, ...]) -> Any:
    for member in path[:-1]:
        event = event[member]
    return event


def _corrected(contract: Contract, event: dict[str, Any]) -> dict[str, Any] | None:
    """The event as it becomes a row, None when a correction refuses to guess what was written."""
    corrected = copy.deepcopy(event)
    try:
        Corrections(contract, lambda _medialib, _media_id: None).apply(corrected)
    except InexactError:
        return None
    return corrected


def _assert_fits(contract: Contract, corrected: dict[str, Any]) -> None:
    for column in contract.columns:
        value: Any = corrected
        for member in column.path:
            value = None if value is None else value.get(member)
        assert _fits(value, parse_hive(column.type)), (column.name, column.type, value)


def _fits(value: Any, hive: HiveType) -> bool:
    """Return whether a column of this type holds the value, exactly."""
    if value is None:
        return True
    if hive.kind == "array":
        return isinstance(value, list) and all(_fits(item, hive.element) for item in value)
    if hive.kind == "struct":
        return isinstance(value, dict) and all(_fits(value.get(name), type_) for name, type_ in hive.fields)
    if hive.kind == "bigint":
        return type(value) in (int, float) and value == int(value) and -(2**63) <= int(value) < 2**63
    if hive.kind == "double":
        return type(value) in (int, float) and float(value) == value
    return type(value) is {"string": str, "boolean": bool}[hive.kind]
