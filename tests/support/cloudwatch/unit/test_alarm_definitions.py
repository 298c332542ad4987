"""Alarms as CDK writes them into templates, and the lines of a log that metrics are made of."""

import json
from typing import Any

import pytest

from tests.support.cloudwatch.definitions import (
    CompositeAlarm,
    MetricAlarm,
    Query,
    Resolver,
    UnknownError,
    alarms_in,
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
    "Properties": {
        "AlarmName": "letters",
        "AlarmDescription": {"Fn::GetAtt": ["Unknown", "Arn"]},
        "AlarmActions": [{"Ref": "Topic"}],
        "ComparisonOperator": "GreaterThanThreshold",
        "DatapointsToAlarm": 3,
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::ImportValue": "Sluice-int-EventFiles:QueueName"}}],
        "EvaluationPeriods": 3,
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Namespace": "AWS/SQS",
        "Period": 60,
        "ExtendedStatistic": "p99",
        "Threshold": 0,
        "TreatMissingData": "notBreaching",
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
        "AlarmName": "rate",
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
    },
}
BOTH: dict[str, Any] = {
    "Type": "AWS::CloudWatch::CompositeAlarm",
    "Properties": {
        "AlarmName": "both",
        "AlarmRule": {"Fn::Join": ["", ['ALARM("', {"Ref": "Letters"}, '") OR ALARM("', {"Ref": "Rate"}, '")']]},
    },
}


def test_alarms_of_a_template() -> None:
    body = {"Resources": {"Letters": LETTERS, "Topic": {"Type": "AWS::SNS::Topic"}, "Rate": RATE, "Both": BOTH}}
    found = read_alarms(body, RESOLVER)
    visible = Metric.of("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "q-2"})
    errors = Metric.of("AWS/Lambda", "Errors", {"FunctionName": "fn-1"})
    assert found.metric == (
        MetricAlarm(
            name="letters",
            logical_id="Letters",
            queries=(Query("m", 60, metric=visible, statistic="p99"),),
            comparison="GreaterThanThreshold",
            threshold=0.0,
            periods=3,
            datapoints=3,
            missing="notBreaching",
        ),
        MetricAlarm(
            name="rate",
            logical_id="Rate",
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
        ),
    )
    assert (found.metric[1].watched, found.metric[1].period) == ("errors", 900)
    assert found.composite == (CompositeAlarm("both", "Both", ("letters", "rate")),)
    assert found.logical_ids == {"letters": "Letters", "rate": "Rate", "both": "Both"}


def test_an_unknown_treatment_of_missing_data_is_refused() -> None:
    other = {**LETTERS, "Properties": {**LETTERS["Properties"], "TreatMissingData": "ignore"}}
    with pytest.raises(UnknownError, match="letters: missing data are ignore"):
        read_alarms({"Resources": {"Letters": other}}, RESOLVER)


@pytest.mark.parametrize("rule", ['ALARM("a") AND ALARM("b")', 'NOT ALARM("a")', 'OK("a")', "ALARM(a)", "TRUE"])
def test_other_rules_are_refused(rule: str) -> None:
    with pytest.raises(UnknownError, match="is more than ALARM"):
        alarms_in(rule)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
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
    with pytest.raises(UnknownError):
        RESOLVER.resolve(value)


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
