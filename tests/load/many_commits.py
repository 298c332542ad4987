"""What commits to a table cost as it grows: a thousand runs, each with files of so many new hours, and daily upkeep.

    .venv/bin/python -m tests.load.many_commits --runs 1000 --hours 20

As if a run came every quarter of an hour; snapshots are kept for a week, and what nothing refers to for three days.
At the end the local cloud's Athena counts the rows, and asks for those of a day.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pyarrow as pa
import typer
from typer import echo

from cli.platform.query import run_query
from sluice.contracts.load import load_registry
from sluice.lake.columns_glue import GlueColumns
from sluice.lake.object_store import parquet_key, table_prefix, timestamped_id
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.lake.parquet import rows_of, to_parquet
from sluice.tables import upkeep
from sluice.tables.planning import Plan
from sluice.tables.table_files_iceberg import IcebergFiles
from tests.support.local.emulated_lake import BUCKET, DATABASE, EmulatedLake, lake_in
from tests.support.moto.aws_calls import AwsCalls

TABLE = "MICROONE_EVENT"
_FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_DAY, _WEEK, _GRACE = 96, 672, 288  # runs
_REPORTED = 100


def main(runs: int = 1000, hours: int = 20) -> None:
    """Commit, and print what each hundred of runs took."""
    with tempfile.TemporaryDirectory() as folder, lake_in(Path(folder) / "cloud") as lake:
        table = GrowingTable(lake, hours)
        echo(" runs  CPU s   most  metadata   list manifests snapshots objects")
        for _ in range(0, runs, _REPORTED):
            echo(table.grow(_REPORTED))
        _query(lake, f"select count(*) from {TABLE}")
        _query(lake, f"select count(*) from {TABLE}")
        _query(lake, f"select count(*), count(distinct id) from {TABLE} where year = 2024 and month = 2 and day = 2")


class GrowingTable:
    """A table to which runs add files."""

    def __init__(self, lake: EmulatedLake, hours: int) -> None:
        self._hours, self._runs = hours, 0
        self._s3, self._glue = lake.deployment.s3, lake.deployment.glue
        self._files = S3ObjectStore(self._s3, BUCKET)
        self._tables = IcebergFiles(self._glue, DATABASE, BUCKET, self._s3)
        self._tables.prepare(next(each for each in load_registry().tables() if each.name == TABLE))
        self._schema = GlueColumns(self._glue, DATABASE, self._files).schema(TABLE)
        self._calls = AwsCalls((self._s3, self._glue))
        self._committed: list[datetime] = []

    def grow(self, runs: int) -> str:
        """Let runs commit, and tables be looked after; return a line of the report."""
        seconds, requests = [], Counter[str]()
        for _ in range(runs):
            run_id = timestamped_id(_FIRST + timedelta(minutes=15 * self._runs), f"{self._runs:08x}")
            bodies = dict(self._new_files(run_id))
            self._files.write_all(bodies)
            with self._calls.record() as operations:
                begun = time.process_time()
                self._tables.append(TABLE, run_id, list(bodies))
                seconds.append(time.process_time() - begun)
            requests.update(operations)
            self._committed.append(datetime.now(UTC))
            self._runs += 1
            if not self._runs % _DAY:
                self._look_after()
        return self._line(seconds, requests, runs)

    def _new_files(self, run_id: str) -> Iterator[tuple[str, bytes]]:
        for number in range(self._hours):
            at = _FIRST + timedelta(hours=self._runs * self._hours + number)
            hour = f"{at:%Y-%m-%dT%H}"
            row = {
                "id": f"{run_id}-{number}",
                "date_time": f"{hour}:00:00Z",
                "_source_key": run_id,
                "_source_offset": 0,
            }
            rows = rows_of(pa.Table.from_pylist([row]), hour, self._schema)
            yield parquet_key(TABLE, hour, f"{run_id}-0-{number:08x}"), to_parquet(rows)

    def _look_after(self) -> None:
        now = datetime.now(UTC)

        def since(runs: int) -> timedelta:
            return now - self._committed[-runs] if len(self._committed) >= runs else timedelta(days=1)

        plan = Plan(upkeep.new_run_id(now, f"{self._runs:08x}"), (TABLE,), ())
        upkeep.finish(plan, self._files, self._tables, now, kept=since(_WEEK), grace=since(_GRACE))

    def _line(self, seconds: list[float], requests: Counter[str], runs: int) -> str:
        table = self._tables._load(TABLE)
        current = table.current_snapshot()
        assert current is not None
        objects = list(self._files.list(f"{table_prefix(TABLE)}metadata/"))
        sizes = {each.key: each.size for each in objects}
        metadata, listing = (
            sizes[each.partition(f"{BUCKET}/")[2]] for each in (table.metadata_location, current.manifest_list)
        )
        asked = ", ".join(f"{operation} {number / runs:.1f}" for operation, number in sorted(requests.items()))
        return (
            f"{self._runs:5} {median(seconds):6.2f} {max(seconds):6.2f} {metadata:9,} {listing:6,} "
            f"{len(current.manifests(table.io)):9} {len(table.snapshots()):9} "
            f"{len(objects)} of {sum(sizes.values()):,} bytes; a run: {asked}"
        )


def _query(lake: EmulatedLake, sql: str) -> None:
    begun = time.monotonic()
    found = list(run_query(lake.deployment, sql).rows)
    echo(f"{time.monotonic() - begun:6.1f} s: {sql}: {found}")


if __name__ == "__main__":
    typer.run(main)
