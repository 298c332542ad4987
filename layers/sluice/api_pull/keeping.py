"""Keeping of an endpoint's rows: they become those of their day in the lake's table, in one snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import orjson

from sluice.api_pull.contracts import SNAPSHOT_DATE, contracts
from sluice.api_pull.model import Pull
from sluice.api_pull.progress import CHECK, GOOD, CheckProgress
from sluice.api_pull.pulls import StepProgress
from sluice.lake.object_store import ObjectStore


class Partitions(Protocol):
    """Tables of the lake."""

    def replace_partition(self, table: str, run_id: str, values: Mapping[str, object], files: Sequence[str]) -> None:
        """Put files in the place of a partition's in one snapshot, unless one of the run is there."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Files and rows that the lake has of an endpoint; only a good one is for the mart, too."""

    files: int
    rows: int
    is_good: bool


def keep(pull: Pull, endpoint: str, turn: int, lake: ObjectStore, tables: Partitions) -> Kept:
    """Commit the clean files of an endpoint, and list those of a good one for the mart, and for others to refer to.

    Of an endpoint that is not good, and has no clean row, the day's earlier rows stay. Raises CommitError.
    """
    found = StepProgress(lake, pull, endpoint, CHECK).read(turn)
    checked = CheckProgress.from_json(found or {})
    is_good = checked.next_step == GOOD
    if is_good or checked.files:
        day = {SNAPSHOT_DATE.name: date.fromisoformat(pull.snapshot_date)}
        files = [file.key for file in checked.files]
        tables.replace_partition(contracts()[endpoint].table, pull.pull_id, day, files)
    if is_good:
        lake.write(pull.files_key(endpoint), orjson.dumps({"files": checked.files}))
    return Kept(len(checked.files), checked.counts.clean, is_good)
