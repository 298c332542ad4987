"""`sluice status` on a deployed stage: one document, and alarms as CloudWatch would show them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.platform.local.alarm_cases import Conditions
from tests.platform.local.alarming import Watched
from tests.support.cloudwatch.resources import QUEUE
from tests.support.deployed_cloud import Cloud
from tests.support.deployed_exports import DeployedExports

WAITING = "Sluice-local-FilesWaiting"


@pytest.fixture
def conditions(cloud: Cloud, tmp_path: Path) -> Conditions:
    watched = Watched(cloud)
    watched.empty_queues()
    return Conditions(watched, DeployedExports(cloud), tmp_path)


def test_the_document(cloud: Cloud, conditions: Conditions) -> None:
    assert conditions.files.value("EventsClean") > 0
    assert conditions.export.value("ExportsDelivered") == 1
    found = cloud.run("status")
    assert found.keys() == {"backlog", "queue", "dirty", "dirty_chunks", "dirty_since", "runs", "exports", "alarms"}
    assert found["backlog"].keys() == {"chunks", "files", "events", "oldest_seconds"}
    assert found["exports"][0]["status"] == "delivered"
    assert all(alarm.keys() == {"name", "state", "reason"} for alarm in found["alarms"])


def test_the_last_runs(cloud: Cloud, conditions: Conditions) -> None:
    assert conditions.conversion.value("RowsConverted") > 0
    deadline = time.monotonic() + 30
    while not (runs := cloud.run("status")["runs"]) or runs[0]["kind"] != "convert":
        assert time.monotonic() < deadline, "the conversion left no record"
        time.sleep(1)
    assert (runs[0]["outcome"], runs[0]["counts"]["events"]) == (
        "converted",
        conditions.conversion.value("RowsConverted"),
    )


def test_an_alarm_rings_and_stops(cloud: Cloud, conditions: Conditions) -> None:
    letters = conditions.watched.physical(QUEUE, "FilesDeadLetters")
    assert _state(cloud, WAITING) == "OK"
    cloud.deployment.sqs.send_message(QueueUrl=letters, MessageBody="poison")
    assert _state(cloud, WAITING) == "ALARM"
    alarms = cloud.run("status")["alarms"]
    ringing = [alarm["name"] for alarm in alarms if alarm["state"] == "ALARM"]
    assert {"Sluice-local-EventFiles", WAITING} <= set(ringing)
    assert ringing == [alarm["name"] for alarm in alarms[: len(ringing)]], "what rings comes first"
    cloud.deployment.sqs.purge_queue(QueueUrl=letters)
    assert _state(cloud, WAITING) == "OK"


def _state(cloud: Cloud, name: str) -> str:
    (found,) = [alarm["state"] for alarm in cloud.run("status")["alarms"] if name in alarm["name"]]
    return str(found)
