"""Metrics of functions, queues and machines, and pages of the AWS console."""

from collections.abc import Mapping

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from infra.platform.functions import PythonFunction
from infra.platform.machine import Machine
from infra.stage import Stage
from sluice.observability.metrics import NAMESPACE, Metric

FIVE_MINUTES = Duration.minutes(5)
QUARTER = Duration.minutes(15)
HOUR = Duration.hours(1)

_CONSOLE = f"https://{Aws.REGION}.console.aws.amazon.com"


def own(
    stage: Stage, metric: Metric, pipeline: str, statistic: str = "Sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """Return a metric that functions of a pipeline emit."""
    return _metric(NAMESPACE, metric.name, {"stage": stage.name, "pipeline": pipeline}, statistic, period)


def of_function(
    function: PythonFunction, name: str, statistic: str = "Sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """Return a metric of AWS/Lambda."""
    return _metric("AWS/Lambda", name, {"FunctionName": function.name}, statistic, period)


def of_queue(queue: sqs.IQueue, name: str = "ApproximateNumberOfMessagesVisible") -> cloudwatch.Metric:
    """Return the maximum of a metric of AWS/SQS; by default the number of its messages."""
    return _metric("AWS/SQS", name, {"QueueName": queue.queue_name}, "Maximum", FIVE_MINUTES)


def of_machine(
    machine: Machine, name: str, statistic: str = "Sum", period: Duration = FIVE_MINUTES
) -> cloudwatch.Metric:
    """Return a metric of AWS/States."""
    return _metric("AWS/States", name, {"StateMachineArn": machine.arn}, statistic, period)


def of_api(api_id: str, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """Return a metric of AWS/ApiGateway, of an HTTP API."""
    return _metric("AWS/ApiGateway", name, {"ApiId": api_id}, statistic, FIVE_MINUTES)


def combined(
    expression: str, metrics: Mapping[str, cloudwatch.IMetric], label: str, period: Duration = FIVE_MINUTES
) -> cloudwatch.MathExpression:
    """Return metric math."""
    return cloudwatch.MathExpression(expression=expression, using_metrics=metrics, label=label, period=period)


def total(
    metrics: Mapping[str, cloudwatch.IMetric], label: str, period: Duration = FIVE_MINUTES
) -> cloudwatch.MathExpression:
    """Return the sum of metrics; with + there would be no figure where one of them has none."""
    return combined(f"SUM([{', '.join(metrics)}])", metrics, label, period)


def _metric(
    namespace: str, name: str, dimensions: dict[str, str], statistic: str, period: Duration
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=period
    )


def function_page(function: PythonFunction) -> str:
    """Return the URL of a function's graphs and logs."""
    return f"{_CONSOLE}/lambda/home?region={Aws.REGION}#/functions/{function.name}?tab=monitoring"


def machine_page(machine: Machine) -> str:
    """Return the URL of the list of a machine's executions."""
    return f"{_CONSOLE}/states/home?region={Aws.REGION}#/statemachines/view/{machine.arn}"


def queues_page(name: str) -> str:
    """Return the URL of the list of queues, filtered by a name."""
    return f"{_CONSOLE}/sqs/v3/home?region={Aws.REGION}#/queues?search={name}"


def dashboard_page(name: str) -> str:
    """Return the URL of a dashboard."""
    return f"{_CONSOLE}/cloudwatch/home?region={Aws.REGION}#dashboards/dashboard/{name}"


def dashboard_name(stage: Stage, name: str) -> str:
    """Return the full name of a dashboard."""
    return f"{stage.stack_name}-{name}"
