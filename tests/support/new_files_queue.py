"""The queue of announcements with its dead letters, on moto, and Lambda's part of it: batches, failures, deaths."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from sluice.event_files.ledger.model import SourceObject
from tests.support.lambda_context import Context
from tests.support.lambda_handlers import Handler, eventbridge_announcement, load_handler
from tests.support.moto.aws_calls import KilledError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_HIDDEN_SECONDS = 600


@dataclass
class NewFilesQueue:
    """A queue that hands a message to the dead letters after so many deliveries."""

    max_receives: int = 5
    client: "SQSClient" = field(default_factory=lambda: boto3.client("sqs"))

    def __post_init__(self) -> None:
        self._dead = self.client.create_queue(QueueName="dead-letters")["QueueUrl"]
        arn = self.client.get_queue_attributes(QueueUrl=self._dead, AttributeNames=["QueueArn"])["Attributes"]
        redrive = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": str(self.max_receives)}
        self.url = self.client.create_queue(QueueName="new-files", Attributes={"RedrivePolicy": json.dumps(redrive)})[
            "QueueUrl"
        ]

    def start(self, monkeypatch: pytest.MonkeyPatch) -> Handler:
        """Start validate_files anew, as Lambda does after a death."""
        return load_handler("validate_files", monkeypatch, QUEUE_URL=self.url)

    def announce(self, *sources: SourceObject) -> None:
        for source in sources:
            self.client.send_message(QueueUrl=self.url, MessageBody=eventbridge_announcement(source))

    def deliver(self, validate_files: Handler | None, context: Context | None = None) -> list[int]:
        """Call the function, or one that dies, with all that waits; return how often each message was delivered."""
        messages = _receive(self.client, self.url)
        if not messages:
            return []
        records = [_record(message) for message in messages]
        failed = {record["messageId"] for record in records}
        if validate_files:
            with suppress(KilledError):
                answer = validate_files({"Records": records}, context or Context())
                failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        for record in records:
            handle = record["receiptHandle"]
            if record["messageId"] not in failed:
                self.client.delete_message(QueueUrl=self.url, ReceiptHandle=handle)
        self._show_again()
        return sorted(int(record["attributes"]["ApproximateReceiveCount"]) for record in records)

    def dead_letters(self) -> list[str]:
        """Return the keys that the dead letters announce."""
        bodies = (json.loads(message["Body"]) for message in _receive(self.client, self._dead))
        return sorted(body["detail"]["object"]["key"] for body in bodies)

    def _show_again(self) -> None:
        """Let the time pass that hides what was not deleted."""
        for message in sqs_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].queues["new-files"]._messages:
            message.change_visibility(0)


def _receive(client: "SQSClient", url: str) -> list[Any]:
    def batches() -> Iterable[list[Any]]:
        while found := client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], VisibilityTimeout=_HIDDEN_SECONDS
        ).get("Messages"):
            yield found

    return [*chain.from_iterable(batches())]


def _record(message: Any) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
    }
