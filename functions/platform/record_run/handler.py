"""SQS → run records: every execution that ended leaves one, the same however often its end is announced.

They are rows of the table RUNS, too. A message whose record or row could not be written comes again.

One that did not succeed is told to people, too: no alarm knows which it was, and why it failed.
"""

import json
from collections.abc import Collection
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import glue, s3, setting, sns, step_functions
from sluice.lake.derived_tables_iceberg import DerivedTables
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.message import failure_of
from sluice.observability.metrics import RETRIES
from sluice.observability.metrics_cloudwatch import LambdaFunction, MetricsEmitter
from sluice.pipelines import PIPELINES, RUN_KINDS
from sluice.runs.executions_stepfunctions import StepFunctionsHistory
from sluice.runs.model import RunRecord
from sluice.runs.publishing import publish_runs
from sluice.runs.recording import RunRecorder
from sluice.runs.records import RunRecords

function = LambdaFunction()
logger = function.logger
pipelines = {kind.name: pipeline for pipeline in PIPELINES for kind in pipeline.run_kinds}
emitters = {pipeline.name: MetricsEmitter(pipeline.name) for pipeline in PIPELINES}
lake_bucket, topic, stage = setting("LAKE_BUCKET"), setting("TOPIC"), setting("STAGE")  # topic: "" tells nobody
machines: dict[str, str] = setting("MACHINES", json.loads)  # ARNs by the names of their kinds of runs
lake = S3ObjectStore(s3(), lake_bucket)
recorder = RunRecorder(
    executions=StepFunctionsHistory(step_functions()),
    read=lake.read,
    kinds={arn: RUN_KINDS[kind] for kind, arn in machines.items()},
    lake=lake_bucket,
)
records = RunRecords(lake, RUN_KINDS)
tables = DerivedTables(glue(), setting("DATABASE"), lake_bucket)


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Record the executions that the messages announce as ended; report the messages that must come again."""
    recorded: dict[str, RunRecord] = {}
    failed: list[str] = []
    for message in event["Records"]:
        try:
            if record := _recorded(message):
                recorded[message["messageId"]] = record
        except Exception:  # the other messages are recorded all the same
            logger.exception("not recorded", extra={"message_id": message["messageId"]})
            failed.append(message["messageId"])
    if _is_published(recorded.values()):
        for record in recorded.values():
            _measure(record)
    else:
        failed += recorded
    for each in emitters.values():
        each.flush()
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _recorded(message: dict[str, Any]) -> RunRecord | None:
    """Record the execution of a message, and tell people of it if it failed; None: there is nothing to do."""
    detail = json.loads(message["body"])["detail"]
    if detail["stateMachineArn"] not in recorder.kinds:  # the items of a map are executions of others
        return None
    record = recorder.record(detail["executionArn"])
    records.write(record)
    if topic and (failure := failure_of(record, stage)):
        sns().publish(TopicArn=topic, Subject=failure.subject, Message=failure.forms, MessageStructure="json")
    return record


def _is_published(recorded: Collection[RunRecord]) -> bool:
    try:
        publish_runs(records, tables, [record.id for record in recorded])
    except Exception:  # their messages come again
        logger.exception("not in the table RUNS", extra={"runs": [record.id for record in recorded]})
        return False
    return True


def _measure(record: RunRecord) -> None:
    pipeline = pipelines[record.kind]
    for metric, value in {RETRIES: record.failures, **pipeline.measure(record)}.items():
        emitters[pipeline.name].add(metric, value)
    logger.info("recorded", extra={"run": record.id, "run_id": record.subject, "outcome": record.outcome})
