"""Addresses of pages of the AWS console."""

from __future__ import annotations

from aws_cdk import Aws

from infra.platform.machine import Machine
from infra.platform.python_function import PythonFunction
from infra.stage import Stage

_CONSOLE = f"https://{Aws.REGION}.console.aws.amazon.com"


def function_page(function: PythonFunction) -> str:
    """Where a function's own graphs and logs are."""
    return f"{_CONSOLE}/lambda/home?region={Aws.REGION}#/functions/{function.function.function_name}?tab=monitoring"


def machine_page(machine: Machine) -> str:
    """Where a machine's executions are listed."""
    return f"{_CONSOLE}/states/home?region={Aws.REGION}#/statemachines/view/{machine.arn}"


def execution_page(execution: str) -> str:
    """Where an execution's graph is."""
    return f"{_CONSOLE}/states/home?region={Aws.REGION}#/v2/executions/details/{execution}"


def queues_page(name: str) -> str:
    """The list of queues, down to one by name."""
    return f"{_CONSOLE}/sqs/v3/home?region={Aws.REGION}#/queues?search={name}"


def dashboard_page(name: str) -> str:
    """A dashboard."""
    return f"{_CONSOLE}/cloudwatch/home?region={Aws.REGION}#dashboards/dashboard/{name}"


def dashboard_name(stage: Stage, name: str) -> str:
    """What the console lists it under."""
    return f"{stage.stack_prefix}-{name}"
