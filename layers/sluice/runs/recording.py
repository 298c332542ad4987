"""From an execution to its record: a function of what Step Functions and the lake keep, so twice gives the same."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from sluice.event_files.convert.model import iso
from sluice.lake.keys import commit_key
from sluice.runs import accounts
from sluice.runs.accounts import Deed
from sluice.runs.execution_events import ENDS, Event, Visit, failed_visit, last_document, steps_of, visits_of
from sluice.runs.keys import record_id
from sluice.runs.model import Kind, RunRecord
from sluice.runs.ports import Commits, Execution, Executions

_SUCCEEDED = "SUCCEEDED"
_FAILED = "FAILED"
_RUNNING = "RUNNING"
_INCOMPLETE = "incomplete"


class StillRunningError(Exception):
    """An execution has not ended yet, as far as can be seen; its end is announced before it can be seen everywhere."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Makes records of executions.

    Attributes:
        executions: Where they are described.
        commits: Where conversions leave their summaries.
        kinds: What runs, by the machine's ARN.
        lake: Name of the lake bucket, for links.
    """

    executions: Executions
    commits: Commits
    kinds: Mapping[str, Kind]
    lake: str

    def kind_of(self, machine: str) -> Kind | None:
        """Tell what a machine runs; None for another's, such as the items of a map, which are executions too."""
        return self.kinds.get(machine)

    def record(self, arn: str) -> RunRecord:
        """Return the record of an execution that has ended.

        Raises:
            StillRunningError: It has not, as far as can be seen.
            UnknownExecutionError: There is none.
        """
        execution, events = self._read(arn)
        if execution.ended_at is None or not events or events[-1].type not in ENDS:
            raise StillRunningError(f"{arn} is not seen to have ended")
        return self._record(execution, events, execution.ended_at)

    def look(self, arn: str, now: datetime) -> RunRecord:
        """Return the record of an execution as it would be if it ended now. Raises UnknownExecutionError."""
        execution, events = self._read(arn)
        return self._record(execution, events, execution.ended_at or now)

    def _read(self, arn: str) -> tuple[Execution, Sequence[Event]]:
        return self.executions.describe(arn), self.executions.history(arn)

    def _record(self, execution: Execution, events: Sequence[Event], end: datetime) -> RunRecord:
        kind = self.kinds[execution.machine]
        visits, deed = visits_of(events), self._deed(kind, execution, last_document(events))
        outcome = _outcome(execution, deed)
        failed = None if execution.status in {_SUCCEEDED, _RUNNING} else failed_visit(visits)
        return RunRecord(
            id=id_of(kind, execution),
            kind=kind,
            subject=deed.subject,
            started_by=str(execution.input.get("started_by", "")),
            started_at=iso(execution.started_at.astimezone(UTC)),
            ended_at=iso(end.astimezone(UTC)),
            seconds=round((end - execution.started_at).total_seconds(), 3),
            outcome=outcome,
            cause="" if execution.status == _SUCCEEDED else self._cause(execution, failed),
            failed_step=failed.name if failed else "",
            counts=deed.counts,
            rows=deed.rows,
            dirty=deed.dirty,
            steps=steps_of(visits, end),
            execution=execution.arn,
            links={"console": console_link(execution.arn), **self._links(deed)},
        )

    def _deed(self, kind: Kind, execution: Execution, left: accounts.Document) -> Deed:
        if kind is Kind.EXPORT:
            return accounts.export(left)
        if kind is Kind.HISTORY:
            return accounts.history(execution.input, left)
        run_id = accounts.was_converted(left) if execution.status == _SUCCEEDED else None
        commit = orjson.loads(self.commits.read(commit_key(run_id))) if run_id else None
        return accounts.conversion(left, commit)

    def _cause(self, execution: Execution, failed: Visit | None) -> str:
        in_map = self.executions.cause_in_map(execution.arn) if failed and failed.kind == "Map" else ""
        return in_map or execution.cause

    def _links(self, deed: Deed) -> dict[str, str]:
        return {name: f"s3://{self.lake}/{key}" for name, key in deed.places.items()}


def id_of(kind: Kind, execution: Execution) -> str:
    """Return the id of an execution's record."""
    digest = hashlib.sha256(execution.arn.encode()).hexdigest()[:8]
    return record_id(kind.value, execution.started_at, digest)


def console_link(execution: str) -> str:
    """Return where the console shows an execution; its ARN says the region."""
    region = execution.split(":")[3]
    return f"https://{region}.console.aws.amazon.com/states/home?region={region}#/v2/executions/details/{execution}"


def _outcome(execution: Execution, deed: Deed) -> str:
    """Return what was achieved; of what failed, how it ended, unless the account itself says that it is incomplete."""
    achieved = execution.status == _SUCCEEDED or (execution.status == _FAILED and deed.outcome == _INCOMPLETE)
    return deed.outcome if achieved else execution.status.lower()
