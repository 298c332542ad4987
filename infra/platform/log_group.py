"""Log groups with the retention and the end of their stage."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.stage import Stage


def log_group(scope: Construct, construct_id: str, stage: Stage, name: str | None = None) -> logs.LogGroup:
    """Make a log group; give a `name` only where a service demands a prefix."""
    # A group with a name of its own that outlived its stack would be in the way of the next deployment.
    lasts = stage.keeps_data and name is None
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=_RETENTION[stage.log_retention_days],
        removal_policy=RemovalPolicy.RETAIN if lasts else RemovalPolicy.DESTROY,
    )


# CloudWatch Logs keeps events for one of these numbers of days and no other.
_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}
