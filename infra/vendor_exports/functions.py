"""The functions that fetch the vendor's exports and keep their histories, each with exactly the rights it needs."""

from infra.platform.functions import PythonFunction
from infra.platform.pipeline_part import PipelineFunctions, PipelinePart
from infra.platform.stage_stack import StateTable
from infra.stage import Stage
from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports.completeness.history_files import HISTORY_TABLES
from sluice.vendor_exports.delivery.model import MANIFEST

_ANY_OBJECT = "Objects are named by the vendor, hour or run; the folder is fixed."


class ExportFunctions(PipelineFunctions):
    """One attribute per folder of `functions/vendor_exports/`."""

    def __init__(self, part: PipelinePart, slots: StateTable, secret_arn: str) -> None:
        self._settings = settings = part.stage.settings(VendorExports)
        super().__init__(part, settings)
        self._slots_arn = slots.table_arn
        self._secret_arn = secret_arn
        self._in_slots = {"SLOTS_TABLE": slots.table_name}
        self._flow = {"ENVIRONMENT": settings.environment.value}
        self._scope = {"OUT_OF_SCOPE": ",".join(settings.out_of_scope)}
        self._polling = {"POLL_SECONDS": str(settings.poll_seconds)}
        self._patience = {"PATIENCE_SECONDS": str(settings.patience_seconds)}
        self._vendor = self._vendor_variables(part.stage)
        self._folders = f"{self._lake_arn}/{settings.environment.root}Hourly/*"
        self._runs = f"{self._lake_arn}/runs/exports/*"
        self._history_runs = f"{self._lake_arn}/runs/history/*"
        self._build_job()
        self._build_copying()
        self._build_result()
        self._build_histories()

    def _vendor_variables(self, stage: Stage) -> dict[str, str]:
        """Return the variables of functions that call the vendor, or have to know which one would be called."""
        settings = self._settings
        return {
            "AUTH_URL": settings.auth_url,
            "EXPORT_URL": settings.export_url,
            "FILES_URL": settings.files_url,
            "COMPANY": settings.company,
            "DOWNLOAD_HOSTS": ",".join(settings.download_hosts),
            "SECRET_ID": self._secret_arn,
            "TIMEOUT_SECONDS": str(settings.vendor_timeout_seconds),
            "PAUSE_MILLISECONDS": str(settings.pause_milliseconds),
            "PROXY": stage.proxy or "",
            "OTHER_VENDORS": "allowed" if stage.local else "",
            **self._flow,
            **self._in_slots,
        }

    def _build_caller(self, folder: str, purpose: str, **environment: str) -> PythonFunction:
        """Build a function that calls the vendor, or looks whether it could, with the vendor's credentials."""
        function = self.build(folder, purpose, "http", **self._vendor, **environment)
        function.allow(["secretsmanager:GetSecretValue"], [self._secret_arn])
        return function

    def _allow_slots(self, function: PythonFunction, *actions: str) -> None:
        """Let a function do DynamoDB's actions on the slots of its environment."""
        function.allow_items(self._slots_arn, actions, [self._settings.environment.value])

    def _build_job(self) -> None:
        # The lease is longer than an execution can take: one that lets it run out has ended.
        lease = str(self._settings.timeout_minutes + 10)
        purpose = "Takes the slot, unless another execution has it"
        self.claim_slot = self._build_caller("claim_slot", purpose, LEASE_MINUTES=lease)
        self._allow_slots(self.claim_slot, "GetItem", "UpdateItem")
        purpose = "Asks the vendor for the hour's job"
        self.trigger_job = self._build_caller("trigger_job", purpose, **self._patience)
        self._allow_slots(self.trigger_job, "UpdateItem")
        self.check_job = self._build_caller(
            "check_job",
            "Asks the vendor for the status of the job",
            **self._polling,
            DEADLINE_SECONDS=str(self._settings.deadline_seconds),
        )
        self._allow_slots(self.check_job, "GetItem", "UpdateItem")

    def _build_copying(self) -> None:
        settings = self._settings
        self.list_files = self._build_caller(
            "list_files",
            "Asks the vendor for the files of the job, and plans to copy them",
            **self._in_lake,
            MAX_FILE_BYTES=str(settings.max_file_bytes),
            BATCH_FILES=str(settings.batch_files),
            BATCH_BYTES=str(settings.batch_bytes),
            **self._polling,
            **self._patience,
            ROUNDS=str(settings.rounds),
        )
        self._allow_slots(self.list_files, "GetItem")
        self.list_files.allow(["s3:GetObject"], [self._folders, self._runs], _ANY_OBJECT)
        written = [f"{self._folders}/{MANIFEST}", f"{self._runs}/manifest.json", f"{self._runs}/plan-*"]
        self.list_files.allow(["s3:PutObject"], written, _ANY_OBJECT)
        self.list_files.allow_list(self._lake_arn)
        purpose = "Copies some files from the vendor to the lake"
        self.copy_files = self._build_caller("copy_files", purpose, **self._in_lake)
        self.copy_files.allow_items(self._slots_arn, ["GetItem", "PutItem", "DeleteItem"], ["upload"])
        copying = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        self.copy_files.allow(copying, [self._folders], _ANY_OBJECT)
        self.copy_files.allow(["s3:PutObject"], [f"{self._runs}/results/*"], _ANY_OBJECT)
        self.copy_files.allow_list(self._lake_arn)

    def _build_result(self) -> None:
        self.check_delivery = self.build(
            "check_delivery",
            "Compares the files that arrived with those that the vendor promised",
            **self._in_lake,
            **self._in_slots,
            **self._flow,
            **self._scope,
            **self._polling,
            **self._patience,
            ROUNDS=str(self._settings.rounds),
        )
        self.check_delivery.allow(["s3:GetObject"], [self._folders, self._runs], _ANY_OBJECT)
        self.check_delivery.allow_list(self._lake_arn)
        self._allow_slots(self.check_delivery, "UpdateItem")
        purpose = "Records the result of the export and frees the slot"
        self.record_result = self.build("record_result", purpose, **self._in_slots, **self._flow)
        self._allow_slots(self.record_result, "GetItem", "UpdateItem")

    def _build_histories(self) -> None:
        self.update_history = self.build(
            "update_history",
            "Brings the histories and their report to what is in the folders",
            "arrow",
            "tables",
            "plots",
            **self._in_lake,
            **self._flow,
            DATABASE=self._part.stage.database,
            **self._scope,
            MAX_SLOTS=str(self._settings.history_slots),
        )
        root = self._settings.environment.root
        self.update_history.allow_list(self._lake_arn)
        self.update_history.allow(["s3:GetObject"], [self._folders, self._history_runs], _ANY_OBJECT)
        self.update_history.allow(
            ["s3:GetObject", "s3:PutObject"], [f"{self._lake_arn}/{root}DataObservability/*"], _ANY_OBJECT
        )
        self.lake.catalog.let_publish(self.update_history, *(table.name for table in HISTORY_TABLES))
        self.plan_history = self.build(
            "plan_history", "Cuts a range of hours into parts", "arrow", **self._in_lake, **self._flow
        )
        self.plan_history.allow(["s3:PutObject"], [f"{self._history_runs}/plan.json"], _ANY_OBJECT)
        self.observe_hours = self.build("observe_hours", "Observes the folders of some days", "arrow", **self._in_lake)
        self.observe_hours.allow_list(self._lake_arn)
        self.observe_hours.allow(["s3:GetObject"], [self._folders], _ANY_OBJECT)
        self.observe_hours.allow(["s3:PutObject"], [f"{self._history_runs}/parts/*"], _ANY_OBJECT)
