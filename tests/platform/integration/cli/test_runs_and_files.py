"""`sluice runs`, `sluice run` and `sluice file` over a lake that something was validated and converted into."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from cli.event_files import file
from cli.main import app
from cli.platform import runs
from cli.platform.console import out
from cli.platform.session import Deployment
from sluice.event_files.ledger.model import OpenRun
from sluice.runs.keys import record_id
from sluice.runs.model import Kind, RunRecord
from sluice.runs.records_s3 import S3RunRecords
from tests.platform.unit.runs.recorded import KINDS, recorded
from tests.platform.unit.runs.test_recording import COMMIT, RUN, record
from tests.support.moto_stage import LAKE, LEDGER, SOURCE, MotoStage
from tests.support.sample_events import body, broken, event, foreign
from tests.support.step_functions import RecordedStepFunctions

KEY = "events/it's one.json"
TABLE = "MICROONE_EVENT"


@pytest.fixture(autouse=True)
def stage(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    deployment = Deployment("x", boto3.Session("test", "test", region_name="us-east-1"))
    machines = {f"{kind.value.title()}Machine": machine for machine, kind in KINDS.items()}
    outputs = {"SourceBucket": SOURCE, "LakeBucket": LAKE, "LedgerTable": LEDGER, **machines}
    deployment.__dict__.update(outputs=outputs, stepfunctions=RecordedStepFunctions())
    for module in (runs, file):
        monkeypatch.setattr(module, "connect", lambda _: deployment)
    assert moto_stage
    return deployment


def sluice(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--stage", "x"])


def document(*arguments: str) -> Any:
    done = sluice(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def write(stage: Deployment, found: RunRecord) -> RunRecord:
    S3RunRecords(stage.s3, LAKE).write(found)
    return found


def at(found: RunRecord, start: datetime) -> RunRecord:
    """The same run, started at another time."""
    values = found.to_json() | {"id": record_id(found.kind.value, start, "00000000")}
    return RunRecord.from_json(values | {"started_at": f"{start:%Y-%m-%dT%H:%M:%S}.000Z"})


# Runs


def test_runs_are_listed_the_newest_first(stage: Deployment) -> None:
    now = datetime.now(UTC)
    names = ("convert_converted", "export_incomplete", "history_initialised")
    written = [write(stage, at(record(name), now - timedelta(hours=hours))) for hours, name in enumerate(names)]
    assert document("runs") == [json.loads(json.dumps(each.to_json())) for each in written]
    assert [each["kind"] for each in document("runs", "--kind", "export")] == [Kind.EXPORT]
    assert len(document("runs", "--limit", "2")) == 2


def test_a_list_of_runs_reads_well(stage: Deployment) -> None:
    now = datetime.now(UTC)
    for hours, name in enumerate(("convert_converted", "export_incomplete", "history_initialised")):
        write(stage, at(record(name), now - timedelta(hours=hours)))
    told = sluice("runs").stdout
    assert "40 rows from 6 files" in told
    assert "hand: ann" in told


def test_a_narrow_terminal_shows_starts_and_ids_whole(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    found = write(stage, at(record("export_incomplete"), datetime.now(UTC)))
    ids = [found.id, write(stage, at(record("convert_failed"), datetime.now(UTC) - timedelta(hours=1))).id]
    monkeypatch.setattr(out, "width", 80)
    told = sluice("runs").stdout
    assert all(re.search(rf" {name} *$", told, re.MULTILINE) for name in ids)
    assert found.started_at[:10] in told
    assert found.started_at[11:19] in told
    assert "incomplete " in told
    assert "Subject" not in told


def test_no_runs_at_all() -> None:
    done = sluice("runs")
    assert done.exit_code == 0
    assert "No run has ended in the last 31 days." in done.stderr


@pytest.mark.parametrize("name", ["id", "run", "execution", "name"])
def test_a_run_by_any_of_its_names(stage: Deployment, name: str) -> None:
    found = record("convert_converted")
    stage.s3.put_object(Bucket=LAKE, Key=f"runs/{RUN}/commit.json", Body=json.dumps(COMMIT).encode())
    if name in {"id", "run"}:
        write(stage, found)
    names = {"id": found.id, "run": RUN, "execution": found.execution, "name": found.execution.rpartition(":")[2]}
    assert document("run", names[name]) == json.loads(json.dumps(found.to_json()))


def test_the_open_run_is_shown_as_far_as_it_is(stage: Deployment, moto_stage: MotoStage) -> None:
    execution = recorded("convert_failed")
    described = stage.stepfunctions.executions[execution.arn].described  # type: ignore[attr-defined]
    described |= {"status": "RUNNING", "stopDate": None, "cause": None, "error": None}
    assert moto_stage.runs.begin_run(OpenRun("the-run", execution.arn))
    found = document("run", "the-run")
    assert (found["outcome"], found["execution"], found["cause"]) == ("running", execution.arn, "")


def test_a_run_reads_well(stage: Deployment) -> None:
    told = sluice("run", write(stage, record("export_step_failed")).id).stdout
    assert "export of 20261122-08: incomplete" in told
    assert "Cause in 'List the files': " in told
    assert "█" in told
    told = sluice("run", write(stage, record("convert_converted")).id).stdout
    assert "RULE_BROKEN" in told
    assert "parquet bytes" in told
    assert f"summary: s3://lake-bucket/runs/{RUN}/commit.json" in told


def test_a_run_nobody_knows() -> None:
    done = sluice("run", "nonsense")
    assert done.exit_code == 1
    assert "There is no run nonsense." in done.stderr


# Files


def test_a_file_from_upload_to_rows(moto_stage: MotoStage) -> None:
    dirty = [broken(number) for number in range(5)]
    source = moto_stage.put(KEY, body(event(TABLE, 1), event("MICROTWO_PRED", 2), *dirty, foreign(1), b"\xff{"))
    other = moto_stage.put("another", body(*dirty))
    moto_stage.validate(source, other)
    (before,) = document("file", KEY)["versions"]
    assert before["converted"] is False
    assert [each["state"] for each in before["chunks"]] == ["pending"]

    summary = moto_stage.convert()
    assert summary
    found = document("file", f"s3://{SOURCE}/{KEY}")
    (version,) = found["versions"]
    assert (found["bucket"], found["key"]) == (SOURCE, KEY)
    assert (version["etag"], version["status"], version["converted"]) == (source.etag, "validated", True)
    assert version["clean"] == {TABLE: 1, "MICROTWO_PRED": 1}
    assert (version["dirty"]["RULE_BROKEN"], version["unrelated"]) == (5, 1)
    assert version["events"] == 2 + sum(version["dirty"].values()) + 1
    (chunk,) = version["chunks"]
    assert (chunk["state"], chunk["run_id"]) == ("converted", summary.run_id)
    assert [each["table"] for each in version["tables"]] == [TABLE, "MICROTWO_PRED"]
    assert version["tables"][0]["sql"] == f"select * from {TABLE.lower()} where _source_key = 'events/it''s one.json'"
    assert version["tables"][0]["prefix"] == f"s3://{LAKE}/data/clean_parquet/{TABLE}.parquet/"


def test_the_first_reasons_of_this_file_are_shown_and_nobody_elses(moto_stage: MotoStage) -> None:
    dirty = [broken(number) for number in range(5)]
    moto_stage.validate(moto_stage.put("another", body(*dirty)), moto_stage.put(KEY, body(*dirty)))
    (version,) = document("file", KEY)["versions"]
    shown = version["dirty_events"]
    assert [each["reason"] for each in shown] == ["RULE_BROKEN"] * 3
    assert shown[0]["errors"][0]["pointer"] == "/detail/evaluation/reporter"
    assert [each["offset"] for each in shown] == sorted(each["offset"] for each in shown)
    told = sluice("file", KEY).stdout
    assert "/detail/evaluation/reporter" in told
    assert "Dirty events, at most 3 of each table and reason" in told
    assert "waits for the next conversion" in told


def test_when_a_file_was_converted(stage: Deployment, moto_stage: MotoStage) -> None:
    moto_stage.validate(moto_stage.put(KEY, body(event(TABLE, 1))))
    summary = moto_stage.convert()
    assert summary
    planned = datetime.strptime(summary.run_id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    converted = record("convert_converted").to_json() | {"subject": summary.run_id}
    found = write(stage, at(RunRecord.from_json(converted), planned))
    (chunk,) = document("file", KEY)["versions"][0]["chunks"]
    assert chunk["converted_at"] == found.ended_at
    assert f"converted by run {summary.run_id} at {found.ended_at}" in sluice("file", KEY).stdout


def test_every_version_of_a_key(moto_stage: MotoStage) -> None:
    moto_stage.validate(moto_stage.put(KEY, body(event(TABLE, 1))))
    moto_stage.validate(moto_stage.put(KEY, body(event(TABLE, 2))))
    versions = document("file", KEY)["versions"]
    assert len({version["etag"] for version in versions}) == 2
    assert versions[0]["recorded_at"] >= versions[1]["recorded_at"]


def test_dirty_records_and_chunks_that_have_expired(moto_stage: MotoStage) -> None:
    moto_stage.validate(moto_stage.put(KEY, body(event(TABLE, 1), broken(1))))
    for key in moto_stage.keys("data/dirty_json/"):
        moto_stage.s3.delete_object(Bucket=LAKE, Key=key)
    for chunk in moto_stage.runs.pending_chunks():
        moto_stage.dynamodb.delete_item(
            TableName=LEDGER, Key={"pk": {"S": "chunk#pending"}, "sk": {"S": chunk.chunk_id}}
        )
    (version,) = document("file", KEY)["versions"]
    assert version["dirty"] == {"RULE_BROKEN": 1}
    assert version["dirty_events"] == []
    assert [each["state"] for each in version["chunks"]] == ["expired"]


def test_a_file_that_was_gone(moto_stage: MotoStage) -> None:
    source = moto_stage.put(KEY, b"{}")
    moto_stage.s3.delete_object(Bucket=SOURCE, Key=KEY)
    moto_stage.validate(source)
    (version,) = document("file", KEY)["versions"]
    assert version["status"] == "gone"
    assert version["message"]
    assert version["chunks"] == []


def test_a_file_that_was_not_announced_yet(moto_stage: MotoStage) -> None:
    moto_stage.put(KEY, b"{}")
    done = sluice("file", KEY)
    assert done.exit_code == 1
    assert f"{KEY} lies in {SOURCE} since" in done.stderr
    assert "nothing is recorded of it" in done.stderr


@pytest.mark.parametrize("place", ["", "s3://", "s3:///one", f"s3://{SOURCE}", f"s3://{SOURCE}/", "s3://other/one"])
def test_a_place_that_is_none_of_the_source_bucket(place: str) -> None:
    done = sluice("file", place, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "error": f"{place!r} is no object this stage reads.",
        "hint": f"It reads {SOURCE}: give KEY or s3://{SOURCE}/KEY.",
    }


def test_a_file_that_is_not_there(moto_stage: MotoStage) -> None:
    moto_stage.put("events/one.json", b"{}")
    told = sluice("file", "events/on").stderr
    assert "there is no such object" in told
    assert "These begin alike: events/one.json" in told
    assert "Give the whole key" in sluice("file", "x").stderr
