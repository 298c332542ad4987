"""The functions that fetch the vendor's exports and keep their histories, each with exactly the rights it needs."""

from __future__ import annotations

from collections.abc import Iterator

from aws_cdk import ArnFormat, Stack
from constructs import Construct

from infra.layers.layers import Layers
from infra.platform.lake_stack import LakeStack
from infra.platform.python_function import PythonFunction
from infra.stage import Stage
from infra.vendor_exports.history_machine import HistorySteps
from infra.vendor_exports.machine import ExportSteps
from sluice.observability.metrics import Pipeline

_ANY_OBJECT = "Objects are named by the vendor, hour or run; the folder is fixed."


class ExportFunctions(Construct):
    """The steps of both machines."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, lake: LakeStack) -> None:
        """Build every function."""
        super().__init__(scope, construct_id)
        self._built: list[PythonFunction] = []
        self._stage = stage
        self._settings = stage.exports
        self._lake = lake
        self._layers = Layers(self, "Layers", stage=stage)
        self._lake_arn = lake.arn_for_others(lake.lake)
        self._slots_arn = lake.slots.table_arn
        root = self._settings.environment.root
        self._folders = f"{self._lake_arn}/{root}Hourly/*"
        self._readings = [f"{self._lake_arn}/{root}DataObservability/*", f"{self._lake_arn}/data/history/*"]
        self._runs = f"{self._lake_arn}/runs/exports/*"
        self._history_runs = f"{self._lake_arn}/runs/history/*"
        # Secrets Manager adds six characters of its own to the name.
        name = f"{stage.vendor_secret}-??????"
        self._secret_arn = Stack.of(self).format_arn(
            service="secretsmanager", resource="secret", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        update = self._build_update_history()
        self.export_steps = self._build_export_steps(update)
        self.history_steps = HistorySteps(
            plan=self._build_plan_history(), observe=self._build_observe_hours(), update=update
        )

    def __iter__(self) -> Iterator[PythonFunction]:
        """Yield each function."""
        return iter(self._built)

    def _build_export_steps(self, update: PythonFunction) -> ExportSteps:
        return ExportSteps(
            begin=self._build_claim_slot(),
            trigger=self._build_trigger_job(),
            check_job=self._build_check_job(),
            list_files=self._build_list_files(),
            copy=self._build_copy_files(),
            check_delivery=self._build_check_delivery(),
            close=self._build_record_result(),
            observe=update,
        )

    def _build(self, folder: str, purpose: str, *layers: str, **environment: str) -> PythonFunction:
        built = PythonFunction(
            self,
            stage=self._stage,
            folder=folder,
            pipeline=Pipeline.EXPORTS,
            purpose=purpose,
            size=getattr(self._settings, folder),
            layers=self._layers.including(*layers),
            environment=environment,
        )
        self._built.append(built)
        return built

    def _build_for_vendor(self, folder: str, purpose: str, **environment: str) -> PythonFunction:
        """A function that talks to the vendor, or has to know whom it would talk to."""
        settings = self._settings
        return self._build(
            folder,
            purpose,
            "http",
            AUTH_URL=settings.auth_url,
            EXPORT_URL=settings.export_url,
            FILES_URL=settings.files_url,
            COMPANY=settings.company,
            DOWNLOAD_HOSTS=",".join(settings.download_hosts),
            ENVIRONMENT=settings.environment.value,
            SECRET_ID=self._stage.vendor_secret,
            TIMEOUT_SECONDS=str(settings.vendor_timeout_seconds),
            PAUSE_MILLISECONDS=str(settings.pause_milliseconds),
            OTHER_VENDORS="allowed" if self._stage.local else "",
            SLOTS_TABLE=self._lake.slots.table_name,
            **environment,
        )

    def _build_claim_slot(self) -> PythonFunction:
        # The lease is longer than an execution can take: whoever lets it run out is dead.
        lease = str(self._settings.timeout_minutes + 10)
        function = self._build_for_vendor(
            "claim_slot", "Takes the slot, unless another execution has it", LEASE_MINUTES=lease
        )
        function.allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [self._slots_arn])
        return function

    def _build_trigger_job(self) -> PythonFunction:
        patience = str(self._settings.patience_seconds)
        function = self._build_for_vendor(
            "trigger_job", "Asks the vendor for the hour's job", PATIENCE_SECONDS=patience
        )
        function.allow(["secretsmanager:GetSecretValue"], [self._secret_arn])
        function.allow(["dynamodb:UpdateItem"], [self._slots_arn])
        return function

    def _build_check_job(self) -> PythonFunction:
        function = self._build_for_vendor(
            "check_job",
            "Asks the vendor how far the job is",
            POLL_SECONDS=str(self._settings.poll_seconds),
            DEADLINE_SECONDS=str(self._settings.deadline_seconds),
        )
        function.allow(["secretsmanager:GetSecretValue"], [self._secret_arn])
        function.allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [self._slots_arn])
        return function

    def _build_list_files(self) -> PythonFunction:
        settings = self._settings
        function = self._build_for_vendor(
            "list_files",
            "Asks the vendor what the job holds, and plans to copy it",
            LAKE_BUCKET=self._lake.lake.bucket_name,
            MAX_FILE_BYTES=str(settings.max_file_bytes),
            BATCH_FILES=str(settings.batch_files),
            BATCH_BYTES=str(settings.batch_bytes),
            ROUNDS=str(settings.rounds),
        )
        function.allow(["secretsmanager:GetSecretValue"], [self._secret_arn])
        function.allow(["dynamodb:GetItem"], [self._slots_arn])
        function.allow(["s3:GetObject", "s3:PutObject"], [self._folders, self._runs], _ANY_OBJECT)
        function.allow(["s3:ListBucket"], [self._lake_arn])  # without it, S3 says "forbidden" of what is missing
        return function

    def _build_copy_files(self) -> PythonFunction:
        function = self._build_for_vendor(
            "copy_files", "Copies some files from the vendor to the lake", LAKE_BUCKET=self._lake.lake.bucket_name
        )
        function.allow(["secretsmanager:GetSecretValue"], [self._secret_arn])
        function.allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], [self._slots_arn])
        copying = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        function.allow(copying, [self._folders], _ANY_OBJECT)
        function.allow(["s3:PutObject"], [self._runs], _ANY_OBJECT)
        function.allow(["s3:ListBucket"], [self._lake_arn])  # without it, S3 says "forbidden" of what is missing
        return function

    def _build_check_delivery(self) -> PythonFunction:
        function = self._build(
            "check_delivery",
            "Compares what arrived with what was promised",
            LAKE_BUCKET=self._lake.lake.bucket_name,
            SLOTS_TABLE=self._lake.slots.table_name,
            ENVIRONMENT=self._settings.environment.value,
            OUT_OF_SCOPE=",".join(self._settings.out_of_scope),
            ROUNDS=str(self._settings.rounds),
        )
        function.allow(["s3:GetObject"], [self._folders, self._runs], _ANY_OBJECT)
        function.allow(["s3:ListBucket"], [self._lake_arn])  # without it, S3 says "forbidden" of what is missing
        function.allow(["dynamodb:UpdateItem"], [self._slots_arn])
        return function

    def _build_record_result(self) -> PythonFunction:
        function = self._build(
            "record_result",
            "Records what became of the export and frees the slot",
            SLOTS_TABLE=self._lake.slots.table_name,
            ENVIRONMENT=self._settings.environment.value,
        )
        function.allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [self._slots_arn])
        return function

    def _build_history_function(self, folder: str, purpose: str, *layers: str, **environment: str) -> PythonFunction:
        return self._build(
            folder,
            purpose,
            "arrow",
            *layers,
            LAKE_BUCKET=self._lake.lake.bucket_name,
            **environment,
        )

    def _build_update_history(self) -> PythonFunction:
        function = self._build_history_function(
            "update_history",
            "Brings the histories and their report to what is in the folders",
            "plots",
            ENVIRONMENT=self._settings.environment.value,
            OUT_OF_SCOPE=",".join(self._settings.out_of_scope),
            MAX_SLOTS=str(self._settings.history_slots),
        )
        function.allow(["s3:ListBucket"], [self._lake_arn])
        function.allow(["s3:GetObject"], [self._folders, self._history_runs], _ANY_OBJECT)
        function.allow(["s3:GetObject", "s3:PutObject"], self._readings, _ANY_OBJECT)
        return function

    def _build_plan_history(self) -> PythonFunction:
        environment = self._settings.environment.value
        function = self._build_history_function(
            "plan_history", "Cuts a range of hours into parts", ENVIRONMENT=environment
        )
        function.allow(["s3:PutObject"], [self._history_runs], _ANY_OBJECT)
        return function

    def _build_observe_hours(self) -> PythonFunction:
        function = self._build_history_function("observe_hours", "Looks at the folders of some days")
        function.allow(["s3:ListBucket"], [self._lake_arn])
        function.allow(["s3:GetObject"], [self._folders], _ANY_OBJECT)
        function.allow(["s3:PutObject"], [self._history_runs], _ANY_OBJECT)
        return function
