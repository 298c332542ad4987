from dataclasses import replace

import pytest

from sluice.contracts.model import CORRECTION_RULES, PARTITION_KEYS, ContractError, Registry
from sluice.event_files.validate.event_processor import _RULES


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
    assert {*_RULES, "json_text", "media_uri"} == CORRECTION_RULES
