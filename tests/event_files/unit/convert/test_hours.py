"""Rows go to the partition of their hour, in UTC, each exactly once."""

from collections import defaultdict

import pyarrow as pa
import pytest

from sluice.event_files.convert.batches import by_hour
from sluice.lake.object_store import parquet_key
from tests.event_files.unit.validate.contract_events import chance

PARTITIONS = {
    "2022-04-09T08:05:01Z": "year=2022/month=4/day=9/hour=8",
    "2022-04-09T08:59:59.999999999Z": "year=2022/month=4/day=9/hour=8",
    "2022-04-09T09:00:00+00:00": "year=2022/month=4/day=9/hour=9",
    "2000-01-01T00:00:00Z": "year=2000/month=1/day=1/hour=0",
    "2022-12-31T23:59:59Z": "year=2022/month=12/day=31/hour=23",
    "2023-12-31T23:59:59Z": "year=2023/month=12/day=31/hour=23",
    "2099-10-10T10:10:10.0Z": "year=2099/month=10/day=10/hour=10",
}


def table(times: list[str]) -> pa.Table:
    return pa.table({"date_time": times, "n": range(len(times))})


@pytest.mark.parametrize(("time", "partition"), PARTITIONS.items())
def test_partition_of_a_time(time: str, partition: str) -> None:
    ((hour, rows),) = by_hour(table([time]))
    assert rows.to_pydict() == {"date_time": [time], "n": [0]}
    assert parquet_key("T", hour, "run-batch") == f"data/clean_parquet/T.parquet/{partition}/run-batch.parquet"


@pytest.mark.parametrize("count", [1, 2, 3, 100])
@pytest.mark.parametrize("seed", range(5))
def test_rows_of_many_hours(count: int, seed: int) -> None:
    """Each partition comes once; in it are all rows of its hour, in the order they came."""
    times = chance(seed).choices(list(PARTITIONS), k=count)
    wanted = defaultdict(list)
    for number, time in enumerate(times):
        wanted[PARTITIONS[time]].append((time, number))
    parts = [(parquet_key("T", hour, "x").split("/", 3)[3], rows) for hour, rows in by_hour(table(times))]
    found = {part.rpartition("/")[0]: list(zip(*rows.to_pydict().values(), strict=True)) for part, rows in parts}
    assert found == wanted
    assert len(parts) == len(found)


def test_rows_in_several_chunks() -> None:
    rows = pa.concat_tables([table(list(PARTITIONS)), table(list(PARTITIONS))])
    assert sum(part.num_rows for _, part in by_hour(rows)) == 2 * len(PARTITIONS)
    ((hour, all_rows),) = by_hour(pa.concat_tables([table(["2022-04-09T08:05:01Z"])] * 2))
    assert (hour, all_rows.num_rows) == ("2022-04-09T08", 2)
