"""Executions as Step Functions describes them, for their records."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sluice.runs.execution_events import Event, Execution, UnknownExecutionError, plain_cause

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import HistoryEventTypeDef


class StepFunctionsHistory:
    """Reads executions and their histories."""

    def __init__(self, client: "SFNClient") -> None:
        self._client = client

    def describe(self, arn: str) -> Execution:
        """Return an execution. Raises UnknownExecutionError."""
        try:
            described = self._client.describe_execution(executionArn=arn)
        except (self._client.exceptions.ExecutionDoesNotExist, self._client.exceptions.InvalidArn) as error:
            raise UnknownExecutionError(f"there is no execution {arn}") from error
        return Execution(
            arn=arn,
            machine=described["stateMachineArn"],
            status=described["status"],
            started_at=described["startDate"],
            ended_at=described.get("stopDate"),
            input=_object(described.get("input")),
            cause=plain_cause(described.get("cause") or described.get("error") or ""),
        )

    def history(self, arn: str) -> Sequence[Event]:
        """Return all that happened in it, the oldest first."""
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [_event(event) for page in pages for event in page["events"]]

    def cause_in_map(self, arn: str) -> str:
        """Return why items of its map failed, which the map itself does not say; "" when none did."""
        for run in self._client.list_map_runs(executionArn=arn)["mapRuns"]:
            failed = self._client.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED", maxResults=1)
            if failed["executions"]:
                counts = self._client.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
                child = self._client.describe_execution(executionArn=failed["executions"][0]["executionArn"])
                cause = plain_cause(child.get("cause") or child.get("error") or "no cause was given")
                return f"{counts['failed']} of {counts['total']} items failed, one of them with: {cause}"
        return ""


def _event(event: "HistoryEventTypeDef") -> Event:
    entered, exited = event.get("stateEnteredEventDetails"), event.get("stateExitedEventDetails")
    if entered:
        return Event(event["type"], event["timestamp"], entered["name"], _object(entered.get("input")))
    if exited:
        return Event(event["type"], event["timestamp"], exited["name"], _object(exited.get("output")))
    return Event(event["type"], event["timestamp"])


def _object(text: str | None) -> dict[str, Any]:
    """Return a JSON object; what is too large for Step Functions to show, or something else, is an empty one."""
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
