"""Indices of documents, and their installation with templates and boards in the search cluster.

There is one alias per family and stage, and one index per month behind it, all with the same fields.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from sluice.contracts.model import Registry
from sluice.search.cluster import RetryPolicy, SearchCluster, SearchError

_PREFIXES = {"dvaults": "dvault_logs", "event_files": "event_file_logs"}  # others are named after their family
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
            service.upper(): contract.family.name for contract in registry.contracts for service in contract.services
        }

    @property
    def aliases(self) -> tuple[str, ...]:
        """One name per family, over all months: what searches name."""
        return tuple(map(self._alias, dict.fromkeys([*_PREFIXES, *self._families.values()])))

    def alias_of(self, service: str | None) -> str:
        """Return the alias of a service, which is given in capitals."""
        return self._alias(self._families.get(service or "", _OTHERS))

    def _alias(self, family: str) -> str:
        return f"{_PREFIXES.get(family, f'{family}_logs')}_{self._environment}"


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


BOARD = Path(__file__).resolve().parent / "board" / "profiling.ndjson"
"""The saved objects, with ``${environment}`` where the name of the stage goes."""

_PRIORITY = 200  # of the template: above the catch-alls that clusters come with


def index_template(alias: str) -> dict[str, Any]:
    """Return the template of every index behind an alias."""
    return {
        "index_patterns": [pattern(alias)],
        "priority": _PRIORITY,
        "template": {"aliases": {alias: {}}, "mappings": dict(MAPPING)},
    }


def saved_objects(stage: str) -> bytes:
    """Return the index patterns and the board of a stage, one JSON object per line."""
    return BOARD.read_text().replace("${environment}", environment_name(stage)).encode()


def fingerprint(indices: Indices, stage: str) -> str:
    """Return a hash of all that is installed: another one means to install again."""
    templates = [index_template(alias) for alias in indices.aliases]
    return hashlib.sha256(orjson.dumps(templates) + saved_objects(stage)).hexdigest()


def install(cluster: SearchCluster, indices: Indices, stage: str, policy: RetryPolicy, now: datetime) -> None:
    """Write everything; what is there is replaced, and documents stay.

    Rights on a collection that was just made take a minute to hold: a request that is refused is repeated, too.

    Raises:
        SearchError: The cluster did not take it at the last attempt.
    """
    for alias in indices.aliases:
        policy.call(partial(_install_alias, cluster, alias, now), SearchError)
    policy.call(partial(cluster.put_objects, saved_objects(stage)), SearchError)


def _install_alias(cluster: SearchCluster, alias: str, now: datetime) -> None:
    cluster.put_template(alias, index_template(alias))
    there = cluster.indices(pattern(alias))
    for name in there:
        cluster.put_mapping(name, {"properties": MAPPING["properties"]})
    current = monthly(alias, now)
    if current not in there:
        cluster.create_index(current)  # so that the board finds its fields before the first document
