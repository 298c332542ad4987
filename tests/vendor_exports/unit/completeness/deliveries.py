"""Hours in which something was delivered, and the use cases that look at them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.completeness.initialise_history import merge_parts, observe_part, write_plan
from sluice.vendor_exports.completeness.slot_history import Observation, SlotHistory
from sluice.vendor_exports.completeness.update_history import HistoryPublisher, HistoryUpdater, output_keys
from sluice.vendor_exports.delivery.slots import MANIFEST, MASTER_SCHEMA, Slot, slots_between
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


def deliver(bucket: MemoryObjectStore, slot: Slot, files: Mapping[str, bytes], environment: Environment = TEST) -> None:
    bucket.objects.update({slot.folder(environment) + name: body for name, body in files.items()})


def report(environment: Environment, rows: Sequence[SlotHistory], out_of_scope: Sequence[str]) -> bytes:
    return repr((environment, rows, out_of_scope)).encode()


def publishing(bucket: MemoryObjectStore) -> HistoryPublisher:
    return HistoryPublisher(bucket, report, OUT_OF_SCOPE)


def updating(bucket: MemoryObjectStore, max_slots: int = 1000) -> HistoryUpdater:
    return HistoryUpdater(bucket, publishing(bucket), max_slots)


def initialise(bucket: MemoryObjectStore, first: Slot, last: Slot, now: datetime, run_id: str = "run") -> None:
    """All steps, the parts in another order than planned."""
    for part in reversed(write_plan(bucket, run_id, TEST, first, last, now)):
        observe_part(bucket, part, now)
    merge_parts(bucket, publishing(bucket), run_id)


def outputs(bucket: MemoryObjectStore, environment: Environment = TEST) -> dict[str, bytes]:
    return {key: bucket.objects[key] for key in output_keys(environment)}


def dates(bucket: MemoryObjectStore, environment: Environment = TEST) -> list[str]:
    """First cells of the rows of the job metrics."""
    text = bucket.objects[f"{environment.root}DataObservability/historical_job_metrics.csv"].decode()
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
