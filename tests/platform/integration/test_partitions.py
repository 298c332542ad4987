"""A partition of a table that is replaced: by one snapshot, once per run, and whatever the table is partitioned by."""

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest
from moto import mock_aws

from sluice.aws import runtime
from sluice.contracts.model import Column, Table
from sluice.lake.object_store import table_prefix
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.lake.parquet import to_parquet
from sluice.lake.partitions_iceberg import IcebergPartitions
from tests.support.lake_tables import columns_of

LAKE = "the-lake"
DAY = Column("day", (), "date", "The day.")
DAYS = Table("DAYS", (Column("id", (), "bigint", "Its id."),), "Rows of days.", (DAY,))
FIRST, SECOND = date(2026, 11, 29), date(2026, 11, 30)


@pytest.fixture
def tables() -> Iterator[IcebergPartitions]:
    with mock_aws():
        runtime.s3().create_bucket(Bucket=LAKE)
        runtime.glue().create_database(DatabaseInput={"Name": "lake"})
        made = IcebergPartitions(runtime.glue(), "lake", LAKE)
        assert made.prepare(DAYS) == ["created"]
        yield made


def file_of(day: date, name: str, *ids: int) -> str:
    rows = pa.Table.from_pylist([{"id": each, "day": day} for each in ids], columns_of(DAYS))
    key = f"{table_prefix('DAYS')}day={day}/{name}.parquet"
    S3ObjectStore(runtime.s3(), LAKE).write(key, to_parquet(rows))
    return key


def ids(tables: IcebergPartitions) -> list[int]:
    rows: list[int] = tables._load("DAYS").scan().to_arrow()["id"].to_pylist()
    return sorted(rows)


def test_a_day_is_replaced_in_one_snapshot_and_others_stay(tables: IcebergPartitions) -> None:
    tables.replace_partition("DAYS", "run-1", {"day": FIRST}, [file_of(FIRST, "a", 1, 2)])
    tables.replace_partition("DAYS", "run-2", {"day": SECOND}, [file_of(SECOND, "b", 3), file_of(SECOND, "c", 4)])
    for _ in range(2):  # the second call finds the run's snapshot
        tables.replace_partition("DAYS", "run-3", {"day": SECOND}, [file_of(SECOND, "d", 5)])
    assert ids(tables) == [1, 2, 5]
    newest, before, *_ = tables.snapshots("DAYS")
    assert (newest.run_id, newest.rows_added, newest.rows_removed) == ("run-3", 1, 2)
    assert before.run_id == "run-2"
    tables.roll_back("DAYS", before.snapshot_id, newest.snapshot_id)
    assert ids(tables) == [1, 2, 3, 4]


def test_a_day_may_become_empty(tables: IcebergPartitions) -> None:
    tables.replace_partition("DAYS", "run-1", {"day": FIRST}, [file_of(FIRST, "a", 1)])
    tables.replace_partition("DAYS", "run-2", {"day": FIRST}, [])
    assert ids(tables) == []
