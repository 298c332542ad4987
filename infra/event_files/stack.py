"""Event files: from the upload in the source bucket to rows in the lake's tables."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.event_files.functions import EventFunctions
from infra.event_files.machine import ConversionMachine
from infra.event_files.observability import SAVED_QUERIES, panels, raise_alarms
from infra.event_files.settings import EventFiles
from infra.platform.functions import PythonFunction
from infra.platform.lake_stack import LakeStack
from infra.platform.observability.alarms import Alarms
from infra.platform.observability.settings import Observability
from infra.platform.observability.widgets import Panels
from infra.platform.pipeline_stack import PipelineStack
from infra.platform.search import ProfilingSearch
from infra.platform.triggers import QueuedEvents
from infra.stage import Batching, Stage
from sluice.contracts.load import load_registry
from sluice.event_files.pipeline import PIPELINE


class EventFilesStack(PipelineStack):
    """Source bucket → EventBridge → queue → validate_files → lake, and the Convert machine over it."""

    pipeline = PIPELINE
    saved_queries = SAVED_QUERIES
    run_objects = ("runs/*/commit.json",)

    def __init__(self, scope: Construct, *, stage: Stage, lake: LakeStack) -> None:
        super().__init__(scope, stage=stage, lake=lake)
        self._settings = stage.settings(EventFiles)
        self.ledger = self.state_table("Ledger", expiry="expires_at")
        self.media_index = self.state_table("MediaIndex")
        self._build_tables()
        self.steps = EventFunctions(self, self.ledger, self.media_index)
        searched = stage.settings(Observability).search
        self.search = ProfilingSearch(self, searched, lake) if searched else None
        self.functions += self.search.functions if self.search else ()
        created, deleted = "Object Created", "Object Deleted"
        self.files = self._queue("Files", lake.source, [created], self.steps.validate_files, self._settings.files)
        self.media = self._queue("Media", lake.media, [created, deleted], self.steps.index_media, self._settings.media)
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
        for table in load_registry().tables():
            self.lake.catalog.add(self, table)
        kept = self._settings.dirty_retention_days
        self.lake.bucket.expire("DirtyRecords", "data/dirty_json/", kept)
        self.lake.bucket.expire("UnrelatedRecords", "data/unrelated_json/", kept)

    def _queue(
        self, name: str, bucket: s3.IBucket, kinds: Sequence[str], function: PythonFunction, batching: Batching
    ) -> QueuedEvents:
        queued = QueuedEvents(
            self,
            name,
            pattern=events.EventPattern(
                source=["aws.s3"], detail_type=kinds, detail={"bucket": {"name": [bucket.bucket_name]}}
            ),
            description=f"{' or '.join(kinds)} in the {bucket.node.id.lower()} bucket",
            function=function,
            batching=batching,
        )
        self.add_queue(name.lower(), queued)
        return queued

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
        function.allow(["dynamodb:Query"], [self.ledger.table_arn])
