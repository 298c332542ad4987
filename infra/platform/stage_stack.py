"""Stacks of a stage, their outputs and log groups, and reasons for findings of the security rules."""

from typing import Self, cast

from aws_cdk import (
    Acknowledgment,
    CfnOutput,
    CliCredentialsStackSynthesizer,
    Environment,
    RemovalPolicy,
    Stack,
    Validations,
)
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from infra.stage import Stage

PLAIN_HTTP = "The local cloud speaks plain HTTP, on the loopback interface only."


class StageStack(Stack):
    """A stack in the stage's account and region; `part` ends its name."""

    def __init__(self, scope: Construct, part: str, *, stage: Stage, purpose: str) -> None:
        super().__init__(
            scope,
            f"{stage.stack_prefix}-{part}",
            description=f"Sluice {stage.name}: {purpose}",
            env=Environment(account=stage.account, region=stage.region),
            synthesizer=_LocalSynthesizer() if stage.local else None,
        )
        self.stage = stage

    def publish(self, **values: str) -> None:
        """Make each value an output of the stack, under its keyword as it is: the command line reads them."""
        for name, value in values.items():
            CfnOutput(self, f"Output{name}", value=value).override_logical_id(name)


class _LocalSynthesizer(CliCredentialsStackSynthesizer):
    """Publishes and deploys with the credentials at hand, one object per stack.

    The roles of `cdk bootstrap` may reach its bucket over TLS only, and the local cloud speaks plain HTTP.
    """

    def reusable_bind(self, stack: Stack) -> Self:
        """Bind this object itself: of the copy the CDK would make, Python would get to see the unbound original."""
        self.bind(stack)
        return self


def stage_of(construct: IConstruct) -> Stage:
    """Return the stage of the stack that a construct is in."""
    return cast("StageStack", Stack.of(construct)).stage


def removal_policy(stage: Stage) -> RemovalPolicy:
    """Return what becomes of data when its stack is deleted."""
    return RemovalPolicy.RETAIN if stage.keeps_data else RemovalPolicy.DESTROY


def log_group(scope: Construct, name: str | None = None) -> logs.LogGroup:
    """Make a log group with the stage's retention; give a `name` only where a service demands a prefix."""
    stage = stage_of(scope)
    return logs.LogGroup(
        scope,
        "Log",
        log_group_name=name,
        retention=_RETENTION[stage.log_retention_days],
        # A group with a name of its own that outlived its stack would block the next deployment.
        removal_policy=RemovalPolicy.DESTROY if name else removal_policy(stage),
    )


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Suppress a finding of cdk-nag about the construct and all in it; the reason stays with the construct."""
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


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
