"""Grants: exact actions on exact resources, and a stated reason wherever a resource ends in a wildcard."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from infra.platform.stage_stack import acknowledge

TRACE_ACTIONS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
SAMPLING_ACTIONS = ("xray:GetSamplingRules", "xray:GetSamplingTargets")  # asked for by machines, not by functions
TRACE_REASON = "X-Ray takes no resource: traces belong to the account."


def allow(role: iam.Role, actions: Sequence[str], resources: Sequence[str], why: str = "") -> None:
    """Let `role` do `actions` on `resources` (ARNs), and nothing more.

    An ARN with a wildcard needs `why`: the reason why no narrower one is possible acknowledges the finding of cdk-nag.

    Raises:
        ValueError: an action holds a wildcard, or a resource does and no reason is given.
    """
    wild_actions = [action for action in actions if "*" in action]
    if wild_actions:
        raise ValueError(f"{role.node.path}: name the actions one by one instead of {wild_actions}")
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))
    for resource in resources:
        shown = _flat(Stack.of(role).resolve(resource))
        if "*" in shown:
            if not why:
                raise ValueError(f"{role.node.path}: {shown} is a wildcard: say why it has to be")
            acknowledge(role, f"AwsSolutions-IAM5[Resource::{shown}]", why)


def _flat(value: Any) -> str:  # noqa: ANN401 - a resolved CloudFormation value
    """Write a resolved ARN as cdk-nag names it in a finding: `<Lake.Arn>/runs/*`."""
    if isinstance(value, str):
        return value.replace("${", "<").replace("}", ">")
    name, argument = next(iter(value.items()))
    match name:
        case "Fn::Join":
            delimiter, parts = argument
            return str(delimiter.join(_flat(part) for part in parts))
        case "Fn::GetAtt":
            return f"<{'.'.join(_flat(part) for part in argument)}>"
        case "Ref":
            return f"<{argument}>"
        case _:
            return _flat(argument)
