"""`sluice file` over a lake that something was validated and converted into."""

import shlex
from datetime import UTC, datetime

import pytest

from cli.platform.session import Deployment
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.pipelines import RUN_KINDS
from sluice.runs.records import RunRecords
from tests.platform.unit.digest.sample_runs import run
from tests.support.cli_environment import connect_commands, deployment, sluice, sluice_json
from tests.support.moto.stage import LAKE, LEDGER, SOURCE, MotoStage
from tests.support.sample_events import body, broken, event, foreign

KEY = "events/it's one.json"
TABLE = "MICROONE_EVENT"


@pytest.fixture(autouse=True)
def stage(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    assert moto_stage
    made = deployment(outputs={"SourceBucket": SOURCE, "LakeBucket": LAKE, "LedgerTable": LEDGER})
    connect_commands(made, monkeypatch)
    return made


def test_a_file_from_upload_to_rows(moto_stage: MotoStage) -> None:
    dirty = [broken(number) for number in range(5)]
    source = moto_stage.put(KEY, body(event(TABLE, 1), event("MICROTWO_PRED", 2), *dirty, foreign(1), b"\xff{"))
    other = moto_stage.put("another", body(*dirty))
    moto_stage.validate(source, other)
    (before,) = sluice_json("file", KEY)["versions"]
    assert before["converted"] is False
    assert [each["state"] for each in before["chunks"]] == ["pending"]
    assert "sluice query" not in sluice("file", KEY).stdout, "there are no rows yet"

    summary = moto_stage.convert()
    assert summary
    found = sluice_json("file", f"s3://{SOURCE}/{KEY}")
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
    assert shlex.join(["sluice", "query", version["tables"][0]["sql"]]) in sluice("file", KEY).stdout
    assert version["tables"][0]["prefix"] == f"s3://{LAKE}/data/clean_parquet/{TABLE}.parquet/"


def test_the_first_dirty_events_of_this_file_only(moto_stage: MotoStage) -> None:
    dirty = [broken(number) for number in range(5)]
    moto_stage.validate(moto_stage.put("another", body(*dirty)), moto_stage.put(KEY, body(*dirty)))
    (version,) = sluice_json("file", KEY)["versions"]
    shown = version["dirty_events"]
    assert [each["reason"] for each in shown] == ["RULE_BROKEN"] * 3
    assert shown[0]["errors"][0]["pointer"] == "/detail/evaluation/reporter"
    assert [each["offset"] for each in shown] == sorted(each["offset"] for each in shown)
    printed = sluice("file", KEY).stdout
    assert "/detail/evaluation/reporter" in printed
    assert "Dirty events, at most 3 of each table and reason" in printed
    assert "waits for the next conversion" in printed


def test_the_time_of_the_conversion(stage: Deployment, moto_stage: MotoStage) -> None:
    moto_stage.validate(moto_stage.put(KEY, body(event(TABLE, 1))))
    summary = moto_stage.convert()
    assert summary
    planned = datetime.strptime(summary.run_id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    found = run(planned, subject=summary.run_id)
    RunRecords(S3ObjectStore(stage.s3, LAKE), RUN_KINDS).write(found)
    (chunk,) = sluice_json("file", KEY)["versions"][0]["chunks"]
    assert chunk["converted_at"] == found.ended_at
    assert f"converted by run {summary.run_id} at {found.ended_at}" in sluice("file", KEY).stdout


def test_every_version_of_a_key(moto_stage: MotoStage) -> None:
    moto_stage.validate(moto_stage.put(KEY, body(event(TABLE, 1))))
    moto_stage.validate(moto_stage.put(KEY, body(event(TABLE, 2))))
    versions = sluice_json("file", KEY)["versions"]
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
    (version,) = sluice_json("file", KEY)["versions"]
    assert version["dirty"] == {"RULE_BROKEN": 1}
    assert version["dirty_events"] == []
    assert [each["state"] for each in version["chunks"]] == ["expired"]


def test_an_object_that_was_gone(moto_stage: MotoStage) -> None:
    source = moto_stage.put(KEY, b"{}")
    moto_stage.s3.delete_object(Bucket=SOURCE, Key=KEY)
    moto_stage.validate(source)
    (version,) = sluice_json("file", KEY)["versions"]
    assert version["status"] == "gone"
    assert version["message"]
    assert version["chunks"] == []


def test_an_object_that_was_not_announced_yet(moto_stage: MotoStage) -> None:
    moto_stage.put(KEY, b"{}")
    error = sluice("file", KEY, code=1).stderr
    assert f"{KEY} lies in {SOURCE} since" in error
    assert "nothing is recorded of it" in error


@pytest.mark.parametrize("place", ["", "s3:///one", f"s3://{SOURCE}", f"s3://{SOURCE}/", "s3://other/one"])
def test_another_bucket_or_no_key_is_refused(place: str) -> None:
    assert sluice_json("file", place, code=1) == {
        "error": f"{place!r} is no object this stage reads.",
        "hint": f"It reads {SOURCE}: give KEY or s3://{SOURCE}/KEY.",
    }


def test_an_object_that_does_not_exist(moto_stage: MotoStage) -> None:
    moto_stage.put("events/one.json", b"{}")
    error = sluice("file", "events/on", code=1).stderr
    assert "there is no such object" in error
    assert "These begin alike: events/one.json" in error
    assert "Give the whole key" in sluice("file", "x", code=1).stderr
