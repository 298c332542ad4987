"""Indices of documents: one alias per family and stage, one index per month behind it, all with the same fields."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sluice.contracts.model import Registry

_PREFIXES = {"dvaults": "dvault_logs", "event_files": "event_file_logs"}
_OTHERS = "event_files"  # the family of events of unknown services
_MONTH = re.compile(r"\d{4}\.(0[1-9]|1[0-2])")
_ENVIRONMENTS = {"prd": "prod"}


def environment_name(stage: str) -> str:
    """Return the name of a stage in the names of indices."""
    return _ENVIRONMENTS.get(stage, stage)


class Indices:
    """The indices of a stage.

    A month's index is removed whole when its newest day is past the retention: the one kind of retention that every
    target supports, and one that leaves the ids of documents alone.
    """

    def __init__(self, registry: Registry, stage: str) -> None:
        self._environment = environment_name(stage)
        self._families = {
            service.upper(): contract.family for contract in registry.contracts for service in contract.services
        }

    @property
    def aliases(self) -> tuple[str, ...]:
        """One name per family, over all months: what searches name."""
        return tuple(f"{prefix}_{self._environment}" for prefix in _PREFIXES.values())

    def alias_of(self, service: str | None) -> str:
        """Return the alias of a service, which is given in capitals."""
        family = self._families.get(service or "", _OTHERS)
        return f"{_PREFIXES[family]}_{self._environment}"


def monthly(alias: str, moment: datetime) -> str:
    """Return the index behind an alias that holds the documents of a moment."""
    return f"{alias}-{moment:%Y.%m}"


def pattern(alias: str) -> str:
    """Return the pattern of all indices behind an alias."""
    return f"{alias}-*"


def expired(names: Sequence[str], alias: str, now: datetime, days: int) -> list[str]:
    """Return those of an alias's indices whose last day is more than so many days ago."""
    oldest = monthly(alias, now - timedelta(days=days))
    return [name for name in names if _MONTH.fullmatch(name.removeprefix(f"{alias}-")) and name < oldest]


MAPPING: Mapping[str, Any] = {
    "dynamic": False,
    "properties": {
        "workflow_run_id": {"type": "keyword"},
        "timestamp": {"type": "date"},
        "event_id": {"type": "keyword", "ignore_above": 256},
        "passed": {"type": "boolean"},
        "event_filename": {"type": "keyword", "ignore_above": 1024},
        "service_name": {"type": "keyword", "ignore_above": 256},
        "service_type": {"type": "keyword"},
        "errors": {
            "properties": {
                "reason": {"type": "keyword"},
                "pointer": {"type": "keyword", "ignore_above": 512},
            }
        },
    },
}
