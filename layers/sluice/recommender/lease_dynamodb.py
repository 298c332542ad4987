"""The lease of a stage's trainings in DynamoDB.

| pk | sk | item |
|---|---|---|
| `training` | `lease` | the execution that is at work |
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluice.lake.lease_dynamodb import OWNED, DynamoLeases

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = {"pk": "training", "sk": "lease"}


@dataclass(frozen=True, slots=True)
class Holder:
    """The execution that has the lease."""

    execution: str


class DynamoTrainingLease:
    """One item, which an execution owns."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._leases = DynamoLeases(client, table)

    def claim(self, execution: str, ended: str) -> Holder:
        """Take the lease, if it is free or that of the `ended` execution; return it as it is then."""
        return Holder(self._leases.claim(_KEY, execution, ended)["execution"])

    def release(self, execution: str) -> None:
        """Free the lease, if the execution has it."""
        self._leases.update(_KEY, execution, "REMOVE execution", {}, OWNED)
