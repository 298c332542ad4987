"""`sluice status`: runs, queues and alarms, beside the parts of the pipelines."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.platform import status
from cli.platform.console import out, table
from cli.platform.registry import PipelineCli, PipelineStatus
from cli.platform.session import Deployment
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.pipelines import RUN_KINDS
from sluice.runs.records import RunRecords
from tests.platform.unit.digest.sample_runs import run
from tests.support.cli_environment import sluice, sluice_json

IDLE = {"waiting": 0, "in_flight": 0}


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


def alarms() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sluice_json("status")["alarms"]
    return found


def parcel_status(stage: Deployment) -> PipelineStatus:
    """The part of a made-up pipeline."""
    assert stage.stage in {"x", "local"}
    return PipelineStatus(
        members={"parcels": 3},
        lines=("Parcels: 3",),
        tables={"Late parcels": table("Parcel", rows=[["P-7"]]), "Lost parcels": table("Parcel", rows=[])},
    )


@pytest.fixture(autouse=True)
def _only_parcels(monkeypatch: pytest.MonkeyPatch) -> None:
    parcels = PipelineCli(commands=(), status=f"{__name__}:parcel_status", headlines={})
    monkeypatch.setattr(status, "pipelines", lambda: (parcels,))


@pytest.mark.usefixtures("stage")
def test_an_idle_stage_has_the_parts_of_its_pipelines() -> None:
    assert sluice_json("status") == {
        "parcels": 3,
        "runs": [],
        "queues": [
            {"name": "Sluice-x-EventFiles-DeadLetters", **IDLE, "dead_letters": True},
            {"name": "Sluice-x-EventFiles-Queue", **IDLE, "dead_letters": False},
        ],
        "alarms": [],
    }
    printed = sluice("status").stdout
    assert printed.startswith("Parcels: 3\nLate parcels\n")
    assert "P-7" in printed
    assert not {"Lost parcels", "Last runs", "Queues", "Alarms"} & set(printed.split("\n"))


def test_the_last_runs(stage: Deployment) -> None:
    now = datetime.now(UTC)
    failed = run(now, outcome="failed", cause="no memory")
    for record in (run(now - timedelta(hours=1)), failed):
        RunRecords(S3ObjectStore(stage.s3, "the-lake"), RUN_KINDS).write(record)
    assert [each["id"] for each in sluice_json("status")["runs"]] == [failed.id, run(now - timedelta(hours=1)).id]
    printed = sluice("status").stdout
    assert "failed " in printed
    assert "no memory" in printed


def test_messages_in_every_queue_of_this_stage(stage: Deployment) -> None:
    for name in ("Sluice-x-Observability-MissedCalls", "Sluice-x-y-Lake-MissedCalls", "Sluice-x-EventFiles-Queue"):
        queue = stage.sqs.create_queue(QueueName=name)["QueueUrl"] if "Missed" in name else stage.output("QueueUrl")
        stage.sqs.send_message(QueueUrl=queue, MessageBody="{}")
    queues = sluice_json("status")["queues"]
    assert [queue["name"] for queue in queues if queue["dead_letters"] and queue["waiting"]] == [
        "Sluice-x-Observability-MissedCalls"
    ]
    dead_letters, others = sluice("status").stdout.split("\nQueues\n")
    assert "Dead letters\n" in dead_letters
    assert " Observability-MissedCalls " in dead_letters
    assert " EventFiles-Queue " in others


def test_alarms_of_this_stage_only(stage: Deployment) -> None:
    for name in ("Sluice-x-DeadLetters", "Sluice-x-y-DeadLetters", "Sluice-z-DeadLetters", "Other"):
        put_alarm(stage, name)
    assert [alarm["name"] for alarm in alarms()] == ["Sluice-x-DeadLetters"]


def test_alarms_are_evaluated_on_aws_only(stage: Deployment) -> None:
    stage.local = True  # whatever the stage's name
    put_alarm(stage, "Sluice-x-DeadLetters")
    assert alarms() == []
    assert "Alarms: evaluated on AWS only" in sluice("status").stdout


def test_a_narrow_terminal_shows_alarms_whole(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    name, other = "EventFilesConversionsFailed", "EventFilesFilesWaiting"
    put_alarm(stage, f"Sluice-x-{name}")
    reason = f"on: Sluice-x-{name}, Sluice-x-{other}, and whatever else takes more than one line"
    stage.cloudwatch.set_alarm_state(AlarmName=f"Sluice-x-{name}", StateValue="ALARM", StateReason=reason)
    monkeypatch.setattr(out, "width", 80)
    printed = sluice("status").stdout
    assert f" {name} " in printed
    assert f" {other}, " in printed
    assert "…" not in printed
    assert alarms() == [{"name": f"Sluice-x-{name}", "state": "ALARM", "reason": reason}]
