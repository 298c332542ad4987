"""The functions of event files, each with exactly the rights it needs."""

from constructs import Construct

from infra.event_files.settings import EventFiles
from infra.platform.functions import PipelineFunctions, PythonFunction
from infra.platform.lake_stack import LakeStack
from infra.platform.observability.settings import Observability
from infra.platform.storage import StateTable
from infra.stage import Stage
from sluice.search.pending import PENDING_PREFIX

_EVENT_KINDS = ("clean", "dirty", "unrelated")
_ANY_OBJECT = "Objects are named by their producer, chunk or run; the folder is fixed."


class EventFunctions(PipelineFunctions):
    """One attribute per folder of `functions/event_files/`."""

    def __init__(
        self,
        scope: Construct,
        *,
        stage: Stage,
        pipeline: str,
        lake: LakeStack,
        ledger: StateTable,
        media_index: StateTable,
    ) -> None:
        """Build every function."""
        self._settings = stage.settings(EventFiles)
        super().__init__(scope, stage=stage, pipeline=pipeline, settings=self._settings)
        self._lake = lake
        self._lake_arn = lake.bucket_arn
        self._ledger = ledger
        self._in_lake = {"LAKE_BUCKET": lake.bucket.bucket_name}
        self._in_ledger = {"LEDGER_TABLE": ledger.table_name}
        self._in_media = {"MEDIA_BUCKET": lake.media.bucket_name, "MEDIA_TABLE": media_index.table_name}
        self._event_folders = [f"{self._lake_arn}/data/{kind}_json/*" for kind in _EVENT_KINDS]
        self.validate_files = self._build_validate_files(media_index)
        self.index_media = self._build_index_media(media_index)
        self.plan_conversion = self._build_plan_conversion()
        self.convert_batch = self._build_convert_batch()
        self.commit_conversion = self._build_commit_conversion()
        self.profile_run = self._build_profile_run(searched=bool(stage.settings(Observability).search))
        self.sweep_orphans = self._build_sweep_orphans()
        self.probe_lag = self._build_probe_lag()

    def _build_validate_files(self, media_index: StateTable) -> PythonFunction:
        function = self.build(
            "validate_files",
            "Sorts the events of new files into clean, dirty and unrelated",
            **self._in_lake,
            **self._in_ledger,
            **self._in_media,
            CHUNK_BYTES=str(self._settings.chunk_bytes),
            MAX_FILE_BYTES=str(self._settings.max_file_bytes),
        )
        source = self._lake.source_arn
        function.allow(["s3:GetObject"], [f"{source}/*"], _ANY_OBJECT)
        function.allow(["s3:ListBucket"], [source])  # without it, S3 says "forbidden" of an object that is gone
        function.allow(["s3:PutObject"], self._event_folders, _ANY_OBJECT)
        function.allow(["dynamodb:BatchGetItem", "dynamodb:PutItem"], [self._ledger.table_arn])
        function.allow(["dynamodb:Query"], [media_index.table_arn])
        return function

    def _build_index_media(self, media_index: StateTable) -> PythonFunction:
        function = self.build("index_media", "Keeps the media index in step with the media bucket", **self._in_media)
        function.allow(["dynamodb:BatchWriteItem"], [media_index.table_arn])
        return function

    def _build_plan_conversion(self) -> PythonFunction:
        function = self.build(
            "plan_conversion",
            "Claims the pending chunks and writes the plan of the run",
            **self._in_lake,
            **self._in_ledger,
            BATCH_BYTES=str(self._settings.batch_bytes),
        )
        function.allow(["s3:PutObject"], [f"{self._lake_arn}/runs/*"], _ANY_OBJECT)
        claim = ["dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
        function.allow(claim, [self._ledger.table_arn])
        return function

    def _build_convert_batch(self) -> PythonFunction:
        purpose = "Turns batches of clean events into Parquet and leaves a receipt of each"
        function = self.build("convert_batch", purpose, "arrow", **self._in_lake)
        read = [f"{self._lake_arn}/{folder}/*" for folder in ("data/clean_json", "data/dirty_json", "runs")]
        write = [f"{self._lake_arn}/{folder}/*" for folder in ("data/clean_parquet", "runs")]
        function.allow(["s3:GetObject"], read, _ANY_OBJECT)
        function.allow(["s3:ListBucket"], [self._lake_arn])  # without it, S3 says "forbidden" of a missing receipt
        function.allow(["s3:PutObject"], write, _ANY_OBJECT)
        return function

    def _build_commit_conversion(self) -> PythonFunction:
        purpose = "Compares events with rows, then marks the chunks converted"
        function = self.build("commit_conversion", purpose, **self._in_lake, **self._in_ledger)
        function.allow(["s3:GetObject", "s3:PutObject"], [f"{self._lake_arn}/runs/*"], _ANY_OBJECT)
        function.allow(["s3:ListBucket"], [self._lake_arn])  # without it, S3 says "forbidden" of a missing receipt
        function.allow(["s3:DeleteObject"], [f"{self._lake_arn}/data/clean_json/*"], _ANY_OBJECT)
        settle = ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"]
        function.allow(settle, [self._ledger.table_arn])
        return function

    def _build_profile_run(self, *, searched: bool) -> PythonFunction:
        function = self.build(
            "profile_run",
            "Publishes the outcome of every event of the run, then closes it",
            "arrow",
            **self._in_lake,
            **self._in_ledger,
            SEARCHED="yes" if searched else "",
        )
        published = f"{self._lake_arn}/data/clean_parquet/PROFILING_LOG.parquet/*"
        function.allow(["s3:GetObject"], [f"{self._lake_arn}/runs/*"], _ANY_OBJECT)
        function.allow(["s3:PutObject"], [published], _ANY_OBJECT)
        if searched:
            function.allow(["s3:PutObject"], [f"{self._lake_arn}/{PENDING_PREFIX}*"], _ANY_OBJECT)
        function.allow(["dynamodb:DeleteItem"], [self._ledger.table_arn])
        return function

    def _build_sweep_orphans(self) -> PythonFunction:
        purpose = "Removes objects of chunks that were never committed"
        function = self.build("sweep_orphans", purpose, **self._in_lake, **self._in_ledger)
        function.allow(["s3:ListBucket"], [self._lake_arn])
        function.allow(["s3:DeleteObject"], self._event_folders, _ANY_OBJECT)
        function.allow(["dynamodb:BatchGetItem"], [self._ledger.table_arn])
        return function

    def _build_probe_lag(self) -> PythonFunction:
        function = self.build("probe_lag", "Measures how far the lake is behind", **self._in_ledger)
        function.allow(["dynamodb:Query"], [self._ledger.table_arn])
        return function
