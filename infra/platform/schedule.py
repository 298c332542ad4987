"""Schedules of EventBridge Scheduler."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.permissions import allow

BY_SCHEDULE = {"started_by": "schedule"}
"""What a machine is told that a schedule starts."""


class Timetable(Construct):
    """Calls one target by a schedule expression in UTC, with a role that can do nothing else.

    A call that fails is tried again for an hour and then kept in `dead_letters`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        expression: str,
        target_arn: str,
        action: str,
        dead_letters: sqs.IQueue,
        description: str,
        document: Mapping[str, str] | None = None,
    ) -> None:
        """Build the role and the schedule; `document` is what the target is given."""
        super().__init__(scope, construct_id)
        # Of this account only: the service must not be talked into acting here by somebody else's schedule.
        ours = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=ours))
        allow(role, [action], [target_arn])
        allow(role, ["sqs:SendMessage"], [dead_letters.queue_arn])
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=description,
            schedule_expression=expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target_arn,
                role_arn=role.role_arn,
                input=json.dumps(document) if document else None,
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
            ),
        )
        schedule.node.add_dependency(role)
