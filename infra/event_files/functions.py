"""The functions that take event files into the lake, each with exactly the rights its job needs."""

from __future__ import annotations

from collections.abc import Iterator

from constructs import Construct

from infra.layers.layers import Layers
from infra.platform.lake_stack import LakeStack
from infra.platform.python_function import PythonFunction
from infra.stage import Stage
from sluice.observability.metrics import Pipeline
from sluice.search.pending import PENDING_PREFIX

_EVENT_KINDS = ("clean", "dirty", "unrelated")
_ANY_OBJECT = "Objects are named by their producer, chunk or run; the folder is fixed."


class EventFunctions(Construct):
    """One attribute per folder of `functions/`."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, lake: LakeStack) -> None:
        """Build every function."""
        super().__init__(scope, construct_id)
        self._built: list[PythonFunction] = []
        self._stage = stage
        self._lake = lake
        self.layers = Layers(self, "Layers", stage=stage)
        self._lake_arn = lake.arn_for_others(lake.lake)
        self._event_folders = [f"{self._lake_arn}/data/{kind}_json/*" for kind in _EVENT_KINDS]
        self.validate_files = self._build_validate_files()
        self.index_media = self._build_index_media()
        self.plan_conversion = self._build_plan_conversion()
        self.convert_batch = self._build_convert_batch()
        self.commit_conversion = self._build_commit_conversion()
        self.profile_run = self._build_profile_run()
        self.sweep_orphans = self._build_sweep_orphans()

    def __iter__(self) -> Iterator[PythonFunction]:
        """Yield each function."""
        return iter(self._built)

    def _build(self, folder: str, purpose: str, *, parquet: bool = False, **environment: str) -> PythonFunction:
        built = PythonFunction(
            self,
            stage=self._stage,
            folder=folder,
            pipeline=Pipeline.EVENT_FILES,
            purpose=purpose,
            size=getattr(self._stage, folder),
            layers=self.layers.including(*(["arrow"] if parquet else [])),
            environment=environment,
        )
        self._built.append(built)
        return built

    def _build_validate_files(self) -> PythonFunction:
        lake, stage = self._lake, self._stage
        function = self._build(
            "validate_files",
            "Sorts the events of new files into clean, dirty and unrelated",
            LAKE_BUCKET=lake.lake.bucket_name,
            LEDGER_TABLE=lake.ledger.table_name,
            MEDIA_BUCKET=lake.media.bucket_name,
            MEDIA_TABLE=lake.media_index.table_name,
            CHUNK_BYTES=str(stage.chunk_bytes),
            MAX_FILE_BYTES=str(stage.max_file_bytes),
        )
        source = lake.arn_for_others(lake.source)
        function.allow(["s3:GetObject"], [f"{source}/*"], _ANY_OBJECT)
        function.allow(["s3:ListBucket"], [source])  # without it, S3 says "forbidden" of an object that is gone
        function.allow(["s3:PutObject"], self._event_folders, _ANY_OBJECT)
        function.allow(["dynamodb:BatchGetItem", "dynamodb:PutItem"], [lake.ledger.table_arn])
        function.allow(["dynamodb:Query"], [lake.media_index.table_arn])
        return function

    def _build_index_media(self) -> PythonFunction:
        function = self._build(
            "index_media",
            "Keeps the media index in step with the media bucket",
            MEDIA_BUCKET=self._lake.media.bucket_name,
            MEDIA_TABLE=self._lake.media_index.table_name,
        )
        function.allow(["dynamodb:BatchWriteItem"], [self._lake.media_index.table_arn])
        return function

    def _build_plan_conversion(self) -> PythonFunction:
        function = self._build(
            "plan_conversion",
            "Claims the pending chunks and writes the plan of the run",
            LAKE_BUCKET=self._lake.lake.bucket_name,
            LEDGER_TABLE=self._lake.ledger.table_name,
            BATCH_BYTES=str(self._stage.batch_bytes),
        )
        function.allow(["s3:PutObject"], [f"{self._lake_arn}/runs/*"], _ANY_OBJECT)
        claim = ["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]
        function.allow(claim, [self._lake.ledger.table_arn])
        return function

    def _build_convert_batch(self) -> PythonFunction:
        function = self._build(
            "convert_batch",
            "Turns batches of clean events into Parquet and leaves a receipt of each",
            parquet=True,
            LAKE_BUCKET=self._lake.lake.bucket_name,
        )
        read = [f"{self._lake_arn}/{folder}/*" for folder in ("data/clean_json", "data/dirty_json", "runs")]
        write = [f"{self._lake_arn}/{folder}/*" for folder in ("data/clean_parquet", "runs")]
        function.allow(["s3:GetObject"], read, _ANY_OBJECT)
        function.allow(["s3:ListBucket"], [self._lake_arn])  # without it, S3 says "forbidden" of a missing receipt
        function.allow(["s3:PutObject"], write, _ANY_OBJECT)
        return function

    def _build_commit_conversion(self) -> PythonFunction:
        function = self._build(
            "commit_conversion",
            "Compares events with rows, then marks the chunks converted",
            LAKE_BUCKET=self._lake.lake.bucket_name,
            LEDGER_TABLE=self._lake.ledger.table_name,
        )
        function.allow(["s3:GetObject", "s3:PutObject"], [f"{self._lake_arn}/runs/*"], _ANY_OBJECT)
        function.allow(["s3:ListBucket"], [self._lake_arn])  # without it, S3 says "forbidden" of a missing receipt
        function.allow(["s3:DeleteObject"], [f"{self._lake_arn}/data/clean_json/*"], _ANY_OBJECT)
        settle = ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"]
        function.allow(settle, [self._lake.ledger.table_arn])
        return function

    def _build_profile_run(self) -> PythonFunction:
        function = self._build(
            "profile_run",
            "Publishes what became of every event of the run, then closes it",
            parquet=True,
            LAKE_BUCKET=self._lake.lake.bucket_name,
            LEDGER_TABLE=self._lake.ledger.table_name,
            SEARCHED="yes" if self._stage.watch.search else "",
        )
        published = f"{self._lake_arn}/data/clean_parquet/PROFILING_LOG.parquet/*"
        function.allow(["s3:GetObject"], [f"{self._lake_arn}/runs/*"], _ANY_OBJECT)
        function.allow(["s3:PutObject"], [published], _ANY_OBJECT)
        if self._stage.watch.search:
            function.allow(["s3:PutObject"], [f"{self._lake_arn}/{PENDING_PREFIX}*"], _ANY_OBJECT)
        function.allow(["dynamodb:DeleteItem"], [self._lake.ledger.table_arn])
        return function

    def _build_sweep_orphans(self) -> PythonFunction:
        function = self._build(
            "sweep_orphans",
            "Removes objects of chunks that were never committed",
            LAKE_BUCKET=self._lake.lake.bucket_name,
            LEDGER_TABLE=self._lake.ledger.table_name,
        )
        function.allow(["s3:ListBucket"], [self._lake_arn])
        function.allow(["s3:DeleteObject"], self._event_folders, _ANY_OBJECT)
        function.allow(["dynamodb:BatchGetItem"], [self._lake.ledger.table_arn])
        return function
