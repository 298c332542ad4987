"""Conditions of the deployed stage, each produced for real, and the metrics measured of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import pytest

from cli.http_server.faults import Fault
from cli.platform.machine import run
from cli.simulator import vendor_faults
from infra.event_files.settings import EventFiles
from sluice.event_files.ledger.model import PENDING
from tests.support.cloudwatch.measurement import QUEUE, PointCollector, Resource, resources_of
from tests.support.cloudwatch.series import Metric, Point
from tests.support.local.deployed_cloud import Cloud, CommandError, settle, wait_until
from tests.support.local.deployed_exports import DeployedExports
from tests.support.local.deployed_functions import Functions, RefusedError
from tests.support.sample_events import broken, dated, illustration
from tests.support.stages import stage_named

EVENTS = 200
DIRTY_EVENTS = 500
_QUEUE_METRICS = (
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateAgeOfOldestMessage",
)


@dataclass(frozen=True)
class Sample:
    """Measured points, `at` in seconds since the measuring began."""

    points: tuple[tuple[Metric, Point], ...]

    def value(self, name: str) -> float:
        """Return the sum of a metric's points."""
        return sum(point.value for metric, point in self.points if metric.name == name)

    def only(self, *names: str) -> Sample:
        """Return the points of these metrics."""
        return Sample(tuple(found for found in self.points if found[0].name in names))

    def without(self, *names: str) -> Sample:
        """Return the points of all other metrics."""
        return Sample(tuple(found for found in self.points if found[0].name not in names))


@dataclass(frozen=True)
class MeasuredCloud:
    """The local cloud, whose metrics are taken for those of a stage with schedules."""

    cloud: Cloud

    @cached_property
    def resources(self) -> list[Resource]:
        """Return the deployed resources that can be measured."""
        return list(resources_of(self.cloud.deployment))

    def queue_url(self, logical_id: str) -> str:
        """Return the URL of the one queue whose logical id begins so."""
        (found,) = [
            each.physical_id for each in self.resources if each.kind == QUEUE and each.name.startswith(logical_id)
        ]
        return found

    def empty_queues(self) -> None:
        """Delete the messages that other tests left in queues."""
        for resource in self.resources:
            if resource.kind == QUEUE:
                self.cloud.deployment.sqs.purge_queue(QueueUrl=resource.physical_id)

    def measure(self, action: Callable[[], object]) -> Sample:
        """Do something, and return the points measured meanwhile, named as those of the other stage."""
        settle(self.cloud)
        begun = datetime.now(UTC)
        action()
        settle(self.cloud)  # then the log has what the calls wrote
        begin = begun.timestamp()
        return Sample(
            tuple(
                (_of_other_stage(metric), Point(max(0.0, point.at - begin), point.value))
                for metric, point in PointCollector(self.cloud.deployment, begun).collect(self.resources)
                if point.at >= begin or metric.namespace == "AWS/SQS"
            )
        )


