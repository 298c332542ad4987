"""Executions of a state machine."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StepFunctionsExecutions:
    """Tells what goes on."""

    def __init__(self, client: "SFNClient") -> None:
        """Bind the client."""
        self._client = client

    def is_running(self, execution: str) -> bool:
        """Tell whether an execution is still going on; one that is not known (any more) is not."""
        try:
            return self._client.describe_execution(executionArn=execution)["status"] in {"RUNNING", "PENDING_REDRIVE"}
        except self._client.exceptions.ExecutionDoesNotExist:
            return False
