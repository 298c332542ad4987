"""The functions of event files, each with exactly the rights it needs."""

from aws_cdk import Aws
from aws_cdk import aws_sqs as sqs

from infra.event_files.settings import EventFiles
from infra.platform.functions import allow_key
from infra.platform.observability.settings import Observability
from infra.platform.pipeline_part import PipelineFunctions, PipelinePart
from infra.platform.stage_stack import StateTable
from infra.stage import ProducerBucket
from sluice.contracts.model import PROFILING_LOG
from sluice.event_files.ledger.model import CONVERTED, NEWEST, PENDING, RUN, SOURCES
from sluice.lake.object_store import RUNS_PREFIX, table_prefix
from sluice.search.pending import PENDING_PREFIX

_EVENT_KINDS = ("clean", "dirty", "unrelated")
_ANY_OBJECT = "Objects are named by their producer, chunk or run; the folder is fixed."

RUN_FOLDERS = f"{RUNS_PREFIX}2*"
"""Folders of the runs of Convert: they begin with the year, other folders beside them with letters."""


class EventFunctions(PipelineFunctions):
    """One attribute per folder of `functions/event_files/`."""

    def __init__(self, part: PipelinePart, ledger: StateTable, media_index: StateTable) -> None:
        self._settings = part.stage.settings(EventFiles)
        super().__init__(part, self._settings)
        self._ledger = ledger
        self._in_ledger = {"LEDGER_TABLE": ledger.table_name}
        self._in_tables = {"DATABASE": self.lake.stage.database}
        self._in_media = {"MEDIA_BUCKET": self.lake.media.bucket_name, "MEDIA_TABLE": media_index.table_name}
        self._runs = f"{self._lake_arn}/{RUN_FOLDERS}"
        self._event_folders = [f"{self._lake_arn}/data/{kind}_json/*" for kind in _EVENT_KINDS]
        self._build_intake(media_index)
        self._build_conversion()
        self._build_profile(searched=bool(part.stage.settings(Observability).search))
        self._build_upkeep()

    def _build_intake(self, media_index: StateTable) -> None:
        self.validate_files = self.build(
            "validate_files",
            "Sorts the events of new files into clean, dirty and unrelated",
            **self._in_lake,
            **self._in_ledger,
            **self._in_media,
            SOURCE_OWNER=self.lake.stage.source.owner or Aws.ACCOUNT_ID,
            CHUNK_BYTES=str(self._settings.chunk_bytes),
            MAX_FILE_BYTES=str(self._settings.max_file_bytes),
            EVENT_DAYS_BEFORE_FILE=str(self._settings.event_days_before_file),
            EVENT_DAYS_AFTER_FILE=str(self._settings.event_days_after_file),
            MAX_FILE_HOURS=str(self._settings.max_file_hours),
            FILE_SECONDS=str(self._settings.file_seconds),
        )
        self._allow_source(self.lake.stage.source)
        self.validate_files.allow_creating(self._event_folders, _ANY_OBJECT)
        self.validate_files.allow_items(self._ledger.table_arn, ["BatchGetItem"], [f"{SOURCES}*"])
        self.validate_files.allow_items(self._ledger.table_arn, ["PutItem"], [f"{SOURCES}*", PENDING, CONVERTED])
        self.validate_files.allow(["dynamodb:Query"], [media_index.table_arn])
        self.index_media = self.build(
            "index_media",
            "Keeps the media index in step with the media bucket",
            **self._in_media,
            MEDIA_OWNER=self.lake.stage.media.owner or Aws.ACCOUNT_ID,
        )
        self.index_media.allow(["dynamodb:UpdateItem"], [media_index.table_arn])
        self.index_media.allow_list(self.lake.media.bucket_arn)

    def let_announce_anew(self, queue: sqs.IQueue) -> None:
        """Let the intake send messages once more whose files it had no time for: that delivery must not count."""
        self.validate_files.function.add_environment("QUEUE_URL", queue.queue_url)
        self.validate_files.function.add_environment("MAX_RECEIVES", str(self.lake.stage.max_receives))
        self.validate_files.allow(["sqs:SendMessage"], [queue.queue_arn])

    def _allow_source(self, bucket: ProducerBucket) -> None:
        source = self.lake.source.bucket_arn
        read = [f"{source}/{prefix}*" for prefix in bucket.prefixes or ("",)]
        self.validate_files.allow(
            ["s3:GetObject", *(["s3:GetObjectVersion"] if bucket.existing else [])], read, _ANY_OBJECT
        )
        self.validate_files.allow_list(source)
        if bucket.kms_key:
            allow_key(self.validate_files.role, ["kms:Decrypt"], bucket.kms_key)

    def _build_conversion(self) -> None:
        self.plan_conversion = self.build(
            "plan_conversion",
            "Claims the pending chunks and writes the plan of the run",
            **self._in_lake,
            **self._in_ledger,
            BATCH_BYTES=str(self._settings.batch_bytes),
        )
        self.plan_conversion.allow(["s3:PutObject"], [f"{self._runs}/plan-*"], _ANY_OBJECT)
        self.plan_conversion.allow_items(self._ledger.table_arn, ["Query"], [PENDING])
        claim = ["GetItem", "UpdateItem", "DeleteItem"]
        self.plan_conversion.allow_items(self._ledger.table_arn, claim, [RUN])
        purpose = "Turns batches of clean events into Parquet and leaves a receipt of each"
        self.convert_batch = self.build("convert_batch", purpose, "arrow", **self._in_lake, **self._in_tables)
        self.lake.catalog.let_read_columns(self.convert_batch)
        chunks = [f"{self._lake_arn}/data/{kind}_json/*" for kind in ("clean", "dirty")]
        notes = [f"{self._runs}/{folder}/*" for folder in ("receipts", "left_out", "profile")]
        self.convert_batch.allow(["s3:GetObject"], [*chunks, notes[0]], _ANY_OBJECT)
        self.convert_batch.allow_list(self._lake_arn)
        tables = f"{self._lake_arn}/{table_prefix('*')}year=*"
        self.convert_batch.allow(["s3:PutObject"], [tables, *notes], _ANY_OBJECT)
        purpose = "Compares events with rows, then marks the chunks converted; plans again without what failed"
        self.commit_conversion = self.build(
            "commit_conversion", purpose, "arrow", "tables", **self._in_lake, **self._in_tables, **self._in_ledger
        )
        self.lake.catalog.let_commit(self.commit_conversion)
        self.commit_conversion.allow(["s3:GetObject"], [f"{self._runs}/*"], _ANY_OBJECT)
        written = [f"{self._runs}/plan-*", f"{self._runs}/commit.json"]
        self.commit_conversion.allow(["s3:PutObject"], written, _ANY_OBJECT)
        self.commit_conversion.allow_list(self._lake_arn)
        self.commit_conversion.allow(["s3:DeleteObject"], [f"{self._lake_arn}/data/clean_json/*"], _ANY_OBJECT)
        settled = {"Query": [PENDING], "PutItem": [CONVERTED, NEWEST], "UpdateItem": [PENDING, RUN], "GetItem": [RUN]}
        for action, keys in {**settled, "DeleteItem": [PENDING]}.items():
            self.commit_conversion.allow_items(self._ledger.table_arn, [action], keys)

    def _build_profile(self, *, searched: bool) -> None:
        self.profile_run = self.build(
            "profile_run",
            "Publishes the outcome of every event of the run, then closes it",
            "arrow",
            "tables",
            **self._in_lake,
            **self._in_tables,
            **self._in_ledger,
            SEARCHED="yes" if searched else "",
        )
        self.lake.catalog.let_commit(self.profile_run, PROFILING_LOG.name)
        published = f"{self._lake_arn}/{table_prefix(PROFILING_LOG.name)}year=*"
        self.profile_run.allow(["s3:GetObject"], [f"{self._runs}/*"], _ANY_OBJECT)
        self.profile_run.allow(["s3:PutObject"], [published], _ANY_OBJECT)
        if searched:
            self.profile_run.allow(["s3:PutObject"], [f"{self._lake_arn}/{PENDING_PREFIX}*"], _ANY_OBJECT)
        self.profile_run.allow_items(self._ledger.table_arn, ["DeleteItem"], [RUN])

    def _build_upkeep(self) -> None:
        purpose = "Removes objects of chunks that were never committed"
        self.sweep_orphans = self.build("sweep_orphans", purpose, **self._in_lake, **self._in_ledger)
        self.sweep_orphans.allow_list(self._lake_arn)
        self.sweep_orphans.allow(["s3:DeleteObject"], self._event_folders, _ANY_OBJECT)
        self.sweep_orphans.allow_items(self._ledger.table_arn, ["BatchGetItem"], [PENDING, CONVERTED])
        self.probe_lag = self.build("probe_lag", "Measures how far the lake is behind", **self._in_ledger)
        self.probe_lag.allow_items(self._ledger.table_arn, ["Query"], [PENDING, NEWEST])
