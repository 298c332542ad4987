"""Histories that a hostile schema got into, before there were limits, heal by themselves; and no later one gets in."""

import json
import subprocess
import sys
from typing import Any

import orjson
import pyarrow as pa
import pytest

from sluice.lake.parquet import to_parquet
from sluice.vendor_exports.completeness import observation_file
from sluice.vendor_exports.completeness.history_files import TABLE_METRICS_CSV, observability_key, state_key
from sluice.vendor_exports.completeness.observation_file import read_observations
from sluice.vendor_exports.completeness.report.page import report_page
from sluice.vendor_exports.completeness.update_history import HistoryPublisher, HistoryUpdater
from sluice.vendor_exports.delivery.master_schema import MAX_TABLES, read_schema
from tests.support.peak_memory import peak_mb
from tests.vendor_exports.unit.completeness.deliveries import FIRST, TEST, Bucket, job, schema, settled, slots

MANY, HOURS = 560_000, 6
GOOD = orjson.dumps(list(read_schema(schema("Voyage", "Vessel")) or ())).decode()


def _poison(hour: int) -> str:
    """A schema of 560,000 tables, others in every hour."""
    return orjson.dumps([(f"{hour}T{number}", f"{number * 7919 + hour:012x}") for number in range(MANY)]).decode()


def _poisoned_state() -> bytes:
    """Hours of good observations, and bad ones after them."""
    hours = slots(30)
    columns = {
        "slot": [slot.hour.replace(tzinfo=None) for slot in hours],
        "observed_at": [settled(slot).replace(tzinfo=None) for slot in hours],
        "files": [2] * len(hours),
        "size": [2000] * len(hours),
        "tables": ['["Vessel","Voyage"]'] * len(hours),
        "schema": [*[GOOD] * (len(hours) - HOURS), *map(_poison, range(HOURS))],
    }
    return to_parquet(pa.table(columns, schema=observation_file._COLUMNS))


def main(path: str) -> None:
    """Update the histories of a state in a file, once more than is needed; print what was cut, and the memory."""
    bucket = Bucket()
    with open(path, "rb") as state:  # noqa: PTH123 - its bytes are held once
        bucket.objects[state_key(TEST)] = state.read()
    for slot in slots(31):
        bucket.deliver(slot, job(["Voyage", "Vessel"], schema("Voyage", "Vessel")))
    updater = HistoryUpdater(bucket, HistoryPublisher(bucket, bucket.tables, report_page, ()), 1000)
    cut = [len(updater.update(TEST, settled(FIRST.after(hours))).beyond_limits) for hours in (29, 30)]
    csv = bucket.objects[observability_key(TEST, TABLE_METRICS_CSV)].decode()
    found = {"cut": cut, "lines": csv.splitlines(), "state": len(bucket.objects[state_key(TEST)]), "peak_mb": peak_mb()}
    sys.stdout.write(json.dumps(found))


def test_a_poisoned_history_heals_within_bounded_memory(tmp_path: Any) -> None:
    """It took 1.8 GB of 2; the rows stay, by the last schema that was none of them."""
    (tmp_path / "state").write_bytes(_poisoned_state())
    command = [sys.executable, "-m", "tests.vendor_exports.security.test_histories", str(tmp_path / "state")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["cut"] == [HOURS, 0], "it is said once, and healed"
    assert len(found["lines"]) == 32
    assert {line.partition(",")[2] for line in found["lines"][1:]} == {"2,2,0,,1.0000"}
    assert found["state"] < 20_000
    assert found["peak_mb"] < 900, "of 2,048"


def test_a_schema_beyond_the_limits_gets_into_no_history() -> None:
    bucket = Bucket()
    first, second, third = slots(3)
    bucket.deliver(first, job(["Voyage"], schema("Voyage")))
    bucket.deliver(second, job(["Voyage"], schema(*(f"T{number}" for number in range(MAX_TABLES + 1)))))
    bucket.deliver(third, job([f"T{number}" for number in range(MAX_TABLES + 1)], schema("Voyage")))
    bucket.update(settled(third))
    seen = read_observations(bucket.objects[state_key(TEST)])
    assert [each.schema and len(each.schema) for each in seen] == [1, None, 1]
    assert len(seen[2].tables) == MAX_TABLES
    assert (seen[2].files, len(bucket.objects[state_key(TEST)]) < 100_000) == (MAX_TABLES + 2, True)


@pytest.mark.parametrize("kept", [2, 1, 0])
def test_of_too_many_names_the_oldest_hours_go(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    """Every hour has a hundred tables that no other has."""
    bucket = Bucket()
    for number, slot in enumerate(slots(2)):
        tables = [f"{number}T{table}" for table in range(100)]
        bucket.deliver(slot, job(tables, schema(*tables)))
    bucket.update(settled(slots(2)[-1]))
    monkeypatch.setattr(observation_file, "MAX_NAMES", 200 * kept)
    seen = read_observations(bucket.objects[state_key(TEST)])
    assert [len(each.tables) for each in seen] == [0] * (2 - kept) + [100] * kept
    assert [each.files for each in seen] == [101, 101]


if __name__ == "__main__":
    main(*sys.argv[1:])
