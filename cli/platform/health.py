"""How a stage is doing: what waits, what ran, what is dirty, what rings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from cli.event_files.ledger import converted_chunks, pending_chunks
from cli.platform.run_records import records_of
from cli.platform.session import LOCAL, Deployment
from cli.vendor_exports.exports import environment_of
from sluice.event_files.ledger.ledger_items import Item
from sluice.runs.model import RunRecord
from sluice.vendor_exports.delivery.model import Account
from sluice.vendor_exports.delivery.slots import Slot
from sluice.vendor_exports.delivery.slots_dynamodb import DynamoSlots
from tests.support.cloudwatch.evaluation import ALARM, INSUFFICIENT_DATA, OK, AlarmState
from tests.support.cloudwatch.local import local_alarms

RUNS = 5
# Dirty counts cover what waits and so many converted chunks: enough to see what is wrong now, in one or two requests.
CHUNKS = 500

_KINDS = ["CompositeAlarm", "MetricAlarm"]  # without them only the latter are described
_URGENCY = (ALARM, INSUFFICIENT_DATA, OK)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for conversion; `events` are the clean ones, `oldest_seconds` the age of the first chunk."""

    chunks: int
    files: int
    events: int
    oldest_seconds: int | None


@dataclass(frozen=True, slots=True)
class Queue:
    """Announcements that wait, that are being worked on, and that nobody could handle."""

    waiting: int
    in_flight: int
    dead_letters: int


@dataclass(frozen=True, slots=True)
class ExportedSlot:
    """What became of a slot; `status` is ``running`` while an execution has it, since `running_seconds`."""

    slot: str
    status: str
    running_seconds: int | None = None
    promised: int = 0
    copied: int = 0
    missing: int = 0
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The document of `sluice status --json`.

    `dirty` counts by table (``-``: not known) and reason, over the last `dirty_chunks` chunks, the first of which was
    made at `dirty_since`.
    """

    backlog: Backlog
    queue: Queue
    dirty: dict[str, dict[str, int]]
    dirty_chunks: int
    dirty_since: str | None
    runs: list[RunRecord]
    exports: list[ExportedSlot]
    alarms: list[AlarmState]

    def document(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


def health(deployment: Deployment) -> Health:
    """Ask the stage how it is doing."""
    now = datetime.now(UTC)
    pending = list(pending_chunks(deployment))
    recent = [*pending, *islice(converted_chunks(deployment), CHUNKS)]
    return Health(
        backlog=backlog(pending, now),
        queue=queue(deployment),
        dirty=dirty(recent),
        dirty_chunks=len(recent),
        dirty_since=min((chunk["created_at"] for chunk in recent), default=None),
        runs=records_of(deployment).recent(now, RUNS),
        exports=_exports(deployment),
        alarms=_alarms(deployment),
    )


def backlog(pending: list[Item], now: datetime) -> Backlog:
    """Add the pending chunks up."""
    ages = [(now - datetime.fromisoformat(chunk["created_at"])).total_seconds() for chunk in pending]
    return Backlog(
        chunks=len(pending),
        files=sum(int(chunk["files"]) for chunk in pending),
        events=sum(sum(chunk["clean"].values()) for chunk in pending),
        oldest_seconds=max(0, round(max(ages))) if ages else None,
    )


def dirty(chunks: Iterable[Item]) -> dict[str, dict[str, int]]:
    """Dirty events by table and reason, tables in order of their names."""
    tables: dict[str, Counter[str]] = {}
    for chunk in chunks:
        for table, reasons in chunk.get("dirty", {}).items():
            tables.setdefault(table, Counter()).update(reasons)
    return {table: dict(counts.most_common()) for table, counts in sorted(tables.items())}


def queue(deployment: Deployment) -> Queue:
    """How many announcements wait."""
    depth = _depth(deployment, deployment.output("QueueUrl"))
    dead = _depth(deployment, deployment.output("DeadLetterQueueUrl"))
    return Queue(depth[0], depth[1], dead[0])


def _depth(deployment: Deployment, url: str) -> tuple[int, int]:
    found = deployment.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])


def _exports(deployment: Deployment) -> list[ExportedSlot]:
    environment = environment_of(deployment)
    slots = DynamoSlots(deployment.dynamodb, deployment.output("SlotsTable"))
    return [
        _exported(slot, account) if account else _running(deployment, slot, slots.owner(environment, slot))
        for slot, account in slots.recent(environment, RUNS)
    ]


def _exported(slot: Slot, account: Account) -> ExportedSlot:
    counts = (account.promised, account.copied, len(account.missing))
    return ExportedSlot(str(slot), account.status, None, *counts, account.cause)


def _running(deployment: Deployment, slot: Slot, execution: str | None) -> ExportedSlot:
    if execution is None:  # it ended a moment ago
        return ExportedSlot(str(slot), "running")
    started = deployment.stepfunctions.describe_execution(executionArn=execution)["startDate"]
    return ExportedSlot(str(slot), "running", max(0, round((datetime.now(UTC) - started).total_seconds())))


def _alarms(deployment: Deployment) -> list[AlarmState]:
    """The alarms, those that are on first."""
    found = local_alarms(deployment) if deployment.stage == LOCAL else _described_alarms(deployment)
    return sorted(found, key=lambda alarm: (_URGENCY.index(alarm.state), alarm.name))


def _described_alarms(deployment: Deployment) -> list[AlarmState]:
    pages = deployment.cloudwatch.get_paginator("describe_alarms")
    found = [
        alarm
        for page in pages.paginate(AlarmNamePrefix=deployment.prefix, AlarmTypes=_KINDS)
        for alarm in [*page.get("CompositeAlarms", []), *page.get("MetricAlarms", [])]
    ]
    return [AlarmState(a["AlarmName"], a["StateValue"], a.get("StateReason", "")) for a in found]
