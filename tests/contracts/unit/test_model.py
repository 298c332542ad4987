from dataclasses import replace

import pytest

from sluice.contracts.model import CORRECTION_RULES, PARTITION_KEYS, ContractError, Registry
from sluice.event_files.validate.corrections import _RULES


@pytest.mark.parametrize("source", ["app.event.file", "App.Event.File"])
def test_a_source_is_compared_without_case(registry: Registry, source: str) -> None:
    family = registry.family_of(source)
    assert family is not None
    assert family.name == "event_files"
    assert family.kinds == {"EFPredictionEvent": "PRED", "EFEvaluationEvent": "EVENT"}


def test_the_dvaults_have_names_of_their_own(registry: Registry) -> None:
    family = registry.family_of("shape.dvault")
    assert family is not None
    assert family.kinds == {"DVaultPredictionEvent": "PRED", "DVaultEvaluationEvent": "EVENT"}


def test_others_have_no_family(registry: Registry) -> None:
    assert registry.family_of("aws.s3") is None
    assert registry.family_of("app.event.file ") is None


def test_a_service_is_compared_with_case(registry: Registry) -> None:
    assert registry.contract_for("event_files", "EVENT", "MicroOne") is None
    assert registry.contract_for("event_files", "PRED", "sim") is None
    assert registry.contract_for("dvaults", "PRED", "sim") is None


def test_an_unknown_table_is_refused_with_the_known_ones(registry: Registry) -> None:
    with pytest.raises(ContractError, match=r"no contract for table 'NOPE'; there are: .*MICROONE_EVENT"):
        registry.contract("NOPE")


@pytest.mark.parametrize("change", [{"table": "OTHER_EVENT"}, {"services": ("other",)}])
def test_a_second_claim_is_refused(registry: Registry, change: dict[str, str]) -> None:
    contract = registry.contract("SIM_EVENT")
    twin = replace(contract, **change)  # type: ignore[arg-type]
    with pytest.raises(ContractError, match="claimed twice"):
        Registry(registry.families, (contract, twin))


def test_partitions_are_hours(registry: Registry) -> None:
    assert PARTITION_KEYS == ("year", "month", "day", "hour")
    assert not set(PARTITION_KEYS) & {column.name for each in registry.tables() for column in each.columns}


def test_every_rule_a_contract_may_ask_for_is_implemented() -> None:
    assert {*_RULES, "media_uri"} == CORRECTION_RULES
