"""Two validators that share no code give the same verdict on every event, for the same members."""

import json
from functools import cache

import orjson
import pytest

from cli.contracts.validator_agreement import DualValidator
from sluice.contracts.model import Contract
from sluice.event_files.validate.rules import Rules
from tests.event_files.unit.validate.contract_events import (
    CONTRACTS,
    FEW_VALUES,
    REGISTRY,
    with_duplicates,
    with_two_values,
    with_unknown_members,
    with_values,
)

by_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)


@cache
def rules(table: str) -> Rules:
    return Rules(REGISTRY.contract(table))


@cache
def validator(table: str) -> DualValidator:
    return DualValidator(REGISTRY.contract(table).schema)


def pointers(table: str, text: str) -> set[str]:
    """Return the members that jsonschema finds wrong; it sees numbers as written, `Rules` sees large ones rounded."""
    return validator(table).broken(json.loads(text))


def assert_agreement(table: str, text: str) -> bool:
    """Both validators say the same; return whether the event is valid."""
    ours = {each.pointer for each in rules(table).breaks(orjson.loads(text))}
    assert ours == pointers(table, text), text
    return not ours


@by_contract
def test_on_every_value_at_every_place(contract: Contract) -> None:
    verdicts = [assert_agreement(contract.table, text) for text in with_values(contract, FEW_VALUES)]
    assert 0.1 < sum(verdicts) / len(verdicts) < 0.5


@by_contract
def test_on_values_at_two_places(contract: Contract) -> None:
    assert not all(assert_agreement(contract.table, text) for text in with_two_values(contract, 40))


@by_contract
def test_duplicate_and_unknown_members_break_nothing(contract: Contract) -> None:
    for text in [*with_duplicates(contract), *with_unknown_members(contract)][::4]:
        assert assert_agreement(contract.table, text), text
