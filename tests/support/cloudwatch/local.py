"""The alarms of the local stage, which are in its template only: evaluated here instead of there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.cloudwatch import bands
from tests.support.cloudwatch.collection import Collector
from tests.support.cloudwatch.definitions import Alarms, read_alarms
from tests.support.cloudwatch.evaluation import AlarmState, evaluate
from tests.support.cloudwatch.resources import FUNCTION, MACHINE, QUEUE, Resource, resolver_of

if TYPE_CHECKING:
    from cli.platform.session import Deployment

_STACK = "Watch"
_MEASURED = (FUNCTION, MACHINE, QUEUE)
ACCOUNT = "000000000000"
_LONGEST = timedelta(seconds=bands.HISTORY_SECONDS)


def local_alarms(deployment: Deployment) -> list[AlarmState]:
    """The state of every alarm of a stage in the local cloud, now.

    Raises:
        CliError: The stage is not deployed, or only in part.
    """
    now = datetime.now(UTC)
    stacks = {stack: resources_of(deployment, stack) for stack in deployment.stacks}
    alarms = _alarms(deployment, stacks[deployment.stack(_STACK)])
    measured = [resource for resources in stacks.values() for resource in resources]
    return evaluate(alarms, Collector(deployment, now - _LONGEST).collect(measured), now)


def resources_of(deployment: Deployment, stack: str) -> list[Resource]:
    """The resources of a stack that alarms may be on."""
    pages = deployment.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return [
        Resource(found["LogicalResourceId"], found["ResourceType"], found["PhysicalResourceId"])
        for page in pages
        for found in page["StackResourceSummaries"]
        if found["ResourceType"] in _MEASURED
    ]


def _alarms(deployment: Deployment, resources: list[Resource]) -> Alarms:
    stack = deployment.stack(_STACK)
    pages = deployment.cloudformation.get_paginator("list_exports").paginate()
    exports = {found["Name"]: found["Value"] for page in pages for found in page["Exports"]}
    region = deployment.session.region_name
    return read_alarms(stack, deployment.template(stack), resolver_of(resources, exports, region, ACCOUNT))
