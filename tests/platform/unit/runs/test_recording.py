"""From recorded executions to records."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sluice.lake.object_store import MissingObjectError
from sluice.pipelines import RUN_KINDS
from sluice.runs.model import RunRecord
from sluice.runs.recording import StillRunningError
from sluice.vendor_exports.metrics import COPY_SECONDS, JOB_SECONDS
from sluice.vendor_exports.run_summary import measure
from tests.platform.unit.runs.recorded_executions import NAMES, Recorded, recorded

RUN = "20261122T073346281000Z-96d99822"
COMMIT = {
    "run_id": RUN,
    "files": 6,
    "events": 40,
    "rows": {"A": 30, "B": 10},
    "parquet_files": 15,
    "parquet_bytes": 9000,
    "bytes": 5000,
    "dirty": {"A": {"RULE_BROKEN": 3}, "-": {"FRAGMENT": 2, "NO_CONTRACT": 1}},
    "unrelated": 7,
    "unknown_members": 8,
    "media_missing": 9,
}


def record(name: str) -> RunRecord:
    execution = recorded(name)
    execution.commits[f"runs/{RUN}/commit.json"] = COMMIT
    return execution.recorder.record(execution.arn)


# Name of the recording: outcome, subject, started by, failed step, failed attempts.
ENDS = {
    "convert_converted": ("converted", RUN, "hand: ann", "", 0),
    "convert_failed": ("failed", RUN, "schedule", "Convert the batches", 1),
    "convert_nothing_to_do": ("nothing_to_do", "", "schedule", "", 0),
    "export_busy": ("skipped", "20261122-08", "", "", 0),
    "export_delivered": ("delivered", "20261122-08", "", "", 0),
    "export_refetched": ("delivered", "20261122-08", "", "", 0),
    "export_incomplete": ("incomplete", "20261122-08", "", "", 0),
    "export_step_failed": ("incomplete", "20261122-08", "", "List the files", 3),
    "export_not_observed": ("failed", "20261122-08", "", "Update the histories", 3),
    "export_aborted": ("aborted", "20261122-08", "", "Wait for the job", 0),
    "history_initialised": ("initialised", "20261121-00 to 20261121-05", "hand: ann", "", 0),
    "history_failed": ("failed", "20291121-00 to 20291121-05", "", "Cut the range into parts", 3),
}


def test_every_recorded_execution_has_an_expected_end() -> None:
    assert sorted(ENDS) == NAMES


@pytest.mark.parametrize("name", ENDS)
def test_end_of_a_run(name: str) -> None:
    found = record(name)
    assert found == record(name), "twice gives the same"
    end = (found.outcome, found.subject, found.started_by, found.failed_step, found.failures)
    assert end == ENDS[name]
    assert found.counts.keys() == set(RUN_KINDS[found.kind].counts)
    succeeded = recorded(name).described["status"] == "SUCCEEDED"
    assert bool(found.cause) is not succeeded


@pytest.mark.parametrize("name", ENDS)
def test_steps_fill_the_time(name: str) -> None:
    found, described = record(name), recorded(name).described
    assert found.seconds == (described["stopDate"] - described["startDate"]).total_seconds()
    assert found.seconds - 2 < sum(step.seconds for step in found.steps) <= found.seconds
    assert found.started_at == f"{described['startDate']:%Y-%m-%dT%H:%M:%S.%f}"[:23] + "Z"


def test_a_conversion_counts_what_its_commit_says() -> None:
    found = record("convert_converted")
    assert found.rows == {"A": 30, "B": 10}
    assert found.dirty == COMMIT["dirty"]
    summed = {"files": 6, "events": 40, "rows": 40, "parquet_files": 15, "parquet_bytes": 9000, "dirty": 6}
    summed |= {"unrelated": 7, "unknown_members": 8, "media_missing": 9, "bytes": 5000}
    assert found.counts == summed | dict.fromkeys(("chunks_left_out", "dirty_bytes", "dirty_files"), 0)
    assert found.links["summary"] == f"s3://lake-bucket/runs/{RUN}/commit.json"
    assert found.links["console"].endswith(found.execution)
    steps = ["Plan the run", "Convert the batches", "Commit the run", "Publish the profiling log"]
    assert [step.name for step in found.steps] == steps


def test_an_execution_that_failed_counts_nothing() -> None:
    """Its run may be committed by another execution; that one counts it, so sums over records stay right."""
    found = record("convert_failed")
    assert not any(found.counts.values())
    assert (found.rows, found.dirty) == ({}, {})


def test_a_conversion_whose_commit_is_gone_is_not_recorded() -> None:
    execution = recorded("convert_converted")
    with pytest.raises(MissingObjectError):
        execution.recorder.record(execution.arn)


def test_the_cause_of_a_failed_map_is_that_of_its_items() -> None:
    execution = recorded("convert_failed")
    in_map = "2 of 15 items failed, one of them with: chunk 7 does not exist"
    assert execution.recorder.record(execution.arn).cause == in_map
    execution.items_failed = False
    assert "threshold" in execution.recorder.record(execution.arn).cause
    assert "AccessDenied" in record("export_step_failed").cause, "another step's cause is its own"


@pytest.mark.parametrize(
    ("status", "said"), [("FAILED", "was killed"), ("ABORTED", "was stopped"), ("TIMED_OUT", "took longer than")]
)
def test_an_end_without_a_cause_has_one_here(status: str, said: str) -> None:
    """Of a function that was killed Step Functions gives none."""
    execution = recorded("convert_failed")
    execution.items_failed = False
    execution.described |= {"status": status, "cause": "", "error": ""}
    assert said in execution.recorder.record(execution.arn).cause


def test_an_export_counts_what_its_result_says() -> None:
    found = record("export_incomplete")
    counts = dict(found.counts)
    assert counts["promised"] - counts["missing"] == counts["copied"] == 9
    assert found.links["files"] == "s3://lake-bucket/DEV/IMOSDL/Hourly/20261122/08/"
    assert record("export_refetched").counts["refetched"] == 1
    assert record("export_not_observed").counts["copied"] == 10


def test_phases_of_an_export_are_measured() -> None:
    found = record("export_refetched")
    steps = {step.name: step.seconds for step in found.steps}
    waited = steps["Wait for the job to begin"] + steps["Check the job"] + steps.get("Wait for the job", 0)
    copied = steps["List the files"] + steps["Copy the files"] + steps["Check the delivery"]
    assert measure(found) == pytest.approx({JOB_SECONDS: waited, COPY_SECONDS: copied})


@pytest.mark.parametrize("name", ["export_busy", "export_aborted", "convert_converted"])
def test_a_phase_that_did_not_end_has_no_length(name: str) -> None:
    assert measure(record(name)) == {}


def test_a_job_of_an_earlier_run_is_not_measured_again() -> None:
    found = record("export_delivered")
    resumed = replace(found, steps=tuple(step for step in found.steps if step.name != "Trigger the job"))
    assert measure(resumed) == {COPY_SECONDS: measure(found)[COPY_SECONDS]}


def _running(name: str) -> Recorded:
    execution = recorded(name)
    execution.described |= {"status": "RUNNING", "stopDate": None, "cause": None, "error": None}
    execution.events.pop()
    return execution


def test_an_execution_whose_end_is_not_seen_is_not_recorded() -> None:
    without_last_event = recorded("convert_failed")
    without_last_event.events.pop()
    for execution in (without_last_event, _running("export_aborted")):
        with pytest.raises(StillRunningError):
            execution.recorder.record(execution.arn)


def test_a_run_that_is_going_on_has_a_preview() -> None:
    execution = _running("export_aborted")
    now = execution.described["startDate"] + timedelta(minutes=10)
    found = execution.recorder.preview(execution.arn, now)
    assert (found.outcome, found.cause, found.failed_step) == ("running", "", "")
    assert found.seconds == 600
    assert found.id == record("export_aborted").id
    assert {step.name: step.seconds for step in found.steps}["Wait for the job"] > 500


def test_two_executions_of_one_second_are_two_records() -> None:
    execution = recorded("convert_nothing_to_do")
    execution.described["executionArn"] += "-2"
    before, after = record("convert_nothing_to_do").id, execution.recorder.record(execution.arn).id
    assert before != after
    assert {each.rpartition("-")[0] for each in (before, after)} == {"convert-20261122T073328Z"}
