"""Executions as they were: what the local cloud answered to DescribeExecution and GetExecutionHistory."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sluice.lake.object_store import MissingObjectError
from sluice.pipelines import RUN_KINDS
from sluice.runs.executions_stepfunctions import StepFunctionsHistory
from sluice.runs.recording import RunRecorder

FOLDER = Path(__file__).parent / "executions"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:sluice-local-"
KINDS = {f"{MACHINE}{name}": kind for name, kind in RUN_KINDS.items()}


@dataclass
class Recorded:
    """One recorded execution, and what the lake keeps of it."""

    described: dict[str, Any]
    events: list[dict[str, Any]]
    commits: dict[str, dict[str, Any]] = field(default_factory=dict)
    items_failed: bool = True

    @property
    def arn(self) -> str:
        return str(self.described["executionArn"])

    @property
    def recorder(self) -> RunRecorder:
        return RunRecorder(StepFunctionsHistory(RecordedStepFunctions(self)), self.read, KINDS, "lake-bucket")  # type: ignore[arg-type]

    def read(self, key: str) -> bytes:
        try:
            return json.dumps(self.commits[key]).encode()
        except KeyError:
            raise MissingObjectError(key) from None


class UnknownError(Exception):
    """The execution does not exist."""


class RecordedStepFunctions:
    """A client of Step Functions that knows these executions, with histories in pages of ten events."""

    class exceptions:  # noqa: N801
        ExecutionDoesNotExist = UnknownError
        InvalidArn = UnknownError

    def __init__(self, *executions: Recorded) -> None:
        self.executions = {execution.arn: execution for execution in executions}

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
        return {"mapRuns": [{"mapRunArn": "map"}] if self.executions[executionArn].items_failed else []}

    def list_executions(self, **request: Any) -> dict[str, Any]:
        assert request == {"mapRunArn": "map", "statusFilter": "FAILED", "maxResults": 1}
        return {"executions": [{"executionArn": "child"}]}

    def describe_map_run(self, mapRunArn: str) -> dict[str, Any]:  # noqa: N803, ARG002
        return {"itemCounts": {"failed": 2, "total": 15}}


def recorded(name: str) -> Recorded:
    document = json.loads((FOLDER / f"{name}.json").read_text(), object_hook=_with_times)
    return Recorded(document["execution"], document["events"])


def _with_times(value: dict[str, Any]) -> dict[str, Any]:
    times = {"timestamp", "startDate", "stopDate"} & value.keys()
    return {**value, **{name: datetime.fromisoformat(value[name]) for name in times}}
