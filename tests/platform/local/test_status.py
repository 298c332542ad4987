"""`sluice status` of a deployed stage: backlog, runs, exports, dirty events and queues in one document."""

from pathlib import Path

import pytest

from tests.platform.local.measured_conditions import Conditions, MeasuredCloud
from tests.support.local.deployed_cloud import Cloud, wait_until
from tests.support.local.deployed_exports import DeployedExports


@pytest.fixture
def conditions(cloud: Cloud, tmp_path: Path) -> Conditions:
    measured = MeasuredCloud(cloud)
    measured.empty_queues()
    return Conditions(measured, DeployedExports(cloud), tmp_path)


def test_document_has_all_parts(cloud: Cloud, conditions: Conditions) -> None:
    assert conditions.files.value("EventsClean") > 0
    assert conditions.export.value("ExportsDelivered") == 1
    found = cloud.run("status")
    assert found.keys() == {
        *("backlog", "queue", "dirty", "dirty_chunks", "dirty_since", "runs", "exports", "queues", "alarms")
    }
    assert found["backlog"].keys() == {"chunks", "files", "events", "oldest_seconds"}
    assert found["exports"][0]["status"] == "delivered"
    assert found["alarms"] == [], "alarms are evaluated on AWS only"


def test_last_runs(cloud: Cloud, conditions: Conditions) -> None:
    rows = conditions.conversion.value("RowsConverted")
    assert rows > 0
    run = wait_until(lambda: next((r for r in cloud.run("status")["runs"][:1] if r["kind"] == "convert"), None))
    assert run
    assert (run["outcome"], run["counts"]["events"]) == ("converted", rows)


def test_dead_letters_are_shown_until_they_are_gone(cloud: Cloud, conditions: Conditions) -> None:
    url = conditions.measured.queue_url("FilesDeadLetters")
    assert dead_letters(cloud) == 0
    cloud.deployment.sqs.send_message(QueueUrl=url, MessageBody="no announcement")
    assert dead_letters(cloud) == 1
    cloud.deployment.sqs.purge_queue(QueueUrl=url)
    assert dead_letters(cloud) == 0


def dead_letters(cloud: Cloud) -> int:
    return sum(queue["waiting"] for queue in cloud.run("status")["queues"] if queue["dead_letters"])
