"""Upkeep of the tables: a schedule, and a machine that makes few files of many and removes what is over."""

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.lake_part import LakePart
from infra.platform.machine import Machine, Plan
from infra.platform.pipeline_part import PipelineFunctions, PipelinePart
from infra.tables.settings import Tables
from sluice.lake.object_store import table_prefix
from sluice.tables.pipeline import COMPACT, PIPELINE
from sluice.tables.planning import COMPACTIONS_PREFIX

_ANY_FILE = "Files and runs get their names when there are some; the folders are fixed."


class TablesPart(PipelinePart):
    """Schedule → Compact machine → the lake's tables."""

    pipeline = PIPELINE

    def __init__(self, scope: Construct, *, lake: LakePart) -> None:
        super().__init__(scope, lake=lake)
        settings = self.stage.settings(Tables)
        compact = CompactionMachine(self, _Functions(self, settings), settings)
        self.add_machine(compact)
        self.schedule("Compactions", settings.schedule, compact, "Makes few files of many in the lake's tables")


class _Functions(PipelineFunctions):
    """One attribute per folder of `functions/tables/`."""

    def __init__(self, part: TablesPart, settings: Tables) -> None:
        super().__init__(part, settings)
        self._in_tables = {**self._in_lake, "DATABASE": part.stage.database}
        self._folders = f"{self._lake_arn}/{table_prefix('*')}"
        self._runs = f"{self._lake_arn}/{COMPACTIONS_PREFIX}*"
        unique = {"UNIQUE_COLUMN": settings.unique_column}
        self.plan_compaction = self._build(
            "plan_compaction",
            "Plans which files of the tables become fewer",
            **unique,
            TARGET_BYTES=str(settings.target_file_bytes),
        )
        self.lake.catalog.let_list(self.plan_compaction)
        self.lake.catalog.let_read_columns(self.plan_compaction)
        self.plan_compaction.allow(["s3:PutObject"], [f"{self._runs}/plan.json"], _ANY_FILE)
        self.compact_partitions = self._build(
            "compact_partitions",
            "Makes few files of many, their rows in the order of time",
            **unique,
            UNPACKED_BYTES=str(settings.unpacked_bytes),
        )
        self.lake.catalog.let_commit(self.compact_partitions)
        self.compact_partitions.allow(["s3:PutObject"], [f"{self._folders}year=*"], _ANY_FILE)
        self.tidy_tables = self._build(
            "tidy_tables",
            "Removes old snapshots, and what nothing refers to",
            SNAPSHOT_DAYS=str(settings.snapshot_days),
            GRACE_DAYS=str(settings.grace_days),
        )
        self.lake.catalog.let_list(self.tidy_tables)
        self.lake.catalog.let_commit(self.tidy_tables)
        self.tidy_tables.allow(["s3:DeleteObject"], [f"{self._folders}*"], _ANY_FILE)
        self.tidy_tables.allow(["s3:GetObject"], [f"{self._runs}/plan.json"], _ANY_FILE)
        self.tidy_tables.allow(["s3:PutObject"], [f"{self._runs}/commit.json"], _ANY_FILE)

    def _build(self, folder: str, purpose: str, **environment: str) -> PythonFunction:
        built = self.build(folder, purpose, "arrow", "tables", **self._in_tables, **environment)
        built.allow_list(self._lake_arn)
        return built


class CompactionMachine(Machine):
    """Plan, groups of rewrites in parallel, then what goes with time."""

    def __init__(self, scope: Construct, functions: _Functions, settings: Tables) -> None:
        super().__init__(scope, COMPACT, functions.lake)
        lost = "What is done is done; the next run plans what is left."
        failed = self.failure("Compaction failed", lost)
        group_failed = self.failure("Group not compacted", "None of its files was replaced.")
        plan = self.call("Plan the compaction", functions.plan_compaction, None, failed, result_path=None)
        rewrite = self.each(
            "Compact the groups",
            self.call("Compact a group", functions.compact_partitions, None, group_failed),
            comment="One child execution per group; each commits to one table",
            plan=Plan(COMPACTIONS_PREFIX, "$.plan_key", "groups"),
            concurrency=settings.max_concurrency,
            failed=failed,
        )
        tidy = self.call("Tidy the tables", functions.tidy_tables, None, failed, result_path=None)
        question = sfn.Choice(self, "Are there small files?", comment="Status of the plan")
        question.when(sfn.Condition.string_equals("$.status", "planned"), rewrite.next(tidy)).otherwise(tidy)
        comment = "Makes few files of many in the lake's tables, and removes what is over."
        self.build(plan.next(question), comment=comment, minutes=settings.timeout_minutes)