@dataclass(frozen=True)
class Conditions:
    """Samples of the stage, healthy and in trouble, each measured once."""

    measured: MeasuredCloud
    exports: DeployedExports
    folder: Path

    @cached_property
    def files(self) -> Sample:
        """A file of clean events arrives."""
        return self._ingest("clean", EVENTS)

    @cached_property
    def conversion(self) -> Sample:
        """A conversion of a file."""
        self._ingest("to-convert", EVENTS)
        return self._measure(lambda: self.cloud.run("convert"))

    @cached_property
    def idle_conversion(self) -> Sample:
        """A conversion that finds no pending chunks."""
        self.cloud.run("convert")
        return self._measure(lambda: self.cloud.run("convert"))

    @cached_property
    def export(self) -> Sample:
        """An export that is delivered."""
        return self._export()

    @cached_property
    def incomplete_export(self) -> Sample:
        """An export that lacks a file the vendor promised."""
        return self._export(vendor_faults.file_missing())

    @cached_property
    def export_not_set_up(self) -> Sample:
        """An export of a stage whose secret is as it was deployed, and of its own vendor."""
        machine = self.cloud.output("ExportMachine")
        return self._measure(lambda: run(self.cloud.deployment.stepfunctions, machine, 60))

    @cached_property
    def queues(self) -> Sample:
        """Empty queues."""
        return self._measure_queues()

    @cached_property
    def dirty_files(self) -> Sample:
        """A file of dirty events arrives."""
        return self._ingest("dirty", DIRTY_EVENTS, dirty=True)

    @cached_property
    def slow_files(self) -> Sample:
        """Return a file of clean events that arrives, its validation as long as nine tenths of the stage's timeout."""
        nearly = 900.0 * stage_named("int").settings(EventFiles).validate_files.timeout_seconds  # milliseconds
        slow = ((metric, Point(point.at, nearly)) for metric, point in self.files.only("Duration").points)
        return Sample((*self.files.without("Duration").points, *slow))

    @cached_property
    def dead_letter(self) -> Sample:
        """Queues after a message that is no announcement was received as often as it may be."""
        sqs, url = self.cloud.deployment.sqs, self.measured.queue_url("EventFilesNewFilesQueue")
        dead_letters = self.measured.queue_url("EventFilesNewFilesDeadLetters")
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
        try:
            sqs.send_message(QueueUrl=url, MessageBody="no announcement")
            wait_until(lambda: self._has_message(dead_letters))
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
        sample = self._measure_queues()
        sqs.purge_queue(QueueUrl=dead_letters)
        return sample

    @cached_property
    def failed_validation(self) -> Sample:
        """A call of validate_files without its rights on the ledger."""
        functions = Functions(self.cloud, "event_files")
        rights = [right for right in functions.rights("validate_files") if right[0].startswith("dynamodb:")]
        bucket = self.cloud.output("SourceBucket")
        known = self.cloud.deployment.s3.list_objects_v2(Bucket=bucket)["Contents"][0]
        detail = {"bucket": {"name": bucket}, "object": {"key": known["Key"], "etag": known["ETag"].strip('"')}}
        body = json.dumps({"detail-type": "Object Created", "detail": detail})

        def call() -> None:
            with pytest.raises(RefusedError):
                functions.call("validate_files", {"Records": [{"messageId": "1", "body": body}]})

        with functions.without("validate_files", *rights):
            return self._measure(call)

    @cached_property
    def failed_conversion(self) -> Sample:
        """A conversion whose convert_batch may not write."""
        functions = Functions(self.cloud, "event_files")
        rights = [right for right in functions.rights("convert_batch") if right[0] == "s3:PutObject"]
        self._ingest("not-converted", EVENTS)

        def convert() -> None:
            with pytest.raises(CommandError):
                self.cloud.run("convert")

        with functions.without("convert_batch", *rights):
            sample = self._measure(convert)
        self.cloud.run("convert")
        return sample

    def probes(self, ages: Iterable[timedelta]) -> list[Sample]:
        """Return samples of the probe, called when the oldest pending chunk has these ages; 0 means no chunk."""
        self._ingest("newest", 1)  # a row of this hour: those of other tests may be years old
        self.cloud.run("convert")
        idle = self._probe()
        self._ingest("pending", 1)
        found = [self._probe_at(age) if age else idle for age in ages]
        self.cloud.run("convert")
        return found

    @property
    def cloud(self) -> Cloud:
        """Return the local cloud."""
        return self.measured.cloud

    def _measure(self, action: Callable[[], object]) -> Sample:
        return self.measured.measure(action).without(*_QUEUE_METRICS)

    def _measure_queues(self) -> Sample:
        return self.measured.measure(lambda: None).only(*_QUEUE_METRICS)

    def _export(self, *faults: Fault) -> Sample:
        self.exports.clear()
        with self.exports.vendor(*faults) as vendor:
            return self._measure(lambda: self.exports.export(vendor))

    def _ingest(self, name: str, count: int, *, dirty: bool = False) -> Sample:
        path = self.folder / f"{name}-{time.time_ns()}"
        text = dated(broken(0) if dirty else illustration(0), "IDENTIFIER", datetime.now(UTC))
        names = (f"{path.name}-{number}".encode() for number in range(count))
        path.write_bytes(b"".join(text.replace(b"IDENTIFIER", name) for name in names))
        return self._measure(lambda: self.cloud.run("ingest", path))

    def _probe(self) -> Sample:
        functions = Functions(self.cloud, "event_files")
        return self._measure(lambda: functions.call("probe_lag", {}))

    def _probe_at(self, age: timedelta) -> Sample:
        dynamodb, table = self.cloud.deployment.dynamodb, self.cloud.output("LedgerTable")
        pending = dynamodb.query(
            TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": PENDING}}
        )["Items"]
        for item in pending:
            dynamodb.update_item(
                TableName=table,
                Key={name: item[name] for name in ("pk", "sk")},
                UpdateExpression="SET created_at = :at",
                ExpressionAttributeValues={":at": {"S": (datetime.now(UTC) - age).isoformat()}},
            )
        return self._probe()

    def _has_message(self, url: str) -> bool:
        found = self.cloud.deployment.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return found["ApproximateNumberOfMessages"] != "0"


def _of_other_stage(metric: Metric) -> Metric:
    """Return the metric as the stage `int` has it."""
    dimensions = dict(metric.dimensions)
    return Metric.of(metric.namespace, metric.name, dimensions | ({"stage": "int"} if "stage" in dimensions else {}))
