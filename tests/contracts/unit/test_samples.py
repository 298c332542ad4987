import json
import random
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.contracts.generation import generate_event, mutate_event
from cli.contracts.samples import write_samples
from cli.contracts.validator_agreement import DualValidator
from sluice.contracts.load import TABLES, load_registry
from sluice.contracts.model import Contract, ContractError
from sluice.event_files.validate.event_processor import Recogniser
from tests.contracts.unit.example_events import VALID

REGISTRY = load_registry()
RECOGNISER = Recogniser(REGISTRY)
VALIDATORS = {contract.table: DualValidator(contract.schema) for contract in REGISTRY.contracts}
CONTRACTS = [pytest.param(contract, id=contract.table) for contract in REGISTRY.contracts]


def samples(contract: Contract, name: str) -> Any:
    return json.loads((TABLES / contract.family.name / contract.table / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_samples_are_those_the_generator_makes(contract: Contract, tmp_path: Path) -> None:
    assert 3 <= len(samples(contract, "clean.json")) <= 6
    assert 4 <= len(samples(contract, "dirty.json")) <= 8
    write_samples(contract, tmp_path)
    for name in ("clean.json", "dirty.json"):
        committed = TABLES / contract.family.name / contract.table / name
        assert (tmp_path / name).read_bytes() == committed.read_bytes(), f"make {committed} again"


def test_the_samples_show_old_style_and_new_style_events() -> None:
    bodies = [event["detail"]["evaluation"] for event in samples(REGISTRY.contract("MICROTHREE_EVENT"), "clean.json")]
    assert any(body.get("service") is None for body in bodies)
    assert any(body.get("prediction_id") is None for body in bodies)
    assert any(isinstance(body["payload"]["query"], str) for body in bodies)
    assert any(isinstance(body["payload"]["query"], list) for body in bodies)
    assert any(isinstance(body["payload"].get("media_id"), int) for body in bodies)


@pytest.mark.parametrize("contract", CONTRACTS)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_an_event_is_generated_clean_and_mutated_at_its_pointer(contract: Contract, seed: int) -> None:
    rng = random.Random(seed)
    event = generate_event(contract, rng)
    before = json.dumps(event)
    broken, pointer = mutate_event(contract, event, rng)
    assert json.dumps(event) == before
    assert RECOGNISER.recognise(event).contract is RECOGNISER.recognise(broken).contract is contract
    assert VALIDATORS[contract.table].broken(event) == set()
    assert pointer in VALIDATORS[contract.table].broken(broken)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_mutations_reach_every_part_of_an_example_event(contract: Contract) -> None:
    event, rng = VALID[contract.table], random.Random(1)
    pointers = {mutate_event(contract, event, rng)[1] for _ in range(200)}
    body = "evaluation" if contract.kind == "EVENT" else "prediction"
    assert {"/time", "/account", "/detail/type", f"/detail/{body}/timestamp", f"/detail/{body}/id"} <= pointers
    own = {pointer for pointer in pointers if re.match(rf"/detail/{body}/(payload|input|output)", pointer)}
    assert len(own) >= 2


@pytest.mark.parametrize("contract", CONTRACTS)
def test_optional_members_and_forms_of_time_are_generated(contract: Contract) -> None:
    rng = random.Random(7)
    events = [generate_event(contract, rng) for _ in range(300)]
    assert {"resources" in event for event in events} == {True, False}
    assert {re.sub("[0-9]+", "9", event["time"][19:]) for event in events} == {"Z", "+9:9", ".9Z"}


def test_an_event_has_the_time_given() -> None:
    at = datetime(2030, 12, 31, 23, 59, 58, tzinfo=UTC)
    event = generate_event(REGISTRY.contract("STE_EVENT"), random.Random(3), at)
    assert event["time"].startswith("2030-12-31T23:59:58")
    assert 0 <= at.timestamp() * 1000 - event["detail"]["timestamp"] < 5000


FAMILY = REGISTRY.families[0]


def _contract(schema: dict[str, Any]) -> Contract:
    return Contract("T_PRED", FAMILY, "PRED", ("t",), 1, "d", schema, (), ())


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ({"source": {"type": "string"}}, "what was tried is of no table: give"),
        ({"account": {"type": "string", "minLength": 900}}, "what was tried breaks /account: give it examples"),
    ],
)
def test_samples_that_the_check_would_refuse_are_not_written(
    member: dict[str, Any], message: str, tmp_path: Path
) -> None:
    contract = REGISTRY.contract("STE_EVENT")
    schema = {**contract.schema, "properties": contract.schema["properties"] | member}
    with pytest.raises(ContractError, match=message):
        write_samples(replace(contract, schema=schema), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "pattern": "x"}}}, "pattern"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "can be nothing"),
        ({"type": "object", "if": {}}, "found no value that fails the condition"),
    ],
)
def test_contradicting_rules_are_refused(schema: dict[str, Any], message: str) -> None:
    def make() -> None:
        for seed in range(20):
            generate_event(_contract(schema), random.Random(seed))

    with pytest.raises(ContractError, match=message):
        make()


def test_a_value_without_rules_follows_its_examples() -> None:
    schema = {"type": "object", "required": ["a", "b"], "properties": {"a": {"examples": [[1]]}, "b": {}}}
    event = generate_event(_contract(schema), random.Random(1))
    assert event == {"a": [1], "b": None}
