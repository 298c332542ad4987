"""The functions that fetch the vendor's exports and keep their histories, each with exactly the rights it needs."""

from constructs import Construct

from infra.platform.functions import PipelineFunctions, PythonFunction
from infra.platform.lake_stack import LakeStack
from infra.platform.storage import StateTable
from infra.stage import Stage
from infra.vendor_exports.settings import VendorExports

_ANY_OBJECT = "Objects are named by the vendor, hour or run; the folder is fixed."


class ExportFunctions(PipelineFunctions):
    """One attribute per folder of `functions/vendor_exports/`."""

    def __init__(
        self,
        scope: Construct,
        *,
        stage: Stage,
        pipeline: str,
        lake: LakeStack,
        slots: StateTable,
        secret_name: str,
        secret_arn: str,
    ) -> None:
        """Build every function."""
        self._settings = settings = stage.settings(VendorExports)
        super().__init__(scope, stage=stage, pipeline=pipeline, settings=settings)
        self._lake_arn = lake.bucket_arn
        self._slots_arn = slots.table_arn
        self._secret_arn = secret_arn
        self._in_lake = {"LAKE_BUCKET": lake.bucket.bucket_name}
        self._in_slots = {"SLOTS_TABLE": slots.table_name}
        self._flow = {"ENVIRONMENT": settings.environment.value}
        self._scope = {"OUT_OF_SCOPE": ",".join(settings.out_of_scope)}
        self._vendor = self._vendor_variables(stage, secret_name)
        self._folders = f"{self._lake_arn}/{settings.environment.root}Hourly/*"
        self._runs = f"{self._lake_arn}/runs/exports/*"
        self._history_runs = f"{self._lake_arn}/runs/history/*"
        self.claim_slot = self._build_claim_slot()
        self.trigger_job = self._build_trigger_job()
        self.check_job = self._build_check_job()
        self.list_files = self._build_list_files()
        self.copy_files = self._build_copy_files()
        self.check_delivery = self._build_check_delivery()
        self.record_result = self._build_record_result()
        self.update_history = self._build_update_history()
        self.plan_history = self._build_plan_history()
        self.observe_hours = self._build_observe_hours()

    def _vendor_variables(self, stage: Stage, secret_name: str) -> dict[str, str]:
        """Return the variables of functions that call the vendor, or have to know which one would be called."""
        settings = self._settings
        return {
            "AUTH_URL": settings.auth_url,
            "EXPORT_URL": settings.export_url,
            "FILES_URL": settings.files_url,
            "COMPANY": settings.company,
            "DOWNLOAD_HOSTS": ",".join(settings.download_hosts),
            "SECRET_ID": secret_name,
            "TIMEOUT_SECONDS": str(settings.vendor_timeout_seconds),
            "PAUSE_MILLISECONDS": str(settings.pause_milliseconds),
            "OTHER_VENDORS": "allowed" if stage.local else "",
            **self._flow,
            **self._in_slots,
        }

    def _build_claim_slot(self) -> PythonFunction:
        # The lease is longer than an execution can take: one that lets it run out has ended.
        lease = str(self._settings.timeout_minutes + 10)
        purpose = "Takes the slot, unless another execution has it"
        function = self.build("claim_slot", purpose, "http", **self._vendor, LEASE_MINUTES=lease)
        function.allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [self._slots_arn])
        return function

    def _build_trigger_job(self) -> PythonFunction:
        patience = str(self._settings.patience_seconds)
        purpose = "Asks the vendor for the hour's job"
        function = self.build("trigger_job", purpose, "http", **self._vendor, PATIENCE_SECONDS=patience)
        function.allow(["secretsmanager:GetSecretValue"], [self._secret_arn])
        function.allow(["dynamodb:UpdateItem"], [self._slots_arn])
        return function

    def _build_check_job(self) -> PythonFunction:
        function = self.build(
            "check_job",
            "Asks the vendor for the status of the job",
            "http",
            **self._vendor,
            POLL_SECONDS=str(self._settings.poll_seconds),
            DEADLINE_SECONDS=str(self._settings.deadline_seconds),
        )
        function.allow(["secretsmanager:GetSecretValue"], [self._secret_arn])
        function.allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [self._slots_arn])
        return function

    def _build_list_files(self) -> PythonFunction:
        settings = self._settings
        function = self.build(
            "list_files",
            "Asks the vendor for the files of the job, and plans to copy them",
            "http",
            **self._vendor,
            **self._in_lake,
            MAX_FILE_BYTES=str(settings.max_file_bytes),
            BATCH_FILES=str(settings.batch_files),
            BATCH_BYTES=str(settings.batch_bytes),
            ROUNDS=str(settings.rounds),
        )
        function.allow(["secretsmanager:GetSecretValue"], [self._secret_arn])
        function.allow(["dynamodb:GetItem"], [self._slots_arn])
        function.allow(["s3:GetObject", "s3:PutObject"], [self._folders, self._runs], _ANY_OBJECT)
        self._allow_list(function)
        return function

    def _build_copy_files(self) -> PythonFunction:
        purpose = "Copies some files from the vendor to the lake"
        function = self.build("copy_files", purpose, "http", **self._vendor, **self._in_lake)
        function.allow(["secretsmanager:GetSecretValue"], [self._secret_arn])
        function.allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], [self._slots_arn])
        copying = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        function.allow(copying, [self._folders], _ANY_OBJECT)
        function.allow(["s3:PutObject"], [self._runs], _ANY_OBJECT)
        self._allow_list(function)
        return function

    def _build_check_delivery(self) -> PythonFunction:
        function = self.build(
            "check_delivery",
            "Compares the files that arrived with those that the vendor promised",
            **self._in_lake,
            **self._in_slots,
            **self._flow,
            **self._scope,
            ROUNDS=str(self._settings.rounds),
        )
        function.allow(["s3:GetObject"], [self._folders, self._runs], _ANY_OBJECT)
        self._allow_list(function)
        function.allow(["dynamodb:UpdateItem"], [self._slots_arn])
        return function

    def _build_record_result(self) -> PythonFunction:
        purpose = "Records the result of the export and frees the slot"
        function = self.build("record_result", purpose, **self._in_slots, **self._flow)
        function.allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], [self._slots_arn])
        return function

    def _build_update_history(self) -> PythonFunction:
        function = self.build(
            "update_history",
            "Brings the histories and their report to what is in the folders",
            "arrow",
            "plots",
            **self._in_lake,
            **self._flow,
            **self._scope,
            MAX_SLOTS=str(self._settings.history_slots),
        )
        root = self._settings.environment.root
        readings = [f"{self._lake_arn}/{root}DataObservability/*", f"{self._lake_arn}/data/history/*"]
        self._allow_list(function)
        function.allow(["s3:GetObject"], [self._folders, self._history_runs], _ANY_OBJECT)
        function.allow(["s3:GetObject", "s3:PutObject"], readings, _ANY_OBJECT)
        return function

    def _build_plan_history(self) -> PythonFunction:
        function = self.build(
            "plan_history", "Cuts a range of hours into parts", "arrow", **self._in_lake, **self._flow
        )
        function.allow(["s3:PutObject"], [self._history_runs], _ANY_OBJECT)
        return function

    def _build_observe_hours(self) -> PythonFunction:
        function = self.build("observe_hours", "Observes the folders of some days", "arrow", **self._in_lake)
        self._allow_list(function)
        function.allow(["s3:GetObject"], [self._folders], _ANY_OBJECT)
        function.allow(["s3:PutObject"], [self._history_runs], _ANY_OBJECT)
        return function

    def _allow_list(self, function: PythonFunction) -> None:
        """Let a function list the lake: without that, S3 says "forbidden" of an object that is missing."""
        function.allow(["s3:ListBucket"], [self._lake_arn])
