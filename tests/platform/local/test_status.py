"""`sluice status` of a deployed stage: backlog, runs, exports, dirty events and queues in one document."""

from pathlib import Path

from tests.platform.local.measured_conditions import Conditions, MeasuredCloud
from tests.support.local.deployed_cloud import Cloud
from tests.support.local.deployed_exports import DeployedExports


def test_document_has_all_parts(cloud: Cloud, tmp_path: Path) -> None:
    conditions = Conditions(MeasuredCloud(cloud), DeployedExports(cloud), tmp_path)
    assert conditions.files.value("EventsClean") > 0
    assert conditions.export.value("ExportsDelivered") == 1
    found = cloud.run("status")
    assert found.keys() == {
        *("backlog", "left_out", "queue", "dirty", "dirty_sizes", "dirty_chunks", "dirty_since"),
        *("exports", "exports_wait_for_secret", "pulls", "recommender", "runs", "queues", "alarms"),
    }
    assert found["backlog"].keys() == {"chunks", "files", "events", "oldest_seconds"}
    assert found["exports"][0]["status"] == "delivered"
    assert found["alarms"] == [], "alarms are evaluated on AWS only"
