"""Executions as they were: what the local cloud answered to DescribeExecution and GetExecutionHistory."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sluice.lake.object_store import MissingObjectError
from sluice.pipelines import RUN_KINDS
from sluice.runs.execution_events import Event, Execution
from sluice.runs.executions_stepfunctions import execution, history_event
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
    in_map: str = ""

    @property
    def arn(self) -> str:
        return str(self.described["executionArn"])

    @property
    def recorder(self) -> RunRecorder:
        return RunRecorder(self, self.read, KINDS, "lake-bucket")

    def describe(self, arn: str) -> Execution:
        assert arn == self.arn
        return execution(self.described)

    def history(self, arn: str) -> Sequence[Event]:
        assert arn == self.arn
        return [history_event(event) for event in self.events]

    def cause_in_map(self, arn: str) -> str:
        assert arn == self.arn
        return self.in_map

    def read(self, key: str) -> bytes:
        try:
            return json.dumps(self.commits[key]).encode()
        except KeyError:
            raise MissingObjectError(key) from None


def recorded(name: str) -> Recorded:
    document = json.loads((FOLDER / f"{name}.json").read_text(), object_hook=_with_times)
    return Recorded(document["execution"], document["events"])


def _with_times(value: dict[str, Any]) -> dict[str, Any]:
    times = {"timestamp", "startDate", "stopDate"} & value.keys()
    return {**value, **{name: datetime.fromisoformat(value[name]) for name in times}}
