"""Schedules of EventBridge Scheduler."""

import json
from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.machine import Machine
from infra.platform.permissions import allow


class Schedule(Construct):
    """Calls a machine or a function by a schedule expression in UTC, with a role that can do nothing else.

    A call that fails is tried again for an hour and then kept in `dead_letters`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        expression: str,
        target: Machine | PythonFunction,
        dead_letters: sqs.IQueue,
        description: str,
        document: Mapping[str, str] | None = None,
    ) -> None:
        """Build the role and the schedule; `document` is the input of a function."""
        super().__init__(scope, construct_id)
        if isinstance(target, Machine):
            action, document = "states:StartExecution", {"started_by": "schedule"}
        else:
            action = "lambda:InvokeFunction"
        # Of this account only: schedules of other accounts must not be able to use the service's role.
        ours = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=ours))
        allow(role, [action], [target.arn])
        allow(role, ["sqs:SendMessage"], [dead_letters.queue_arn])
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=description,
            schedule_expression=expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target.arn,
                role_arn=role.role_arn,
                input=json.dumps(document) if document else None,
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
            ),
        )
        schedule.node.add_dependency(role)
