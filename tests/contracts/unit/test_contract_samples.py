import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.contracts.generation import generate_event, mutate_event
from cli.contracts.samples import make_samples, write_samples
from cli.contracts.validator_agreement import DualValidator
from sluice.contracts.load import TABLES, load_registry
from sluice.contracts.model import Contract, ContractError, Registry
from sluice.event_files.validate.event_processor import Recogniser
from tests.contracts.unit.handmade import VALID

REGISTRY = load_registry()
RECOGNISER = Recogniser(REGISTRY)
CONTRACTS = [pytest.param(contract, id=contract.table) for contract in REGISTRY.contracts]
seeds = st.integers(min_value=0, max_value=2**32)


def samples(contract: Contract, name: str) -> Any:
    return json.loads((TABLES / contract.family / contract.table / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_clean_sample_is_clean_for_both_validators(
    contract: Contract, validators: dict[str, DualValidator]
) -> None:
    clean = samples(contract, "clean.json")
    assert 3 <= len(clean) <= 6
    for event in clean:
        assert validators[contract.table].broken(event) == set()
        assert RECOGNISER.recognise(event).contract is contract


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_dirty_sample_breaks_where_its_label_says(
    contract: Contract, validators: dict[str, DualValidator]
) -> None:
    dirty = samples(contract, "dirty.json")
    assert 4 <= len(dirty) <= 8
    for sample in dirty:
        assert sample["breaks"]
        assert validators[contract.table].broken(sample["event"]) == set(sample["breaks"])
        assert RECOGNISER.recognise(sample["event"]).contract is contract


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_samples_are_those_the_generator_makes(contract: Contract, tmp_path: Path) -> None:
    write_samples(contract, tmp_path)
    for name in ("clean.json", "dirty.json"):
        committed = TABLES / contract.family / contract.table / name
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
@given(seed=seeds)
def test_a_made_up_event_is_recognised_and_clean(contract: Contract, seed: int) -> None:
    event = generate_event(contract, random.Random(seed))
    assert RECOGNISER.recognise(event).contract is contract
    assert _validator(contract).broken(event) == set()


@pytest.mark.parametrize("contract", CONTRACTS)
@settings(max_examples=40, deadline=None)
@given(seed=seeds)
def test_a_spoilt_event_is_recognised_and_dirty_at_the_place_named(contract: Contract, seed: int) -> None:
    rng = random.Random(seed)
    event = generate_event(contract, rng)
    before = json.dumps(event)
    broken, pointer = mutate_event(contract, event, rng)
    assert json.dumps(event) == before
    assert RECOGNISER.recognise(broken).contract is contract
    assert pointer in _validator(contract).broken(broken)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_spoiling_reaches_every_rule_of_an_event_written_by_hand(contract: Contract) -> None:
    event, rng = VALID[contract.table], random.Random(1)
    pointers = {mutate_event(contract, event, rng)[1] for _ in range(200)}
    body = "evaluation" if contract.kind == "EVENT" else "prediction"
    assert {"/time", "/account", "/detail/type", f"/detail/{body}/timestamp", f"/detail/{body}/id"} <= pointers
    own = {pointer for pointer in pointers if re.match(rf"/detail/{body}/(payload|input|output)", pointer)}
    assert len(own) >= 2


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_branch_is_made_up_sooner_or_later(contract: Contract) -> None:
    rng = random.Random(7)
    events = [generate_event(contract, rng) for _ in range(300)]
    if contract.kind == "EVENT":
        styles = {
            (type(body.get("service")), type(body.get("prediction_id")))
            for body in (event["detail"]["evaluation"] for event in events)
        }
        assert styles == {(str, str), (type(None), str), (str, type(None))}
    assert {"resources" in event for event in events} == {True, False}
    assert len({event["time"][-6:] for event in events if event["time"].endswith("+00:00")}) == 1


def test_the_same_seed_makes_the_same_event() -> None:
    contract = REGISTRY.contract("MICROONE_PRED")
    assert generate_event(contract, random.Random(3)) == generate_event(contract, random.Random(3))
    assert generate_event(contract, random.Random(3)) != generate_event(contract, random.Random(4))


def test_an_event_happens_when_it_is_told_to() -> None:
    at = datetime(2030, 12, 31, 23, 59, 58, tzinfo=UTC)
    event = generate_event(REGISTRY.contract("STE_EVENT"), random.Random(3), at)
    assert event["time"].startswith("2030-12-31T23:59:58")
    assert 0 <= at.timestamp() * 1000 - event["detail"]["timestamp"] < 5000


def _contract(schema: dict[str, Any]) -> Contract:
    return Contract("T_PRED", "f", "PRED", ("t",), 1, "d", schema, (), ())


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "pattern": "x"}}}, "pattern"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "can be nothing"),
        ({"type": "object", "if": {}}, "found no value that fails the condition"),
    ],
)
def test_what_cannot_be_made_up_is_said(schema: dict[str, Any], message: str) -> None:
    def make() -> None:
        for seed in range(20):
            generate_event(_contract(schema), random.Random(seed))

    with pytest.raises(ContractError, match=message):
        make()


def test_a_value_without_rules_follows_its_examples() -> None:
    schema = {"type": "object", "required": ["a", "b"], "properties": {"a": {"examples": [[1]]}, "b": {}}}
    event = generate_event(_contract(schema), random.Random(1))
    assert event == {"a": [1], "b": None}


def test_samples_of_the_smallest_contract_are_enough(registry: Registry) -> None:
    clean, dirty = make_samples(registry.contract("MICROTWO_PRED"))
    assert (len(clean), len(dirty)) == (3, 8)


_VALIDATORS = {contract.table: DualValidator(contract.schema) for contract in REGISTRY.contracts}


def _validator(contract: Contract) -> DualValidator:
    return _VALIDATORS[contract.table]
