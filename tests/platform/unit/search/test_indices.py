"""Names of indices, and their removal by month."""

from datetime import UTC, datetime

import pytest

from sluice.contracts.load import load_registry
from sluice.contracts.model import Contract
from sluice.search.indices import Indices, expired, monthly, pattern

REGISTRY = load_registry()


@pytest.mark.parametrize("contract", REGISTRY.contracts, ids=lambda contract: contract.table)
def test_every_service_by_any_name_is_in_the_index_of_its_family(contract: Contract) -> None:
    indices = Indices(REGISTRY, "dev")
    prefix = {"dvaults": "dvault_logs_dev", "event_files": "event_file_logs_dev"}
    for service in contract.services:
        assert indices.alias_of(service.upper()) == prefix[contract.family.name]


def test_unknown_services_are_with_the_event_files() -> None:
    indices = Indices(REGISTRY, "dev")
    assert indices.alias_of("NOBODY") == indices.alias_of(None) == indices.alias_of("") == "event_file_logs_dev"


def test_a_month_has_an_index() -> None:
    assert monthly("logs", datetime(2026, 1, 31, 23, 59, tzinfo=UTC)) == "logs-2026.01"
    assert monthly("logs", datetime(2026, 12, 1, tzinfo=UTC)) == "logs-2026.12"
    assert pattern("logs") == "logs-*"


@pytest.mark.parametrize(
    ("day", "gone"),
    [
        (datetime(2026, 1, 30, tzinfo=UTC), []),
        (datetime(2026, 1, 31, tzinfo=UTC), ["logs-2025.12"]),
        (datetime(2026, 3, 2, tzinfo=UTC), ["logs-2025.12"]),
        (datetime(2026, 3, 3, tzinfo=UTC), ["logs-2025.12", "logs-2026.01"]),
    ],
)
def test_a_month_is_removed_when_its_last_day_is_past_the_retention(day: datetime, gone: list[str]) -> None:
    assert expired(["logs-2025.12", "logs-2026.01"], "logs", day, 30) == gone


@pytest.mark.parametrize(
    "name", ["logs", "logs-2020", "logs-2020.13", "logs-2020.00", "logs-2020.01-old", "other-2020.01"]
)
def test_an_index_that_is_no_month_of_the_alias_is_kept(name: str) -> None:
    assert expired([name], "logs", datetime(2030, 1, 1, tzinfo=UTC), 1) == []
