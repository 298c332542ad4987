"""Conditions of the stack, each produced for real and measured once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from cli.simulator import vendor_faults
from cli.simulator.transport_faults import Fault
from sluice.event_files.ledger.ledger_dynamodb import PENDING
from tests.platform.local.alarming import Watched
from tests.platform.local.timeline import Sample
from tests.support.cloudwatch.resources import FUNCTION, QUEUE
from tests.support.deployed_cloud import CommandError
from tests.support.deployed_exports import DeployedExports
from tests.support.deployed_functions import Functions, RefusedError
from tests.support.sample_events import present_event

EVENTS = 200
FLOOD = 500
# Long enough to take seconds: whole seconds are what timeouts have.
BIG = 120_000
_PATIENCE_SECONDS = 60
_OF_QUEUES = (
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateAgeOfOldestMessage",
)


@dataclass(frozen=True)
class Conditions:
    """What the stack measures of itself: as it should be, and in trouble."""

    watched: Watched
    deployed_exports: DeployedExports
    folder: Path

    @cached_property
    def files(self) -> Sample:
        """A file of clean events arrives."""
        return self._ingested("clean", EVENTS).without(*_OF_QUEUES)

    @cached_property
    def conversion(self) -> Sample:
        """A conversion of what has arrived."""
        self._ingested("to-convert", EVENTS)
        return self._measured(lambda: self.watched.cloud.run("convert")).without(*_OF_QUEUES)

    @cached_property
    def idle_conversion(self) -> Sample:
        """A conversion of nothing."""
        self.watched.cloud.run("convert")
        return self._measured(lambda: self.watched.cloud.run("convert")).without(*_OF_QUEUES)

    @cached_property
    def export(self) -> Sample:
        """An export that is delivered."""
        return self._exported()

    @cached_property
    def queues(self) -> Sample:
        """The queues, empty."""
        return self._measured(lambda: None).only(*_OF_QUEUES)

    def probes(self, ages: Iterable[timedelta]) -> list[Sample]:
        """The probe, called when the oldest chunk has waited for so long."""
        self.watched.cloud.run("convert")
        nothing = self._probe()
        self._ingested("waiting", 1)
        found = [self._probe_at(age) if age else nothing for age in ages]
        self.watched.cloud.run("convert")
        return found

    @cached_property
    def flood(self) -> Sample:
        """A file of dirty events arrives."""
        return self._ingested("dirty", FLOOD, dirty=True).without(*_OF_QUEUES)

    @cached_property
    def poisoned(self) -> Sample:
        """The queues, when a message nobody understands has come back as often as it may."""
        sqs, url = self.watched.cloud.deployment.sqs, self.watched.physical(QUEUE, "FilesQueue")
        letters = self.watched.physical(QUEUE, "FilesDeadLetters")
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
        try:
            sqs.send_message(QueueUrl=url, MessageBody="poison")
            self._wait_until(lambda: self._waiting(letters) == 1)
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
        sample = self._measured(lambda: None).only(*_OF_QUEUES)
        sqs.purge_queue(QueueUrl=letters)
        return sample

    @cached_property
    def refused_validation(self) -> Sample:
        """validate_files is called and may not read its ledger."""
        functions = Functions(self.watched.cloud, "EventFiles")
        rights = [right for right in functions.rights("validate_files") if right[0].startswith("dynamodb:")]
        event = {"Records": [{"messageId": "1", "body": json.dumps(self._announcement())}]}

        def call() -> None:
            with pytest.raises(RefusedError):
                functions.call("validate_files", event)

        with functions.without("validate_files", *rights):
            return self._measured(call).without(*_OF_QUEUES)

    @cached_property
    def refused_conversion(self) -> Sample:
        """A conversion whose convert_batch may not write."""
        functions = Functions(self.watched.cloud, "EventFiles")
        rights = [right for right in functions.rights("convert_batch") if right[0] == "s3:PutObject"]
        self._ingested("not-converted", EVENTS)

        def convert() -> None:
            with pytest.raises(CommandError):
                self.watched.cloud.run("convert")

        with functions.without("convert_batch", *rights):
            sample = self._measured(convert).without(*_OF_QUEUES)
        self.watched.cloud.run("convert")
        return sample

    @cached_property
    def big(self) -> Sample:
        """A big file of clean events arrives."""
        return self._ingested("big", BIG).without(*_OF_QUEUES)

    def longest(self, sample: Sample, function: str) -> float:
        """The longest call of a function in it, in seconds."""
        name = self.watched.physical(FUNCTION, function)
        found = [p.value for m, p in sample.points if m.name == "Duration" and ("FunctionName", name) in m.dimensions]
        return max(found) / 1000

    @cached_property
    def incomplete_export(self) -> Sample:
        """An export that lacks a file the vendor promised."""
        return self._exported(vendor_faults.file_missing())

    def _exported(self, *faults: Fault) -> Sample:
        self.deployed_exports.clear()
        with self.deployed_exports.vendor(*faults) as vendor:
            return self._measured(lambda: self.deployed_exports.export(vendor)).without(*_OF_QUEUES)

    def _ingested(self, name: str, count: int, *, dirty: bool = False) -> Sample:
        path = self.folder / f"{name}-{time.time_ns()}"
        now = datetime.now(UTC)
        names = (f"{path.name}-{number}" for number in range(count))
        path.write_bytes(b"".join(present_event(name, now, None if dirty else name) for name in names))
        return self._measured(lambda: self.watched.cloud.run("ingest", path))

    def _probe(self) -> Sample:
        functions = Functions(self.watched.cloud, "Watch")
        return self._measured(lambda: functions.call("probe_lag", {})).without(*_OF_QUEUES)

    def _probe_at(self, age: timedelta) -> Sample:
        dynamodb, table = self.watched.cloud.deployment.dynamodb, self.watched.cloud.output("LedgerTable")
        waiting = dynamodb.query(
            TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": PENDING}}
        )["Items"]
        for item in waiting:
            dynamodb.update_item(
                TableName=table,
                Key={name: item[name] for name in ("pk", "sk")},
                UpdateExpression="SET created_at = :at",
                ExpressionAttributeValues={":at": {"S": (datetime.now(UTC) - age).isoformat()}},
            )
        return self._probe()

    def _announcement(self) -> dict[str, Any]:
        found = self.watched.cloud.deployment.s3.list_objects_v2(Bucket=self.watched.cloud.output("SourceBucket"))
        known = found["Contents"][0]
        place = {"bucket": {"name": self.watched.cloud.output("SourceBucket")}}
        return {
            "detail-type": "Object Created",
            "detail": {**place, "object": {"key": known["Key"], "etag": known["ETag"].strip('"')}},
        }

    def _waiting(self, url: str) -> int:
        found = self.watched.cloud.deployment.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def _measured(self, action: Callable[[], object]) -> Sample:
        return self.watched.measure(action)

    @staticmethod
    def _wait_until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.5)
