"""Resources the local cloud cannot make."""

from __future__ import annotations

from aws_cdk import CfnCondition, CfnResource, Fn, Stack
from constructs import Construct

from infra.platform.nag_suppressions import acknowledge
from infra.stage import Stage


class OnAws:
    """Keeps resources out of the local cloud, and in its template, where their definitions can be read."""

    def __init__(self, stack: Stack, stage: Stage) -> None:
        """Build the condition where it is needed."""
        self._condition = _never(stack) if stage.local else None

    def only(self, construct: Construct) -> None:
        """Make every resource in `construct` on AWS alone."""
        for child in construct.node.find_all():
            if isinstance(child, CfnResource):
                child.cfn_options.condition = self._condition


def _never(stack: Stack) -> CfnCondition:
    condition = CfnCondition(stack, "OnAws", expression=Fn.condition_equals("local", "aws"))
    acknowledge(stack, "CloudFormation-Validate::W8003", "It is false on purpose.")
    return condition
