"""Stack outputs: how the command line finds what was deployed."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack


def publish(stack: Stack, **values: str) -> None:
    """Make each value an output of the stack, under its keyword as it is."""
    for name, value in values.items():
        output = CfnOutput(stack, f"Output{name}", value=value)
        output.override_logical_id(name)
