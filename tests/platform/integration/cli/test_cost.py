"""`sluice cost` against the services it asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.platform import cost
from cli.platform.session import STACKS, Deployment
from sluice.observability import prices
from sluice.observability.digest.cost import WATCHING
from sluice.observability.metrics import METRICS
from sluice.runs.records_s3 import S3RunRecords
from tests.platform.unit.digest.making import conversion

BAND = {"ThresholdMetricId": "band", "Metrics": [{"Id": "m", "MetricStat": {}}, {"Id": "band", "Expression": "…"}]}
RESOURCES: dict[str, Any] = {
    "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {}},
    "Pager": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {}},
    "Plain": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
    "Band": {"Type": "AWS::CloudWatch::Alarm", "Properties": BAND},
    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
}


def ago(**time: float) -> datetime:
    """A time that is over, by the clock the command reads."""
    return datetime.now(UTC) - timedelta(**time)


class Templates:
    """CloudFormation, with all resources in the last stack."""

    def get_template(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        return {"TemplateBody": {"Resources": RESOURCES if StackName.endswith(STACKS[-1]) else {}}}


@pytest.fixture
def records(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> S3RunRecords:
    stage.__dict__["cloudformation"] = Templates()
    monkeypatch.setattr(cost, "connect", lambda _: stage)
    return S3RunRecords(stage.s3, "the-lake")


def call(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["cost", *arguments])
    assert result.exit_code == 0, result.output
    return result


def document(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call("--json", *arguments).stdout)
    return found


def test_what_ran_is_extended_to_a_month(records: S3RunRecords) -> None:
    records.write(conversion(ago(days=10), 25 * 1000))
    found = document()
    assert found["days"] == pytest.approx(10, abs=0.01)
    assert found["files"] == pytest.approx(3000, abs=1)
    assert found["running"]["EventBridge"] == pytest.approx(prices.BUS_EVENT.of(3000), abs=1e-4)


def test_records_before_the_days_asked_for_do_not_count(records: S3RunRecords) -> None:
    records.write(conversion(ago(days=10), 25 * 1000))
    records.write(conversion(ago(days=3), 25 * 300))
    assert document("--days", "5")["files"] == pytest.approx(3000, abs=1)


def test_minutes_say_nothing_of_a_month(records: S3RunRecords) -> None:
    records.write(conversion(ago(seconds=5), 25 * 10))
    assert document()["files"] == 10 * 24 * 30


def test_a_stage_costs_what_it_has_though_nothing_ran(records: S3RunRecords) -> None:
    assert records
    found = document()
    regular = sum(len(metric.pipelines) for metric in METRICS if not metric.rare)
    standing = {"CloudWatch dashboards": 3.0, "CloudWatch composite alarms": 0.5, "CloudWatch alarms": 0.4}
    assert found["standing"] == pytest.approx({**standing, "CloudWatch metrics": 0.3 * regular})
    assert found["dollars"] == pytest.approx(sum(found["standing"].values()))
    assert found["running"] == {}


def test_the_estimate_says_what_it_assumes_and_leaves_out(records: S3RunRecords) -> None:
    records.write(conversion(ago(days=1), 25 * 1000))
    shown = call("--stage", "int").output
    assert all(words in shown for words in ("Sum", "EventBridge", "Not counted: the producers' own uploads", "30 ms"))
    assert WATCHING not in document()["not_counted"], "they are in the sum"
