"""Alarms on what a person has to act on."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

_PERIOD = Duration.minutes(5)


def alarm_on_letters(scope: Construct, construct_id: str, queue: sqs.IQueue, meaning: str) -> cloudwatch.Alarm:
    """Alarm as soon as a dead letter queue holds a message."""
    letters = queue.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum")
    return _alarm(scope, construct_id, letters, meaning)


def alarm_on_failure(scope: Construct, construct_id: str, machine: sfn.IStateMachine, meaning: str) -> cloudwatch.Alarm:
    """Alarm when an execution failed, ran out of time or was aborted."""
    failures = cloudwatch.MathExpression(
        expression="failed + timed_out + aborted",
        using_metrics={
            "failed": machine.metric_failed(),
            "timed_out": machine.metric_timed_out(),
            "aborted": machine.metric_aborted(),
        },
        label="Executions that did not succeed",
        period=_PERIOD,
    )
    return _alarm(scope, construct_id, failures, meaning)


def _alarm(scope: Construct, construct_id: str, metric: cloudwatch.IMetric, meaning: str) -> cloudwatch.Alarm:
    return cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        threshold=0,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=meaning,
    )
