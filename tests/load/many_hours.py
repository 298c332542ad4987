"""Initialising histories over many hours: what it takes once listings are there. Not part of `make test`.

    .venv/bin/python -m tests.load.many_hours --hours 10000 --files 300

Plan, parts, merge and all outputs are the real ones; the bucket is made up, so that nothing but processing is timed.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import typer
from typer import echo

from sluice.lake.object_store import ListedObject
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.history_files import state_key
from sluice.vendor_exports.completeness.initialise_history import Part, merge_parts, observe_part, write_plan
from sluice.vendor_exports.completeness.report.page import report_page
from sluice.vendor_exports.completeness.update_history import HistoryPublisher, HistoryUpdater, output_keys
from sluice.vendor_exports.delivery.model import MANIFEST, MASTER_SCHEMA, Slot, slots_between
from tests.support.memory_object_store import MemoryObjectStore
from tests.support.peak_memory import peak_mb
from tests.vendor_exports.unit.completeness.deliveries import MemoryTables

_MODIFIED = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = Slot(datetime(2025, 1, 1, tzinfo=UTC))
TABLES = [f"ImosTable{number:03}" for number in range(100)]
COLUMNS = [{"ColumnName": f"column{number}", "DataType": "nvarchar(255)", "IsNullable": True} for number in range(40)]

T = TypeVar("T")


@dataclass(kw_only=True)
class MadeUpBucket(MemoryObjectStore):
    """Every hour holds the same names, but now and then a job fails, a table is missing or the schema changes.

    Manifests name them all but one file, which another job left behind.
    """

    files: int

    def __post_init__(self) -> None:
        """Make names and schemas once."""
        partitions = [f"{TABLES[number % len(TABLES)]}_{number:04}.json.gz" for number in range(self.files - 2)]
        self._names = [MASTER_SCHEMA, MANIFEST, *partitions]
        self._schemas = [_schema(version) for version in range(20)]
        entries = [{"key": f"a-job/{name}", "size": 1000} for name in [MASTER_SCHEMA, *partitions[1:]]]
        self._manifest = json.dumps(entries).encode()

    def find_all(self, keys: Sequence[str], max_bytes: int) -> list[bytes | None]:
        """Return schemas and manifests, each as bytes of its own as a network would give them."""
        assert max_bytes > max(len(self._schemas[0]), len(self._manifest))
        return [bytes(bytearray(self._manifest if key.endswith(MANIFEST) else self._schema(key))) for key in keys]

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """Yield one slot's files."""
        day, hour = prefix.split("/")[-3:-1]
        number = int(day) * 24 + int(hour)
        if number % 97:
            for name in self._names[: -(number % 50) or None]:
                yield ListedObject(prefix + name, 1000 + number % 5000, _MODIFIED)

    def _schema(self, key: str) -> bytes:
        return self._schemas[int(key.split("/")[-3]) // 30 % len(self._schemas)]


def main(hours: int = 10_000, files: int = 300) -> None:
    """Initialise, then update by an hour; print seconds and sizes."""
    bucket = MadeUpBucket(files=files)
    last, environment = FIRST.after(hours - 1), Environment.PROD
    echo(f"{hours} hours of {files} files")
    listed = timed("listing alone, made up", lambda: _count(bucket, environment, last))
    publishing = HistoryPublisher(bucket, MemoryTables(bucket), report_page, ["ImosTable007"])
    now = last.after(2).hour
    parts = timed("plan", lambda: write_plan(bucket, "run", environment, FIRST, last, now))
    timed(f"observe {len(parts)} parts", lambda: _observe(bucket, parts, now))
    timed("merge, derive, write all outputs", lambda: merge_parts(bucket, publishing, "run"))
    echo(f"{time.process_time():10.2f} s   of processor time so far")
    updating = HistoryUpdater(bucket, publishing, 240)
    timed("update by an hour", lambda: updating.update(environment, last.after(3).hour))
    for key in [state_key(environment), *output_keys(environment)]:
        echo(f"{len(bucket.objects[key]) / 1000:10.0f} kB  {key}")
    echo(f"{listed} objects; peak memory {peak_mb():.0f} MB")


def timed(what: str, work: Callable[[], T]) -> T:
    """Do it and print how long it took."""
    begun = time.monotonic()
    result = work()
    echo(f"{time.monotonic() - begun:10.2f} s   {what}")
    return result


def _observe(bucket: MadeUpBucket, parts: Sequence[Part], now: datetime) -> None:
    for part in parts:
        observe_part(bucket, part, now)


def _count(bucket: MadeUpBucket, environment: Environment, last: Slot) -> int:
    return sum(1 for _ in bucket.list_all(slot.folder(environment) for slot in slots_between(FIRST, last)))


def _schema(version: int) -> bytes:
    entries = [{"DataObjectName": table, "Columns": COLUMNS, "Version": version // 2} for table in TABLES]
    return json.dumps(entries[version % 2 :]).encode()


if __name__ == "__main__":
    typer.run(main)
