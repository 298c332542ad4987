"""Exports that wait for hours, that overlap, and whose deliveries are unusual."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.simulator import transport_faults, vendor_faults
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Timing
from cli.simulator.simulator import Simulator
from cli.simulator.vendor import Target
from sluice.contracts.model import Table
from sluice.vendor_exports.completeness.history_files import HISTORICAL_JOB_SIZE, HISTORICAL_TABLE_METRICS, history_key
from sluice.vendor_exports.delivery.model import Slot
from tests.support.local.deployed_exports import DeployedExports, Faults, assert_delivered, contents

# Waiting for hours: steps are told that they waited


def test_a_job_that_hangs(exports: DeployedExports) -> None:
    with exports.vendor(vendor_faults.job_hangs()) as vendor:
        export = exports.step_by_step(vendor)
        export.trigger_job()
        assert export.check_job(polls=88)["next_step"] == "wait"
        assert export.check_job(polls=90)["next_step"] == "over"
        account = export.record_result()
    expected = 'the job was not complete after 90 minutes: its last status was "Running", 0 were unknown'
    assert (account["status"], account["cause"]) == ("incomplete", expected)


def test_a_vendor_that_accepts_no_job(exports: DeployedExports) -> None:
    with exports.vendor(vendor_faults.triggered_elsewhere(), timing=Timing()) as vendor:
        export = exports.step_by_step(vendor)
        first = export.trigger_job()
        assert first["next_step"] == "wait"
        assert 3590 < first["wait_seconds"] <= 3602
        assert export.trigger_job(first["waited_seconds"])["next_step"] == "over"
        account = export.record_result()
    assert account["status"] == "incomplete"
    said = r'within 75 minutes of waiting: the vendor said "The export was requested less than an hour ago\. The next'
    assert re.search(said, account["cause"])


def test_a_vendor_that_is_down(exports: DeployedExports) -> None:
    with exports.vendor(transport_faults.http_error(Target(Call.TOKEN))) as vendor:
        export = exports.step_by_step(vendor)
        assert export.trigger_job() == {"next_step": "wait", "wait_seconds": 300, "waited_seconds": 300, "cause": ""}
        assert export.trigger_job(waited_seconds=4400)["next_step"] == "over"
        account = export.record_result()
    assert account["status"] == "incomplete"
    slot = export.state["export"]["slot"]
    assert f"export {slot}, token: the vendor answered 503, 5 times. If this goes on" in account["cause"]


def test_a_run_across_the_hour_lands_in_one_folder(exports: DeployedExports) -> None:
    """The slot is the hour in which the execution was started, however late its steps are."""
    started_at = Slot.of(datetime.now(UTC)).hour - timedelta(seconds=1)
    with exports.vendor() as vendor:
        assert exports.step_by_step(vendor, started_at).deliver()["status"] == "delivered"
        folder = Slot.of(started_at).folder(exports.environment)
        assert exports.landed(folder) == contents(vendor)
    assert {key.rpartition("/")[0] for key in exports.cloud.keys(exports.environment.hourly)} == {folder[:-1]}


# Executions that overlap


def test_a_run_that_overlaps_the_next_one(exports: DeployedExports) -> None:
    with exports.vendor(vendor_faults.job_hangs()) as vendor:
        first = exports.start(vendor)
        slot = _wait_for_the_job(exports, vendor, first)
        second = exports.export(vendor, slot)
        assert (second.exit_code, second.document["status"]) == (1, "skipped")
        assert f"Slot {slot}: another run has the slot" in second.stderr
        vendor.vendor.faults = ()
        assert exports.wait_for(first)["result"]["status"] == "delivered"
        assert len(vendor.requests(Call.EXPORT)) == 1


def test_a_run_that_died_is_taken_over(exports: DeployedExports) -> None:
    with exports.vendor(vendor_faults.job_hangs()) as vendor:
        dead = exports.start(vendor)
        slot = _wait_for_the_job(exports, vendor, dead)
        exports.cloud.deployment.stepfunctions.stop_execution(executionArn=dead)
        vendor.vendor.faults = ()
        assert_delivered(exports, vendor, exports.export(vendor, slot))
        assert len(vendor.requests(Call.EXPORT)) == 1


# Unusual deliveries


UNUSUAL = [
    pytest.param(
        lambda: [vendor_faults.table_added(), vendor_faults.column_added(), vendor_faults.volume_changed(20)],
        {"unexpected_tables": ["CrewWages"], "schema_added": [], "schema_removed": [], "schema_altered": ["Voyage"]},
        lambda deviation: deviation > 5,
        id="a table more, a column more, a multiple of the usual size",
    ),
    pytest.param(
        lambda: [vendor_faults.schema_upgraded(), vendor_faults.volume_changed(0.01)],
        {"unexpected_tables": [], "schema_added": ["VesselV2"], "schema_removed": ["Vessel"]},
        lambda deviation: deviation < 0.5,
        id="another schema, a fraction of the usual size",
    ),
]


@pytest.mark.parametrize(("faults", "tables", "is_off"), UNUSUAL)
def test_unusual_deliveries_are_seen_in_the_histories(
    exports: DeployedExports, faults: Faults, tables: dict[str, list[str]], is_off: Callable[[float], bool]
) -> None:
    slot = Slot.of(datetime.now(UTC)).after(-3)
    with exports.vendor() as vendor:
        usual = exports.step_by_step(vendor, slot.after(-168).hour)
        assert usual.deliver()["status"] == "delivered"
    for weeks in (2, 3):
        _copy_folder(exports, slot.after(-168), slot.after(-168 * weeks))
    with exports.vendor(*faults()) as vendor:
        unusual = exports.step_by_step(vendor, slot.hour)
        assert unusual.deliver()["status"] == "delivered"
    while unusual.update_history()["waiting"]:
        pass
    row = _row(exports, HISTORICAL_TABLE_METRICS, slot)
    assert {name: row[name] for name in tables} == tables
    assert row["missingtables"] == 0
    assert is_off(_row(exports, HISTORICAL_JOB_SIZE, slot)["deviation"])


def _copy_folder(exports: DeployedExports, source: Slot, target: Slot) -> None:
    bucket, s3 = exports.cloud.output("LakeBucket"), exports.cloud.deployment.s3
    old, new = source.folder(exports.environment), target.folder(exports.environment)
    for key in exports.cloud.keys(old):
        s3.copy_object(Bucket=bucket, Key=key.replace(old, new), CopySource={"Bucket": bucket, "Key": key})


def _row(exports: DeployedExports, table: Table, slot: Slot) -> dict[str, Any]:
    body = exports.cloud.read(history_key(exports.environment, table.name))
    rows = pq.read_table(pa.BufferReader(body)).to_pylist()
    return next(row for row in rows if row["date"] == str(slot))


def _wait_for_the_job(exports: DeployedExports, vendor: Simulator, execution: str) -> str:
    """Wait until a job is triggered, and return the slot."""
    while not vendor.requests(Call.STATUS):
        time.sleep(0.1)
    found = exports.cloud.deployment.stepfunctions.describe_execution(executionArn=execution)
    return str(Slot.of(found["startDate"]))
