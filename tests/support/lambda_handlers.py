"""Handlers of functions, loaded and called as Lambda does, and the events that AWS calls them with."""

import json
import runpy
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote_plus

import pytest

from sluice.event_files.ledger.model import SourceObject
from tests.support.lake_tables import DATABASE, prepare_tables
from tests.support.lambda_context import Context
from tests.support.moto.stage import LAKE, LEDGER, MEDIA, MEDIA_INDEX, QUEUE
from tests.support.source_files import handler_path

ENVIRONMENT = {
    "LAKE_BUCKET": LAKE,
    "DATABASE": DATABASE,
    "LEDGER_TABLE": LEDGER,
    "MEDIA_BUCKET": MEDIA,
    "SOURCE_OWNER": "123456789012",
    "MEDIA_OWNER": "123456789012",
    "MEDIA_TABLE": MEDIA_INDEX,
    "CHUNK_BYTES": str(1 << 20),
    "MAX_FILE_BYTES": str(32 << 20),
    "EVENT_DAYS_BEFORE_FILE": "3653",
    "EVENT_DAYS_AFTER_FILE": "2",
    "MAX_FILE_HOURS": "1000",
    "FILE_SECONDS": "120",
    "MAX_RECEIVES": "5",
    "QUEUE_URL": f"https://sqs.us-east-1.amazonaws.com/123456789012/{QUEUE}",
    "BATCH_BYTES": str(1 << 20),
    "SEARCHED": "",
    "STAGE": "test",
    "POWERTOOLS_SERVICE_NAME": "test",
    "PIPELINE": "event_files",
}
"""Environment variables that the stacks give the functions."""

_ON_TABLES = {"convert_batch", "commit_conversion", "profile_run", "record_run", "update_history"}


class Handler(Protocol):
    """Entry point of a function."""

    def __call__(self, event: Any, context: Context = ...) -> Any: ...


def load_handler(name: str, monkeypatch: pytest.MonkeyPatch, **environment: str) -> Handler:
    """Start a function anew: an earlier one leaves nothing in its memory."""
    for variable, value in {**ENVIRONMENT, **environment}.items():
        monkeypatch.setenv(variable, value)
    if name in _ON_TABLES:
        prepare_tables(LAKE)
    handler = runpy.run_path(str(handler_path(name)))["handler"]

    def call(event: Any, context: Context | None = None) -> Any:
        with acting_as(name):
            return handler(event, context or Context())

    return call


def acting_as(_folder: str) -> AbstractContextManager[None]:
    """Say whose calls those of a handler are; the fixture `roles` takes this place."""
    return nullcontext()


EVENTS = Path(__file__).parent / "event_payloads"

Payload = dict[str, Any]


def payload(name: str) -> Payload:
    """Return a payload file's content."""
    content: Payload = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def emitted(printed: str) -> list[dict[str, Any]]:
    """Return the lines of a log that metrics are made of."""
    return [json.loads(line) for line in printed.splitlines() if '"_aws"' in line]


def eventbridge_announcement(source: SourceObject) -> str:
    """Return the announcement of an object by EventBridge: its key is not encoded."""
    message = payload("eventbridge_object_created")
    message["detail"]["bucket"]["name"] = source.bucket
    message["detail"]["object"].update({"key": source.key, "etag": source.etag, "version-id": source.version})
    return json.dumps(message)


def s3_announcement(*sources: SourceObject) -> str:
    """Return the announcement of objects by S3: keys are form-encoded, but for their slashes."""
    (record,) = payload("s3_object_created")["Records"]
    return json.dumps({"Records": [_record(record, source) for source in sources]})


def sqs_event(bodies: dict[str, str], received: int = 1) -> Payload:
    """Return the event of messages by id, each received so many times; they are in no queue."""
    message = payload("sqs_message")
    del message["receiptHandle"]
    message["attributes"]["ApproximateReceiveCount"] = str(received)
    return {"Records": [{**message, "messageId": name, "body": body} for name, body in bodies.items()]}


def _record(record: Payload, source: SourceObject) -> Payload:
    bucket = {**record["s3"]["bucket"], "name": source.bucket, "arn": f"arn:aws:s3:::{source.bucket}"}
    named = {**record["s3"]["object"], "key": quote_plus(source.key, safe="/"), "eTag": source.etag}
    named |= {"versionId": source.version} if source.version else {}
    return {**record, "s3": {**record["s3"], "bucket": bucket, "object": named}}
