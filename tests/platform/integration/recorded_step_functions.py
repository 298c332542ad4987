"""A client of Step Functions that answers with recorded executions: moto runs no machines."""

from collections.abc import Iterator
from typing import Any

from tests.platform.unit.runs.recorded_executions import NAMES, Recorded, recorded


class UnknownError(Exception):
    """The execution does not exist."""


class RecordedStepFunctions:
    """Client with histories in pages of ten events; every map has a failed item."""

    class exceptions:  # noqa: N801
        ExecutionDoesNotExist = UnknownError
        InvalidArn = UnknownError

    def __init__(self) -> None:
        self.executions: dict[str, Recorded] = {}
        for name in NAMES:
            execution = recorded(name)
            self.executions[execution.arn] = execution

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if executionArn == "child":
            return {"cause": '{"errorMessage": "chunk 7 does not exist"}'}
        if executionArn not in self.executions:
            raise UnknownError
        return self.executions[executionArn].described

    def get_paginator(self, operation: str) -> "RecordedStepFunctions":
        assert operation == "get_execution_history"
        return self

    def paginate(self, executionArn: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        events = self.executions[executionArn].events
        for start in range(0, len(events), 10):
            yield {"events": events[start : start + 10]}

    def list_map_runs(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return {"mapRuns": [{"mapRunArn": f"map of {executionArn}"}]}

    def list_executions(self, **request: Any) -> dict[str, Any]:
        assert (request["statusFilter"], request["maxResults"]) == ("FAILED", 1)
        return {"executions": [{"executionArn": "child"}]}

    def describe_map_run(self, mapRunArn: str) -> dict[str, Any]:  # noqa: N803, ARG002
        return {"itemCounts": {"failed": 2, "total": 15}}
