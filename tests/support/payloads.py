"""What AWS hands to the functions: the payload files of ``tests/support/event_payloads``, made to name the objects of a test."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from sluice.event_files.ledger.model import SourceObject

EVENTS = Path(__file__).parent / "event_payloads"

Payload = dict[str, Any]


def payload(name: str) -> Payload:
    """Return a payload file's content."""
    content: Payload = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def eventbridge_announcement(source: SourceObject) -> str:
    """Return an object's announcement as EventBridge brings it: the key as it is."""
    message = payload("eventbridge_object_created")
    message["detail"]["bucket"]["name"] = source.bucket
    message["detail"]["object"].update(key=source.key, etag=source.etag)
    return json.dumps(message)


def s3_announcement(*sources: SourceObject) -> str:
    """Return objects' announcement as S3 itself sends it: keys form-encoded, but for their slashes."""
    (record,) = payload("s3_object_created")["Records"]
    return json.dumps({"Records": [_record(record, source) for source in sources]})


def sqs_event(bodies: dict[str, str], received: int = 1) -> Payload:
    """Return what SQS hands to Lambda: messages by id, each `received` so many times by now."""
    message = payload("sqs_message")
    message["attributes"]["ApproximateReceiveCount"] = str(received)
    return {"Records": [{**message, "messageId": name, "body": body} for name, body in bodies.items()]}


def _record(record: Payload, source: SourceObject) -> Payload:
    bucket = {**record["s3"]["bucket"], "name": source.bucket, "arn": f"arn:aws:s3:::{source.bucket}"}
    named = {**record["s3"]["object"], "key": quote_plus(source.key, safe="/"), "eTag": source.etag}
    return {**record, "s3": {**record["s3"], "bucket": bucket, "object": named}}
