"""Hours in which something was delivered, and the use cases that look at them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.initialise_history import merge_parts, observe_part, write_plan
from sluice.vendor_exports.completeness.slot_history import Observation, SlotHistory
from sluice.vendor_exports.completeness.update_history import HistoryPublisher, HistoryUpdater, Updated, output_keys
from sluice.vendor_exports.delivery.model import MANIFEST, MASTER_SCHEMA, Slot, slots_between
from tests.support.memory_object_store import MemoryObjectStore

FIRST = Slot(datetime(2026, 1, 30, 20, tzinfo=UTC))
TEST, PROD = Environment.TEST, Environment.PROD
OUT_OF_SCOPE = ("Ignored",)


def settled(slot: Slot) -> datetime:
    """The first moment at which a slot may be looked at."""
    return slot.hour + timedelta(minutes=90)


def slots(count: int, first: Slot = FIRST) -> list[Slot]:
    return list(slots_between(first, first.after(count - 1)))


def schema(*tables: str, **more: object) -> bytes:
    return json.dumps([{"DataObjectName": table, "Columns": ["id"], **more} for table in tables]).encode()


def job(tables: Iterable[str], master: bytes | None = None, size: int = 1000) -> dict[str, bytes]:
    """Files of a delivered job by name."""
    files = {f"{table}_1.json.gz": b"x" * size for table in tables}
    return {**files, MANIFEST: b"[]", **({} if master is None else {MASTER_SCHEMA: master})}


def report(environment: Environment, rows: Sequence[SlotHistory], out_of_scope: Sequence[str]) -> bytes:
    return repr((environment, rows, out_of_scope)).encode()


class MemoryTables:
    """Tables of one partition; a commit that another one overtakes reads its source again, as `DerivedTables` do."""

    def __init__(self, bucket: MemoryObjectStore) -> None:
        self.rows: dict[str, pa.Table] = {}
        self._bucket = bucket
        self._commits = 0

    def publish(self, table: str, made: Callable[[], Mapping[tuple[int, ...], pa.Table]]) -> None:
        seen = None
        while seen != self._commits:
            seen = self._commits
            (rows,) = made().values()
            self._bucket.between()
        self.rows[table] = rows
        self._commits += 1


class Bucket(MemoryObjectStore):
    """A bucket with deliveries and the histories of them."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        super().__init__(objects or {})
        self.tables = MemoryTables(self)

    def deliver(self, slot: Slot, files: Mapping[str, bytes], environment: Environment = TEST) -> None:
        self.objects.update({slot.folder(environment) + name: body for name, body in files.items()})

    @property
    def publisher(self) -> HistoryPublisher:
        return HistoryPublisher(self, self.tables, report, OUT_OF_SCOPE)

    def update(
        self, now: datetime, again: Iterable[Slot] = (), environment: Environment = TEST, max_slots: int = 1000
    ) -> Updated:
        return HistoryUpdater(self, self.publisher, max_slots).update(environment, now, again)

    def initialise(self, first: Slot, last: Slot, now: datetime, run_id: str = "run") -> None:
        """All steps, the parts in another order than planned."""
        for part in reversed(write_plan(self, run_id, TEST, first, last, now)):
            observe_part(self, part, now)
        merge_parts(self, self.publisher, run_id)

    def outputs(self, environment: Environment = TEST) -> dict[str, Any]:
        """Return the objects that people read, and the rows of the tables."""
        return {**{key: self.objects[key] for key in output_keys(environment)}, **self.tables.rows}

    def dates(self, environment: Environment = TEST) -> list[str]:
        """First cells of the rows of the job metrics."""
        text = self.objects[f"{environment.root}DataObservability/historical_job_metrics.csv"].decode()
        return [line.split(",")[0] for line in text.splitlines()[1:]]


def seen(
    slot: Slot, tables: Sequence[str] = (), master: Iterable[str | tuple[str, str]] | None = None, size: int = 0
) -> Observation:
    """An observation; a table of the schema may come with its fingerprint."""
    entries = None if master is None else [(each, "0") if isinstance(each, str) else each for each in master]
    return Observation(
        slot=slot,
        observed_at=settled(slot),
        files=len(tables),
        size=size,
        tables=tuple(sorted(tables)),
        schema=None if entries is None else tuple(sorted(entries)),
    )
