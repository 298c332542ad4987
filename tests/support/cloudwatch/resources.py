"""What a stage's stacks are made of, and what references to it stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.support.cloudwatch.intrinsics import Resolver

FUNCTION = "AWS::Lambda::Function"
MACHINE = "AWS::StepFunctions::StateMachine"
QUEUE = "AWS::SQS::Queue"


@dataclass(frozen=True, slots=True)
class Resource:
    """A deployed resource; `physical_id` is what `Ref` gives."""

    logical_id: str
    kind: str
    physical_id: str

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes that alarms name."""
        match self.kind:
            case "AWS::SQS::Queue":
                return {"QueueName": self.physical_id.rpartition("/")[2], "QueueUrl": self.physical_id}
            case "AWS::StepFunctions::StateMachine":
                return {"Arn": self.physical_id, "Name": self.physical_id.rpartition(":")[2]}
        return {}


def resolver_of(resources: Iterable[Resource], exports: Mapping[str, str], region: str, account: str) -> Resolver:
    """A resolver that knows the resources of one stack, and what other stacks export."""
    known = list(resources)
    pseudo = {"AWS::Region": region, "AWS::AccountId": account, "AWS::Partition": "aws"}
    return Resolver(
        references=pseudo | {resource.logical_id: resource.physical_id for resource in known},
        attributes={(r.logical_id, name): value for r in known for name, value in r.attributes.items()},
        exports=exports,
    )
