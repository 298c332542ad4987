"""The functions that pull the application's API, each with exactly the rights it needs."""

from infra.api_pull.settings import ApiPull
from infra.platform.functions import PythonFunction
from infra.platform.pipeline_part import PipelineFunctions, PipelinePart
from infra.platform.stage_stack import StateTable
from sluice.api_pull.contracts import contracts
from sluice.api_pull.history import HISTORY_KEY
from sluice.api_pull.model import DIRTY_PREFIX, PULLS_PREFIX, RAW_PREFIX
from sluice.lake.object_store import table_prefix

ANY_OBJECT = "Objects are named by pulls and days; the folders are fixed."
_CHECK_SECONDS = 180  # for one more part


class PullFunctions(PipelineFunctions):
    """One attribute per folder of `functions/api_pull/`."""

    def __init__(self, part: PipelinePart, pulls: StateTable, secret_arn: str) -> None:
        self._settings = settings = part.stage.settings(ApiPull)
        super().__init__(part, settings)
        self._pulls = pulls
        self._secret_arn = secret_arn
        self._runs = f"{self._lake_arn}/{PULLS_PREFIX}*"
        self._raw = f"{self._lake_arn}/{RAW_PREFIX}*"
        self._history = f"{self._lake_arn}/{HISTORY_KEY}"
        self._source = {
            "SOURCE_URL": settings.source_url,
            "OTHER_SOURCES": "allowed" if part.stage.local else "",
            "SECRET_ID": secret_arn,
            "TIMEOUT_SECONDS": str(settings.request_timeout_seconds),
            "PAUSE_MILLISECONDS": str(settings.pause_milliseconds),
            "PROXY": part.stage.proxy or "",
        }
        self._build_ends()
        self._build_extraction()
        self._build_check(part.stage.database)

    def _build_ends(self) -> None:
        in_pulls = {"PULLS_TABLE": self._pulls.table_name}
        purpose = "Takes the lease of the pulls, unless another execution has it"
        self.begin_pull = self.build("begin_pull", purpose, SOURCE_URL=self._settings.source_url, **in_pulls)
        self.begin_pull.allow_items(self._pulls.table_arn, ["GetItem", "UpdateItem"], ["pull"])
        purpose = "Records the result of a pull and frees the lease"
        self.record_pull = self.build("record_pull", purpose, **self._in_lake, **in_pulls)
        self.record_pull.allow_items(self._pulls.table_arn, ["UpdateItem"], ["pull"])
        self.record_pull.allow(["s3:GetObject"], [self._runs], ANY_OBJECT)
        self.record_pull.allow(["s3:PutObject"], [f"{self._runs}/result.json"], ANY_OBJECT)
        self.record_pull.allow(["s3:GetObject", "s3:PutObject"], [self._history])
        self.record_pull.allow_list(self._lake_arn)

    def _build_caller(self, folder: str, purpose: str, **environment: str) -> PythonFunction:
        """Build a function that calls the API, with the header of the secret if there is one."""
        function = self.build(folder, purpose, "http", **self._source, **environment)
        if self._secret_arn:
            function.allow(["secretsmanager:GetSecretValue"], [self._secret_arn])
        return function

    def _build_extraction(self) -> None:
        settings = self._settings
        self.check_source = self._build_caller("check_source", "Asks whether the API is well")
        self.extract_pages = self._build_caller(
            "extract_pages",
            "Reads the pages of an endpoint into the lake",
            **self._in_lake,
            PAGE_SIZE=str(settings.page_size),
            PART_BYTES=str(settings.part_bytes),
            MAX_PAGES=str(settings.max_pages),
            MAX_BYTES=str(settings.max_bytes),
            MAX_SECONDS=str(settings.max_seconds),
            RESTARTS=str(settings.restarts),
            PATIENCE_SECONDS=str(settings.patience_seconds),
            WAIT_SECONDS=str(settings.wait_seconds),
            LAST_SECONDS=str(settings.last_request_seconds),
        )
        self.extract_pages.allow(["s3:GetObject", "s3:PutObject"], [self._raw], ANY_OBJECT)
        self.extract_pages.allow(["s3:GetObject", "s3:PutObject"], [f"{self._runs}/extract-*"], ANY_OBJECT)

    def _build_check(self, database: str) -> None:
        in_tables = {**self._in_lake, "DATABASE": database}
        tables = [each.table for each in contracts().values()]
        purpose = "Checks the rows of an endpoint against its contract"
        self.check_rows = self.build("check_rows", purpose, "arrow", **in_tables, LAST_SECONDS=str(_CHECK_SECONDS))
        self.lake.catalog.let_read_columns(self.check_rows)
        self.check_rows.allow(["s3:GetObject", "s3:PutObject"], [self._runs], ANY_OBJECT)
        self.check_rows.allow(["s3:GetObject"], [self._raw, self._history], ANY_OBJECT)
        folders = [f"{self._lake_arn}/{table_prefix(table)}snapshot_date=*" for table in tables]
        self.check_rows.allow(["s3:GetObject", "s3:PutObject"], folders, ANY_OBJECT)
        self.check_rows.allow(["s3:PutObject"], [f"{self._lake_arn}/{DIRTY_PREFIX}*"], ANY_OBJECT)
        self.check_rows.allow_list(self._lake_arn)
        purpose = "Lets an endpoint's rows be those of their day in the lake"
        self.keep_snapshot = self.build("keep_snapshot", purpose, "arrow", "tables", **in_tables)
        self.lake.catalog.let_commit(self.keep_snapshot, *tables)
        self.keep_snapshot.allow(["s3:GetObject"], [f"{self._runs}/check-*"], ANY_OBJECT)
        self.keep_snapshot.allow(["s3:PutObject"], [f"{self._runs}/files.json"], ANY_OBJECT)
