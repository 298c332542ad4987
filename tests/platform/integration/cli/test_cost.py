"""`sluice cost` against the services it asks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.platform.session import Deployment
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability import prices
from sluice.observability.cost import BESIDE_RUNS
from sluice.observability.metrics import PLATFORM_METRICS
from sluice.pipelines import PIPELINES, RUN_KINDS
from sluice.runs.records import RunRecords
from tests.platform.unit.digest.sample_runs import conversion
from tests.support.cli_environment import sluice, sluice_json

BAND = {"ThresholdMetricId": "band", "Metrics": [{"Id": "m", "MetricStat": {}}, {"Id": "band", "Expression": "…"}]}
RESOURCES: dict[str, Any] = {
    "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {}},
    "Pager": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {}},
    "Plain": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
    "Band": {"Type": "AWS::CloudWatch::Alarm", "Properties": BAND},
    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
    "Poller": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {}},
    "Ends": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["aws.states"]}}},
}


def ago(**time: float) -> datetime:
    """A past time, by the clock that the command reads."""
    return datetime.now(UTC) - timedelta(**time)


class Templates:
    """CloudFormation, with the stage's template."""

    def __init__(self, resources: dict[str, Any]) -> None:
        self._resources = resources

    def get_template(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        assert StackName == "Sluice-x"
        return {"TemplateBody": {"Resources": self._resources}}


@pytest.fixture
def records(stage: Deployment) -> RunRecords:
    stage.__dict__["cloudformation"] = Templates(RESOURCES)
    return RunRecords(S3ObjectStore(stage.s3, "the-lake"), RUN_KINDS)


def test_records_of_some_days_are_extended_to_a_month(records: RunRecords) -> None:
    records.write(conversion(ago(days=10), 25 * 1000))
    found = sluice_json("cost")
    assert found["days"] == pytest.approx(10, abs=0.01)
    assert found["files"] == pytest.approx(3000, abs=1)
    assert found["running"]["DynamoDB writes"] == pytest.approx(prices.TABLE_WRITE.of(6000), abs=1e-4)
    assert "EventBridge" not in found["running"], "buckets of the stage's own send their events themselves"


def test_each_commit_to_a_table_asks_the_catalog_and_writes_metadata(records: RunRecords) -> None:
    records.write(conversion(ago(days=10)))
    few = sluice_json("cost")["running"]
    records.write(conversion(ago(days=10), rows={f"TABLE_{number}": 1 for number in range(9_999)}))
    many = sluice_json("cost")["running"]
    assert many["Glue Data Catalog"] == pytest.approx(prices.CATALOG_REQUEST.of(3 * 5 * 10_002), abs=1e-4)
    assert many["S3 writes"] - few["S3 writes"] == pytest.approx(prices.OBJECT_PUT.of(3 * 3 * 10_000), abs=1e-3)


def test_events_of_existing_buckets_are_paid_for(stage: Deployment, records: RunRecords) -> None:
    records.write(conversion(ago(days=10), 25 * 1_000_000))
    heard = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["aws.s3"]}}}
    stage.__dict__["cloudformation"] = Templates({**RESOURCES, "Heard": heard})
    assert sluice_json("cost")["running"]["EventBridge"] == pytest.approx(3.00, abs=0.01)


def test_records_before_the_days_asked_for_do_not_count(records: RunRecords) -> None:
    records.write(conversion(ago(days=10), 25 * 1000))
    records.write(conversion(ago(days=3), 25 * 300))
    assert sluice_json("cost", "--days", "5")["files"] == pytest.approx(3000, abs=1)


def test_less_than_an_hour_counts_as_one(records: RunRecords) -> None:
    records.write(conversion(ago(seconds=5), 25 * 10))
    assert sluice_json("cost")["files"] == 10 * 24 * 30


def test_fixed_costs_of_a_stage_without_runs(records: RunRecords) -> None:
    assert records
    found = sluice_json("cost")
    metrics = [*PLATFORM_METRICS, *(metric for pipeline in PIPELINES for metric in pipeline.metrics)]
    regular = sum(not metric.rare for metric in metrics)
    standing = {"CloudWatch dashboards": 3.0, "CloudWatch composite alarms": 0.5, "CloudWatch alarms": 0.4}
    standing["SQS"] = 0.2592  # 15 empty answers a minute
    assert found["standing"] == pytest.approx({**standing, "CloudWatch metrics": 0.3 * regular})
    assert found["dollars"] == pytest.approx(sum(found["standing"].values()), abs=0.005)
    assert found["running"] == {}


def test_assumptions_and_omissions_are_printed(records: RunRecords) -> None:
    records.write(conversion(ago(days=1), 25 * 1000))
    shown = sluice("cost", "--stage", "int").output
    assert all(
        words in shown for words in ("Sum", "DynamoDB writes", "Not counted: the producers' own uploads", "30 ms")
    )
    assert not set(BESIDE_RUNS) & set(sluice_json("cost")["not_counted"]), "they are in the sum"
