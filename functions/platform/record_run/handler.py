"""SQS → run records: every execution of a machine that ended leaves one, the same however often its end is told."""

import json
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.clients import s3, step_functions
from sluice.aws.environment import read_settings
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.metrics import COPY_SECONDS, JOB_SECONDS, RETRIES, Pipeline
from sluice.observability.metrics_emitter import Meter
from sluice.runs.executions_stepfunctions import StepFunctionsHistory
from sluice.runs.measuring import copy_seconds, failures, job_seconds
from sluice.runs.model import Kind, RunRecord
from sluice.runs.recording import Recording
from sluice.runs.records_s3 import S3RunRecords


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack tells this function."""

    lake_bucket: str
    convert_machine: str
    export_machine: str
    history_machine: str


logger = Logger()
settings = read_settings(Settings)
meter, exports_meter = Meter(), Meter(Pipeline.EXPORTS)
recording = Recording(
    executions=StepFunctionsHistory(step_functions()),
    commits=S3ObjectStore(s3(), settings.lake_bucket),
    kinds={
        settings.convert_machine: Kind.CONVERT,
        settings.export_machine: Kind.EXPORT,
        settings.history_machine: Kind.HISTORY,
    },
    lake=settings.lake_bucket,
)
records = S3RunRecords(s3(), settings.lake_bucket)


@logger.inject_lambda_context
@meter.publish
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Record the executions whose ends the messages tell; report the messages that must come again."""
    failed = [message["messageId"] for message in event["Records"] if not _is_recorded(message)]
    exports_meter.flush()
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _is_recorded(message: dict[str, Any]) -> bool:
    """Record one execution; tell whether that is done, or there is nothing to do."""
    try:
        detail = json.loads(message["body"])["detail"]
        if recording.kind_of(detail["stateMachineArn"]):
            _record(detail["executionArn"])
    except Exception:  # whatever it is, the other messages must not suffer
        logger.exception("not recorded", extra={"message_id": message["messageId"]})
        return False
    return True


def _record(execution: str) -> None:
    record = recording.record(execution)
    records.write(record)
    _measure(record)
    logger.info("recorded", extra={"run": record.id, "run_id": record.subject, "outcome": record.outcome})


def _measure(record: RunRecord) -> None:
    (meter if record.kind is Kind.CONVERT else exports_meter).add(RETRIES, failures(record))
    for metric, seconds in ((JOB_SECONDS, job_seconds(record)), (COPY_SECONDS, copy_seconds(record))):
        if seconds is not None:
            exports_meter.add(metric, seconds)
