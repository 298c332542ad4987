"""Exports that take long, that meet, and whose deliveries are unusual."""

from __future__ import annotations

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
from cli.simulator.transport_faults import Target
from sluice.contracts.model import Table
from sluice.vendor_exports.completeness.history_files import HISTORICAL_JOB_SIZE, HISTORICAL_TABLE_METRICS, history_key
from sluice.vendor_exports.delivery.slots import Slot
from tests.support.deployed_exports import DeployedExports, Faults, assert_delivered, contents

# What would take hours: the steps by hand, with the seconds they would have waited


def test_a_job_that_hangs(deployed_exports: DeployedExports) -> None:
    with deployed_exports.vendor(vendor_faults.job_hangs()) as vendor:
        export = deployed_exports.by_hand(vendor)
        export.trigger()
        assert export.check(polls=88)["turn"] == "wait"
        assert export.check(polls=90)["turn"] == "over"
        account = export.close()
    expected = 'the job was not complete after 90 minutes: its last status was "Running", 0 were unknown'
    assert (account["status"], account["cause"]) == ("incomplete", expected)


def test_a_vendor_that_takes_no_job(deployed_exports: DeployedExports) -> None:
    with deployed_exports.vendor(vendor_faults.triggered_elsewhere(), timing=Timing()) as vendor:
        export = deployed_exports.by_hand(vendor)
        first = export.trigger()
        assert first["turn"] == "wait"
        assert 3590 < first["wait_seconds"] <= 3602
        assert export.trigger(first["waited_seconds"])["turn"] == "over"
        account = export.close()
    assert account["status"] == "incomplete"
    said = r'within 75 minutes of waiting: the vendor said "The export was requested less than an hour ago\. The next'
    assert re.search(said, account["cause"])


def test_a_vendor_that_is_down(deployed_exports: DeployedExports) -> None:
    with deployed_exports.vendor(transport_faults.http_error(Target(Call.TOKEN))) as vendor:
        export = deployed_exports.by_hand(vendor)
        assert export.trigger() == {"turn": "wait", "wait_seconds": 300, "waited_seconds": 300, "cause": ""}
        assert export.trigger(waited_seconds=4400)["turn"] == "over"
        account = export.close()
    assert account["status"] == "incomplete"
    slot = export.state["export"]["slot"]
    assert f"export {slot}, token: the vendor answered 503, 5 times. If this goes on" in account["cause"]


def test_a_run_across_the_hour_lands_in_one_folder(deployed_exports: DeployedExports) -> None:
    """The slot is the hour the execution was started in, however late its steps are."""
    started_at = Slot.of(datetime.now(UTC)).hour - timedelta(seconds=1)
    with deployed_exports.vendor() as vendor:
        assert deployed_exports.by_hand(vendor, started_at).deliver()["status"] == "delivered"
        folder = Slot.of(started_at).folder(deployed_exports.environment)
        assert deployed_exports.landed(folder) == contents(vendor)
    assert {key.rpartition("/")[0] for key in deployed_exports.cloud.keys(deployed_exports.environment.hourly)} == {
        folder[:-1]
    }


# Runs that meet


def test_a_run_that_overlaps_the_next_one(deployed_exports: DeployedExports) -> None:
    with deployed_exports.vendor(vendor_faults.job_hangs()) as vendor:
        first = deployed_exports.start(vendor)
        slot = _wait_for_the_job(deployed_exports, vendor, first)
        second = deployed_exports.export(vendor, slot)
        assert (second.exit_code, second.document["status"]) == (1, "skipped")
        assert f"Slot {slot}: another run has the slot" in second.words
        vendor.vendor.faults = ()
        assert deployed_exports.wait_for(first)["account"]["status"] == "delivered"
        assert len(vendor.requests(Call.EXPORT)) == 1


def test_a_run_that_died_is_taken_over(deployed_exports: DeployedExports) -> None:
    with deployed_exports.vendor(vendor_faults.job_hangs()) as vendor:
        dead = deployed_exports.start(vendor)
        slot = _wait_for_the_job(deployed_exports, vendor, dead)
        deployed_exports.cloud.deployment.stepfunctions.stop_execution(executionArn=dead)
        vendor.vendor.faults = ()
        assert_delivered(deployed_exports, vendor, deployed_exports.export(vendor, slot))
        assert len(vendor.requests(Call.EXPORT)) == 1


# What is delivered, and unusual


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
    deployed_exports: DeployedExports, faults: Faults, tables: dict[str, list[str]], is_off: Callable[[float], bool]
) -> None:
    slot = Slot.of(datetime.now(UTC)).after(-3)
    with deployed_exports.vendor() as vendor:
        usual = deployed_exports.by_hand(vendor, slot.after(-168).hour)
        assert usual.deliver()["status"] == "delivered"
    for weeks in (2, 3):
        _copy_folder(deployed_exports, slot.after(-168), slot.after(-168 * weeks))
    with deployed_exports.vendor(*faults()) as vendor:
        unusual = deployed_exports.by_hand(vendor, slot.hour)
        assert unusual.deliver()["status"] == "delivered"
    while unusual.observe()["waiting"]:
        pass
    row = _row(deployed_exports, HISTORICAL_TABLE_METRICS, slot)
    assert {name: row[name] for name in tables} == tables
    assert row["missingtables"] == 0
    assert is_off(_row(deployed_exports, HISTORICAL_JOB_SIZE, slot)["deviation"])


def _copy_folder(deployed_exports: DeployedExports, source: Slot, target: Slot) -> None:
    bucket, s3 = deployed_exports.cloud.output("LakeBucket"), deployed_exports.cloud.deployment.s3
    old, new = source.folder(deployed_exports.environment), target.folder(deployed_exports.environment)
    for key in deployed_exports.cloud.keys(old):
        s3.copy_object(Bucket=bucket, Key=key.replace(old, new), CopySource={"Bucket": bucket, "Key": key})


def _row(deployed_exports: DeployedExports, table: Table, slot: Slot) -> dict[str, Any]:
    body = deployed_exports.cloud.read(history_key(deployed_exports.environment, table.name))
    rows = pq.read_table(pa.BufferReader(body)).to_pylist()
    return next(row for row in rows if row["date"] == str(slot))


def _wait_for_the_job(deployed_exports: DeployedExports, vendor: Simulator, execution: str) -> str:
    """Wait until a job is asked for; return the slot."""
    while not vendor.requests(Call.STATUS):
        time.sleep(0.1)
    found = deployed_exports.cloud.deployment.stepfunctions.describe_execution(executionArn=execution)
    return str(Slot.of(found["startDate"]))
