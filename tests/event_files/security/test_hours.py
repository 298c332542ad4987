"""A file of made-up hours makes neither thousands of files nor a batch that outlasts its function."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from infra.event_files.settings import EventFiles
from sluice.event_files.convert.batches import Converter
from sluice.event_files.convert.committing import read_plan
from sluice.event_files.convert.planning import Planning
from sluice.event_files.ledger.model import HOUR_WORK
from sluice.event_files.validate.hours import HourLimits
from sluice.lake.object_store import TABLES_PREFIX
from tests.bench.local_validation import validate
from tests.event_files.security.contents import hourly
from tests.event_files.unit.convert.memory_ledger import RunningExecutions
from tests.support.lake_tables import schema_of
from tests.support.memory_object_store import MemoryObjectStore
from tests.support.moto.stage import REGISTRY, MotoStage

SETTINGS = EventFiles()
LIMITS = HourLimits(SETTINGS.event_days_before_file, SETTINGS.event_days_after_file, SETTINGS.max_file_hours)
MB = 1 << 20
SECONDS_OF_A_CALL = SETTINGS.convert_batch.timeout_seconds / 10  # without those that S3 takes


@pytest.mark.parametrize(
    ("year", "status", "reason"), [(2000, "validated", "RULE_BROKEN"), (2020, "refused", "FILE_TOO_SLOW")]
)
def test_a_file_of_ten_thousand_hours(moto_stage: MotoStage, year: int, status: str, reason: str) -> None:
    moto_stage.limits = replace(moto_stage.limits, hours=LIMITS)
    source = moto_stage.arrive("x/hours", hourly(8 * MB, datetime(year, 1, 1, tzinfo=UTC)))
    record = moto_stage.record(source)
    assert (record["status"], record["clean"], list(record["dirty"])) == (status, {}, [reason])


def test_hours_that_are_allowed_are_converted_in_calls_that_end_in_time() -> None:
    lake = MemoryObjectStore()
    body = hourly(2 * MB)
    ledger = validate(["hours"], lambda _: body, lake)
    planned = Planning(ledger, lake, RunningExecutions(), SETTINGS.batch_bytes).plan("me", "run", datetime.now(UTC), "")
    groups = read_plan(lake, planned.plan_key or "").groups
    events = sum(batch.rows for group in groups for batch in group.batches)
    assert len(groups) > 1
    for group in groups:
        hours = sum(span.hours for batch in group.batches for span in batch.spans)
        assert hours <= SETTINGS.batch_bytes / HOUR_WORK
        begun = time.process_time()
        Converter(REGISTRY, lake, schema_of, lambda: "attempt").convert(group)
        assert time.process_time() - begun < SECONDS_OF_A_CALL
    assert len([key for key in lake.objects if key.startswith(TABLES_PREFIX)]) == events, "a file for each hour"
