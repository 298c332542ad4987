"""Alarms as CDK writes them into templates, and the lines of a log that metrics are made of."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.platform.infra.observability.observability_template import ALARM, COMPOSITE, ObservabilityTemplate
from tests.support.cloudwatch.definitions import Alarms, MetricAlarm, Query, alarms_in, read_alarms
from tests.support.cloudwatch.series import Metric, Point, points_of
from tests.support.stages import stage_named
from tests.support.synthesis import Synthesis, Template

LETTERS: dict[str, Any] = {
    "AlarmActions": [{"Ref": "Topic"}],
    "ComparisonOperator": "GreaterThanThreshold",
    "DatapointsToAlarm": 3,
    "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}],
    "EvaluationPeriods": 3,
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Namespace": "AWS/SQS",
    "Period": 60,
    "ExtendedStatistic": "p99",
    "Threshold": 0,
    "TreatMissingData": "notBreaching",
}
DIMENSIONS = [{"Name": "FunctionName", "Value": {"Ref": "Function"}}]
STAT = {
    "Metric": {"Dimensions": DIMENSIONS, "MetricName": "Errors", "Namespace": "AWS/Lambda"},
    "Period": 900,
    "Stat": "Sum",
}
RATE: dict[str, Any] = {
    "ComparisonOperator": "GreaterThanUpperThreshold",
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "ThresholdMetricId": "band",
    "TreatMissingData": "breaching",
    "Metrics": [
        {"Expression": "ANOMALY_DETECTION_BAND(errors, 3)", "Id": "band"},
        {"Id": "errors", "MetricStat": STAT},
        {"Id": "rest", "MetricStat": STAT, "ReturnData": False},
    ],
}
RULE = {"Fn::Join": ["", ['ALARM("', {"Ref": "Letters00000001"}, '") OR ALARM("', {"Ref": "Rate00000001"}, '")']]}


def alarms(**properties: Any) -> Alarms:
    """The alarms of a stack that has these, one composite and what they refer to."""
    resources = {f"{name}00000001": {"Type": ALARM, "Properties": each} for name, each in properties.items()}
    both = {"Both00000001": {"Type": COMPOSITE, "Properties": {"AlarmRule": RULE}}}
    template = Template({"Resources": resources | both})
    return read_alarms(ObservabilityTemplate(Synthesis(stage_named("int"), template, Path())))


def test_alarms_of_a_template() -> None:
    visible = Metric.of("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "Queue"})
    errors = Metric.of("AWS/Lambda", "Errors", {"FunctionName": "Function"})
    letters = MetricAlarm(
        queries=(Query("m", 60, metric=visible, statistic="p99"),),
        comparison="GreaterThanThreshold",
        threshold=0.0,
        periods=3,
        datapoints=3,
        missing="notBreaching",
    )
    rate = MetricAlarm(
        queries=(
            Query("band", expression="ANOMALY_DETECTION_BAND(errors, 3)"),
            Query("errors", 900, metric=errors, statistic="Sum"),
            Query("rest", 900, metric=errors, statistic="Sum", returned=False),
        ),
        comparison="GreaterThanUpperThreshold",
        threshold="band",
        periods=3,
        datapoints=2,
        missing="breaching",
    )
    assert alarms(Letters=LETTERS, Rate=RATE) == Alarms(
        {"Letters": letters, "Rate": rate}, {"Both": ("Letters", "Rate")}
    )
    assert (rate.watched, rate.period) == ("errors", 900)


def test_an_unknown_treatment_of_missing_data_and_other_rules_are_refused() -> None:
    with pytest.raises(AssertionError, match="ignore"):
        alarms(Letters=LETTERS | {"TreatMissingData": "ignore"})
    for rule in ('ALARM("a") AND ALARM("b")', 'NOT ALARM("a")', "TRUE"):
        with pytest.raises(AssertionError, match="is more than ALARM"):
            alarms_in(rule)


def test_lines_of_the_embedded_format_become_points() -> None:
    directive = {
        "Namespace": "Sluice",
        "Dimensions": [["stage"], ["stage", "pipeline"]],
        "Metrics": [{"Name": "Files", "Unit": "Count"}, {"Name": "Bytes"}],
    }
    header = {"Timestamp": 1_700_000_000_500, "CloudWatchMetrics": [directive]}
    line = {"_aws": header, "stage": "int", "pipeline": "exports", "Files": [1.0, 2.0], "Bytes": 7}
    lines = ["START RequestId", '{"message": "said"}', '{"_aws": broken', json.dumps(line)]
    assert list(points_of(lines)) == [
        (Metric.of("Sluice", name, dimensions), Point(1_700_000_000.5, value))
        for dimensions in ({"stage": "int"}, {"stage": "int", "pipeline": "exports"})
        for name, value in (("Files", 1.0), ("Files", 2.0), ("Bytes", 7.0))
    ]
