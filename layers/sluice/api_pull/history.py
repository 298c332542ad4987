"""History of the pulls: how many rows each day had, and which keys the mart shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Self

import orjson

from sluice.api_pull.model import COMPLETE, PULLS_PREFIX
from sluice.lake.object_store import ObjectStore

HISTORY_KEY = "data/api_pull/history.json"
_DAYS_KEPT = 30
_DAYS_OF_USUAL = 7


@dataclass(frozen=True, slots=True)
class Day:
    """A day of an endpoint as its last pull found it: the status, clean rows, and the pull that has them."""

    snapshot_date: str
    pull_id: str
    status: str
    rows: int


@dataclass(frozen=True, slots=True)
class History:
    """The last days of each endpoint, oldest first."""

    days: Mapping[str, tuple[Day, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, lake: ObjectStore) -> Self:
        """Read the history; it is empty before the first pull."""
        found = lake.find(HISTORY_KEY)
        value: Mapping[str, Any] = orjson.loads(found.body) if found else {}
        return cls({endpoint: tuple(Day(**day) for day in days) for endpoint, days in value.items()})

    def write(self, lake: ObjectStore) -> None:
        """Write the history; who does so has the lease of the pulls."""
        lake.write(HISTORY_KEY, orjson.dumps(self.days))

    def having(self, endpoint: str, day: Day) -> "History":
        """Return the history with a day of an endpoint, in the place of what its date had."""
        others = [each for each in self.days.get(endpoint, ()) if each.snapshot_date != day.snapshot_date]
        return History({**self.days, endpoint: (*others, day)[-_DAYS_KEPT:]})

    def usual(self, endpoint: str, snapshot_date: str) -> float | None:
        """Return the median of the rows of the last days but this one; None if there are none."""
        rows = [day.rows for day in self.days.get(endpoint, ()) if day.snapshot_date != snapshot_date]
        return median(rows[-_DAYS_OF_USUAL:]) if rows else None

    def shown(self, endpoint: str) -> str | None:
        """Return the pull whose rows of an endpoint the mart shows; None if it shows none."""
        pulls = [day.pull_id for day in self.days.get(endpoint, ()) if day.status == COMPLETE]
        return pulls[-1] if pulls else None


def keys_key(pull_id: str, endpoint: str) -> str:
    """Return the key of the Parquet file with the keys of an endpoint's clean rows."""
    return f"{PULLS_PREFIX}{pull_id}/{endpoint}/keys.parquet"
