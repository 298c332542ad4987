"""The runs of a stage: their records, and those that are going on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from cli.platform.errors import CliError
from cli.platform.session import Deployment
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.runs.executions_stepfunctions import StepFunctionsHistory
from sluice.runs.model import Kind, RunRecord
from sluice.runs.ports import UnknownExecutionError
from sluice.runs.recording import Recording
from sluice.runs.records_s3 import S3RunRecords

_MACHINES = {"ConvertMachine": Kind.CONVERT, "ExportMachine": Kind.EXPORT, "HistoryMachine": Kind.HISTORY}


def records_of(deployment: Deployment) -> S3RunRecords:
    """The records in a stage's lake."""
    return S3RunRecords(deployment.s3, deployment.output("LakeBucket"))


def find_run(deployment: Deployment, name: str) -> RunRecord:
    """A run by its record's id, a conversion's run id, or an execution's name or ARN.

    Raises:
        CliError: There is none.
    """
    found = records_of(deployment).find(name)
    if found:
        return found
    for execution in _executions(deployment, name):
        with suppress(UnknownExecutionError):
            return _recording(deployment).look(execution, datetime.now(UTC))
    raise CliError(f"There is no run {name}.", "`sluice runs` lists them, with their ids.")


def _executions(deployment: Deployment, name: str) -> Iterator[str]:
    """The executions that may be meant."""
    if name.startswith("arn:"):
        yield name
        return
    ledger = DynamoLedger(deployment.dynamodb, deployment.output("LedgerTable"))
    open_run = ledger.open_run()
    if open_run and open_run.run_id == name:
        yield open_run.execution
    for machine in _MACHINES:
        yield f"{deployment.output(machine).replace(':stateMachine:', ':execution:')}:{name}"


def _recording(deployment: Deployment) -> Recording:
    lake = deployment.output("LakeBucket")
    return Recording(
        executions=StepFunctionsHistory(deployment.stepfunctions),
        commits=S3ObjectStore(deployment.s3, lake),
        kinds={deployment.output(machine): kind for machine, kind in _MACHINES.items()},
        lake=lake,
    )
