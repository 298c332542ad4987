"""Installation of a stage in the search cluster: index templates, indices, boards."""

import hashlib
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from sluice.search.cluster import RetryPolicy, SearchCluster, SearchError
from sluice.search.indices import MAPPING, Indices, environment_name, monthly, pattern

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
