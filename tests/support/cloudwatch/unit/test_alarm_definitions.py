"""Alarms as CDK writes them into templates, and the lines of a log that metrics are made of."""

import json
from typing import Any

import pytest

from tests.support.cloudwatch.definitions import (
    CompositeAlarm,
    MetricAlarm,
    Query,
    Resolver,
    UnresolvedError,
    read_alarms,
)
from tests.support.cloudwatch.series import Metric, Point, points_of

RESOLVER = Resolver(
    {"Function": "fn-1", "AWS::Region": "eu-west-1"},
    {("Queue", "QueueName"): "q-1"},
    {"Sluice-int-EventFiles:QueueName": "q-2"},
)

LETTERS: dict[str, Any] = {
    "Type": "AWS::CloudWatch::Alarm",
    "Condition": "OnAws",
    "Properties": {
        "AlarmName": "sluice-letters",
        "AlarmDescription": {"Fn::GetAtt": ["Unknown", "Arn"]},
        "AlarmActions": [{"Ref": "Topic"}],
        "ComparisonOperator": "GreaterThanThreshold",
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::ImportValue": "Sluice-int-EventFiles:QueueName"}}],
        "EvaluationPeriods": 3,
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Namespace": "AWS/SQS",
        "Period": 60,
        "ExtendedStatistic": "p99",
        "Threshold": 0,
    },
}
STAT = {
    "Metric": {
        "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "Function"}}],
        "MetricName": "Errors",
        "Namespace": "AWS/Lambda",
    },
    "Period": 900,
    "Stat": "Sum",
}
RATE: dict[str, Any] = {
    "Type": "AWS::CloudWatch::Alarm",
    "Properties": {
        "ComparisonOperator": "GreaterThanUpperThreshold",
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "ThresholdMetricId": "band",
        "TreatMissingData": "ignore",
        "Metrics": [
            {"Expression": "ANOMALY_DETECTION_BAND(errors, 3)", "Id": "band"},
            {"Id": "errors", "MetricStat": STAT},
            {"Id": "rest", "MetricStat": STAT, "ReturnData": False},
        ],
    },
}
BOTH: dict[str, Any] = {
    "Type": "AWS::CloudWatch::CompositeAlarm",
    "Properties": {
        "AlarmRule": {
            "Fn::Join": [
                "",
                ['(ALARM("', {"Fn::GetAtt": ["Letters", "Arn"]}, '") OR ALARM("', {"Ref": "Rate"}, '"))'],
            ]
        }
    },
}


def test_alarms_of_a_template() -> None:
    body = {"Resources": {"Letters": LETTERS, "Topic": {"Type": "AWS::SNS::Topic"}, "Rate": RATE, "Both": BOTH}}
    found = read_alarms("Sluice-int-Watch", body, RESOLVER)
    visible = Metric.of("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "q-2"})
    errors = Metric.of("AWS/Lambda", "Errors", {"FunctionName": "fn-1"})
    assert found.metric == (
        MetricAlarm(
            name="sluice-letters",
            logical_id="Letters",
            queries=(Query("m", 60, metric=visible, statistic="p99"),),
            comparison="GreaterThanThreshold",
            threshold=0.0,
            periods=3,
            datapoints=3,
            missing="missing",
        ),
        MetricAlarm(
            name="Sluice-int-Watch-Rate",
            logical_id="Rate",
            queries=(
                Query("band", 900, expression="ANOMALY_DETECTION_BAND(errors, 3)"),
                Query("errors", 900, metric=errors, statistic="Sum"),
                Query("rest", 900, metric=errors, statistic="Sum", returned=False),
            ),
            comparison="GreaterThanUpperThreshold",
            threshold="band",
            periods=3,
            datapoints=2,
            missing="ignore",
        ),
    )
    assert found.metric[1].watched.id == "errors"
    assert found.logical_ids["Sluice-int-Watch-Both"] == "Both"
    rule = '(ALARM("arn:aws:cloudwatch:::alarm:sluice-letters") OR ALARM("Sluice-int-Watch-Rate"))'
    assert found.composite == (CompositeAlarm("Sluice-int-Watch-Both", "Both", rule),)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Function"}, "fn-1"),
        ({"Fn::GetAtt": ["Queue", "QueueName"]}, "q-1"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Function"}]]}, "a-fn-1"),
        ({"a": [{"Ref": "Function"}], "b": 1}, {"a": ["fn-1"], "b": 1}),
    ],
)
def test_functions_of_a_template(value: Any, resolved: Any) -> None:
    assert RESOLVER.resolve(value) == resolved


@pytest.mark.parametrize(
    "value", [{"Ref": "No"}, {"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::ImportValue": "no"}, {"Fn::If": ["c", 1, 2]}]
)
def test_unknown_references_and_functions_are_errors(value: Any) -> None:
    with pytest.raises(UnresolvedError):
        RESOLVER.resolve(value)


def test_lines_of_the_embedded_format_become_points() -> None:
    line = {
        "_aws": {
            "Timestamp": 1_700_000_000_500,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Sluice",
                    "Dimensions": [["stage"], ["stage", "pipeline"]],
                    "Metrics": [{"Name": "Files", "Unit": "Count"}, {"Name": "Bytes"}],
                }
            ],
        },
        "stage": "int",
        "pipeline": "exports",
        "Files": [1.0, 2.0],
        "Bytes": 7,
    }
    lines = ["START RequestId", '{"message": "said"}', '{"_aws": broken', json.dumps(line)]
    one, both = ({"stage": "int"}, {"stage": "int", "pipeline": "exports"})
    at = 1_700_000_000.5
    assert sorted(points_of(lines), key=repr) == sorted(
        (
            (Metric.of("Sluice", name, dimensions), Point(at, value))
            for dimensions in (one, both)
            for name, value in (("Files", 1.0), ("Files", 2.0), ("Bytes", 7.0))
        ),
        key=repr,
    )
