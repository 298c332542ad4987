"""`sluice status` against the services it asks."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.platform import status
from cli.platform.console import out
from cli.platform.session import Deployment
from sluice.runs.records_s3 import S3RunRecords
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.delivery.model import ExportResult, Lease
from sluice.vendor_exports.delivery.slots import Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from tests.platform.unit.digest.making import run

PASS = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}


@pytest.fixture
def whole_stage(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    machine = stage.stepfunctions.create_state_machine(
        name="Convert", definition=json.dumps(PASS), roleArn="arn:aws:iam::123456789012:role/x"
    )["stateMachineArn"]
    queues = {name: stage.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("work", "dead")}
    stage.outputs.update(ConvertMachine=machine, QueueUrl=queues["work"], DeadLetterQueueUrl=queues["dead"])
    monkeypatch.setattr(status, "connect", lambda _: stage)
    return stage


def chunk(stage: Deployment, state: str, name: str, **attributes: Any) -> None:
    item = {"pk": {"S": f"chunk#{state}"}, "sk": {"S": name}, **attributes}
    stage.dynamodb.put_item(TableName="the-ledger", Item=item)


def put_alarm(stage: Deployment, name: str) -> None:
    stage.cloudwatch.put_metric_alarm(
        AlarmName=name,
        MetricName="m",
        Namespace="n",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )


def document() -> dict[str, Any]:
    result = CliRunner().invoke(app, ["status", "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_an_idle_stage(whole_stage: Deployment) -> None:
    assert whole_stage.stage == "x"
    assert document() == {
        "backlog": {"chunks": 0, "files": 0, "events": 0, "oldest_seconds": None},
        "queue": {"waiting": 0, "in_flight": 0, "dead_letters": 0},
        "dirty": {},
        "dirty_chunks": 0,
        "dirty_since": None,
        "runs": [],
        "alarms": [],
        "exports": [],
    }


def test_what_waits_what_ran_and_what_is_dirty(whole_stage: Deployment) -> None:
    dirty = {"M": {"A_PRED": {"M": {"RULE_BROKEN": {"N": "2"}}}}}
    counts = {"files": {"N": "3"}, "clean": {"M": {"A_PRED": {"N": "4"}}}, "dirty": dirty}
    chunk(whole_stage, "pending", "1", created_at={"S": "2024-05-14T11:59:00.000Z"}, **counts)
    chunk(whole_stage, "converted", "0", created_at={"S": "2024-05-14T11:00:00.000Z"}, **counts)
    whole_stage.sqs.send_message(QueueUrl=whole_stage.output("DeadLetterQueueUrl"), MessageBody="{}")
    ended = run(datetime.now(UTC), outcome="failed")
    S3RunRecords(whole_stage.s3, "the-lake").write(ended)
    found = document()
    backlog = found["backlog"]
    assert (backlog["chunks"], backlog["files"], backlog["events"]) == (1, 3, 4)
    assert backlog["oldest_seconds"] > 0
    assert found["dirty"] == {"A_PRED": {"RULE_BROKEN": 4}}
    assert (found["dirty_chunks"], found["dirty_since"]) == (2, "2024-05-14T11:00:00.000Z")
    told = CliRunner().invoke(app, ["status"]).stdout
    assert "Dirty events in the last 2 chunks, since 2024-05-14 11:00 UTC" in told
    assert re.search(r"of 3 files, the oldest for [\d,]+ s\n", told)
    assert found["queue"]["dead_letters"] == 1
    assert [each["id"] for each in found["runs"]] == [ended.id]


def test_the_last_exports_the_newest_first(whole_stage: Deployment) -> None:
    slots = DynamoSlots(whole_stage.dynamodb, "the-slots")
    now = datetime(2024, 5, 14, 11, tzinfo=UTC)
    machine = whole_stage.output("ConvertMachine")
    owner = whole_stage.stepfunctions.start_execution(stateMachineArn=machine)["executionArn"]
    leases = [Lease(Environment.TEST, Slot.of(now).after(hours), owner) for hours in range(7)]
    for lease in leases:
        slots.claim(lease, now, now)
    slots.claim(Lease(Environment.PROD, Slot.of(now).after(9), "me"), now, now)
    for lease in leases[:-1]:
        slots.close(lease, ExportResult(str(lease.slot), "incomplete", "f/", 3, 2, missing=("a",), cause="why"))
    known = {"status": "incomplete", "promised": 3, "copied": 2, "missing": 1, "cause": "why"}
    working = {"status": "running", "promised": 0, "copied": 0, "missing": 0, "cause": ""}
    exports = document()["exports"]
    assert exports[0].pop("running_seconds") is not None
    assert exports[0] == {"slot": "20240514-17", **working}
    known["running_seconds"] = None
    assert exports[1:] == [{"slot": f"20240514-{hour}", **known} for hour in (16, 15, 14, 13)]


def test_alarms_of_this_stage_only(whole_stage: Deployment) -> None:
    for name in ("Sluice-x-DeadLetters", "Sluice-y-DeadLetters", "Other"):
        put_alarm(whole_stage, name)
    assert [alarm["name"] for alarm in document()["alarms"]] == ["Sluice-x-DeadLetters"]


def test_a_narrow_terminal_shows_alarms_whole(whole_stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    name, other = "EventFilesConversionsFailed", "EventFilesFilesWaiting"
    put_alarm(whole_stage, f"Sluice-x-{name}")
    reason = f"on: Sluice-x-{name}, Sluice-x-{other}, and whatever else takes more than one line"
    whole_stage.cloudwatch.set_alarm_state(AlarmName=f"Sluice-x-{name}", StateValue="ALARM", StateReason=reason)
    monkeypatch.setattr(out, "width", 80)
    shown = CliRunner().invoke(app, ["status"]).stdout
    assert f" {name} " in shown
    assert f" {other}, " in shown
    assert "…" not in shown
    assert document()["alarms"] == [{"name": f"Sluice-x-{name}", "state": "ALARM", "reason": reason}]


def test_people_read_it_as_tables(whole_stage: Deployment) -> None:
    whole_stage.sqs.send_message(QueueUrl=whole_stage.output("DeadLetterQueueUrl"), MessageBody="{}")
    shown = CliRunner().invoke(app, ["status"]).stdout
    assert "To convert: 0 events" in shown
    assert "Dead letters: 1 announcement" in shown
