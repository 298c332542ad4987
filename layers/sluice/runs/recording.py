"""From an execution to its record: a function of what Step Functions and the lake keep, so twice gives the same."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sluice.lake.object_store import iso
from sluice.runs.execution_events import ENDS, Event, Execution, failed_visit, last_document, steps_of, visits_of
from sluice.runs.model import FinishedExecution, Result, RunKind, RunRecord, RunSummary
from sluice.runs.records import record_id

_SUCCEEDED = "SUCCEEDED"
_FAILED = "FAILED"
_RUNNING = "RUNNING"
_NO_CAUSE = {
    "ABORTED": "it was stopped (StopExecution), and no cause was given; CloudTrail knows by whom",
    "TIMED_OUT": "it took longer than its machine may",
    _FAILED: "the step was killed, or failed, without a cause; its function's log has its last lines",
}


class StillRunningError(Exception):
    """An execution is not seen to have ended; its end is announced before it can be seen everywhere."""


class Executions(Protocol):
    """Executions of state machines."""

    def describe(self, arn: str) -> Execution:
        """Return an execution. Raises UnknownExecutionError."""

    def history(self, arn: str) -> Sequence[Event]:
        """Return its events, the oldest first."""

    def cause_in_map(self, arn: str) -> str:
        """Return why items of its map failed; "" when none did."""


@dataclass(frozen=True, slots=True)
class RunRecorder:
    """Makes records of executions.

    Attributes:
        executions: Describes them.
        read: Returns an object of the lake bucket by its key. Raises MissingObjectError.
        kinds: Kinds of runs by the machine's ARN; the items of a map are executions of other machines.
        lake: Name of the lake bucket, for links.
    """

    executions: Executions
    read: Callable[[str], bytes]
    kinds: Mapping[str, RunKind]
    lake: str

    def record(self, arn: str) -> RunRecord:
        """Return the record of an execution that has ended.

        Raises:
            StillRunningError: It is not seen to have ended.
            UnknownExecutionError: There is none.
        """
        execution, events = self.executions.describe(arn), self.executions.history(arn)
        if execution.ended_at is None or not events or events[-1].type not in ENDS:
            raise StillRunningError(f"{arn} is not seen to have ended")
        return self._record(execution, events, execution.ended_at)

    def preview(self, arn: str, now: datetime) -> RunRecord:
        """Return the record of an execution as it would be if it ended now. Raises UnknownExecutionError."""
        execution = self.executions.describe(arn)
        return self._record(execution, self.executions.history(arn), execution.ended_at or now)

    def _record(self, execution: Execution, events: Sequence[Event], end: datetime) -> RunRecord:
        kind, visits = self.kinds[execution.machine], visits_of(events)
        succeeded = execution.status == _SUCCEEDED
        summary = kind.summarise(FinishedExecution(succeeded, execution.input, last_document(events), self.read))
        digest = hashlib.sha256(execution.arn.encode()).hexdigest()[:8]
        failed = None if execution.status in {_SUCCEEDED, _RUNNING} else failed_visit(visits)
        in_map = self.executions.cause_in_map(execution.arn) if failed and failed.kind == "Map" else ""
        return RunRecord(
            id=record_id(kind.name, execution.started_at, digest),
            kind=kind.name,
            subject=summary.subject,
            started_by=str(execution.input.get("started_by", "")),
            started_at=iso(execution.started_at.astimezone(UTC)),
            ended_at=iso(end.astimezone(UTC)),
            seconds=round((end - execution.started_at).total_seconds(), 3),
            outcome=_outcome(kind, execution, summary),
            cause=in_map or execution.cause or _NO_CAUSE.get(execution.status, ""),
            failed_step=failed.name if failed else "",
            counts={name: int(summary.counts.get(name, 0)) for name in kind.counts},
            rows=summary.rows,
            dirty=summary.dirty,
            steps=steps_of(visits, end),
            execution=execution.arn,
            links={
                "console": console_link(execution.arn),
                **{name: f"s3://{self.lake}/{key}" for name, key in summary.places.items()},
            },
        )


def console_link(execution: str) -> str:
    """Return the console's address of an execution; its ARN holds the region."""
    region = execution.split(":")[3]
    return f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{execution}"


def _outcome(kind: RunKind, execution: Execution, summary: RunSummary) -> str:
    """Return the summary's outcome; for an execution that failed, its status, unless the summary says failed, too."""
    is_failure = kind.outcomes.get(summary.outcome) is Result.FAILED
    achieved = execution.status == _SUCCEEDED or (execution.status == _FAILED and is_failure)
    return summary.outcome if achieved else execution.status.lower()
