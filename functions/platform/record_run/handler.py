"""SQS → run records: every execution that ended leaves one, the same however often its end is announced.

One that did not succeed is told to people, too: no alarm knows which it was, and why it failed.
"""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.aws.runtime import s3, setting, sns, step_functions
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.message import failure_of
from sluice.observability.metrics import RETRIES
from sluice.observability.metrics_cloudwatch import LambdaFunction, MetricsEmitter
from sluice.pipelines import PIPELINES, RUN_KINDS
from sluice.runs.executions_stepfunctions import StepFunctionsHistory
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


@function.observe
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Record the executions that the messages announce as ended; report the messages that must come again."""
    failed = [message["messageId"] for message in event["Records"] if not _is_recorded(message)]
    for each in emitters.values():
        each.flush()
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def _is_recorded(message: dict[str, Any]) -> bool:
    """Record one execution; return whether that is done, or there is nothing to do."""
    try:
        detail = json.loads(message["body"])["detail"]
        if detail["stateMachineArn"] in recorder.kinds:  # the items of a map are executions of others
            _record(detail["executionArn"])
    except Exception:  # the other messages are recorded all the same
        logger.exception("not recorded", extra={"message_id": message["messageId"]})
        return False
    return True


def _record(execution: str) -> None:
    record = recorder.record(execution)
    records.write(record)
    if topic and (message := failure_of(record, stage)):
        sns().publish(TopicArn=topic, Subject=message.subject, Message=message.forms, MessageStructure="json")
    pipeline = pipelines[record.kind]
    for metric, value in {RETRIES: record.failures, **pipeline.measure(record)}.items():
        emitters[pipeline.name].add(metric, value)
    logger.info("recorded", extra={"run": record.id, "run_id": record.subject, "outcome": record.outcome})
