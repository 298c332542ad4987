"""Metrics as alarms and dashboards name them: our own by the catalogue, those of AWS by the thing they measure."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from infra.platform.machine import Machine
from infra.platform.python_function import PythonFunction
from infra.stage import Stage
from sluice.observability.metrics import NAMESPACE, Metric, Pipeline

FIVE_MINUTES = Duration.minutes(5)
QUARTER = Duration.minutes(15)
HOUR = Duration.hours(1)


def own(
    stage: Stage, metric: Metric, pipeline: Pipeline, statistic: str = "Sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """A metric of the catalogue.

    Raises:
        ValueError: The pipeline has no such metric.
    """
    if pipeline not in metric.pipelines:
        raise ValueError(f"{metric.name} is no metric of {pipeline}")
    dimensions = {"stage": stage.name, "pipeline": pipeline.value}
    return _metric(NAMESPACE, metric.name, dimensions, statistic, period)


def of_function(
    function: PythonFunction, name: str, statistic: str = "Sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """A metric of AWS/Lambda."""
    dimensions = {"FunctionName": function.function.function_name}
    return _metric("AWS/Lambda", name, dimensions, statistic, period)


def of_queue(queue: sqs.IQueue, name: str, statistic: str = "Maximum") -> cloudwatch.Metric:
    """A metric of AWS/SQS."""
    return _metric("AWS/SQS", name, {"QueueName": queue.queue_name}, statistic, FIVE_MINUTES)


def of_machine(machine: Machine, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """A metric of AWS/States."""
    return _metric("AWS/States", name, {"StateMachineArn": machine.arn}, statistic, FIVE_MINUTES)


def combined(
    expression: str, metrics: Mapping[str, cloudwatch.IMetric], label: str, period: Duration = FIVE_MINUTES
) -> cloudwatch.MathExpression:
    """Metric math."""
    return cloudwatch.MathExpression(expression=expression, using_metrics=metrics, label=label, period=period)


def _metric(
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    statistic: str,
    period: Duration,
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
    )
