"""Event files: from the upload in the source bucket to rows in the lake's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from aws_cdk import Aws, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.event_files.functions import RUN_FOLDERS, EventFunctions
from infra.event_files.machine import ConversionMachine
from infra.event_files.observability import SAVED_QUERIES, panels, raise_alarms
from infra.event_files.settings import EventFiles
from infra.platform.functions import PythonFunction
from infra.platform.lake_part import LakePart
from infra.platform.observability.alarms import Alarms
from infra.platform.observability.settings import Observability
from infra.platform.observability.widgets import Panels
from infra.platform.pipeline_part import PipelinePart
from infra.platform.search import ProfilingSearch
from infra.platform.stage_stack import SecureBucket
from infra.platform.triggers import QueuedEvents
from infra.stage import Batching, ProducerBucket
from sluice.contracts.load import load_registry
from sluice.contracts.model import DIRTY_EVENTS
from sluice.event_files.ledger.model import NEWEST
from sluice.event_files.pipeline import PIPELINE

# Kinds of events as EventBridge names them, and as S3 does.
_CREATED = {"Object Created": ["s3:ObjectCreated:*"]}
_DELETED = {"Object Deleted": ["s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"]}


class EventFilesPart(PipelinePart):
    """Source bucket → queue → validate_files → lake, and the Convert machine over it."""

    pipeline = PIPELINE
    saved_queries = SAVED_QUERIES
    run_objects = (f"{RUN_FOLDERS}/commit.json",)

    def __init__(self, scope: Construct, *, lake: LakePart) -> None:
        super().__init__(scope, lake=lake)
        self._settings = self.stage.settings(EventFiles)
        self.ledger = self.state_table("Ledger", expiry="expires_at")
        self.media_index = self.state_table("MediaIndex", expiry="expires_at")
        self._build_tables()
        self.steps = EventFunctions(self, self.ledger, self.media_index)
        searched = self.stage.settings(Observability).search
        self.search = ProfilingSearch(self, searched, lake) if searched else None
        self.functions += self.search.functions if self.search else ()
        self.files = self._queue("NewFiles", lake.source, _CREATED, self.steps.validate_files, self._settings.files)
        changes = {**_CREATED, **_DELETED}
        self.steps.let_announce_anew(self.files.queue)
        self.media = self._queue("Media", lake.media, changes, self.steps.index_media, self._settings.media)
        self._welcome_owners()
        self.add_queue("files", self.files)
        self.add_queue("media", self.media)
        self.convert = ConversionMachine(self, self.steps, self.search.load if self.search else None)
        self.add_machine(self.convert)
        self.schedule("Conversions", self._settings.conversion_schedule, self.convert, "Converts what is validated")
        self.schedule("Sweeps", self._settings.sweep_schedule, self.steps.sweep_orphans)
        self.schedule("Probes", self._settings.probe_schedule, self.steps.probe_lag)
        self.publish(
            LedgerTable=self.ledger.table_name,
            MediaTable=self.media_index.table_name,
            QueueUrl=self.files.queue.queue_url,
            DeadLetterQueueUrl=self.files.dead_letters.queue_url,
        )

    def _build_tables(self) -> None:
        kept = self._settings.dirty_retention_days
        for table in load_registry().tables():
            self.lake.catalog.add(self, replace(table, kept_days=kept) if table is DIRTY_EVENTS else table)
        self.lake.bucket.expire("DirtyRecords", "data/dirty_json/", kept)
        self.lake.bucket.expire("UnrelatedRecords", "data/unrelated_json/", kept)

    def _queue(
        self,
        name: str,
        bucket: s3.IBucket,
        kinds: Mapping[str, Sequence[str]],
        function: PythonFunction,
        batching: Batching,
    ) -> QueuedEvents:
        """Build the queue of a bucket's events: a bucket of the stage's own sends them itself, which costs nothing."""
        wanted: ProducerBucket = self.stage.source if bucket is self.lake.source else self.stage.media
        if isinstance(bucket, SecureBucket):
            queued = QueuedEvents(self, name, function=function, batching=batching)
            bucket.notify(queued.queue, [*chain.from_iterable(kinds.values())], wanted.prefixes)
            return queued
        pattern = _object_events([*kinds], bucket.bucket_name, wanted)
        description = f"{' or '.join(kinds)} in the {bucket.node.id.lower()} bucket"
        return QueuedEvents(self, name, function=function, batching=batching, pattern=pattern, description=description)

    def _welcome_owners(self) -> None:
        """Let other accounts that own buckets send their events to this account's bus, where the queues' rules are."""
        if self.stage.local:  # the local cloud has no policies of buses
            return
        for owner in sorted(filter(None, {self.stage.source.owner, self.stage.media.owner})):
            name = f"{self.stage.resource_prefix}-{owner}"
            statement = iam.PolicyStatement(
                sid=name,
                principals=[iam.AccountPrincipal(owner)],
                actions=["events:PutEvents"],
                resources=[Stack.of(self).format_arn(service="events", resource="event-bus", resource_name="default")],
            )
            events.CfnEventBusPolicy(
                self, f"EventsOf{owner}", statement_id=name, statement=statement.to_statement_json()
            )

    def raise_alarms(self, alarms: Alarms) -> None:
        """Raise alarms on all that can go wrong, from the queues to the age of the newest row."""
        raise_alarms(alarms, self.steps, self.convert, self.files, self.media, self.missed_calls)
        if self.search:
            self.search.raise_alarm(alarms)

    def panels(self) -> Panels:
        """Return what arrived, how much of it is clean, and how fresh the tables are."""
        return panels(self.stage, self.functions)

    def digest_settings(self) -> Mapping[str, str]:
        """Return the place of the age of the tables' newest rows."""
        return {"ledger_table": self.ledger.table_name}

    def allow_digest(self, function: PythonFunction) -> None:
        """Let the digest's function read it."""
        function.allow_items(self.ledger.table_arn, ["Query"], [NEWEST])


def _object_events(kinds: Sequence[str], bucket: str, wanted: ProducerBucket) -> events.EventPattern:
    """Return the pattern of events of a bucket's objects, sent by no other account than the bucket's owner."""
    detail: dict[str, object] = {"bucket": {"name": [bucket]}}
    if wanted.prefixes:
        detail["object"] = {"key": [{"prefix": prefix} for prefix in wanted.prefixes]}
    return events.EventPattern(
        source=["aws.s3"], detail_type=[*kinds], detail=detail, account=[wanted.owner or Aws.ACCOUNT_ID]
    )
