"""Results of inferences over days, as digests and `sluice status` show them."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import orjson

from sluice.lake.object_store import ObjectStore
from sluice.recommender.inference import INFERENCES_PREFIX, POPULARITY

Result = Mapping[str, Any]


def results_of(lake: ObjectStore, days: Iterable[date]) -> list[Result]:
    """Return what became of the inferences of these snapshots, in order; of a snapshot, newer models come later."""
    keys = [
        listed.key
        for day in days
        for listed in lake.list(f"{INFERENCES_PREFIX}{day:%Y%m%d}-")
        if listed.key.endswith("/result.json")
    ]
    return sorted((orjson.loads(lake.read(key)) for key in keys), key=_order)


def latest_by_day(results: Iterable[Result]) -> dict[str, Result]:
    """Return the last result of each snapshot, by its day."""
    return {result["snapshot"]: result for result in results}


def model_changes(results: Iterable[Result]) -> dict[str, str]:
    """Return the versions that recommended other than the one before, by the first snapshot of theirs."""
    changes: dict[str, str] = {}
    before = None
    for day, result in latest_by_day(results).items():
        version = result["model_version"]
        if before not in {None, version}:
            changes[day] = version
        before = version
    return changes


def _order(result: Result) -> tuple[str, bool, str]:
    version = result["model_version"]
    return result["snapshot"], version != POPULARITY, version  # versions begin with the time of their training
