"""What every stack of a stage has in common: where it goes and how."""

from __future__ import annotations

from aws_cdk import CliCredentialsStackSynthesizer, Environment, Stack
from constructs import Construct

from infra.stage import Stage


class StageStack(Stack):
    """A stack in the stage's account and region."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, purpose: str, termination_protection: bool = False
    ) -> None:
        """Place the stack."""
        super().__init__(
            scope,
            construct_id,
            description=f"Sluice {stage.name}: {purpose}",
            env=Environment(account=stage.account, region=stage.region),
            synthesizer=_LocalSynthesizer() if stage.local else None,
            termination_protection=termination_protection,
        )


class _LocalSynthesizer(CliCredentialsStackSynthesizer):
    """Publishes and deploys with the credentials at hand, one object per stack.

    The roles of `cdk bootstrap` may reach its bucket over TLS only, and the local cloud speaks plain HTTP.
    """

    def reusable_bind(self, stack: Stack) -> _LocalSynthesizer:
        """Bind this object itself: of the copy the CDK would make, Python would get to see the unbound original."""
        self.bind(stack)
        return self
