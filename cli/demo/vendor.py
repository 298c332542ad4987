"""What the demo's vendor does: an export with some trouble on the way, and the days before it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from cli.platform.session import Deployment
from cli.simulator.deliveries import Exports, files_of
from cli.simulator.exchange import Call
from cli.simulator.faults.access import urls_expire
from cli.simulator.faults.base import Target
from cli.simulator.faults.wire import http_error, truncated
from cli.simulator.simulator import Simulator
from cli.simulator.timing import Timing
from cli.vendor_exports.exports import Export, environment_of, run_export, simulator_credentials
from sluice.vendor_exports.delivery.slots import MASTER_SCHEMA, Slot, newest_settled, slots_between, table_of

_FILES = 60
_COMPRESSION = 600  # 20 minutes of replication take 2 seconds
_DAYS = 5
_PAST_FILES = 9
_THREADS = 16
# Of the hours before: so many came not at all, or without a table.
_LOST, _LACKING = 0.04, 0.06


def export(stage: Deployment, timeout: float) -> Export:
    """Run an export against a vendor whose addresses expire, whose files break off, and who is busy at times."""
    trouble = [
        urls_expire(after=20),
        truncated(Target(Call.FILE, file="Vessel_*", times=1)),
        http_error(Target(Call.STATUS, times=2)),
    ]
    timing = Timing(compression=_COMPRESSION)
    with Simulator(Exports(files=_FILES), trouble, timing, simulator_credentials(stage)) as vendor:
        return run_export(stage, timeout, vendor_url=vendor.url)


def put_past_hours(stage: Deployment) -> Slot:
    """Put the deliveries of some days into the lake, with gaps as in real life; return their first hour."""
    last = newest_settled(datetime.now(UTC))
    first = last.after(-24 * _DAYS)
    with ThreadPoolExecutor(_THREADS) as threads:
        for slot in slots_between(first, last):
            threads.submit(_put_hour, stage, slot)
    return first


def _put_hour(stage: Deployment, slot: Slot) -> None:
    folder, bucket = slot.folder(environment_of(stage)), stage.output("LakeBucket")
    for name, body in _delivery(slot):
        stage.s3.put_object(Bucket=bucket, Key=f"{folder}{name}", Body=body)


def _delivery(slot: Slot) -> Iterator[tuple[str, bytes]]:
    rng = random.Random(str(slot))  # noqa: S311 - the same hour is the same every time
    chance = rng.random()
    if chance < _LOST:
        return
    files = files_of(Exports(files=_PAST_FILES, seed=1 + slot.hour.hour % 4))
    tables = sorted({table for name in files if (table := table_of(name))})
    lacking = rng.choice(tables) if chance < _LOST + _LACKING else None
    for name, file in files.items():
        if name == MASTER_SCHEMA or table_of(name) != lacking:
            yield name, b"".join(file.content.chunks(0, file.content.size))
